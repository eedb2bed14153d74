"""The two streams: answers on stdout, everything else on stderr."""

import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

import structlog
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

# Outside a terminal nobody sees where lines break, but a table still needs a width.
PIPE_WIDTH = 120

# These log addresses of requests, or every step of their own, at INFO.
_CHATTY = ("httpx", "httpcore", "alembic", "aiosqlite", "apscheduler", "asyncio", "uvicorn")


def console(*, stderr: bool = False) -> Console:
    """Text from cameras is never markup, and NO_COLOR means no colour and no style."""
    stream = sys.stderr if stderr else sys.stdout
    fixed = not stream.isatty() and "COLUMNS" not in os.environ
    return Console(
        stderr=stderr,
        markup=False,
        emoji=False,
        highlight=False,
        color_system=None if os.environ.get("NO_COLOR") else "auto",
        width=PIPE_WIDTH if fixed else None,
    )


def note(text: str) -> None:
    """A line for the person at the terminal, never part of the answer."""
    sys.stderr.write(f"{text}\n")


Advance = Callable[[str, int, int], None]


@contextmanager
def progress(labels: Mapping[str, str]) -> Iterator[Advance]:
    """`advance(phase, done, total)` moves the bar of that phase; in a pipe nothing is drawn."""
    screen = console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}

        def advance(phase: str, done: int, total: int) -> None:
            if phase not in tasks:
                tasks[phase] = bars.add_task(labels.get(phase, phase), total=total)
            bars.update(tasks[phase], completed=done, total=total)

        yield advance


class _ToStderr(logging.Handler):
    """Looks for stderr at every record: a progress bar stands in front of it for a while.

    The journal reads the weight of a line from a number before it.
    """

    def __init__(self, *, journal: bool) -> None:
        super().__init__()
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        if self._journal:
            weight = f"<{next(number for level, number in _WEIGHTS if record.levelno >= level)}>"
            text = "\n".join(f"{weight}{line}" for line in text.splitlines())
        sys.stderr.write(f"{text}\n")


# As syslog numbers them.
_WEIGHTS = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (0, 7))
Form = Literal["text", "json"]


def start_logging(level: int, form: Form = "text") -> None:
    """Events with their keys on stderr, one line each but for tracebacks; as JSON really one each."""
    colours = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    # Never with the values of variables: one of them may be a secret.
    as_json: list[structlog.typing.Processor] = [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(default=str),
    ]
    as_text: list[structlog.typing.Processor] = [
        structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)
    ]
    handler = _ToStderr(journal=_is_journal())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *(as_json if form == "json" else as_text),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def _is_journal() -> bool:
    """Whether stderr leads there, as systemd says it does."""
    try:
        there = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{there.st_dev}:{there.st_ino}"

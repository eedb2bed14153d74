"""Report files: known to be writable before the work begins, and whole or untouched when it ends."""

import os
import stat
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4


class OutputError(OSError):
    """A report cannot be written there. The text says why."""


class ReportFile:
    """`with ReportFile(path) as report: ...; report.write(text)`.

    Until `write` the text stands in a new file beside it, so that whoever reads `path` meets the old report or the new
    one. A device or a pipe (/dev/stdout) is written to directly. Raises OutputError on entry and on write.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._draft: Path | None = None

    def __enter__(self) -> Self:
        try:
            final = self.path.resolve()
            mode = _mode(final)
            if mode is None or stat.S_ISREG(mode):
                self._draft = _draft(final, mode)
                return self
        except OSError as error:
            raise self._error(error) from None
        if stat.S_ISDIR(mode):
            raise OutputError(f"{self.path}: is a folder; write the name of a file")
        return self

    def write(self, text: str) -> None:
        try:
            if self._draft is None:
                self.path.write_text(text, encoding="utf-8", errors="replace", newline="")
                return
            with self._draft.open("w", encoding="utf-8", errors="replace", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            self._draft.replace(self.path.resolve())
            self._draft = None
        except OSError as error:
            raise self._error(error) from None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._draft is not None:
            with suppress(OSError):
                self._draft.unlink()

    def _error(self, error: OSError) -> OutputError:
        return OutputError(f"{self.path}: cannot be written ({error.strerror or type(error).__name__})")


def _draft(final: Path, mode: int | None) -> Path:
    """An empty file beside `final`, as readable as the one that it will replace."""
    draft = final.with_name(f".{final.name}.{uuid4().hex[:8]}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    if mode is not None:
        os.fchmod(handle, stat.S_IMODE(mode))
    os.close(handle)
    return draft


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None

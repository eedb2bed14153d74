"""The table for people."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from bench.process import Run


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement. `seconds` is the wall time of `cameras` cameras; `None` where nothing could be measured."""

    what: str
    tool: str
    cameras: int
    seconds: float | None
    cpu_s: float | None
    peak_mib: float | None
    note: str = ""

    @property
    def per_camera_s(self) -> float | None:
        return self.seconds / self.cameras if self.seconds is not None and self.cameras else None


def row_of(what: str, tool: str, cameras: int, run: Run, *, seconds: float | None = None, note: str = "") -> Row:
    """A row from a program's cost; `seconds` where the program itself knows better than its wall time."""
    problem = "" if run.exit_code == 0 or run.cut_off else f"exit {run.exit_code}: {run.errors.strip()[-80:]}"
    took = run.seconds if seconds is None else seconds
    return Row(what, tool, cameras, took, run.cpu_s, run.peak_mib, "; ".join(filter(None, (note, problem))))


def ratio(peer: float | None, ours: float | None) -> float | None:
    """How many times better we are; `None` where either side is missing."""
    return round(peer / ours, 3) if peer is not None and ours else None


def show(title: str, rows: Sequence[Row], footnotes: Sequence[str] = ()) -> None:
    table = Table(title=title, title_justify="left", caption="\n".join(footnotes), caption_justify="left")
    for heading in ("what", "tool"):
        table.add_column(heading)
    for heading in ("cameras", "wall s", "wall ms/camera", "CPU ms/camera", "peak MiB"):
        table.add_column(heading, justify="right")
    table.add_column("note")
    for row in rows:
        each = row.per_camera_s
        cpu = row.cpu_s / row.cameras if row.cpu_s is not None and row.cameras else None
        table.add_row(
            row.what,
            row.tool,
            str(row.cameras),
            _number(row.seconds, 2),
            _number(None if each is None else each * 1000, 2),
            _number(None if cpu is None else cpu * 1000, 2),
            _number(row.peak_mib, 0),
            row.note,
        )
    Console(width=150, soft_wrap=False).print(table)


def _number(value: float | None, places: int) -> str:
    return "-" if value is None else f"{value:.{places}f}"

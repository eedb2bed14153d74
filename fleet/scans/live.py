"""A scan that is queued or running in this process: where it is, and whoever listens to that."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from structlog.contextvars import get_contextvars

from fleet.scans.rows import ScanId, ScanState, ScanView
from scanners.assessment import NotEvaluated, Progress
from scanners.targets import Target

Ending = tuple[ScanState, str | None]


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """Where a scan is now: the part of `ScanView` that moves."""

    scan: ScanId
    state: ScanState
    phase: str
    done: int
    total: int
    cameras: int
    failed_verdicts: int
    not_evaluated: int
    error: str | None


class Live:
    """A scan that is queued or running in this process."""

    def __init__(self, view: ScanView, targets: Sequence[Target] | None = None) -> None:
        self.view = view
        # `None` of one that was asked for in an earlier process: they are worked out anew.
        self.targets = targets
        # What lines of the log say of whoever asked for it, such as their request.
        self.asked_by = get_contextvars()
        self.task: asyncio.Task[Any] | None = None
        self.over = asyncio.Event()
        # How it ends when it is cancelled; `None` is the service going down: it does not end, it begins anew.
        self.ending: Ending | None = None
        self.silent: list[NotEvaluated] = []
        self.heard: list[str] = []
        self.known: frozenset[str] = frozenset()
        self._told = view
        self._listeners: set[asyncio.Queue[ScanProgress | None]] = set()

    def progress(self, now: Progress) -> None:
        """Sweep and visits go on side by side; from the first visit on, visits are what the operator waits for."""
        if now.phase == "assess" or self.view.phase != "assess":
            self.view = replace(self.view, phase=now.phase, done=now.done, total=now.total)

    def end(self, state: ScanState, error: str | None) -> None:
        self.ending = (state, error)
        if self.task:
            self.task.cancel()

    def tell(self) -> bool:
        """Tell the listeners when something has changed since the last time; a slow one gets only the newest."""
        if self.view == self._told:
            return False
        self._told = self.view
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(progress_of(self.view))
        return True

    def leave(self) -> None:
        """Nobody is told any more: the process ends, and the scan does not."""
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(None)

    async def listen(self) -> AsyncGenerator[ScanProgress, None]:
        queue: asyncio.Queue[ScanProgress | None] = asyncio.Queue(maxsize=1)
        queue.put_nowait(progress_of(self.view))
        self._listeners.add(queue)
        try:
            while now := await queue.get():
                yield now
                if now.state.final:
                    return
        finally:
            self._listeners.discard(queue)


def progress_of(view: ScanView) -> ScanProgress:
    return ScanProgress(
        scan=view.id,
        state=view.state,
        phase=view.phase,
        done=view.done,
        total=view.total,
        cameras=view.cameras,
        failed_verdicts=view.failed_verdicts,
        not_evaluated=view.not_evaluated,
        error=view.error,
    )

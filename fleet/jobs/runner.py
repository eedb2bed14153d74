"""Calls the function of each job. It knows a desk and functions, and no store: a site agent runs the same."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from structlog.contextvars import bind_contextvars

from fleet.errors import FleetError
from fleet.jobs.model import Asked, Desk, Failed, Job, JobId, Kind, Next, Progress, PutBack, Report

AT_ONCE = 64
LOOK_EVERY_S = 1.0
RENEW_EVERY_S = 0.5
_log = logging.getLogger(__name__)


class _Turn:
    """One call of a job's function."""

    def __init__(self, job: Job, kind: Kind) -> None:
        self.job = job
        self.kind = kind
        self.asked = Asked.NOTHING
        self.stopping = asyncio.Event()
        self.told: Progress | None = None
        self.lost = False
        self.cut_off = False
        # An earlier turn of the same job, lost and winding up still.
        self.before: _Turn | None = None
        self.over = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def say(self, progress: Progress) -> None:
        self.told = progress

    async def begin(self) -> None:
        """By the task itself: one that is cancelled before its first line ends without a word."""
        self._task = asyncio.current_task()
        if self.cut_off:
            raise asyncio.CancelledError
        if self.before:
            await self.before.over.wait()
            self.before = None

    def cut(self) -> None:
        self.cut_off = True
        if self._task:
            self._task.cancel()


def _nothing_more() -> None:
    pass


def _names(job: Job) -> dict[str, str]:
    """What a line of the log says of the job that it was written for: its own name and what it belongs to."""
    of, _, what = job.work.partition(":")
    return (
        {"job": job.id, "kind": job.kind}
        | ({"camera": job.camera} if job.camera else {})
        | ({of: what} if what else {})
    )


class Runner:
    """`async with Runner(desk, kinds) as runner`. On exit no new job begins, and steps that run come to their end.

    Those of kinds that may be `cut_short` are cancelled and put back. `begins` is called first by the task of a step.
    """

    def __init__(
        self,
        desk: Desk,
        kinds: Sequence[Kind],
        *,
        at_once: int = AT_ONCE,
        lasts_s: float = 60.0,
        steady: Callable[[], float] = time.monotonic,
        begins: Callable[[], None] = _nothing_more,
    ) -> None:
        self._desk = desk
        self._kinds = {kind.name: kind for kind in kinds}
        self._at_once = at_once
        self._lasts_s = lasts_s
        self._steady = steady
        self._begins = begins
        self._turns: dict[JobId, _Turn] = {}
        self._reports: list[Report] = []
        self._steps: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._renewed_s = 0.0
        self._loop: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        for turn in self._turns.values():
            turn.stopping.set()
            if turn.kind.cut_short:
                turn.cut()
        self._desk.wake()
        if self._loop:
            await self._loop

    def goes_on(self) -> bool:
        """Whether jobs are looked for."""
        return self._loop is not None and not self._loop.done()

    def under_way(self, kind: str) -> int:
        """How many steps of that kind run here."""
        return sum(turn.kind.name == kind for turn in self._turns.values())

    async def _run(self) -> None:
        """Until it is stopped and nothing runs any more."""
        while True:
            more = False
            try:
                more = await self._round()
            except FleetError:
                _log.exception("jobs cannot go on just now")
                self._give_up_what_ran_out()
                if self._stopping and not self._turns:
                    return  # what could not be handed in is found again as it was left
            if self._stopping and not self._turns and not self._reports:
                return
            if not more:
                await self._desk.heard(LOOK_EVERY_S)

    async def _round(self) -> bool:
        """Whether there may be more to claim at once. Raises FleetError."""
        await self._hand_in()
        await self._renew()
        room = 0 if self._stopping else self._at_once - len(self._turns)
        jobs = await self._desk.claim(room) if room > 0 else ()
        for job in jobs:
            self._begin(job)
        # A step that has nothing to wait for is over now, and is handed in together with the others.
        await asyncio.sleep(0)
        return bool(jobs) and bool(self._reports)

    async def _hand_in(self) -> None:
        told = {job: turn.told for job, turn in self._turns.items() if turn.told and not turn.lost}
        reports = self._reports[:]
        if not reports and not told:
            return
        await self._desk.report([*(Report(job, progress) for job, progress in told.items()), *reports])
        del self._reports[: len(reports)]
        for job, progress in told.items():
            if (turn := self._turns.get(job)) and turn.told is progress:
                turn.told = None

    async def _renew(self) -> None:
        if not self._turns or self._steady() - self._renewed_s < RENEW_EVERY_S:
            return
        held = await self._desk.renew(tuple(self._turns))
        self._renewed_s = self._steady()
        for job, turn in self._turns.items():
            if job in held:
                before, turn.asked = turn.asked, held[job]
                if turn.kind.cut_short and turn.asked.ends_it and turn.asked is not before:
                    turn.cut()
            else:
                self._lose(turn)

    def _give_up_what_ran_out(self) -> None:
        """Whose lease could not be renewed for its whole length may be somebody else's by now.

        Whoever changes a camera stops then. Whoever only looks goes on, and is told of it once the desk answers again.
        """
        if self._turns and self._steady() - self._renewed_s >= self._lasts_s:
            for turn in self._turns.values():
                if turn.kind.changes_camera:
                    self._lose(turn)

    def _lose(self, turn: _Turn) -> None:
        if not turn.lost:
            turn.lost = True
            _log.warning("a job was lost to others", extra={"job": turn.job.id})
            turn.cut()

    def _begin(self, job: Job) -> None:
        if self._stopping:  # it was told so while it waited for these
            self._reports.append(Report(job.id, PutBack("the service was stopped")))
            return
        if not self._turns:
            self._renewed_s = self._steady()
        turn = _Turn(job, self._kinds[job.kind])
        turn.before = self._turns.get(job.id)
        self._turns[job.id] = turn
        self._steps.add(step := asyncio.create_task(self._step(turn)))
        step.add_done_callback(self._steps.discard)

    async def _step(self, turn: _Turn) -> None:
        """The task's boundary."""
        said: Next
        bind_contextvars(**_names(turn.job))
        self._begins()
        try:
            await turn.begin()
            said = await turn.kind.step(turn)
        except asyncio.CancelledError:
            said = PutBack("the service was stopped" if self._stopping else "it was cut off")
        except FleetError as error:
            said = Failed(str(error))
        except Exception as error:  # noqa: BLE001 - the task's boundary
            _log.exception("a job failed", extra={"job": turn.job.id, "kind": turn.job.kind})
            said = Failed(f"a fault of ours ({type(error).__name__}); see the log")
        turn.over.set()
        if self._turns.get(turn.job.id) is turn:
            del self._turns[turn.job.id]
            # Also of one that was lost: whoever could not be asked for too long has it still, where nobody took it.
            self._reports.append(Report(turn.job.id, said))
        self._desk.wake()

"""The job of a plan as a whole: it hands out the jobs of its cameras, waits for them, and says what the plan became."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from cameras.facts import Gap
from cameras.place import Place
from cameras.untrusted import clean_text
from fleet.errors import FleetError, StoreUnavailable
from fleet.jobs.desk import GONE
from fleet.jobs.model import Again, Asked, Done, Failed, Job, JobId, Next, Progress, PutBack, Stopped, Turn
from fleet.jobs.queue import Queue
from fleet.jobs.states import JobState
from fleet.plans import jobs
from fleet.plans import rows as plan_rows
from fleet.plans.bells import LOOK_EVERY_S, Bells
from fleet.plans.jobs import Order
from fleet.plans.journal import Journal
from fleet.plans.one_camera import MOST_FAILURES_IN_A_ROW, has_changed, was_touched
from fleet.plans.rows import PlanId, Spot, Work
from fleet.plans.states import PlanEvent, PlanState
from hardening.baseline import BaselineError
from hardening.lifecycle import CameraEvent, CameraState
from hardening.plan import PlanError, unseen

# Where none of its cameras gets its turn for so long, its own place in the queue may be what they wait for.
_IDLE_S = 10.0
_ASIDE = timedelta(seconds=10)
_ENDS_EARLY = "its plan ends before its turn"
_TOO_MANY = f"{MOST_FAILURES_IN_A_ROW} cameras in a row ended otherwise than planned; the others were left alone"
_NOT_ALL = "not every camera became what was wanted"
_NOT_UNDONE = "not all could be undone"
_CANCELLED = "its job was cancelled before its end"
_OVER = "this plan is over; give it its next order on its own page"
_SHORT = frozenset({PlanState.FAILED, PlanState.STOPPED, PlanState.EXPIRED})
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Phase:
    """What is done while a plan is in a state. A camera in one of the states `short` has not come to its end there."""

    order: Order
    has_more: Callable[[Work], bool]
    short: Collection[CameraState]


_PHASES = {
    PlanState.DRAFT: _Phase(Order.OBSERVE, lambda one: one.plan is None, ()),
    PlanState.APPLYING: _Phase(
        Order.APPLY, lambda one: not one.proved or _is_short(one), (CameraState.WAITING, CameraState.APPLYING)
    ),
    PlanState.UNDOING: _Phase(
        Order.UNDO,
        lambda one: one.progress is not None and has_changed(one.progress),
        (CameraState.UNDOING, CameraState.APPLYING, CameraState.DONE, CameraState.STOPPED),
    ),
}


@dataclass(slots=True)
class _Run:
    """One call of the job's function. `stops`: somebody wants it to end; `fault`: what else ends it early."""

    turn: Turn
    plan: PlanId
    phase: _Phase
    total: int = 0
    stops: bool = False
    fault: str = ""
    failed: int = 0
    told: Progress | None = None
    busy_at: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    @property
    def job(self) -> Job:
        return self.turn.job


class Whole:
    """The function of the kind, and what becomes of a plan whose job ended without it."""

    def __init__(self, queue: Queue, bells: Bells) -> None:
        self._queue = queue
        self._store = queue.store
        self._bells = bells

    async def step(self, turn: Turn) -> Next:
        """Called again, it hands nothing out a second time."""
        jobs.bind_request(turn.job)
        plan = jobs.plan_of(turn.job)
        state = await plan_rows.state_of(self._store, plan)
        if turn.job.key is None or not state.at_work:
            return Failed(_OVER, final=True) if state in _SHORT else Done(state.replace("-", " "))
        run = _Run(turn, plan, _PHASES[state])
        if turn.job.payload.get("ends") == "fail":
            run.fault = str(turn.job.payload["why"])
        try:
            return await self._to_its_end(run)
        except StoreUnavailable as error:
            _log.exception("a plan waits for what could not be stored", extra={"plan": plan})
            return PutBack(str(error))
        finally:
            self._bells.tell(plan)

    async def _to_its_end(self, run: _Run) -> Next:
        """A fault in between ends the plan, once none of its cameras is at work any more. Raises StoreUnavailable."""
        try:
            if "ends" not in run.job.payload:
                await self._hand_out(run)
            return await self._wait(run) or await self._end(run)
        except StoreUnavailable:
            raise
        except (FleetError, BaselineError, PlanError) as error:
            run.fault = clean_text(str(error), 500)
        except Exception as error:  # noqa: BLE001 - a plan that fails says so, whatever it failed of
            _log.exception("a plan failed", extra={"plan": run.plan})
            run.fault = f"a fault of ours ({type(error).__name__}); see the log"
        return await self._wait(run) or await self._rest(run, PlanEvent.FAIL, run.fault)

    async def ended(self, job: Job) -> None:
        """Cancelled while it did not run, or given up: another one stops what goes on, and says so of the plan."""
        plan = jobs.plan_of(job)
        state = await plan_rows.state_of(self._store, plan)
        if job.key is None or not state.at_work:
            return
        if job.state is JobState.FAILED:
            ends = {"ends": "fail", "why": job.reason}
        else:  # an undo is not stopped half-way
            ends = {} if state is PlanState.UNDOING else {"ends": "stop"}
        await self._queue.enqueue(jobs.in_place_of(job, ends))

    # --- its cameras ---

    async def _hand_out(self, run: _Run) -> None:
        known = await jobs.handed_out(self._store, run.job)
        run.total = len(known)
        if known:
            return
        work = [one.camera for one in await plan_rows.work_of(self._store, run.plan) if run.phase.has_more(one)]
        await jobs.hand_out(self._queue, run.job, run.phase.order, work)
        run.total = len(work)

    async def _wait(self, run: _Run) -> Next | None:
        """Until no camera is at work any more; what to say where that is left to a later call."""
        while True:
            tally = await jobs.tally(self._store, run.job.work)
            if (progress := Progress(max(0, run.total - tally.open), run.total)) != run.told:
                run.turn.say(progress)
                run.told = progress
            await self._ends_early(run, tally.failed)
            if tally.next is None:
                return None
            if run.turn.stopping.is_set():
                return PutBack("the service was stopped")
            if run.stops or (run.fault and tally.waiting):
                await jobs.withdraw(self._queue, run.job.work, _ENDS_EARLY, running=run.stops)
            now = asyncio.get_running_loop().time()
            run.busy_at = now if tally.running else run.busy_at
            if now - run.busy_at > _IDLE_S:
                return Again(self._store.now() + _ASIDE)
            await self._heard(run, tally.next)

    async def _ends_early(self, run: _Run, failed: int) -> None:
        if run.phase.order is not Order.UNDO:
            asked = self._bells.is_to_stop(run.turn, run.plan) or run.job.payload.get("ends") == "stop"
            run.stops = run.stops or asked
        if run.fault or run.phase.order is Order.UNDO:
            return
        if failed != run.failed:
            run.failed = failed
            run.fault = _fault_in(await self._broken(run))
        if not run.fault and run.phase.order is Order.APPLY:
            too_many = await plan_rows.last_failed(self._store, run.plan, MOST_FAILURES_IN_A_ROW)
            run.fault = _TOO_MANY if too_many else ""

    async def _broken(self, run: _Run) -> dict[str, str]:
        """Cameras whose job failed before they had come to their end, and why."""
        known = await jobs.handed_out(self._store, run.job)
        short = await plan_rows.short_of_an_end(self._store, run.plan, run.phase.short)
        return {one: why for one, (state, why) in known.items() if state is JobState.FAILED and one in short}

    async def _heard(self, run: _Run, job: JobId) -> None:
        """Until this camera's job ends, or something is said of the plan; others may say something elsewhere."""
        heard = [self._queue.ended(job), run.turn.stopping.wait(), self._told_to_stop(run)]
        waits = [asyncio.ensure_future(work) for work in heard]
        try:
            await asyncio.wait(waits, timeout=LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _told_to_stop(self, run: _Run) -> None:
        with self._bells.listening(run.plan) as bell:
            while run.stops or run.phase.order is Order.UNDO or not self._bells.is_to_stop(run.turn, run.plan):
                bell.clear()
                await bell.wait()

    # --- its end ---

    async def _end(self, run: _Run) -> Next:
        ends = {Order.OBSERVE: self._observed, Order.APPLY: self._applied, Order.UNDO: self._undone}
        return await ends[run.phase.order](run)

    async def _observed(self, run: _Run) -> Next:
        if run.stops:
            return await self._rest(run, PlanEvent.STOP)
        if run.fault:
            return await self._rest(run, PlanEvent.FAIL, run.fault)
        baseline = await plan_rows.baseline_of(self._store, run.plan)
        for camera in await plan_rows.short_of_an_end(self._store, run.plan, ()):
            found = unseen(Place("", 0, "http"), baseline, Gap("not-asked", "the look at it was cancelled"))
            await plan_rows.keep_observed(self._store, run.plan, camera, found)
        digest = await plan_rows.digest_of(self._store, run.plan)
        return await self._rest(run, PlanEvent.OBSERVED, digest=digest)

    async def _applied(self, run: _Run) -> Next:
        await self._settle(run, await self._broken(run))
        states = {one.progress.state for one in await plan_rows.work_of(self._store, run.plan) if one.progress}
        if run.stops:
            return await self._rest(run, PlanEvent.STOP)
        if run.fault:
            return await self._rest(run, PlanEvent.FAIL, run.fault)
        if states <= {CameraState.DONE}:
            return await self._rest(run, PlanEvent.FINISH)
        return await self._rest(run, PlanEvent.FAIL, _NOT_ALL)

    async def _undone(self, run: _Run) -> Next:
        broken = await self._broken(run)
        run.fault = run.fault or _fault_in(broken)
        await self._settle(run, broken)
        after = [one.progress for one in await plan_rows.work_of(self._store, run.plan) if one.progress]
        left = any((one.state is CameraState.FAILED and was_touched(one)) or has_changed(one) for one in after)
        if run.fault or left:
            return await self._rest(run, PlanEvent.FAIL, run.fault or _NOT_UNDONE)
        return await self._rest(run, PlanEvent.BACK)

    async def _settle(self, run: _Run, broken: Mapping[str, str]) -> None:
        """Nobody is at work on a camera any more: none of them says otherwise."""
        for one in await plan_rows.work_of(self._store, run.plan):
            journal = Journal(self._store, Spot(run.plan, one.camera), self._bells.tell)
            if one.progress is None:
                continue
            if why := broken.get(one.camera):
                await journal.give_up(one.progress, why)
            elif one.progress.state is CameraState.UNDOING:
                await journal.give_up(one.progress, _CANCELLED)
            elif one.progress.state is CameraState.APPLYING and run.phase.order is Order.APPLY:
                await journal.give_up(one.progress, _CANCELLED, CameraEvent.STOP)

    async def _rest(self, run: _Run, event: PlanEvent, error: str | None = None, **changes: object) -> Next:
        if event is not PlanEvent.OBSERVED:
            changes |= {"error": error, "finished_at": self._store.now()}
        state = await plan_rows.rest(self._store, run.plan, event, run.job.id, **changes)
        if event is PlanEvent.FAIL:
            return Failed(error or "", final=True)
        asked = event is PlanEvent.STOP and run.turn.asked is Asked.CANCEL
        return Stopped() if asked else Done(state.replace("-", " "))


def _is_short(work: Work) -> bool:
    return work.progress is None or work.progress.state in {CameraState.WAITING, CameraState.APPLYING}


def _fault_in(broken: Mapping[str, str]) -> str:
    """A camera that is gone is no fault of ours."""
    return next((why for why in broken.values() if why != GONE), "")

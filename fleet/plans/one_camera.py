"""The jobs of one camera of a plan: it is looked at, changed and proved, or put back as it was."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from cameras.facts import Gap
from cameras.place import Place
from cameras.untrusted import clean_text
from fleet.errors import Busy, FleetError, Invalid, NotFound
from fleet.jobs.model import Asked, Done, Failed, Next, Stopped, Turn
from fleet.jobs.queue import Queue
from fleet.plans import jobs
from fleet.plans import rows as plan_rows
from fleet.plans.bells import Bells, closing_in
from fleet.plans.jobs import Order
from fleet.plans.journal import Journal
from fleet.plans.reach import Reach
from fleet.plans.rows import Spot, Work
from fleet.plans.states import PlanState
from fleet.proof import Prove
from hardening.apply import Means, Progress, apply_camera, undo_camera
from hardening.baseline import BaselineError
from hardening.lifecycle import CameraState, StepState
from hardening.model import Order as Found
from hardening.model import PasswordFor
from hardening.observing import plan_for
from hardening.plan import CameraPlan, PlanError, unseen
from hardening.visit import Patience

# A baseline that does not fit shows on the first cameras; the others are left alone then.
MOST_FAILURES_IN_A_ROW = 5
AT_WORK = {Order.OBSERVE: PlanState.DRAFT, Order.APPLY: PlanState.APPLYING, Order.UNDO: PlanState.UNDOING}
_ENDS = {CameraState.DONE: "it is as wanted", CameraState.UNDONE: "it is as it was before"}
_OVER = Failed("its plan is not at this any more; order it on the page of the plan", final=True)
_LEFT_ALONE = Done("left alone: its plan ends before its turn")
_log = logging.getLogger(__name__)


class OneCamera:
    """The functions of both kinds. Whoever calls `change` has the sole right to the camera."""

    def __init__(
        self,
        queue: Queue,
        bells: Bells,
        reach: Reach,
        prove: Prove,
        *,
        password_for: Callable[[str, str], Coroutine[Any, Any, Any]],
        patience: Patience,
        closing_s: float,
    ) -> None:
        self._queue = queue
        self._store = queue.store
        self._bells = bells
        self._reach = reach
        self._prove = prove
        self._password_for = password_for
        self._patience = patience
        self._closing_s = closing_s

    # --- looked at ---

    async def look(self, turn: Turn) -> Next:
        """Changes nothing."""
        jobs.bind_request(turn.job)
        spot = jobs.spot_of(turn.job)
        if await self._is_over(spot, Order.OBSERVE):
            return _OVER
        if await self._is_left_alone(turn, spot, Order.OBSERVE):
            return _LEFT_ALONE
        try:
            return await self._observe(spot)
        except (BaselineError, PlanError) as error:
            return Failed(clean_text(str(error), 500), final=True)
        finally:
            self._bells.tell(spot.plan)

    async def _observe(self, spot: Spot) -> Next:
        baseline = await plan_rows.baseline_of(self._store, spot.plan)
        said: Next | None = None
        try:
            reached = await self._reach(spot.camera)
        except FleetError as error:
            found = unseen(Place("", 0, "http"), baseline, Gap("unauthorized", str(error)))
            said = Failed(f"it could not be looked at: {error}", final=True)
        else:
            found = await plan_for(reached.place, reached.open_camera, baseline)
        await plan_rows.keep_observed(self._store, spot.plan, spot.camera, found)
        return said or _seen(found)

    # --- changed ---

    async def change(self, turn: Turn) -> Next:
        """Goes on where an earlier call was cut off: what was done is written down, and what it is the camera knows."""
        jobs.bind_request(turn.job)
        spot, order = jobs.spot_of(turn.job), Order(turn.job.payload["order"])
        if await self._is_over(spot, order):
            return _OVER
        try:
            async with closing_in(turn, self._closing_s):
                return await self._change(turn, spot, order)
        except PlanError as error:
            return Failed(clean_text(str(error), 500), final=True)
        finally:
            self._bells.tell(spot.plan)

    async def _change(self, turn: Turn, spot: Spot, order: Order) -> Next:
        work = await self._work(spot)
        if order is Order.UNDO:
            await self._undo(turn, spot, work)
        elif _is_new(work) and await self._is_left_alone(turn, spot, order):
            return _LEFT_ALONE
        else:
            await self._apply(turn, spot, work)
        return _became(turn, await self._work(spot))

    async def _work(self, spot: Spot) -> Work:
        (work,) = await plan_rows.work_of(self._store, spot.plan, spot.camera)
        return work

    async def _is_over(self, spot: Spot, order: Order) -> bool:
        return await plan_rows.state_of(self._store, spot.plan) is not AT_WORK[order]

    async def _is_left_alone(self, turn: Turn, spot: Spot, order: Order) -> bool:
        """Of a camera that was not begun. The job of its plan, which cancels those that wait, may be late for this."""
        if self._bells.is_to_stop(turn, spot.plan) or await jobs.is_ending(self._queue, spot.plan):
            return True
        return order is Order.APPLY and await plan_rows.last_failed(self._store, spot.plan, MOST_FAILURES_IN_A_ROW)

    async def _apply(self, turn: Turn, spot: Spot, work: Work) -> None:
        if work.plan is None or work.progress is None:
            raise Invalid("a camera of this plan was never looked at; renew it")
        progress = work.progress
        if progress.state in {CameraState.WAITING, CameraState.APPLYING}:
            journal = Journal(self._store, spot, self._bells.tell)
            if ready := await self._ready(turn, spot, work.plan, progress, journal):
                progress = await apply_camera(work.plan, *ready, journal)
        if not work.proved and (progress.state is CameraState.DONE or was_touched(progress)):
            await self._prove_camera(spot, work.plan, progress)

    async def _undo(self, turn: Turn, spot: Spot, work: Work) -> None:
        if work.plan is None or work.progress is None:
            return
        progress = work.progress
        if has_changed(progress):
            journal = Journal(self._store, spot, self._bells.tell)
            if ready := await self._ready(turn, spot, work.plan, progress, journal):
                progress = await undo_camera(work.plan, *ready, journal)
        await self._prove_camera(spot, work.plan, progress)

    async def _ready(
        self, turn: Turn, spot: Spot, plan: CameraPlan, progress: Progress, journal: Journal
    ) -> tuple[Progress, Means] | None:
        """How far it is, at the place where it is now, and what changing it needs; `None` where it was given up."""

        async def password_for(account: str) -> Any:  # noqa: ANN401 - a Secret
            return await self._password_for(spot.camera, account)

        given: PasswordFor = password_for
        try:
            reached = await self._reach(spot.camera)
        except (Busy, Invalid, NotFound) as error:
            await journal.give_up(progress, str(error))
            return None
        means = Means(reached.open_camera, given, self._patience, stopped=lambda: self._is_to_stop(turn, spot))
        return replace(progress, place=place_now(plan, progress, reached.place)), means

    def _is_to_stop(self, turn: Turn, spot: Spot) -> bool:
        """Asked between two steps. Raises CancelledError where the next one is left to a later call of the job."""
        if turn.stopping.is_set() or turn.asked is Asked.PAUSE:
            raise asyncio.CancelledError
        return self._bells.is_to_stop(turn, spot.plan)

    async def _prove_camera(self, spot: Spot, plan: CameraPlan, progress: Progress) -> None:
        """The assessment afterwards. Its failure is told, and costs the change nothing."""
        try:
            reached = await self._reach(spot.camera)
            words = await self._prove(place_now(plan, progress, reached.place), reached.credential)
        except FleetError as error:
            words = f"it could not be assessed again: {error}"
        except Exception as error:  # noqa: BLE001 - the change is done whatever becomes of its proof
            _log.exception("a proof failed", extra={"plan": spot.plan, "camera": spot.camera})
            words = f"it could not be assessed again: a fault of ours ({type(error).__name__}); see the log"
        await plan_rows.keep_proof(self._store, spot, words)


def place_now(plan: CameraPlan, progress: Progress, stored: Place) -> Place:
    """Where the steps left it, unless a visit has found it elsewhere (`stored`) since it was looked at for the plan.

    Whatever answers at the place of the plan then may be another camera.
    """
    then = (plan.place.address, plan.place.port, plan.place.scheme)
    return progress.place if then == (stored.address, stored.port, stored.scheme) else stored


def _seen(found: CameraPlan) -> Next:
    drifting = sum(step.order is Found.DRIFT for step in found.steps)
    unknown = sum(step.order is Found.UNKNOWN for step in found.steps)
    more = f"; {unknown} could not be asked for" if unknown else ""
    return Done(f"{drifting} of {len(found.steps)} settings differ from what is wanted{more}")


def _became(turn: Turn, work: Work) -> Next:
    state = work.progress.state if work.progress else CameraState.WAITING
    if state in _ENDS:
        return Done(_ENDS[state])
    if state is CameraState.STOPPED:
        return Stopped() if turn.asked is Asked.CANCEL else Done(work.reason)
    return Failed(work.reason or "it did not become what was wanted", final=True)


def _is_new(work: Work) -> bool:
    return work.progress is not None and work.progress.state is CameraState.WAITING


def has_changed(progress: Progress) -> bool:
    """Whether there is something to undo."""
    at_work = {CameraState.UNDOING} & {progress.state}
    return bool(at_work or {StepState.DONE, StepState.APPLYING, StepState.UNDOING} & set(progress.steps.values()))


def was_touched(progress: Progress) -> bool:
    """Whether anything was sent that may have left a trace."""
    traces = {StepState.DONE, StepState.FAILED, StepState.UNDONE, StepState.APPLYING, StepState.UNDOING}
    return bool(traces & set(progress.steps.values()))

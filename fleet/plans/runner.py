"""Plans: cameras are looked at, the difference is shown and approved, and then changed, one step at a time, and proved.

Everything is written down before it is sent, so that a new process goes on where an earlier one ended.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from structlog.contextvars import bind_contextvars

from cameras.facts import Gap
from cameras.place import Place
from cameras.untrusted import clean_text
from fleet import leases
from fleet.audit.trail import SERVICE
from fleet.errors import Busy, FleetError, Invalid, NotFound
from fleet.people.scope import EVERYWHERE, Scope
from fleet.plans import rows as plan_rows
from fleet.plans import views as plan_views
from fleet.plans.journal import Journal
from fleet.plans.reach import Reach, Reached
from fleet.plans.rows import PlanId, Spot, Work
from fleet.plans.states import PlanEvent, PlanState
from fleet.plans.views import PlanCameraView, PlanEventView, PlanView
from fleet.proof import Prove
from fleet.store import Store
from fleet.store.outages import outlast_outages
from fleet.views import Page
from hardening.apply import Means, Progress, apply_camera, undo_camera
from hardening.baseline import Baseline, BaselineError
from hardening.lifecycle import CameraState, StepState
from hardening.model import PasswordFor, no_password
from hardening.observing import plan_for
from hardening.plan import PlanError, unseen
from hardening.visit import Patience

__all__ = ["PlanCameraView", "PlanEventView", "PlanId", "PlanState", "PlanView", "Plans"]

MOST_CAMERAS = 5000
# A baseline that does not fit shows on the first cameras; the others are left alone then.
MOST_FAILURES_IN_A_ROW = 5
_log = logging.getLogger(__name__)


async def no_passwords(_camera: str, account: str) -> Any:  # noqa: ANN401 - it never returns
    return await no_password(account)


@dataclass(slots=True)
class _Live:
    """A plan that this process is at work on."""

    state: PlanState
    task: asyncio.Task[None] | None = None
    stopping: bool = False
    failures: int = 0

    @property
    def ends_early(self) -> bool:
        return self.stopping or self.failures >= MOST_FAILURES_IN_A_ROW


class Plans:
    """`async with Plans(store, reach, prove) as plans`. What an earlier process was at work on goes on.

    `password_for` gives the password of a service account of a camera, stored before it is given. `two_persons`:
    whoever made a plan does not approve it. When it is closed, steps that are being carried out may take so long as
    `closing_s` says to come to their end; what comes after them is left for the next process.
    """

    def __init__(
        self,
        store: Store,
        reach: Reach,
        prove: Prove,
        *,
        password_for: Callable[[str, str], Coroutine[Any, Any, Any]] = no_passwords,
        two_persons: bool = False,
        cameras_at_once: int = 8,
        patience: Patience | None = None,
        busy_patience: Patience | None = None,
        closing_s: float = 0,
    ) -> None:
        self._store = store
        self._reach = reach
        self._prove = prove
        self._password_for = password_for
        self._two_persons = two_persons
        self._places = asyncio.Semaphore(cameras_at_once)
        self._patience = patience or Patience()
        self._busy_patience = busy_patience or Patience()
        self._closing_s = closing_s
        self._closing = False
        self._live: dict[PlanId, _Live] = {}
        self._listeners: dict[PlanId, set[asyncio.Event]] = {}

    async def __aenter__(self) -> Self:
        await plan_rows.expire(self._store)
        for plan, state in await plan_rows.unfinished(self._store):
            self._work_on(plan, state)
        return self

    def under_way(self) -> int:
        """How much of it this process is at work on."""
        return len(self._live)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        tasks = [live.task for live in self._live.values() if live.task]
        changing = [live.task for live in self._live.values() if live.task and live.state is not PlanState.DRAFT]
        if changing and self._closing_s:
            await asyncio.wait(changing, timeout=self._closing_s)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- what a person does ---

    async def create(self, baseline: Baseline, cameras: Sequence[str], actor: str, scope: Scope = EVERYWHERE) -> PlanId:
        """Look at these cameras in the background and plan; changes nothing. Raises Invalid, NotFound."""
        chosen = list(dict.fromkeys(cameras))
        if not 0 < len(chosen) <= MOST_CAMERAS:
            raise Invalid(f"choose between 1 and {MOST_CAMERAS} cameras")
        plan = await plan_rows.make(self._store, baseline, chosen, clean_text(actor), scope)
        self._work_on(plan, PlanState.DRAFT)
        return plan

    async def approve(self, plan: PlanId, actor: str, *, digest: str | None = None) -> None:
        """Who made it and who approved it is kept. `digest` is of the plan that was looked at.

        Raises NotFound, ChangedMeanwhile, Invalid, which also is for whoever made it where two persons are wanted.
        """
        await plan_rows.expire(self._store)
        await plan_rows.approve(self._store, plan, clean_text(actor), digest, two_persons=self._two_persons)

    async def start(self, plan: PlanId, actor: str) -> None:
        """Apply an approved plan in the background. Raises NotFound, Invalid."""
        await plan_rows.expire(self._store)
        if (await self.get(plan)).digest != await plan_rows.digest_of(self._store, plan):
            raise Invalid("this plan is not what was approved any more; renew it")
        await self._begin(plan, PlanEvent.START, actor)

    async def undo(self, plan: PlanId, actor: str) -> None:
        """Take back what this plan changed, in the background. Raises NotFound, Invalid."""
        await self._begin(plan, PlanEvent.UNDO, actor)

    async def renew(self, plan: PlanId, actor: str) -> None:
        """Look at its cameras again; it must be approved again. Raises NotFound, Invalid."""
        await plan_rows.renew(self._store, plan, clean_text(actor))
        self._work_on(plan, PlanState.DRAFT)

    async def stop(self, plan: PlanId, actor: str) -> None:
        """Stop between two steps and wait until it has; what was done stays done. Raises NotFound, Invalid."""
        live = self._live.get(plan)
        if live is None or live.task is None:
            await plan_rows.move(self._store, plan, PlanEvent.STOP, clean_text(actor), finished_at=self._store.now())
            return
        if live.state is PlanState.UNDOING:
            raise Invalid("an undo is not stopped half-way; wait for it to end")
        live.stopping = True
        await asyncio.wait([live.task])

    # --- what is shown ---

    async def get(self, plan: PlanId, scope: Scope = EVERYWHERE) -> PlanView:
        """Its cameras in scope count, no others. Raises NotFound."""
        await plan_rows.expire(self._store)
        return await plan_views.load(self._store, plan, scope)

    async def recent(self, limit: int = 20, scope: Scope = EVERYWHERE) -> list[PlanView]:
        """The newest first."""
        return list((await self.listed(None, limit, scope)).items)

    async def listed(self, after: str | None, limit: int, scope: Scope = EVERYWHERE) -> Page[PlanView]:
        """The newest first. Raises Invalid."""
        await plan_rows.expire(self._store)
        return await plan_views.listed(self._store, after, limit, scope)

    async def of_camera(self, camera: str, limit: int = 1, scope: Scope = EVERYWHERE) -> list[PlanView]:
        """The newest that this camera is part of."""
        await plan_rows.expire(self._store)
        return await plan_views.newest_of(self._store, camera, limit, scope)

    async def cameras(
        self, plan: PlanId, *, from_position: int = 0, limit: int = 100, scope: Scope = EVERYWHERE
    ) -> list[PlanCameraView]:
        """Its cameras in scope with their steps and diffs, in order. Raises NotFound."""
        return await plan_views.cameras(self._store, plan, from_position=from_position, limit=limit, scope=scope)

    async def history(
        self, plan: PlanId, *, single: bool | None = None, limit: int = 500, scope: Scope = EVERYWHERE
    ) -> list[PlanEventView]:
        """What happened to it, the newest first: to single cameras, to it as a whole, or both. Raises NotFound."""
        return await plan_views.history(self._store, plan, single=single, limit=limit, scope=scope)

    async def events(self, plan: PlanId, scope: Scope = EVERYWHERE) -> AsyncGenerator[PlanView, None]:
        """The plan now, then at each change, at least the newest; ends when nothing goes on any more. NotFound."""
        changed, last = asyncio.Event(), None
        listeners = self._listeners.setdefault(plan, set())
        listeners.add(changed)
        try:
            while True:
                changed.clear()
                goes_on = plan in self._live  # asked before the look: what ends during it is looked at once more
                view = await self.get(plan, scope)
                if view != last:
                    yield (last := view)
                if not goes_on or not view.state.at_work:
                    return
                await changed.wait()
        finally:
            listeners.discard(changed)
            if not listeners:
                self._listeners.pop(plan, None)

    def _tell(self, plan: PlanId) -> None:
        for listener in self._listeners.get(plan, ()):
            listener.set()

    # --- at work ---

    async def _begin(self, plan: PlanId, event: PlanEvent, actor: str) -> None:
        state = await plan_rows.move(self._store, plan, event, clean_text(actor), finished_at=None, error=None)
        self._work_on(plan, state)

    def _work_on(self, plan: PlanId, state: PlanState) -> None:
        live = self._live[plan] = _Live(state)
        work = {
            PlanState.DRAFT: self._observe_all,
            PlanState.APPLYING: self._apply_all,
            PlanState.UNDOING: self._undo_all,
        }[state]
        live.task = asyncio.create_task(self._run(plan, live, work))

    async def _run(self, plan: PlanId, live: _Live, work: Callable[[PlanId, _Live], Coroutine[Any, Any, None]]) -> None:
        """The task's boundary. Cancelled, it leaves everything as it is written down, for the next process."""
        bind_contextvars(plan=plan)
        outlast_outages()
        try:
            await work(plan, live)
        except (FleetError, BaselineError, PlanError) as error:
            await self._end(plan, PlanEvent.FAIL, clean_text(str(error), 500))
        except Exception as error:  # noqa: BLE001 - the task's boundary
            _log.exception("a plan failed", extra={"plan": plan})
            await self._end(plan, PlanEvent.FAIL, f"a fault of ours ({type(error).__name__}); see the log")
        finally:
            if self._live.get(plan) is live:
                del self._live[plan]
            self._tell(plan)

    async def _end(self, plan: PlanId, event: PlanEvent, error: str | None = None) -> None:
        try:
            await plan_rows.move(self._store, plan, event, SERVICE, error=error, finished_at=self._store.now())
        except FleetError:
            _log.exception("the end of a plan could not be stored", extra={"plan": plan})

    async def _observe_all(self, plan: PlanId, live: _Live) -> None:
        baseline = await plan_rows.baseline_of(self._store, plan)
        work = [one for one in await plan_rows.work_of(self._store, plan) if one.plan is None]
        await self._side_by_side(live, work, lambda one: self._observe(Spot(plan, one.camera), baseline))
        if live.stopping:
            await self._end(plan, PlanEvent.STOP)
            return
        digest = await plan_rows.digest_of(self._store, plan)
        await plan_rows.move(self._store, plan, PlanEvent.OBSERVED, SERVICE, digest=digest)

    async def _observe(self, spot: Spot, baseline: Baseline) -> None:
        try:
            reached = await self._reach(spot.camera)
        except FleetError as error:
            found = unseen(Place("", 0, "http"), baseline, Gap("unauthorized", str(error)))
        else:
            found = await plan_for(reached.place, reached.open_camera, baseline)
        await plan_rows.keep_observed(self._store, spot.plan, spot.camera, found)
        self._tell(spot.plan)

    async def _apply_all(self, plan: PlanId, live: _Live) -> None:
        work = await plan_rows.work_of(self._store, plan)
        await self._side_by_side(live, work, lambda one: self._apply(live, Spot(plan, one.camera), one))
        states = {one.progress.state for one in await plan_rows.work_of(self._store, plan) if one.progress}
        if live.stopping:
            await self._end(plan, PlanEvent.STOP)
        elif live.ends_early:
            why = f"{live.failures} cameras in a row ended otherwise than planned; the others were left alone"
            await self._end(plan, PlanEvent.FAIL, why)
        elif states <= {CameraState.DONE}:
            await self._end(plan, PlanEvent.FINISH)
        else:
            await self._end(plan, PlanEvent.FAIL, "not every camera became what was wanted")

    async def _apply(self, live: _Live, spot: Spot, work: Work) -> None:
        if work.plan is None or work.progress is None:
            raise Invalid("a camera of this plan was never looked at; renew it")
        progress = work.progress
        if progress.state in {CameraState.WAITING, CameraState.APPLYING}:
            async with self._change(spot, progress, live) as (means, journal):
                if means:
                    progress = await apply_camera(work.plan, progress, means, journal)
        failed = progress.state not in {CameraState.DONE, CameraState.STOPPED}
        live.failures = live.failures + 1 if failed else 0
        if not work.proved and (progress.state is CameraState.DONE or _was_touched(progress)):
            await self._prove_camera(spot, progress.place)

    async def _undo_all(self, plan: PlanId, live: _Live) -> None:
        work = await plan_rows.work_of(self._store, plan)
        mine = [one for one in work if one.progress and _has_changed(one.progress)]
        await self._side_by_side(live, mine, lambda one: self._undo(live, Spot(plan, one.camera), one))
        after = [one.progress for one in await plan_rows.work_of(self._store, plan) if one.progress]
        left = any((one.state is CameraState.FAILED and _was_touched(one)) or _has_changed(one) for one in after)
        await self._end(plan, PlanEvent.FAIL if left else PlanEvent.BACK, "not all could be undone" if left else None)

    async def _undo(self, live: _Live, spot: Spot, work: Work) -> None:
        if work.plan is None or work.progress is None:
            return
        progress = work.progress
        async with self._change(spot, progress, live) as (means, journal):
            if means:
                progress = await undo_camera(work.plan, progress, means, journal)
        await self._prove_camera(spot, progress.place)

    @asynccontextmanager
    async def _change(self, spot: Spot, progress: Progress, live: _Live) -> AsyncIterator[tuple[Means | None, Journal]]:
        """The sole right to change the camera, and what that needs; `None` where it was given up, as the rows say."""
        journal = Journal(self._store, spot, self._tell)
        async with AsyncExitStack() as stack:
            means: Means | None = None
            try:
                # The lease first: whoever holds it may be changing the password that we would log in with.
                await self._take_lease(stack, spot)
                reached = await self._reach(spot.camera)
                means = self._means(reached, spot, live)
            except (Busy, Invalid, NotFound) as error:
                await journal.give_up(progress, str(error))
            yield means, journal

    def _means(self, reached: Reached, spot: Spot, live: _Live) -> Means:
        async def password_for(account: str) -> Any:  # noqa: ANN401 - a Secret
            return await self._password_for(spot.camera, account)

        given: PasswordFor = password_for
        return Means(reached.open_camera, given, self._patience, stopped=lambda: self._is_to_stop(live))

    def _is_to_stop(self, live: _Live) -> bool:
        """Asked between two steps: when we are closed, the next one is another process's."""
        if self._closing:
            raise asyncio.CancelledError
        return live.stopping

    async def _take_lease(self, stack: AsyncExitStack, spot: Spot) -> None:
        """Waits for other work on the camera, but not for ever. Raises Busy."""
        for tries_left in reversed(range(self._busy_patience.tries)):
            try:
                await stack.enter_async_context(leases.hold(self._store, spot.camera, f"plan:{spot.plan}"))
            except Busy:
                if not tries_left:
                    raise
                await self._busy_patience.sleep(self._busy_patience.pause_s)
            else:
                return

    async def _prove_camera(self, spot: Spot, place: Place) -> None:
        """The assessment afterwards. Its failure is told, and costs the change nothing."""
        try:
            reached = await self._reach(spot.camera)
            words = await self._prove(place, reached.credential)
        except FleetError as error:
            words = f"it could not be assessed again: {error}"
        except Exception as error:  # noqa: BLE001 - the change is done whatever becomes of its proof
            _log.exception("a proof failed", extra={"plan": spot.plan, "camera": spot.camera})
            words = f"it could not be assessed again: a fault of ours ({type(error).__name__}); see the log"
        await plan_rows.keep_proof(self._store, spot, words)

    async def _side_by_side(
        self, live: _Live, work: Sequence[Work], do: Callable[[Work], Coroutine[Any, Any, None]]
    ) -> None:
        """Some cameras at once; each of them one step after the other."""

        async def one(this: Work) -> None:
            async with self._places:
                if not live.ends_early and not self._closing:
                    await do(this)

        try:
            async with asyncio.TaskGroup() as group:
                for this in work:
                    group.create_task(one(this))
        except ExceptionGroup as several:
            # The first is why the others ended; what they were at is written down.
            raise several.exceptions[0] from several
        if self._closing:
            raise asyncio.CancelledError


def _has_changed(progress: Progress) -> bool:
    """Whether there is something to undo."""
    at_work = {CameraState.UNDOING} & {progress.state}
    return bool(at_work or {StepState.DONE, StepState.APPLYING, StepState.UNDOING} & set(progress.steps.values()))


def _was_touched(progress: Progress) -> bool:
    """Whether anything was sent that may have left a trace."""
    traces = {StepState.DONE, StepState.FAILED, StepState.UNDONE, StepState.APPLYING, StepState.UNDOING}
    return bool(traces & set(progress.steps.values()))

"""Plans: cameras are looked at, the difference is shown and approved, and then changed, one step at a time, and proved.

Everything is written down before it is sent, so that a new process goes on where an earlier one ended. Here is what
people do with plans and see of them; what is done stands in `whole` and `one_camera`, as jobs of the queue.
"""

from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.untrusted import clean_text
from fleet.errors import Invalid
from fleet.jobs.alone import running
from fleet.jobs.model import Kind
from fleet.jobs.queue import Queue
from fleet.jobs.states import JobState
from fleet.people.scope import EVERYWHERE, Scope
from fleet.plans import jobs
from fleet.plans import rows as plan_rows
from fleet.plans import views as plan_views
from fleet.plans.bells import Bells, rings
from fleet.plans.one_camera import MOST_FAILURES_IN_A_ROW, OneCamera
from fleet.plans.reach import Reach
from fleet.plans.rows import PlanId
from fleet.plans.states import PlanEvent, PlanState
from fleet.plans.views import PlanCameraView, PlanEventView, PlanView
from fleet.plans.whole import Whole
from fleet.proof import Prove
from fleet.store import Store
from fleet.views import Page
from hardening.baseline import Baseline
from hardening.model import no_password
from hardening.visit import Patience

__all__ = ["MOST_FAILURES_IN_A_ROW", "PlanCameraView", "PlanEventView", "PlanId", "PlanState", "PlanView", "Plans"]

MOST_CAMERAS = 5000
MOST_PLANS_AT_ONCE = 16


async def no_passwords(_camera: str, account: str) -> Any:  # noqa: ANN401 - it never returns
    return await no_password(account)


class Plans:
    """`async with Plans(store, reach, prove) as plans`. What an earlier process was at work on goes on.

    `password_for` gives the password of a service account of a camera, stored before it is given. `two_persons`:
    whoever made a plan does not approve it. When the service stops, a camera that is being changed may take so long as
    `closing_s` says to come to the end of its step; what comes after that is left for the next process. Whoever gives a
    `queue` runs the jobs of `kinds` and is closed before this is; otherwise they run here, and `locks` is where the
    next process sees that this one has ended.
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
        closing_s: float = 0,
        queue: Queue | None = None,
        locks: Path | None = None,
    ) -> None:
        self._store = store
        self._two_persons = two_persons
        self._queue = queue or Queue(store)
        self._is_alone = queue is None
        self._locks = locks
        self._running = AsyncExitStack()
        self._bells = Bells()
        self._whole = Whole(self._queue, self._bells)
        camera = OneCamera(
            self._queue,
            self._bells,
            reach,
            prove,
            password_for=password_for,
            patience=patience or Patience(),
            closing_s=closing_s,
        )
        whole = Kind(
            jobs.PLAN,
            self._whole.step,
            at_once=MOST_PLANS_AT_ONCE,
            most_tries=1,
            pausable=False,
            ended=self._whole.ended,
        )
        self.kinds = (
            whole,
            Kind(jobs.LOOK, camera.look, cut_short=True, at_once=cameras_at_once, most_tries=1),
            Kind(jobs.CHANGE, camera.change, changes_camera=True, at_once=cameras_at_once, most_tries=1),
        )

    async def __aenter__(self) -> Self:
        self._queue.know(self.kinds)  # also where other processes run them: orders to their jobs are told to us
        await plan_rows.expire(self._store)
        for plan, actor in (await plan_rows.at_work(self._store)).items():
            if await jobs.of_plan(self._store, plan) is None:
                await self._take_up(plan, actor)
        if self._is_alone:
            await self._running.enter_async_context(running(self._queue, self.kinds, folder=self._locks))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._running.aclose()
        self._bells.close()

    async def _take_up(self, plan: PlanId, actor: str) -> None:
        """A process that was killed may have ended its job and not told of it; one of an earlier version had none."""
        job = await jobs.newest(self._queue, plan)
        if job and job.key and job.state in {JobState.CANCELLED, JobState.FAILED}:
            await self._whole.ended(job)
        else:
            await self._queue.enqueue(jobs.whole(plan, actor))

    async def _beginning(self, connection: AsyncConnection, plan: PlanId, actor: str) -> None:
        """Written together with a plan that goes to work; who uses it rings behind it."""
        await self._queue.enqueue_in(connection, [jobs.whole(plan, actor)])

    # --- what a person does ---

    async def create(self, baseline: Baseline, cameras: Sequence[str], actor: str, scope: Scope = EVERYWHERE) -> PlanId:
        """Look at these cameras in the background and plan; changes nothing. Raises Invalid, NotFound."""
        chosen = list(dict.fromkeys(cameras))
        if not 0 < len(chosen) <= MOST_CAMERAS:
            raise Invalid(f"choose between 1 and {MOST_CAMERAS} cameras")
        plan = await plan_rows.make(self._store, baseline, chosen, clean_text(actor), self._beginning, scope=scope)
        self._queue.ring()
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
        await plan_rows.renew(self._store, plan, clean_text(actor), self._beginning)
        self._queue.ring()

    async def stop(self, plan: PlanId, actor: str) -> None:
        """Stop between two steps and wait until it has; what was done stays done. Raises NotFound, Invalid."""
        state = await plan_rows.state_of(self._store, plan)
        if not state.at_work:
            await plan_rows.move(self._store, plan, PlanEvent.STOP, clean_text(actor), finished_at=self._store.now())
            return
        if state is PlanState.UNDOING:
            raise Invalid("an undo is not stopped half-way; wait for it to end")
        with self._bells.stopping(plan):
            if job := await jobs.of_plan(self._store, plan):
                await self._queue.cancel(job, actor)
            else:
                await self._take_up(plan, actor)
            async with aclosing(self.events(plan)) as events:
                async for _ in events:
                    pass

    async def _begin(self, plan: PlanId, event: PlanEvent, actor: str) -> None:
        await plan_rows.begin(self._store, plan, event, clean_text(actor), self._beginning)
        self._queue.ring()

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
        last = None
        with self._bells.listening(plan) as changed:
            while True:
                changed.clear()
                closed = self._bells.closed
                view = await self.get(plan, scope)
                if view != last:
                    yield (last := view)
                if closed or not view.state.at_work:
                    return
                await rings(changed)

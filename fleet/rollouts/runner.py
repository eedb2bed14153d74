"""Rollouts: bundles on their way over the estate, each one job of the queue for as long as it must be looked after."""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from structlog.contextvars import bind_contextvars

from fleet import leases
from fleet.errors import Busy, FleetError, Invalid, StoreUnavailable
from fleet.jobs.alone import running
from fleet.jobs.model import Again, Asked, Done, Failed, Job, Kind, Next, Progress, PutBack, Stopped, Turn
from fleet.jobs.outcomes import MOST_LOSSES
from fleet.jobs.queue import Queue
from fleet.jobs.rows import SERVICE, holder_name
from fleet.jobs.states import JobState
from fleet.people.scope import EVERYWHERE, Scope
from fleet.reach import Connect
from fleet.rollouts import backups, bundles
from fleet.rollouts import orders as rollout_orders
from fleet.rollouts import rows as rollout_rows
from fleet.rollouts.judges import Judges
from fleet.rollouts.rows import BY_ITSELF, KIND, EventView, GroupView, RolloutId, RolloutView, TargetRow, work_of
from fleet.rollouts.steps import Journey, Pace, Work
from fleet.settings import Settings
from fleet.store import Store
from fleet.unbroken import to_the_end
from fleet.views import Page
from hardening.rollout import (
    WINDING_UP,
    Actions,
    CampaignEvent,
    CampaignState,
    Target,
    TargetEvent,
    TargetState,
    decide,
)

AT_ONCE = 32
# Nobody but a fault of ours lets it fail: tried again for about an hour.
MOST_TRIES = 10
# A shorter wait is waited for in its place of the queue, a longer one outside of it.
WAITS_HERE = timedelta(minutes=1)
LOOKS_AGAIN = timedelta(minutes=10)
_OVER = WINDING_UP | {CampaignState.DONE, CampaignState.UNDONE}
_log = logging.getLogger(__name__)


class _Live:
    """A rollout during one step of its job. `journeys` are the cameras in flight, by target id; `moved`: one landed."""

    def __init__(self, view: RolloutView, work: Work, rows: Sequence[TargetRow]) -> None:
        self.id = view.id
        self.state = view.state
        self.revision = view.revision
        self.work = work
        self.rows = {row.id: row for row in rows}
        self.journeys: dict[str, asyncio.Task[None]] = {}
        self.moved = asyncio.Event()
        self.is_cancelled = False

    def target(self, row: TargetRow) -> Target:
        """As deciding sees it: one that was just sent off to be undone is in flight, though not written down yet."""
        sent_off = row.state is TargetState.SUCCEEDED and row.id in self.journeys
        return replace(row.target, state=TargetState.UNDOING) if sent_off else row.target

    @property
    def is_idle(self) -> bool:
        """Nothing is in flight, nor has landed since it was last decided."""
        return not self.journeys and not self.moved.is_set()

    @property
    def progress(self) -> Progress:
        return Progress(sum(row.state.final for row in self.rows.values()), len(self.rows), self.state.value)


@dataclass(frozen=True, slots=True)
class _Plugs:
    connect: Connect
    judges: Judges
    pace: Pace


class Rollouts:
    """`async with Rollouts(store, settings, connect=…) as rollouts`.

    Whatever an earlier process left in flight is taken up again on entry: a camera is asked what became of it, and
    nothing is sent twice. Whichever process has the job of a rollout does this; another one only writes down orders.
    Whoever gives a `queue` runs the jobs of `kind` and is closed before this is; otherwise they run here. On exit
    nothing is cut off in the middle of an image.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        connect: Connect,
        judges: Judges | None = None,
        pace: Pace | None = None,
        queue: Queue | None = None,
    ) -> None:
        self._store = store
        self._settings = settings
        self._plugs = _Plugs(connect, judges or Judges(), pace or Pace())
        self._queue = queue or Queue(store)
        self._is_alone = queue is None
        self._running = AsyncExitStack()
        self.kind = Kind(
            KIND, self._step, at_once=AT_ONCE, most_tries=MOST_TRIES, pausable=False, ended=self._ended_without_us
        )

    async def __aenter__(self) -> Self:
        await self._take_up()
        if self._is_alone:
            folder = self._settings.home / "locks"  # where the next process sees that this one has ended
            await self._running.enter_async_context(running(self._queue, [self.kind], folder=folder))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._running.aclose()

    async def _take_up(self) -> None:
        """What must be looked after has a job: its end may not have been told of, or an older version knew no jobs."""
        known = await self._queue.unfinished(KIND)
        for rollout, made_by in (await rollout_rows.tended(self._store)).items():
            if work_of(rollout) in known:
                continue
            job = await self._queue.of_work(work_of(rollout))
            if job and (job.state is JobState.CANCELLED or _is_given_up(job)):
                await self._ended_without_us(job)
            else:
                await self._queue.enqueue(rollout_rows.job_of(rollout, made_by))

    # --- what people do ---

    async def start(self, rollout: RolloutId, actor: str) -> None:
        """Needs an approval. Raises Invalid, NotFound."""
        await rollout_orders.start(self._store, rollout, actor)
        self._queue.ring()

    async def approve(self, rollout: RolloutId, actor: str) -> None:
        """As `rollout_orders.approve`, by the settings of this service."""
        await rollout_orders.approve(self._store, rollout, actor, two_persons=self._settings.two_persons)

    async def pause(self, rollout: RolloutId, actor: str) -> None:
        await rollout_orders.pause(self._store, rollout, actor)
        self._queue.ring()

    async def resume(self, rollout: RolloutId, actor: str) -> None:
        await rollout_orders.resume(self._store, rollout, actor)
        self._queue.ring()

    async def abort(self, rollout: RolloutId, actor: str, reason: str = "") -> None:
        await rollout_orders.abort(self._store, rollout, actor, reason)
        self._queue.ring()

    async def undo(self, rollout: RolloutId, actor: str) -> None:
        await rollout_orders.undo(self._store, rollout, actor)
        self._queue.ring()

    async def retry(self, rollout: RolloutId, camera: str, actor: str) -> None:
        await rollout_orders.retry(self._store, rollout, camera, actor)
        self._queue.ring()

    # --- what people see ---

    async def get(self, rollout: RolloutId, scope: Scope = EVERYWHERE) -> RolloutView:
        """Its cameras in scope count. Raises NotFound."""
        return await rollout_rows.load(self._store, rollout, scope)

    async def recent(self, limit: int = 20, scope: Scope = EVERYWHERE) -> list[RolloutView]:
        """The newest first."""
        return list((await self.listed(None, limit, scope)).items)

    async def listed(self, after: str | None, limit: int, scope: Scope = EVERYWHERE) -> Page[RolloutView]:
        """The newest first. Raises Invalid."""
        return await rollout_rows.listed(self._store, after, limit, scope)

    async def targets(
        self, rollout: RolloutId, *, after: str = "", limit: int = 200, scope: Scope = EVERYWHERE
    ) -> list[TargetRow]:
        return await rollout_rows.targets(self._store, rollout, after=after, limit=limit, scope=scope)

    async def groups(self, rollout: RolloutId, scope: Scope = EVERYWHERE) -> tuple[GroupView, ...]:
        return await rollout_rows.groups(self._store, rollout, scope)

    async def of_camera(self, camera: str, limit: int = 1, scope: Scope = EVERYWHERE) -> list[RolloutView]:
        """The newest that this camera is part of."""
        return await rollout_rows.newest_of(self._store, camera, limit, scope)

    async def history(
        self, rollout: RolloutId, *, single: bool | None = None, limit: int = 200, scope: Scope = EVERYWHERE
    ) -> list[EventView]:
        """What happened to it, the newest first: to single cameras, to it as a whole, or both."""
        return await rollout_rows.history(self._store, rollout, single=single, limit=limit, scope=scope)

    async def events(self, rollout: RolloutId) -> AsyncGenerator[RolloutView, None]:
        """How it stands now, then each change; ends when it is over and nothing is in flight. Raises NotFound."""
        told: RolloutView | None = None
        while True:
            view = await rollout_rows.load(self._store, rollout)
            if view != told:
                told = view
                yield view
            if view.finished_at is not None:
                return
            await asyncio.sleep(self._plugs.pace.tick_s / 4)

    # --- its job ---

    async def _ended_without_us(self, job: Job) -> None:
        """Its job was cancelled while it did not run, or given up: so is the rollout, and one more job winds it up.

        Where that one is given up too, it is left to people: a rollout that ends every process must not end them all.
        """
        view = await rollout_rows.load(self._store, _rollout_of(job))
        if view.finished_at is not None:
            return
        given_up = _is_given_up(job)
        if view.state in (CampaignState.RUNNING, CampaignState.PAUSED):
            await self._abort(view.id, job, f"its job was given up: {job.reason}" if given_up else "")
        elif given_up:
            _log.error("a rollout is left as it is", extra={"rollout": view.id, "reason": job.reason})
        else:
            await self._queue.enqueue(rollout_rows.job_of(view.id, job.actor))
        self._queue.ring()

    async def _abort(self, rollout: RolloutId, job: Job, given_up: str = "") -> None:
        """As far as it can be: one that winds up already, or is being undone, comes to its end."""
        actor = BY_ITSELF if given_up else await self._canceller(job)
        try:
            reason = given_up or "its job was cancelled"
            await rollout_rows.order(self._store, rollout, CampaignEvent.ABORT, actor, reason=reason)
        except Invalid as error:
            _log.info("it comes to its end: %s", error, extra={"rollout": rollout})

    async def _canceller(self, job: Job) -> str:
        """Whoever cancelled it, as far as that is known, else whoever it was for."""
        lines = await self._queue.history(job.id)
        said = (line.actor for line in lines if line.event.endswith(Asked.CANCEL) and line.actor != SERVICE)
        return next(said, job.actor)

    async def _step(self, turn: Turn) -> Next:
        """Look, decide and act until it is over, nothing is to happen for a while, or the service stops."""
        live = await self._taken_up(turn.job)
        try:
            return await self._tend(live, turn)
        except StoreUnavailable:
            _log.exception("a rollout cannot be written down", extra={"rollout": live.id})
            return PutBack("the store could not be written")
        except Exception as error:  # noqa: BLE001 - whatever it failed of, nothing more is begun
            _log.exception("a rollout failed", extra={"rollout": live.id})
            await self._stop(live, "a fault of ours; see the log")
            return Failed(f"a fault of ours ({type(error).__name__}); see the log")
        finally:
            await _ended(list(live.journeys.values()))

    async def _taken_up(self, job: Job) -> _Live:
        """Raises NotFound, StoreUnavailable."""
        rollout = _rollout_of(job)
        view = await rollout_rows.load(self._store, rollout)
        try:
            bundle = await bundles.ready(self._store, self._settings, view.bundle)
        except FleetError as error:
            # Nothing is begun with a bundle that cannot be trusted; cameras in flight need only its manifest.
            bundle = bundles.ReadyBundle(await bundles.find(self._store, view.bundle), Path(os.devnull))
            if view.state in (CampaignState.RUNNING, CampaignState.PAUSED):
                await rollout_rows.order(self._store, rollout, CampaignEvent.STOP, BY_ITSELF, reason=str(error))
                view = await rollout_rows.load(self._store, rollout)
        work = Work(
            store=self._store,
            holder=holder_name(job.id),
            bundle=bundle,
            rules=view.rules,
            connect=self._plugs.connect,
            judges=self._plugs.judges,
            keep_backup=partial(backups.keep, self._store, self._settings),
            earlier_app=lambda app, version: bundles.earlier_app(self._store, self._settings, app, version),
            pace=self._plugs.pace,
        )
        await rollout_rows.let_go_of_landed(self._store, rollout, work.holder)
        return _Live(view, work, await rollout_rows.targets(self._store, rollout))

    async def _tend(self, live: _Live, turn: Turn) -> Next:
        told = live.progress
        while not turn.stopping.is_set():
            if turn.asked is Asked.CANCEL and not live.is_cancelled:
                await to_the_end(self._abort(live.id, turn.job))
                live.is_cancelled = True
            until = await to_the_end(self._turn_over(live))
            if live.progress != told:
                turn.say(told := live.progress)
            if until is None:
                return Stopped(live.state.value) if live.is_cancelled else Done(live.state.value)
            now = self._store.now()
            if live.is_idle and until - now > WAITS_HERE:
                return Again(min(until, now + LOOKS_AGAIN), told)
            wait_s = min(live.work.pace.tick_s, max(0.0, (until - now).total_seconds()))
            await _one_of((live.moved, turn.stopping), wait_s)
        return PutBack("the service was stopped")

    # --- carrying out ---

    async def _turn_over(self, live: _Live) -> datetime | None:
        """Look, decide, act. When something may happen by itself; `None` when it is over."""
        live.moved.clear()
        await self._look(live)
        for row in live.rows.values():
            if row.state.in_flight and row.id not in live.journeys:
                self._send_off(live, row)
        now = self._store.now()
        actions = decide(live.state, live.work.rules, [live.target(row) for row in live.rows.values()], now)
        try:
            changed = await self._carry_out(live, actions)
        except Busy:  # a person moved one of them just now: look again
            live.revision, changed = -1, True
        if live.state in _OVER and not live.journeys and not changed:
            await rollout_rows.settle(self._store, live.id)
            return None
        return now if changed else actions.wake_at or now + LOOKS_AGAIN

    async def _look(self, live: _Live) -> None:
        """What people did meanwhile, here or in another process."""
        state, revision = await rollout_rows.standing(self._store, live.id)
        if revision != live.revision:
            live.state, live.revision = state, revision
            for row in await rollout_rows.targets(self._store, live.id):
                if row.id not in live.journeys:
                    live.rows[row.id] = row

    async def _carry_out(self, live: _Live, actions: Actions) -> bool:
        """Whether anything was changed, so that it is decided anew at once."""
        if actions.event is not None:
            try:
                await rollout_rows.order(self._store, live.id, actions.event, BY_ITSELF, reason=actions.reason)
            except Invalid:
                _log.info("somebody was faster", extra={"rollout": live.id})
            return True
        if given_up := [live.rows[target] for target in actions.give_up]:
            why = "not begun before the rollout ended" if live.state in _OVER else "offline until the deadline"
            for row in await rollout_rows.move_all(self._store, given_up, TargetEvent.GIVE_UP, why):
                live.rows[row.id] = row
        if beginning := [live.rows[target] for target in actions.begin]:
            for row in await rollout_rows.move_all(self._store, beginning, TargetEvent.BEGIN):
                live.rows[row.id] = row
                self._send_off(live, row)
        for target in actions.undo:
            if target not in live.journeys:
                self._send_off(live, live.rows[target], undo=True)
        return bool(actions.give_up)

    def _send_off(self, live: _Live, row: TargetRow, *, undo: bool = False) -> None:
        live.journeys[row.id] = asyncio.create_task(self._travel(live, row, undo=undo))

    async def _travel(self, live: _Live, row: TargetRow, *, undo: bool) -> None:
        """One camera. The task's boundary: a fault of ours leaves it unknown, which counts as a failure."""
        bind_contextvars(rollout=live.id, camera=row.camera)
        journey = Journey(live.work, row)
        try:
            await journey.go(undo=undo)
        except Busy:
            await asyncio.sleep(live.work.pace.ask_every_s)
        except StoreUnavailable:
            _log.exception("a camera's step cannot be written down", extra={"target": row.id})
            await asyncio.sleep(live.work.pace.ask_every_s)
        except Exception as error:  # noqa: BLE001 - the task's boundary
            _log.exception("a camera's step failed", extra={"target": row.id})
            await self._unknown(journey, error)
        try:
            found = live.rows[row.id] = await to_the_end(rollout_rows.target(self._store, row.id))
            if journey.row.state.in_flight and not found.state.in_flight:  # landed, but not by its own steps
                await to_the_end(leases.give_back(self._store, row.camera, live.work.holder))
        finally:  # whatever is stored: whoever goes on with an older row is told that it was moved along
            live.journeys.pop(row.id, None)
            live.moved.set()

    async def _unknown(self, journey: Journey, error: Exception) -> None:
        try:
            if journey.row.state.in_flight:
                text = f"a fault of ours ({type(error).__name__}); see the log"
                await to_the_end(rollout_rows.move_all(self._store, [journey.row], TargetEvent.FAULT, text))
        except FleetError:
            _log.exception("a fault cannot be written down", extra={"target": journey.row.id})

    async def _stop(self, live: _Live, reason: str) -> None:
        try:
            await rollout_rows.order(self._store, live.id, CampaignEvent.STOP, BY_ITSELF, reason=reason)
        except FleetError:
            _log.exception("a rollout cannot be stopped", extra={"rollout": live.id})


def _rollout_of(job: Job) -> RolloutId:
    return RolloutId(job.work.removeprefix(work_of(RolloutId(""))))


def _is_given_up(job: Job) -> bool:
    """It ended too many processes."""
    return job.state is JobState.FAILED and job.losses >= MOST_LOSSES


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _one_of(events: Sequence[asyncio.Event], seconds: float) -> None:
    """Waits for one of them, and no longer than that."""
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()

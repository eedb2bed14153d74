"""Rollouts: bundles on their way over the estate, in the background, whatever happens to this process meanwhile."""

import asyncio
import fcntl
import logging
import os
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from structlog.contextvars import bind_contextvars

from fleet import leases
from fleet.errors import Busy, FleetError, Invalid, StoreUnavailable
from fleet.people.scope import EVERYWHERE, Scope
from fleet.reach import Connect
from fleet.rollouts import backups, bundles
from fleet.rollouts import orders as rollout_orders
from fleet.rollouts import rows as rollout_rows
from fleet.rollouts.judges import Judges
from fleet.rollouts.rows import EventView, GroupView, RolloutId, RolloutView, TargetRow
from fleet.rollouts.steps import Journey, Pace, Work
from fleet.settings import Settings
from fleet.store import Store
from fleet.store.outages import outlast_outages
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

_OVER = WINDING_UP | {CampaignState.DONE, CampaignState.UNDONE}
_log = logging.getLogger(__name__)


class _Live:
    """A rollout that is looked after in this process. `journeys` are the cameras in flight, by target id."""

    def __init__(self, view: RolloutView, work: Work, rows: Sequence[TargetRow]) -> None:
        self.id = view.id
        self.state = view.state
        self.revision = view.revision
        self.work = work
        self.rows = {row.id: row for row in rows}
        self.journeys: dict[str, asyncio.Task[None]] = {}
        self.poked = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def target(self, row: TargetRow) -> Target:
        """As deciding sees it: one that was just sent off to be undone is in flight, though not written down yet."""
        sent_off = row.state is TargetState.SUCCEEDED and row.id in self.journeys
        return replace(row.target, state=TargetState.UNDOING) if sent_off else row.target


@dataclass(frozen=True, slots=True)
class _Plugs:
    connect: Connect
    judges: Judges
    pace: Pace


class Rollouts:
    """`async with Rollouts(store, settings, connect=…) as rollouts`.

    Whatever an earlier process left in flight is taken up again on entry: a camera is asked what became of it, and
    nothing is sent twice. One process at a time does this; a second one waits its turn and only writes down orders.
    On exit nothing is cut off in the middle of an image.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        connect: Connect,
        judges: Judges | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._store = store
        self._settings = settings
        self._plugs = _Plugs(connect, judges or Judges(), pace or Pace())
        self._live: dict[RolloutId, _Live] = {}
        self._turn = _Turn(settings.home / "rollouts.lock")
        self._tending: asyncio.Task[None] | None = None
        self._poked = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._tending = asyncio.create_task(self._tend())
        return self

    def under_way(self) -> int:
        """How much of it this process is at work on."""
        return len(self._live)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._tending:  # first: it may be about to take one more up
            await _ended([self._tending])
        await _ended([live.task for live in self._live.values() if live.task])
        self._turn.give_back()

    def goes_on(self) -> bool:
        return self._tending is None or not self._tending.done()

    # --- what people do ---

    async def start(self, rollout: RolloutId, actor: str) -> None:
        """Needs an approval. Raises Invalid, NotFound."""
        await rollout_orders.start(self._store, rollout, actor)
        self._poke(rollout)

    async def approve(self, rollout: RolloutId, actor: str) -> None:
        """As `rollout_orders.approve`, by the settings of this service."""
        await rollout_orders.approve(self._store, rollout, actor, two_persons=self._settings.two_persons)

    async def pause(self, rollout: RolloutId, actor: str) -> None:
        await rollout_orders.pause(self._store, rollout, actor)
        self._poke(rollout)

    async def resume(self, rollout: RolloutId, actor: str) -> None:
        await rollout_orders.resume(self._store, rollout, actor)
        self._poke(rollout)

    async def abort(self, rollout: RolloutId, actor: str, reason: str = "") -> None:
        await rollout_orders.abort(self._store, rollout, actor, reason)
        self._poke(rollout)

    async def undo(self, rollout: RolloutId, actor: str) -> None:
        await rollout_orders.undo(self._store, rollout, actor)
        self._poke(rollout)

    async def retry(self, rollout: RolloutId, camera: str, actor: str) -> None:
        await rollout_orders.retry(self._store, rollout, camera, actor)
        self._poke(rollout)

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

    # --- carrying out ---

    async def _tend(self) -> None:
        """Find the rollouts that nobody looks after; ours and those that another process wrote down."""
        outlast_outages()
        while True:
            try:
                await to_the_end(self._look_around())
            except Exception:  # noqa: BLE001 - the task's boundary; tried again at the next tick
                _log.exception("rollouts cannot be looked after")
            self._poked.clear()
            await _event_or(self._poked, self._plugs.pace.tick_s)

    async def _look_around(self) -> None:
        if self._turn.take():
            for rollout in await rollout_rows.tended(self._store):
                if rollout not in self._live:
                    await self._take_up(rollout)

    async def _take_up(self, rollout: RolloutId) -> None:
        view = await rollout_rows.load(self._store, rollout)
        try:
            bundle = await bundles.ready(self._store, self._settings, view.bundle)
        except FleetError as error:
            # Nothing is begun with a bundle that cannot be trusted; cameras in flight need only its manifest.
            bundle = bundles.ReadyBundle(await bundles.find(self._store, view.bundle), Path(os.devnull))
            if view.state in (CampaignState.RUNNING, CampaignState.PAUSED):
                await rollout_rows.order(
                    self._store, rollout, CampaignEvent.STOP, rollout_rows.BY_ITSELF, reason=str(error)
                )
                view = await rollout_rows.load(self._store, rollout)
        work = Work(
            store=self._store,
            bundle=bundle,
            rules=view.rules,
            connect=self._plugs.connect,
            judges=self._plugs.judges,
            keep_backup=partial(backups.keep, self._store, self._settings),
            earlier_app=lambda app, version: bundles.earlier_app(self._store, self._settings, app, version),
            pace=self._plugs.pace,
        )
        live = _Live(view, work, await rollout_rows.targets(self._store, rollout))
        self._live[rollout] = live
        live.task = asyncio.create_task(self._run(live))

    async def _run(self, live: _Live) -> None:
        """The task's boundary: a rollout that cannot go on here is taken up anew at the next tick."""
        outlast_outages()
        try:
            while (wait_s := await to_the_end(self._turn_over(live))) is not None:
                await _event_or(live.poked, wait_s)
        except StoreUnavailable:
            _log.exception("a rollout cannot be written down", extra={"rollout": live.id})
        except Exception:  # noqa: BLE001 - the task's boundary
            _log.exception("a rollout failed", extra={"rollout": live.id})
            await self._stop(live, "a fault of ours; see the log")
        finally:
            await _ended(list(live.journeys.values()))
            self._live.pop(live.id, None)

    async def _turn_over(self, live: _Live) -> float | None:
        """Look, decide, act. How long to wait for something to happen; `None` when it is over."""
        live.poked.clear()
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
            await leases.give_back_all(self._store, f"rollout:{live.id}")
            await rollout_rows.settle(self._store, live.id)
            return None
        return 0.0 if changed else _wait_s(actions, now, live.work.pace.tick_s)

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
                await rollout_rows.order(
                    self._store, live.id, actions.event, rollout_rows.BY_ITSELF, reason=actions.reason
                )
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
        live.rows[row.id] = await to_the_end(rollout_rows.target(self._store, row.id))
        live.journeys.pop(row.id, None)
        live.poked.set()

    async def _unknown(self, journey: Journey, error: Exception) -> None:
        try:
            if journey.row.state.in_flight:
                text = f"a fault of ours ({type(error).__name__}); see the log"
                await to_the_end(rollout_rows.move_all(self._store, [journey.row], TargetEvent.FAULT, text))
        except FleetError:
            _log.exception("a fault cannot be written down", extra={"target": journey.row.id})

    async def _stop(self, live: _Live, reason: str) -> None:
        try:
            await rollout_rows.order(self._store, live.id, CampaignEvent.STOP, rollout_rows.BY_ITSELF, reason=reason)
        except FleetError:
            _log.exception("a rollout cannot be stopped", extra={"rollout": live.id})

    def _poke(self, rollout: RolloutId) -> None:
        self._poked.set()
        if live := self._live.get(rollout):
            live.poked.set()


class _Turn:
    """The right to carry out rollouts: of one process at a time, and free again the moment that process dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: int | None = None

    def take(self) -> bool:
        if self._held is not None:
            return True
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._held = descriptor
        return True

    def give_back(self) -> None:
        if self._held is not None:
            os.close(self._held)
            self._held = None


def _wait_s(actions: Actions, now: datetime, most: float) -> float:
    return most if actions.wake_at is None else min(most, max(0.0, (actions.wake_at - now).total_seconds()))


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _event_or(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return

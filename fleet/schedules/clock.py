"""The clock of the service: schedules that begin by themselves, and cameras that become due.

APScheduler owns the cadences, one job for each schedule; what each begins is in `fleet.schedules.beginnings`. When a
camera is due is a row of a table (`fleet.schedules.due`), not a job of the clock.
"""

import asyncio
import contextvars
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from apscheduler.executors.debug import DebugExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from fleet.errors import FleetError
from fleet.people.scope import EVERYWHERE, Scope
from fleet.schedules import cadences
from fleet.schedules import rows as schedule_rows
from fleet.schedules.beginnings import Beginnings
from fleet.schedules.rows import Clocked, NewSchedule, ScheduleId, ScheduleView, What
from fleet.settings import Settings
from fleet.store import Store
from fleet.store.outages import outlast_outages

TICK_S = 1.0
_log = logging.getLogger(__name__)


def wall_clock() -> datetime:
    return datetime.now(UTC)


class Schedules:
    """`async with Schedules(store, settings, beginnings) as schedules`, inside what it begins.

    On exit nothing new begins, and what is just being begun has been handed over. Changes that another process makes,
    such as the command line, are noticed within a moment.
    """

    def __init__(
        self, store: Store, settings: Settings, beginnings: Beginnings, *, now: Callable[[], datetime] = wall_clock
    ) -> None:
        self._store = store
        self._settings = settings
        self._beginnings = beginnings
        self._now = now
        # The executor calls in the loop, and what it calls only makes a task: all tasks are ours to wait for.
        self._clock = AsyncIOScheduler(timezone=UTC, executors={"default": DebugExecutor()})
        self._known: dict[ScheduleId, Clocked] = {}
        self._pulse: tuple[Any, ...] = ()
        self._one_at_a_time = asyncio.Lock()
        self._beginning: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()
        self._ticking: asyncio.Task[None] | None = None
        # What begins by itself does so on nobody's behalf, whoever has just changed when.
        self._nobody = contextvars.copy_context()

    async def __aenter__(self) -> Self:
        await schedule_rows.write_down(self._store, self._settings)
        self._clock.start()
        await self._take_over()
        self._ticking = asyncio.create_task(self._tick())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._clock.pause()
        if self._ticking:
            await self._ticking
        await asyncio.gather(*self._beginning)
        self._clock.shutdown(wait=False)
        await asyncio.sleep(0)  # it only asks the loop to do so in its next round

    def goes_on(self) -> bool:
        """Whether what is due begins."""
        return bool(self._clock.running) and self._ticking is not None and not self._ticking.done()

    # --- what people do ---

    async def listed(self, scope: Scope = EVERYWHERE) -> list[ScheduleView]:
        """By name; those of the whole estate only for whoever may see all of it."""
        known = await schedule_rows.listed(self._store, self._settings, self._now())
        return [view for view in known if scope.covers(view.site)]

    async def get(self, schedule: str) -> ScheduleView:
        """Raises NotFound."""
        wanted = await schedule_rows.find(self._store, schedule)
        return next(view for view in await self.listed() if view.id == wanted)

    async def add(self, new: NewSchedule, actor: str) -> ScheduleId:
        """Raises Invalid."""
        made = await schedule_rows.add(self._store, new, actor)
        await self._take_over()
        return made

    async def change(self, schedule: str, new: NewSchedule, actor: str) -> None:
        """Raises NotFound, Invalid."""
        await schedule_rows.change(self._store, schedule, new, actor)
        await self._take_over()

    async def switch(self, schedule: str, actor: str, *, on: bool) -> None:
        """Raises NotFound, Invalid."""
        await schedule_rows.switch(self._store, schedule, actor, on=on)
        await self._take_over()

    async def remove(self, schedule: str, actor: str) -> None:
        """Raises NotFound, Invalid."""
        await schedule_rows.remove(self._store, schedule, actor)
        await self._take_over()

    async def run(self, schedule: str, actor: str) -> str:
        """Begin it now, whether it is on or off; what came of it. Raises NotFound, FleetError."""
        view = await self.get(schedule)
        await schedule_rows.told_to_run(self._store, view.id, actor)
        async with self._one_at_a_time:
            return await self._begin(view)

    @property
    def picture_minutes(self) -> int:
        """How often pictures are looked at, 0 where only when somebody asks."""
        looks = [one.view for one in self._known.values() if one.trigger and one.view.what is What.PICTURES]
        every = [length for view in looks if (length := schedule_rows.after_every(view))]
        return int(min(every).total_seconds() // 60) if every else 0

    # --- by the clock ---

    async def _tick(self) -> None:
        """The task's boundary."""
        outlast_outages()
        while not self._closing.is_set():
            try:
                if await schedule_rows.pulse(self._store) != self._pulse:
                    await self._take_over()
                if any(one.trigger and one.view.what is What.PICTURES for one in self._known.values()):
                    await self._beginnings.ask_for_due()
            except FleetError:
                _log.exception("schedules cannot go on just now")
            except Exception:  # noqa: BLE001 - the task's boundary
                _log.exception("schedules cannot go on just now, by a fault of ours")
            try:
                await asyncio.wait_for(self._closing.wait(), TICK_S)
            except TimeoutError:
                continue

    async def _take_over(self) -> None:
        """The clock does what is stored now."""
        self._pulse = await schedule_rows.pulse(self._store)
        found = {one.view.id: one for one in await schedule_rows.all_of(self._store, self._settings, self._now())}
        for gone in [schedule for schedule, one in self._known.items() if one.key != _key(found.get(schedule))]:
            del self._known[gone]
            if self._clock.get_job(gone):
                self._clock.remove_job(gone)
        for schedule, one in found.items():
            if schedule in self._known:
                continue
            self._known[schedule] = one
            if one.view.outcome == schedule_rows.ASKED:
                self._due(one.view)
            elif one.trigger:
                await self._add(one)

    async def _add(self, one: Clocked) -> None:
        """To the clock: next when the cadence says so, at once where that was missed."""
        now, trigger = self._now(), one.trigger
        assert trigger is not None  # noqa: S101 - asked before
        is_missed = cadences.missed(trigger, one.view.due_at, now)
        following: datetime | None = now if is_missed else trigger.get_next_fire_time(None, now)
        if following is None:
            return
        self._clock.add_job(
            self._due,
            trigger,
            (one.view,),
            id=one.view.id,
            coalesce=True,
            misfire_grace_time=None,
            next_run_time=following,
        )
        if not is_missed and one.view.due_at != following:
            await schedule_rows.note(self._store, one.view.id, due_at=following)

    def _due(self, view: ScheduleView) -> None:
        work = self._by_itself(view)
        task = asyncio.get_running_loop().create_task(work, context=self._nobody.copy())
        self._beginning.add(task)
        task.add_done_callback(self._beginning.discard)

    async def _by_itself(self, view: ScheduleView) -> None:
        """The task's boundary: nothing is raised beyond it, and the next time is another try."""
        outlast_outages()
        try:
            async with self._one_at_a_time:
                await self._begin(view)
        except Exception:  # noqa: BLE001 - the task's boundary
            _log.exception("scheduled work could not be begun", extra={"schedule": view.name})

    async def _begin(self, view: ScheduleView) -> str:
        outcome = await self._beginnings.begin(view)
        now = self._now()
        known = self._known.get(view.id)
        following = known.trigger.get_next_fire_time(None, now) if known and known.trigger else None
        await schedule_rows.note(self._store, view.id, last_at=now, due_at=following, outcome=outcome)
        return outcome


def _key(one: Clocked | None) -> tuple[object, ...] | None:
    return one.key if one else None

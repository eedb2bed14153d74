"""The service keeps proving by itself: scans and accuracy watches that begin by the clock, as the settings say.

What is begun is no different from what a person begins, but for who asked: it waits, shows its progress, survives a
restart and is kept like any other. The work itself ends with `Scans` and `Accuracy`; here is only what begins it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import TracebackType
from typing import Self

from apscheduler.executors.debug import DebugExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from fleet import accuracy_rows, lookup, scan_rows
from fleet.accuracy import Accuracy, WatchId
from fleet.audit import SCHEDULE
from fleet.crontab import trigger_of
from fleet.errors import Invalid, NotFound
from fleet.scans import ScanId, Scans
from fleet.settings import Settings
from fleet.store import Store
from fleet.store.outages import outlast_outages
from hardening.windows import zone

ACTOR = SCHEDULE
# A service that was down when work was due makes up for it, once, where that is not longer ago.
GRACE = timedelta(hours=1)
_log = logging.getLogger(__name__)


class Cadence(StrEnum):
    SCAN = "scan"
    ACCURACY = "accuracy"


def triggers(settings: Settings) -> dict[Cadence, BaseTrigger]:
    """Of the cadences that are wanted. The settings have been read strictly: nothing is raised here."""
    lines = {Cadence.SCAN: settings.scan_schedule, Cadence.ACCURACY: settings.accuracy_schedule}
    return {cadence: trigger_of(line, zone(settings.schedule_zone)) for cadence, line in lines.items() if line}


class Schedule:
    """`async with Schedule(store, scans, accuracy, triggers(settings)) as schedule`, inside what it starts.

    On exit nothing new begins, and what is just being begun has been handed over.
    """

    def __init__(self, store: Store, scans: Scans, accuracy: Accuracy, when: Mapping[Cadence, BaseTrigger]) -> None:
        self._store = store
        self._scans = scans
        self._accuracy = accuracy
        self._when = when
        # The executor calls in the loop, and what it calls only makes a task: all tasks are ours to wait for.
        self._clock = AsyncIOScheduler(timezone=UTC, executors={"default": DebugExecutor()})
        self._one_at_a_time = asyncio.Lock()
        self._beginning: set[asyncio.Task[None]] = set()
        self._closing = False

    async def __aenter__(self) -> Self:
        for cadence, trigger in self._when.items():
            self._clock.add_job(
                self._due,
                trigger,
                (cadence,),
                id=cadence,
                coalesce=True,
                misfire_grace_time=int(GRACE.total_seconds()),
                next_run_time=_first(trigger, await self._begun_at(cadence)),
            )
        self._clock.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        self._clock.pause()
        await asyncio.gather(*self._beginning)
        self._clock.shutdown(wait=False)
        await asyncio.sleep(0)  # it only asks the loop to do so in its next round

    def goes_on(self) -> bool:
        return bool(self._clock.running)

    def next_due(self, cadence: Cadence) -> datetime | None:
        """`None` is never."""
        job = self._clock.get_job(cadence)
        return job.next_run_time.astimezone(UTC) if job else None

    async def scan(self) -> ScanId | None:
        """Begin to assess every stored camera again. `None` where that was left out; the log says why."""
        before = await scan_rows.newest_by(self._store, ACTOR)
        if before and not before.state.final:
            _log.warning("scheduled scan left out: the one before still goes on", extra={"scan": before.id})
            return None
        try:
            return await self._scans.start(lookup.EVERY, ACTOR, confirmed=True)
        except Invalid as error:  # no camera is stored yet, or too many scans wait
            _log.warning("scheduled scan left out", extra={"reason": str(error)})
            return None

    async def watch(self) -> tuple[WatchId, ...]:
        """Begin to watch each camera that was ever watched, the longest ago first. Empty where that was left out."""
        going = [view for view in await accuracy_rows.unfinished(self._store) if view.actor == ACTOR]
        if going:
            _log.warning("scheduled watches left out: those before still go on", extra={"watches": len(going)})
            return ()
        begun: list[WatchId] = []
        for camera in await accuracy_rows.ever_watched(self._store):
            if self._closing:
                break
            try:
                begun.append(await self._accuracy.start(camera, ACTOR))
            except NotFound:  # it was forgotten meanwhile
                continue
            except Invalid as error:  # as many as may wait; the others come first the next time
                _log.warning("scheduled watches left out", extra={"reason": str(error), "begun": len(begun)})
                break
        return tuple(begun)

    async def _begun_at(self, cadence: Cadence) -> datetime | None:
        newest: Mapping[Cadence, Callable[..., Awaitable[scan_rows.ScanView | accuracy_rows.WatchView | None]]] = {
            Cadence.SCAN: scan_rows.newest_by,
            Cadence.ACCURACY: accuracy_rows.newest_by,
        }
        view = await newest[cadence](self._store, ACTOR)
        return view.queued_at if view else None

    def _due(self, cadence: Cadence) -> None:
        task = asyncio.get_running_loop().create_task(self._begin(cadence))
        self._beginning.add(task)
        task.add_done_callback(self._beginning.discard)

    async def _begin(self, cadence: Cadence) -> None:
        """The task's boundary: nothing is raised beyond it, and the next time is another try."""
        outlast_outages()
        try:
            async with self._one_at_a_time:
                await (self.scan() if cadence is Cadence.SCAN else self.watch())
        except Exception:  # noqa: BLE001 - the task's boundary
            _log.exception("scheduled work could not be begun", extra={"cadence": cadence})


def _first(trigger: BaseTrigger, begun: datetime | None) -> datetime | None:
    """When it is due first. That is in the past where a time was missed since it was `begun` last.

    Where it never was, nothing was missed: a schedule that was just written down does not begin at once. Nor is looked
    back further than may be made up for: after a year, every minute would be half a million times to pass over.
    """
    now = datetime.now(UTC)
    since = now if begun is None else max(begun + timedelta(seconds=1), now - GRACE)
    due: datetime | None = trigger.get_next_fire_time(None, min(since, now))
    return due

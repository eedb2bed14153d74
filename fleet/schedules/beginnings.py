"""What a schedule begins. It is no different from what a person begins, but for who asked."""

import logging
from datetime import timedelta

from sqlalchemy import select

from fleet import lookup, retention
from fleet.accuracy import rows as accuracy_rows
from fleet.accuracy.runner import Accuracy
from fleet.audit.trail import SCHEDULE
from fleet.errors import Invalid, NotFound
from fleet.jobs.model import NewJob, Priority
from fleet.jobs.queue import Queue
from fleet.people.scope import Scope
from fleet.pictures.runner import Pictures
from fleet.scans import rows as scan_rows
from fleet.scans.runner import Scans
from fleet.schedules import due
from fleet.schedules.rows import ScheduleView, What, after_every
from fleet.store import Store
from fleet.store.tables import Camera

ACTOR = SCHEDULE
# A round of looks at all cameras that is no interval is over by then.
ROUND = timedelta(minutes=10)
_log = logging.getLogger(__name__)


class Beginnings:
    """One function for each `What`; it says what came of it in a few words."""

    def __init__(self, store: Store, scans: Scans, pictures: Pictures, accuracy: Accuracy, queue: Queue) -> None:
        self._store = store
        self._scans = scans
        self._pictures = pictures
        self._accuracy = accuracy
        self._queue = queue
        self._table = {
            What.SCAN: self.scan,
            What.PICTURES: self.look,
            What.ACCURACY: self.watch,
            What.RETENTION: self.forget,
        }

    async def begin(self, schedule: ScheduleView) -> str:
        """Raises FleetError."""
        return await self._table[schedule.what](schedule)

    async def ask_for_due(self) -> None:
        """Picture checks that are due by now become jobs."""
        await self._pictures.ask_for_due()

    async def scan(self, schedule: ScheduleView) -> str:
        """Assess every stored camera, or those of a site, again; unless the scan before still goes on."""
        before = await scan_rows.newest_by(self._store, ACTOR)
        if before and not before.state.final:
            _log.warning("scheduled scan left out: the one before still goes on", extra={"scan": before.id})
            return "left out: the one before still goes on"
        targets = lookup.EVERY
        if schedule.site is not None:
            targets = " ".join(await lookup.targets(self._store, Scope(frozenset({schedule.site}))))
            if not targets:
                return "left out: no camera is of this site"
        try:
            scan = await self._scans.start(targets, ACTOR, confirmed=True)
        except Invalid as error:  # no camera is stored yet, or too many scans wait
            _log.warning("scheduled scan left out", extra={"reason": str(error)})
            return f"left out: {error}"
        return f"scan {scan}"

    async def look(self, schedule: ScheduleView) -> str:
        """Every camera is due once before the next time."""
        cameras = await self._cameras(schedule.site)
        over = after_every(schedule) or ROUND
        async with self._store.write() as connection:
            await due.begin_round(connection, due.PICTURES, cameras, self._store.now(), over)
        return f"{len(cameras)} cameras within {over.total_seconds() / 60:g} min"

    async def watch(self, schedule: ScheduleView) -> str:
        """Begin to watch each camera that was ever watched, the longest ago first."""
        going = [view for view in await accuracy_rows.unfinished(self._store) if view.actor == ACTOR]
        if going:
            _log.warning("scheduled watches left out: those before still go on", extra={"watches": len(going)})
            return "left out: those before still go on"
        mine = set(await self._cameras(schedule.site)) if schedule.site is not None else None
        begun = 0
        for camera in await accuracy_rows.ever_watched(self._store):
            if mine is not None and camera not in mine:
                continue
            try:
                await self._accuracy.start(camera, ACTOR)
            except NotFound:  # it was forgotten meanwhile
                continue
            except Invalid as error:  # as many as may wait; the others come first the next time
                _log.warning("scheduled watches left out", extra={"reason": str(error), "begun": begun})
                break
            begun += 1
        return f"{begun} watches"

    async def forget(self, _schedule: ScheduleView) -> str:
        """What was kept for long enough, as a job: it may take a while."""
        job = await self._queue.enqueue(NewJob(retention.KIND, ACTOR, key=retention.KIND, priority=Priority.CLOCK))
        return f"job {job}"

    async def _cameras(self, site: str | None) -> list[str]:
        query = select(Camera.id).order_by(Camera.id)
        if site is not None:
            query = query.where(Camera.site == site)
        async with self._store.read() as connection:
            return list((await connection.scalars(query)).all())

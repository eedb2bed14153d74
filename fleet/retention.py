"""How long history is kept: whole for some days, by the hour for some more, by the day for ever.

What became of findings, and who did what, is never cut. All goes in small transactions of its own, so that no page and
no camera waits for it, and each is whole: a crash in between leaves the rest to the next time.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, delete, false, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from fleet.accuracy.card import LEARNED_FOR
from fleet.findings import texts
from fleet.jobs.model import Done, Kind, Progress, Turn
from fleet.jobs.queue import Queue
from fleet.paging import Query, how_many
from fleet.pictures import rollups as picture_rollups
from fleet.pictures.runner import Pictures
from fleet.settings import Settings
from fleet.store import Store
from fleet.store import accuracy_tables as a
from fleet.store import plans_tables as p
from fleet.store import rollouts_tables as r
from fleet.store import tables as t
from fleet.store import vault_tables as v
from fleet.store.pictures_tables import PictureCheck
from fleet.store.retention_tables import AccuracyDay, PictureRollup

KIND = "retention"
_PARTS = 3
ROWS_AT_ONCE = 500
CAMERAS_AT_ONCE = 100
LOOKED_AT_ONCE = 500  # cameras each of which may be a condition of its own
# What is more than this waits for the next day.
MOST_BATCHES = 20_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """Rows that went, or would go. `looks` became hours and `hours` days; `counts` are hours of objects counted, which
    became days.

    `visits` are those that were not the last of their day; of `dossiers` only the score is left. `events` are of work
    that ended long ago, `texts` what no finding says any more.
    """

    looks: int = 0
    hours: int = 0
    counts: int = 0
    visits: int = 0
    dossiers: int = 0
    events: int = 0
    texts: int = 0

    @property
    def total(self) -> int:
        return sum(asdict(self).values())


@dataclass(frozen=True, slots=True)
class _Until:
    """Rows older than these moments are `raw` no more, `hourly` no more, and of work that `ended` long ago."""

    raw: datetime
    hourly: datetime
    ended: datetime


def _until(store: Store, settings: Settings) -> _Until:
    """Whole hours and days only: a sum that is shown is complete."""
    now = store.now().replace(minute=0, second=0, microsecond=0)
    hourly_days = max(settings.keep_raw_days, settings.keep_hourly_days)
    return _Until(
        raw=now - timedelta(days=settings.keep_raw_days),
        hourly=now.replace(hour=0) - timedelta(days=hourly_days),
        ended=now - timedelta(days=settings.keep_job_days),
    )


async def keep(store: Store, settings: Settings) -> Kept:
    """Cut history to what the settings keep. Raises StoreUnavailable."""
    until = _until(store, settings)
    return Kept(
        looks=await _in_batches(store, lambda c: picture_rollups.roll_looks(c, until.raw, ROWS_AT_ONCE)),
        hours=await _in_batches(store, lambda c: picture_rollups.roll_hours(c, until.hourly, ROWS_AT_ONCE)),
        counts=await _by_cameras(store, lambda c, some: _roll_counts(c, some, until.hourly)),
        visits=await _by_cameras(store, lambda c, some: _forget_visits(c, some, until.raw)),
        dossiers=await _by_cameras(store, lambda c, some: _empty_dossiers(c, some, until.hourly)),
        events=sum([await _in_batches(store, _forgetting(events, until.ended)) for events in _EVENTS]),
        texts=await _in_batches(store, lambda c: texts.forget(c, ROWS_AT_ONCE)),
    )


async def would_go(store: Store, settings: Settings) -> Kept:
    """What `keep` would begin with; changes nothing. Of hours that it makes of old looks it goes on to make days.

    Of a large estate it is some seconds old.
    """
    return await store.summaries.get(("would go",), lambda: _would_go(store, settings))


async def _would_go(store: Store, settings: Settings) -> Kept:
    until = _until(store, settings)
    hours = select(PictureRollup.at).where(PictureRollup.span == "hour", PictureRollup.at < until.hourly)
    counts = visits = dossiers = 0
    async for some in _cameras(store, LOOKED_AT_ONCE):
        async with store.read() as connection:
            counts += await how_many(connection, await _old_counts(connection, some, until.hourly))
            visits += await how_many(connection, _old_visits(some, until.raw))
            left = t.StoredDossier.id.not_in(_old_visits(some, until.raw))
            dossiers += await how_many(connection, _full_dossiers(some, until.hourly).where(left))
    async with store.read() as connection:
        looks = await how_many(connection, select(PictureCheck.id).where(PictureCheck.at < until.raw))
        events = sum([await how_many(connection, _old_events(one, until.ended)) for one in _EVENTS])
        unsaid = await how_many(connection, texts.unsaid())
        return Kept(looks, await how_many(connection, hours), counts, visits, dossiers, events, unsaid)


def retention_kind(store: Store, settings: Settings, pictures: Pictures, queue: Queue) -> Kind:
    """The job that forgets what was kept for long enough: pictures, finished jobs, and history as `keep` cuts it.

    It is cut off anywhere without harm: what is left goes the next time.
    """

    async def forget(turn: Turn) -> Done:
        turn.say(Progress(0, _PARTS, "pictures"))
        seen = await pictures.prune()
        turn.say(Progress(1, _PARTS, "finished jobs"))
        jobs = await queue.prune(queue.kinds)
        turn.say(Progress(2, _PARTS, "history"))
        gone = await keep(store, settings)
        _log.info("history was cut to what is kept", extra=asdict(gone))
        return Done(f"{seen} pictures, {jobs} jobs and {gone.total} rows of history forgotten")

    return Kind(KIND, forget, at_once=1, most_tries=3, cut_short=True)


async def _in_batches(store: Store, batch: Callable[[AsyncConnection], Awaitable[int]]) -> int:
    gone = 0
    for _ in range(MOST_BATCHES):
        async with store.write() as connection:
            some = await batch(connection)
        gone += some
        if not some:
            break
        await asyncio.sleep(0)
    return gone


async def _by_cameras(store: Store, batch: Callable[[AsyncConnection, Sequence[str]], Awaitable[int]]) -> int:
    gone = 0
    async for some in _cameras(store, CAMERAS_AT_ONCE):
        gone += await _in_batches(store, lambda connection, some=some: batch(connection, some))  # type: ignore[misc] # mypy has no type for a lambda with a default
    return gone


async def _cameras(store: Store, at_once: int) -> AsyncIterator[Sequence[str]]:
    """All of them, some at a time."""
    last = ""
    while True:
        async with store.read() as connection:
            query = select(t.Camera.id).where(t.Camera.id > last).order_by(t.Camera.id).limit(at_once)
            some = (await connection.scalars(query)).all()
        if not some:
            return
        yield some
        last = some[-1]


# --- objects counted --------------------------------------------------------------------------------------------------


async def _old_counts(connection: AsyncConnection, cameras: Sequence[str], until: datetime) -> Query:
    """But for the weeks that a camera's usual counts are learned from, by the hour of the week: its drift is told from
    them for as long as nobody accepts another normal.
    """
    first = select(a.AccuracyHour.camera, func.min(a.AccuracyHour.hour)).where(a.AccuracyHour.camera.in_(cameras))
    accepted = select(a.AccuracyBaseline.camera, func.max(a.AccuracyBaseline.since))
    accepted = accepted.where(a.AccuracyBaseline.camera.in_(cameras))
    since: dict[str, datetime] = {}
    for query, of in ((first, a.AccuracyHour.camera), (accepted, a.AccuracyBaseline.camera)):
        since |= {row[0]: row[1] for row in (await connection.execute(query.group_by(of))).all()}
    hour = a.AccuracyHour.hour
    not_learning = [
        and_(a.AccuracyHour.camera == camera, or_(hour < at, hour >= at + LEARNED_FOR)) for camera, at in since.items()
    ]
    return select(a.AccuracyHour).where(hour < until, or_(false(), *not_learning)).order_by(hour)


_NAMES = ("of_camera", "of_hour", "of_picture", "of_version")
_DROP_COUNT = delete(a.AccuracyHour).where(
    a.AccuracyHour.camera == bindparam("of_camera"),
    a.AccuracyHour.hour == bindparam("of_hour"),
    a.AccuracyHour.picture == bindparam("of_picture"),
    a.AccuracyHour.version == bindparam("of_version"),
)


async def _roll_counts(connection: AsyncConnection, cameras: Sequence[str], until: datetime) -> int:
    hours = (await connection.execute((await _old_counts(connection, cameras, until)).limit(ROWS_AT_ONCE))).all()
    days: dict[tuple[Any, ...], tuple[int, float]] = {}
    for row in hours:
        key = (row.camera, row.hour.replace(hour=0), row.picture, row.version)
        count, watched_s = days.get(key, (0, 0.0))
        days[key] = (count + row._mapping["count"], watched_s + row.watched_s)  # noqa: SLF001 - a row's own `count` is a method
    gone = [dict(zip(_NAMES, (row.camera, row.hour, row.picture, row.version), strict=True)) for row in hours]
    if gone:
        await connection.execute(_DROP_COUNT, gone)
    for key, (count, watched_s) in days.items():
        await _add_to_day(connection, key, count, watched_s)
    return len(hours)


async def _add_to_day(connection: AsyncConnection, key: tuple[Any, ...], count: int, watched_s: float) -> None:
    d = AccuracyDay
    camera, day, picture, version = key
    this = (d.camera == camera, d.day == day, d.picture == picture, d.version == version)
    more = {"count": d.count + count, "watched_s": d.watched_s + watched_s}
    if not (await connection.execute(update(d).where(*this).values(more))).rowcount:
        values = {"camera": camera, "day": day, "picture": picture, "version": version}
        await connection.execute(insert(d), [{**values, "count": count, "watched_s": watched_s}])


# --- visits -----------------------------------------------------------------------------------------------------------


def _aged(cameras: Sequence[str]) -> Any:  # noqa: ANN401 - a subquery
    """Visits, numbered from the newest: among all of their camera, and among those of the same day."""
    d = t.StoredDossier
    of_all = func.row_number().over(partition_by=d.camera, order_by=d.id.desc()).label("of_all")
    of_day = func.row_number().over(partition_by=(d.camera, func.date(d.at)), order_by=d.id.desc()).label("of_day")
    return select(d.id, d.at, of_all, of_day).where(d.camera.in_(cameras)).subquery()


def _old_visits(cameras: Sequence[str], until: datetime) -> Query:
    """Neither the newest of a camera, nor the last of its day."""
    aged = _aged(cameras)
    return select(aged.c.id).where(aged.c.at < until, aged.c.of_all > 1, aged.c.of_day > 1)


def _full_dossiers(cameras: Sequence[str], until: datetime) -> Query:
    """Whose evidence is kept, though they are old and not the newest of their camera."""
    newest = select(t.Camera.last_dossier).where(t.Camera.id.in_(cameras))
    d = t.StoredDossier
    return select(d.id).where(d.camera.in_(cameras), d.at < until, func.length(d.body) > 0, d.id.not_in(newest))


async def _forget_visits(connection: AsyncConnection, cameras: Sequence[str], until: datetime) -> int:
    old = (await connection.scalars(_old_visits(cameras, until).limit(ROWS_AT_ONCE))).all()
    await connection.execute(delete(t.StoredDossier).where(t.StoredDossier.id.in_(old)))
    return len(old)


async def _empty_dossiers(connection: AsyncConnection, cameras: Sequence[str], until: datetime) -> int:
    """The score of that day stays."""
    full = (await connection.scalars(_full_dossiers(cameras, until).limit(ROWS_AT_ONCE))).all()
    await connection.execute(update(t.StoredDossier).where(t.StoredDossier.id.in_(full)).values(body=b""))
    return len(full)


# --- work that ended --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Events:
    """Rows of `table` that go, and the column that names their work; `ended` are the works that ended before."""

    table: Any
    work: Any
    ended: Callable[[datetime], Query]
    also: ColumnElement[bool] | None = None


def _ended_rotations(until: datetime) -> Query:
    """A rotation has no end of its own: each of its cameras has one."""
    going = select(v.CameraRotation.rotation).where(
        or_(v.CameraRotation.changed_at >= until, v.CameraRotation.state.not_in(("current", "undone")))
    )
    return select(v.Rotation.id).where(v.Rotation.started_at < until, v.Rotation.id.not_in(going))


_EVENTS = (
    _Events(p.PlanEvent, p.PlanEvent.plan, lambda until: select(p.Plan.id).where(p.Plan.finished_at < until)),
    _Events(
        r.RolloutEvent, r.RolloutEvent.rollout, lambda until: select(r.Rollout.id).where(r.Rollout.finished_at < until)
    ),
    _Events(v.RotationEvent, v.RotationEvent.rotation, _ended_rotations),
    _Events(
        t.ScanNotEvaluated,
        t.ScanNotEvaluated.scan,
        lambda until: select(t.Scan.id).where(t.Scan.finished_at < until),
        also=t.ScanNotEvaluated.current.is_(False),
    ),
)


def _old_events(events: _Events, until: datetime) -> Query:
    query = select(events.table.id).where(events.work.in_(events.ended(until)))
    return query if events.also is None else query.where(events.also)


def _forgetting(events: _Events, until: datetime) -> Callable[[AsyncConnection], Awaitable[int]]:
    async def forget(connection: AsyncConnection) -> int:
        old = (await connection.scalars(_old_events(events, until).limit(ROWS_AT_ONCE))).all()
        await connection.execute(delete(events.table).where(events.table.id.in_(old)))
        return len(old)

    return forget

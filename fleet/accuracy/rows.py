"""Accuracy as it is stored: watches, hourly counts, labels, baselines and golden results."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from fleet.errors import NotFound
from fleet.store import Store
from fleet.store import accuracy_tables as t
from fleet.store.ids import new_id
from fleet.store.tables import Camera
from fleet.store.upserts import upsert

WatchId = NewType("WatchId", str)
_MOST_ROWS = 20_000


class WatchState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"

    @property
    def final(self) -> bool:
        return self not in {WatchState.QUEUED, WatchState.RUNNING}


@dataclass(frozen=True, slots=True)
class WatchView:
    """One watch. The sums are nothing until it is done; `error` is `None` unless it failed."""

    id: WatchId
    camera: str
    state: WatchState
    actor: str
    seconds: int
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    starts: int
    version: str | None
    condition: str | None
    picture: str
    frames: int
    unreadable: int
    lost: int
    counted: int
    pictures: int
    reference: str | None
    reference_seen: int
    agreed: int
    claimed: int
    error: str | None


@dataclass(frozen=True, slots=True)
class Hour:
    """Objects counted in (a part of) one hour."""

    hour: datetime
    picture: str
    version: str
    count: int
    watched_s: float


@dataclass(frozen=True, slots=True)
class Label:
    """A person's word on one picture."""

    at: datetime
    condition: str
    version: str
    hits: int
    false: int
    missed: int
    actor: str


@dataclass(frozen=True, slots=True)
class Baseline:
    since: datetime
    version: str | None
    actor: str


@dataclass(frozen=True, slots=True)
class Golden:
    at: datetime
    version: str | None
    digest: str
    ok: bool
    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class History:
    """All that is stored of one camera, oldest first."""

    watches: tuple[WatchView, ...]
    hours: tuple[Hour, ...]
    labels: tuple[Label, ...]
    baseline: Baseline | None
    golden: Golden | None


async def need_camera(store: Store, camera: str) -> None:
    """Raises NotFound."""
    async with store.read() as connection:
        if (await connection.execute(select(Camera.id).where(Camera.id == camera))).first() is None:
            raise NotFound("there is no such camera")


async def save(store: Store, view: WatchView) -> None:
    async with store.write() as connection:
        await save_in(connection, view)


async def save_result(store: Store, view: WatchView, hour: Hour) -> None:
    """The end of a watch and what it counted: both or neither."""
    async with store.write() as connection:
        await save_in(connection, view)
        values = {"camera": view.camera, **asdict(hour)}
        added = upsert(t.AccuracyHour).values(values)
        more = {
            "count": t.AccuracyHour.count + added.excluded.count,
            "watched_s": t.AccuracyHour.watched_s + added.excluded.watched_s,
        }
        await connection.execute(
            added.on_conflict_do_update(index_elements=["camera", "hour", "picture", "version"], set_=more)
        )


async def save_in(connection: AsyncConnection, view: WatchView) -> None:
    """Inside a transaction."""
    values = asdict(view)
    changed = await connection.execute(update(t.AccuracyWatch).where(t.AccuracyWatch.id == view.id).values(values))
    if not changed.rowcount:
        await connection.execute(insert(t.AccuracyWatch), [values])


async def load(store: Store, watch: WatchId) -> WatchView:
    """Raises NotFound."""
    async with store.read() as connection:
        row = (await connection.execute(select(t.AccuracyWatch).where(t.AccuracyWatch.id == watch))).first()
    if row is None:
        raise NotFound("there is no such watch")
    return _view(row)


async def newest(store: Store, camera: str | None, limit: int) -> list[WatchView]:
    wanted = select(t.AccuracyWatch).order_by(t.AccuracyWatch.id.desc()).limit(limit)
    if camera is not None:
        wanted = wanted.where(t.AccuracyWatch.camera == camera)
    async with store.read() as connection:
        return [_view(row) for row in (await connection.execute(wanted)).all()]


async def newest_by(store: Store, actor: str) -> WatchView | None:
    """The newest that `actor` began, if ever."""
    wanted = select(t.AccuracyWatch).where(t.AccuracyWatch.actor == actor).order_by(t.AccuracyWatch.id.desc()).limit(1)
    async with store.read() as connection:
        row = (await connection.execute(wanted)).first()
    return _view(row) if row else None


async def ever_watched(store: Store) -> list[str]:
    """The cameras, by their newest watch: the one that was left alone for longest comes first."""
    wanted = select(t.AccuracyWatch.camera).group_by(t.AccuracyWatch.camera).order_by(func.max(t.AccuracyWatch.id))
    async with store.read() as connection:
        return list((await connection.scalars(wanted)).all())


async def unfinished(store: Store) -> list[WatchView]:
    going = t.AccuracyWatch.state.in_([state.value for state in WatchState if not state.final])
    async with store.read() as connection:
        found = await connection.execute(select(t.AccuracyWatch).where(going).order_by(t.AccuracyWatch.id))
        return [_view(row) for row in found.all()]


async def add_labels(store: Store, camera: str, labels: Sequence[Label]) -> None:
    rows = [{"id": new_id(), "camera": camera, "labelled_at": store.now(), **asdict(label)} for label in labels]
    if rows:
        async with store.write() as connection:
            await connection.execute(insert(t.AccuracyLabel), rows)


async def add_baseline(store: Store, camera: str, baseline: Baseline) -> None:
    async with store.write() as connection:
        await connection.execute(insert(t.AccuracyBaseline), [{"id": new_id(), "camera": camera, **asdict(baseline)}])


async def add_golden(store: Store, camera: str, golden: Golden) -> None:
    async with store.write() as connection:
        await connection.execute(insert(t.AccuracyGolden), [{"id": new_id(), "camera": camera, **asdict(golden)}])


async def history(store: Store, camera: str) -> History:
    """One consistent picture of all of it. Raises NotFound."""
    await need_camera(store, camera)
    async with store.read() as connection:
        watches = await _rows(connection, t.AccuracyWatch, camera)
        hours = await _rows(connection, t.AccuracyHour, camera)
        labels = await _rows(connection, t.AccuracyLabel, camera)
        baselines = await _rows(connection, t.AccuracyBaseline, camera, 1)
        goldens = await _rows(connection, t.AccuracyGolden, camera, 1)
    return History(
        watches=tuple(_view(row) for row in watches),
        hours=tuple(Hour(row.hour, row.picture, row.version, row.count, row.watched_s) for row in hours),
        labels=tuple(
            Label(row.at, row.condition, row.version, row.hits, row.false, row.missed, row.actor) for row in labels
        ),
        baseline=next((Baseline(row.since, row.version, row.actor) for row in baselines), None),
        golden=next((Golden(row.at, row.version, row.digest, row.ok, row.result) for row in goldens), None),
    )


async def _rows(connection: AsyncConnection, table: Any, camera: str, most: int = _MOST_ROWS) -> list[Any]:  # noqa: ANN401
    """The newest, oldest first."""
    key = table.hour if table is t.AccuracyHour else table.id
    found = await connection.execute(select(table).where(table.camera == camera).order_by(key.desc()).limit(most))
    return list(reversed(found.all()))


def _view(row: Row[*tuple[Any, ...]]) -> WatchView:
    values = row._asdict()
    return WatchView(**{**values, "id": WatchId(values["id"]), "state": WatchState(values["state"])})

"""Looks at pictures added up, by the hour and then by the day: what is left of them for good. The sums are pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from fleet.store import Store
from fleet.store.pictures_tables import PictureCheck
from fleet.store.retention_tables import PictureRollup
from health.conditions import Condition

# From the worst: a fault that was seen says more than a look that could not tell.
WORST_FIRST = ("failed", "degraded", "unknown", "ok")
_AT_ONCE = 100


class Span(StrEnum):
    HOUR = "hour"
    DAY = "day"


LENGTHS: Mapping[Span, timedelta] = {Span.HOUR: timedelta(hours=1), Span.DAY: timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class Rollup:
    """Looks at one camera in one light, during the hour or the day that begins at `at`.

    `worst` is the worst verdict, `picture` what was seen then, while it is kept; `faults` counts looks by fault.
    """

    camera: str
    span: Span
    at: datetime
    condition: str
    ok: int
    degraded: int
    failed: int
    unknown: int
    worst: str
    faults: Mapping[str, int]
    picture: str | None
    rated: int
    rate_sum: float
    longest_gap_s: float | None

    @property
    def looks(self) -> int:
        return self.ok + self.degraded + self.failed + self.unknown

    @property
    def frame_rate(self) -> float | None:
        """The mean of what was measured."""
        return self.rate_sum / self.rated if self.rated else None


Key = tuple[str, Span, datetime, str]


def begins(at: datetime, span: Span) -> datetime:
    hour = at.replace(minute=0, second=0, microsecond=0)
    return hour if span is Span.HOUR else hour.replace(hour=0)


def of_look(row: Any) -> Rollup:  # noqa: ANN401 - a row of PictureCheck
    """One look as the sum of itself."""
    counts = Counter([row.verdict])
    rate = row.stream.get("frame_rate")
    return Rollup(
        camera=row.camera,
        span=Span.HOUR,
        at=begins(row.at, Span.HOUR),
        condition=row.condition or "",
        ok=counts["ok"],
        degraded=counts["degraded"],
        failed=counts["failed"],
        unknown=1 - counts["ok"] - counts["degraded"] - counts["failed"],
        worst=row.verdict if row.verdict in WORST_FIRST else "unknown",
        faults=dict.fromkeys(row.faults, 1),
        picture=row.picture,
        rated=int(rate is not None),
        rate_sum=rate or 0.0,
        longest_gap_s=row.stream.get("longest_gap_s"),
    )


def added(one: Rollup, other: Rollup) -> Rollup:
    """Both, under the name of the first."""
    worse = min(one, other, key=lambda part: WORST_FIRST.index(part.worst))
    better = other if worse is one else one
    gaps = [part.longest_gap_s for part in (one, other) if part.longest_gap_s is not None]
    return Rollup(
        camera=one.camera,
        span=one.span,
        at=one.at,
        condition=one.condition,
        ok=one.ok + other.ok,
        degraded=one.degraded + other.degraded,
        failed=one.failed + other.failed,
        unknown=one.unknown + other.unknown,
        worst=worse.worst,
        faults=dict(Counter(one.faults) + Counter(other.faults)),
        picture=worse.picture or (better.picture if better.worst == worse.worst else None),
        rated=one.rated + other.rated,
        rate_sum=one.rate_sum + other.rate_sum,
        longest_gap_s=max(gaps, default=None),
    )


def summed(parts: Iterable[Rollup], span: Span) -> dict[Key, Rollup]:
    sums: dict[Key, Rollup] = {}
    for part in parts:
        whole = Rollup(**{**_fields(part), "span": span, "at": begins(part.at, span)})
        key = (whole.camera, span, whole.at, whole.condition)
        sums[key] = added(sums[key], whole) if key in sums else whole
    return sums


def _fields(part: Rollup) -> dict[str, Any]:
    return {name: getattr(part, name) for name in Rollup.__dataclass_fields__}


# --- rows -------------------------------------------------------------------------------------------------------------


async def roll_looks(connection: AsyncConnection, until: datetime, most: int) -> int:
    """The oldest looks before `until` become hours; how many. Both in the caller's transaction."""
    looks = select(PictureCheck).where(PictureCheck.at < until).order_by(PictureCheck.at).limit(most)
    rows = (await connection.execute(looks)).all()
    if rows:
        await _add(connection, summed(map(of_look, rows), Span.HOUR))
        await connection.execute(delete(PictureCheck).where(PictureCheck.id.in_([row.id for row in rows])))
    return len(rows)


async def roll_hours(connection: AsyncConnection, until: datetime, most: int) -> int:
    """The oldest hours before `until` become days; how many."""
    old = (PictureRollup.span == Span.HOUR.value, PictureRollup.at < until)
    rows = (await connection.execute(select(PictureRollup).where(*old).order_by(PictureRollup.at).limit(most))).all()
    hours = [_rollup(row) for row in rows]
    if hours:
        await _add(connection, summed(hours, Span.DAY))
        await _drop(connection, [(one.camera, one.span, one.at, one.condition) for one in hours])
    return len(hours)


async def _add(connection: AsyncConnection, sums: dict[Key, Rollup]) -> None:
    """To what is there of the same hour or day already."""
    there = await _there(connection, list(sums))
    changed = [_named(key) | _values(added(old, sums[key])) for key, old in there.items()]
    made = [_values(one) for key, one in sums.items() if key not in there]
    if changed:
        await connection.execute(_CHANGE, changed)
    if made:
        await connection.execute(insert(PictureRollup), made)


async def _there(connection: AsyncConnection, keys: Sequence[Key]) -> dict[Key, Rollup]:
    """Found by the key's own index: some cameras at a time, over all of the time that is asked for."""
    found: dict[Key, Rollup] = {}
    wanted, moments = set(keys), [at for _, _, at, _ in keys]
    p = PictureRollup
    for some in _batches(sorted({camera for camera, *_ in keys})):
        near = (p.camera.in_(some), p.span == keys[0][1].value, p.at.between(min(moments), max(moments)))
        for row in (await connection.execute(select(p).where(*near))).all():
            one = _rollup(row)
            key = (one.camera, one.span, one.at, one.condition)
            if key in wanted:
                found[key] = one
    return found


_THIS = (
    PictureRollup.camera == bindparam("of_camera"),
    PictureRollup.span == bindparam("of_span"),
    PictureRollup.at == bindparam("of_at"),
    PictureRollup.condition == bindparam("of_condition"),
)
_CHANGE = update(PictureRollup).where(*_THIS)
_DROP = delete(PictureRollup).where(*_THIS)


def _named(key: Key) -> dict[str, Any]:
    camera, span, at, condition = key
    return {"of_camera": camera, "of_span": span.value, "of_at": at, "of_condition": condition}


async def _drop(connection: AsyncConnection, keys: Sequence[Key]) -> None:
    await connection.execute(_DROP, [_named(key) for key in keys])


def _batches(cameras: Sequence[str]) -> list[Sequence[str]]:
    return [cameras[start : start + _AT_ONCE] for start in range(0, len(cameras), _AT_ONCE)]


def _values(one: Rollup) -> dict[str, Any]:
    return {**asdict(one), "span": one.span.value, "faults": dict(one.faults)}


def _rollup(row: Any) -> Rollup:  # noqa: ANN401 - a row of PictureRollup
    return Rollup(**{**row._asdict(), "span": Span(row.span)})


# --- read -------------------------------------------------------------------------------------------------------------


async def of_camera(store: Store, camera: str, limit: int, before: datetime | None = None) -> tuple[Rollup, ...]:
    """The newest first."""
    mine = select(PictureRollup).where(PictureRollup.camera == camera)
    if before is not None:
        mine = mine.where(PictureRollup.at < before)
    async with store.read() as connection:
        rows = (await connection.execute(mine.order_by(PictureRollup.at.desc()).limit(limit))).all()
    return tuple(_rollup(row) for row in rows)


async def good_hours(
    connection: AsyncConnection, camera: str, since: datetime, limit: int
) -> list[tuple[datetime, Condition]]:
    """The middle of each hour in which this camera looked good, and the light of it."""
    good = (
        PictureRollup.camera == camera,
        PictureRollup.span == Span.HOUR.value,
        PictureRollup.at >= since,
        PictureRollup.ok > 0,
    )
    query = select(PictureRollup.at, PictureRollup.condition, PictureRollup.ok).where(*good)
    rows = (await connection.execute(query.order_by(PictureRollup.at.desc()).limit(limit))).all()
    middle = LENGTHS[Span.HOUR] / 2
    return [(at + middle, Condition(light)) for at, light, ok in rows if light for _ in range(min(ok, 60))]

"""Scans as they are stored, and as they are shown."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

from sqlalchemy import ColumnElement, Row, Select, delete, insert, not_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.untrusted import clean_text
from fleet import sites
from fleet.audit.trail import Entry, record
from fleet.errors import NotFound
from fleet.people.scope import EVERYWHERE, Scope
from fleet.store import Store
from fleet.store import grants_tables as g
from fleet.store import tables as t
from fleet.store.ids import new_id
from scanners.identify import NotEvaluated

ScanId = NewType("ScanId", str)
_SILENCE_KEPT_FOR_SCANS = 20


class ScanState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    STOPPED = "stopped"

    @property
    def final(self) -> bool:
        return self not in {ScanState.QUEUED, ScanState.RUNNING}


@dataclass(frozen=True, slots=True)
class ScanView:
    """One scan. `targets` is what was typed; `phase` is "", "sweep" or "assess"; `error` is `None` unless it failed.

    `looks_only` says that no login was sent to any camera.
    """

    id: ScanId
    state: ScanState
    targets: str
    actor: str
    default_credentials: bool
    looks_only: bool
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    phase: str
    done: int
    total: int
    cameras: int
    failed_verdicts: int
    not_evaluated: int
    error: str | None


_IS_UNFINISHED = t.Scan.state.in_([state.value for state in ScanState if not state.final])


async def add(connection: AsyncConnection, view: ScanView, sites: Iterable[str | None], entry: Entry) -> None:
    """A new one, with the sites of its addresses and what the audit trail says to it."""
    rows = [{"scan": view.id, "site": site or ""} for site in set(sites)]
    await connection.execute(insert(t.Scan), [asdict(view)])
    if rows:
        await connection.execute(insert(g.ScanSite), rows)
    await record(connection, entry)


async def save(store: Store, view: ScanView, entry: Entry | None = None) -> None:
    """Insert or update its row, with what the audit trail says to it."""
    values = asdict(view)
    async with store.write() as connection:
        changed = await connection.execute(update(t.Scan).where(t.Scan.id == view.id).values(values))
        if not changed.rowcount:
            await connection.execute(insert(t.Scan), [values])
        if entry:
            await record(connection, entry)


async def load(store: Store, scan: ScanId) -> ScanView:
    """Raises NotFound."""
    async with store.read() as connection:
        row = (await connection.execute(select(t.Scan).where(t.Scan.id == scan))).first()
    if row is None:
        raise NotFound("there is no such scan")
    return view_of(row)


async def newest_by(store: Store, actor: str) -> ScanView | None:
    """The newest that `actor` began, if ever."""
    wanted = select(t.Scan).where(t.Scan.actor == actor).order_by(t.Scan.id.desc()).limit(1)
    async with store.read() as connection:
        row = (await connection.execute(wanted)).first()
    return view_of(row) if row else None


async def newest_within(connection: AsyncConnection, limit: int, scope: Scope = EVERYWHERE) -> list[ScanView]:
    wanted = seen(scope).order_by(t.Scan.id.desc()).limit(limit)
    return [view_of(row) for row in (await connection.execute(wanted)).all()]


def seen(scope: Scope) -> Select[*tuple[Any, ...]]:
    """The scans that somebody with that scope may see, as rows for `view_of`."""
    return select(t.Scan).where(_is_seen(scope))


def _is_seen(scope: Scope) -> ColumnElement[bool]:
    """Whole or not at all: where every address that it looked at is in scope, and it is known where it looked."""
    if scope.everywhere:
        return true()
    looked_at = select(g.ScanSite.scan)
    return t.Scan.id.in_(looked_at) & t.Scan.id.not_in(looked_at.where(not_(scope.at(g.ScanSite.site))))


async def unfinished(store: Store) -> list[ScanView]:
    """The oldest first."""
    async with store.read() as connection:
        rows = (await connection.execute(select(t.Scan).where(_IS_UNFINISHED).order_by(t.Scan.id))).all()
    return [view_of(row) for row in rows]


async def places(store: Store, scan: ScanId) -> frozenset[str | None]:
    """The sites of its addresses as they were when it was asked for; `None` is no site, or not known."""
    async with store.read() as connection:
        found = (await connection.scalars(select(g.ScanSite.site).where(g.ScanSite.scan == scan))).all()
    return frozenset(site or None for site in found)


def blank(view: ScanView) -> ScanView:
    """As it was before it began."""
    found = replace(view, done=0, total=0, cameras=0, failed_verdicts=0, not_evaluated=0)
    return replace(found, state=ScanState.QUEUED, started_at=None, phase="")


async def put_back(store: Store, view: ScanView) -> ScanView:
    """It waits to begin, unless another process has brought it to its end meanwhile."""
    waiting = blank(view)
    async with store.write() as connection:
        mine = update(t.Scan).where(t.Scan.id == view.id, _IS_UNFINISHED)
        await connection.execute(mine.values(asdict(waiting)))
    return waiting


async def keep_silent(store: Store, scan: ScanId, silent: Sequence[NotEvaluated], heard: Iterable[str]) -> None:
    """Addresses of which this scan learned nothing, and those it heard of: what older scans said is over."""
    now = store.now()
    rows: list[dict[str, Any]] = [
        {"id": new_id(), "scan": scan, "at": now, "current": True}
        | {"address": clean_text(one.address), "reason": clean_text(one.reason), "detail": clean_text(one.detail, 500)}
        for one in silent
    ]
    earlier = (t.ScanNotEvaluated.current.is_(True), t.ScanNotEvaluated.scan != scan)
    here = t.ScanNotEvaluated.address.in_({*heard, *(row["address"] for row in rows)})
    async with store.write() as connection:
        await connection.execute(update(t.ScanNotEvaluated).where(*earlier, here).values(current=False))
        if rows:
            known = await sites.stored(connection)
            placed = [{**row, "site": sites.name_at(row["address"], known)} for row in rows]
            await connection.execute(insert(t.ScanNotEvaluated), placed)


async def forget_silence(store: Store) -> None:
    """Drop what old scans did not learn, where newer ones did."""
    oldest_kept = (
        select(t.Scan.id).order_by(t.Scan.id.desc()).offset(_SILENCE_KEPT_FOR_SCANS).limit(1).scalar_subquery()
    )
    stale = (t.ScanNotEvaluated.current.is_(False), t.ScanNotEvaluated.scan <= oldest_kept)
    async with store.write() as connection:
        await connection.execute(delete(t.ScanNotEvaluated).where(*stale))


def view_of(row: Row[*tuple[Any, ...]]) -> ScanView:
    values = row._asdict()
    return ScanView(**{**values, "id": ScanId(values["id"]), "state": ScanState(values["state"])})

"""What people read of the audit trail: the newest first, page by page, and all that befell one object."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

from fleet.audit.chain import Row
from fleet.audit.trail import Entry
from fleet.errors import Invalid
from fleet.paging import AnyRow, number, read_page
from fleet.store import Store
from fleet.store.audit_tables import AuditRow
from fleet.views import Page

MOST_HISTORY = 50
_MOST_SEQ_DIGITS = 18
_AT_ONCE = 1000
_COLUMNS = tuple(getattr(AuditRow, name) for name in Row.__slots__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries; an empty field asks for nothing. `action` may be a noun alone ("vault")."""

    actor: str = ""
    action: str = ""
    about: str = ""
    since: datetime | None = None


async def entries(store: Store, wanted: Wanted, *, after: str | None = None, limit: int = 50) -> Page[Row]:
    """The newest first; `after` is the number of the last one of the page before. Raises Invalid."""
    query = _chosen(wanted)
    total = await number(store, ("audit", wanted), query)
    async with store.read() as connection:
        if after is not None:
            query = query.where(AuditRow.seq < _seq(after))
        rows, more = await read_page(connection, query.order_by(AuditRow.seq.desc()), limit)
    found = tuple(row_of(row) for row in rows)
    return Page(found, str(found[-1].seq) if more and found else None, total)


async def history(store: Store, *about: str, limit: int = MOST_HISTORY) -> tuple[Row, ...]:
    """What was done about these objects ("camera:<id>"), the newest first."""
    query = select(*_COLUMNS).where(AuditRow.about.in_(about)).order_by(AuditRow.seq.desc()).limit(limit)
    async with store.read() as connection:
        return tuple(row_of(row) for row in (await connection.execute(query)).all())


async def is_told_since(connection: AsyncConnection, entry: Entry, since: datetime) -> bool:
    """Whether the same was told since then: of this object, or from this source where it is about nobody known."""
    same = AuditRow.about == entry.about if entry.about else AuditRow.source == entry.source
    told = select(AuditRow.seq).where(AuditRow.action == entry.action.value, AuditRow.at > since, same)
    return (await connection.execute(told.limit(1))).first() is not None


async def trail(store: Store, *, to: int | None = None) -> AsyncIterator[tuple[Row, ...]]:
    """All of it in order, some at a time: nobody waits for us to write, and the memory is bounded."""
    last: int | None = None
    while True:
        query = select(*_COLUMNS).order_by(AuditRow.seq).limit(_AT_ONCE)
        query = query if last is None else query.where(AuditRow.seq > last)
        query = query if to is None else query.where(AuditRow.seq <= to)
        async with store.read() as connection:
            rows = tuple(row_of(row) for row in (await connection.execute(query)).all())
        if not rows:
            return
        yield rows
        last = rows[-1].seq


async def one_entry(store: Store, seq: int) -> Row | None:
    async with store.read() as connection:
        row = (await connection.execute(select(*_COLUMNS).where(AuditRow.seq == seq))).first()
    return row_of(row) if row else None


def row_of(row: AnyRow) -> Row:
    return Row(*(getattr(row, name) for name in Row.__slots__))


def _chosen(wanted: Wanted) -> Select[*tuple[object, ...]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.actor:
        conditions.append(AuditRow.actor == wanted.actor)
    if wanted.action:
        conditions.append(_one_or_all(AuditRow.action, wanted.action, "."))
    if wanted.about:
        conditions.append(_one_or_all(AuditRow.about, wanted.about, ":"))
    if wanted.since:
        conditions.append(AuditRow.at >= wanted.since)
    return select(*_COLUMNS).where(*conditions)


def _one_or_all(column: InstrumentedAttribute[str], wanted: str, mark: str) -> ColumnElement[bool]:
    """A whole word, which an index finds, or a noun alone and all that begins with it."""
    whole = column == wanted
    return whole if mark in wanted else or_(whole, column.startswith(f"{wanted}{mark}", autoescape=True))


def _seq(after: str) -> int:
    if not (after.isascii() and after.isdigit() and len(after) <= _MOST_SEQ_DIGITS):
        raise Invalid("this page does not exist: start again at the first one")
    return int(after)

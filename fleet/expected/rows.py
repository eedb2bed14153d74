"""What is expected beside what is known: imported, compared, listed, forgotten; and the names that lists give."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.untrusted import clean_text
from fleet import paging, sites
from fleet.audit.trail import Action, Entry, record
from fleet.camera_words import WORDS
from fleet.errors import Invalid
from fleet.expected.lines import Line, Listed, Mistake, Wanted
from fleet.people.scope import EVERYWHERE, Scope
from fleet.scans.adoption import AnyRow, Who, is_another, search_words, usable_serial
from fleet.standing import AT_HOME
from fleet.store import Store
from fleet.store.expected_tables import ExpectedCamera as Row
from fleet.store.ids import new_id
from fleet.store.parts import parts
from fleet.store.tables import Camera
from fleet.views import Page

MOST_EXPECTED = 20_000
_NOT_YOURS = "its address belongs to none of your sites"


class Known(StrEnum):
    """How an expected camera stands beside what visits found.

    `found`: a camera answers there, and nothing says that it is another one. `other`: another unit answers there.
    `elsewhere`: its serial number or MAC is known at another address. `missing`: no visit has seen it.
    """

    FOUND = "found"
    OTHER = "other"
    ELSEWHERE = "elsewhere"
    MISSING = "missing"


# Of a scan: where `NOT_FOUND` are expected.
EXPECTED = "@expected"
NOT_FOUND = (Known.MISSING, Known.ELSEWHERE, Known.OTHER)


@dataclass(frozen=True, slots=True)
class Compared:
    """`camera` is the id of the stored camera that it is beside, `detail` why it is not simply found or missing."""

    known: Known
    camera: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class ImportedLine:
    """What would become, or has become, of one line."""

    line: int
    place: str
    name: str | None
    known: Known
    camera: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class Import:
    """`kept` says whether it was done: a trial keeps nothing, nor does a list with mistakes unless the rest was wanted.

    `named` are stored cameras that had no name and have that of the list now (or would have). `unit` is what the
    numbers of lines count: lines of a file, or devices of another system.
    """

    kept: bool
    lines: tuple[ImportedLine, ...]
    mistakes: tuple[Mistake, ...]
    ignored: tuple[str, ...]
    named: int
    unit: str

    @property
    def otherwise(self) -> tuple[ImportedLine, ...]:
        """Lines of cameras that are known, and not as the list says."""
        return tuple(line for line in self.lines if line.detail)

    def number(self, known: Known) -> int:
        return sum(line.known is known for line in self.lines)


@dataclass(frozen=True, slots=True)
class ExpectedRow:
    """An expected camera beside what is known now. `said_site` is what the list called its site."""

    place: str
    address: str
    port: int | None
    name: str | None
    said_site: str | None
    site: str | None
    serial: str | None
    mac: str | None
    vendor: str | None
    model: str | None
    source: str
    imported_by: str
    imported_at: datetime
    known: Known
    camera: str | None
    detail: str


# --- compared ---------------------------------------------------------------------------------------------------------


def _who(wanted: Wanted | AnyRow) -> Who:
    macs = frozenset({wanted.mac} if wanted.mac else ())
    serial = wanted.serial if usable_serial(wanted.serial) else None
    return Who("", wanted.mac, wanted.address, wanted.port or 0, macs, serial)


@dataclass(frozen=True, slots=True)
class _Cameras:
    """The stored cameras that are at one of some addresses, or have one of some numbers."""

    there: Mapping[str, Sequence[AnyRow]]
    by_number: Mapping[str, AnyRow]

    def beside(self, wanted: Wanted | AnyRow) -> Compared:
        who = _who(wanted)
        here = [row for row in self.there.get(wanted.address, ()) if wanted.port in (None, row.port)]
        same = [row for row in here if not is_another(row, who)]
        if same:
            return Compared(Known.FOUND, max(same, key=lambda row: row.last_seen).id, "")
        numbers = ((wanted.serial or "").casefold(), wanted.mac or "")
        known = next((self.by_number[number] for number in numbers if number in self.by_number), None)
        if here:
            newest = max(here, key=lambda row: row.last_seen)
            return Compared(Known.OTHER, newest.id, f"there is {_unit(newest)}")
        if known is not None:
            return Compared(Known.ELSEWHERE, known.id, f"it was seen last at {known.address}:{known.port}")
        return Compared(Known.MISSING, None, "")


def _unit(row: AnyRow) -> str:
    number = (row.serial and f"serial {row.serial}") or (row.mac and f"MAC {row.mac}") or "a camera without a number"
    return f"{row.model or row.manufacturer or 'a camera'} with {number}"


async def _cameras(connection: AsyncConnection, wanted: Sequence[Wanted | AnyRow], scope: Scope) -> _Cameras:
    c = Camera
    columns = select(c.id, c.name, c.address, c.port, c.manufacturer, c.model, c.serial, c.mac, c.last_seen)
    columns = columns.where(scope.at(c.site))
    there: dict[str, list[AnyRow]] = defaultdict(list)
    by_number: dict[str, AnyRow] = {}
    for some in parts({one.address for one in wanted}):
        for row in (await connection.execute(columns.where(c.address.in_(some), AT_HOME))).all():
            there[row.address].append(row)
    for some in parts({one.serial for one in wanted if one.serial}):
        same = {spelling for serial in some for spelling in (serial, serial.upper(), serial.lower())}
        for row in (await connection.execute(columns.where(c.serial.in_(same)))).all():
            by_number[row.serial.casefold()] = row
    for some in parts({one.mac for one in wanted if one.mac}):
        for row in (await connection.execute(columns.where(c.mac.in_(some)))).all():
            by_number[row.mac] = row
    return _Cameras(there, by_number)


# --- imported ---------------------------------------------------------------------------------------------------------


async def bring_in(
    store: Store,
    read: Listed,
    actor: str,
    *,
    source: str,
    trial: bool = False,
    partial: bool = False,
    scope: Scope = EVERYWHERE,
) -> Import:
    """Expect these cameras from now on; a place that was expected before is as this list says.

    Nothing is kept of a `trial`, nor of a list with mistakes unless `partial` wants the rest. What is out of scope is a
    mistake. Raises Invalid where more cameras would be expected than we look after.
    """
    async with store.read() as connection:
        before = await sites.stored(connection)
    places = await asyncio.to_thread(_sites_of, read.lines, before)
    async with store.write() as connection:
        if (here := await sites.stored(connection)) != before:
            places = _sites_of(read.lines, here)
        lines = [line for line in read.lines if scope.covers(places[line.number])]
        strange = [Mistake(line.number, _NOT_YOURS) for line in read.lines if not scope.covers(places[line.number])]
        mistakes = sorted((*read.mistakes, *strange), key=lambda one: one.line)
        known = await _cameras(connection, [line.wanted for line in lines], scope)
        compared = [(line, known.beside(line.wanted)) for line in lines]
        kept = not trial and bool(lines) and (partial or not mistakes)
        nameless = await _nameless(connection, compared)
        if kept:
            told = {"source": clean_text(source), "imported_by": clean_text(actor), "imported_at": store.now()}
            await _keep(connection, lines, places, told)
            await _name(connection, nameless)
            said = {"source": clean_text(source), "cameras": len(lines), "mistakes": len(mistakes)}
            await record(connection, Entry(actor, Action.EXPECTED_IMPORT, detail=said))
    return Import(kept, tuple(_told(*one) for one in compared), tuple(mistakes), read.ignored, len(nameless), read.unit)


def _sites_of(lines: Sequence[Line], here: Sequence[sites.Site]) -> dict[int, str | None]:
    """By the numbers of the lines. Takes its time for many lines and many networks."""
    return {line.number: sites.name_at(line.wanted.address, here) for line in lines}


def _told(line: Line, compared: Compared) -> ImportedLine:
    wanted = line.wanted
    return ImportedLine(line.number, wanted.place, wanted.name, compared.known, compared.camera, compared.detail)


async def _keep(
    connection: AsyncConnection, lines: Sequence[Line], places: Mapping[int, str | None], told: Mapping[str, Any]
) -> None:
    by_place = {line.wanted.place: line for line in lines}
    for some in parts(by_place):
        await connection.execute(delete(Row).where(Row.place.in_(some)))
    there = await connection.scalar(select(func.count()).select_from(Row)) or 0
    if there + len(by_place) > MOST_EXPECTED:
        raise Invalid(f"{there:,} cameras are expected already, and {MOST_EXPECTED:,} is the most: forget some first")
    rows = [
        {"id": new_id(), "place": place, "site": places[line.number], **_columns(line.wanted), **told}
        for place, line in by_place.items()
    ]
    await connection.execute(insert(Row), rows)


def _columns(wanted: Wanted) -> dict[str, Any]:
    same = ("address", "port", "name", "serial", "mac", "vendor", "model")
    return {**{name: getattr(wanted, name) for name in same}, "said_site": wanted.site}


# --- names ------------------------------------------------------------------------------------------------------------


async def name_for(connection: AsyncConnection, who: Who) -> str | None:
    """What a list calls the camera at this place; `None` where none does, or means another unit."""
    query = select(Row.name, Row.serial, Row.mac, Row.port).where(Row.address == who.address, Row.name.is_not(None))
    rows = (await connection.execute(query.where(or_(Row.port.is_(None), Row.port == who.port)))).all()
    fitting = [row for row in rows if not is_another(row, who)]
    return max(fitting, key=lambda row: row.port or 0).name if fitting else None


async def _nameless(connection: AsyncConnection, compared: Iterable[tuple[Line, Compared]]) -> dict[str, str]:
    """New names by cameras that are found, and have none, or the one that the list before gave them."""
    named = {
        beside.camera: line.wanted
        for line, beside in compared
        if beside.known is Known.FOUND and beside.camera and line.wanted.name
    }
    before: dict[str, str | None] = {}
    for some in parts(wanted.place for wanted in named.values()):
        rows = (await connection.execute(select(Row.place, Row.name).where(Row.place.in_(some)))).all()
        before |= {row.place: row.name for row in rows}
    found: dict[str, str] = {}
    for some in parts(named):
        query = select(Camera.id, Camera.name).where(Camera.id.in_(some))
        for row in (await connection.execute(query)).all():
            wanted = named[row.id]
            if wanted.name and row.name != wanted.name and row.name in (None, before.get(wanted.place)):
                found[row.id] = wanted.name
    return found


async def _name(connection: AsyncConnection, names: Mapping[str, str]) -> None:
    for some in parts(names):
        rows = (await connection.execute(select(Camera).where(Camera.id.in_(some)))).all()
        number = await WORDS.next_number(connection)
        changes = [
            {"camera": row.id, "called": names[row.id], "words": _words(names[row.id], row), "number": number}
            for row in rows
        ]
        named = update(Camera).where(Camera.id == bindparam("camera"))
        values: dict[str, Any] = {
            "name": bindparam("called"),
            "search": bindparam("words"),
            "worded": bindparam("number"),
        }
        await connection.execute(named.values(values), changes)


def _words(name: str, row: AnyRow) -> str:
    return search_words(name, row.address, row.manufacturer, row.model, row.serial, row.mac)


# --- listed -----------------------------------------------------------------------------------------------------------


async def expected(
    store: Store,
    *,
    known: Collection[Known] = NOT_FOUND,
    after: str | None = None,
    limit: int = 50,
    scope: Scope = EVERYWHERE,
) -> Page[ExpectedRow]:
    """By their places; without `known`, what is expected and was not found. Raises Invalid for a strange cursor."""
    rows = [row for row in await _everyone(store, scope) if row.known in known]
    return paging.of_all(rows, lambda row: row.place, after, limit)


async def numbers(store: Store, scope: Scope = EVERYWHERE) -> Mapping[Known, int]:
    rows = await _everyone(store, scope)
    return {known: sum(row.known is known for row in rows) for known in Known}


async def targets(store: Store, scope: Scope) -> list[str]:
    """Where those are expected that were not found, as a scan takes it."""
    return [row.place for row in await _everyone(store, scope) if row.known is not Known.FOUND]


async def _everyone(store: Store, scope: Scope) -> list[ExpectedRow]:
    async with store.read() as connection:
        rows = (await connection.execute(select(Row).where(scope.at(Row.site)).order_by(Row.place))).all()
        cameras = await _cameras(connection, rows, scope)
    return [_row(row, cameras.beside(row)) for row in rows]


def _row(row: AnyRow, beside: Compared) -> ExpectedRow:
    own = ("place", "address", "port", "name", "said_site", "site", "serial", "mac", "vendor", "model")
    when = ("source", "imported_by", "imported_at")
    said = {name: getattr(row, name) for name in (*own, *when)}
    return ExpectedRow(**said, known=beside.known, camera=beside.camera, detail=beside.detail)


async def forget(store: Store, places: Collection[str], actor: str, scope: Scope = EVERYWHERE) -> int:
    """These are expected no more; how many were. What is out of scope, or was not expected, is left alone."""
    gone = 0
    async with store.write() as connection:
        for some in parts(places):
            mine = delete(Row).where(Row.place.in_(some), scope.at(Row.site))
            gone += (await connection.execute(mine)).rowcount
        if gone:
            await record(connection, Entry(actor, Action.EXPECTED_FORGET, detail={"cameras": gone}))
    return gone

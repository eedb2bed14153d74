"""One question over everything that is stored: a few answers of each kind, the most exact first.

The words are looked for as the lists look for them, so that "all of these" on a list shows the same.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.untrusted import clean_text
from fleet.camera_words import mentioning
from fleet.findings import texts
from fleet.paging import words
from fleet.people.scope import EVERYWHERE, Scope
from fleet.store import Store
from fleet.store import plans_tables as p
from fleet.store import rollouts_tables as r
from fleet.store import tables as t
from fleet.store.sites_tables import Site

MOST_OF_A_KIND = 8
MOST_CHARACTERS = 200


class Kind(StrEnum):
    CAMERA = "camera"
    FINDING = "finding"
    SITE = "site"
    PERSON = "person"
    PLAN = "plan"
    ROLLOUT = "rollout"
    SCAN = "scan"


@dataclass(frozen=True, slots=True)
class Hit:
    """`title` is what it is called, `detail` what tells it from others of that name."""

    kind: Kind
    id: str
    title: str
    detail: str


@dataclass(frozen=True, slots=True)
class Found:
    """`hits` of each kind, the most exact first. `more` names the kinds that have others besides."""

    text: str
    hits: tuple[Hit, ...]
    more: tuple[Kind, ...]


async def search(
    store: Store, text: str, scope: Scope = EVERYWHERE, limit: int = MOST_OF_A_KIND, *, people: bool = False
) -> Found:
    """Every word must be there. Only what belongs to cameras in `scope`; `people` for whoever may read who there is."""
    asked = clean_text(text.strip(), MOST_CHARACTERS)
    if not words(asked):
        return Found(asked, (), ())
    most = max(1, min(limit, MOST_OF_A_KIND))
    hits: list[Hit] = []
    more: list[Kind] = []
    async with store.read() as connection:
        for kind, look in _LOOKS.items():
            if kind is Kind.PERSON and not people:
                continue
            found = await look(connection, asked, scope, most + 1)
            hits += found[:most]
            more += [kind] if len(found) > most else []
    return Found(asked, tuple(hits), tuple(more))


Look = Callable[[AsyncConnection, str, Scope, int], Awaitable[list[Hit]]]


async def _cameras(connection: AsyncConnection, text: str, scope: Scope, most: int) -> list[Hit]:
    """Who has exactly that name, address, serial number or MAC is meant, and an index finds them; then all that hold
    the words, the lowest score first, as the list has them.
    """
    c = t.Camera
    exact = select(c).where(or_(c.address == text, c.mac == text.lower(), c.serial == text, c.name == text))
    every = select(c).where(*await mentioning(connection, words(text))).order_by(c.score, c.id)
    rows: dict[str, Any] = {}
    for query in (exact.order_by(c.id), every):
        found = await connection.execute(query.where(scope.of(c.id)).limit(most))
        rows = rows | {row.id: row for row in found.all() if row.id not in rows}
    return [
        Hit(
            Kind.CAMERA,
            row.id,
            row.name or f"{row.address}:{row.port}",
            _line(row.address, row.manufacturer, row.model, row.serial, row.mac, row.site),
        )
        for row in list(rows.values())[:most]
    ]


async def _findings(connection: AsyncConnection, text: str, scope: Scope, most: int) -> list[Hit]:
    """By what was found: those of a camera are on the camera's page."""
    f, c = t.Finding, t.Camera
    here = [f.state == "open", scope.at(f.site)]
    said = await texts.narrowed(connection, here, words(text), of_cameras=False)
    query = select(f, c.address, c.name).join(c, c.id == f.camera).where(*said)
    rows = await connection.execute(query.order_by(f.severity.desc(), f.id.desc()).limit(most))
    return [
        Hit(Kind.FINDING, row.id, row.summary, _line(row.name or row.address, row.severity, row.state))
        for row in rows.all()
    ]


async def _sites(connection: AsyncConnection, text: str, scope: Scope, most: int) -> list[Hit]:
    query = select(Site.name, Site.note).where(*(Site.name.icontains(word, autoescape=True) for word in words(text)))
    query = query if scope.everywhere else query.where(scope.at(Site.name))
    rows = await connection.execute(query.order_by(Site.name).limit(most))
    return [Hit(Kind.SITE, row.name, row.name, row.note) for row in rows.all()]


async def _people(connection: AsyncConnection, text: str, _scope: Scope, most: int) -> list[Hit]:
    p = t.Person
    query = select(p.id, p.name, p.disabled_at).where(
        *(p.name.icontains(word, autoescape=True) for word in words(text))
    )
    rows = await connection.execute(query.order_by(p.name_key).limit(most))
    return [Hit(Kind.PERSON, row.id, row.name, "disabled" if row.disabled_at else "") for row in rows.all()]


async def _plans(connection: AsyncConnection, text: str, scope: Scope, most: int) -> list[Hit]:
    name = p.Plan.baseline["name"].as_string()
    said = (name, p.Plan.actor, p.Plan.state, p.Plan.id)
    here = p.Plan.id.in_(select(p.PlanCamera.plan).where(scope.of(p.PlanCamera.camera)))
    query = select(p.Plan.id, p.Plan.actor, p.Plan.state, name.label("name")).where(*_mention(text, said))
    query = query if scope.everywhere else query.where(here)
    rows = await connection.execute(query.order_by(p.Plan.id.desc()).limit(most))
    return [Hit(Kind.PLAN, row.id, row.name or "plan", _line(row.state, f"by {row.actor}")) for row in rows.all()]


async def _rollouts(connection: AsyncConnection, text: str, scope: Scope, most: int) -> list[Hit]:
    o = r.Rollout
    here = o.id.in_(select(r.RolloutTarget.rollout).where(scope.of(r.RolloutTarget.camera)))
    query = select(o).where(*_mention(text, (o.name, o.created_by, o.state, o.id)))
    query = query if scope.everywhere else query.where(here)
    rows = await connection.execute(query.order_by(o.id.desc()).limit(most))
    return [Hit(Kind.ROLLOUT, row.id, row.name, _line(row.state, f"by {row.created_by}")) for row in rows.all()]


async def _scans(connection: AsyncConnection, text: str, scope: Scope, most: int) -> list[Hit]:
    """Scans look at networks, which belong to nobody."""
    if not scope.everywhere:
        return []
    s = t.Scan
    query = select(s).where(*_mention(text, (s.targets, s.actor, s.state, s.id))).order_by(s.id.desc()).limit(most)
    rows = (await connection.execute(query)).all()
    return [Hit(Kind.SCAN, row.id, clean_text(row.targets, 80), _line(row.state, f"by {row.actor}")) for row in rows]


_LOOKS: Mapping[Kind, Look] = MappingProxyType(
    {
        Kind.CAMERA: _cameras,
        Kind.SITE: _sites,
        Kind.PERSON: _people,
        Kind.FINDING: _findings,
        Kind.PLAN: _plans,
        Kind.ROLLOUT: _rollouts,
        Kind.SCAN: _scans,
    }
)


def _mention(text: str, columns: tuple[Any, ...]) -> list[ColumnElement[bool]]:
    """Each word in one of the columns."""
    return [or_(*(column.icontains(word, autoescape=True) for column in columns)) for word in words(text)]


def _line(*parts: object) -> str:
    return " · ".join(str(part) for part in parts if part)

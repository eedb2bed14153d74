"""Which stored camera a person means: `@` and its name, address, serial number, MAC address or id."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import or_, select

from fleet.errors import Invalid, NotFound
from fleet.people.scope import EVERYWHERE, Scope
from fleet.standing import AT_HOME, COUNTED, Standing
from fleet.store import Store
from fleet.store import tables as t

EVERY = "@all"
_USUAL_PORTS = (80, 443)
_MOST_DIGITS = 5  # of a port; a longer number would not even fit into the question


async def cameras(store: Store, words: Sequence[str], scope: Scope = EVERYWHERE) -> tuple[str, ...]:
    """Ids in the order of the words, each once; `@all` is every camera. Raises NotFound, Invalid (ambiguous)."""
    found: dict[str, None] = {}
    for word in words:
        name = word.removeprefix("@")
        found |= dict.fromkeys(await _all(store, scope) if name == "all" else [await camera(store, name, scope)])
    return tuple(found)


async def camera(store: Store, name: str, scope: Scope = EVERYWHERE) -> str:
    """The id of the one camera that is meant. An address means the one that is there now, where one is known to be."""
    wanted = name.removeprefix("@")
    address, _, port = wanted.rpartition(":")
    told = [t.Camera.id == wanted, t.Camera.serial == wanted, t.Camera.name == wanted, t.Camera.mac == wanted.lower()]
    at_it = t.Camera.address == wanted
    if address and port.isdecimal() and len(port) <= _MOST_DIGITS:
        at_it = at_it | ((t.Camera.address == address) & (t.Camera.port == int(port)))
    now, ever = or_(*told, at_it & AT_HOME), or_(*told, at_it)
    async with store.read() as connection:
        for meant in (now, ever):
            query = select(t.Camera.id).where(meant, scope.at(t.Camera.site)).limit(2)
            if rows := (await connection.execute(query)).scalars().all():
                break
    if not rows:
        raise NotFound("the store knows no such camera; scan it first, or look for its name in the console")
    if len(rows) > 1:
        raise Invalid("several cameras answer to that; add the port")
    return str(rows[0])


async def targets(store: Store, scope: Scope = EVERYWHERE) -> list[str]:
    """Every stored camera in scope that is not ignored, as a scan takes it: by its address, with its port where that
    alone would not find it.
    """
    wanted = select(t.Camera.address, t.Camera.port, t.Camera.scheme, t.Camera.site, t.Camera.standing)
    first = (t.Camera.address, t.Camera.port, t.Camera.displaced_at.is_not(None))
    async with store.read() as connection:
        rows = (await connection.execute(wanted.order_by(*first))).all()
    # Where another camera took the place of one, that is the one that is there.
    every = list({(row.address, row.port): row for row in reversed(rows)}.values())[::-1]
    rows = [row for row in every if scope.covers(row.site) and row.standing != Standing.IGNORED]
    there = Counter(row.address for row in every)
    return [row.address if there[row.address] == 1 and row.port in _USUAL_PORTS else _url(*row[:3]) for row in rows]


def _url(address: str, port: int, scheme: str) -> str:
    host = f"[{address.replace('%', '%25')}]" if ":" in address else address
    return f"{scheme}://{host}:{port}/"


async def _all(store: Store, scope: Scope) -> list[str]:
    wanted = select(t.Camera.id).where(COUNTED, scope.at(t.Camera.site)).order_by(t.Camera.address, t.Camera.port)
    async with store.read() as connection:
        return list((await connection.execute(wanted)).scalars())

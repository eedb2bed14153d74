"""Which stored camera a person means: `@` and its name, address, serial number, MAC address or id."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import or_, select

from fleet.errors import Invalid, NotFound
from fleet.people.scope import EVERYWHERE, Scope
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
    """The id of the one camera that is meant."""
    wanted = name.removeprefix("@")
    address, _, port = wanted.rpartition(":")
    spots = [t.Camera.id == wanted, t.Camera.address == wanted, t.Camera.serial == wanted, t.Camera.name == wanted]
    spots.append(t.Camera.mac == wanted.lower())
    if address and port.isdecimal() and len(port) <= _MOST_DIGITS:
        spots.append((t.Camera.address == address) & (t.Camera.port == int(port)))
    async with store.read() as connection:
        meant = select(t.Camera.id).where(or_(*spots), scope.at(t.Camera.site)).limit(2)
        rows = (await connection.execute(meant)).scalars().all()
    if not rows:
        raise NotFound("the store knows no such camera; scan it first, or look for its name in the console")
    if len(rows) > 1:
        raise Invalid("several cameras answer to that; add the port")
    return str(rows[0])


async def targets(store: Store, scope: Scope = EVERYWHERE) -> list[str]:
    """Every stored camera in scope as a scan takes it: by its address, and its port where that would not find it."""
    wanted = select(t.Camera.address, t.Camera.port, t.Camera.scheme, t.Camera.site)
    async with store.read() as connection:
        every = (await connection.execute(wanted.order_by(t.Camera.address, t.Camera.port))).all()
    rows = [row for row in every if scope.covers(row.site)]
    there = Counter(row.address for row in every)
    return [row.address if there[row.address] == 1 and row.port in _USUAL_PORTS else _url(*row[:3]) for row in rows]


def _url(address: str, port: int, scheme: str) -> str:
    host = f"[{address.replace('%', '%25')}]" if ":" in address else address
    return f"{scheme}://{host}:{port}/"


async def _all(store: Store, scope: Scope) -> list[str]:
    wanted = select(t.Camera.id).where(scope.at(t.Camera.site)).order_by(t.Camera.address, t.Camera.port)
    async with store.read() as connection:
        return list((await connection.execute(wanted)).scalars())

"""Where somebody may do something: the sites that a read or an order is held to, as a value that is handed down.

A camera without a site belongs to the nameless site "", which only everywhere covers. Everything that lists, counts or
starts work takes a `Scope`; what is outside it does not exist. The command line is on the machine of the database, and
so everywhere.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, not_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

from fleet.errors import NotFound
from fleet.store import Store
from fleet.store.tables import Camera

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Scope:
    """`sites` by their names; `None` is everywhere, cameras of no site included."""

    sites: frozenset[str] | None

    @property
    def everywhere(self) -> bool:
        return self.sites is None

    @property
    def nowhere(self) -> bool:
        return self.sites is not None and not self.sites

    def covers(self, site: str | None) -> bool:
        """`None` and "" are no site."""
        return self.sites is None or (bool(site) and site in self.sites)

    def __or__(self, other: "Scope") -> "Scope":
        return EVERYWHERE if self.sites is None or other.sites is None else Scope(self.sites | other.sites)

    def __and__(self, other: "Scope") -> "Scope":
        if self.sites is None:
            return other
        return self if other.sites is None else Scope(self.sites & other.sites)

    def at(self, site: InstrumentedAttribute[str | None]) -> ColumnElement[bool]:
        """The condition on a column that holds the name of a site."""
        return true() if self.sites is None else site.in_(sorted(self.sites))

    def of(self, camera: InstrumentedAttribute[str] | InstrumentedAttribute[str | None]) -> ColumnElement[bool]:
        """The condition on a column that holds the id of a camera."""
        return true() if self.sites is None else camera.in_(select(Camera.id).where(self.at(Camera.site)))


EVERYWHERE = Scope(None)
NOWHERE = Scope(frozenset())
# Instead of a reason that may name or count cameras that are out of scope.
IN_PARTS = "the reason is shown to whoever may see all of its cameras"


async def within(store: Store, scope: Scope, cameras: Sequence[str]) -> None:
    """Raises NotFound where one of these cameras is not stored, or not in scope: which of both is never said."""
    async with store.read() as connection:
        refuse_strange(cameras, await those_within(connection, scope, cameras))


async def those_within(connection: AsyncConnection, scope: Scope, cameras: Sequence[str]) -> frozenset[str]:
    """Those of these cameras that are stored and in scope."""
    found: set[str] = set()
    for begin in range(0, len(cameras), _AT_ONCE):
        some = (Camera.id.in_(cameras[begin : begin + _AT_ONCE]), scope.at(Camera.site))
        found |= set(await connection.scalars(select(Camera.id).where(*some)))
    return frozenset(found)


async def holds_all(
    connection: AsyncConnection, scope: Scope, camera: InstrumentedAttribute[str], of_work: ColumnElement[bool]
) -> bool:
    """Is every camera of some work in scope? What is said of the work as a whole may speak of the others."""
    if scope.everywhere:
        return True
    others = select(camera).where(of_work, not_(scope.of(camera))).limit(1)
    return (await connection.execute(others)).first() is None


def refuse_strange(cameras: Iterable[str], found: frozenset[str]) -> None:
    if any(camera not in found for camera in cameras):
        raise NotFound("one of these cameras is not known (any more)")

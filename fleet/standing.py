"""Whether a device that was found is looked after: somebody decides, and may decide again.

    (found) ─► adopted       looked after: scanned with its login, changed by plans
            ─► quarantined   looked at from outside and told of, but never sent a login and never changed
            ─► ignored       as in quarantine, and left out of lists and counts: it is somebody else's

Until somebody has decided, a device is treated like an adopted one.
"""

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

from fleet.audit.trail import Action, Entry, record
from fleet.errors import Invalid
from fleet.people.scope import EVERYWHERE, Scope, refuse_strange
from fleet.store import Store
from fleet.store.parts import parts
from fleet.store.tables import Camera


class Standing(StrEnum):
    ADOPTED = "adopted"
    QUARANTINED = "quarantined"
    IGNORED = "ignored"


# In a filter: nobody has decided yet.
NEW = "new"
_CLOSED = (Standing.QUARANTINED.value, Standing.IGNORED.value)
_IGNORED = select(Camera.id).where(Camera.standing == Standing.IGNORED.value)
# The condition on a camera's row: it is listed and counted.
COUNTED: ColumnElement[bool] = Camera.standing.is_distinct_from(Standing.IGNORED.value)
# The condition on a camera's row: no other unit was found where it was seen last (`fleet.scans.swaps`).
AT_HOME: ColumnElement[bool] = Camera.displaced_at.is_(None)


def of_counted(camera: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """The condition on a column that holds the id of a camera."""
    return camera.not_in(_IGNORED)


def is_(wanted: str) -> ColumnElement[bool]:
    """The condition of a filter: a standing, or `NEW`."""
    return Camera.standing.is_(None) if wanted == NEW else Camera.standing == wanted


async def decide(store: Store, decisions: Mapping[str, Standing], actor: str, scope: Scope = EVERYWHERE) -> int:
    """What becomes of these cameras, by their ids; how many have another standing now. Raises NotFound."""
    changed = 0
    async with store.write() as connection:
        before = await _before(connection, list(decisions), scope)
        refuse_strange(decisions, frozenset(before))
        for standing in Standing:
            wanted = [camera for camera, decision in decisions.items() if decision is standing]
            those = [camera for camera in wanted if before[camera] != standing]
            for some in parts(those):
                await connection.execute(update(Camera).where(Camera.id.in_(some)).values(standing=standing.value))
            for camera in those:
                said = {"was": before[camera], "is": standing.value}
                await record(connection, Entry(actor, Action.CAMERA_DECIDE, f"camera:{camera}", said))
            changed += len(those)
    return changed


async def _before(connection: AsyncConnection, cameras: list[str], scope: Scope) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for some in parts(cameras):
        here = select(Camera.id, Camera.standing).where(Camera.id.in_(some), scope.at(Camera.site))
        found |= {row.id: row.standing for row in (await connection.execute(here)).all()}
    return found


async def of_vendor(store: Store, vendor: str, scope: Scope = EVERYWHERE) -> list[str]:
    """The ids of the devices of a manufacturer ("" where it is unknown) on which nobody has decided yet."""
    made = Camera.vendor == vendor.casefold() if vendor else Camera.vendor.is_(None)
    query = select(Camera.id).where(Camera.standing.is_(None), made, scope.at(Camera.site)).order_by(Camera.id)
    async with store.read() as connection:
        return list((await connection.scalars(query)).all())


async def counts(store: Store, scope: Scope = EVERYWHERE) -> Mapping[str, int]:
    """How many devices have each standing; `NEW` are those on which nobody has decided."""
    query = select(Camera.standing, func.count()).where(scope.at(Camera.site)).group_by(Camera.standing)
    async with store.read() as connection:
        rows = (await connection.execute(query)).all()
    return Counter({standing or NEW: count for standing, count in rows})


async def kept_counts(store: Store, scope: Scope = EVERYWHERE) -> Mapping[str, int]:
    """`counts` for a page that only shows them: in a large estate some seconds old."""
    return await store.summaries.get(("standings", scope), lambda: counts(store, scope))


async def without_login(store: Store) -> frozenset[str]:
    """Where no login is sent, as `scanners.assessment.Options` takes it: addresses, and each with its port."""
    c = Camera
    # What was decided on a camera does not hold for the one that took its place.
    closed = select(c.address, c.port).where(c.standing.in_(_CLOSED), AT_HOME)
    open_ = select(c.address).where(AT_HOME, c.standing.is_(None) | c.standing.not_in(_CLOSED))
    async with store.read() as connection:
        rows = (await connection.execute(closed)).all()
        beside = set((await connection.scalars(open_.where(c.address.in_({row.address for row in rows})))).all())
    spots = {f"{row.address}:{row.port}" for row in rows}
    return frozenset(spots | {row.address for row in rows} - beside)


def refuse_closed(row: Any) -> None:  # noqa: ANN401 - a row of the table
    """Raises Invalid for a camera's row to which no login is sent."""
    if row.standing in _CLOSED:
        what = "in quarantine" if row.standing == Standing.QUARANTINED else "ignored"
        raise Invalid(f"this device is {what}: no login is sent to it; adopt it first")

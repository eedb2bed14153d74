"""A swap: another unit answers where a known camera was seen last. Inside the transaction of a visit.

Only a unit that is proved to be another one, by its serial number or its MAC, at the same address and port is one.
The camera that was there is looked for from then on: nothing that is meant for it is sent to that address until a visit
finds it, there or elsewhere. What is at the address now has a row of its own, and is nobody's successor but in name.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from fleet import camera_events
from fleet.camera_events import Happened
from fleet.errors import Displaced
from fleet.notices import outbox
from fleet.notices.configured import channel_names
from fleet.scans.adoption import AnyRow, Who, is_another
from fleet.standing import AT_HOME, Standing
from fleet.store.engine import place_of
from fleet.store.tables import Camera

# Cameras that only changed their addresses are found within one scan: nobody is told of those.
SETTLES = timedelta(minutes=15)
_THERE = select(Camera).where(
    Camera.address == bindparam("address"), Camera.port == bindparam("port"), Camera.id != bindparam("mine"), AT_HOME
)


async def note_arrival(
    connection: AsyncConnection, camera: str, before: AnyRow | None, now: Mapping[str, Any], who: Who
) -> None:
    """A visit found `camera` at its place: whoever was known to be there before is somewhere else, or nowhere.

    `before` is its row as it was, `now` its columns as this visit leaves them.
    """
    at: datetime = now["last_seen"]
    if before is not None and before.displaced_at is not None:
        await outbox.withdraw(connection, [_about(before.id)])
    spot = {"address": who.address, "port": who.port, "mine": camera}
    for old in (await connection.execute(_THERE, spot)).all():
        if is_another(old, who):
            await _displace(connection, old, camera, now, at)


async def _displace(
    connection: AsyncConnection, old: AnyRow, camera: str, now: Mapping[str, Any], at: datetime
) -> None:
    place = f"{old.address}:{old.port}"
    gone = update(Camera).where(Camera.id == old.id).values(displaced_at=at, displaced_by=camera)
    await connection.execute(gone)
    new = _unit(now)
    was = _unit({name: getattr(old, name) for name in ("name", "model", "serial", "mac")})
    await camera_events.note(connection, old.id, Happened.DISPLACED, f"another unit answers at {place}: {new}", at)
    await camera_events.note(connection, camera, Happened.REPLACED, f"replaced {was} at {place}", at)
    if old.standing == Standing.IGNORED:
        return
    content = {
        "subject": f"Camwarden: another unit answers at {place}",
        "text": f"At {place}, where {was} was seen last, {new} answers.\n"
        "Nothing that was meant for the camera that was there is sent to that address any more. If it was moved, scan "
        "the network in which it is now.\n",
    }
    channels = channel_names(place_of(connection).settings)
    await outbox.tell(connection, _about(old.id), "alert", content, channels=channels, now=at, after=SETTLES)


def _about(camera: str) -> str:
    return f"swap:{camera}"


def _unit(columns: Mapping[str, Any]) -> str:
    """What tells it to a person: its name or model, with its serial number or else its MAC."""
    name = columns["name"] or columns["model"] or "a camera"
    number = (columns["serial"] and f"serial {columns['serial']}") or (columns["mac"] and f"MAC {columns['mac']}")
    return f"{name} ({number})" if number else str(name)


def refuse_displaced(row: Any) -> None:  # noqa: ANN401 - a row of the table
    """Raises Displaced for a camera's row whose last address belongs to another unit now."""
    if row.displaced_at is not None:
        since = f"{row.displaced_at:%Y-%m-%d %H:%M} UTC"
        place = f"{row.address}:{row.port}"
        raise Displaced(f"another camera answers at {place} since {since}: scan the network to find it again")

"""Which stored camera did this visit see? Cameras move, forget their name, and answer less without a login."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from sqlalchemy import Row, and_, bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.facts import Hostname, Identity, NetworkInterfaces, Scopes, SetupState
from cameras.untrusted import clean_text
from fleet.store.tables import Camera
from scanners.discovery.probe_matches import manufacturer, scope_values
from scanners.dossier import Dossier
from scanners.probes.setup_state import maker_of

_MOST_SERIAL = 128
_SHORTEST_SERIAL = 6
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
# Left over from a factory or a template: many cameras share them.
_NOT_A_SERIAL = frozenset(
    {"unknown", "none", "null", "n/a", "default", "serial", "serialnumber", "123456", "1234567890"}
)
AnyRow = Row[*tuple[Any, ...]]
_NAME_SCOPE = "onvif://www.onvif.org/name/"


_CANDIDATES = select(Camera).where(
    or_(
        Camera.key == bindparam("key"),
        Camera.mac == bindparam("mac"),
        and_(Camera.address == bindparam("address"), Camera.port == bindparam("port")),
    )
)


_SAME_KEY = select(Camera.id).where(Camera.key == bindparam("key"), Camera.id != bindparam("mine"))


@dataclass(frozen=True, slots=True)
class Who:
    """What tells a camera from others. `key` is the strongest of serial with manufacturer, MAC, address with port.

    `macs` are those of all its interfaces, `serial` is `None` where it gave none that tells it from others.
    """

    key: str
    mac: str | None
    address: str
    port: int
    macs: frozenset[str]
    serial: str | None


def who(dossier: Dossier) -> Who:
    macs = _macs(dossier)
    mac = macs[0] if macs else None
    identity = dossier.identity if isinstance(dossier.identity, Identity) else None
    address = clean_text(dossier.address)
    key = f"at:{address}:{dossier.port}"
    if mac:
        key = f"mac:{mac}"
    if identity and identity.manufacturer and usable_serial(identity.serial):
        key = f"serial:{clean_text(identity.manufacturer).casefold()}:{identity.serial}"
    serial = identity.serial if identity and usable_serial(identity.serial) else None
    return Who(key, mac, address, dossier.port, frozenset(macs), serial)


async def stored(connection: AsyncConnection, camera: Who) -> AnyRow | None:
    """Its row, or `None` for a new camera."""
    place = {"key": camera.key, "address": camera.address, "port": camera.port, "mac": camera.mac or "none"}
    rows = (await connection.execute(_CANDIDATES, place)).all()
    return _pick(rows, camera)


def _pick(rows: Sequence[AnyRow], camera: Who) -> AnyRow | None:
    """By key, else by MAC, else by place: a row known by its place only, or any where this visit knows no better.

    A camera at whose place another one answered is not taken to be back because something answers there.
    """
    nameless = camera.key.startswith("at:")
    tests: tuple[Callable[[AnyRow], bool], ...] = (
        lambda row: row.key == camera.key and not _only_shares_a_serial(row, camera),
        lambda row: camera.mac is not None and row.mac == camera.mac,
        lambda row: (nameless and row.displaced_at is None) or row.key == f"at:{camera.address}:{camera.port}",
    )
    for test in tests:
        if found := [row for row in rows if test(row)]:
            return max(found, key=lambda row: row.last_seen)
    return None


def _only_shares_a_serial(row: AnyRow, camera: Who) -> bool:
    """A made-up serial number: it is known of a unit with another MAC, and at another place.

    At the same place it is the same unit, of which another interface was seen.
    """
    elsewhere = (row.address, row.port) != (camera.address, camera.port)
    return elsewhere and row.mac is not None and bool(camera.macs) and row.mac not in camera.macs


def is_another(row: AnyRow, camera: Who) -> bool:
    """Whether that row is proved to be of another unit. What one of them did not say proves nothing."""
    if row.mac in camera.macs:
        return False
    if camera.serial is not None and usable_serial(row.serial):
        return not _one_serial(row.serial, camera.serial)
    return row.mac is not None and bool(camera.macs)


def _one_serial(one: str, other: str) -> bool:
    """Some cameras say their model before it by one protocol and not by another: "DS-2CD2143G2-I…F12345678"."""
    short, long = sorted((one.casefold(), other.casefold()), key=len)
    return short == long or (len(short) >= _SHORTEST_SERIAL and long.endswith(short))


async def free_key(connection: AsyncConnection, camera: Who, before: AnyRow | None) -> str:
    """Its key, or the next weaker one where another camera has that already."""
    if before is not None and before.key == camera.key:
        return camera.key
    if await connection.scalar(_SAME_KEY, {"key": camera.key, "mine": before.id if before else ""}) is None:
        return camera.key
    return f"mac:{camera.mac}" if camera.mac else f"at:{camera.address}:{camera.port}"


def columns(dossier: Dossier, camera: Who, before: AnyRow | None, called: str | None = None) -> dict[str, Any]:
    """The row's identity. What the camera did not say this time stays as it was, or is as it announces itself.

    `called` is what people call it, for one that tells no name.
    """
    identity = dossier.identity if isinstance(dossier.identity, Identity) else None
    asked = ("manufacturer", "model", "firmware", "serial", "hardware", "driver")
    told: dict[str, str | None] = {name: _line(getattr(identity, name, None)) for name in asked}
    told |= {"mac": camera.mac, "name": _name(dossier)}
    announced = scope_values(_scopes(dossier))
    signs = dossier.setup_state.signals if isinstance(dossier.setup_state, SetupState) else ()
    said = {
        "manufacturer": _line(manufacturer(announced) or maker_of(signs)),
        "model": _line(announced.get("hardware")),
    }
    kept = {name: value or getattr(before, name, None) or said.get(name) for name, value in told.items()}
    kept["name"] = kept["name"] or called
    place = {"address": camera.address, "port": camera.port, "scheme": clean_text(dossier.scheme, 8)}
    told_apart = (kept["manufacturer"], kept["model"], kept["serial"], kept["mac"])
    return {
        **kept,
        **place,
        "key": _stronger(camera.key, before.key if before else None),
        "vendor": kept["manufacturer"] and kept["manufacturer"].casefold(),
        "search": search_words(kept["name"], camera.address, *told_apart),
    }


def search_words(*words: str | None) -> str:
    """What a camera is found by: name, address, manufacturer, model, serial number, MAC."""
    return "\n".join(word for word in words if word).casefold()


def _stronger(key: str, before: str | None) -> str:
    order = ("at:", "mac:", "serial:")
    if before is None:
        return key
    return max(before, key, key=lambda text: next(i for i, kind in enumerate(order) if text.startswith(kind)))


def _macs(dossier: Dossier) -> list[str]:
    """The one that it gives itself first."""
    said = [dossier.identity.mac] if isinstance(dossier.identity, Identity) else []
    if isinstance(dossier.network_interfaces, NetworkInterfaces):
        said += [interface.mac for interface in dossier.network_interfaces.interfaces]
    macs = [mac.lower() for mac in said if mac and _MAC.fullmatch(mac.lower())]
    return [mac for mac in macs if len(set(mac)) > 2]  # noqa: PLR2004 - all zeros, all ones


def usable_serial(serial: str | None) -> bool:
    """Whether it tells one camera from others."""
    if not serial or len(serial) > _MOST_SERIAL or clean_text(serial) != serial:
        return False
    return len(set(serial)) > 1 and serial.casefold() not in _NOT_A_SERIAL


def _name(dossier: Dossier) -> str | None:
    if isinstance(dossier.hostname, Hostname) and dossier.hostname.name:
        return _line(dossier.hostname.name)
    names = (scope.removeprefix(_NAME_SCOPE) for scope in _scopes(dossier) if scope.startswith(_NAME_SCOPE))
    return _line(unquote(next(names, "")))


def _scopes(dossier: Dossier) -> tuple[str, ...]:
    return dossier.scopes.scopes if isinstance(dossier.scopes, Scopes) else ()


def _line(text: str | None) -> str | None:
    return (text and clean_text(text)) or None

"""Which stored camera did this visit see? Cameras move, forget their name, and answer less without a login."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from sqlalchemy import Row, and_, bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.facts import Hostname, Identity, NetworkInterfaces, Scopes
from cameras.untrusted import clean_text
from fleet.store.tables import Camera
from scanners.dossier import Dossier

_MOST_SERIAL = 128
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


@dataclass(frozen=True, slots=True)
class Who:
    """What tells a camera from others. `key` is the strongest of serial with manufacturer, MAC, address with port."""

    key: str
    mac: str | None
    address: str
    port: int


def who(dossier: Dossier) -> Who:
    mac = _mac(dossier)
    identity = dossier.identity if isinstance(dossier.identity, Identity) else None
    address = clean_text(dossier.address)
    key = f"at:{address}:{dossier.port}"
    if mac:
        key = f"mac:{mac}"
    if identity and identity.manufacturer and _usable(identity.serial):
        key = f"serial:{clean_text(identity.manufacturer).casefold()}:{identity.serial}"
    return Who(key, mac, address, dossier.port)


async def stored(connection: AsyncConnection, camera: Who) -> AnyRow | None:
    """Its row, or `None` for a new camera."""
    place = {"key": camera.key, "address": camera.address, "port": camera.port, "mac": camera.mac or "none"}
    rows = (await connection.execute(_CANDIDATES, place)).all()
    return _pick(rows, camera)


def _pick(rows: Sequence[AnyRow], camera: Who) -> AnyRow | None:
    """By key, else by MAC, else by place: a row known by its place only, or any where this visit knows no better."""
    nameless = camera.key.startswith("at:")
    tests = (
        lambda row: row.key == camera.key,
        lambda row: camera.mac is not None and row.mac == camera.mac,
        lambda row: nameless or row.key == f"at:{camera.address}:{camera.port}",
    )
    for test in tests:
        if found := [row for row in rows if test(row)]:
            return max(found, key=lambda row: row.last_seen)
    return None


def columns(dossier: Dossier, camera: Who, before: AnyRow | None) -> dict[str, Any]:
    """The row's identity. What the camera did not say this time stays as it was."""
    identity = dossier.identity if isinstance(dossier.identity, Identity) else None
    asked = ("manufacturer", "model", "firmware", "serial", "hardware", "driver")
    told: dict[str, str | None] = {name: _line(getattr(identity, name, None)) for name in asked}
    told |= {"mac": camera.mac, "name": _name(dossier)}
    kept = {name: value or getattr(before, name, None) for name, value in told.items()}
    place = {"address": camera.address, "port": camera.port, "scheme": clean_text(dossier.scheme, 8)}
    words = (kept["name"], camera.address, kept["manufacturer"], kept["model"], kept["serial"], kept["mac"])
    return {
        **kept,
        **place,
        "key": _stronger(camera.key, before.key if before else None),
        "vendor": kept["manufacturer"] and kept["manufacturer"].casefold(),
        "search": "\n".join(word for word in words if word).casefold(),
    }


def _stronger(key: str, before: str | None) -> str:
    order = ("at:", "mac:", "serial:")
    if before is None:
        return key
    return max(before, key, key=lambda text: next(i for i, kind in enumerate(order) if text.startswith(kind)))


def _mac(dossier: Dossier) -> str | None:
    said = [dossier.identity.mac] if isinstance(dossier.identity, Identity) else []
    if isinstance(dossier.network_interfaces, NetworkInterfaces):
        said += [interface.mac for interface in dossier.network_interfaces.interfaces]
    macs = [mac.lower() for mac in said if mac and _MAC.fullmatch(mac.lower())]
    return next((mac for mac in macs if len(set(mac)) > 2), None)  # noqa: PLR2004 - all zeros, all ones


def _usable(serial: str | None) -> bool:
    if not serial or len(serial) > _MOST_SERIAL or clean_text(serial) != serial:
        return False
    return len(set(serial)) > 1 and serial.casefold() not in _NOT_A_SERIAL


def _name(dossier: Dossier) -> str | None:
    if isinstance(dossier.hostname, Hostname) and dossier.hostname.name:
        return _line(dossier.hostname.name)
    scopes = dossier.scopes.scopes if isinstance(dossier.scopes, Scopes) else ()
    names = (scope.removeprefix(_NAME_SCOPE) for scope in scopes if scope.startswith(_NAME_SCOPE))
    return _line(unquote(next(names, "")))


def _line(text: str | None) -> str | None:
    return (text and clean_text(text)) or None

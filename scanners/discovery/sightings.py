"""Something that answered on the network, and how several answers of one camera become one.

Nothing in a sighting is proven: who answered says what it likes. It tells where to ask, not what to believe.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, ip_address
from typing import Literal
from urllib.parse import quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One device at one address. `None` means "it did not say".

    `address` is where the answer came from, never what the answer claims. `port`, `scheme` and `path` are where to ask
    for ONVIF; `xaddrs` are its own words on that, `scopes` those on what it is. `epr` is its WS-Addressing endpoint
    reference, which two cameras may share. `activated` False is a camera that was never set up.
    """

    address: str
    port: int | None = None
    scheme: Literal["http", "https"] | None = None
    path: str | None = None
    sources: tuple[str, ...]
    xaddrs: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    manufacturer: str | None = None
    model: str | None = None
    mac: str | None = None
    epr: str | None = None
    serial: str | None = None
    activated: bool | None = None


# Sources that only cameras (and recorders) have, and words for what they are that only they say.
_OF_CAMERAS = frozenset({"sweep", "sadp", "dhdiscover"})
# What these say is heard last: an enterprise number is of whoever made the agent, and an engine's ID may be a copy.
_HINTS = frozenset({"snmp"})
_CAMERA_WORDS = re.compile(r"camera|_axis-video\._tcp|_axis-nvr\._tcp|_psia\._tcp|_cgi\._tcp|_arec\._tcp")


def says_camera(sighting: Sighting) -> bool:
    """Printers and routers announce themselves too; what answered our knock (the sweep's) has spoken ONVIF already."""
    return (
        not _OF_CAMERAS.isdisjoint(sighting.sources)
        or any("onvif" in word.lower() for word in (*sighting.scopes, *sighting.xaddrs))
        or any(_CAMERA_WORDS.search(word.lower()) for word in sighting.scopes)
    )


def port_number(said: object) -> int | None:
    """A port as a number or in digits; `None` for all else."""
    if isinstance(said, str) and said.isascii() and said.isdigit() and len(said) <= len("65535"):
        said = int(said)
    return said if isinstance(said, int) and not isinstance(said, bool) and 0 < said <= 65535 else None  # noqa: PLR2004


def claimed(address: object, port: int | None) -> tuple[str, ...]:
    """The IPv4 address that an answer claims, in the form of an XAddr; nothing where it is none."""
    try:
        host = IPv4Address(address if isinstance(address, str) else "")
    except ValueError:
        return ()
    scheme = "https" if port == 443 else "http"  # noqa: PLR2004 - the usual port
    return () if host.is_unspecified else (f"{scheme}://{host}:{port or 80}/",)


def merge(sightings: Iterable[Sighting]) -> list[Sighting]:
    """One sighting for each device, ordered by address and port, whatever the order of arrival.

    One address is one device, unless it gave several ports (port forwarding, an encoder with several channels). Two
    places are one device where endpoint reference and MAC agree, or the MAC, or serial number and manufacturer, and
    nothing else that both said contradicts: cameras with a cloned EPR are common.
    """
    by_address: dict[str, list[Sighting]] = {}
    for sighting in sorted(set(sightings), key=_order):
        by_address.setdefault(sighting.address, []).append(sighting)
    devices: list[_Device] = []
    known: dict[object, _Device] = {}
    for at_address in by_address.values():
        for sighting in _devices_at_one_address(at_address):
            names = _names(sighting)
            same = next((known[name] for name in names if name in known and known[name].agrees(sighting)), None)
            if same is None:
                same = _Device([])
                devices.append(same)
            same.add(sighting)
            for name in names:
                known.setdefault(name, same)
    return sorted((_fold(device.seen) for device in devices), key=_order)


@dataclass(slots=True)
class _Device:
    """What was seen of one device so far, and what tells it from others."""

    seen: list[Sighting]
    mac: str | None = None
    epr: str | None = None
    serial: str | None = None

    def agrees(self, sighting: Sighting) -> bool:
        """Whether nothing that tells one device from another differs where both said it."""
        pairs = ((self.mac, sighting.mac), (self.epr, sighting.epr), (self.serial, sighting.serial))
        return all(one is None or other is None or one == other for one, other in pairs)

    def add(self, sighting: Sighting) -> None:
        self.seen.append(sighting)
        self.mac = self.mac or sighting.mac
        self.epr = self.epr or sighting.epr
        self.serial = self.serial or sighting.serial


def _devices_at_one_address(sightings: Sequence[Sighting]) -> list[Sighting]:
    """One for each port that was named; what names no port belongs to all of them that it does not contradict."""
    by_port: dict[int, _Device] = {}
    sightings = sorted(sightings, key=_is_hint)
    for sighting in sightings:
        if sighting.port is not None:
            by_port.setdefault(sighting.port, _Device([])).add(sighting)
    devices = list(by_port.values())
    for sighting in sightings:
        if sighting.port is None:
            same = [device for device in devices if device.agrees(sighting)]
            if not same:
                same = [_Device([])]
                devices += same
            for device in same:
                device.add(sighting)
    return [_fold(sorted(device.seen, key=_order)) for device in devices]


def _names(sighting: Sighting) -> list[object]:
    """What this device may be known by at another place, the strongest first."""
    names: list[object] = []
    if sighting.mac is not None:
        names += [(sighting.epr, sighting.mac)] if sighting.epr is not None else []
        names.append(sighting.mac)
    if sighting.serial is not None and sighting.manufacturer is not None:
        names.append((sighting.manufacturer.casefold(), sighting.serial, None))
    return names


def _fold(same: Sequence[Sighting]) -> Sighting:
    """One sighting out of several: the first that says something is heard, hints last, and lists are joined."""
    same = sorted(same, key=_is_hint)
    first = next((sighting for sighting in same if sighting.port is not None), same[0])
    where_else = [_url(other) for other in same if other.address != first.address]
    return replace(
        first,
        sources=tuple(sorted({source for other in same for source in other.sources})),
        xaddrs=tuple(dict.fromkeys([xaddr for other in same for xaddr in other.xaddrs] + where_else)),
        scopes=tuple(dict.fromkeys(scope for other in same for scope in other.scopes)),
        manufacturer=next((other.manufacturer for other in same if other.manufacturer is not None), None),
        model=next((other.model for other in same if other.model is not None), None),
        mac=next((other.mac for other in same if other.mac is not None), None),
        epr=next((other.epr for other in same if other.epr is not None), None),
        serial=next((other.serial for other in same if other.serial is not None), None),
        activated=min((other.activated for other in same if other.activated is not None), default=None),
        scheme=first.scheme
        or next((other.scheme for other in same if other.port == first.port and other.scheme), None),
        path=first.path or next((other.path for other in same if other.port == first.port and other.path), None),
    )


def _url(sighting: Sighting) -> str:
    """Where a merged sighting was seen as well, so that no address is lost."""
    scheme = sighting.scheme or "http"
    host = f"[{quote(sighting.address, safe=':')}]" if ":" in sighting.address else sighting.address
    port = sighting.port or (443 if scheme == "https" else 80)
    return f"{scheme}://{host}:{port}{sighting.path or '/'}"


def _is_hint(sighting: Sighting) -> bool:
    return _HINTS.issuperset(sighting.sources)


def _order(sighting: Sighting) -> tuple[object, ...]:
    address = ip_address(sighting.address)
    said = (sighting.scheme, sighting.path, sighting.manufacturer, sighting.model, sighting.mac, sighting.epr)
    more = (sighting.serial, None if sighting.activated is None else str(sighting.activated))
    return (
        address.version,
        int(address),
        sighting.address,
        sighting.port or 0,
        tuple(word or "" for word in (*said, *more)),
        sighting.sources,
        sighting.xaddrs,
        sighting.scopes,
    )

"""Something that answered on the network, and how several answers of one camera become one.

Nothing in a sighting is proven: who answered says what it likes. It tells where to ask, not what to believe.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Literal
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Sighting:
    """One device at one address. `None` means "it did not say".

    `address` is where the answer came from, never what the answer claims. `port`, `scheme` and `path` are where to ask
    for ONVIF; `xaddrs` are its own words. `epr` is its WS-Addressing endpoint reference, which two cameras may share.
    """

    address: str
    port: int | None
    scheme: Literal["http", "https"] | None
    path: str | None
    sources: tuple[str, ...]
    xaddrs: tuple[str, ...]
    scopes: tuple[str, ...]
    manufacturer: str | None
    model: str | None
    mac: str | None
    epr: str | None


def merge(sightings: Iterable[Sighting]) -> list[Sighting]:
    """One sighting for each device, ordered by address and port, whatever the order of arrival.

    One address is one device, unless it gave several ports (port forwarding, an encoder with several channels). Two
    addresses are one device only where both endpoint reference and MAC agree: cameras with a cloned EPR are common.
    """
    ordered = sorted(set(sightings), key=_order)
    by_place: dict[str, list[Sighting]] = {}
    for sighting in ordered:
        by_place.setdefault(sighting.address, []).append(sighting)
    by_device: dict[object, list[Sighting]] = {}
    for at_address in by_place.values():
        for sighting in _devices_at_one_address(at_address):
            by_device.setdefault(_device(sighting), []).append(sighting)
    return sorted((_fold(same) for same in by_device.values()), key=_order)


def _devices_at_one_address(sightings: Sequence[Sighting]) -> list[Sighting]:
    """One for each port that was named; what names no port belongs to all of them."""
    ports = dict.fromkeys(sighting.port for sighting in sightings if sighting.port is not None)
    if not ports:
        return [_fold(sightings)]
    return [_fold([sighting for sighting in sightings if sighting.port in (port, None)]) for port in ports]


def _device(sighting: Sighting) -> object:
    if sighting.epr is not None and sighting.mac is not None:
        return sighting.epr, sighting.mac
    return sighting.address, sighting.port


def _fold(same: Sequence[Sighting]) -> Sighting:
    """One sighting out of several: the first that says something is heard, and lists are joined."""
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


def _order(sighting: Sighting) -> tuple[object, ...]:
    address = ip_address(sighting.address)
    said = (sighting.scheme, sighting.path, sighting.manufacturer, sighting.model, sighting.mac, sighting.epr)
    return (
        address.version,
        int(address),
        sighting.address,
        sighting.port or 0,
        tuple(word or "" for word in said),
        sighting.sources,
        sighting.xaddrs,
        sighting.scopes,
    )

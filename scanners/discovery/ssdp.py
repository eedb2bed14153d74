"""SSDP (UPnP): every kind of device answers. What it is stands in its description, which is asked of the answering host
alone, in what is left of the wait.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

import httpx
from lxml import etree

from cameras.errors import DeviceError, Garbled
from cameras.http import DeviceHttp
from cameras.untrusted import clean_text, parse_xml
from scanners.discovery.datagrams import Protocol
from scanners.discovery.probe_matches import choose_xaddr, mac, without_secret
from scanners.discovery.sightings import Sighting

SOURCE = "ssdp"
PORT = 1900
GROUP = "239.255.255.250"
MOST_BYTES = 8 * 1024
MOST_DESCRIPTION_BYTES = 64 * 1024
MOST_DESCRIPTIONS = 4096
MOST_AT_ONCE = 64
FETCH_TIMEOUT_S = 1.5

_SEARCH = (
    f'M-SEARCH * HTTP/1.1\r\nHOST: {GROUP}:{PORT}\r\nMAN: "ssdp:discover"\r\nMX: 1\r\nST: upnp:rootdevice\r\n\r\n'
).encode()


def read(datagram: bytes, sender: str) -> list[Sighting]:
    """The device that one answer announces; its LOCATION is the first of `xaddrs`. Raises Garbled."""
    if len(datagram) > MOST_BYTES:
        raise Garbled(f"the answer is larger than {MOST_BYTES} bytes")
    first, *lines = datagram.decode("utf-8", "replace").split("\n")
    if first.split()[:2] not in (["HTTP/1.1", "200"], ["HTTP/1.0", "200"]):
        raise Garbled("the answer is no HTTP response")
    said: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon and len(value) <= 512:  # noqa: PLR2004 - longer is no address
            said.setdefault(name.strip().lower(), clean_text(value, 512))
    if not said.get("usn") and not said.get("location"):
        raise Garbled("the answer names no device")
    location = said.get("location")
    return [Sighting(address=sender, sources=(SOURCE,), xaddrs=(without_secret(location),) if location else ())]


async def look_closer(sightings: list[Sighting]) -> None:
    """Puts what the description says into the sightings, one by one as it comes."""
    gate = asyncio.Semaphore(MOST_AT_ONCE)

    async def look(number: int, sighting: Sighting) -> None:
        async with gate:
            try:
                sightings[number] = described(sighting, await _description(sighting))
            except DeviceError:
                return  # it stands without

    async with asyncio.TaskGroup() as looks:
        for number, sighting in enumerate(sightings[:MOST_DESCRIPTIONS]):
            looks.create_task(look(number, sighting))


async def _description(sighting: Sighting) -> bytes:
    """Raises DeviceError; Garbled where the LOCATION names another host than the one that answered."""
    try:
        parts = urlsplit(next(iter(sighting.xaddrs), ""))
        port = parts.port or 80
    except ValueError as error:
        raise Garbled("the LOCATION is no address") from error
    if parts.scheme != "http" or parts.hostname != sighting.address:
        raise Garbled("the LOCATION is not at the host that answered")
    try:
        url = httpx.URL(parts.geturl())
    except (httpx.InvalidURL, ValueError) as error:
        raise Garbled("the LOCATION is no address") from error
    http = DeviceHttp(sighting.address, port, "http", timeout_s=FETCH_TIMEOUT_S, most_bytes=MOST_DESCRIPTION_BYTES)
    async with http:
        reply = await http.request("GET", http.base.copy_with(raw_path=url.raw_path))
    if reply.status != httpx.codes.OK:
        raise Garbled(f"the description is answered with {reply.status}")
    return reply.body


def described(sighting: Sighting, description: bytes) -> Sighting:
    """The sighting with what the root device's description says. Raises Garbled."""
    device = parse_xml(description, MOST_DESCRIPTION_BYTES).find("{*}device")
    if device is None:
        raise Garbled("the description holds no device")
    said = _said(device)
    manufacturer = said.get("manufacturer")
    serial = said.get("serialNumber")
    at = said.get("presentationURL")
    port, scheme, _ = choose_xaddr([at] if at else [], sighting.address)
    return replace(
        sighting,
        port=port,
        scheme=scheme,
        xaddrs=(*sighting.xaddrs, *([without_secret(at)] if at else [])),
        scopes=tuple(word for name in ("deviceType", "modelDescription") if (word := said.get(name))),
        manufacturer=manufacturer,
        model=said.get("modelName", "").removeprefix(f"{manufacturer} ") or None,
        # Of a camera by Axis this is the MAC; of other makers twelve digits may be a number like any other.
        mac=mac(serial) if manufacturer and manufacturer.upper().startswith("AXIS") else None,
        serial=serial,
    )


def _said(device: etree._Element) -> Mapping[str, str]:
    said = {etree.QName(node).localname: clean_text(node.text or "", 200) for node in device}
    return {name: text for name, text in said.items() if text}


PROTOCOL = Protocol(SOURCE, GROUP, PORT, lambda: [_SEARCH], read, look_closer=look_closer)

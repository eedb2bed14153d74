"""Dahua's DHDiscover: JSON behind a header of 32 bytes.

Cameras, recorders and door stations of this maker answer, those sold under other names too.
"""

import json
import struct
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from cameras.errors import Garbled
from cameras.untrusted import clean_text
from scanners.discovery.datagrams import Protocol
from scanners.discovery.probe_matches import mac
from scanners.discovery.sightings import Sighting, claimed, port_number

SOURCE = "dhdiscover"
PORT = 37810
GROUP = "239.255.255.251"
MOST_BYTES = 32 * 1024

_HEADER = struct.Struct("<I4sIIIIII")
# The lowest two bits of Init; 0 is a camera from before there was anything to set up.
_SET_UP: Mapping[int, bool] = MappingProxyType({1: False, 2: True})


def read(datagram: bytes, sender: str) -> list[Sighting]:
    """The device that one answer announces. Raises Garbled."""
    said = _message(datagram)
    params = said.get("params")
    info = params.get("deviceInfo") if isinstance(params, dict) else None
    if said.get("method") != "client.notifyDevInfo" or not isinstance(info, dict):
        raise Garbled("the answer tells of no device")
    port = port_number(info.get("HttpPort"))
    place = info.get("IPv4Address")
    init = info.get("Init")
    return [
        Sighting(
            address=sender,
            port=port,
            scheme="http" if port else None,
            sources=(SOURCE,),
            xaddrs=claimed(place.get("IPAddress") if isinstance(place, dict) else None, port),
            manufacturer=_text(info.get("Vendor")),
            model=_text(info.get("DeviceType")),
            mac=mac(_text(said.get("mac"))),
            serial=_text(info.get("SerialNo")),
            activated=_SET_UP.get(init & 3) if isinstance(init, int) else None,
        )
    ]


def _message(datagram: bytes) -> dict[str, object]:
    """What stands behind the header; devices end it with a line break, a zero byte, both or neither."""
    if len(datagram) > MOST_BYTES:
        raise Garbled(f"the answer is larger than {MOST_BYTES} bytes")
    if len(datagram) <= _HEADER.size or datagram[4:8] != b"DHIP":
        raise Garbled("the answer has another header")
    body = datagram[_HEADER.size :]
    length = _HEADER.unpack_from(datagram)[4]
    if length > len(body):
        raise Garbled(f"{length} bytes were announced, {len(body)} came")
    try:
        said = json.loads(body.strip(b"\0\r\n\t ").decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise Garbled("the answer is not JSON") from error
    if not isinstance(said, dict):
        raise Garbled("the answer is no object")
    return said


def _text(said: object) -> str | None:
    return (clean_text(said, 100) or None) if isinstance(said, str) else None


def _questions() -> Iterator[bytes]:
    """With `uni` 1, measured devices answer the asker; tools that hear the group as well ask with 0."""
    for uni in (1, 0):
        body = json.dumps({"method": "DHDiscover.search", "params": {"mac": "", "uni": uni}}).encode() + b"\n"
        yield _HEADER.pack(_HEADER.size, b"DHIP", 0, 0, len(body), 0, len(body), 0) + body


PROTOCOL = Protocol(SOURCE, GROUP, PORT, _questions, read, broadcast=True, answers_to_group=True)

"""SNMP v1 and v2c (RFC 1157, RFC 3416) of simulated cameras: sysDescr.0 and sysObjectID.0, for whoever says `public`.

Off as delivered. A camera with an address of its own, where low ports may be bound, answers at UDP 161 from the moment
that one of the versions is switched on. Whoever says another community hears nothing. Of version 3 there is what comes
before a login: whoever asks for the engine is told it, by net-snmp too where only v1 or v2c has a community.
"""

import asyncio
import hashlib
import socket
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from simulator.device import Device
from simulator.plan import CameraPlan

PORT = 161
LOW_PORTS_END = 1024
Endpoint = tuple[str, int]
Version = Literal["v1", "v2c"]
Switched = Mapping[Version, tuple[tuple[str, str], ...]]

SWITCHES: Mapping[str, Switched] = MappingProxyType(
    {
        "axis": {
            "v1": (("SNMP.Enabled", "yes"), ("SNMP.V1", "yes")),
            "v2c": (("SNMP.Enabled", "yes"), ("SNMP.V2c", "yes")),
        },
        "hikvision": {"v1": (("SNMP/SNMPv1c/enabled", "true"),), "v2c": (("SNMP/SNMPv2c/enabled", "true"),)},
        "dahua": {
            "v1": (("SNMP.Enable", "true"), ("SNMP.V1Enable", "true")),
            "v2c": (("SNMP.Enable", "true"), ("SNMP.V2Enable", "true")),
        },
        "hanwha": {"v1": (("sunapi.snmp.Version1", "True"),), "v2c": (("sunapi.snmp.Version2", "True"),)},
    }
)
"""The parameters that switch a version on, as each vendor's API keeps them."""

COMMUNITY = b"public"
DESCRIPTION_NAME = bytes((0x2B, 6, 1, 2, 1, 1, 1, 0))  # 1.3.6.1.2.1.1.1.0
OBJECT_ID_NAME = bytes((0x2B, 6, 1, 2, 1, 1, 2, 0))
NET_SNMP_ON_LINUX = bytes((0x2B, 6, 1, 4, 1, 0xBF, 8, 3, 2, 10))  # 1.3.6.1.4.1.8072.3.2.10, the agent in most cameras
AXIS_PRODUCTS = bytes((0x2B, 6, 1, 4, 1, 0x82, 0x70, 1))  # 1.3.6.1.4.1.368.1
NO_SUCH_NAME = 2
NO_SUCH_OBJECT, NO_SUCH_INSTANCE = b"\x80\x00", b"\x81\x00"
UNKNOWN_ENGINES_NAME = bytes((0x2B, 6, 1, 6, 3, 15, 1, 1, 4, 0))  # usmStatsUnknownEngineIDs.0
VERSION_3 = USER_BASED = b"\3"
IS_REPORTABLE = 4
MOST_BYTES = b"\0\xff\xe3"
_INTEGER, _OCTETS, _OID, _SEQUENCE, _GET, _RESPONSE = 0x02, 0x04, 0x06, 0x30, 0xA0, 0xA2
_COUNTER, _REPORT = 0x41, 0xA8
_VERSIONS: Mapping[bytes, Version] = MappingProxyType({b"\0": "v1", b"\1": "v2c"})


def versions_on(plan: CameraPlan) -> tuple[Version, ...]:
    parameters = set(plan.parameters)
    return tuple(version for version, wanted in SWITCHES.get(plan.vendor, {}).items() if set(wanted) <= parameters)


def versions_served(plan: CameraPlan) -> tuple[Version, ...]:
    """Those that are answered: 161 is a low port, and cameras on one address could not share it."""
    return versions_on(plan) if plan.usual_ports[2] < LOW_PORTS_END else ()


class Agents:
    """The estate's agents. `problems` says what could not be opened; the rest of the estate serves on."""

    def __init__(self, cameras: Sequence[Device], port: int) -> None:
        self._cameras = cameras
        self._port = port
        self._opened: dict[Device, asyncio.DatagramTransport | None] = {}
        self.problems: list[str] = []

    async def start(self) -> None:
        """Opens what is on by now."""
        for camera in filter(self.misses, self._cameras):
            self._opened[camera] = None
            try:
                sock = _socket(camera.plan.address, self._port)
            except OSError as problem:
                self.problems.append(f"udp {camera.plan.address}:{self._port}: {problem.strerror}")
                continue
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(_listener(camera), sock=sock)
            self._opened[camera] = transport

    def misses(self, camera: Device) -> bool:
        """Whether this camera has begun to speak SNMP; one that does no more just keeps silent."""
        return camera not in self._opened and bool(versions_served(camera.plan))

    def stop(self) -> None:
        for transport in self._opened.values():
            if transport is not None:
                transport.close()


def _listener(camera: Device) -> Callable[[], asyncio.DatagramProtocol]:
    return lambda: _Agent(camera)


class _Agent(asyncio.DatagramProtocol):
    def __init__(self, camera: Device) -> None:
        self._camera = camera
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment] # of datagrams

    def datagram_received(self, data: bytes, addr: Endpoint) -> None:
        if self._camera.awake and self._transport is not None and (said := answer(self._camera.plan, data)):
            self._transport.sendto(said, addr)


def answer(plan: CameraPlan, datagram: bytes) -> bytes | None:
    """The Response to a GetRequest; None, as RFC 3416 wants it, for whatever is not to be answered."""
    try:
        content = _inside(datagram, _SEQUENCE)
        if _elements(content)[0] == (_INTEGER, VERSION_3):
            return report(plan, content) if versions_on(plan) else None
        version, community, (tag, request) = _three(content)
        request_id, _, _, bindings = (content for _, content in _elements(request))
        names = [_elements(binding)[0] for _, binding in _elements(bindings)]
    except (ValueError, IndexError):
        return None
    spoken = _VERSIONS.get(version[1])
    if tag != _GET or community[1] != COMMUNITY or spoken not in versions_on(plan):
        return None
    if any(kind != _OID for kind, _ in names):
        return None
    found = [_value(plan, name) for _, name in names]
    missing = next((place for place, value in enumerate(found, 1) if value in (NO_SUCH_OBJECT, NO_SUCH_INSTANCE)), 0)
    status = (0, 0)
    if missing and spoken == "v1":  # version 1 says so for all of them, and gives none
        status, found = (NO_SUCH_NAME, missing), [b"\5\0"] * len(found)
    rows = b"".join(
        _element(_SEQUENCE, _element(_OID, name) + value) for (_, name), value in zip(names, found, strict=True)
    )
    numbers = _element(_INTEGER, request_id) + b"".join(_element(_INTEGER, bytes((number,))) for number in status)
    response = _element(_RESPONSE, numbers + _element(_SEQUENCE, rows))
    return _element(_SEQUENCE, _element(*version) + _element(*community) + response)


def _value(plan: CameraPlan, name: bytes) -> bytes:
    if name == DESCRIPTION_NAME:
        return _element(_OCTETS, description(plan).encode())
    if name == OBJECT_ID_NAME:
        return _element(_OID, AXIS_PRODUCTS if plan.vendor == "axis" else NET_SNMP_ON_LINUX)
    is_known = any(name.startswith(known[:-1]) for known in (DESCRIPTION_NAME, OBJECT_ID_NAME))
    return NO_SUCH_INSTANCE if is_known else NO_SUCH_OBJECT


def description(plan: CameraPlan) -> str:
    """Axis tells model and firmware between semicolons; for the others, what net-snmp says of a small Linux machine."""
    if plan.vendor == "axis":
        return f" ; {plan.name}; Network Camera; {plan.firmware}; Jun 03 2026 08:11; 931.1; 1;"
    return f"Linux {plan.model} 4.9.37 #1 SMP Wed Jun 3 08:11:00 CST 2026 armv7l"


# --- version 3 -------------------------------------------------------------------------------------------------------


def engine_id(plan: CameraPlan) -> bytes:
    """In the forms of RFC 3411: of the maker or of net-snmp, by MAC, by text, or net-snmp's own kind of number."""
    by_mac = b"\3" + bytes.fromhex(plan.mac.replace(":", ""))
    forms = {
        "axis": (368, by_mac),
        "hikvision": (8072, b"\x80" + hashlib.sha256(plan.serial.encode()).digest()[:8] + bytes(4)),
        "dahua": (8072, by_mac),
        "hanwha": (36849, b"\4" + plan.serial.encode()[:27]),
    }
    enterprise, rest = forms[plan.vendor]
    return (0x80000000 + enterprise).to_bytes(4) + rest


def report(plan: CameraPlan, content: bytes) -> bytes | None:
    """What RFC 3414, 3.2, has for a message to another engine. ValueError, IndexError for what is no message."""
    version, header, security, scoped = _elements(content)
    number, _, flags, model = (value for _, value in _elements(header[1]))
    asked, _, _, user, _, _ = _elements(_inside(security[1], _SEQUENCE))
    _, _, (_, request) = _three(scoped[1])
    own = _element(_OCTETS, engine_id(plan))
    if not flags[0] & IS_REPORTABLE or model != USER_BASED or _element(*asked) == own:
        return None
    nothing = _element(_OCTETS, b"")
    row = _element(_OID, UNKNOWN_ENGINES_NAME) + _element(_COUNTER, b"\1")
    numbers = _element(_INTEGER, _elements(request)[0][1]) + 2 * _element(_INTEGER, b"\0")
    told = _element(_REPORT, numbers + _element(_SEQUENCE, _element(_SEQUENCE, row)))
    head = _element(_INTEGER, number) + _element(_INTEGER, MOST_BYTES) + _element(_OCTETS, b"\0")
    who = own + 2 * _element(_INTEGER, b"\1") + _element(*user) + 2 * nothing
    return _element(
        _SEQUENCE,
        _element(*version)
        + _element(_SEQUENCE, head + _element(_INTEGER, USER_BASED))
        + _element(_OCTETS, _element(_SEQUENCE, who))
        + _element(_SEQUENCE, own + nothing + told),
    )


# --- BER -------------------------------------------------------------------------------------------------------------

Element = tuple[int, bytes]


def _three(content: bytes) -> tuple[Element, Element, Element]:
    version, community, request = _elements(content)
    return version, community, request


def _inside(datagram: bytes, tag: int) -> bytes:
    found, content = _elements(datagram)[0]
    if found != tag:
        raise ValueError("another element")
    return content


def _elements(content: bytes) -> list[Element]:
    """Those of one level. ValueError, IndexError for a length that is indefinite, or longer than what is there."""
    found = []
    at = 0
    while at < len(content):
        tag, length, at = content[at], content[at + 1], at + 2
        if length >= 0x80:  # noqa: PLR2004 - as many bytes of length follow
            size = length - 0x80
            if not 1 <= size <= 2:  # noqa: PLR2004 - no datagram is longer
                raise ValueError("another form of length")
            length, at = int.from_bytes(content[at : at + size]), at + size
        if at + length > len(content):
            raise ValueError("cut off")
        found.append((tag, content[at : at + length]))
        at += length
    return found


def _element(tag: int, content: bytes) -> bytes:
    size = len(content)
    length = bytes((size,)) if size < 0x80 else b"\x82" + size.to_bytes(2)  # noqa: PLR2004 - the short form ends there
    return bytes((tag,)) + length + content


def _socket(address: str, port: int) -> socket.socket:
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        own.bind((address, port))
    except OSError:
        own.close()
        raise
    own.setblocking(False)
    return own

"""WS-Discovery (2005/04) on UDP 3702: probes to the multicast group are answered from each camera's own address, probes
to one camera by that camera.

A camera in NonDiscoverable mode keeps silent, as ONVIF asks. Some answers are awkward on purpose.
"""

import asyncio
import re
import socket
import struct
import uuid
from collections.abc import Callable, Sequence
from xml.sax.saxutils import escape

from simulator import onvif
from simulator.device import Device
from simulator.plan import CameraPlan
from simulator.vendors import VENDORS

PORT, GROUP = 3702, "239.255.255.250"
_MESSAGE_ID = re.compile(rb"<(?:[\w.-]+:)?MessageID\b[^>]*>\s*([^<]{1,200}?)\s*</")
_TYPES = re.compile(rb"<(?:[\w.-]+:)?Types\b[^>]*>([^<]*)</")
_SCOPES = re.compile(rb"<(?:[\w.-]+:)?Scopes\b[^>]*>([^<]*)</")
_PROBE = re.compile(rb"<(?:[\w.-]+:)?Probe\b")
_KNOWN_TYPES = frozenset({b"NetworkVideoTransmitter", b"Device"})

Endpoint = tuple[str, int]


class Responder:
    """The estate's part in discovery. `problems` says what could not be opened; the rest of the estate serves on."""

    def __init__(self, cameras: Sequence[Device]) -> None:
        self._cameras = cameras
        self._own: dict[str, asyncio.DatagramTransport] = {}
        self._opened: set[str] = set()
        self._group: asyncio.DatagramTransport | None = None
        self._number = 0
        self.problems: list[str] = []

    async def start(self) -> None:
        for address in sorted({camera.plan.address for camera in self._cameras if camera.plan.discoverable}):
            await self.open(address)

    def misses(self, camera: Device) -> bool:
        """Whether this camera has become discoverable; one that is not any more just keeps silent."""
        plan = camera.plan
        return plan.discoverable and plan.address not in self._opened and camera in self._cameras

    async def open(self, address: str) -> None:
        if address in self._opened:
            return
        self._opened.add(address)
        there = [camera for camera in self._cameras if camera.plan.address == address]
        try:
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: _Listener(there, self._answer), local_addr=(address, PORT)
            )
        except OSError as problem:
            self.problems.append(f"udp {address}:{PORT}: {problem.strerror}")
            return
        self._own[address] = transport
        if self._group is None:
            await self._join(asyncio.get_running_loop())

    async def _join(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            listening = _group_socket()
            self._group, _ = await loop.create_datagram_endpoint(
                lambda: _Listener(self._cameras, self._answer), sock=listening
            )
        except OSError as problem:
            self.problems.append(f"multicast {GROUP}: {problem.strerror}")

    def _answer(self, cameras: Sequence[Device], probe: bytes, prober: Endpoint) -> None:
        message_id = _MESSAGE_ID.search(probe)
        if message_id is None or not _PROBE.search(probe):
            return
        for camera in cameras:
            plan = camera.plan
            sender = self._own.get(plan.address)
            if sender is not None and plan.discoverable and camera.awake and _matches(plan, probe):
                self._number += 1
                sender.sendto(probe_match(plan, message_id[1].decode("latin-1"), self._number), prober)

    def stop(self) -> None:
        for transport in (*self._own.values(), *([self._group] if self._group else [])):
            transport.close()


class _Listener(asyncio.DatagramProtocol):
    def __init__(self, cameras: Sequence[Device], answer: Callable[[Sequence[Device], bytes, Endpoint], None]) -> None:
        self._cameras = cameras
        self._answer = answer

    def datagram_received(self, data: bytes, addr: Endpoint) -> None:
        self._answer(self._cameras, data, addr)


def probe_match(plan: CameraPlan, relates_to: str, number: int) -> bytes:
    """One ProbeMatches datagram of one camera."""
    template = (onvif.TEMPLATES / "probe_matches.xml").read_text(encoding="utf-8").strip()
    own_id = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{plan.address}:{plan.port}/{number}')}"
    datagram = template.format(
        e=VENDORS[plan.vendor].prefix,
        message_id=escape(relates_to if "echo-message-id" in plan.quirks else own_id),
        relates_to=escape(relates_to),
        number=number,
        epr=plan.epr,
        scopes=escape(" ".join(onvif.scopes(plan))),
        xaddrs=escape(" ".join(_xaddrs(plan))),
    ).encode()
    if "hostile-name" in plan.quirks:
        return datagram.replace(b"onvif://www.onvif.org/name/", b"onvif://www.onvif.org/name/\x1b[31m\xff\xfe", 1)
    return datagram


def _xaddrs(plan: CameraPlan) -> list[str]:
    own = f"{onvif.xaddr(plan)}/onvif/device_service"
    if "many-xaddrs" not in plan.quirks:
        return [own]
    return [
        "http://192.168.1.64/onvif/device_service",
        own,
        "http://[fe80::1a2b:3cff:fe4d:5e6f]/onvif/device_service",
        *([f"https://{plan.address}:{plan.https_port}/onvif/device_service"] if plan.https_port else []),
    ]


def _matches(plan: CameraPlan, probe: bytes) -> bool:
    """No types or scopes asked for match every device; scopes match by prefix (RFC 3986 rule)."""
    types = _TYPES.search(probe)
    if types and not {word.rpartition(b":")[2] for word in types[1].split()} <= _KNOWN_TYPES:
        return False
    wanted = _SCOPES.search(probe)
    own = onvif.scopes(plan)
    return not wanted or all(any(s.startswith(w.decode("latin-1")) for s in own) for w in wanted[1].split())


def _group_socket() -> socket.socket:
    """Bound to the group, so that it takes no unicast probe away from anybody; joined on loopback only."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((GROUP, PORT))
        member = struct.pack("4s4s", socket.inet_aton(GROUP), socket.inet_aton("127.0.0.1"))
        listening.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    except OSError:
        listening.close()
        raise
    listening.setblocking(False)
    return listening

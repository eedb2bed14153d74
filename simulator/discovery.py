"""How cameras announce themselves, and WS-Discovery (2005/04) on UDP 3702 itself.

What is asked of a multicast group is answered from each camera's own address, what is asked of one camera by that one.

A camera in NonDiscoverable mode keeps silent, as ONVIF asks. Some answers are awkward on purpose.
"""

import asyncio
import re
import socket
import struct
import uuid
from collections.abc import Callable, Iterable, Sequence
from xml.sax.saxutils import escape

from simulator import onvif
from simulator.announcing import Announcement, Endpoint
from simulator.device import Device
from simulator.dhdiscover import DHDISCOVER
from simulator.mdns import MDNS
from simulator.plan import CameraPlan
from simulator.sadp import SADP
from simulator.ssdp import SSDP
from simulator.vendors import VENDORS

PORT, GROUP = 3702, "239.255.255.250"
INTERFACE = "127.0.0.1"
"""Where groups are joined and answers to them leave: loopback alone, unless this host is the camera's own."""
_MESSAGE_ID = re.compile(rb"<(?:[\w.-]+:)?MessageID\b[^>]*>\s*([^<]{1,200}?)\s*</")
_TYPES = re.compile(rb"<(?:[\w.-]+:)?Types\b[^>]*>([^<]*)</")
_SCOPES = re.compile(rb"<(?:[\w.-]+:)?Scopes\b[^>]*>([^<]*)</")
_PROBE = re.compile(rb"<(?:[\w.-]+:)?Probe\b")
_KNOWN_TYPES = frozenset({b"NetworkVideoTransmitter", b"Device"})


class Responder:
    """The estate's part in discovery. `problems` says what could not be opened; the rest of the estate serves on."""

    def __init__(self, cameras: Sequence[Device]) -> None:
        self._cameras = cameras
        self._speakers = [_Speaker(announcement, cameras) for announcement in ANNOUNCEMENTS]

    @property
    def problems(self) -> list[str]:
        return [problem for speaker in self._speakers for problem in speaker.problems]

    async def start(self) -> None:
        for speaker in self._speakers:
            await speaker.open()

    def misses(self, camera: Device) -> bool:
        """Whether this camera has begun to announce itself; one that does no more just keeps silent."""
        return camera in self._cameras and any(speaker.unopened([camera]) for speaker in self._speakers)

    def stop(self) -> None:
        for speaker in self._speakers:
            speaker.stop()


class _Speaker:
    """One way of announcing, for all cameras. Each answers from its own address."""

    def __init__(self, announcement: Announcement, cameras: Sequence[Device]) -> None:
        self._announcement = announcement
        self._cameras = cameras
        self._own: dict[str, asyncio.DatagramTransport] = {}
        self._opened: set[str] = set()
        self._joined = False
        self._group: asyncio.DatagramTransport | None = None
        self._number = 0
        self.problems: list[str] = []

    def unopened(self, cameras: Sequence[Device]) -> set[str]:
        is_on = self._announcement.is_on
        return {camera.plan.address for camera in cameras if is_on(camera.plan)} - self._opened

    async def open(self) -> None:
        unopened = self.unopened(self._cameras)
        self._opened |= unopened
        for address in sorted(unopened):
            there = [camera for camera in self._cameras if camera.plan.address == address]
            try:
                self._own[address] = await self._listen(_socket(self._announcement, address), there)
            except OSError as problem:
                self.problems.append(f"udp {address}:{self._announcement.port}: {problem.strerror}")
                continue
            if not self._joined:
                self._joined = True
                await self._join()

    async def _join(self) -> None:
        try:
            self._group = await self._listen(_group_socket(self._announcement), self._cameras)
        except OSError as problem:
            self.problems.append(f"multicast {self._announcement.group}: {problem.strerror}")

    async def _listen(self, sock: socket.socket, cameras: Sequence[Device]) -> asyncio.DatagramTransport:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Listener(cameras, self._answer), sock=sock
        )
        return transport

    def _answer(self, cameras: Sequence[Device], question: bytes, asker: Endpoint) -> None:
        for camera in cameras:
            plan = camera.plan
            sender = self._own.get(plan.address)
            if sender is not None and camera.awake and self._announcement.is_on(plan):
                for datagram, to in self._announcement.answers(plan, question, asker, self._number + 1):
                    self._number += 1
                    sender.sendto(datagram, to)

    def stop(self) -> None:
        for transport in (*self._own.values(), *([self._group] if self._group else [])):
            transport.close()


class _Listener(asyncio.DatagramProtocol):
    def __init__(self, cameras: Sequence[Device], answer: Callable[[Sequence[Device], bytes, Endpoint], None]) -> None:
        self._cameras = cameras
        self._answer = answer

    def datagram_received(self, data: bytes, addr: Endpoint) -> None:
        self._answer(self._cameras, data, addr)


def answers(plan: CameraPlan, probe: bytes, prober: Endpoint, number: int) -> Iterable[tuple[bytes, Endpoint]]:
    """WS-Discovery: `number` is that of the message."""
    message_id = _MESSAGE_ID.search(probe)
    if message_id is not None and _PROBE.search(probe) and _matches(plan, probe):
        yield probe_match(plan, message_id[1].decode("latin-1"), number), prober


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


def _socket(announcement: Announcement, address: str) -> socket.socket:
    """A camera's own: hears what is asked of it alone, and sends on loopback only."""
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, announcement.shared)
        own.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(INTERFACE))
        own.bind((address, announcement.port))
    except OSError:
        own.close()
        raise
    own.setblocking(False)
    return own


def _group_socket(announcement: Announcement) -> socket.socket:
    """Bound to the group, so that it takes no unicast probe away from anybody; joined on loopback only."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((announcement.group, announcement.port))
        member = struct.pack("4s4s", socket.inet_aton(announcement.group), socket.inet_aton(INTERFACE))
        listening.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    except OSError:
        listening.close()
        raise
    listening.setblocking(False)
    return listening


WS_DISCOVERY = Announcement(GROUP, PORT, lambda plan: plan.discoverable, answers, shared=False)
ANNOUNCEMENTS = (WS_DISCOVERY, SADP, DHDISCOVER, MDNS, SSDP)

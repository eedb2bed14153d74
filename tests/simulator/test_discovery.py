"""WS-Discovery, by multicast and address by address, with the answers that make it hard."""

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import replace

import pytest
from lxml import etree

from simulator.discovery import GROUP, PORT
from simulator.estate import Estate
from tests.simulator.asking import estate

Answers = list[tuple[bytes, str]]
MOST_ROUNDS = 500
MESSAGE_ID = "urn:uuid:7f3c6a1e-0000-4000-8000-000000000001"


class _Hearing(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.heard: Answers = []

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.heard.append((data, addr[0]))


def probe(types: str = "dn:NetworkVideoTransmitter", scopes: str = "") -> bytes:
    asked = (f"<d:Types>{types}</d:Types>" if types else "") + (f"<d:Scopes>{scopes}</d:Scopes>" if scopes else "")
    return (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
        ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
        ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery">'
        f"<s:Header><a:MessageID>{MESSAGE_ID}</a:MessageID></s:Header>"
        f"<s:Body><d:Probe>{asked}</d:Probe></s:Body></s:Envelope>"
    ).encode()


async def answers(running: Estate, to: str, datagram: bytes, *, count: int = 1) -> Answers:
    """What cameras of this estate answer, `count` of them or those of a moment; others may live on this machine too."""
    asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asking.bind(("127.0.0.1", 0))
    asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
    transport, hearing = await asyncio.get_running_loop().create_datagram_endpoint(_Hearing, sock=asking)
    transport.sendto(datagram, (to, PORT))
    ours = {plan.address for plan in running.plan.cameras}
    rounds = MOST_ROUNDS if count else 10
    while rounds and (not count or sum(sender in ours for _, sender in hearing.heard) < count):
        await asyncio.sleep(0.02)
        rounds -= 1
    transport.close()
    await asyncio.sleep(0)
    return [(data, sender) for data, sender in hearing.heard if sender in ours]


def field(datagram: bytes, name: str) -> str:
    found = etree.fromstring(datagram).findtext(f".//{{*}}{name}")
    assert found is not None
    return found


async def test_each_discoverable_camera_answers_multicast_from_its_own_address() -> None:
    async with estate(cameras=6, faults={"discovery-left-on": 4}, discovery=True) as running:
        heard = await answers(running, GROUP, probe(), count=4)
        assert sorted(sender for _, sender in heard) == [p.address for p in running.plan.cameras if p.discoverable]
        for datagram, sender in heard:
            assert field(datagram, "RelatesTo") == MESSAGE_ID
            assert field(datagram, "MessageID") != MESSAGE_ID
            assert field(datagram, "XAddrs") == f"http://{sender}:8080/onvif/device_service"


async def test_a_camera_answers_a_probe_of_its_own_unless_it_hides() -> None:
    async with estate(cameras=2, faults={"discovery-left-on": 1}, discovery=True) as running:
        for plan in running.plan.cameras:
            heard = await answers(running, plan.address, probe(), count=plan.discoverable)
            assert [sender for _, sender in heard] == ([plan.address] if plan.discoverable else [])


async def test_a_camera_that_changes_its_mode_starts_and_stops_answering() -> None:
    async with estate(discovery=True) as running:
        camera = running.cameras[0]
        for discoverable in (True, False, True):
            for _ in range(2):
                camera.become(replace(camera.plan, discoverable=discoverable))
            await asyncio.sleep(0.01)
            heard = await answers(running, camera.plan.address, probe(), count=discoverable)
            assert len(heard) == discoverable
        assert running.discovery.problems == []


PROBES: Mapping[str, tuple[bytes, int]] = {
    "cameras": (probe(), 1),
    "any device": (probe("tds:Device"), 1),
    "anything": (probe(""), 1),
    "printers": (probe("wprt:PrintDeviceType"), 0),
    "a scope that it has": (probe("", "onvif://www.onvif.org/Profile/Streaming"), 1),
    "a scope that it lacks": (probe("", "onvif://www.onvif.org/Profile/A"), 0),
    "no probe": (b"hello", 0),
    "a probe without a number": (probe().replace(b"MessageID", b"Other"), 0),
}


@pytest.mark.parametrize(("datagram", "count"), PROBES.values(), ids=PROBES)
async def test_what_is_asked_for_decides(datagram: bytes, count: int) -> None:
    async with estate(faults={"discovery-left-on": 1}, discovery=True) as running:
        assert len(await answers(running, running.plan.cameras[0].address, datagram, count=count)) == count


async def test_two_cameras_can_share_an_endpoint_reference() -> None:
    async with estate(cameras=3, faults={"shared-epr": 2}, discovery=True) as running:
        heard = await answers(running, GROUP, probe(), count=2)
        assert len(heard) == 2
        assert len({field(datagram, "Address") for datagram, _ in heard}) == 1


async def test_a_camera_can_answer_with_the_probers_own_message_id() -> None:
    async with estate(faults={"echo-message-id": 1}, discovery=True) as running:
        heard = await answers(running, GROUP, probe())
        assert [field(datagram, "MessageID") for datagram, _ in heard] == [MESSAGE_ID]


XADDRS = {
    "nat-xaddr": ["http://192.168.1.64:8080/onvif/device_service"],
    "many-xaddrs": [
        "http://192.168.1.64/onvif/device_service",
        "http://{address}:8080/onvif/device_service",
        "http://[fe80::1a2b:3cff:fe4d:5e6f]/onvif/device_service",
        "https://{address}:8443/onvif/device_service",
    ],
}


@pytest.mark.parametrize(("fault", "expected"), XADDRS.items(), ids=XADDRS)
async def test_addresses_can_be_wrong_or_many(fault: str, expected: list[str]) -> None:
    async with estate(faults={fault: 1, "discovery-left-on": 1}, discovery=True) as running:
        plan = running.plan.cameras[0]
        heard = await answers(running, plan.address, probe())
        assert field(heard[0][0], "XAddrs").split() == [xaddr.format(address=plan.address) for xaddr in expected]


async def test_a_hostile_name_breaks_the_datagram() -> None:
    async with estate(faults={"hostile-name": 1, "discovery-left-on": 1}, discovery=True) as running:
        heard = await answers(running, running.plan.cameras[0].address, probe())
        assert b"\x1b[31m\xff\xfe" in heard[0][0]
        with pytest.raises(UnicodeDecodeError):
            heard[0][0].decode()


async def test_an_occupied_port_is_a_problem_told_and_no_end() -> None:
    starting = estate(faults={"discovery-left-on": 1}, discovery=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((starting.options.base, PORT))
        async with starting as running:
            assert [problem.startswith(f"udp {running.options.base}:") for problem in running.discovery.problems] == [
                True
            ]

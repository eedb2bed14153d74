"""SADP, DHDiscover, mDNS and SSDP of simulated cameras, as other programs than ours ask and read them."""

import asyncio
import json
import re
import socket
import struct
from dataclasses import replace

import httpx
import pytest
from lxml import etree
from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from simulator import dhdiscover, mdns, sadp, ssdp
from simulator.estate import Estate
from simulator.vapix.parameters import remembered
from tests.simulator.asking import client, estate, url
from tests.simulator.test_discovery import MOST_ROUNDS

AXIS_VIDEO = "_axis-video._tcp.local."
LOOPBACK = socket.inet_aton("127.0.0.1")


class Hearing(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.heard: list[tuple[bytes, tuple[str, int]]] = []

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.heard.append((data, addr))


async def answers(
    running: Estate, to: str, port: int, question: bytes, *, count: int, hear: tuple[str, int] | None = None
) -> list[bytes]:
    """What our cameras answer: `count` datagrams, or for 0 those of a moment. `hear` is a group and its port."""
    asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asking.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hear is not None:
        asking.bind(hear)
        asking.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(hear[0]) + LOOPBACK)
    else:
        asking.bind(("127.0.0.1", 0))
    asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, LOOPBACK)
    transport, hearing = await asyncio.get_running_loop().create_datagram_endpoint(Hearing, sock=asking)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, LOOPBACK)
        other.bind(("127.0.0.1", 0))
        sending = asking if hear is None else other
        sending.sendto(question, (to, port))
        ours = {plan.address for plan in running.plan.cameras}
        rounds = MOST_ROUNDS if count else 10
        while rounds and (not count or sum(sender[0] in ours for _, sender in hearing.heard) < count):
            await asyncio.sleep(0.02)
            rounds -= 1
    transport.close()
    await asyncio.sleep(0)
    return [data for data, sender in hearing.heard if sender[0] in ours]


INQUIRY = b'<?xml version="1.0" encoding="utf-8"?>\n<Probe>\n<Uuid>A-1</Uuid>\n<Types>inquiry</Types>\n</Probe>\n'


async def test_sadp_answers_the_asker_with_his_own_number() -> None:
    async with estate(cameras=2, mix={"hikvision": 1}, faults={"discovery-left-on": 2}, discovery=True) as running:
        heard = await answers(running, sadp.GROUP, sadp.PORT, INQUIRY, count=2)
        said = [{node.tag: node.text for node in etree.fromstring(datagram)} for datagram in heard]
    assert [one["Uuid"] for one in said] == ["A-1", "A-1"]
    plans = {plan.serial: plan for plan in running.plan.cameras}
    for one in said:
        plan = plans[one["DeviceSN"] or ""]
        assert one["MAC"] == plan.mac.replace(":", "-")
        assert (one["IPv4Address"], one["HttpPort"], one["Activated"]) == (plan.address, "8080", "true")


async def test_sadp_of_older_cameras_answers_everybody() -> None:
    async with estate(mix={"hikvision": 1}, faults={"sadp-to-all": 1}, discovery=True) as running:
        at_the_group = (sadp.GROUP, sadp.PORT)
        heard = await answers(running, sadp.GROUP, sadp.PORT, INQUIRY, count=1, hear=at_the_group)
    assert [etree.fromstring(datagram).tag for datagram in heard] == ["ProbeMatch"]


def searching(body: bytes) -> bytes:
    return struct.pack("<I4s6I", 32, b"DHIP", 0, 0, len(body), 0, len(body), 0) + body


async def test_dhdiscover_answers_behind_the_same_header() -> None:
    question = searching(b'{"method":"DHDiscover.search","params":{"mac":"","uni":1}}\n')
    async with estate(mix={"dahua": 1}, faults={"discovery-left-on": 1}, discovery=True) as running:
        (plan,) = running.plan.cameras
        (heard,) = await answers(running, dhdiscover.GROUP, dhdiscover.PORT, question, count=1)
    size, magic, _, _, length, _, again, _ = struct.unpack("<I4s6I", heard[:32])
    assert (size, magic, length, again) == (32, b"DHIP", len(heard) - 32, len(heard) - 32)
    said = json.loads(heard[32:].rstrip(b"\0"))
    device = said["params"]["deviceInfo"]
    assert (said["method"], said["mac"]) == ("client.notifyDevInfo", plan.mac)
    assert (device["SerialNo"], device["IPv4Address"]["IPAddress"]) == (plan.serial, plan.address)


def search(target: str) -> bytes:
    lines = ("M-SEARCH * HTTP/1.1", "HOST: 239.255.255.250:1900", 'MAN: "ssdp:discover"', "MX: 1", f"ST: {target}")
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


TARGETS = {
    "root devices": ("upnp:rootdevice", 1),
    "everything": ("ssdp:all", 4),
    "its kind": ("urn:schemas-upnp-org:device:Basic:1", 1),
    "its service": ("urn:axis-com:service:BasicService:1", 1),
    "routers": ("urn:schemas-upnp-org:device:InternetGatewayDevice:1", 0),
}


@pytest.mark.parametrize(("target", "count"), TARGETS.values(), ids=TARGETS)
async def test_ssdp_answers_what_is_asked_for(target: str, count: int) -> None:
    async with estate(mix={"axis": 1}, discovery=True) as running:
        heard = await answers(running, ssdp.GROUP, ssdp.PORT, search(target), count=count)
    assert len(heard) == count
    assert all(datagram.startswith(b"HTTP/1.1 200 OK\r\n") for datagram in heard)
    assert all(re.search(rb"^USN: uuid:Upnp-BasicDevice-1_0-", datagram, re.MULTILINE) for datagram in heard)


async def test_the_description_is_for_everybody_while_upnp_is_on() -> None:
    async with estate(mix={"axis": 1}, discovery=True) as running, client() as http:
        (camera,) = running.cameras
        (heard,) = await answers(running, ssdp.GROUP, ssdp.PORT, search("upnp:rootdevice"), count=1)
        (location,) = re.findall(rb"LOCATION: (\S+)", heard)
        page = await http.get(location.decode())
        said = {node.tag.rpartition("}")[2]: node.text for node in etree.fromstring(page.content).iter()}
        assert (said["manufacturer"], said["modelName"]) == ("AXIS", f"AXIS {camera.plan.model}")
        assert (said["serialNumber"], said["UDN"]) == (
            camera.plan.serial,
            f"uuid:Upnp-BasicDevice-1_0-{camera.plan.serial}",
        )
        camera.become(replace(camera.plan, **remembered(camera.plan, "Network.UPnP.Enabled", "no")))  # type: ignore[arg-type]
        assert (await http.get(url(camera.plan, ssdp.PATH))).status_code == httpx.codes.NOT_FOUND
        assert await answers(running, ssdp.GROUP, ssdp.PORT, search("ssdp:all"), count=0) == []


async def test_a_bonjour_browser_finds_the_cameras() -> None:
    """Of zeroconf, which knows nothing of us."""
    names: asyncio.Queue[str] = asyncio.Queue()

    def changed(zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:  # noqa: ARG001
        names.put_nowait(name)

    async with (
        estate(cameras=2, mix={"axis": 1}, discovery=True) as running,
        AsyncZeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only) as bonjour,
    ):
        plans = {f"AXIS {plan.model} - {plan.serial}.{AXIS_VIDEO}": plan for plan in running.plan.cameras}
        browser = AsyncServiceBrowser(bonjour.zeroconf, AXIS_VIDEO, handlers=[changed])
        async with asyncio.timeout(30):
            missing = set(plans)
            while missing:
                missing.discard(await names.get())
        await browser.async_cancel()
        for name, plan in plans.items():
            info = AsyncServiceInfo(AXIS_VIDEO, name)
            assert await info.async_request(bonjour.zeroconf, 5000)
            assert info.parsed_addresses() == [plan.address]
            assert (info.port, info.properties) == (plan.http_port, {b"macaddress": plan.serial.encode()})


def dns_question(kind: int, *labels: str, bits: int = 1) -> bytes:
    name = b"".join(bytes([len(label.encode())]) + label.encode() for label in labels) + b"\0"
    return struct.pack("!6H", 0xABCD, 0, 1, 0, 0, 0) + name + struct.pack("!HH", kind, bits)


async def test_mdns_answers_who_asks_once_with_his_number_and_question() -> None:
    question = dns_question(12, "_axis-video", "_tcp", "local")
    async with estate(mix={"axis": 1}, discovery=True) as running:
        (heard,) = await answers(running, mdns.GROUP, mdns.PORT, question, count=1)
    number, flags, questions, pointers, _, others = struct.unpack("!6H", heard[:12])
    assert (number, flags, questions, pointers) == (0xABCD, 0x8400, 1, 1)
    assert others >= 3
    assert heard[12 : len(question)] == question[12:]


SILENT = {
    "another service": dns_question(12, "_ipp", "_tcp", "local"),
    "another kind of record": dns_question(16, "_axis-video", "_tcp", "local"),
    "noise": b"\xff" * 40,
    "an answer": struct.pack("!6H", 0, 0x8400, 0, 0, 0, 0),
}


@pytest.mark.parametrize("question", SILENT.values(), ids=SILENT)
async def test_mdns_keeps_silent_otherwise(question: bytes) -> None:
    async with estate(mix={"axis": 1}, discovery=True) as running:
        assert await answers(running, mdns.GROUP, mdns.PORT, question, count=0) == []


OTHERS = {
    "SADP": ("hikvision", sadp.GROUP, sadp.PORT, INQUIRY.replace(b"inquiry", b"update")),
    "SADP without a number": ("hikvision", sadp.GROUP, sadp.PORT, INQUIRY.replace(b"Uuid", b"Id")),
    "DHDiscover": ("dahua", dhdiscover.GROUP, dhdiscover.PORT, searching(b'{"method":"DHDiscover.getVersion"}')),
    "bare JSON": ("dahua", dhdiscover.GROUP, dhdiscover.PORT, b'{"method":"DHDiscover.search","params":{}}'),
    "no JSON": ("dahua", dhdiscover.GROUP, dhdiscover.PORT, searching(b"{")),
    "SSDP": ("axis", ssdp.GROUP, ssdp.PORT, search("ssdp:all").replace(b"M-SEARCH", b"NOTIFY")),
}


@pytest.mark.parametrize(("vendor", "group", "port", "question"), OTHERS.values(), ids=OTHERS)
async def test_what_is_no_question_gets_no_answer(vendor: str, group: str, port: int, question: bytes) -> None:
    async with estate(mix={vendor: 1}, faults={"discovery-left-on": 1}, discovery=True) as running:
        assert await answers(running, group, port, question, count=0) == []

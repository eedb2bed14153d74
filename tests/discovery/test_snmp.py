"""Asked address by address, by sockets on loopback: agents that say given bytes, simulated cameras, net-snmp's own."""

import asyncio
import os
import socket
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from cameras.errors import Garbled
from scanners.discovery.sightings import Sighting, merge, says_camera
from scanners.discovery.snmp import ask, in_words, of_description, of_engine, own_macs
from simulator import Options, plan_estate
from simulator.faults import SNMP_SWITCHES, give
from simulator.plan import CameraPlan
from simulator.snmp import answer
from tests.discovery.test_ws_discovery import port
from tests.probes.snmp_agents import Say, agent, answer_to, is_v1, is_v3, report, report_to, running_snmpd
from tests.simulator.changing import until

__all__ = ["port"]  # a fixture

NET = f"127.{1 + os.getpid() % 250}.81"
HERE = f"{NET}.1"
MAC = "00:40:8c:12:34:56"
AXIS = bytes.fromhex("80000170 03 00408c123456")
SWITCH = bytes.fromhex("80000009 03 00049f112233")
NET_SNMP = bytes.fromhex("80001f88 80 02befd3107300a6b00000000")
WAIT_S = 0.3


def seen(**said: object) -> Sighting:
    return Sighting(address=HERE, sources=("snmp",), **said)  # type: ignore[arg-type]


def engine(content: bytes) -> Say:
    return lambda asked: [report_to(asked, content)] * is_v3(asked)


def describes(text: bytes) -> Say:
    return lambda asked: [answer_to(asked, text)] * (not is_v3(asked))


ANSWERS: dict[str, tuple[Say, list[Sighting]]] = {
    "a maker and a MAC": (engine(AXIS), [seen(manufacturer="Axis Communications", mac=MAC)]),
    "an agent of many makers": (engine(NET_SNMP), [seen()]),
    "a maker we do not know": (engine(bytes.fromhex("8000ffff 03 00049f112233")), [seen(mac="00:04:9f:11:22:33")]),
    "a MAC that nobody has": (engine(bytes.fromhex("80000009 03 000000000000")), [seen(manufacturer="Cisco")]),
    "nothing": (lambda _: [], []),
    "no bytes": (lambda _: [b""], []),
    "our own words": (lambda asked: [asked], []),
    "a report on another message": (lambda _: [report(AXIS)], []),
    "half a report": (lambda asked: [report_to(asked, AXIS)[:40]], []),
    "an ID that no engine has": (engine(bytes(11)), []),
    "rubbish": (lambda _: [b"\xff" * 500, b"\x30\x80", b"\x30\x84\xff\xff\xff\xff"], []),
    "60 KiB": (lambda asked: [report_to(asked, AXIS) + bytes(60000)], []),
    "rubbish, then a report": (
        lambda asked: [b"\x30\x80", report_to(asked, AXIS)],
        [seen(manufacturer="Axis Communications", mac=MAC)],
    ),
    "rubbish without end": (lambda _: [b"\x30\x80"] * 100, []),
}


@pytest.mark.parametrize(("say", "expected"), ANSWERS.values(), ids=ANSWERS)
async def test_what_an_agent_says_of_its_engine(say: Say, expected: list[Sighting], port: int) -> None:
    async with agent(say, HERE, port):
        assert await ask([HERE], WAIT_S, port=port) == expected


async def test_no_community_is_said_by_default(port: int) -> None:
    async with agent(lambda _: [], HERE, port) as (_, silent):
        assert await ask([HERE], WAIT_S, port=port) == []
    assert len(silent.heard) == 2
    assert all(is_v3(asked) and b"public" not in asked for asked in silent.heard)


DESCRIBED: dict[str, tuple[Say, list[Sighting]]] = {
    "its name only": (describes(b"HP ETHERNET"), [seen(scopes=("HP ETHERNET",))]),
    "by version 1 only": (
        lambda asked: [answer_to(asked, b"Old")] * is_v1(asked),
        [seen(scopes=("Old",))],
    ),
    "its name and its engine": (
        lambda asked: [report_to(asked, SWITCH) if is_v3(asked) else answer_to(asked, b"C2960")],
        [seen(scopes=("C2960",), manufacturer="Cisco", mac="00:04:9f:11:22:33")],
    ),
    "nothing": (lambda _: [], []),
}


@pytest.mark.parametrize(("say", "expected"), DESCRIBED.values(), ids=DESCRIBED)
async def test_what_a_device_calls_itself_where_that_is_asked(say: Say, expected: list[Sighting], port: int) -> None:
    async with agent(say, HERE, port):
        assert await ask([HERE], WAIT_S, port=port, public=True) == expected


def described(object_id: str, status: str = "020100") -> bytes:
    """A Response of v2c to question 7, in sysObjectID alone."""
    row = bytes.fromhex("06082b06010201010200") + bytes.fromhex(object_id)
    rows = bytes((0x30, len(row))) + row
    pdu = bytes.fromhex("020107" + status + "020100") + bytes((0x30, len(rows))) + rows
    head = bytes.fromhex("020101 04067075626c6963") + bytes((0xA2, len(pdu))) + pdu
    return bytes((0x30, len(head))) + head


KINDS = {
    "of a maker": (described("06082b060104018270 01"), "Axis Communications"),
    "of Dahua's recorders": (described("060b2b06010401bdaa31 03020a"), "Dahua Technology"),
    "of net-snmp": (described("060a2b06010401bf0803020a"), None),
    "of no enterprise": (described("06062b0601020101"), None),
    "0.0": (described("060100"), None),
    "none": (described("0500"), None),
    "a community that is turned away": (described("0500", "020106"), None),
}


@pytest.mark.parametrize(("datagram", "maker"), KINDS.values(), ids=KINDS)
def test_the_kind_of_a_device_hints_at_its_maker(datagram: bytes, maker: str | None) -> None:
    assert of_description(datagram, HERE, {"v1": 6, "v2c": 7}) == seen(manufacturer=maker)


def test_what_is_no_answer_is_garbled() -> None:
    for datagram in (b"", b"\x30\x80", report(AXIS)):
        with pytest.raises(Garbled):
            of_description(datagram, HERE, {"v1": 6, "v2c": 7})
        with pytest.raises(Garbled):
            of_engine(datagram, HERE, 7)


# --- many of them ----------------------------------------------------------------------------------------------------


async def test_a_network_costs_one_wait(port: int) -> None:
    """A /24 with three agents in it: the silent ones are waited for side by side."""
    agents = {f"{NET}.{last}": bytes.fromhex(f"80000009 03 00049f1122{last:02x}") for last in (9, 77, 254)}
    async with AsyncExitStack() as stack:
        for address, content in agents.items():
            await stack.enter_async_context(agent(engine(content), address, port))
        before = time.monotonic()
        found = await ask([f"{NET}.{last}" for last in range(1, 255)], 1.0, 256, port=port)
        assert time.monotonic() - before < 60  # one by one they would take four minutes
    assert [one.address for one in found] == list(agents)


async def test_hears_nobody_who_was_not_asked(port: int) -> None:
    """The right report, from an address that was not asked."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as meddler:
        meddler.bind((f"{NET}.9", 0))
        async with agent(lambda _: [], HERE, port) as (_, silent):
            asking = asyncio.create_task(ask([HERE], WAIT_S, port=port))
            await until(lambda: bool(silent.senders))
            meddler.sendto(report_to(silent.heard[0], AXIS), silent.senders[0])
            assert await asking == []


async def test_asks_ipv6_addresses_too(port: int) -> None:
    async with agent(engine(AXIS), "::1", port):
        (found,) = await ask(["::1"], 1, port=port)
    assert (found.address, found.mac) == ("::1", MAC)


async def test_an_id_that_came_with_the_firmware_joins_nobody(port: int) -> None:
    async with agent(engine(AXIS), HERE, port), agent(engine(AXIS), f"{NET}.2", port):
        found = await ask([HERE, f"{NET}.2"], WAIT_S, port=port)
    assert [(one.address, one.mac, one.manufacturer) for one in found] == [
        (HERE, None, "Axis Communications"),
        (f"{NET}.2", None, "Axis Communications"),
    ]


def test_only_macs_of_several_addresses_are_left_out() -> None:
    one, other = seen(mac=MAC), seen(mac="00:04:9f:11:22:33")
    copy = replace(one, address="10.0.0.9")
    assert own_macs([one, one, other]) == [one, one, other]
    assert own_macs([one, other, copy]) == [seen(), other, replace(copy, mac=None)]


# --- beside other ways -----------------------------------------------------------------------------------------------

CAMERA = Sighting(
    address=HERE, port=80, scheme="http", sources=("ws-discovery",), scopes=("onvif://www.onvif.org/name/x",)
)


def test_merges_with_what_else_was_seen_there_and_is_believed_last() -> None:
    hint = seen(manufacturer="Axis Communications", mac=MAC)
    (silent,) = merge([hint, CAMERA])
    assert (silent.sources, silent.manufacturer, silent.mac) == (("snmp", "ws-discovery"), "Axis Communications", MAC)
    assert (silent.port, says_camera(silent)) == (80, True)
    (telling,) = merge([hint, replace(CAMERA, manufacturer="Zenith")])
    assert telling.manufacturer == "Zenith"
    (elsewhere,) = merge([hint, replace(CAMERA, address="10.0.0.9", mac=MAC, manufacturer="Zenith")])
    assert (elsewhere.sources, elsewhere.manufacturer) == (("snmp", "ws-discovery"), "Zenith")


def test_a_mac_that_the_camera_does_not_have_is_not_laid_on_it() -> None:
    merged = merge([seen(mac=MAC), replace(CAMERA, port=None, scheme=None, mac="00:04:9f:11:22:33")])
    assert {(one.sources, one.mac) for one in merged} == {(("snmp",), MAC), (("ws-discovery",), "00:04:9f:11:22:33")}


WORDS = {
    "it answers SNMP": (seen(), False),
    "it answers SNMP, with an agent of Cisco": (seen(manufacturer="Cisco", mac=MAC), False),
    "it answers SNMP, and calls itself 'HP ETHERNET'": (seen(scopes=("HP ETHERNET",)), False),
    "it answers SNMP, with an agent of Axis Communications": (seen(manufacturer="Axis Communications"), False),
    "it answers SNMP, and calls itself '; AXIS P3265-V; Network Camera; 12.11'": (
        seen(scopes=("; AXIS P3265-V; Network Camera; 12.11",)),
        True,
    ),
}


@pytest.mark.parametrize(("words", "row"), WORDS.items(), ids=WORDS)
def test_is_a_camera_only_in_its_own_words(words: str, row: tuple[Sighting, bool]) -> None:
    sighting, is_camera = row
    assert in_words(sighting) == words
    assert says_camera(sighting) is is_camera


# --- simulated cameras, and a real agent -----------------------------------------------------------------------------


def camera(family: str) -> CameraPlan:
    options = Options(cameras=1, mix={family: 1}, faults={}, base="127.99.0.1")
    plan = plan_estate(options, one_address=False, low_ports=True).cameras[0]
    return give("snmp-on", plan, Random(1))  # noqa: S311 - reproducible on purpose


def says(plan: CameraPlan) -> Callable[[bytes], list[bytes]]:
    return lambda asked: [said] if (said := answer(plan, asked)) else []


SIMULATED = {
    "axis": ("Axis Communications", True),
    "hikvision": (None, False),
    "dahua": (None, True),
    "hanwha": ("Hanwha (Samsung Techwin)", False),
}


@pytest.mark.parametrize(("family", "expected"), SIMULATED.items(), ids=SIMULATED)
async def test_simulated_cameras(family: str, expected: tuple[str | None, bool], port: int) -> None:
    plan = camera(family)
    maker, has_mac = expected
    async with agent(says(plan), HERE, port):
        (found,) = await ask([HERE], 1, port=port)
        (named,) = await ask([HERE], 1, port=port, public=True)
    assert (found.manufacturer, found.mac, found.scopes) == (maker, plan.mac if has_mac else None, ())
    assert says_camera(named) is (family == "axis")
    assert plan.name.split()[0] in named.scopes[0] or plan.model in named.scopes[0]


def test_every_family_of_the_simulator_is_asked_here() -> None:
    assert set(SIMULATED) == set(SNMP_SWITCHES)


CONFIGURATIONS = {
    "a community of v2c": ("rocommunity public 127.0.0.1", None, None, "A simulated lobby"),
    "another community": ("rocommunity not-that-one 127.0.0.1", None, None, None),
    "no community at all": ("", None, None, None),
    "an engine by MAC": ("exactEngineID 0x800001700300408c123456", "Axis Communications", MAC, None),
    "an engine by text": ("engineID lobby", None, None, None),
}


@pytest.mark.parametrize(("words", "maker", "mac", "text"), CONFIGURATIONS.values(), ids=CONFIGURATIONS)
async def test_a_real_agent(
    words: str, maker: str | None, mac: str | None, text: str | None, snmpd: str, tmp_path: Path
) -> None:
    async with running_snmpd(snmpd, tmp_path, words) as its_port:
        (found,) = await ask(["127.0.0.1"], 2, port=its_port)
        (named,) = await ask(["127.0.0.1"], 2, port=its_port, public=True)
    assert (found.manufacturer, found.mac, found.scopes) == (maker, mac, ())
    assert named.scopes == ((text,) if text else ())

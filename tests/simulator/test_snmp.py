"""Simulated cameras' SNMP: every byte of what they say, and when they say nothing."""

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import replace
from random import Random

import pytest

from simulator import Options, plan_estate, snmp
from simulator.camera import Camera
from simulator.faults import SNMP_SWITCHES, give
from simulator.plan import CameraPlan
from simulator.snmp import Agents, answer, versions_on, versions_served
from simulator.tls import Authority
from tests.simulator.asking import estate
from tests.simulator.changing import until

DESCR, OBJECT, UPTIME = "2b06010201010100", "2b06010201010200", "2b06010201010300"
NULL = "0500"
NO_OBJECT, NO_INSTANCE = "8000", "8100"


def camera(family: str = "axis", *, on: bool = True, low_ports: bool = True) -> CameraPlan:
    options = Options(cameras=1, mix={family: 1}, faults={}, base="127.99.0.1")
    plan = plan_estate(options, one_address=False, low_ports=low_ports).cameras[0]
    return give("snmp-on", plan, Random(1)) if on else plan  # noqa: S311 - reproducible on purpose


def tlv(tag: int, *parts: bytes | str) -> bytes:
    content = b"".join(bytes.fromhex(part) if isinstance(part, str) else part for part in parts)
    size = len(content)
    return bytes((tag, *((size,) if size < 128 else (0x82, size >> 8, size & 255)))) + content


def message(
    *names: str,
    values: tuple[bytes | str, ...] = (),
    version: int = 1,
    community: bytes = b"public",
    pdu: int = 0xA0,
    status: str = "020100 020100",
) -> bytes:
    """Of SNMP: names with NULL for a question, with `values` for an answer."""
    given = values or (NULL,) * len(names)
    rows = [tlv(0x30, tlv(6, name), value) for name, value in zip(names, given, strict=True)]
    return tlv(0x30, tlv(2, bytes((version,))), tlv(4, community), tlv(pdu, "02047f000001", status, tlv(0x30, *rows)))


def told(*names: str, values: tuple[bytes | str, ...], version: int = 1, status: str = "020100 020100") -> bytes:
    return message(*names, values=values, version=version, pdu=0xA2, status=status)


AXIS = camera()
TEXT = tlv(4, f" ; {AXIS.name}; Network Camera; {AXIS.firmware}; Jun 03 2026 08:11; 931.1; 1;".encode())
KIND = "06082b0601040182 7001"

ANSWERS: Mapping[str, tuple[bytes, bytes | None]] = {
    "both values": (message(DESCR, OBJECT), told(DESCR, OBJECT, values=(TEXT, KIND))),
    "the other way round": (message(OBJECT, DESCR), told(OBJECT, DESCR, values=(KIND, TEXT))),
    "nothing asked": (message(), told(values=())),
    "another object": (message(UPTIME, OBJECT), told(UPTIME, OBJECT, values=(NO_OBJECT, KIND))),
    "another instance": (message(DESCR[:-2] + "01"), told(DESCR[:-2] + "01", values=(NO_INSTANCE,))),
    "another community": (message(DESCR, community=b"private"), None),
    "no community": (message(DESCR, community=b""), None),
    "GetNext": (message(DESCR, pdu=0xA1), None),
    "an answer": (message(DESCR, pdu=0xA2), None),
    "a change": (message(DESCR, pdu=0xA3), None),
    "version 3": (message(DESCR, version=3), None),
    "version 1, which is off": (message(DESCR, version=0), None),
    "no OID": (
        tlv(0x30, "020101", tlv(4, b"public"), tlv(0xA0, "020101 020100 020100", tlv(0x30, "3004 0401ff 0500"))),
        None,
    ),
    "an indefinite length": (bytes.fromhex("3080") + message(DESCR)[2:], None),
    "cut off": (message(DESCR)[:-1], None),
    "nothing": (b"", None),
    "rubbish": (b"hello", None),
}


@pytest.mark.parametrize(("asked", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_version_2c(asked: bytes, expected: bytes | None) -> None:
    assert answer(AXIS, asked) == expected


def test_version_1_says_which_name_it_does_not_have() -> None:
    plan = replace(AXIS, parameters=(("SNMP.Enabled", "yes"), ("SNMP.V1", "yes")))
    assert answer(plan, message(DESCR, version=0)) == told(DESCR, values=(TEXT,), version=0)
    missing = told(DESCR, UPTIME, values=(NULL, NULL), version=0, status="020102 020102")
    assert answer(plan, message(DESCR, UPTIME, version=0)) == missing
    assert answer(plan, message(DESCR)) is None


@pytest.mark.parametrize("family", SNMP_SWITCHES)
def test_the_fault_switches_on_what_is_off_as_delivered(family: str) -> None:
    assert versions_on(camera(family, on=False)) == ()
    assert versions_on(camera(family)) == versions_served(camera(family)) == ("v2c",)
    assert versions_served(camera(family, low_ports=False)) == ()


def test_switched_on_in_one_place_only_is_off() -> None:
    assert versions_on(replace(AXIS, parameters=(("SNMP.V1", "yes"), ("SNMP.V2c", "yes")))) == ()


# --- version 3 -------------------------------------------------------------------------------------------------------


def asked_for_engine(engine: bytes | str = b"", *, flags: str = "040104", model: str = "020103") -> bytes:
    security = tlv(0x30, tlv(4, engine), "020100", "020100", "0400", "0400", "0400")
    request = tlv(0xA0, "02020102", "020100", "020100", "3000")
    header = tlv(0x30, "02047f000001", "02021000", flags, model)
    return tlv(0x30, "020103", header, tlv(4, security), tlv(0x30, "0400", "0400", request))


def engine_told(engine: bytes) -> bytes:
    security = tlv(0x30, tlv(4, engine), "020101", "020101", "0400", "0400", "0400")
    row = tlv(0x30, "060a2b060106030f01010400", "410101")
    told = tlv(0xA8, "02020102", "020100", "020100", tlv(0x30, row))
    header = tlv(0x30, "02047f000001", "020300ffe3", "040100", "020103")
    return tlv(0x30, "020103", header, tlv(4, security), tlv(0x30, tlv(4, engine), "0400", told))


ENGINES = {
    "axis": ("80000170 03", True),
    "hikvision": ("80001f88 80", False),
    "dahua": ("80001f88 03", True),
    "hanwha": ("80008ff1 04", False),
}


@pytest.mark.parametrize(("family", "engine"), ENGINES.items(), ids=ENGINES)
def test_whoever_asks_for_the_engine_is_told_it(family: str, engine: tuple[str, bool]) -> None:
    plan = camera(family)
    own = snmp.engine_id(plan)
    start, by_mac = engine
    assert own.startswith(bytes.fromhex(start))
    assert (own[5:].hex(":") == plan.mac) is by_mac
    assert 5 <= len(own) <= 32
    assert answer(plan, asked_for_engine()) == engine_told(own)
    assert answer(plan, asked_for_engine(b"another engine")) == engine_told(own)
    assert answer(plan, asked_for_engine(own)) is None
    assert answer(camera(family, on=False), asked_for_engine()) is None


def test_every_family_with_snmp_has_an_engine() -> None:
    assert set(ENGINES) == set(SNMP_SWITCHES)


UNANSWERED = {
    "nobody wants a report": asked_for_engine(flags="040100"),
    "another model of security": asked_for_engine(model="020101"),
    "no flags": asked_for_engine(flags="0400"),
    "no request": tlv(0x30, "020103", "3000", "0400", "3000"),
    "the version alone": tlv(0x30, "020103"),
    "cut off": asked_for_engine()[:-4],
}


@pytest.mark.parametrize("asked", UNANSWERED.values(), ids=UNANSWERED)
def test_no_engine_is_told(asked: bytes) -> None:
    assert answer(AXIS, asked) is None


# --- by UDP ----------------------------------------------------------------------------------------------------------


def free_port(address: str) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
        trial.bind((address, 0))
        return int(trial.getsockname()[1])


async def heard(plan: CameraPlan, port: int, datagram: bytes) -> bytes | None:
    """What it answers; None where nothing comes within a moment, or nothing listens."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.setblocking(False)
        asking.connect((plan.address, port))
        try:
            await loop.sock_sendall(asking, datagram)
            return await asyncio.wait_for(loop.sock_recv(asking, 65536), 0.2)
        except (TimeoutError, ConnectionRefusedError):
            return None


async def test_it_answers_while_it_is_on_and_awake() -> None:
    device = Camera(camera(on=False), Authority.new())
    port = free_port(device.plan.address)
    agents = Agents([device], port)
    asked = message(DESCR)
    await agents.start()
    assert await heard(device.plan, port, asked) is None
    device.become(camera())
    assert agents.misses(device)
    await agents.start()
    assert not agents.misses(device)
    assert await heard(device.plan, port, asked) == answer(device.plan, asked) is not None
    device.become(camera(on=False))
    assert await heard(device.plan, port, asked) is None
    device.become(camera())
    assert await heard(device.plan, port, message(DESCR, community=b"private")) is None
    assert await heard(device.plan, port, asked) is not None
    agents.stop()
    await asyncio.sleep(0)
    assert await heard(device.plan, port, asked) is None
    assert agents.problems == []


async def test_an_occupied_port_is_a_problem_told_and_no_end() -> None:
    device = Camera(camera(), Authority.new())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((device.plan.address, 0))
        port = other.getsockname()[1]
        agents = Agents([device], port)
        await agents.start()
        await agents.start()
        assert agents.problems == [f"udp {device.plan.address}:{port}: Address already in use"]
        agents.stop()


async def test_an_estate_answers_for_a_camera_that_was_switched_on_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snmp, "PORT", free_port("127.0.0.1"))
    monkeypatch.setattr(snmp, "LOW_PORTS_END", 65536)
    async with estate(cameras=2, mix={"axis": 1}, faults={"snmp-on": 1}) as running:
        on, off = sorted(running.cameras, key=lambda one: not versions_on(one.plan))
        assert await heard(on.plan, snmp.PORT, message(DESCR)) is not None
        assert await heard(off.plan, snmp.PORT, message(DESCR)) is None
        off.become(replace(off.plan, parameters=on.plan.parameters))
        await until(lambda: not running.snmp.misses(off))
        assert await heard(off.plan, snmp.PORT, message(DESCR)) is not None
        assert running.snmp.problems == []


async def test_an_estate_on_high_ports_has_no_snmp() -> None:
    async with estate(mix={"axis": 1}, faults={"snmp-on": 1}) as running:
        assert not running.snmp.misses(running.cameras[0])
        assert running.snmp.problems == []

"""`discover` asks a network, here loopback with simulated cameras of several makers."""

import asyncio
import json
import os
import socket
from pathlib import Path

from fleet.cli.outcomes import ExitCode
from tests.assessment.estate import running_estate
from tests.cli.running import Ended, camwarden, started
from tests.discovery.test_ws_discovery import port
from tests.probes.snmp_agents import agent, answer_to, is_v3, report_to

__all__ = ["port"]  # a fixture

# Each process of a parallel run has an estate of its own, and asks from an address of its own.
NUMBER = os.getpid() % 200
BASE, HERE = f"127.{20 + NUMBER // 100}.{NUMBER % 100 + 100}.1", f"127.{1 + NUMBER}.79.1"
WORDS = ("--cameras=3", "--mix=axis=1,hikvision=1,dahua=1", "--seed=7", f"--base={BASE}", "--high-ports")
MAKERS = {"axis": "Axis Communications", "hikvision": "Hikvision", "dahua": "Dahua Technology"}
SOURCES = {
    "axis": ["mdns", "ssdp", "ws-discovery"],
    "hikvision": ["sadp", "ws-discovery"],
    "dahua": ["dhdiscover", "ws-discovery"],
}


async def test_lists_who_announces_himself_and_how(tmp_path: Path) -> None:
    faults = ("--fault=discovery-left-on=3", "--fault=factory-default=3")
    async with running_estate(tmp_path, *WORDS, *faults) as estate:
        end = await camwarden(tmp_path, "discover", "--interface", HERE, "--json")
        table = await camwarden(tmp_path, "discover", "--interface", HERE)
    assert (end.code, end.err) == (ExitCode.GOOD, "")
    seen = {one["address"]: one for one in json.loads(end.out)["cameras"]}
    for camera in estate.manifest["cameras"]:
        one = seen[camera["address"]]
        assert (one["port"], one["sources"]) == (camera["port"], SOURCES[camera["vendor"]])
        assert (one["mac"], one["serial"]) == (camera["mac"], camera["serial"])
        assert one["mac_maker"] == MAKERS[camera["vendor"]]
        assert one["activated"] is (None if camera["vendor"] == "axis" else False)
        (line,) = [line for line in table.out.splitlines() if camera["mac"] in line]
        assert ("never set up" in line) is (camera["vendor"] != "axis")


async def test_a_port_in_use_costs_one_protocol_only_and_is_told(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as selfish:
        selfish.bind((HERE, 37020))
        async with running_estate(tmp_path, *WORDS, "--fault=discovery-left-on=3") as estate:
            end = await camwarden(tmp_path, "discover", "--interface", HERE, "--json")
    assert end.code == ExitCode.GOOD
    assert "sadp" in end.err
    assert "Address already in use" in end.err
    seen = {one["address"]: one["sources"] for one in json.loads(end.out)["cameras"]}
    for camera in estate.manifest["cameras"]:
        assert seen[camera["address"]] == [way for way in SOURCES[camera["vendor"]] if way != "sadp"]


# --- by SNMP, at another port than 161, which needs no rights --------------------------------------------------------

AT_PORT = (
    "import sys; from scanners.discovery import snmp; snmp.PORT = int(sys.argv.pop(1)); from fleet.cli import main"
)
SWITCH, PRINTER, NOBODY = (f"127.{20 + NUMBER // 100}.{NUMBER % 100 + 100}.{last}" for last in (201, 202, 203))


async def discover_at(port: int, home: Path, *words: str) -> Ended:
    process = await started(home, port, "discover", *words, code=f"{AT_PORT}; main()")
    try:
        out, err = await asyncio.wait_for(process.communicate(), 50)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Ended(process.returncode or 0, out.decode(), err.decode())


async def test_snmp_is_a_way_like_the_others_and_calls_no_switch_a_camera(tmp_path: Path, port: int) -> None:
    async with running_estate(tmp_path, *WORDS, "--fault=discovery-left-on=3") as estate:
        cameras = {camera["vendor"]: camera for camera in estate.manifest["cameras"]}
        hikvision = cameras["hikvision"]["address"]
        mac = bytes.fromhex(cameras["hikvision"]["mac"].replace(":", ""))

        def is_a_camera(asked: bytes) -> list[bytes]:
            return [report_to(asked, bytes.fromhex("800098fd 03") + mac)]

        def is_a_switch(asked: bytes) -> list[bytes]:
            return [report_to(asked, bytes.fromhex("80000009 03 00049f112233"))] * is_v3(asked)

        def is_a_printer(asked: bytes) -> list[bytes]:
            return [answer_to(asked, b"HP ETHERNET")] * (not is_v3(asked))

        words = (hikvision, SWITCH, PRINTER, NOBODY, "--interface", HERE)
        async with (
            agent(is_a_camera, hikvision, port),
            agent(is_a_switch, SWITCH, port),
            agent(is_a_printer, PRINTER, port) as (_, printer),
        ):
            table = await discover_at(port, tmp_path, *words)
            end = await discover_at(port, tmp_path, *words, "--json")
            assert all(is_v3(asked) for asked in printer.heard)
            with_public = await discover_at(port, tmp_path, *words, "--json", "--snmp-public")
    assert (end.code, end.err, table.code, with_public.code) == (ExitCode.GOOD, "", ExitCode.GOOD, ExitCode.GOOD)
    found = json.loads(end.out)
    seen = {one["address"]: one for one in found["cameras"]}
    assert seen[hikvision]["sources"] == ["sadp", "snmp", "sweep", "ws-discovery"]
    assert seen[hikvision]["mac"] == cameras["hikvision"]["mac"]
    assert not {SWITCH, PRINTER, NOBODY} & set(seen)
    (line,) = [line for line in table.out.splitlines() if cameras["hikvision"]["mac"] in line]
    assert "sadp, snmp, sweep, ws-discovery" in line
    nothing = "no port that we tried answers"
    switch = (SWITCH, "not-a-camera", f"{nothing}; it answers SNMP, with an agent of Cisco")
    nobody = (NOBODY, "unreachable", nothing)
    assert others(end) == [switch, (PRINTER, "unreachable", nothing), nobody]
    named = (PRINTER, "not-a-camera", f"{nothing}; it answers SNMP, and calls itself 'HP ETHERNET'")
    assert others(with_public) == [switch, named, nobody]


def others(end: Ended) -> list[tuple[str, str, str]]:
    """Those that were asked for; other estates may announce themselves on loopback."""
    asked = (SWITCH, PRINTER, NOBODY)
    found = json.loads(end.out)["not_cameras"]
    return [(one["address"], one["reason"], one["detail"]) for one in found if one["address"] in asked]

"""`discover` asks a network, here loopback with simulated cameras of several makers."""

import json
import os
import socket
from pathlib import Path

from fleet.cli.outcomes import ExitCode
from tests.assessment.estate import running_estate
from tests.cli.running import camwarden

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

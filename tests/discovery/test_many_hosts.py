"""Several hosts on one network, each in a namespace of its own: each protocol finds the cameras that speak it.

A network namespace needs rights, and `ip`, that not every machine has. Where none can be made, this module has no test,
rather than one that is always skipped: test_simulated.py proves the same with many addresses of one host.
"""

import asyncio
import json
import shutil
import subprocess
import sys

import pytest

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # people's own leaves out where `ip` may be
UNSHARED = ("unshare", "--user", "--map-root-user", "--net")
BRIDGED = "ip link add br0 type bridge && ip link add v0 type veth peer name v1"
SOURCES = {
    "axis": ["mdns", "snmp", "ssdp", "ws-discovery"],
    "hikvision": ["sadp", "snmp", "ws-discovery"],
    "dahua": ["dhdiscover", "snmp", "ws-discovery"],
    "onvif": ["ws-discovery"],
}


def _can_be_joined() -> bool:
    if shutil.which("ip", path=PATH) is None:
        return False
    try:
        tried = subprocess.run(
            [*UNSHARED, "sh", "-c", BRIDGED], capture_output=True, timeout=10, check=False, env={"PATH": PATH}
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return tried.returncode == 0


if _can_be_joined():

    @pytest.mark.timeout(180)
    async def test_each_protocol_finds_the_cameras_that_speak_it() -> None:
        process = await asyncio.create_subprocess_exec(
            *(*UNSHARED, sys.executable, "-m", "tests.discovery.many_hosts", *SOURCES),
            stdout=asyncio.subprocess.PIPE,
            env={"PYTHONPATH": ".", "PATH": PATH},
        )
        try:
            said, _ = await asyncio.wait_for(process.communicate(), 150)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        told = json.loads(said)
        by_vendor = {vendor: told["found"].get(address) for vendor, address in told["places"].items()}
        assert by_vendor == SOURCES
        assert len(told["found"]) == len(SOURCES)

"""One camera on a host of its own: run inside a network namespace whose only way out is `eth0`.

    python -m tests.discovery.one_host ADDRESS VENDOR

It waits for a line, since eth0 is put into the namespace after it was started, says "ready", and ends with its input.
"""

import asyncio
import subprocess
import sys
from dataclasses import replace

from simulator import Estate, discovery, snmp
from simulator.camera import Camera
from simulator.discovery import Responder
from simulator.faults import SNMP_SWITCHES
from simulator.options import Options


def network(address: str) -> None:
    for words in (
        ("link", "set", "lo", "up"),
        ("addr", "add", f"{address}/24", "dev", "eth0"),
        ("link", "set", "eth0", "up"),
        ("route", "add", "default", "dev", "eth0"),
    ):
        subprocess.run(["ip", *words], check=True, timeout=10)


async def serve(address: str, vendor: str) -> None:
    faults = {"discovery-left-on": 1, **({"snmp-on": 1} if vendor in SNMP_SWITCHES else {})}
    options = Options(cameras=1, mix={vendor: 1}, faults=faults, low_ports=True)
    running = Estate(options)
    # Simulated estates are for loopback; this host is nobody else's.
    discovery.INTERFACE = address
    camera = Camera(replace(running.cameras[0].plan, address=address), running.authority)
    running.cameras, running.discovery = [camera], Responder([camera])
    running.snmp = snmp.Agents([camera], snmp.PORT)
    async with running:
        problems = running.discovery.problems + running.snmp.problems
        print(problems or "ready", flush=True)  # noqa: T201
        await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    sys.stdin.readline()
    network(sys.argv[1])
    asyncio.run(serve(sys.argv[1], sys.argv[2]))

"""A network of several hosts, each in a namespace of its own, joined by a bridge: who is found there, and by what.

    unshare --user --map-root-user --net python -m tests.discovery.many_hosts VENDOR...

Prints one JSON object: by vendor the address that its camera has, and by address the protocols that it was found by.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from pathlib import Path

from scanners.discovery import ask_everybody, snmp
from scanners.discovery.sightings import merge

WAIT_S = 3.0
START_S = 60.0


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, timeout=10)


async def host(stack: contextlib.AsyncExitStack, number: int, vendor: str) -> str:
    """Its address, when its camera answers."""
    address = f"10.77.0.{10 + number}"
    process = await asyncio.create_subprocess_exec(
        *("unshare", "--net", sys.executable, "-m", "tests.discovery.one_host", address, vendor),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    stack.push_async_callback(process.wait)
    assert process.stdin is not None
    assert process.stdout is not None
    stack.callback(process.stdin.close)
    # `unshare` becomes the program, so that its process is the one in the new namespace.
    _until_apart(process.pid)
    ip("link", "add", f"v{number}", "type", "veth", "peer", "name", "eth0", "netns", str(process.pid))
    ip("link", "set", f"v{number}", "master", "br0", "up")
    process.stdin.write(b"go\n")
    said = await asyncio.wait_for(process.stdout.readline(), START_S)
    if said != b"ready\n":
        raise RuntimeError(f"{vendor}: {said!r}")
    return address


def _until_apart(pid: int) -> None:
    ours = Path("/proc/self/ns/net").readlink()
    for _ in range(500):
        if Path(f"/proc/{pid}/ns/net").readlink() != ours:
            return
        time.sleep(0.01)
    raise RuntimeError("the host got no network of its own")


async def main(vendors: list[str]) -> None:
    ip("link", "set", "lo", "up")
    ip("link", "add", "br0", "type", "bridge")
    ip("addr", "add", "10.77.0.1/24", "dev", "br0")
    ip("link", "set", "br0", "up")
    ip("route", "add", "default", "dev", "br0")
    async with contextlib.AsyncExitStack() as stack:
        places = {vendor: await host(stack, number, vendor) for number, vendor in enumerate(vendors)}
        told = await ask_everybody(["br0"], WAIT_S)
        seen = merge(told + await snmp.ask([f"10.77.0.{last}" for last in range(2, 255)], WAIT_S, 256))
    found = {one.address: sorted(one.sources) for one in seen}
    print(json.dumps({"places": places, "found": found}))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))

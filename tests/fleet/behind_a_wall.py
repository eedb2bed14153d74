"""A place that nobody reaches: run in a network namespace of its own, with a listening socket made outside of it.

Cameras are on this namespace's loopback; an SSH server takes from the socket whose descriptor is named, and it alone
stands in both networks. Keys come by stdin, as JSON; a line on stdout says that all is there.
"""

import asyncio
import fcntl
import json
import socket
import struct
import sys
from pathlib import Path

import asyncssh

from simulator.estate import Estate
from simulator.options import from_words
from tests.fleet.jump_server import JumpServer, listening

SIOCSIFFLAGS, IFF_UP = 0x8914, 1


def bring_up(interface: str) -> None:
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", interface.encode(), IFF_UP))


async def main() -> None:
    keys = json.loads(sys.stdin.readline())
    server = JumpServer(asyncssh.import_private_key(keys["host_key"]), asyncssh.import_private_key(keys["taken"]))
    words = ["--cameras", "2", "--base", keys["base"], "--clean", "--no-discovery", "--one-login", "--high-ports"]
    async with (
        Estate(from_words([*words, "--manifest", keys["manifest"]])),
        listening(server, socket.socket(fileno=int(sys.argv[1]))),
    ):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        said = json.dumps([server.connections, server.forwarded])
        await asyncio.to_thread(Path(keys["told"]).write_text, said)


if __name__ == "__main__":
    bring_up("lo")
    asyncio.run(main())

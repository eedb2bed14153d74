"""Agents of SNMP on loopback, which say exactly what a test gives them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

Say = Callable[[bytes], Sequence[bytes]]


def answer_to(asked: bytes, text: bytes = b"A camera", number: bytes | None = None) -> bytes:
    """The Response to a question of ours, in its version and with its number (or, as an INTEGER, another)."""
    request = asked[asked.index(b"\xa0") + 2 :]
    number = number or request[: 2 + request[1]]
    rows = b"\x30" + bytes((12 + len(text),)) + bytes.fromhex("06082b06010201010100") + bytes((4, len(text))) + text
    response = number + b"\2\1\0\2\1\0" + bytes((0x30, len(rows))) + rows
    head = asked[2:5] + b"\4\6public"
    return bytes((0x30, len(head) + 2 + len(response))) + head + bytes((0xA2, len(response))) + response


def is_v1(asked: bytes) -> bool:
    return asked[2:5] == b"\2\1\0"


class Agent(asyncio.DatagramProtocol):
    def __init__(self, say: Say) -> None:
        self.say = say
        self.heard: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.heard.append(data)
        for datagram in self.say(data):
            self.transport.sendto(datagram, addr)  # type: ignore[attr-defined] # of datagrams


@asynccontextmanager
async def agent(say: Say, address: str = "127.0.0.1", port: int = 0) -> AsyncIterator[tuple[int, Agent]]:
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Agent(say), local_addr=(address, port)
    )
    try:
        yield transport.get_extra_info("sockname")[1], protocol
    finally:
        transport.close()
        await asyncio.sleep(0)

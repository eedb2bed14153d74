"""Agents of SNMP on loopback: some say exactly what a test gives them, one is net-snmp's."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

Say = Callable[[bytes], Sequence[bytes]]
UP_S = 10.0


def tlv(tag: int, *parts: bytes | str) -> bytes:
    """An element with its length in the shortest form."""
    content = b"".join(bytes.fromhex(part) if isinstance(part, str) else part for part in parts)
    size = len(content)
    if size < 128:
        return bytes((tag, size)) + content
    digits = size.to_bytes(-(-size.bit_length() // 8))
    return bytes((tag, 128 + len(digits))) + digits + content


def report(
    engine: bytes,
    number: bytes | str = "020401020304",
    *,
    version: str = "020103",
    flags: str = "040100",
    model: str = "020103",
    pdu: int = 0xA8,
    security: bytes | None = None,
    more: bytes | str = b"",
) -> bytes:
    """As net-snmp 5.9 answers whoever asks for its engine by the message with this number (an INTEGER)."""
    own, row = tlv(4, engine), "300f 060a2b060106030f01010400 410101"
    if security is None:
        security = tlv(0x30, own, "020102", "020101", "0400", "0400", "0400")
    told = tlv(pdu, number, "020100", "020100", tlv(0x30, row))
    header = tlv(0x30, number, "020300ffe3", flags, model)
    return tlv(0x30, version, header, tlv(4, security), tlv(0x30, own, "0400", told), more)


def report_to(asked: bytes, engine: bytes) -> bytes:
    """The report on a question of ours, in its number."""
    number = asked[asked.index(b"\x30", 1) + 2 :]
    return report(engine, number[: 2 + number[1]])


def is_v3(asked: bytes) -> bool:
    return asked[2:5] == b"\2\1\3"


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
        self.senders: list[tuple[str, int]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.heard.append(data)
        self.senders.append(addr)
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


@asynccontextmanager
async def running_snmpd(program: str, folder: Path, words: str) -> AsyncIterator[int]:
    """net-snmp's agent on loopback with a configuration, and a state, of its own; it is up when it says so."""
    async with agent(lambda _: []) as (port, _):
        pass
    settings = folder / "snmpd.conf"
    settings.write_text(
        f"agentaddress udp:127.0.0.1:{port}\nsysDescr A simulated lobby\nsysObjectID .1.3.6.1.4.1.368.4\n{words}\n"
    )
    process = await asyncio.create_subprocess_exec(
        *(program, "-f", "-C", "-c", str(settings), "-LE", "7", "-I", "system_mib,snmp_mib,vacm_conf,usmConf"),
        env={"SNMP_PERSISTENT_DIR": str(folder), "MIBS": "", "PATH": "/usr/bin:/bin"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(UP_S):
            said = b""
            while b"NET-SNMP version" not in said:
                line = await process.stderr.readline()
                said += line
                assert line, f"snmpd ended: {said.decode(errors='replace')}"
        yield port
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.communicate()

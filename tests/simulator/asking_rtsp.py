"""An RTSP client of the tests' own: Digest by hand, packets as they come inside the connection."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from simulator.onvif import stream_path
from simulator.plan import CameraPlan
from tests.simulator.asking import login_of


@dataclass(frozen=True, slots=True)
class Rtp:
    """One packet of a channel."""

    channel: int
    payload: bytes
    marker: bool
    sequence: int
    timestamp: int


class Client:
    def __init__(self, plan: CameraPlan, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.plan = plan
        self.url = f"rtsp://{plan.address}:{plan.rtsp_port}{stream_path(plan, 2)}"
        self.session = ""
        self._reader, self._writer = reader, writer
        self._challenge = ""
        self._count = 0

    async def say(self, method: str, url: str = "", headers: str = "", *, login: bool = True) -> tuple[int, str]:
        """The status and all that was said with it; packets in between are lost. Logs in when asked to."""
        url = url or self.url
        for _ in range(2):
            self._count += 1
            known = self._authorization(method, url) if login and self._challenge else ""
            session = f"Session: {self.session}\r\n" if self.session else ""
            text = f"{method} {url} RTSP/1.0\r\nCSeq: {self._count}\r\n{session}{known}{headers}\r\n"
            self._writer.write(text.encode())
            status, answer = await self._answer()
            if status != 401 or not login or known:
                break
            self._challenge = answer
        found = re.search(r"Session: (\w+)", answer)
        self.session = found[1] if found else self.session
        return status, answer

    async def set_up(self, track: int, channel: int) -> tuple[int, str]:
        transport = f"Transport: RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}\r\n"
        return await self.say("SETUP", f"{self.url}/trackID={track}", transport)

    async def packet(self) -> Rtp:
        """The next RTP packet; reports about packets are skipped."""
        while True:
            channel, data = await self._framed()
            if channel % 2 == 0:
                sequence, timestamp = int.from_bytes(data[2:4], "big"), int.from_bytes(data[4:8], "big")
                return Rtp(channel, data[12:], bool(data[1] & 0x80), sequence, timestamp)

    async def whole(self) -> tuple[list[Rtp], bytes]:
        """Packets up to a marker, and their payloads together."""
        packets = [await self.packet()]
        while not packets[-1].marker:
            packets.append(await self.packet())
        return packets, b"".join(packet.payload for packet in packets)

    async def _framed(self) -> tuple[int, bytes]:
        head = await self._reader.readexactly(4)
        assert head[:1] == b"$"
        return head[1], await self._reader.readexactly(int.from_bytes(head[2:], "big"))

    async def _answer(self) -> tuple[int, str]:
        while (first := await self._reader.readexactly(1)) == b"$":
            length = await self._reader.readexactly(3)
            await self._reader.readexactly(int.from_bytes(length[1:], "big"))
        head = (first + await self._reader.readuntil(b"\r\n\r\n")).decode()
        size = next((int(line[15:]) for line in head.splitlines() if line.startswith("Content-Length:")), 0)
        return int(head.split(" ")[1]), head + (await self._reader.readexactly(size)).decode()

    def _authorization(self, method: str, url: str) -> str:
        name, password = login_of(self.plan)
        realm, nonce = (self._challenge.partition(f'{key}="')[2].partition('"')[0] for key in ("realm", "nonce"))
        algorithm = "SHA-256" if "SHA-256" in self._challenge else "MD5"
        hashed = hashlib.sha256 if algorithm == "SHA-256" else hashlib.md5
        ha1, ha2 = (hashed(t.encode()).hexdigest() for t in (f"{name}:{realm}:{password}", f"{method}:{url}"))
        response = hashed(f"{ha1}:{nonce}:{ha2}".encode()).hexdigest()
        said = {"username": name, "realm": realm, "nonce": nonce, "uri": url, "response": response}
        fields = ", ".join(f'{key}="{value}"' for key, value in said.items())
        return f"Authorization: Digest {fields}, algorithm={algorithm}\r\n"


@asynccontextmanager
async def client(plan: CameraPlan) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection(plan.address, plan.rtsp_port)
    try:
        yield Client(plan, reader, writer)
    finally:
        writer.close()
        await writer.wait_closed()

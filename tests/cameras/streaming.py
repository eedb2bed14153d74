"""A camera that streams: a loopback server that answers each RTSP request with exactly the given bytes."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

SDP = (
    b"v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=live\r\nt=0 0\r\na=control:*\r\n"
    b"m=audio 0 RTP/AVP 0\r\na=control:track0\r\n"
    b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
    b"a=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0LAHtkA,aMuDyyA=\r\na=control:track1\r\n"
    b"m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\na=control:track2\r\n"
)


@dataclass
class Streaming:
    """`heard`: requests as they came, one entry each."""

    port: int = 0
    heard: list[bytes] = field(default_factory=list)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def methods(self) -> list[str]:
        return [request.split(b" ")[0].decode() for request in self.heard]


def answer(status: str = "200 OK", *headers: str, body: bytes = b"") -> bytes:
    """`{cseq}` becomes the number of the request."""
    lines = [f"RTSP/1.0 {status}", "CSeq: {cseq}", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def rtp(payload: bytes, sequence: int, timestamp: int, *, marker: bool = True, first: int = 0x80) -> bytes:
    second = 96 | (0x80 if marker else 0)
    head = bytes((first, second)) + sequence.to_bytes(2, "big") + timestamp.to_bytes(4, "big") + b"\0\0\0\1"
    return head + payload


def interleaved(packet: bytes, channel: int = 0) -> bytes:
    return b"$" + bytes((channel,)) + len(packet).to_bytes(2, "big") + packet


SET_UP = answer("200 OK", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "Session: 4242;timeout=60")
GOOD: Mapping[str, Sequence[bytes]] = {
    "DESCRIBE": [answer("200 OK", "Content-Type: application/sdp", body=SDP)],
    "SETUP": [SET_UP],
    "PLAY": [answer()],
    "OPTIONS": [answer()],
    "TEARDOWN": [answer()],
}


@asynccontextmanager
async def streaming(
    answers: Mapping[str, Sequence[bytes]] = GOOD,
    media: bytes = b"",
    *,
    dribble: bool = False,
    stays: bool = False,
) -> AsyncIterator[Streaming]:
    """Each method gets its answers one after the other, the last one for ever; after PLAY the media, then a hang-up."""
    camera = Streaming()
    turns = {method: list(said) for method, said in {**GOOD, **answers}.items()}
    busy: set[asyncio.Task[None]] = set()

    async def say(writer: asyncio.StreamWriter, words: bytes) -> None:
        for piece in (words[i : i + 1] for i in range(len(words))) if dribble else (words,):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            busy.add(task)
            task.add_done_callback(busy.discard)
        try:
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                camera.heard.append(request)
                method = request.split(b" ")[0].decode()
                left = turns[method]
                said = left.pop(0) if len(left) > 1 else left[0]
                number = re.search(rb"CSeq: (\d+)", request)
                await say(writer, said.replace(b"{cseq}", number[1] if number else b"0"))
                if said == b"":
                    return
                if method == "PLAY" and b" 200 " in said[:16]:
                    await say(writer, media)
                    if not stays:
                        return
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            camera.hung_up.set()
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    camera.port = server.sockets[0].getsockname()[1]
    try:
        yield camera
    finally:
        for _ in range(10):  # asyncio loses a connection that is on its way to `serve` when the listener closes
            await asyncio.sleep(0)
        server.close()
        for task in list(busy):
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)
        await server.wait_closed()

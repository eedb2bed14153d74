"""A camera of a few lines: a loopback server that says exactly the given bytes, and remembers what it was asked."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Saying:
    """Requests as they came, one entry each."""

    port: int = 0
    heard: list[bytes] = field(default_factory=list)


def http(body: bytes | str = b"", status: str = "200 OK", *headers: str) -> bytes:
    """One whole HTTP/1.1 answer."""
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + content


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    return head + await reader.readexactly(length)


@asynccontextmanager
async def saying(*replies: bytes | None, dribble: bool = False) -> AsyncIterator[Saying]:
    """Gives the n-th request the n-th reply, and the last one to all after; `None` is silence, `b""` a hang-up."""
    camera = Saying()
    turn = iter(_forever(replies))
    busy: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task:
            busy.add(task)
        try:
            while True:
                camera.heard.append(await _request(reader))
                reply = next(turn)
                if reply is None:
                    await asyncio.Event().wait()
                elif dribble:
                    for i in range(len(reply)):
                        writer.write(reply[i : i + 1])
                        await writer.drain()
                        await asyncio.sleep(0)
                else:
                    writer.write(reply)
                    await writer.drain()
                if not reply or b"Content-Length" not in reply or not _is_whole(reply):
                    break
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            if task:
                busy.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    camera.port = server.sockets[0].getsockname()[1]
    try:
        yield camera
    finally:
        server.close()
        for task in list(busy):
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)
        await server.wait_closed()


def _forever(replies: Sequence[bytes | None]) -> "list[bytes | None]":
    return [*replies, *([replies[-1]] * 200)]


def _is_whole(reply: bytes) -> bool:
    head, _, body = reply.partition(b"\r\n\r\n")
    stated = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
    )
    return len(body) >= stated

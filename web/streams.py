"""Streams of events that end when the service does: whoever listens is told when to ask again."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from starlette.responses import Response, StreamingResponse

RETRY_MS = 3000


def stream(lines: AsyncGenerator[str, None], stopping: asyncio.Event) -> Response:
    return StreamingResponse(_until(lines, stopping), media_type="text/event-stream")


async def _until(lines: AsyncGenerator[str, None], stopping: asyncio.Event) -> AsyncIterator[str]:
    stops = asyncio.create_task(stopping.wait())
    following: asyncio.Task[str | None] | None = None
    try:
        async with aclosing(lines):
            while True:
                following = asyncio.create_task(_next(lines))
                await asyncio.wait({following, stops}, return_when=asyncio.FIRST_COMPLETED)
                if not following.done():
                    await _ended(following)
                    yield f"retry: {RETRY_MS}\n\n"
                    return
                line = following.result()
                if line is None:
                    return
                yield line
    finally:
        await _ended(stops, *([following] if following else []))


async def _next(lines: AsyncGenerator[str, None]) -> str | None:
    return await anext(lines, None)


async def _ended(*tasks: asyncio.Task[object]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

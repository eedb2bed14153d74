"""Streams of events (server-sent events): alive while nothing happens, and never without an end.

A stream ends when the service does, and after a while in any case: whoever listens is told when to ask again, and says
then what it heard last (`Last-Event-ID`), so that nothing is told twice.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

from pydantic import TypeAdapter
from starlette.responses import Response, StreamingResponse

from fleet.people.permissions import Permission
from web.route import EVENTS
from web.visit import Visit

State = TypeVar("State")

RETRY_MS = 3000
# A comment, for whoever stands between: a line on which nothing is said for a minute is often cut.
BEAT_S = 15.0
MOST_S = 3600.0
END = "event: end\ndata: {}\n\n"
_BEAT = ": still here\n\n"
_DIGITS = 24


def stream(lines: AsyncGenerator[str, None], stopping: asyncio.Event) -> Response:
    return StreamingResponse(_until(lines, stopping), media_type=EVENTS)


async def _until(lines: AsyncGenerator[str, None], stopping: asyncio.Event) -> AsyncIterator[str]:
    stops = asyncio.create_task(stopping.wait())
    following: asyncio.Task[str | None] | None = None
    over_at = time.monotonic() + MOST_S
    try:
        async with aclosing(lines):
            while not stops.done() and (left_s := over_at - time.monotonic()) > 0:
                following = following or asyncio.create_task(_next(lines))
                await asyncio.wait({following, stops}, timeout=min(BEAT_S, left_s), return_when=asyncio.FIRST_COMPLETED)
                if following.done():
                    line, following = following.result(), None
                    if line is None:
                        return
                    yield line
                elif not stops.done() and time.monotonic() < over_at:
                    yield _BEAT
            if following:
                await _ended(following)
            yield f"retry: {RETRY_MS}\n\n"
    finally:
        await _ended(stops, *([following] if following else []))


async def _next(lines: AsyncGenerator[str, None]) -> str | None:
    return await anext(lines, None)


async def _ended(*tasks: asyncio.Task[object]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


# --- for machines -----------------------------------------------------------------------------------------------------


def follow_state(
    visit: Visit,
    changes: AsyncGenerator[object, None],
    look: Callable[[], Awaitable[State]],
    written: TypeAdapter[State],
    goes_on: Callable[[State], bool] = lambda _: True,
) -> Response:
    """How something stands now, then at each change; `event: end` once nothing changes by itself any more: either
    `changes` ends then, or the state no longer `goes_on`.

    The id of an event follows from what it says. Whoever comes again and heard that last is told what is new only.
    """
    return stream(_states(visit, changes, look, written, goes_on), visit.desk.stopping)


async def _states(
    visit: Visit,
    changes: AsyncGenerator[object, None],
    look: Callable[[], Awaitable[State]],
    written: TypeAdapter[State],
    goes_on: Callable[[State], bool],
) -> AsyncGenerator[str, None]:
    told = visit.request.headers.get("last-event-id", "")
    async with aclosing(changes):
        async for _ in changes:
            if not await visit.still_may(Permission.READ):
                return
            now = await look()
            data = written.dump_json(now)
            mark = hashlib.sha256(data).hexdigest()[:_DIGITS]
            if mark != told:
                yield f"id: {mark}\ndata: {data.decode()}\n\n"
            told = mark
            if not goes_on(now):
                break
    yield END

"""Entity tags: what is there now, in a few letters. Clients ask with them "anything new?" and say "only as I saw it".

A tag is a digest over the bytes of the answer, so that it is another one as soon as anything of it is another (strong,
as RFC 9110 has it in section 8.8). Nothing has to be kept for it, and no table can forget to count up.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any
from weakref import WeakValueDictionary

from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from fleet.errors import ChangedMeanwhile
from web.route import JSON

_DIGITS = 32
_ANY = "*"
# What belongs to the order, and not to the look at what it is about.
_OF_THE_ORDER = frozenset(
    (b"if-match", b"if-none-match", b"content-length", b"content-type", b"transfer-encoding", b"idempotency-key")
)


def tag_of(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:_DIGITS]}"'


def names(header: str, tag: str) -> bool:
    """Does a list of tags hold this one? `*` is any. A weak mark does not count: none of ours is weak."""
    return any(one.strip().removeprefix("W/") == tag for one in header.split(",")) or header.strip() == _ANY


class TaggedRoute(APIRoute):
    """What it answers with has a tag, and nothing is sent to who has it already."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def tagged(request: Request) -> Response:
            response = await handle(request)
            if response.status_code >= HTTPStatus.MULTIPLE_CHOICES or response.media_type != JSON:
                return response
            tag = response.headers.setdefault("ETag", tag_of(bytes(response.body)))
            if request.method == "GET" and names(request.headers.get("if-none-match", ""), tag):
                return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": tag})
            return response

        return tagged


class Orders:
    """Orders about one object, one after the other: between the look at its tag and the change nobody comes in."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def about(self, path: str) -> AsyncIterator[None]:
        lock = self._locks.setdefault(path, asyncio.Lock())
        async with lock:
            yield


async def as_looked_at(request: Request, path: str) -> None:
    """Refuse an order with `If-Match` about what is not what its sender looked at any more.

    `path` is where it is looked at; what is there stands in `request.state.looked_at` for the handler. That
    there is nothing the handler itself says. Raises ChangedMeanwhile.
    """
    wanted = request.headers.get("if-match")
    if wanted is None or wanted.strip() == _ANY:
        return
    status, tag, body = await _look(request, path)
    if status != HTTPStatus.OK:
        return
    if not names(wanted, tag) or "W/" in wanted:
        raise ChangedMeanwhile("this has changed since you looked; look again, and decide again")
    request.state.looked_at = json.loads(body)


async def _look(request: Request, path: str) -> tuple[int, str, bytes]:
    """What a GET of that path says to the same visitor, by the same rows: status, tag, body."""
    headers = [pair for pair in request.scope["headers"] if pair[0] not in _OF_THE_ORDER]
    scope = {
        **{name: request.scope[name] for name in ("type", "asgi", "http_version", "scheme", "server", "client", "app")},
        "starlette.exception_handlers": request.scope.get("starlette.exception_handlers"),
        "root_path": "",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
        "state": {"request_id": getattr(request.state, "request_id", "")},
    }
    said: dict[str, Any] = {"status": 0, "tag": "", "body": b""}

    async def nothing() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def hear(message: Message) -> None:
        if message["type"] == "http.response.start":
            said["status"] = message["status"]
            said["tag"] = dict(message["headers"]).get(b"etag", b"").decode()
        else:
            said["body"] += message.get("body", b"")

    await AsyncExitStackMiddleware(request.app.router)(scope, nothing, hear)
    return said["status"], said["tag"], said["body"]

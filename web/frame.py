"""What every request passes through around its handler: host list, size limit, headers, and the last safety net."""

import logging
import re
from collections.abc import Callable
from http import HTTPStatus
from ipaddress import ip_address
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

BODY_LIMIT_BYTES = 1024 * 1024
# What carries a photo of a phone.
PHOTO_LIMIT_BYTES = 13 * 1024 * 1024

# Nothing inline at all, hence neither nonces nor hashes to get wrong. Trusted Types turn every innerHTML into an error.
_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "object-src 'none'",
    "require-trusted-types-for 'script'",
)

HEADERS = {
    "Content-Security-Policy": "; ".join(_POLICY),
    "X-Content-Type-Options": "nosniff",
    # Nothing to other sites; with "no-referrer" browsers would also hide the origin of our own forms from us.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), usb=(), payment=(), browsing-topics=()",
    "Cache-Control": "no-store",
}

Failure = Callable[[Request, int, str], Response]


class Frame:
    """The outermost layer.

    `hosts` are the names we answer to, without port; `failure` draws an error; `photos` are the paths that may carry
    a photo.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: frozenset[str],
        secure: bool,
        failure: Failure,
        photos: re.Pattern[str] | None = None,
    ) -> None:
        self._app = app
        self._photos = photos
        self._hosts = hosts
        self._failure = failure
        self._headers = dict(HEADERS)
        if secure:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        request = Request(scope, receive)
        try:
            most = self._most(scope["path"])
            self._check(request.headers, most)
            await self._app(scope, _limited(receive, most), send_with_headers)
        except HTTPException as exc:
            await self._failure(request, exc.status_code, exc.detail)(scope, receive, send_with_headers)
        except ClientDisconnect:
            return  # nobody is there to be told
        except Exception:
            # The boundary: whatever went wrong, the traceback is kept and the visitor gets a number to quote.
            number = uuid4().hex[:12]
            log.exception("request failed", extra={"incident": number, "path": scope["path"]})
            if started:
                raise
            detail = f"The fault is ours and has been written to the log as {number}."
            await self._failure(request, 500, detail)(scope, receive, send_with_headers)

    def _most(self, path: str) -> int:
        return PHOTO_LIMIT_BYTES if self._photos and self._photos.fullmatch(path) else BODY_LIMIT_BYTES

    def _check(self, headers: Headers, most: int) -> None:
        name = host_name(headers.get("host", ""))
        if name not in self._hosts and not _is_address(name):
            raise HTTPException(HTTPStatus.BAD_REQUEST, "This service does not answer to that host name.")
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit():
            raise HTTPException(HTTPStatus.BAD_REQUEST, "The length of the request cannot be read.")
        if int(length) > most:
            raise _too_large(most)


def host_name(host: str) -> str:
    """The name of a Host header, lower case, without its port: "[::1]:8080" gives "[::1]"."""
    name = host.lower()
    return name[: name.find("]") + 1] if name.startswith("[") else name.partition(":")[0]


def _is_address(name: str) -> bool:
    """The list keeps out names that somebody else points at us (DNS rebinding); an address cannot be pointed."""
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _limited(receive: Receive, most: int) -> Receive:
    """A body may come in pieces without saying how long it is: count what really arrives."""
    arrived = 0

    async def counted() -> Message:
        nonlocal arrived
        message = await receive()
        arrived += len(message.get("body", b""))
        if arrived > most:
            raise _too_large(most)
        return message

    return counted


def _too_large(most: int) -> HTTPException:
    said = "one mebibyte" if most == BODY_LIMIT_BYTES else f"{most // 1024 // 1024} mebibytes"
    return HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A request to this address may hold {said} at most.")

"""What every request passes through around its handler: host list, size limit, headers, and the last safety net."""

import logging
import re
import time
from collections.abc import Callable
from http import HTTPStatus
from ipaddress import ip_address

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cameras.untrusted import clean_text
from web.request_ids import HEADER, request_id

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
# A request that was answered: its method, its row of the route table, its status, its seconds.
Count = Callable[[str, str, int, float], None]
# Asked for every few seconds, and by every page: their lines are for those who look closely.
_QUIET = ("/static/", "/healthz", "/readyz", "/metrics")
_ABANDONED = 499


class Frame:
    """The outermost layer.

    `hosts` are the names we answer to, without port; `failure` draws an error; `photos` are the paths that may carry
    a photo. `count` is told of every answer.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: frozenset[str],
        secure: bool,
        failure: Failure,
        photos: re.Pattern[str] | None = None,
        count: Count = lambda *_: None,
    ) -> None:
        self._app = app
        self._count = count
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
        number, began_s = request_id(scope), time.perf_counter()
        scope.setdefault("state", {})["request_id"] = number
        status = _ABANDONED

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers[HEADER] = number
            await send(message)

        with structlog.contextvars.bound_contextvars(request=number):
            try:
                await self._answer(scope, receive, send_with_headers, lambda: status != _ABANDONED)
            finally:
                self._tell(scope, status, time.perf_counter() - began_s)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, started: Callable[[], bool]) -> None:
        request = Request(scope, receive)
        try:
            most = self._most(scope["path"])
            self._check(request.headers, most)
            await self._app(scope, _limited(receive, most), send)
        except HTTPException as exc:
            await self._failure(request, exc.status_code, exc.detail)(scope, receive, send)
        except ClientDisconnect:
            return  # nobody is there to be told
        except Exception:
            # The boundary: whatever went wrong, the traceback is kept and the visitor gets the number to quote.
            log.exception("request failed", extra={"path": clean_text(scope["path"], 200)})
            if started():
                raise
            detail = "The fault is ours and has been written to the log under the number of this request."
            await self._failure(request, 500, detail)(scope, receive, send)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        """One line per request: no query string, no header, nothing that was sent."""
        path, method = scope["path"], scope["method"]
        self._count(method, getattr(scope.get("route"), "path", "none"), status, seconds)
        level = logging.DEBUG if path.startswith(_QUIET) else logging.INFO
        said = {"method": method, "path": clean_text(path, 200), "status": status, "ms": round(seconds * 1000, 1)}
        log.log(level, "request", extra=said)

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

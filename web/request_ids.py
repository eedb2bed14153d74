"""One id for everything that one request causes: in the log, in the answer, on the page of an error."""

import re
import secrets
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

HEADER = "X-Request-Id"
# Who really connected, before a proxy's word on whom it speaks for is believed.
PEER = "camwarden.peer"
_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


class Peer:
    """Outside whatever rewrites the client's address."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope[PEER] = scope.get("client")
        await self._app(scope, receive, send)


def request_id(scope: Scope) -> str:
    """A well-formed one of a proxy on this machine, else a new one: nobody else writes into our log."""
    given = Headers(scope=scope).get(HEADER, "")
    return given if _is_loopback(_peer(scope)) and _FORM.fullmatch(given) else secrets.token_hex(8)


def came_straight_from_this_machine(scope: Scope) -> bool:
    """Not through a proxy on it, which speaks for anybody."""
    headers = Headers(scope=scope)
    return _is_loopback(_peer(scope)) and not any(name in headers for name in _FORWARDED)


def _peer(scope: Scope) -> str:
    address = scope.get(PEER) or scope.get("client")
    return address[0] if address else ""


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False

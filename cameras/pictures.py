"""Pictures as cameras send them by HTTP."""

import httpx

from cameras.errors import Garbled, Unauthorized, Unsupported
from cameras.http import Reply


def decode_picture(reply: Reply) -> bytes:
    """The picture's bytes. Unauthorized, Unsupported (no such address), Garbled (no picture)."""
    if reply.status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise Unauthorized(f"snapshot: HTTP {reply.status}")
    if reply.status == httpx.codes.NOT_FOUND:
        raise Unsupported("snapshot: HTTP 404")
    if not is_picture(reply.body):
        raise Garbled(f"snapshot: HTTP {reply.status} without a picture")
    return reply.body


def is_picture(body: bytes) -> bool:
    """JPEG, as ONVIF wants it, or PNG, as some servers have it."""
    return body.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"))

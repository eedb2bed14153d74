"""A NetBox of a few lines: its list of devices, in the shape that its serializers give, page by page.

Written after netbox-community/netbox (docs/integrations/rest-api.md, netbox/api/pagination.py and authentication.py,
dcim/api/serializers_/devices.py) and the replies that pynetbox is tested with.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

TOKEN = "0123456789abcdef0123456789abcdef01234567"
NEW_TOKEN = "nbt_GvXqTr3JzWnA.0lm2kM5pYd8sQe7uRf6tVg4h"
Headers = Mapping[str, str]
Answer = tuple[int, Mapping[str, str], bytes]


def address(number: int, text: str) -> dict[str, Any]:
    """Nested, as in version 4: its family is a choice, where it was a number before."""
    family = {"value": 6, "label": "IPv6"} if ":" in text else {"value": 4, "label": "IPv4"}
    here = f"http://netbox/api/ipam/ip-addresses/{number}/"
    return {"id": number, "url": here, "display": text, "family": family, "address": text, "description": ""}


def device(number: int, ip4: str | None = None, *, ip6: str | None = None, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """With the fields of `DeviceSerializer` that somebody might look at."""
    four = address(number, ip4 or f"10.0.{number >> 8}.{number & 255}/24") if ip4 != "" else None
    six = address(number + 5000, ip6) if ip6 else None
    named = {"id": 1, "url": "http://netbox/api/dcim/manufacturers/1/", "display": "Axis", "name": "Axis"}
    return {
        "id": number,
        "url": f"http://netbox/api/dcim/devices/{number}/",
        "display": f"cam-{number}",
        "name": f"cam-{number}",
        "device_type": {"id": 2, "manufacturer": {**named, "slug": "axis"}, "model": "P3265-V", "slug": "p3265-v"},
        "role": {"id": 3, "name": "Camera", "slug": "camera"},
        "tenant": None,
        "platform": None,
        "serial": f"B8A44F{number:06X}",
        "asset_tag": None,
        "site": {"id": 1, "name": "Harbour", "slug": "harbour"},
        "position": None,
        "status": {"value": "active", "label": "Active"},
        "primary_ip": four or six,
        "primary_ip4": four,
        "primary_ip6": six,
        "comments": "",
        "tags": [{"id": 4, "name": "cctv", "slug": "cctv", "color": "9e9e9e"}],
        "custom_fields": {},
        **more,
    }


@dataclass
class Box:
    """`most` is its MAX_PAGE_SIZE, `calls_itself` the address by which it knows itself. `heard` is what was asked."""

    devices: Sequence[Mapping[str, Any]]
    most: int = 1000
    calls_itself: str = ""
    heard: list[tuple[str, Headers]] = field(default_factory=list)

    def __call__(self, target: str, headers: Headers) -> Answer:
        self.heard.append((target, headers))
        parts = urlsplit(target)
        if headers.get("authorization") not in (f"Token {TOKEN}", f"Bearer {NEW_TOKEN}"):
            return said(403, {"detail": "Invalid token"})
        if not parts.path.endswith("/api/dcim/devices/"):
            return said(404, {"detail": "Not found."})
        asked = parse_qs(parts.query)
        for name, slug in (("tag", "cctv"), ("role", "camera"), ("site", "harbour")):
            if wrong := set(asked.get(name, [])) - {slug}:
                text = f"Select a valid choice. {min(wrong)} is not one of the available choices."
                return said(400, {name: [text]})
        return said(200, self._page(parts.path, dict(parse_qsl(parts.query)), headers))

    def _page(self, path: str, asked: Mapping[str, str], headers: Headers) -> dict[str, Any]:
        begin, limit = int(asked.get("offset", 0)), min(int(asked.get("limit", 50)), self.most)
        after = {**asked, "limit": limit, "offset": begin + limit}
        own = self.calls_itself or f"http://{headers['host']}"
        more = f"{own}{path}?{urlencode(after)}" if begin + limit < len(self.devices) else None
        some = list(self.devices[begin : begin + limit])
        return {"count": len(self.devices), "next": more, "previous": None, "results": some}


def said(status: int, body: object) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return status, {"Content-Type": "application/json"}, content


def bytes_of(answer: Answer) -> bytes:
    status, headers, content = answer
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(content)}", "Connection: close"]
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode() + content


@asynccontextmanager
async def serving(
    answer: Callable[[str, Headers], Answer | None], tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """On a port of loopback; an answer of `None` is a hang-up. One request for each connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
                first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                named = (line.partition(":") for line in lines if line)
                headers = {name.lower(): value.strip() for name, _, value in named}
                if (reply := answer(first.split(" ")[1], headers)) is not None:
                    writer.write(bytes_of(reply))
                    await writer.drain()
        finally:
            writer.close()
            with suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]
        # A client that gave up is still being answered, or is only now let in: a server of Python 3.11 that is closed
        # waits for neither, and leaves the second one's connection open.
        async with asyncio.timeout(10):
            await asyncio.sleep(0.02)
            while server._active_count:  # type: ignore[attr-defined] # noqa: ASYNC110, SLF001 - it has no event
                await asyncio.sleep(0.01)

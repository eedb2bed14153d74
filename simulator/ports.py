"""Doors that should not be there: Telnet, FTP, SSH, and ports that accept and say nothing."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import cast

IAC, DO, WILL = 255, 253, 251
TELNET_OPTIONS = bytes((IAC, DO, 24, IAC, DO, 32, IAC, DO, 35, IAC, DO, 39, IAC, WILL, 1, IAC, WILL, 3))
"""Terminal type, speed, X display, environment; the server will echo and suppress go-ahead: what telnetd opens with."""

GREETINGS: Mapping[str, bytes] = MappingProxyType(
    {
        "telnet": TELNET_OPTIONS + b"\r\n\r\nHisilicon (none) login: ",
        "ftp": b"220 IP Camera FTP server ready.\r\n",
        "ssh": b"SSH-2.0-dropbear_2022.83\r\n",
        "silent": b"",
    }
)


class Greeter(asyncio.Protocol):
    """Says its greeting and swallows everything."""

    def __init__(self, service: str, open_transports: set[asyncio.BaseTransport]) -> None:
        self._greeting = GREETINGS[service]
        self._open = open_transports
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._open.add(transport)
        if self._greeting:
            self._transport.write(self._greeting)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the signature is asyncio's
        if self._transport is not None:
            self._open.discard(self._transport)

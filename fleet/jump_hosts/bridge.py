"""One connection to a camera through a jump host: a channel of SSH on one side, a socket on the other.

The socket is one half of a pair, so asyncio's transports and TLS work on the other half as on a connection of their
own. A channel is open before there is a socket: a port that refuses is refused here too, and not accepted and then cut.
Each side stops the other where nobody takes what it sends.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import cast

import asyncssh


class Bridge(asyncssh.SSHTCPSession[bytes]):
    """The side of the channel. `counted` gets 1 when it is there and -1 when it is gone."""

    def __init__(self, counted: Callable[[int], None]) -> None:
        self._counted = counted
        self._channel: asyncssh.SSHTCPChannel[bytes] | None = None
        self._inside: asyncio.Transport | None = None
        self._early: list[bytes] = []  # no more than SSH's window
        self._over = False

    async def socket(self) -> socket.socket:
        """The half that whoever dialled speaks into; theirs to close."""
        ours, theirs = socket.socketpair()
        try:
            theirs.setblocking(False)
            ours.setblocking(False)
            await asyncio.get_running_loop().create_connection(lambda: _Inside(self), sock=ours)
        except BaseException:
            ours.close()
            theirs.close()
            self.leave()
            raise
        return theirs

    # --- what the socket's side says ---

    def joined(self, inside: asyncio.Transport) -> None:
        self._inside = inside
        for data in self._early:
            inside.write(data)
        self._early.clear()
        if self._over:
            inside.write_eof()

    def send(self, data: bytes) -> None:
        if self._channel is not None and not self._channel.is_closing():
            self._channel.write(data)

    def listen(self, *, wanted: bool) -> None:
        """No more for now where whoever dialled does not read."""
        if self._channel is not None:
            (self._channel.resume_reading if wanted else self._channel.pause_reading)()

    def leave(self) -> None:
        """Whoever dialled has hung up: what they said still goes out."""
        if self._channel is not None:
            self._channel.close()

    # --- what asyncssh calls ---

    def connection_made(self, chan: asyncssh.SSHTCPChannel[bytes]) -> None:
        self._channel = chan
        self._counted(1)

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:  # noqa: ARG002 - its signature
        if self._inside is None:
            self._early.append(data)
        elif not self._inside.is_closing():
            self._inside.write(data)

    def eof_received(self) -> bool:
        self._over = True
        if self._inside is not None and not self._inside.is_closing():
            self._inside.write_eof()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._channel, self._over = None, True
        if self._inside is not None:
            (self._inside.abort if exc else self._inside.close)()
        self._counted(-1)

    def pause_writing(self) -> None:
        if self._inside is not None:
            self._inside.pause_reading()

    def resume_writing(self) -> None:
        if self._inside is not None:
            self._inside.resume_reading()


class _Inside(asyncio.Protocol):
    """The side of the socket. Its end is the end of both directions: we never close one of them alone."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._bridge.joined(cast("asyncio.Transport", transport))

    def data_received(self, data: bytes) -> None:
        self._bridge.send(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - its signature
        self._bridge.leave()

    def pause_writing(self) -> None:
        self._bridge.listen(wanted=False)

    def resume_writing(self) -> None:
        self._bridge.listen(wanted=True)


class Knock(asyncssh.SSHTCPSession[bytes]):
    """A channel that is only to show that it opens."""

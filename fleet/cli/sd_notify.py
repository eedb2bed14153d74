"""What systemd wants to hear from a service of Type=notify: one datagram each, to the socket that it names."""

import asyncio
import os
import socket
from contextlib import suppress

_WATCHDOG_PARTS = 2
_US = 1_000_000


class Notify:
    """Says nothing where nobody listens. Programs that we start do not inherit the address."""

    def __init__(self) -> None:
        self._address = os.environ.pop("NOTIFY_SOCKET", "")
        mine = os.environ.pop("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        period = os.environ.pop("WATCHDOG_USEC", "")
        self._period_s = int(period) / _US if mine and period.isascii() and period.isdigit() else 0.0

    def tell(self, **said: str | int) -> None:
        """Such as READY=1. A manager that does not listen keeps nobody waiting."""
        if not self._address:
            return
        text = "\n".join(f"{name}={value}" for name, value in said.items())
        # A name that begins with @ lies in the abstract name space.
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.setblocking(False)
            sender.sendto(text.encode(), address)

    def ready(self, where: str) -> None:
        self.tell(READY=1, STATUS=f"serves {where}")

    def stopping(self, within_s: float) -> None:
        self.tell(STOPPING=1, STATUS="steps under way come to their end", EXTEND_TIMEOUT_USEC=int(within_s * _US))

    async def live(self) -> None:
        """Says that the loop turns, often enough, until it is cancelled: a service that hangs is started anew."""
        while self._period_s:
            self.tell(WATCHDOG=1)
            await asyncio.sleep(self._period_s / _WATCHDOG_PARTS)

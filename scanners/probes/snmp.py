"""Does SNMP answer to the community `public`, and what does the device call itself there?

`public` is what nearly every vendor documents as the default. Asking with it reads two values and changes nothing; it
is no login and touches no lock-out counter. The bytes are read in `snmp_messages`: by a small BER reader of our own,
because the libraries on PyPI are either unmaintained or pull in a compiler for MIBs.
"""

import asyncio
import secrets
from typing import cast

from cameras.errors import Garbled, Refused, Unreachable
from cameras.facts import SnmpAnswer
from cameras.untrusted import network_words
from scanners.probes.snmp_messages import VERSION_NUMBERS, Answer, Version, question, read

PORT = 161
WAIT_S = 1.0
ROUNDS = 2
MOST_DATAGRAMS = 32


async def ask_public(address: str, port: int, wait_s: float = WAIT_S) -> SnmpAnswer:
    """Both versions at once, each at most twice, within `wait_s` in all; v2c where both answer.

    Who sends back nonsense has not answered. Raises Unreachable where nothing could be sent there.
    """
    asker = _Asker()
    loop = asyncio.get_running_loop()
    try:
        # Connected, so that the system hands over what this address sends from this port, and nothing else.
        transport, _ = await loop.create_datagram_endpoint(lambda: asker, remote_addr=(address, port))
    except OSError as error:
        raise Unreachable(f"SNMP: {network_words(error)}") from error
    try:
        for _ in range(ROUNDS):
            asker.ask()
            if await asker.is_done(wait_s / ROUNDS):
                break
    finally:
        transport.abort()
        await asyncio.sleep(0)  # the socket closes in the loop's next round
    return asker.outcome()


class _Asker(asyncio.DatagramProtocol):
    """Asks, and keeps the first answer to each question. Hears no more than `MOST_DATAGRAMS`."""

    def __init__(self) -> None:
        self._request_ids: dict[Version, int] = {version: secrets.randbits(31) for version in VERSION_NUMBERS}
        self._answers: dict[Version, Answer] = {}
        self._heard = 0
        self._failure: OSError | None = None
        self._done = asyncio.Event()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Before Python 3.12 the loop's datagram transport is no DatagramTransport by class, so it cannot be asked for.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def ask(self) -> None:
        for version, request_id in self._request_ids.items():
            if self._transport is not None and version not in self._answers:
                self._transport.sendto(question(version, request_id))

    async def is_done(self, wait_s: float) -> bool:
        try:
            await asyncio.wait_for(self._done.wait(), wait_s)
        except TimeoutError:
            return False
        return True

    def datagram_received(self, data: bytes, addr: tuple[object, ...]) -> None:  # noqa: ARG002 - of the connected one
        self._heard += 1
        for version, request_id in self._request_ids.items():
            try:
                answer = read(data, version, request_id)
            except (Garbled, Refused):
                continue
            self._answers.setdefault(version, answer)
        if "v2c" in self._answers or self._heard >= MOST_DATAGRAMS:
            self._stop()

    def error_received(self, exc: Exception) -> None:
        """The system's word that nothing can come, such as "port unreachable": no need to wait for the end."""
        if isinstance(exc, OSError) and not isinstance(exc, ConnectionRefusedError):
            self._failure = exc
        self._stop()

    def _stop(self) -> None:
        self._done.set()
        if self._transport is not None:
            self._transport.abort()

    def outcome(self) -> SnmpAnswer:
        for version in ("v2c", "v1"):
            if answer := self._answers.get(version):
                return SnmpAnswer(version, answer.description, answer.object_id)
        if self._failure is not None:
            raise Unreachable(f"SNMP: {network_words(self._failure)}")
        return SnmpAnswer(None, None, None)

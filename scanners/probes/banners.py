"""What an open port says first: listened to, and asked only where the question can do no harm.

A port number proves nothing: 23 may be anything. Text is never sent to what may be a login prompt, because the camera
would count it as a failed login.
"""

import asyncio
import re
from collections.abc import Iterable
from typing import Literal

from cameras.errors import Unreachable
from cameras.facts import Banner, Banners
from cameras.untrusted import clean_text
from scanners.probes.dialogue import dialogue, endpoint, naming_failures

Protocol = Literal["telnet", "ftp", "ssh", "http", "rtsp", "tls"]

READ_PORTS = frozenset({21, 22, 23, 2121, 2323, 9527, 9530})
MOST_BANNER_BYTES = 2048
QUIET_S = 0.3

# "Do suppress go-ahead." Every telnet server answers it (RFC 854, 858), and to a login prompt it is no text.
_TELNET_QUESTION = b"\xff\xfd\x03"
# RFC 959; needs no login. SMTP, which greets with 220 as well, does not know it.
_FTP_QUESTION = b"SYST\r\n"

_TELNET_COMMAND = re.compile(rb"\xff(?:[\xfb-\xfe][\x00-\x31\xff]|\xfa[^\xff]{0,64}\xff\xf0|[\xf0-\xf9])")
_TEXT = re.compile(rb"[\x00\x07-\x0d\x1b\x20-\x7e\x80-\xfe]*")
_LOGIN_PROMPT = re.compile(rb"(?:log ?in|user ?name|user|account|password) ?[:>]\s*\Z", re.IGNORECASE)
_FTP_GREETING = re.compile(rb"(?:120|220|421|530)[ -]")
_FTP_ANSWER = re.compile(rb"(?:215|331|332|530|532)[ -]")
_FIRST_BYTES: tuple[tuple[Protocol, re.Pattern[bytes]], ...] = (
    ("ssh", re.compile(rb"SSH-\d")),
    ("http", re.compile(rb"HTTP/\d")),
    ("rtsp", re.compile(rb"RTSP/\d")),
    ("tls", re.compile(rb"[\x15\x16]\x03[\x00-\x04]")),
)


async def read(address: str, ports: Iterable[int], timeout_s: float = 4.0) -> Banners:
    """One banner for each of these ports that is worth listening to (`READ_PORTS`), in order.

    A port that says nothing gets an empty banner that proves nothing. Raises Unreachable where none lets us in.
    """
    wanted = sorted(READ_PORTS.intersection(ports))
    found = await asyncio.gather(*(_read_unless_unreachable(address, port, timeout_s) for port in wanted))
    failures = [one for one in found if isinstance(one, Unreachable)]
    if failures and len(failures) == len(wanted):
        raise failures[0]
    return Banners(
        tuple(
            Banner(port, None, "") if isinstance(one, Unreachable) else one
            for port, one in zip(wanted, found, strict=True)
        )
    )


async def _read_unless_unreachable(address: str, port: int, timeout_s: float) -> Banner | Unreachable:
    try:
        with naming_failures(endpoint(address, port)):
            return await _read_one(address, port, timeout_s)
    except Unreachable as error:
        return error


async def _read_one(address: str, port: int, timeout_s: float) -> Banner:
    async with dialogue(address, port, timeout_s) as (reader, writer):
        said = await _listen(reader, timeout_s * 0.4)
        answer = b""
        if proven(said) is None:
            writer.write(_FTP_QUESTION if _FTP_GREETING.match(said) else _TELNET_QUESTION)
            answer = await _listen(reader, timeout_s * 0.2)
    return Banner(port, proven(said, answer), clean_text(_TELNET_COMMAND.sub(b"", said + answer)))


async def _listen(reader: asyncio.StreamReader, wait_s: float) -> bytes:
    """What is said within `wait_s`, until it pauses. A connection that breaks has said what it said."""
    said = b""
    try:
        async with asyncio.timeout(wait_s):
            while len(said) < MOST_BANNER_BYTES:
                async with asyncio.timeout(QUIET_S if said else None):
                    more = await reader.read(MOST_BANNER_BYTES - len(said))
                if not more:
                    break
                said += more
    except OSError:  # TimeoutError is one
        pass
    return said


def proven(said: bytes, answer: bytes = b"") -> Protocol | None:
    """The protocol that the bytes prove: `said` unasked and `answer` to the question that `said` calls for.

    A login prompt in clear text without telnet's negotiation is telnet too: consoles on odd ports do that.
    """
    for protocol, pattern in _FIRST_BYTES:
        if pattern.match(said or answer):
            return protocol
    if _FTP_GREETING.match(said) and (b"ftp" in said.lower() or _FTP_ANSWER.match(answer)):
        return "ftp"
    text, commands = _TELNET_COMMAND.subn(b"", said + answer)
    if _TEXT.fullmatch(text) and (commands or _LOGIN_PROMPT.search(text)):
        return "telnet"
    return None

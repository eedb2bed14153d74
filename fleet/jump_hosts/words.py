"""What went wrong on the way, in words for the operator, and what a jump host's answer means. Pure."""

import errno
import re
from collections.abc import Sequence

import asyncssh

from cameras.errors import Unreachable
from cameras.untrusted import clean_text, network_words

# What SSH servers say of a port that they could not reach is in words of their system; asyncssh's are Python's.
_SAID: Sequence[tuple[re.Pattern[str], int]] = tuple(
    (re.compile(pattern, re.IGNORECASE), code)
    for pattern, code in (
        (r"refused|errno 111\b|connect call failed", errno.ECONNREFUSED),
        (r"no route|host is unreachable|host is down|errno 113\b", errno.EHOSTUNREACH),
        (r"network is unreachable|errno 101\b", errno.ENETUNREACH),
        (r"timed? ?out|errno 110\b", errno.ETIMEDOUT),
        (r"reset|errno 104\b", errno.ECONNRESET),
    )
)
# Errno in Python's own words goes before what else they hold ("[Errno 113] Connect call failed …").
_NUMBER = re.compile(r"\[errno (\d{1,3})\]", re.IGNORECASE)


def of_camera(error: asyncssh.ChannelOpenError) -> OSError | None:
    """What the camera did with the connection, as a straight one would say it; `None` where the jump host said no."""
    if error.code != asyncssh.OPEN_CONNECT_FAILED:
        return None
    number = _NUMBER.search(error.reason)
    code = int(number[1]) if number else next((code for said, code in _SAID if said.search(error.reason)), 0)
    if not code:
        return OSError(errno.EHOSTUNREACH, f"the jump host cannot reach it: {clean_text(error.reason, 80)}")
    return OSError(code, clean_text(error.reason, 80))  # Python makes ConnectionRefusedError and its like of the number


def of_connecting(error: Exception, jump_host: str, shown: str | None) -> Unreachable:
    """Why there is no connection to the jump host. `shown` is the fingerprint of the key that it showed."""
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        seen = f" ({shown})" if shown else ""
        return Unreachable(
            f"{jump_host} shows another host key{seen} than the one that was confirmed, so nothing was sent to it: "
            "find out why, then confirm the new one"
        )
    if isinstance(error, asyncssh.PermissionDenied):
        return Unreachable(f"{jump_host} does not take our key: put its public half into authorized_keys there")
    if isinstance(error, TimeoutError):
        return Unreachable(f"{jump_host} does not answer")
    if isinstance(error, OSError):
        return Unreachable(f"{jump_host} cannot be reached: {network_words(error)}")
    said = clean_text(str(error), 120) or type(error).__name__
    return Unreachable(f"{jump_host} gives no connection: {said}")

"""One RTP packet (RFC 3550) from its bytes, and the goodbye of RTCP. Pure."""

import struct
from dataclasses import dataclass

_FIXED = struct.Struct(">BBHII")
_VERSION = 2
_BYE = 203
# RTCP packet types 200 to 204 read as RTP have these payload types (RFC 5761 §4): never media.
_LOOKS_LIKE_RTCP = range(72, 77)


@dataclass(frozen=True, slots=True)
class Packet:
    """One RTP packet. `timestamp` is in the track's clock; `at_s` is when it arrived, by our monotonic clock."""

    payload: bytes
    marker: bool
    timestamp: int
    sequence: int
    at_s: float


def read_packet(raw: bytes, at_s: float) -> Packet | None:
    """`None` for what is no RTP packet."""
    if len(raw) < _FIXED.size:
        return None
    first, second, sequence, timestamp, _source = _FIXED.unpack_from(raw)
    if first >> 6 != _VERSION or second & 0x7F in _LOOKS_LIKE_RTCP:
        return None
    start, end = _FIXED.size + 4 * (first & 0x0F), len(raw)
    if first & 0x10:  # a header extension: 16 bits of profile, then its length in words
        if start + 4 > end:
            return None
        start += 4 + 4 * int.from_bytes(raw[start + 2 : start + 4], "big")
    if first & 0x20:  # padding: its last byte counts all of it
        end -= raw[-1]
    if start > end:
        return None
    return Packet(raw[start:end], bool(second & 0x80), timestamp, sequence, at_s)


def says_goodbye(raw: bytes) -> bool:
    """Whether a compound RTCP packet holds a BYE."""
    at = 0
    while at + 4 <= len(raw):
        if raw[at] >> 6 != _VERSION:
            return False
        if raw[at + 1] == _BYE:
            return True
        at += 4 * (1 + int.from_bytes(raw[at + 2 : at + 4], "big"))
    return False


def sequence_gap(before: int, now: int) -> int:
    """How many packets are missing between two sequence numbers; negative for one that comes late or again."""
    ahead = (now - before) & 0xFFFF
    return ahead - 1 if ahead < 0x8000 else ahead - 0x10001  # noqa: PLR2004 - half of the 16-bit circle

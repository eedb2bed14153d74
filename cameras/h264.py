"""H.264 out of RTP (RFC 6184): packets in, access units in Annex B form out. Pure, and bounded.

Packets that are missing cost the NAL unit they belong to and mark the picture as not whole; nothing is waited for,
since over TCP no packet comes late.
"""

import base64
import binascii
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from dataclasses import dataclass

from cameras.rtp import Packet, sequence_gap

START = b"\x00\x00\x00\x01"
MOST_UNIT_BYTES = 8 * 1024 * 1024
MOST_NALS = 2000
_SINGLE = range(1, 24)
_STAP_A, _FU_A = 24, 28
_SLICE_OF_IDR, _SPS, _PPS = 5, 7, 8
_MOST_SETS = 16


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One coded picture. `key`: decoding may begin here. `whole`: no packet of it was missing or unreadable."""

    data: bytes
    timestamp: int
    at_s: float
    key: bool
    whole: bool


def parameter_sets(parameters: Mapping[str, str]) -> bytes:
    """`sprop-parameter-sets` of the session description in Annex B form; what is no base64 is left out."""
    found = bytearray()
    for word in parameters.get("sprop-parameter-sets", "").split(",")[:_MOST_SETS]:
        try:
            nal = base64.b64decode(word.strip(), validate=True)
        except (binascii.Error, ValueError):
            continue
        if nal:
            found += START + nal
    return bytes(found)


class Depacketizer:
    """`push` each packet; `None` until a picture is complete. `missing` counts the packets that never came."""

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self.missing = 0
        self._sets = parameter_sets(parameters)
        self._last: int | None = None
        self._nals: list[bytes] = []
        self._fragment: bytearray | None = None
        self._size = 0
        self._whole = True
        self._first: Packet | None = None

    def push(self, packet: Packet) -> AccessUnit | None:
        """A picture ends with the marker, or where the next one's time begins: then that packet is kept for it."""
        gap = 0 if self._last is None else sequence_gap(self._last, packet.sequence)
        if gap < 0:
            return None  # again, or late: over TCP that is a mistake of the camera's
        self._last = packet.sequence
        if gap:
            self._lose(gap)
        ended = None
        if self._first is not None and packet.timestamp != self._first.timestamp:
            ended = self.finish()
            self._whole = not gap  # what is missing may have been the end of one or the beginning of the other
        if self._first is None:
            self._first = packet
        self._take(packet.payload)
        # Two pictures in one packet's time: the earlier one is given now, a marked one then with the next packet.
        return ended or (self.finish() if packet.marker else None)

    def finish(self) -> AccessUnit | None:
        """What is there of the current picture; at the end of a stream its last one."""
        first, nals, whole = self._first, self._nals, self._whole and self._fragment is None
        self._first, self._nals, self._fragment, self._size, self._whole = None, [], None, 0, True
        if first is None or not nals:
            return None
        kinds = {nal[0] & 0x1F for nal in nals}
        key = _SLICE_OF_IDR in kinds
        sets = self._sets if key and not {_SPS, _PPS} <= kinds else b""
        return AccessUnit(sets + b"".join(START + nal for nal in nals), first.timestamp, first.at_s, key, whole)

    def _lose(self, packets: int) -> None:
        self.missing += packets
        self._fragment, self._whole = None, False

    def _take(self, payload: bytes) -> None:
        kind = payload[0] & 0x1F if payload else 0
        if kind in _SINGLE:
            self._keep(payload)
        elif kind == _STAP_A:
            self._take_several(payload)
        elif kind == _FU_A and len(payload) > 2:  # noqa: PLR2004 - its two header bytes
            self._take_fragment(payload)
        else:  # STAP-B, MTAP and FU-B belong to interleaved mode, which we never ask for
            self._whole = False

    def _take_several(self, payload: bytes) -> None:
        at = 1
        while at + 2 <= len(payload):
            size = int.from_bytes(payload[at : at + 2], "big")
            nal = payload[at + 2 : at + 2 + size]
            if not size or len(nal) != size:
                self._whole = False
                return
            self._keep(nal)
            at += 2 + size

    def _take_fragment(self, payload: bytes) -> None:
        indicator, header = payload[0], payload[1]
        if header & 0x80:  # the first
            self._whole &= self._fragment is None
            self._fragment = bytearray([indicator & 0xE0 | header & 0x1F])
        if self._fragment is None:
            self._whole = False
            return
        self._fragment += payload[2:]
        if len(self._fragment) > MOST_UNIT_BYTES:
            self._fragment, self._whole = None, False
        elif header & 0x40:  # the last
            nal, self._fragment = bytes(self._fragment), None
            self._keep(nal)

    def _keep(self, nal: bytes) -> None:
        self._size += len(nal)
        if self._size > MOST_UNIT_BYTES or len(self._nals) >= MOST_NALS:
            self._whole = False
        else:
            self._nals.append(nal)


async def access_units(
    packets: AsyncIterable[Packet], parameters: Mapping[str, str]
) -> AsyncGenerator[AccessUnit, None]:
    """The pictures of a stream, the last one too where the camera ends it without a marker."""
    depacketizer = Depacketizer(parameters)
    async for packet in packets:
        if unit := depacketizer.push(packet):
            yield unit
    if unit := depacketizer.finish():
        yield unit

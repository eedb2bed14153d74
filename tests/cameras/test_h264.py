"""Pictures out of packets: whole ones, and what is left when packets are missing or make no sense."""

import base64
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from cameras import h264
from cameras.h264 import START, AccessUnit, Depacketizer, access_units, parameter_sets
from cameras.rtp import Packet, sequence_gap
from tests.cameras.moving import h264 as encoded
from tests.cameras.moving import pictures

SPS, PPS = b"\x67\x42\xc0\x1e\xd9", b"\x68\xcb\x83\xcb"
IDR, SLICE = b"\x65" + b"i" * 60, b"\x41" + b"p" * 30
SETS = {"sprop-parameter-sets": ",".join(base64.b64encode(nal).decode() for nal in (SPS, PPS))}


def packet(payload: bytes, sequence: int, timestamp: int = 0, *, marker: bool = False) -> Packet:
    return Packet(payload, marker, timestamp, sequence, 0.0)


def stap(*nals: bytes) -> bytes:
    return b"\x78" + b"".join(len(nal).to_bytes(2, "big") + nal for nal in nals)


def fragments(nal: bytes, size: int) -> list[bytes]:
    """FU-A, as a camera cuts a large NAL unit."""
    head, body = nal[0], nal[1:]
    pieces = [body[i : i + size] for i in range(0, len(body), size)]
    edges = [(0x80 if i == 0 else 0) | (0x40 if i == len(pieces) - 1 else 0) for i in range(len(pieces))]
    return [bytes((head & 0xE0 | 28, edge | head & 0x1F)) + piece for edge, piece in zip(edges, pieces, strict=True)]


def collected(packets: Sequence[Packet], parameters: dict[str, str] | None = None) -> list[AccessUnit]:
    depacketizer = Depacketizer(parameters or {})
    found = [depacketizer.push(one) for one in packets] + [depacketizer.finish()]
    return [unit for unit in found if unit]


def run(payloads: Sequence[bytes], *, first: int = 0, timestamp: int = 0) -> list[Packet]:
    """One picture: the last packet carries the marker."""
    last = len(payloads) - 1
    return [packet(one, (first + i) & 0xFFFF, timestamp, marker=i == last) for i, one in enumerate(payloads)]


FU = fragments(IDR, 25)
WHOLE = {
    "single NAL units": (run([SPS, PPS, IDR]), [SPS, PPS, IDR]),
    "an aggregate": (run([stap(SPS, PPS, IDR)]), [SPS, PPS, IDR]),
    "fragments": (run([stap(SPS, PPS), *FU]), [SPS, PPS, IDR]),
    "fragments over the end of the numbers": (run([SPS, PPS, *FU], first=65533), [SPS, PPS, IDR]),
    "no marker, but an end": ([packet(SPS, 1), packet(PPS, 2), packet(IDR, 3)], [SPS, PPS, IDR]),
    "a packet twice": ([packet(SPS, 1), packet(SPS, 1), packet(PPS, 2), packet(IDR, 3, marker=True)], [SPS, PPS, IDR]),
}


@pytest.mark.parametrize(("packets", "nals"), WHOLE.values(), ids=WHOLE)
def test_a_picture_out_of(packets: list[Packet], nals: list[bytes]) -> None:
    (unit,) = collected(packets)
    assert unit.data == b"".join(START + nal for nal in nals)
    assert (unit.key, unit.whole) == (True, True)


def test_parameter_sets_of_the_session_stand_before_a_key_picture_that_has_none() -> None:
    first, second = collected([*run([IDR]), *run([SLICE], first=1, timestamp=9)], SETS)
    assert first.data == START + SPS + START + PPS + START + IDR
    assert (second.data, second.key) == (START + SLICE, False)


SPROPS = {
    "two sets": (SETS["sprop-parameter-sets"], START + SPS + START + PPS),
    "none": ("", b""),
    "no base64": ("%%%,####", b""),
    "one good and one bad": (f"!!,{base64.b64encode(PPS).decode()}", START + PPS),
    "thousands": (",".join(["Zw=="] * 5000), (START + b"g") * 16),
}


@pytest.mark.parametrize(("said", "expected"), SPROPS.values(), ids=SPROPS)
def test_reads_sprop_parameter_sets_with(said: str, expected: bytes) -> None:
    assert parameter_sets({"sprop-parameter-sets": said}) == expected


def without(packets: list[Packet], number: int) -> list[Packet]:
    return packets[:number] + packets[number + 1 :]


NEXT = run([SLICE], first=10, timestamp=90)
BROKEN = {
    "the first fragment missing": (run([SPS, *FU, SLICE]), 1, [SPS, SLICE]),
    "a middle fragment missing": (run([SPS, *FU, SLICE]), 2, [SPS, SLICE]),
    "the last fragment missing": (run([SPS, *FU, SLICE]), 3, [SPS, SLICE]),
}


@pytest.mark.parametrize(("packets", "lost", "nals"), BROKEN.values(), ids=BROKEN)
def test_loses_only_the_unit_with(packets: list[Packet], lost: int, nals: list[bytes]) -> None:
    (unit,) = collected(without(packets, lost))
    assert unit.data == b"".join(START + nal for nal in nals)
    assert not unit.whole


ODD = {
    "an empty packet": b"",
    "an unknown kind": b"\x7f\0\0",
    "an aggregate that lies about a length": b"\x78\xff\xffab",
    "an aggregate of length zero": b"\x78\0\0",
    "a fragment of two bytes": b"\x7c\x85",
    "a fragment without a beginning": b"\x7c\x05abc",
    "an interleaved aggregate": b"\x79\0\0\0\1a",
}


@pytest.mark.parametrize("payload", ODD.values(), ids=ODD)
def test_a_picture_is_not_whole_with(payload: bytes) -> None:
    (unit,) = collected(run([SPS, payload, SLICE]))
    assert (unit.data, unit.whole) == (START + SPS + START + SLICE, False)


def test_a_lost_marker_ends_the_picture_at_the_next_time_and_both_are_doubtful() -> None:
    packets = [packet(IDR, 1, 10), packet(SLICE, 3, 20, marker=True), packet(SLICE, 4, 30, marker=True)]
    assert [(unit.timestamp, unit.whole) for unit in collected(packets)] == [(10, False), (20, False), (30, True)]


def test_a_picture_without_an_end_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(h264, "MOST_UNIT_BYTES", 1000)
    endless = [packet(SLICE, i) for i in range(100)]
    (unit,) = collected(endless)
    assert len(unit.data) < 1200
    assert not unit.whole
    (fragment, *rest) = fragments(b"\x65" + b"x" * 5000, 50)
    assert collected(run([SPS, fragment, *rest]))[0].data == START + SPS


GAPS = {
    "the next": (1, 2, 0),
    "two lost": (1, 4, 2),
    "over the end": (65535, 0, 0),
    "again": (5, 5, -1),
    "late": (5, 3, -3),
}


@pytest.mark.parametrize(("before", "now", "gap"), GAPS.values(), ids=GAPS)
def test_counts_what_is_missing(before: int, now: int, gap: int) -> None:
    assert sequence_gap(before, now) == gap


async def test_a_real_stream_comes_back_byte_for_byte() -> None:
    stream = encoded(pictures(5))
    nals = [nal for nal in re.split(rb"\x00\x00\x00?\x01", stream) if nal]
    payloads = [piece for nal in nals for piece in (fragments(nal, 100) if len(nal) > 100 else [nal])]

    async def packets() -> AsyncIterator[Packet]:
        for i, payload in enumerate(payloads):
            yield replace(packet(payload, i & 0xFFFF), timestamp=0)

    units = [unit async for unit in access_units(packets(), {})]
    assert b"".join(unit.data for unit in units) == b"".join(START + nal for nal in nals)

"""What cameras send as metadata, byte for byte, and what we make of it."""

import gzip
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from cameras.errors import Garbled, Unsupported
from cameras.metadata import MOST_DOCUMENT_BYTES, Box, MetadataFrame, SeenObject, read_metadata
from cameras.metadata_stream import Documents
from cameras.rtp import Packet

NOON = datetime(2026, 3, 1, 12, 0, 0, 250000, tzinfo=UTC)
HEAD = b'<?xml version="1.0" encoding="UTF-8"?><tt:MetadataStream xmlns:tt="http://www.onvif.org/ver10/schema">'


def document(frames: bytes) -> bytes:
    return HEAD + b"<tt:VideoAnalytics>" + frames + b"</tt:VideoAnalytics></tt:MetadataStream>"


def frame(objects: bytes, attributes: bytes = b'UtcTime="2026-03-01T12:00:00.250Z"', before: bytes = b"") -> bytes:
    return document(b"<tt:Frame " + attributes + b">" + before + objects + b"</tt:Frame>")


def thing(box: bytes, kind: bytes = b'<tt:Class><tt:Type Likelihood="0.9">Human</tt:Type></tt:Class>') -> bytes:
    shape = b"<tt:Shape><tt:BoundingBox " + box + b'/><tt:CenterOfGravity x="0" y="0"/></tt:Shape>'
    return b'<tt:Object ObjectId="7"><tt:Appearance>' + shape + kind + b"</tt:Appearance></tt:Object>"


SQUARE = b'left="-0.5" top="0.5" right="0" bottom="-0.5"'
IN_SQUARE = Box(0.25, 0.25, 0.5, 0.75, "share")
PIXELS = b'left="20" top="180" right="100" bottom="30"'
TO_SQUARE = (
    b'<tt:Transformation><tt:Translate x="-1" y="-1"/><tt:Scale x="0.003125" y="0.00416667"/></tt:Transformation>'
)
DOWNWARDS = b'<tt:Transformation><tt:Translate x="-1" y="1"/><tt:Scale x="0.001" y="-0.002"/></tt:Transformation>'


def seen(box: Box, kind: str | None = "Human", likelihood: float | None = 0.9) -> tuple[SeenObject, ...]:
    return (SeenObject("7", box, kind, likelihood),)


OBJECTS: dict[str, tuple[bytes, tuple[SeenObject, ...]]] = {
    "the ONVIF square has y upwards": (frame(thing(SQUARE)), seen(IN_SQUARE)),
    "a box that is written upside down is the same box": (
        frame(thing(b'left="0" top="-0.5" right="-0.5" bottom="0.5"')),
        seen(IN_SQUARE),
    ),
    "an object that leaves the picture is cut off at its edge": (
        frame(thing(b'left="0.5" top="1.2" right="1.3" bottom="0"')),
        seen(Box(0.75, 0.0, 1.0, 0.5, "share")),
    ),
    "a frame's transformation leads pixels into the square": (
        frame(thing(PIXELS), before=TO_SQUARE),
        seen(Box(0.03125, 0.6249997, 0.15625, 0.93749995, "share")),
    ),
    "a transformation with y downwards": (
        frame(thing(b'left="500" top="250" right="1000" bottom="500"'), before=DOWNWARDS),
        seen(Box(0.25, 0.25, 0.5, 0.5, "share")),
    ),
    "pixels without a transformation stay a grid": (frame(thing(PIXELS)), seen(Box(20, 30, 100, 180, "grid"))),
    "the grid of 8192 is a grid, whatever lies in its first cells": (
        frame(thing(b'left="0" top="0" right="1" bottom="1"') + thing(b'left="0" top="0" right="8191" bottom="4096"')),
        (*seen(Box(0, 0, 1, 1, "grid")), *seen(Box(0, 0, 8191, 4096, "grid"))),
    ),
    "a scale of nothing is no transformation": (
        frame(
            thing(SQUARE),
            before=b'<tt:Transformation><tt:Scale x="0" y="0"/><tt:Translate x="0" y="0"/></tt:Transformation>',
        ),
        seen(IN_SQUARE),
    ),
    "the older way to name a class": (
        frame(
            thing(
                SQUARE,
                b"<tt:Class><tt:ClassCandidate><tt:Type>Vehicle</tt:Type><tt:Likelihood>0.4</tt:Likelihood>"
                b"</tt:ClassCandidate><tt:ClassCandidate><tt:Type>Human</tt:Type><tt:Likelihood>0.6</tt:Likelihood>"
                b"</tt:ClassCandidate></tt:Class>",
            )
        ),
        seen(IN_SQUARE, "Human", 0.6),
    ),
    "of both ways the likelier guess counts": (
        frame(
            thing(
                SQUARE,
                b'<tt:Class><tt:ClassCandidate><tt:Type>Other</tt:Type></tt:ClassCandidate><tt:Type Likelihood="0.8">'
                b"Vehicle</tt:Type></tt:Class>",
            )
        ),
        seen(IN_SQUARE, "Vehicle", 0.8),
    ),
    "a likelihood in percent": (
        frame(thing(SQUARE, b'<tt:Class><tt:Type Likelihood="87">Car</tt:Type></tt:Class>')),
        seen(IN_SQUARE, "Car", 0.87),
    ),
    "a likelihood that is no number": (
        frame(thing(SQUARE, b'<tt:Class><tt:Type Likelihood="NaN">Car</tt:Type></tt:Class>')),
        seen(IN_SQUARE, "Car", None),
    ),
    "no class at all": (frame(thing(SQUARE, b"")), seen(IN_SQUARE, None, None)),
    "another prefix for the same namespace": (
        frame(thing(SQUARE)).replace(b"tt:", b"ns3:").replace(b"xmlns:tt", b"xmlns:ns3"),
        seen(IN_SQUARE),
    ),
    "no prefix, and a namespace of its own": (
        frame(thing(SQUARE)).replace(b"tt:", b"").replace(b"xmlns:tt", b"xmlns").replace(b"ver10", b"ver20"),
        seen(IN_SQUARE),
    ),
    "an id that tries to colour the terminal": (
        frame(thing(SQUARE).replace(b'ObjectId="7"', b'ObjectId="7&#x9b;31m"')),
        (SeenObject("7\ufffd31m", IN_SQUARE, "Human", 0.9),),
    ),
    "an empty frame says that nothing is there": (frame(b""), ()),
}


@pytest.mark.parametrize(("raw", "expected"), OBJECTS.values(), ids=OBJECTS)
def test_reads_objects(raw: bytes, expected: tuple[SeenObject, ...]) -> None:
    (one,) = read_metadata(raw)
    assert one.at == NOON
    assert one.unreadable == 0
    assert [(got.id, got.kind, got.likelihood, got.box.unit) for got in one.objects] == [
        (want.id, want.kind, want.likelihood, want.box.unit) for want in expected
    ]
    for got, want in zip(one.objects, expected, strict=True):
        assert (got.box.left, got.box.top, got.box.right, got.box.bottom) == pytest.approx(
            (want.box.left, want.box.top, want.box.right, want.box.bottom), abs=1e-6
        )


UNREADABLE = {
    "a corner that is not a number": b'left="NaN" top="0.5" right="0" bottom="-0.5"',
    "a corner at infinity": b'left="-inf" top="0.5" right="0" bottom="-0.5"',
    "a corner that is missing": b'left="-0.5" top="0.5" right="0"',
    "a word": b'left="left" top="0.5" right="0" bottom="-0.5"',
    "a box without a width": b'left="0" top="0.5" right="0" bottom="-0.5"',
    "a box beside the picture": b'left="1.1" top="0.5" right="1.3" bottom="-0.5"',
    "a number beyond any picture": b'left="1e300" top="0.5" right="0" bottom="-0.5"',
}


@pytest.mark.parametrize("box", UNREADABLE.values(), ids=UNREADABLE)
def test_leaves_out_what_is_no_box_and_counts_it(box: bytes) -> None:
    (one,) = read_metadata(frame(thing(box) + thing(SQUARE)))
    assert (len(one.objects), one.unreadable) == (1, 1)


def test_an_object_that_only_tells_its_end_is_nothing_unreadable() -> None:
    (one,) = read_metadata(frame(b'<tt:Object ObjectId="7"/>'))
    assert one == MetadataFrame(NOON, None, (), 0)


TIMES = {
    "without a zone it is UTC": (b'UtcTime="2026-03-01T12:00:00.250"', NOON),
    "with another zone": (b'UtcTime="2026-03-01T14:00:00.250+02:00"', NOON),
    "with nine digits": (b'UtcTime="2026-03-01T12:00:00.250000000Z"', NOON),
    "a clock that was never set": (b'UtcTime="1970-01-01T00:07:12Z"', None),
    "no time": (b"", None),
    "a word": (b'UtcTime="noon"', None),
    "a time that no calendar has": (b'UtcTime="2026-02-31T12:00:00Z"', None),
    "the last hour of all, west of Greenwich": (b'UtcTime="9999-12-31T23:59:59-12:00"', None),
}


@pytest.mark.parametrize(("attributes", "at"), TIMES.values(), ids=TIMES)
def test_reads_the_time_or_says_that_there_is_none(attributes: bytes, at: datetime | None) -> None:
    (one,) = read_metadata(frame(b"", attributes))
    assert one.at == at


def test_a_document_of_events_has_no_frames() -> None:
    assert read_metadata(HEAD + b"<tt:Event/><tt:PTZ/></tt:MetadataStream>") == ()


BAD = {
    "unclosed": frame(thing(SQUARE))[:-12],
    "empty": b"",
    "not XML": b"\x00\x01\x02\x03",
    "a web page": b"<html><body>login</body></html>",
    "a prefix that nobody declared": frame(thing(SQUARE)).replace(b"xmlns:tt", b"xmlns:other"),
    "an entity": b'<!DOCTYPE x [<!ENTITY a "b">]>' + frame(b""),
    "an entity of another file": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><MetadataStream>&a;',
    "huge": frame(thing(SQUARE) * 4000),
    "deeper than any object": HEAD + b"<a>" * 5000 + b"</a>" * 5000 + b"</tt:MetadataStream>",
    "more objects than a picture has": frame(thing(SQUARE) * 501),
    "more frames than a document needs": document(b'<tt:Frame UtcTime="2026-03-01T12:00:00Z"/>' * 201),
}


@pytest.mark.parametrize("raw", BAD.values(), ids=BAD)
def test_refuses_what_is_no_document(raw: bytes) -> None:
    with pytest.raises(Garbled):
        read_metadata(raw)


# --- documents out of packets ---

WHOLE = frame(thing(SQUARE))
FIRST, SECOND = WHOLE[:150], WHOLE[150:]


def packets(*pieces: tuple[bytes, bool, int, int]) -> list[Packet]:
    return [Packet(payload, marker, at, sequence, 0.0) for payload, marker, at, sequence in pieces]


STREAMS: dict[str, tuple[list[Packet], list[bytes], int]] = {
    "one document in one packet": (packets((WHOLE, True, 1, 1)), [WHOLE], 0),
    "one document in two": (packets((FIRST, False, 1, 65535), (SECOND, True, 1, 0)), [WHOLE], 0),
    "no marker, but another time": (
        packets((FIRST, False, 1, 1), (SECOND, False, 1, 2), (WHOLE, False, 9, 3), (FIRST, False, 12, 4)),
        [WHOLE, WHOLE],
        0,
    ),
    "no marker, then one": (packets((WHOLE, False, 1, 1), (WHOLE, True, 9, 2)), [WHOLE, WHOLE], 0),
    "a packet is missing in the middle": (
        packets((FIRST, False, 1, 1), (SECOND, True, 1, 3), (WHOLE, True, 2, 4)),
        [WHOLE],
        1,
    ),
    "a document without an end, then a good one": (
        packets(*((b"x" * 60_000, False, 1, number) for number in range(20)), (b"", True, 1, 20), (WHOLE, True, 2, 21)),
        [WHOLE],
        1,
    ),
    "nothing but a marker": (packets((b"", True, 1, 1)), [], 0),
}


@pytest.mark.parametrize(("sent", "expected", "lost"), STREAMS.values(), ids=STREAMS)
def test_puts_documents_together(sent: list[Packet], expected: list[bytes], lost: int) -> None:
    assembled = Documents("VND.ONVIF.METADATA")
    assert [whole for packet in sent for whole in assembled.add(packet)] == expected
    assert assembled.lost == lost


def test_opens_zipped_documents() -> None:
    (packet,) = packets((gzip.compress(WHOLE), True, 1, 1))
    assert Documents("vnd.onvif.metadata+gzip").add(packet) == [WHOLE]


ZIPS: dict[str, Callable[[], bytes]] = {
    "a zip bomb": lambda: gzip.compress(b" " * (MOST_DOCUMENT_BYTES + 1)),
    "said to be zipped, and is not": lambda: WHOLE,
}


@pytest.mark.parametrize("make", ZIPS.values(), ids=ZIPS)
def test_refuses_bad_zips(make: Callable[[], bytes]) -> None:
    (packet,) = packets((make(), True, 1, 1))
    with pytest.raises(Garbled):
        Documents("vnd.onvif.metadata+gzip").add(packet)


def test_says_which_encoding_it_cannot_read() -> None:
    with pytest.raises(Unsupported, match="exi"):
        Documents("vnd.onvif.metadata.exi.onvif")

"""How large a JPEG or PNG says it is, and whether its end is there: read before anything is decoded. Pure."""

from typing import Literal, NamedTuple

from cameras.errors import Garbled

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
# Frame headers hold the size: C0 to CF without DHT (C4), JPG (C8) and DAC (CC).
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_SCAN, _END = 0xDA, 0xD9
_MOST_SEGMENTS = 2000
_PNG_HEAD_BYTES = 24


class PictureHeader(NamedTuple):
    format: Literal["jpeg", "png"]
    width: int
    height: int


def read_header(data: bytes) -> PictureHeader:
    """Raises Garbled for what is neither JPEG nor PNG, has no size, or is cut off."""
    if data.startswith(_PNG):
        header = _png(data)
    elif data.startswith(_JPEG):
        header = _jpeg(data)
    else:
        raise Garbled("neither a JPEG nor a PNG picture")
    if not header.width or not header.height:
        raise Garbled("a picture without a size")
    return header


def _png(data: bytes) -> PictureHeader:
    if len(data) < _PNG_HEAD_BYTES or data[12:16] != b"IHDR":
        raise Garbled("a PNG picture without a header")
    if b"IEND" not in data[-64:] and b"IEND" not in data[_PNG_HEAD_BYTES:]:
        raise Garbled("the picture is cut off: its end is missing")
    return PictureHeader("png", int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big"))


def _jpeg(data: bytes) -> PictureHeader:
    """Segment by segment: a preview inside an APP segment has a size and an end of its own, and counts for neither."""
    at, size = 2, (0, 0)
    for _ in range(_MOST_SEGMENTS):
        at = data.find(b"\xff", at)
        while 0 <= at < len(data) - 1 and data[at + 1] == 0xFF:  # noqa: PLR2004 - fill bytes before a marker
            at += 1
        if at < 0 or at + 4 > len(data):
            raise Garbled("the picture is cut off within its header")
        marker = data[at + 1]
        if marker in _ALONE:
            at += 2
            continue
        if marker in _FRAMES and at + 9 <= len(data):
            size = int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _SCAN:
            break
    else:
        raise Garbled("a picture of too many parts")
    # Within the scan 0xFF is followed by 0x00 or a restart, so these two bytes can only be the end.
    if data.find(bytes((0xFF, _END)), at) < 0:
        raise Garbled("the picture is cut off: its end is missing")
    return PictureHeader("jpeg", *size)

"""Pictures as H.264, and both H.264 and metadata as RTP packets (RFC 3550, RFC 6184)."""

import base64
import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

CLOCK_HZ = 90_000
MOST_PAYLOAD = 1400
VIDEO_TYPE, METADATA_TYPE = 96, 107
GROUP_S = 2.0
SPS, PPS, FU_A = 7, 8, 28
_START = b"\x00\x00\x01"
_UNIX_TO_NTP_S = 2_208_988_800


class Encoder:
    """One stream of pictures. All of it blocks: it belongs into a thread."""

    def __init__(self, size: tuple[int, int], fps: float) -> None:
        import av  # noqa: PLC0415 - a simulator that streams nothing does not pay for it

        group = max(1, round(fps * GROUP_S))
        codec = av.VideoCodecContext.create("libx264", "w")
        codec.width, codec.height = size
        codec.pix_fmt = "yuv420p"
        codec.time_base = Fraction(1, CLOCK_HZ)
        codec.framerate = Fraction(max(1, round(fps)), 1)
        codec.thread_count = 1
        codec.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "crf": "26",
            "x264-params": f"keyint={group}:min-keyint={group}:scenecut=0:repeat-headers=1:annexb=1:sliced-threads=0",
        }
        self._codec = codec
        self._frame_from = av.VideoFrame.from_ndarray

    def encode(self, picture: "npt.NDArray[np.uint8]", timestamp: int) -> list[bytes]:
        """The NAL units of one picture; `timestamp` only ever grows."""
        frame = self._frame_from(picture, format="bgr24").reformat(format="yuv420p")
        frame.pts = timestamp
        return [unit for packet in self._codec.encode(frame) for unit in units(bytes(packet))]


def units(stream: bytes) -> list[bytes]:
    """The NAL units of an Annex B byte stream."""
    parts = stream.split(_START)[1:]
    return [
        unit for unit in (part.rstrip(b"\0") if n < len(parts) - 1 else part for n, part in enumerate(parts)) if unit
    ]


@lru_cache(maxsize=16)
def session_format(size: tuple[int, int], fps: float) -> str:
    """The parameters of a session description's fmtp line. Blocks."""
    import numpy as np  # noqa: PLC0415 - as above

    black = np.zeros((size[1], size[0], 3), np.uint8)
    sets = [unit for unit in Encoder(size, fps).encode(black, 0) if unit[0] & 31 in (SPS, PPS)]
    sprop = ",".join(base64.b64encode(unit).decode() for unit in sets)
    return f"packetization-mode=1;profile-level-id={sets[0][1:4].hex().upper()};sprop-parameter-sets={sprop}"


class RtpSender:
    """The packets of one track; `counts` is how many packets and bytes went out."""

    def __init__(self, payload_type: int, source: int, first: int) -> None:
        self._type = payload_type
        self._source = source & 0xFFFFFFFF
        self._sequence = first & 0xFFFF
        self.counts = (0, 0)

    @property
    def sequence(self) -> int:
        """Of the packet that comes next."""
        return self._sequence

    def video(self, nals: Sequence[bytes], timestamp: int) -> Iterator[bytes]:
        """One picture; the marker stands on its last packet."""
        for place, nal in enumerate(nals):
            pieces = list(_pieces(nal))
            for number, piece in enumerate(pieces):
                last = place == len(nals) - 1 and number == len(pieces) - 1
                yield self._packet(piece, timestamp, marker=last)

    def document(self, text: bytes, timestamp: int) -> Iterator[bytes]:
        """One document; the marker says that it is closed."""
        for start in range(0, len(text), MOST_PAYLOAD):
            end = start + MOST_PAYLOAD
            yield self._packet(text[start:end], timestamp, marker=end >= len(text))

    def report(self, utc: float, timestamp: int) -> bytes:
        """An RTCP sender report: which moment a timestamp means."""
        seconds = int(utc) + _UNIX_TO_NTP_S
        share = int(utc % 1 * (1 << 32))
        packets, size = self.counts
        stamps = (seconds & 0xFFFFFFFF, share, timestamp & 0xFFFFFFFF)
        return struct.pack("!BBH6I", 0x80, 200, 6, self._source, *stamps, packets, size & 0xFFFFFFFF)

    def _packet(self, payload: bytes, timestamp: int, *, marker: bool) -> bytes:
        kind = self._type | (0x80 if marker else 0)
        head = struct.pack("!BBHII", 0x80, kind, self._sequence, timestamp & 0xFFFFFFFF, self._source)
        self._sequence = (self._sequence + 1) & 0xFFFF
        self.counts = (self.counts[0] + 1, self.counts[1] + len(payload))
        return head + payload


def _pieces(nal: bytes) -> Iterator[bytes]:
    """The payloads of a NAL unit: itself where it fits, else fragments of type FU-A."""
    if len(nal) <= MOST_PAYLOAD:
        yield nal
        return
    indicator, kind = nal[0] & 0xE0 | FU_A, nal[0] & 0x1F
    step = MOST_PAYLOAD - 2
    for start in range(1, len(nal), step):
        first, last = start == 1, start + step >= len(nal)
        yield bytes((indicator, kind | first << 7 | last << 6)) + nal[start : start + step]

"""Made-up moving pictures, and the same as H.264."""

from fractions import Fraction
from io import BytesIO

import av
import cv2
import numpy as np

from cameras.decoding import Picture


def pictures(count: int, size: tuple[int, int] = (160, 96)) -> list[Picture]:
    """A bright square that wanders over a gradient."""
    width, height = size
    row = np.linspace(20, 120, width, dtype=np.uint8)
    found = []
    for i in range(count):
        picture = np.ascontiguousarray(np.repeat(np.tile(row, (height, 1))[:, :, None], 3, axis=2))
        cv2.rectangle(picture, (8 + 3 * i, 20), (28 + 3 * i, 40), (40, 200, 250), -1)
        found.append(picture)
    return found


def h264(frames: list[Picture]) -> bytes:
    """Annex B, the first picture with its parameter sets, others depending on it."""
    height, width = frames[0].shape[:2]
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base = Fraction(1, 10)
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "slices": "2", "threads": "1"}
    shown = [av.VideoFrame.from_ndarray(frame, format="bgr24") for frame in frames]
    packets = [packet for frame in [*shown, None] for packet in encoder.encode(frame)]
    return b"".join(bytes(packet) for packet in packets)


def jpeg(picture: Picture, quality: int = 90) -> bytes:
    _, coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return coded.tobytes()


def png(picture: Picture) -> bytes:
    _, coded = cv2.imencode(".png", picture)
    return coded.tobytes()


def movie(frames: list[Picture]) -> bytes:
    """An MP4 file, ten pictures per second."""
    file = BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=10, options={"preset": "ultrafast", "threads": "1"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="bgr24")))
        container.mux(stream.encode(None))
    return file.getvalue()

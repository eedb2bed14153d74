"""The child process that decodes what cameras send: `cameras.decoding` starts it, as a file, isolated.

It imports nothing of ours and gets no environment. Decoders have been made to crash and worse by crafted pictures; here
a crash costs one picture. Questions come on stdin, answers go to stdout, each a head and a body.
"""

import os
import resource
import sys
from collections.abc import Iterator
from typing import IO, Any

os.environ["OPENCV_LOG_LEVEL"] = "SILENT"
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # each thread costs address space, of which there is little

import struct

import av
import cv2
import numpy as np

QUESTION = struct.Struct(">cQIII")  # kind, bytes that follow, most pixels, width, height (or most frames)
ANSWER = struct.Struct(">cQIId")  # kind, bytes that follow, width, height, time in s
MOST_MEMORY_BYTES = 3 * 1024**3
MOST_VIDEO_FRAMES = 1_000_000
VIDEO_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,h264,hevc"


class Undecodable(Exception):
    """The words of the answer."""


def main() -> None:
    for limit, most in (
        (resource.RLIMIT_AS, MOST_MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))
    cv2.setNumThreads(1)
    av.logging.set_level(None)
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    while len(head := questions.read(QUESTION.size)) == QUESTION.size:
        kind, size, most, width, height = QUESTION.unpack(head)
        try:
            for time_s, picture in ANSWERS[kind](questions.read(size), most, width, height):
                _say(answers, b"p", picture.tobytes(), (picture.shape[1], picture.shape[0]), time_s)
            _say(answers, b"e")
        except Undecodable as error:
            _say(answers, b"x", str(error).encode())
        except (cv2.error, av.error.FFmpegError, MemoryError, ValueError) as error:
            _say(answers, b"x", type(error).__name__.encode())


def _say(answers: IO[bytes], kind: bytes, body: bytes = b"", size: tuple[int, int] = (0, 0), time_s: float = 0) -> None:
    answers.write(ANSWER.pack(kind, len(body), *size, time_s))
    answers.write(body)
    answers.flush()


Found = Iterator[tuple[float, "np.ndarray[Any, Any]"]]


def whole(data: bytes, most: int, _width: int, _height: int) -> Found:
    yield 0.0, _decoded(data, cv2.IMREAD_COLOR, most)


def small(data: bytes, most: int, width: int, height: int) -> Found:
    """At that size. JPEG can be decoded at a half, a quarter or an eighth for a fraction of the work."""
    known_width, known_height = struct.unpack(">II", data[:8])
    picture = _decoded(data[8:], reduction(known_width, known_height, width, height), most)
    yield 0.0, resized(picture, width, height)


def resized(picture: "np.ndarray[Any, Any]", width: int, height: int) -> "np.ndarray[Any, Any]":
    """Averaging areas costs seven times as much, and is worth it only where pixels would be left out."""
    much_larger = picture.shape[1] >= 2 * width or picture.shape[0] >= 2 * height
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if much_larger else cv2.INTER_LINEAR)


def reduction(width: int, height: int, wanted_width: int, wanted_height: int) -> int:
    """The flag for the smallest decoding that is not smaller than what is wanted."""
    for divisor, flag in (
        (8, cv2.IMREAD_REDUCED_COLOR_8),
        (4, cv2.IMREAD_REDUCED_COLOR_4),
        (2, cv2.IMREAD_REDUCED_COLOR_2),
    ):
        if width >= divisor * wanted_width and height >= divisor * wanted_height:
            return flag
    return cv2.IMREAD_COLOR


def _decoded(data: bytes, flag: int, most: int) -> "np.ndarray[Any, Any]":
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), flag | cv2.IMREAD_IGNORE_ORIENTATION)
    if picture is None:
        raise Undecodable("it cannot be decoded")
    if picture.shape[0] * picture.shape[1] > most:
        raise Undecodable(f"more than {most} pixels")
    return picture


def units(data: bytes, most: int, frames: int, _height: int) -> Found:
    """H.264 in Annex B form. Pictures that are broken are passed over."""
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    given = 0
    for packet in [*decoder.parse(data), *decoder.parse(b""), None]:
        try:
            decoded = decoder.decode(packet)
        except av.error.FFmpegError:
            continue
        for frame in decoded:
            if frame.width * frame.height > most:
                raise Undecodable(f"more than {most} pixels")
            if not frame.is_corrupt:
                yield 0.0, frame.to_ndarray(format="bgr24")
                given += 1
            if given >= frames:
                return
    if not given:
        raise Undecodable("no picture in it can be decoded")


def video(data: bytes, most: int, _width: int, _height: int) -> Found:
    options = {"protocol_whitelist": "file", "format_whitelist": VIDEO_FORMATS}
    with av.open("file:" + os.fsdecode(data), options=options) as container:
        if not container.streams.video:
            raise Undecodable("it holds no video")
        stream = container.streams.video[0]
        stream.thread_count = 1
        for count, frame in enumerate(container.decode(stream)):
            if frame.width * frame.height > most:
                raise Undecodable(f"more than {most} pixels")
            if count >= MOST_VIDEO_FRAMES:
                raise Undecodable(f"more than {MOST_VIDEO_FRAMES} frames")
            # Some files give no times; the annotation does not know that.
            time_s: float | None = frame.time
            yield float(count) if time_s is None else time_s, frame.to_ndarray(format="bgr24")


ANSWERS = {b"w": whole, b"s": small, b"u": units, b"v": video}

if __name__ == "__main__":
    main()

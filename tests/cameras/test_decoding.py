"""The decoder against pictures that are good, cut, lying, hostile, and a child that dies."""

import asyncio
import os
import signal
import struct
import zlib
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from cameras.decoding import Decoder
from cameras.errors import Garbled
from cameras.picture_header import read_header
from tests.cameras.moving import h264, jpeg, movie, pictures, png

(PICTURE,) = pictures(1)


@pytest.fixture
async def decoder() -> AsyncIterator[Decoder]:
    async with Decoder() as opened:
        yield opened


async def test_decodes_a_png_exactly_and_a_jpeg_nearly(decoder: Decoder) -> None:
    assert np.array_equal(await decoder.picture(png(PICTURE)), PICTURE)
    near = await decoder.picture(jpeg(PICTURE))
    assert near.shape == PICTURE.shape
    assert np.abs(near.astype(int) - PICTURE).mean() < 3


SIZES = {"much smaller": (20, 12), "smaller": (100, 60), "larger": (640, 384), "one pixel": (1, 1)}


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
async def test_decodes_at_another_size(decoder: Decoder, size: tuple[int, int]) -> None:
    for data in (jpeg(PICTURE), png(PICTURE)):
        found = await decoder.small(data, size=size)
        assert found.shape == (size[1], size[0], 3)
        assert abs(float(found.mean()) - PICTURE.mean()) < 8


async def test_a_picture_of_one_pixel_and_one_of_33_million(decoder: Decoder) -> None:
    assert (await decoder.picture(jpeg(PICTURE[:1, :1]))).shape == (1, 1, 3)
    huge = await asyncio.to_thread(lambda: png(np.zeros((4320, 7680, 3), np.uint8)))
    assert (await decoder.small(huge, size=(640, 360))).shape == (360, 640, 3)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_saying(width: int, height: int) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


GOOD = jpeg(PICTURE)
FRAME = GOOD.index(b"\xff\xc0")  # the segment that holds the size
BAD = {
    "nothing": b"",
    "words": b"<html>not a picture</html>",
    "a GIF": b"GIF89a" + b"\0" * 40,
    "a JPEG cut in the middle": GOOD[: len(GOOD) // 2],
    "a JPEG cut within its header": GOOD[:12],
    "two bytes of a JPEG": GOOD[:2],
    "a JPEG of fill bytes": b"\xff\xd8" + b"\xff" * 5000,
    "a JPEG of thousands of parts": b"\xff\xd8" + b"\xff\xe1\0\2" * 5000,
    "a JPEG without a size": GOOD[: FRAME + 5] + b"\0\0\0\0" + GOOD[FRAME + 9 :],
    "a PNG cut in the middle": png(PICTURE)[:200],
    "a PNG cut within its header": png(PICTURE)[:20],
    "a PNG that says it has 10 thousand million pixels": png_saying(100_000, 100_000),
    "a PNG whose pixels are missing": png_saying(300, 300),
    "a PNG without a size": png_saying(0, 10),
    "rubbish in the place of a scan": GOOD[:-400] + bytes(range(100)) * 3,
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
async def test_names_what_cannot_be_decoded(decoder: Decoder, data: bytes) -> None:
    with pytest.raises(Garbled) as caught:
        await decoder.picture(data)
    assert str(caught.value).isprintable()
    assert (await decoder.picture(GOOD)).shape == PICTURE.shape


async def test_the_limit_of_pixels_is_the_callers(decoder: Decoder) -> None:
    with pytest.raises(Garbled, match="more than 100 pixels"):
        await decoder.picture(GOOD, most_pixels=100)


def test_a_preview_inside_a_picture_counts_neither_for_size_nor_for_end() -> None:
    preview = jpeg(PICTURE[:8, :8])
    with_preview = GOOD[:2] + b"\xff\xe1" + struct.pack(">H", len(preview) + 2) + preview + GOOD[2:]
    assert read_header(with_preview) == ("jpeg", 160, 96)
    with pytest.raises(Garbled, match="cut off"):
        read_header(with_preview[:-40])


async def test_decodes_h264_and_says_where_there_is_none(decoder: Decoder) -> None:
    shown = pictures(6)
    found = await decoder.frames(h264(shown))
    assert len(found) == 6
    assert all(np.abs(ours.astype(int) - its).mean() < 6 for ours, its in zip(found, shown, strict=True))
    assert len(await decoder.frames(h264(shown), most=2)) == 2
    for data in (b"\0\0\0\1\x65rubbish", b"nothing at all"):
        with pytest.raises(Garbled):
            await decoder.frames(data)


async def test_reads_a_file_with_times(decoder: Decoder, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(movie(pictures(5)))
    found = [(round(time_s, 3), frame.shape) async for time_s, frame in decoder.video(path)]
    assert found == [(i / 10, (96, 160, 3)) for i in range(5)]


PLAYLIST = b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:1/x.ts\n"
NO_VIDEO = {
    "words": b"root:x:0:0",
    "a playlist": PLAYLIST,
    "a list of files": b"ffconcat version 1.0\nfile /etc/hostname\n",
}


@pytest.mark.parametrize("content", NO_VIDEO.values(), ids=NO_VIDEO)
async def test_reads_no_video_out_of(decoder: Decoder, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(Garbled):
        [frame async for frame in decoder.video(path)]
    with pytest.raises(Garbled):
        [frame async for frame in decoder.video(tmp_path / "none.mp4")]


def child_of(decoder: Decoder) -> int:
    child = decoder._child  # noqa: SLF001 - whose death is the subject
    assert child is not None
    return child.process.pid


async def test_a_child_that_died_is_replaced(decoder: Decoder) -> None:
    await decoder.picture(GOOD)
    before = child_of(decoder)
    os.kill(before, signal.SIGSEGV)
    with suppress(Garbled):  # one picture is lost, or none where the death is noticed in time
        await decoder.picture(GOOD)
    assert (await decoder.picture(GOOD)).shape == PICTURE.shape
    assert child_of(decoder) != before


async def test_a_child_that_hangs_is_ended() -> None:
    async with Decoder() as decoder:
        await decoder.picture(GOOD)
        decoder._patience_s = 0.2  # noqa: SLF001 - starting a child takes longer than that
        os.kill(child_of(decoder), signal.SIGSTOP)
        with pytest.raises(Garbled, match="within"):
            await decoder.picture(GOOD)
        decoder._patience_s = 30  # noqa: SLF001 - as above
        assert (await decoder.picture(GOOD)).shape == PICTURE.shape


async def test_leaving_a_film_early_disturbs_nobody(decoder: Decoder, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(movie(pictures(30)))
    film = decoder.video(path)
    assert await anext(film) is not None
    await film.aclose()
    assert (await decoder.picture(GOOD)).shape == PICTURE.shape


async def test_a_film_of_large_frames_can_be_left_while_its_pipe_is_full(decoder: Decoder, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(movie(pictures(6, (1280, 720))))
    film = decoder.video(path)
    assert await anext(film) is not None
    await asyncio.sleep(0.5)  # more frames come than anybody reads, until no more are taken in
    async with asyncio.timeout(10):
        await film.aclose()


async def test_many_at_once_each_get_their_own(decoder: Decoder) -> None:
    shown = pictures(8)
    found = await asyncio.gather(*(decoder.picture(png(picture)) for picture in shown))
    assert all(np.array_equal(ours, its) for ours, its in zip(found, shown, strict=True))


async def test_a_caller_who_gave_up_leaves_nothing_behind(decoder: Decoder) -> None:
    waiting = asyncio.create_task(decoder.picture(GOOD))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert np.array_equal(await decoder.picture(png(PICTURE)), PICTURE)

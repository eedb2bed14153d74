"""Pictures and video of cameras, decoded in a child process: a picture that crashes a decoder costs only itself."""

import asyncio
import os
import struct
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cameras.errors import Garbled
from cameras.picture_header import read_header
from cameras.untrusted import clean_text

Picture = NDArray[np.uint8]  # height x width x 3, blue first

MOST_BYTES = 64 * 1024 * 1024
MOST_PIXELS = 40_000_000
PATIENCE_S = 30.0
_CHILD = Path(__file__).with_name("decoding_child.py")
_QUESTION = struct.Struct(">cQIII")
_ANSWER = struct.Struct(">cQIId")
_KNOWN_SIZE = struct.Struct(">II")
_PICTURE, _END = b"p", b"e"
_CHANNELS = 3
_READ_AHEAD_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Pipes:
    """A child, and the two ways to it."""

    process: asyncio.subprocess.Process
    questions: asyncio.StreamWriter
    answers: asyncio.StreamReader


class Decoder:
    """`async with Decoder() as decoder`. One child that lives as long as this, and is started again when it dies.

    One thing is decoded at a time. All raise Garbled for what cannot be decoded, a crash of the child included.
    """

    def __init__(self, *, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._child: Pipes | None = None
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        await self._end()

    async def picture(self, data: bytes, *, most_pixels: int = MOST_PIXELS) -> Picture:
        """A JPEG or PNG, at its own size; turned as its bytes lie, whatever its EXIF says."""
        await asyncio.to_thread(_checked, data, most_pixels)
        return await self._one(b"w", data, most_pixels)

    async def small(self, data: bytes, *, size: tuple[int, int], most_pixels: int = MOST_PIXELS) -> Picture:
        """The same at `size` (width, height), for a fraction of the work: what judging a picture needs."""
        known = await asyncio.to_thread(_checked, data, most_pixels)
        return await self._one(b"s", _KNOWN_SIZE.pack(*known) + data, most_pixels, *size)

    async def frames(self, h264: bytes, most: int = 50) -> tuple[Picture, ...]:
        """The first pictures of H.264 in Annex B form; broken ones are left out."""
        _refuse_size(h264)
        async with aclosing(self._ask(b"u", h264, MOST_PIXELS, most)) as found:
            return tuple([picture async for _, picture in found])

    async def video(self, path: Path) -> AsyncGenerator[tuple[float, Picture], None]:
        """The frames of a file one by one, each with its time in s. Leaving early ends the child."""
        name = os.fsencode(await asyncio.to_thread(path.resolve))
        async with aclosing(self._ask(b"v", name, MOST_PIXELS)) as found:
            async for time_s, picture in found:
                yield time_s, picture

    async def _one(self, kind: bytes, data: bytes, most: int, width: int = 0, height: int = 0) -> Picture:
        async with aclosing(self._ask(kind, data, most, width, height)) as found:
            pictures = [picture async for _, picture in found]
        return pictures[0]

    async def _ask(
        self, kind: bytes, data: bytes, most: int, width: int = 0, height: int = 0
    ) -> AsyncGenerator[tuple[float, Picture], None]:
        async with self._turn:
            in_step = False
            try:
                child = await self._send(_QUESTION.pack(kind, len(data), most, width, height), data)
                while True:
                    mark, answer, time_s = await self._answer(child)
                    if mark == _PICTURE:
                        yield time_s, answer
                        continue
                    in_step = True
                    if mark == _END:
                        return
                    raise Garbled(clean_text(answer.tobytes()))
            finally:
                if not in_step:  # what the child still has to say would be taken for the next answer
                    await self._end()

    async def _send(self, head: bytes, data: bytes) -> Pipes:
        """The child reads all of a question before it answers."""
        child = await self._started()
        try:
            async with asyncio.timeout(self._patience_s):
                child.questions.write(head)
                child.questions.write(data)
                await child.questions.drain()
        except (TimeoutError, OSError) as error:
            raise Garbled("the decoder stopped while it read this") from error
        return child

    async def _answer(self, child: Pipes) -> tuple[bytes, Picture, float]:
        try:
            async with asyncio.timeout(self._patience_s):
                mark, size, width, height, time_s = _ANSWER.unpack(await child.answers.readexactly(_ANSWER.size))
                body = np.frombuffer(await child.answers.readexactly(size), np.uint8)
        except TimeoutError as error:
            raise Garbled(f"it could not be decoded within {self._patience_s:g} s") from error
        except (asyncio.IncompleteReadError, OSError) as error:
            raise Garbled("it made the decoder crash") from error
        return mark, body.reshape(height, width, _CHANNELS) if mark == _PICTURE else body, time_s

    async def _started(self) -> Pipes:
        child = self._child
        if child is None or child.process.returncode is not None:
            await self._end()
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", str(_CHILD)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={},
                limit=_READ_AHEAD_BYTES,
            )
            if process.stdin is None or process.stdout is None:
                raise AssertionError("both pipes were asked for")
            child = self._child = Pipes(process, process.stdin, process.stdout)
        return child

    async def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        with suppress(ProcessLookupError):
            child.process.kill()
        child.questions.close()
        # Its end is noticed only when its pipe was read to the end, and nobody reads a picture that was given up.
        with suppress(OSError):
            while await child.answers.read(_READ_AHEAD_BYTES):
                pass
        await child.process.wait()


def _checked(data: bytes, most_pixels: int) -> tuple[int, int]:
    """Its size. What is too large is refused before a decoder sees it."""
    _refuse_size(data)
    header = read_header(data)
    if header.width * header.height > most_pixels:
        raise Garbled(f"{header.width} x {header.height} is more than {most_pixels} pixels")
    return header.width, header.height


def _refuse_size(data: bytes) -> None:
    if not data or len(data) > MOST_BYTES:
        raise Garbled("no bytes at all" if not data else f"larger than {MOST_BYTES} bytes")

"""A request body that is read from disk while it is sent: a firmware image never stands in memory whole."""

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from pathlib import Path

CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class FileBody:
    """A file between two short pieces of framing. `size` is what the file must still have when it is sent."""

    path: Path
    size: int
    before: bytes = b""
    after: bytes = b""

    def __len__(self) -> int:
        return len(self.before) + self.size + len(self.after)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The whole body once. OSError where the file cannot be read or is no longer the one that was announced.

        The file is opened for each piece, so that none is left open however the exchange ends.
        """
        if self.before:
            yield self.before
        for offset in range(0, self.size, CHUNK_BYTES):
            wanted = min(CHUNK_BYTES, self.size - offset)
            chunk = await asyncio.to_thread(_read, self.path, offset, wanted)
            if len(chunk) != wanted:
                raise OSError("the file became shorter while it was sent")
            yield chunk
        if self.after:
            yield self.after


def _read(path: Path, offset: int, wanted: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(wanted)


async def file_body(path: Path) -> FileBody:
    """The bare file. OSError where there is none."""
    stat = await asyncio.to_thread(path.stat)
    return FileBody(path, stat.st_size)


async def multipart(
    path: Path, *, name: str, question: Mapping[str, object] | None = None, file_name: str | None = None
) -> tuple[FileBody, str]:
    """The file as one part of a form, behind a JSON part where a question is given; and the Content-Type.

    The JSON part has no file name: AXIS OS refuses one that does ("Only string objects allowed."). The camera is told
    a fixed file name, since ours may say more than it needs to know; `file_name` is for one that goes by it.
    """
    boundary = f"camwarden-{secrets.token_hex(12)}"
    asked = "" if question is None else _json_part(boundary, question)
    before = (
        f"{asked}--{boundary}\r\n"
        f'Content-Disposition: form-data; name="{name}"; filename="{file_name or f"upload{path.suffix}"}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    bare = await file_body(path)
    body = FileBody(path, bare.size, before.encode(), f"\r\n--{boundary}--\r\n".encode())
    return body, f"multipart/form-data; boundary={boundary}"


def _json_part(boundary: str, question: Mapping[str, object]) -> str:
    return (
        f"--{boundary}\r\n"
        'Content-Disposition: form-data; name="json"\r\n'
        "Content-Type: application/json\r\n\r\n"
        f"{json.dumps(question)}\r\n"
    )

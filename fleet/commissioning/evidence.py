"""Pictures that prove something, kept under the SHA-256 of what they are."""

import asyncio
import hashlib
import os
import re
from pathlib import Path

from fleet.errors import Invalid, NotFound

MOST_BYTES = 12 * 1024 * 1024
_NAME = re.compile(r"[0-9a-f]{64}")
_STARTS = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


def media_type(picture: bytes) -> str:
    """Raises Invalid for anything that is no JPEG and no PNG: it will be shown to people."""
    found = next((kind for start, kind in _STARTS.items() if picture.startswith(start)), None)
    if found is None:
        raise Invalid("a photo is a JPEG or a PNG")
    return found


async def keep(folder: Path, picture: bytes) -> str:
    """The SHA-256 under which the picture is found again. Raises Invalid."""
    if len(picture) > MOST_BYTES:
        raise Invalid(f"a photo has at most {MOST_BYTES // 1024 // 1024} MiB")
    media_type(picture)
    return await asyncio.to_thread(_keep, folder, picture)


async def load(folder: Path, name: str) -> bytes:
    """Raises NotFound."""
    if not _NAME.fullmatch(name):
        raise NotFound("there is no such picture")
    try:
        return await asyncio.to_thread(_path(folder, name).read_bytes)
    except OSError as error:
        raise NotFound("this picture is not kept any more") from error


def _keep(folder: Path, picture: bytes) -> str:
    name = hashlib.sha256(picture).hexdigest()
    path = _path(folder, name)
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        half = path.with_suffix(f".{os.getpid()}.half")
        with half.open("wb") as file:
            file.write(picture)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    return name


def _path(folder: Path, name: str) -> Path:
    return folder / name[:2] / f"{name}.picture"

"""Pictures that prove something, in the evidence folder: what they are is looked at before they are kept."""

import asyncio
from pathlib import Path

from fleet.errors import Invalid
from fleet.evidence import EvidenceFolder

MOST_BYTES = 12 * 1024 * 1024
_STARTS = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


def media_type(picture: bytes) -> str:
    """Raises Invalid for anything that is no JPEG and no PNG: it will be shown to people."""
    found = next((kind for start, kind in _STARTS.items() if picture.startswith(start)), None)
    if found is None:
        raise Invalid("a photo is a JPEG or a PNG")
    return found


async def keep(folder: Path, picture: bytes) -> str:
    """The SHA-256 under which the picture is found again. Raises Invalid, StoreUnavailable."""
    if len(picture) > MOST_BYTES:
        raise Invalid(f"a photo has at most {MOST_BYTES // 1024 // 1024} MiB")
    media_type(picture)
    return await asyncio.to_thread(EvidenceFolder(folder).keep, picture)


async def load(folder: Path, name: str) -> bytes:
    """Raises NotFound."""
    return await asyncio.to_thread(EvidenceFolder(folder).read, name)

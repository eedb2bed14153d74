"""Files of evidence: each lies under the SHA-256 of its content, so that nothing is kept twice or changed unnoticed."""

import asyncio
import hashlib
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path

from fleet.errors import Invalid, NotFound, StoreUnavailable

MOST_BYTES = 16 * 1024 * 1024
MOST_PHOTO_BYTES = 12 * 1024 * 1024
_DIGEST = re.compile(r"[0-9a-f]{64}")
_STARTS = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


class EvidenceFolder:
    """`$CAMWARDEN_HOME/evidence`, readable by its owner only. All of it blocks: call it in a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, content: bytes) -> str:
        """Its digest. Whole or not at all: a crash leaves no half file under a good name."""
        digest = hashlib.sha256(content).hexdigest()
        path = self._path(digest)
        try:
            if path.exists():
                return digest
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise StoreUnavailable(f"evidence cannot be kept: {error.strerror}") from error
        return digest

    def read(self, digest: str) -> bytes:
        """Raises NotFound, also for a file that is no longer what its name says."""
        if not _DIGEST.fullmatch(digest):
            raise NotFound("there is no such picture")
        try:
            with self._path(digest).open("rb") as file:
                content = file.read(MOST_BYTES + 1)
        except OSError as error:
            raise NotFound("this picture is not kept any more") from error
        if hashlib.sha256(content).hexdigest() != digest:
            raise NotFound("this picture was changed on disk: it proves nothing any more")
        return content

    def drop(self, digest: str) -> None:
        with suppress(OSError):
            self._path(digest).unlink(missing_ok=True)

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest


def media_type(content: bytes) -> str:
    """Raises Invalid for anything that is no JPEG and no PNG: it will be shown to people."""
    found = next((kind for start, kind in _STARTS.items() if content.startswith(start)), None)
    if found is None:
        raise Invalid("a photo is a JPEG or a PNG")
    return found


async def keep_photo(folder: Path, photo: bytes) -> str:
    """A picture that somebody brought; its digest. Raises Invalid, StoreUnavailable."""
    if len(photo) > MOST_PHOTO_BYTES:
        raise Invalid(f"a photo has at most {MOST_PHOTO_BYTES // 1024 // 1024} MiB")
    media_type(photo)
    return await asyncio.to_thread(EvidenceFolder(folder).keep, photo)


async def load_picture(folder: Path, digest: str) -> bytes:
    """Raises NotFound, also for evidence that is no picture."""
    content = await asyncio.to_thread(EvidenceFolder(folder).read, digest)
    try:
        media_type(content)
    except Invalid:
        raise NotFound("this piece of evidence is no picture") from None
    return content

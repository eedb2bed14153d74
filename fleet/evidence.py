"""Files of evidence: each lies under the SHA-256 of its content, so that nothing is kept twice or changed unnoticed."""

import hashlib
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path

from fleet.errors import NotFound, StoreUnavailable

MOST_BYTES = 16 * 1024 * 1024
_DIGEST = re.compile(r"[0-9a-f]{64}")


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

"""multipart/form-data, as strictly as the camera reads it."""

import re
from dataclasses import dataclass

from simulator.http import Request

_BOUNDARY = re.compile(r'boundary="?([^";]{1,70})"?', re.IGNORECASE)
_NAME = re.compile(rb'\bname="([^"]*)"')
_FILE_NAME = re.compile(rb'\bfilename="([^"]*)"')


@dataclass(frozen=True, slots=True)
class FormPart:
    name: str
    file_name: str | None
    data: bytes


def parts(request: Request) -> list[FormPart] | None:
    """The parts in order; None where this is no such form."""
    boundary = _BOUNDARY.search(request.header(b"Content-Type") or "")
    if boundary is None or not (request.header(b"Content-Type") or "").lower().startswith("multipart/form-data"):
        return None
    line = b"\r\n--" + boundary[1].encode("latin-1")
    pieces = (b"\r\n" + request.body).split(line)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):  # noqa: PLR2004 - before the first part, after the last
        return None
    return [_part(piece) for piece in pieces[1:-1]]


def _part(piece: bytes) -> FormPart:
    head, _, data = piece.partition(b"\r\n\r\n")
    name, file_name = _NAME.search(head), _FILE_NAME.search(head)
    return FormPart(
        name[1].decode("latin-1") if name else "", file_name[1].decode("latin-1") if file_name else None, data
    )

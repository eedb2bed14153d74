"""SOAP messages with files beside them: MTOM over multipart/related, as ONVIF's older file operations want it.

The envelope holds an `xop:Include` in the file's place, and the file stands as it is in a part of its own
(https://www.w3.org/TR/soap12-mtom, RFC 2387). Written for one file, read for several.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.message import Message
from email.parser import BytesHeaderParser
from urllib.parse import unquote

from cameras.errors import Garbled
from cameras.http import Reply
from cameras.upload import FileBody

FILE_ID = "file@camwarden"
INCLUDE: Mapping[str, object] = {"Include": {"href": f"cid:{FILE_ID}"}}
"""What stands in the file's place, as zeep takes it."""

MOST_PARTS = 16


def packaged(envelope: bytes, action: str, file: FileBody | bytes) -> tuple[FileBody | bytes, str]:
    """The envelope and the file as one body, and its Content-Type."""
    boundary = f"camwarden-{secrets.token_hex(12)}"
    kind = 'application/xop+xml; charset=utf-8; type="application/soap+xml"'
    before = (
        f"--{boundary}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: 8bit\r\nContent-ID: <envelope@camwarden>"
        "\r\n\r\n"
    ).encode() + envelope
    before += (
        f"\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n"
        f"Content-ID: <{FILE_ID}>\r\n\r\n"
    ).encode()
    after = f"\r\n--{boundary}--\r\n".encode()
    content_type = (
        f'multipart/related; boundary="{boundary}"; type="application/xop+xml"; start="<envelope@camwarden>"; '
        f'start-info="application/soap+xml"; action="{action}"'
    )
    if isinstance(file, FileBody):
        return replace(file, before=before, after=after), content_type
    return before + file + after, content_type


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The reply with nothing but its envelope as body, and the files by their content id."""

    reply: Reply
    files: Mapping[str, bytes]


def unpacked(reply: Reply) -> Unpacked:
    """Raises Garbled for a multipart body that is none. A reply of another kind is its own envelope."""
    header = Message()
    header["Content-Type"] = reply.headers.get("content-type", "")
    if header.get_content_type() != "multipart/related":
        return Unpacked(reply, {})
    boundary = str(header.get_param("boundary") or "")
    parts = [_part(piece) for piece in _pieces(reply.body, boundary)]
    if not parts:
        raise Garbled("a multipart answer without parts")
    start = str(header.get_param("start") or "").strip("<>")
    first = next((part for part in parts if start and part[0] == start), parts[0])
    files = {name: data for name, data in parts if name and name != first[0]}
    return Unpacked(replace(reply, body=first[1]), files)


def _pieces(body: bytes, boundary: str) -> list[bytes]:
    if not boundary or len(boundary) > 200:  # noqa: PLR2004 - RFC 2046 allows 70
        raise Garbled("a multipart answer without a boundary")
    found = (b"\r\n" + body).split(b"\r\n--" + boundary.encode("utf-8", "replace"), MOST_PARTS + 2)
    if len(found) < 3 or len(found) > MOST_PARTS + 2 or not found[-1].startswith(b"--"):  # noqa: PLR2004
        raise Garbled("a multipart answer that is cut short, or has too many parts")
    return found[1:-1]


def _part(piece: bytes) -> tuple[str, bytes]:
    """Content id and content."""
    head, blank, data = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    if not blank:
        raise Garbled("a part of a multipart answer has no end of its header")
    said = BytesHeaderParser().parsebytes(head)
    return str(said.get("Content-ID", "")).strip().strip("<>"), data


def included(element_href: object, files: Mapping[str, bytes]) -> bytes | None:
    """The file that an `xop:Include` points to; `None` where it points nowhere."""
    href = element_href if isinstance(element_href, str) else ""
    return files.get(unquote(href.removeprefix("cid:"))) if href.startswith("cid:") else None

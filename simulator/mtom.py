"""Messages with files beside them: multipart/related with an `xop:Include` in the file's place (MTOM, RFC 2387)."""

import re
from collections.abc import Mapping

from simulator.http import Request

BOUNDARY = b"simulated-boundary"
CONTENT_TYPE = (
    b'multipart/related; type="application/xop+xml"; start="<root>"; start-info="application/soap+xml"; '
    b'boundary="' + BOUNDARY + b'"'
)
_SAID = re.compile(r'boundary="?([^";,\s]{1,70})', re.IGNORECASE)
_NAME = re.compile(rb"content-id:\s*<([^>\r\n]*)>", re.IGNORECASE)


def opened(request: Request) -> tuple[bytes, Mapping[str, bytes]]:
    """The message and its files by content id; a body of another kind is the message."""
    kind = request.header(b"Content-Type") or ""
    found = _SAID.search(kind) if kind.lower().startswith("multipart/related") else None
    if found is None:
        return request.body, {}
    pieces = (b"\r\n" + request.body).split(b"\r\n--" + found[1].encode())[1:-1]
    read = []
    for piece in pieces:
        head, _, data = piece.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        read.append((name[1].decode("latin-1") if name else "", data))
    return (read[0][1], dict(read[1:])) if read else (b"", {})


def packed(envelope: bytes, files: Mapping[str, bytes]) -> bytes:
    parts = [(b"root", b'application/xop+xml; charset=utf-8; type="application/soap+xml"', envelope)]
    parts += [(name.encode(), b"application/octet-stream", data) for name, data in files.items()]
    body = b"".join(
        b"--%s\r\nContent-Type: %s\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <%s>\r\n\r\n%s\r\n"
        % (BOUNDARY, kind, name, data)
        for name, kind, data in parts
    )
    return body + b"--%s--\r\n" % BOUNDARY

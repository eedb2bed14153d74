"""Replies as people paste them into a report: what `curl -i` or a browser shows, with whatever line ends."""

import re
from textwrap import dedent

_STATUS = re.compile(r"HTTP/\d(?:\.\d)? (\d{3})(?: (.*))?")
# Said of the bytes on the wire, which a paste no longer has.
_OF_THE_WIRE = ("content-length", "transfer-encoding", "content-encoding", "connection")


def reported(text: str) -> bytes:
    """One whole answer, to be said by a camera of a few lines. ValueError where the paste has no status line.

    Lines before the status line (the command itself, `>` lines of `curl -v`) are left out, `<` in front of headers is
    taken off. The body stands after the first empty line and keeps its line ends, which are CRLF again where the paste
    lost them.
    """
    lines = dedent(text).strip("\n").splitlines()
    plain = [line.removeprefix("< ") for line in lines if not line.startswith(("> ", "* ", "$ "))]
    start = next((place for place, line in enumerate(plain) if _STATUS.match(line)), None)
    if start is None:
        raise ValueError("no line of this report begins with HTTP/1.1")
    said = _STATUS.match(plain[start])
    assert said is not None
    end = next((place for place in range(start, len(plain)) if plain[place].strip() in ("", "<")), len(plain))
    headers = [line.strip() for line in plain[start + 1 : end] if line.partition(":")[0].lower() not in _OF_THE_WIRE]
    body = "\r\n".join(plain[end + 1 :]).encode()
    head = [f"HTTP/1.1 {said[1]} {said[2] or ''}".rstrip(), *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(head).encode() + body

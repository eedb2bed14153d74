"""What a stream's session description (SDP, RFC 8866) says of its tracks. Pure: a camera's words in, values out."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cameras.errors import Garbled
from cameras.untrusted import clean_text

MOST_TRACKS = 16
_MOST_PARAMETERS = 32
_MOST_CONTROL = 500
_MAP = re.compile(r"(?P<type>\d{1,3}) (?P<encoding>[A-Za-z0-9._-]{1,40})/(?P<rate>\d{1,9})(?:/\d+)?\s*$")
# Payload types that need no rtpmap (RFC 3551 §6); what is not here and not mapped cannot be read.
_STATIC = {26: ("JPEG", 90_000), 32: ("MPV", 90_000), 33: ("MP2T", 90_000), 34: ("H263", 90_000)}


@dataclass(frozen=True, slots=True)
class Track:
    """One m= section: `media` as it stands there ("video"), `encoding` in capitals, `parameters` from its fmtp line.

    `control` is what SETUP asks for: absolute, relative, or "".
    """

    media: str
    encoding: str
    clock_rate: int
    parameters: Mapping[str, str]
    control: str


@dataclass(frozen=True, slots=True)
class Session:
    """`control` is the whole session's, "" where it names none."""

    control: str
    tracks: tuple[Track, ...]


def read_session(body: bytes) -> Session:
    """Tracks whose encoding it does not say are left out. Raises Garbled for what is no session description."""
    text = body.decode("utf-8", "replace")
    if not text.lstrip().startswith("v=0"):
        raise Garbled(f"not a session description: {clean_text(body, 80)!r}")
    head, *sections = re.split(r"^m=", text, flags=re.MULTILINE)
    if len(sections) > MOST_TRACKS:
        raise Garbled(f"a session of more than {MOST_TRACKS} tracks")
    tracks = (_track(section) for section in sections)
    return Session(_control(head), tuple(track for track in tracks if track is not None))


def _track(section: str) -> Track | None:
    words = section.partition("\n")[0].split()
    if len(words) < 4 or not (words[3].isascii() and words[3].isdigit()):  # noqa: PLR2004 - media port proto type
        return None
    media, payload_type = clean_text(words[0].lower(), 20), int(words[3][:3])
    encoding, rate = _STATIC.get(payload_type, ("", 0))
    for value in _attributes(section, "rtpmap"):
        found = _MAP.match(value)
        if found and int(found["type"]) == payload_type:
            encoding, rate = found["encoding"].upper(), int(found["rate"])
    if not encoding or not rate:
        return None
    return Track(media, encoding, rate, MappingProxyType(_parameters(section, payload_type)), _control(section))


def _parameters(section: str, payload_type: int) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for value in _attributes(section, "fmtp"):
        number, _, rest = value.partition(" ")
        if number == str(payload_type):
            for part in rest.split(";")[:_MOST_PARAMETERS]:
                name, _, said = part.partition("=")
                if name.strip():
                    pairs[clean_text(name, 60).lower()] = clean_text(said, 4000)
    return pairs


def _control(section: str) -> str:
    said = next(_attributes(section, "control"), "")
    return said if len(said) <= _MOST_CONTROL and said.isascii() and said.isprintable() and " " not in said else ""


def _attributes(section: str, name: str) -> Iterator[str]:
    for line in section.splitlines():
        if line.startswith(f"a={name}:"):
            yield line[len(name) + 3 :].strip()

"""The bytes of one SNMP question and its answer: GetRequest and Response of v1 and v2c (RFC 1157, RFC 3416), in BER.

Written here because the libraries on PyPI are either unmaintained or pull in a compiler for MIBs, for two values.
Only what these messages hold is read: lengths are definite (X.690, 8.1.3), and nothing nests deeper than a value in a
binding, because each of the five levels is asked for by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from cameras.errors import Garbled, Refused
from cameras.untrusted import clean_text

Version = Literal["v1", "v2c"]
VERSION_NUMBERS: Mapping[Version, int] = MappingProxyType({"v1": 0, "v2c": 1})
COMMUNITY = b"public"
SYS_DESCR: Final = "1.3.6.1.2.1.1.1.0"
SYS_OBJECT_ID: Final = "1.3.6.1.2.1.1.2.0"

MOST_BYTES = 4096
MOST_BINDINGS = 16
MOST_OID_BYTES = 256
MOST_INTEGER_BYTES = 8
MOST_LENGTH_BYTES = 4

INTEGER, OCTETS, OID, SEQUENCE = 0x02, 0x04, 0x06, 0x30
GET_REQUEST, _RESPONSE = 0xA0, 0xA2
_TAG_GOES_ON, _LENGTH_FOLLOWS, _MORE = 0x1F, 0x80, 0x80
# noAccess and authorizationError: it answers, but not to this community.
_TURNED_AWAY = frozenset({6, 16})


@dataclass(frozen=True, slots=True)
class Answer:
    """sysDescr.0 as text and sysObjectID.0 in dots, `None` where the agent has no such value."""

    description: str | None
    object_id: str | None


def question(version: Version, request_id: int) -> bytes:
    """A GetRequest of both values. `request_id` is from 0 to 2**31 - 1."""
    names = b"".join(element(SEQUENCE, element(OID, encode_oid(oid)) + b"\5\0") for oid in (SYS_DESCR, SYS_OBJECT_ID))
    numbers = element(INTEGER, encode_integer(request_id)) + b"\2\1\0" + b"\2\1\0"  # no error, at no index
    request = element(GET_REQUEST, numbers + element(SEQUENCE, names))
    head = element(INTEGER, encode_integer(VERSION_NUMBERS[version])) + element(OCTETS, COMMUNITY)
    return element(SEQUENCE, head + request)


def read(datagram: bytes, version: Version, request_id: int) -> Answer:
    """The answer to `question(version, request_id)`.

    Garbled for everything else; Refused where the agent says that this community may not read. An error such as
    noSuchName is an answer too: it has none of these values for us, and the community was right.
    """
    if len(datagram) > MOST_BYTES:
        raise Garbled(f"SNMP: {len(datagram)} bytes where {MOST_BYTES} are enough")
    message = Reader(Reader(datagram).take(SEQUENCE))  # what comes after the message is not looked at
    if decode_integer(message.take(INTEGER)) != VERSION_NUMBERS[version]:
        raise Garbled("SNMP: an answer of another version")
    message.take(OCTETS)
    response = Reader(message.take(_RESPONSE))
    if decode_integer(response.take(INTEGER)) != request_id:
        raise Garbled("SNMP: an answer to another question")
    status = decode_integer(response.take(INTEGER))
    decode_integer(response.take(INTEGER))
    values = _values(Reader(response.take(SEQUENCE)))
    response.end()
    message.end()
    if status in _TURNED_AWAY:
        raise Refused(f"SNMP: error {status} for the community")
    if status:
        return Answer(None, None)
    return Answer(_text(values.get(SYS_DESCR)), _dotted(values.get(SYS_OBJECT_ID)))


def _values(bindings: "Reader") -> dict[str, tuple[int, bytes]]:
    """Tag and content by OID."""
    found: dict[str, tuple[int, bytes]] = {}
    while bindings.has_more:
        if len(found) >= MOST_BINDINGS:
            raise Garbled(f"SNMP: more than {MOST_BINDINGS} values where two were asked for")
        binding = Reader(bindings.take(SEQUENCE))
        name = decode_oid(binding.take(OID))
        if name in found:
            raise Garbled(f"SNMP: {name} twice")
        found[name] = binding.take_any()
        binding.end()
    return found


def _text(value: tuple[int, bytes] | None) -> str | None:
    """A value of another type (NULL, noSuchObject) is none."""
    return (clean_text(value[1]) or None) if value is not None and value[0] == OCTETS else None


def _dotted(value: tuple[int, bytes] | None) -> str | None:
    return decode_oid(value[1]) if value is not None and value[0] == OID else None


class Reader:
    """Elements one after the other, out of the content of one that holds them."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    @property
    def has_more(self) -> bool:
        return self._at < len(self._content)

    def take(self, tag: int) -> bytes:
        """The content of the next element, which must be of this kind."""
        found, content = self.take_any()
        if found != tag:
            raise Garbled(f"SNMP: element {found:#04x} where {tag:#04x} belongs")
        return content

    def end(self) -> None:
        if self.has_more:
            raise Garbled("SNMP: more than belongs there, or a length that lies")

    def take_any(self) -> tuple[int, bytes]:
        tag = self._byte()
        if tag & _TAG_GOES_ON == _TAG_GOES_ON:
            raise Garbled("SNMP: a tag of several bytes")
        length = self._length()
        start, self._at = self._at, self._at + length
        if self._at > len(self._content):
            raise Garbled("SNMP: cut off, or a length that lies")
        return tag, self._content[start : self._at]

    def _byte(self) -> int:
        if not self.has_more:
            raise Garbled("SNMP: cut off")
        self._at += 1
        return self._content[self._at - 1]

    def _length(self) -> int:
        first = self._byte()
        if first < _LENGTH_FOLLOWS:
            return first
        count = first - _LENGTH_FOLLOWS
        if not 1 <= count <= MOST_LENGTH_BYTES:  # none at all is the indefinite form
            raise Garbled("SNMP: an indefinite length, or a huge one")
        return int.from_bytes(bytes(self._byte() for _ in range(count)))


def element(tag: int, content: bytes) -> bytes:
    """Short form of the length (X.690, 8.1.3.4): no question of ours is longer."""
    if len(content) >= _LENGTH_FOLLOWS:
        raise ValueError("longer than the short form of a length can say")
    return bytes((tag, len(content))) + content


def encode_integer(value: int) -> bytes:
    """Two's complement in as few bytes as hold it (X.690, 8.3)."""
    return value.to_bytes((value if value >= 0 else ~value).bit_length() // 8 + 1, signed=True)


def decode_integer(content: bytes) -> int:
    if not 1 <= len(content) <= MOST_INTEGER_BYTES:
        raise Garbled(f"SNMP: an integer of {len(content)} bytes")
    return int.from_bytes(content, signed=True)


def encode_oid(dotted: str) -> bytes:
    """X.690, 8.19: the first two arcs share one number."""
    first, second, *others = (int(arc) for arc in dotted.split("."))
    return b"".join(_base_128(arc) for arc in (first * 40 + second, *others))


def _base_128(number: int) -> bytes:
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.append(number & 0x7F | _MORE)
    return bytes(reversed(digits))


def decode_oid(content: bytes) -> str:
    if not content or len(content) > MOST_OID_BYTES or content[-1] & _MORE:
        raise Garbled("SNMP: an OID that is empty, endless or cut off")
    arcs, number = [], 0
    for digit in content:
        number = number << 7 | digit & 0x7F
        if number >= 2**32:  # RFC 2578, 3.5
            raise Garbled("SNMP: an OID with a number beyond 32 bits")
        if not digit & _MORE:
            arcs.append(number)
            number = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, arcs[0] - first * 40, *arcs[1:]))

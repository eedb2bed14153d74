"""Whose SNMPv3 agent is this? Asked without a user, a community or a password, and read byte by byte.

An agent that is asked in the name of no engine (RFC 3414, 4) answers with a report that names its own: so begins every
conversation of version 3. The engine's ID (RFC 3411, 5, `SnmpEngineID`) holds the enterprise number of whoever
made the agent, and often the MAC of the device.
"""

from dataclasses import dataclass

from cameras.errors import Garbled
from scanners.probes.snmp_messages import (
    GET_REQUEST,
    INTEGER,
    MOST_BYTES,
    OCTETS,
    SEQUENCE,
    Reader,
    decode_integer,
    element,
    encode_integer,
)

VERSION_3 = 3
USER_BASED = 3
REPORTABLE = b"\4"
REPORT = 0xA8
FEWEST_ID_BYTES, MOST_ID_BYTES = 5, 32

_OLD_ID_BYTES = 12
_NEW_ID = 0x80000000
_OF_A_MAC = 3
_MAC_BYTES = 6


@dataclass(frozen=True, slots=True)
class Engine:
    """`enterprise` is IANA's private enterprise number, `mac` twelve hexadecimal digits; `None` where it holds none."""

    enterprise: int | None
    mac: str | None


def question(message_id: int) -> bytes:
    """A GetRequest for nothing, of nobody, to an engine without an ID. `message_id` is from 0 to 2**31 - 1."""
    number = element(INTEGER, encode_integer(message_id))
    header = number + element(INTEGER, encode_integer(MOST_BYTES)) + element(OCTETS, REPORTABLE)
    nobody = element(OCTETS, b"") + 2 * element(INTEGER, b"\0") + 3 * element(OCTETS, b"")
    request = element(GET_REQUEST, number + 2 * element(INTEGER, b"\0") + element(SEQUENCE, b""))
    return element(
        SEQUENCE,
        element(INTEGER, bytes((VERSION_3,)))
        + element(SEQUENCE, header + element(INTEGER, bytes((USER_BASED,))))
        + element(OCTETS, element(SEQUENCE, nobody))
        + element(SEQUENCE, 2 * element(OCTETS, b"") + request),
    )


def read(datagram: bytes, message_id: int) -> Engine:
    """The engine that the report on `question(message_id)` names. Raises Garbled for everything else.

    Why the question was not answered (a counter, in the report's values) is not looked at.
    """
    if len(datagram) > MOST_BYTES:
        raise Garbled(f"SNMP: {len(datagram)} bytes where {MOST_BYTES} are enough")
    message = Reader(Reader(datagram).take(SEQUENCE))  # what comes after the message is not looked at
    if decode_integer(message.take(INTEGER)) != VERSION_3:
        raise Garbled("SNMP: an answer of another version")
    header = Reader(message.take(SEQUENCE))
    if decode_integer(header.take(INTEGER)) != message_id:
        raise Garbled("SNMP: an answer to another question")
    decode_integer(header.take(INTEGER))
    header.take(OCTETS)
    if decode_integer(header.take(INTEGER)) != USER_BASED:
        raise Garbled("SNMP: another model of security than that of users")
    header.end()
    engine_id = _engine_id(Reader(message.take(OCTETS)))
    _is_a_report(Reader(message.take(SEQUENCE)))
    message.end()
    return decode_engine_id(engine_id)


def _engine_id(security: Reader) -> bytes:
    parameters = Reader(security.take(SEQUENCE))
    security.end()
    found = parameters.take(OCTETS)
    for _ in range(2):
        decode_integer(parameters.take(INTEGER))
    for _ in range(3):
        parameters.take(OCTETS)
    parameters.end()
    return found


def _is_a_report(scoped: Reader) -> None:
    for _ in range(2):
        scoped.take(OCTETS)
    report = Reader(scoped.take(REPORT))
    scoped.end()
    for _ in range(3):
        decode_integer(report.take(INTEGER))
    report.take(SEQUENCE)
    report.end()


def decode_engine_id(content: bytes) -> Engine:
    """Garbled for an ID that no engine may have. An ID in no known form is one that tells nothing."""
    if not FEWEST_ID_BYTES <= len(content) <= MOST_ID_BYTES or set(content) in ({0x00}, {0xFF}):
        raise Garbled("SNMP: this is the ID of no engine")
    number = int.from_bytes(content[:4])
    if number < _NEW_ID:
        return Engine(number or None if len(content) == _OLD_ID_BYTES else None, None)
    form, rest = content[4], content[5:]
    mac = rest.hex() if form == _OF_A_MAC and len(rest) == _MAC_BYTES else None
    return Engine(number - _NEW_ID or None, mac)

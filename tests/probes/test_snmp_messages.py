"""What is sent, and what is made of what comes back, byte for byte."""

import pytest

from cameras.errors import Garbled, Refused
from scanners.probes.snmp_messages import (
    MOST_BYTES,
    Answer,
    Version,
    decode_integer,
    decode_oid,
    encode_integer,
    encode_oid,
    question,
    read,
)
from tests.probes.snmp_agents import tlv

ID = 0x01020304
DESCR, OBJECT = "06082b06010201010100", "06082b06010201010200"


def row(name: str, value: bytes | str) -> bytes:
    return tlv(0x30, name, value)


CAMERA = row(DESCR, tlv(4, b"A camera"))
AXIS = row(OBJECT, "06072b060104018270")


def response(
    *rows: bytes,
    version: str = "020101",
    community: str = "04067075626c6963",
    pdu: int = 0xA2,
    request_id: str = "020401020304",
    status: str = "020100",
) -> bytes:
    return tlv(0x30, version, community, tlv(pdu, request_id, status, "020100", tlv(0x30, *rows)))


GOOD = response(CAMERA, AXIS)


def test_asks_for_both_values_in_one_question() -> None:
    """As net-snmp's `snmpget -v2c -c public … sysDescr.0 sysObjectID.0` writes it."""
    pdu = f"a02a 020401020304 020100 020100 301c 300c {DESCR} 0500 300c {OBJECT} 0500"
    assert question("v2c", ID) == bytes.fromhex(f"3037 020101 04067075626c6963 {pdu}")
    assert question("v1", ID) == bytes.fromhex(f"3037 020100 04067075626c6963 {pdu}")


ANSWERS: dict[str, tuple[bytes, Version, Answer]] = {
    "v2c": (GOOD, "v2c", Answer("A camera", "1.3.6.1.4.1.368")),
    "v1": (response(CAMERA, AXIS, version="020100"), "v1", Answer("A camera", "1.3.6.1.4.1.368")),
    "values in another order": (response(AXIS, CAMERA), "v2c", Answer("A camera", "1.3.6.1.4.1.368")),
    "lengths longer than needed": (
        bytes.fromhex("30820043 020101 04067075626c6963 a2820034 020401020304 020100 020100 30820024")
        + bytes.fromhex(f"3082 0010 {DESCR} 0482 0002 6869 3082 000c {DESCR[:-4]}0200 0500"),
        "v2c",
        Answer("hi", None),
    ),
    "no such objects": (response(row(DESCR, "8000"), row(OBJECT, "8100")), "v2c", Answer(None, None)),
    "noSuchName": (
        response(row(DESCR, "0500"), row(OBJECT, "0500"), version="020100", status="020102"),
        "v1",
        Answer(None, None),
    ),
    "no values": (response(), "v2c", Answer(None, None)),
    "a number for a text": (response(row(DESCR, "020107"), AXIS), "v2c", Answer(None, "1.3.6.1.4.1.368")),
    "a kind of 0.0": (response(CAMERA, row(OBJECT, "060100")), "v2c", Answer("A camera", "0.0")),
    "text for a terminal": (
        response(row(DESCR, tlv(4, b"\x1b[31mred\r\n\xff")), AXIS),
        "v2c",
        Answer("\ufffd[31mred  \ufffd", "1.3.6.1.4.1.368"),
    ),
    "a long text": (response(row(DESCR, tlv(4, b"x" * 900)), AXIS), "v2c", Answer("x" * 199 + "…", "1.3.6.1.4.1.368")),
    "zeros after the message": (GOOD + bytes(8), "v2c", Answer("A camera", "1.3.6.1.4.1.368")),
    "another word for the community": (
        response(CAMERA, AXIS, community="0400"),
        "v2c",
        Answer("A camera", "1.3.6.1.4.1.368"),
    ),
}


@pytest.mark.parametrize(("datagram", "version", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_reads_an_answer(datagram: bytes, version: Version, expected: Answer) -> None:
    assert read(datagram, version, ID) == expected


def nested(depth: int) -> bytes:
    found = b""
    for _ in range(depth):
        found = tlv(0x30, found)
    return found


GARBLED: dict[str, bytes] = {
    "nothing": b"",
    "one byte": b"\x30",
    "HTTP": b"HTTP/1.0 400 Bad Request\r\n\r\n",
    "our own question": question("v2c", ID),
    "another request id": response(CAMERA, AXIS, request_id="020401020305"),
    "a request id beyond 64 bits": response(CAMERA, AXIS, request_id="0209010203040506070809"),
    "an empty request id": response(CAMERA, AXIS, request_id="0200"),
    "a request id of another type": response(CAMERA, AXIS, request_id="040401020304"),
    "another version": response(CAMERA, AXIS, version="020103"),
    "version 1 where 2c was asked": response(CAMERA, AXIS, version="020100"),
    "a trap": response(CAMERA, AXIS, pdu=0xA7),
    "too short a length inside": GOOD.replace(bytes.fromhex("0408"), bytes.fromhex("0402")),
    "too long a length inside": GOOD.replace(bytes.fromhex("0408"), bytes.fromhex("0427")),
    "a length of four gigabytes": bytes.fromhex("3084ffffffff") + GOOD[2:],
    "a length of 126 bytes": bytes.fromhex("30fe") + GOOD[2:],
    "an indefinite length": bytes.fromhex("3080") + GOOD[2:] + bytes(2),
    "an indefinite length inside": response(tlv(0x30, DESCR, "2480", tlv(4, b"A camera"), "0000"), AXIS),
    "an indefinite length at the end": response(row(DESCR, "0480")),
    "a tag of several bytes": response(row(DESCR, "1f8101 00"), AXIS),
    "nested a thousand deep": nested(1000),
    "bindings nested a thousand deep": response(nested(1000)),
    "a message in a message": tlv(0x30, GOOD),
    "the same value twice": response(CAMERA, CAMERA),
    "seventeen values": response(*(row(f"06082b060102010101{n:02x}", "0500") for n in range(17))),
    "a name that is no OID": response(row("0401ff", "0500")),
    "a name without a value": response(tlv(0x30, DESCR)),
    "an empty OID": response(CAMERA, row(OBJECT, "0600")),
    "an OID that goes on": response(CAMERA, row(OBJECT, "06022b82")),
    "an OID of huge numbers": response(CAMERA, row(OBJECT, "06072bffffffffff7f")),
    "an OID without end": response(CAMERA, row(OBJECT, tlv(6, b"\1" * 300))),
    "64 KiB": response(row(DESCR, tlv(4, b"x" * 65000)), AXIS),
    "64 KiB after a good answer": GOOD + bytes(65000),
    "one byte more than is read": GOOD + bytes(MOST_BYTES + 1 - len(GOOD)),
    **{f"cut off after {n} bytes": GOOD[:n] for n in range(1, len(GOOD))},
}


@pytest.mark.parametrize("datagram", GARBLED.values(), ids=GARBLED)
def test_anything_else_is_garbled(datagram: bytes) -> None:
    with pytest.raises(Garbled):
        read(datagram, "v2c", ID)


@pytest.mark.parametrize("status", ["020106", "020110"], ids=["noAccess", "authorizationError"])
def test_a_community_that_is_turned_away_is_no_answer(status: str) -> None:
    with pytest.raises(Refused):
        read(response(CAMERA, AXIS, status=status), "v2c", ID)


def test_no_byte_of_an_answer_can_be_changed_into_a_fault_of_ours() -> None:
    unreadable = set()
    for place in range(len(GOOD)):
        for value in range(256):
            changed = GOOD[:place] + bytes((value,)) + GOOD[place + 1 :]
            try:
                read(changed, "v2c", ID)
            except (Garbled, Refused):
                unreadable.add(place)
    assert unreadable


INTEGERS = {0: "00", 127: "7f", 128: "0080", 255: "00ff", 256: "0100", -1: "ff", -128: "80", -129: "ff7f"}


@pytest.mark.parametrize(("value", "content"), INTEGERS.items())
def test_integers(value: int, content: str) -> None:
    """The examples of X.690, and the edges of a byte."""
    assert encode_integer(value).hex() == content
    assert decode_integer(bytes.fromhex(content)) == value


OIDS = {"2.999.3": "883703", "1.3.6.1.4.1.311": "2b060104018237", "0.0": "00", "2.39.1": "7701", "1.39": "4f"}


@pytest.mark.parametrize(("dotted", "content"), OIDS.items())
def test_oids(dotted: str, content: str) -> None:
    assert encode_oid(dotted).hex() == content
    assert decode_oid(bytes.fromhex(content)) == dotted

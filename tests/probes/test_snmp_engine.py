"""The question for an engine of SNMPv3, and what is made of what comes back, byte for byte."""

import pytest

from cameras.errors import Garbled
from scanners.probes.snmp_engine import Engine, decode_engine_id, question, read
from scanners.probes.snmp_messages import MOST_BYTES
from tests.probes.snmp_agents import report, report_to, tlv

ID = 0x01020304
MAC = "0012345678 9a"
AXIS = bytes.fromhex("80000170 03" + MAC)
NET_SNMP = bytes.fromhex("80001f88 80 02befd3107300a6b00000000")
GOOD = report(AXIS)


def test_asks_for_the_engine_of_nobody() -> None:
    """As RFC 3414, 4, wants it, and as net-snmp's `snmpget -v3` begins: no user, no engine, reportable."""
    header = "3010 020401020304 02021000 040104 020103"
    nobody = "0410 300e 0400 020100 020100 0400 0400 0400"
    request = "3014 0400 0400 a00e 020401020304 020100 020100 3000"
    assert question(ID) == bytes.fromhex(f"303d 020103 {header} {nobody} {request}")
    assert b"public" not in question(ID)


def test_reads_what_a_real_agent_said() -> None:
    """net-snmp 5.9.3 as Debian 12 has it, with nothing configured but a community of v2c."""
    said = """306d 020103 300f 02024a69 020300ffe3 040100 020103
        0421 301f 0411 80001f888002befd3107300a6b00000000 020102 020101 0400 0400 0400
        3034 0411 80001f888002befd3107300a6b00000000 0400
        a81d 020237f0 020100 020100 3011 300f 060a2b060106030f01010400 410101"""
    assert read(bytes.fromhex(said), 0x4A69) == Engine(8072, None)


ANSWERS: dict[str, tuple[bytes, Engine]] = {
    "a maker and a MAC": (GOOD, Engine(368, "00123456789a")),
    "net-snmp's own number": (report(NET_SNMP), Engine(8072, None)),
    "on the question as it is sent": (report_to(question(ID), AXIS), Engine(368, "00123456789a")),
    "zeros after the message": (GOOD + bytes(8), Engine(368, "00123456789a")),
    "lengths longer than needed": (b"\x30\x82\0" + GOOD[1:], Engine(368, "00123456789a")),
}


@pytest.mark.parametrize(("datagram", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_reads_a_report(datagram: bytes, expected: Engine) -> None:
    assert read(datagram, ID) == expected


IDS: dict[str, tuple[str, Engine]] = {
    "by IPv4": ("80000009 01 c0a80064", Engine(9, None)),
    "by IPv6": ("80000009 02" + "20" * 16, Engine(9, None)),
    "by MAC, as Cisco's cameras": ("80000009 03 00049f112233", Engine(9, "00049f112233")),
    "by MAC, one byte short": ("80000009 03 00049f1122", Engine(9, None)),
    "by MAC, with more behind": ("80000009 03 00049f112233 00", Engine(9, None)),
    "by text that looks like a MAC": ("80008ff1 04 00049f112233", Engine(36849, None)),
    "by octets": ("800098fd 05 01", Engine(39165, None)),
    "by the maker's own rule": ("80001f88 80 01020304", Engine(8072, None)),
    "with nothing behind the form": ("80000170 03", Engine(368, None)),
    "as before RFC 3411": ("00000170 0102030405060708", Engine(368, None)),
    "as before RFC 3411, but of another length": ("00000170 03 00049f112233", Engine(None, None)),
    "words": (b"camera".hex(), Engine(None, None)),
    "of no enterprise": ("80000000 03 00049f112233", Engine(None, "00049f112233")),
    "of no enterprise, as before RFC 3411": ("00000000 0102030405060708", Engine(None, None)),
    "of the last enterprise": ("ffffffff 05 01", Engine(2**31 - 1, None)),
    "as long as can be": ("80000170 04" + "61" * 27, Engine(368, None)),
}


@pytest.mark.parametrize(("content", "expected"), IDS.values(), ids=IDS)
def test_an_engine_id(content: str, expected: Engine) -> None:
    assert decode_engine_id(bytes.fromhex(content)) == expected


def nested(depth: int) -> bytes:
    found = b""
    for _ in range(depth):
        found = tlv(0x30, found)
    return found


GARBLED: dict[str, bytes] = {
    "nothing": b"",
    "HTTP": b"HTTP/1.0 400 Bad Request\r\n\r\n",
    "our own question": question(ID),
    "another message's number": report(AXIS, "020401020305"),
    "a number beyond 64 bits": report(AXIS, "0209010203040506070809"),
    "an empty number": report(AXIS, "0200"),
    "a number of another type": report(AXIS, "040401020304"),
    "another version": report(AXIS, version="020101"),
    "another model of security": report(AXIS, model="020101"),
    "a response": report(AXIS, pdu=0xA2),
    "a trap": report(AXIS, pdu=0xA7),
    "flags that are a number": report(AXIS, flags="020100"),
    "more than belongs there": report(AXIS, more="0500"),
    "an empty engine ID": report(b""),
    "four bytes of an engine ID": report(AXIS[:4]),
    "33 bytes of an engine ID": report(AXIS[:5] + bytes(28)),
    "an engine ID of 3000 bytes": report(bytes(range(250)) * 12),
    "zeros": report(bytes(11)),
    "ones": report(b"\xff" * 11),
    "security that is no sequence": report(AXIS, security=b"\4\1\0"),
    "security with more behind": report(AXIS, security=tlv(0x30, tlv(4, AXIS), "020102 020101 0400 0400 0400 0500")),
    "two securities": report(AXIS, security=2 * tlv(0x30, tlv(4, AXIS), "020102 020101 0400 0400 0400")),
    "security that ends early": report(AXIS, security=tlv(0x30, tlv(4, AXIS), "020102")),
    "security nested a thousand deep": report(AXIS, security=nested(1000)),
    "nested a thousand deep": nested(1000),
    "a message in a message": tlv(0x30, GOOD),
    "an encrypted one": tlv(
        0x30,
        "020103 300f 020401020304 02021000 040103 020103",
        tlv(4, tlv(0x30, tlv(4, AXIS), "020102 020101 0400 0400 0400")),
        tlv(4, bytes(40)),
    ),
    "an indefinite length": bytes.fromhex("3080") + GOOD[2:] + bytes(2),
    "a length of four gigabytes": bytes.fromhex("3084ffffffff") + GOOD[2:],
    "too long a length inside": GOOD.replace(b"\4\x0b", b"\4\x7f"),
    "too short a length inside": GOOD.replace(b"\4\x0b", b"\4\x05"),
    "64 KiB": report(AXIS + bytes(65000)),
    "one byte more than is read": GOOD + bytes(MOST_BYTES + 1 - len(GOOD)),
    **{f"cut off after {n} bytes": GOOD[:n] for n in range(1, len(GOOD))},
}


@pytest.mark.parametrize("datagram", GARBLED.values(), ids=GARBLED)
def test_anything_else_is_garbled(datagram: bytes) -> None:
    with pytest.raises(Garbled):
        read(datagram, ID)


def test_no_byte_of_a_report_can_be_changed_into_a_fault_of_ours() -> None:
    for place in range(len(GOOD)):
        for value in range(256):
            changed = GOOD[:place] + bytes((value,)) + GOOD[place + 1 :]
            try:
                assert isinstance(read(changed, ID), Engine)
            except Garbled:
                continue

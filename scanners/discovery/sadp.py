"""Hikvision's SADP: XML without SOAP. Cameras and recorders of this maker answer, those sold under other names too.

Asking changes nothing: what the protocol has for activating a camera and for setting its address and password is left
out here.
"""

from uuid import uuid4

from lxml import etree

from cameras.errors import Garbled
from cameras.untrusted import clean_text, parse_xml
from scanners.discovery.datagrams import Protocol
from scanners.discovery.probe_matches import mac
from scanners.discovery.sightings import Sighting, claimed, port_number

SOURCE = "sadp"
PORT = 37020
GROUP = "239.255.255.250"
MOST_BYTES = 32 * 1024

_PROBE = '<?xml version="1.0" encoding="utf-8"?><Probe><Uuid>{uuid}</Uuid><Types>inquiry</Types></Probe>'
# "flase" was seen in a camera's own words.
_TRUTH = {"true": True, "false": False, "flase": False}


def read(datagram: bytes, sender: str) -> list[Sighting]:
    """The device that one answer announces. Raises Garbled, for our own question too, which comes back to us."""
    root = parse_xml(datagram.rstrip(b"\0"), MOST_BYTES)
    if etree.QName(root).localname != "ProbeMatch":
        raise Garbled("the answer is no ProbeMatch")
    said: dict[str, str] = {}
    for node in root:
        text = clean_text(node.text or "", 100)
        if text:
            said.setdefault(etree.QName(node).localname.lower(), text)
    port = port_number(said.get("httpport"))
    return [
        Sighting(
            address=sender,
            port=port,
            scheme="http" if port else None,
            sources=(SOURCE,),
            xaddrs=claimed(said.get("ipv4address"), port),
            manufacturer=said.get("oeminfo"),
            model=said.get("devicedescription"),
            mac=mac(said.get("mac")),
            serial=said.get("devicesn"),
            activated=_TRUTH.get(said.get("activated", "").lower()),
        )
    ]


def _questions() -> list[bytes]:
    return [_PROBE.format(uuid=str(uuid4()).upper()).encode()]


PROTOCOL = Protocol(SOURCE, GROUP, PORT, _questions, read, answers_to_group=True)

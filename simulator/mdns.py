"""mDNS (RFC 6762): an Axis camera names its video and web services, as Bonjour clients look for them.

An answer goes to the group, or to the asker alone where the question wants it so or comes from another port. Nothing is
announced unasked, and no answer is left out because the asker knows it.
"""

import socket
from collections.abc import Iterable

from zeroconf._dns import DNSAddress, DNSPointer, DNSQuestion, DNSRecord, DNSService, DNSText
from zeroconf._protocol.incoming import DNSIncoming
from zeroconf._protocol.outgoing import DNSOutgoing
from zeroconf.const import (
    _CLASS_IN,
    _CLASS_UNIQUE,
    _FLAGS_AA,
    _FLAGS_QR_RESPONSE,
    _TYPE_A,
    _TYPE_ANY,
    _TYPE_PTR,
    _TYPE_SRV,
    _TYPE_TXT,
)

from simulator.announcing import Announcement, Endpoint
from simulator.plan import CameraPlan
from simulator.vapix.parameters import value_of

GROUP, PORT = "224.0.0.251", 5353
_OURS = _CLASS_IN | _CLASS_UNIQUE
_SHORT_TTL, _LONG_TTL, _LEGACY_TTL = 120, 4500, 10
_ALL = "_services._dns-sd._udp.local."


def is_on(plan: CameraPlan) -> bool:
    return plan.vendor == "axis" and value_of(plan, "Network.Bonjour.Enabled") == "yes"


def answers(plan: CameraPlan, question: bytes, asker: Endpoint, _number: int) -> Iterable[tuple[bytes, Endpoint]]:
    asked = DNSIncoming(question)
    if not asked.valid or not asked.is_query():
        return
    one_shot = asker[1] != PORT
    records = _records(plan)
    wanted = [record for record in records if any(_fits(record, one) for one in asked.questions)]
    if not wanted:
        return
    reply = DNSOutgoing(_FLAGS_QR_RESPONSE | _FLAGS_AA, multicast=not one_shot, id_=asked.id if one_shot else 0)
    for one in asked.questions if one_shot else ():
        reply.add_question(one)
    for record in wanted:
        _short_lived(record, one_shot=one_shot)
        reply.add_answer_at_time(record, 0)
    for record in records:
        if record not in wanted and record.type != _TYPE_PTR:
            _short_lived(record, one_shot=one_shot)
            reply.add_additional_answer(record)
    to = asker if one_shot or asked.has_qu_question() else (GROUP, PORT)
    for packet in reply.packets():
        yield packet, to


def _records(plan: CameraPlan) -> list[DNSRecord]:
    friendly = value_of(plan, "Network.Bonjour.FriendlyName")
    label = f"AXIS {plan.model} - {plan.serial}" if friendly == "AXIS" else friendly
    host = f"{plan.hostname}.local."
    port = plan.http_port or plan.https_port or 0
    text = f"macaddress={plan.serial}".encode()
    records: list[DNSRecord] = []
    for service, said in (("_axis-video._tcp.local.", bytes([len(text)]) + text), ("_http._tcp.local.", b"\0")):
        name = f"{label[:63].replace('.', ' ')}.{service}"
        records += [
            DNSPointer(service, _TYPE_PTR, _CLASS_IN, _LONG_TTL, name),
            DNSPointer(_ALL, _TYPE_PTR, _CLASS_IN, _LONG_TTL, service),
            DNSService(name, _TYPE_SRV, _OURS, _SHORT_TTL, 0, 0, port, host),
            DNSText(name, _TYPE_TXT, _OURS, _LONG_TTL, said),
        ]
    return [*records, DNSAddress(host, _TYPE_A, _OURS, _SHORT_TTL, socket.inet_aton(plan.address))]


def _fits(record: DNSRecord, asked: DNSQuestion) -> bool:
    return record.name.lower() == asked.name.lower() and asked.type in (record.type, _TYPE_ANY)


def _short_lived(record: DNSRecord, *, one_shot: bool) -> None:
    """Who asks once keeps no cache, and is told so."""
    if one_shot:
        record.ttl = _LEGACY_TTL
        record.unique = False


MDNS = Announcement(GROUP, PORT, is_on, answers)

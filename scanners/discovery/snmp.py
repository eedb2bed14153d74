"""SNMP: asked address by address, since no agent announces itself. Not only cameras answer.

The agent's engine is asked for, without a user and a community; the name that a device gives itself only where the
default community may be tried, which is a try of a known password.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from cameras.errors import Garbled, Refused
from scanners.discovery.datagrams import Protocol, ask_each, told
from scanners.discovery.probe_matches import mac
from scanners.discovery.sightings import Sighting
from scanners.knowledge import enterprise_registry
from scanners.probes import snmp_engine, snmp_messages
from scanners.probes.snmp_messages import VERSION_NUMBERS

SOURCE = "snmp"
PORT = 161

_ENTERPRISES = "1.3.6.1.4.1."


async def ask(
    addresses: Sequence[str], wait_s: float, concurrency: int = 64, *, port: int = PORT, public: bool = False
) -> list[Sighting]:
    """Whoever answers at these addresses, each given up after `wait_s`; with `public` to that community too."""
    await asyncio.to_thread(enterprise_registry)  # reads a file, once
    questions = [engine_protocol(port), *([public_protocol(port)] if public else [])]
    heard = await asyncio.gather(*(ask_each(one, addresses, wait_s, concurrency) for one in questions))
    seen = own_macs(sighting for replies in heard for sighting in replies.sightings())
    for replies in heard[1:]:
        heard[0].ignored.update(replies.ignored)
    return told(SOURCE, seen, heard[0])


def engine_protocol(port: int = PORT) -> Protocol:
    """Asks for the engine (SNMPv3); a number of its own tells answers to it from others."""
    number = secrets.randbits(31)
    return Protocol(
        SOURCE,
        group="",
        port=port,
        questions=lambda: [snmp_engine.question(number)],
        read=lambda datagram, sender: [of_engine(datagram, sender, number)],
    )


def public_protocol(port: int = PORT) -> Protocol:
    """Asks by v1 and v2c, with the community `public`, how the device describes itself."""
    numbers = {version: secrets.randbits(31) for version in VERSION_NUMBERS}
    return Protocol(
        SOURCE,
        group="",
        port=port,
        questions=lambda: [snmp_messages.question(version, number) for version, number in numbers.items()],
        read=lambda datagram, sender: [of_description(datagram, sender, numbers)],
    )


def of_engine(datagram: bytes, sender: str, number: int) -> Sighting:
    """Raises Garbled."""
    engine = snmp_engine.read(datagram, number)
    maker = enterprise_registry().maker(engine.enterprise)
    return Sighting(address=sender, sources=(SOURCE,), manufacturer=maker, mac=mac(engine.mac))


def of_description(datagram: bytes, sender: str, numbers: dict[snmp_messages.Version, int]) -> Sighting:
    """What it calls itself is the only scope. Who turns this community away has answered too. Raises Garbled."""
    for version, number in numbers.items():
        try:
            answer = snmp_messages.read(datagram, version, number)
        except Garbled:
            continue
        except Refused:
            return Sighting(address=sender, sources=(SOURCE,))
        maker = enterprise_registry().maker(_enterprise(answer.object_id))
        scopes = (answer.description,) if answer.description else ()
        return Sighting(address=sender, sources=(SOURCE,), scopes=scopes, manufacturer=maker)
    raise Garbled("SNMP: no answer to a question of ours")


def _enterprise(object_id: str | None) -> int | None:
    if object_id is None or not object_id.startswith(_ENTERPRISES):
        return None
    return int(object_id.removeprefix(_ENTERPRISES).partition(".")[0])


def own_macs(sightings: Iterable[Sighting]) -> list[Sighting]:
    """Without the MACs that several addresses name: an ID that came with the firmware is on all devices that run it."""
    seen = list(sightings)
    places = Counter(found for _, found in {(one.address, one.mac) for one in seen})
    return [replace(one, mac=None) if places[one.mac] > 1 else one for one in seen]


def in_words(sighting: Sighting) -> str:
    """What SNMP alone tells of a device that is no camera, as far as anybody knows."""
    maker = f", with an agent of {sighting.manufacturer}" if sighting.manufacturer else ""
    name = f", and calls itself '{sighting.scopes[0]}'" if sighting.scopes else ""
    return f"it answers SNMP{maker}{name}"

"""Find what is there: the ways of looking run side by side, and what they see becomes one list.

Discovery tells where something answers. Whether it is a camera is decided by asking it (`scanners.identify`).
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from cameras.facts import OpenPorts
from scanners.discovery import dhdiscover, mdns, sadp, snmp, ssdp, ws_discovery
from scanners.discovery import interfaces as network
from scanners.discovery.datagrams import Protocol, ask_group
from scanners.discovery.sightings import Sighting, merge
from scanners.discovery.sweep import sweep_each
from scanners.targets import Target

SOURCE = "sweep"
PROTOCOLS = (ws_discovery.PROTOCOL, sadp.PROTOCOL, dhdiscover.PROTOCOL, mdns.PROTOCOL, ssdp.PROTOCOL)


@dataclass(frozen=True, slots=True)
class Discovery:
    """Every target is in `sightings` (at its address) or in `unanswered`; `ports` has every address that was asked for.

    `sightings` also holds who answered to multicast without having been asked for.
    """

    sightings: tuple[Sighting, ...]
    unanswered: tuple[Target, ...]
    ports: Mapping[str, OpenPorts]


async def discover(
    targets: Sequence[Target],
    *,
    multicast: bool,
    interfaces: Sequence[str] | None,
    ports: Iterable[int],
    on_progress: Callable[[int, int], None] | None = None,
    in_flight: int = 256,
    per_second: float | None = None,
    connect_timeout_s: float = 2.0,
    probe_wait_s: float = 3.0,
    probe_port: int = ws_discovery.PORT,
    snmp_port: int = snmp.PORT,
    protocols: Sequence[Protocol] = PROTOCOLS,
) -> Discovery:
    """Who answers at these targets and, with `multicast`, on these interfaces (`None`: all but loopback).

    A target without a port is tried at `ports` and asked by SNMP, one with a port only there. `on_progress` gets
    addresses swept and in all. Raises InterfaceError for an interface that does not exist, OSError where the system
    gives us no sockets.
    """
    plan = _plan(targets, tuple(ports))
    asked_on = network.addresses(interfaces) if multicast else []
    swept = sweep_each(
        plan, in_flight=in_flight, per_second=per_second, timeout_s=connect_timeout_s, on_progress=on_progress
    )
    try:
        async with asyncio.TaskGroup() as group:
            one_by_one = group.create_task(ws_discovery.probe_unicast(plan, probe_wait_s, in_flight, port=probe_port))
            by_snmp = group.create_task(snmp.ask(whole(targets), probe_wait_s, in_flight, port=snmp_port))
            all_at_once = group.create_task(ask_everybody(asked_on, probe_wait_s, protocols=protocols))
            sweeping = group.create_task(_collected(swept))
    except ExceptionGroup as several:
        raise several.exceptions[0] from several
    return _joined(targets, one_by_one.result() + by_snmp.result() + all_at_once.result(), sweeping.result())


async def ask_everybody(
    interfaces: Sequence[str] | None, wait_s: float, *, protocols: Sequence[Protocol] = PROTOCOLS
) -> list[Sighting]:
    """Everyone who announces themselves on these interfaces by any of the protocols, all of them asked side by side.

    Raises InterfaceError for an interface that does not exist. A protocol that gets no socket costs the others nothing.
    """
    addresses = network.addresses(interfaces)
    heard = await asyncio.gather(*(ask_group(protocol, addresses, wait_s) for protocol in protocols))
    return [sighting for by_one in heard for sighting in by_one]


def whole(targets: Iterable[Target]) -> list[str]:
    """The addresses that are asked for as such: where only a port is asked for, SNMP may be the router's before it."""
    by_port = {target.address for target in targets if target.port is not None}
    return [target.address for target in targets if target.address not in by_port]


def _plan(targets: Iterable[Target], ports: Iterable[int]) -> dict[str, tuple[int, ...]]:
    """The ports to try at each address: all of them, unless it is only asked for by port."""
    plan: dict[str, tuple[int, ...]] = {}
    for target in targets:
        wanted = tuple(ports) if target.port is None else (target.port,)
        plan[target.address] = tuple(dict.fromkeys(plan.get(target.address, ()) + wanted))
    return plan


async def _collected(swept: AsyncGenerator[tuple[str, OpenPorts], None]) -> dict[str, OpenPorts]:
    async with aclosing(swept):
        return {address: ports async for address, ports in swept}


def _joined(targets: Sequence[Target], announced: Sequence[Sighting], ports: Mapping[str, OpenPorts]) -> Discovery:
    places = {(sighting.address, port) for sighting in announced for port in (sighting.port, None)}
    accepting = [target for target in targets if _accepts(target, ports[target.address])]
    answered = {*accepting, *(target for target in targets if (target.address, target.port) in places)}
    return Discovery(
        sightings=tuple(merge([*announced, *(_sighting(target) for target in accepting)])),
        unanswered=tuple(target for target in targets if target not in answered),
        ports=ports,
    )


def _accepts(target: Target, ports: OpenPorts) -> bool:
    return bool(ports.open) if target.port is None else target.port in ports.open


def _sighting(target: Target) -> Sighting:
    return Sighting(
        address=target.address,
        port=target.port,
        scheme=target.scheme,
        path=target.path,
        sources=(SOURCE,),
    )

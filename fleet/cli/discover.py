"""`camwarden discover`: which cameras there are, without a login."""

import asyncio
import json as json_module
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, replace
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from cameras import soap
from cameras.budget import AttemptBudget
from cameras.facts import Gap, OpenPorts
from cameras.untrusted import clean_text
from fleet.cli import screen
from fleet.cli.assess import chosen_targets
from fleet.cli.outcomes import ExitCode
from scanners.assessment import NotEvaluated
from scanners.discovery import ask_everybody, snmp, whole, ws_discovery
from scanners.discovery.sightings import Sighting, merge, says_camera
from scanners.discovery.sweep import sweep
from scanners.identify import HTTP_PORTS, HTTPS_PORTS, identify, is_silent
from scanners.knowledge import mac_registry
from scanners.targets import Target

EPILOG = """
Example, the network that this machine is in: camwarden discover

Example: camwarden discover 10.0.0.0/24 --json

Example, one interface: camwarden discover --multicast --interface eth1
"""

MULTICAST_WAIT_S = 4.0
UNICAST_WAIT_S = 1.0
UNICAST_AT_ONCE = 256
KNOCKS_AT_ONCE = 64
CONNECT_TIMEOUT_S = 2.0
REQUEST_TIMEOUT_S = 5.0
LABELS = {"sweep": "Trying addresses"}


@dataclass(frozen=True, slots=True)
class Found:
    """The cameras, and every other address that was asked for, with why it is none."""

    cameras: Sequence[Sighting]
    others: Sequence[NotEvaluated]


def discover(
    target: Annotated[
        list[str] | None, typer.Argument(help="Addresses, networks, ranges or names.", show_default=False)
    ] = None,
    *,
    multicast: Annotated[
        bool, typer.Option("--multicast", help="Ask everybody on the local networks; the default without targets.")
    ] = False,
    interface: Annotated[
        list[str] | None, typer.Option(help="Ask here only, by name or address.", show_default=False)
    ] = None,
    snmp_public: Annotated[
        bool, typer.Option("--snmp-public", help="Also ask by SNMP with the community public, a known password.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print only JSON (camwarden/discovery/1) on stdout.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before trying more than 4096 addresses.")] = False,
) -> None:
    """Find cameras: by asking the local networks in every way that cameras answer, and knocking at addresses.

    Sends no login, and no community of SNMP without --snmp-public. Exit code: 0 good, 2 wrong use, 4 our fault. An
    address without a camera is no error here.
    """
    targets = chosen_targets(target or [], confirmed=yes)
    everybody = multicast or interface is not None or not targets
    found, interrupted = _look(targets, interface, multicast=everybody, public=snmp_public)
    if json:
        sys.stdout.write(f"{json_module.dumps(to_values(found), indent=1)}\n")
    else:
        _show(found)
    if interrupted:
        raise typer.Exit(ExitCode.INTERRUPTED)


def to_values(found: Found) -> dict[str, object]:
    """`camwarden/discovery/1`."""
    cameras = [
        {
            "address": one.address,
            "port": one.port,
            "sources": list(one.sources),
            "xaddrs": list(one.xaddrs),
            "scopes": list(one.scopes),
            "manufacturer": one.manufacturer,
            "model": one.model,
            "mac": one.mac,
            "mac_maker": mac_registry().maker(one.mac),
            "serial": one.serial,
            "activated": one.activated,
        }
        for one in found.cameras
    ]
    others = [{"address": one.address, "reason": one.reason, "detail": one.detail} for one in found.others]
    return {"format": "camwarden/discovery/1", "cameras": cameras, "not_cameras": others}


def _show(found: Found) -> None:
    table = Table("Camera", "Manufacturer and model", "MAC", "Seen by", box=None, pad_edge=False)
    for one in found.cameras:
        host = f"[{one.address}]" if ":" in one.address else one.address
        name = " ".join(clean_text(word) for word in (one.manufacturer, one.model) if word)
        maker = mac_registry().maker(one.mac)
        place = f"{host}:{one.port}" if one.port else host
        told = name or (f"did not say; its MAC is of {maker}" if maker else "did not say")
        told = f"{told} (never set up)" if one.activated is False else told
        table.add_row(Text(place), Text(told), Text(one.mac or ""), Text(", ".join(one.sources)))
    out = screen.console()
    if found.cameras:
        out.print(table)
    out.print(Text(f"{len(found.cameras)} cameras; {len(found.others)} addresses without one."))


def _look(
    targets: Sequence[Target], interfaces: Sequence[str] | None, *, multicast: bool, public: bool
) -> tuple[Found, bool]:
    heard: list[Sighting] = []
    others: list[NotEvaluated] = []
    interrupted = False
    try:
        asyncio.run(_discover(targets, interfaces, heard, others, multicast=multicast, public=public))
    except KeyboardInterrupt:
        interrupted = True
    cameras = [one for one in merge(heard) if says_camera(one)]
    known = {one.address for one in (*cameras, *heard) if says_camera(one)}
    answered = known | {one.address for one in others}
    agents = {one.address: one for one in heard if one.sources == (snmp.SOURCE,)}
    announced = [one for one in heard if one.sources != (snmp.SOURCE,)]
    quiet = [NotEvaluated(one.address, "not-a-camera", "announces itself, but not as a camera") for one in announced]
    lost = [NotEvaluated(one.address, "interrupted", "stopped before it was tried") for one in targets]
    for entry in [*quiet, *lost]:
        if entry.address not in answered:
            answered.add(entry.address)
            others.append(entry)
    order = {target.address: number for number, target in enumerate(targets)}
    told = [_with_agent(one, agents.get(one.address)) for one in others if one.address not in known]
    kept = sorted(told, key=lambda one: order.get(one.address, -1))
    return Found(cameras, kept), interrupted


def _with_agent(other: NotEvaluated, agent: Sighting | None) -> NotEvaluated:
    """With what SNMP tells of it; whoever answers there is not silent, whatever its ports."""
    if agent is None:
        return other
    detail = f"{other.detail}; {snmp.in_words(agent)}"
    return replace(other, reason="not-a-camera" if is_silent(other) else other.reason, detail=detail)


async def _discover(
    targets: Sequence[Target],
    interfaces: Sequence[str] | None,
    heard: list[Sighting],
    others: list[NotEvaluated],
    *,
    multicast: bool,
    public: bool,
) -> None:
    async with asyncio.TaskGroup() as searches:
        if multicast:
            searches.create_task(_ask_everybody(interfaces, heard))
        if targets:
            searches.create_task(_ask_each(targets, heard))
            searches.create_task(_ask_by_snmp(targets, heard, public=public))
            searches.create_task(_knock_everywhere(targets, heard, others))


async def _ask_everybody(interfaces: Sequence[str] | None, heard: list[Sighting]) -> None:
    heard += await ask_everybody(interfaces, MULTICAST_WAIT_S)


async def _ask_each(targets: Sequence[Target], heard: list[Sighting]) -> None:
    addresses = [target.address for target in targets]
    heard += await ws_discovery.probe_unicast(addresses, UNICAST_WAIT_S, UNICAST_AT_ONCE)


async def _ask_by_snmp(targets: Sequence[Target], heard: list[Sighting], *, public: bool) -> None:
    heard += await snmp.ask(whole(targets), UNICAST_WAIT_S, UNICAST_AT_ONCE, port=snmp.PORT, public=public)


async def _knock_everywhere(targets: Sequence[Target], heard: list[Sighting], others: list[NotEvaluated]) -> None:
    await asyncio.to_thread(soap.descriptions)
    gate = asyncio.Semaphore(KNOCKS_AT_ONCE)
    unported = {target.address: target for target in targets if target.port is None}

    async def knock(target: Target, ports: OpenPorts | Gap) -> None:
        async with gate, AsyncExitStack() as connections:
            met = await identify(connections, target, ports, AttemptBudget(), REQUEST_TIMEOUT_S)
            if isinstance(met, NotEvaluated):
                others.append(met)
            elif met.proven:
                heard.append(_sighting(target, met.session.http.base.port, met.session.http.base.scheme))
            else:
                others.append(NotEvaluated(target.address, "unauthorized", "wants a login before it says what it is"))

    with screen.progress(LABELS) as advance:
        async with asyncio.TaskGroup() as knocks:
            for target in targets:
                if target.port is not None:
                    knocks.create_task(knock(target, Gap("not-asked", "only the port that was given")))
            swept = sweep(
                list(unported),
                (*HTTP_PORTS, *HTTPS_PORTS),
                timeout_s=CONNECT_TIMEOUT_S,
                on_progress=lambda done, total: advance("sweep", done, total),
            )
            async with aclosing(swept):
                async for address, ports in swept:
                    knocks.create_task(knock(unported[address], ports))


def _sighting(target: Target, port: int | None, scheme: str) -> Sighting:
    tls = scheme == "https"
    return Sighting(
        address=target.address,
        port=port or (443 if tls else 80),
        scheme="https" if tls else "http",
        path=target.path,
        sources=("sweep",),
    )

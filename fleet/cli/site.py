"""`camwarden site`: places with networks, a clock and a maintenance window."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from fleet import sites
from fleet.cli import screen, site_jump
from fleet.cli.stored import actor, changing_store
from fleet.settings import load_settings
from fleet.sites import Site, SiteView
from fleet.store import Store

app = typer.Typer(
    no_args_is_help=True,
    help="Places with networks, a clock and a maintenance window. A camera belongs to the smallest network it is in.",
    epilog="Example: camwarden site add Harbour 10.1.0.0/16 --zone Europe/Berlin --window 'mon-fri 22:00-05:00'",
)
app.add_typer(site_jump.commands, name="jump")

Found = TypeVar("Found")
ConfigOption = Annotated[Path | None, typer.Option(metavar="FILE", help="camwarden.toml.", show_default=False)]
Name = Annotated[str, typer.Argument(help="What people call it.", show_default=False)]


@app.command(epilog="Example: camwarden site add Depot 10.2.0.0/16 10.3.7.4 --zone Europe/Madrid")
def add(
    name: Name,
    networks: Annotated[list[str] | None, typer.Argument(help="Networks or addresses.", show_default=False)] = None,
    *,
    zone: Annotated[str, typer.Option(help="Its clock.")] = "UTC",
    window: Annotated[str, typer.Option(help="When rollouts may change it.", show_default="at any time")] = "",
    note: Annotated[str, typer.Option(help="For people: an address, who has the keys.")] = "",
    config: ConfigOption = None,
) -> None:
    """Add a site; known cameras in its networks belong to it from now on."""
    wanted = Site(name, tuple(networks or ()), zone, window, note)
    count = asyncio.run(_with_store(config, "add", lambda store: sites.put(store, wanted, actor())))
    screen.note(f"{name}: {count} of the known cameras")


@app.command(epilog="Example: camwarden site change Depot --network 10.2.0.0/16 --window 'sat,sun 08:00-18:00'")
def change(
    name: Name,
    *,
    rename: Annotated[str | None, typer.Option(help="Call it this.", show_default=False)] = None,
    network: Annotated[
        list[str] | None, typer.Option(help="All its networks; give it once for each.", show_default=False)
    ] = None,
    zone: Annotated[str | None, typer.Option(help="Its clock.", show_default=False)] = None,
    window: Annotated[str | None, typer.Option(help="'' is at any time.", show_default=False)] = None,
    note: Annotated[str | None, typer.Option(show_default=False)] = None,
    config: ConfigOption = None,
) -> None:
    """Change a site; what is not given stays as it is."""
    given = {"name": rename, "networks": None if network is None else tuple(network)}
    given |= {"zone": zone, "window": window, "note": note}

    async def changed(store: Store) -> int:
        before = asdict(await sites.find(store, name))
        wanted = Site(**before | {key: value for key, value in given.items() if value is not None})
        return await sites.put(store, wanted, actor(), instead_of=name)

    screen.note(f"{rename or name}: {asyncio.run(_with_store(config, 'change', changed))} of the known cameras")


@app.command("list", epilog="Example: camwarden site list --json")
def show(
    *, config: ConfigOption = None, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False
) -> None:
    """All sites, and how their cameras stand."""
    known = asyncio.run(_with_store(config, "list", sites.sites))
    if as_json:
        sys.stdout.write(json.dumps([_plain(view) for view in known]) + "\n")
        return
    for view in known:
        score = "no score" if view.score is None else f"mean score {view.score}"
        where, when = ", ".join(view.site.networks) or "no networks", view.site.window or "at any time"
        line = f"{view.site.name}: {where}; {view.cameras} cameras, {view.urgent} urgent, {score}; {when}"
        sys.stdout.write(f"{line} ({view.site.zone})\n")
    if not known:
        screen.note("There is none yet: camwarden site add NAME NETWORK")


@app.command(epilog="Example: camwarden site remove Depot")
def remove(name: Name, *, config: ConfigOption = None) -> None:
    """Forget a site; its cameras stay."""
    asyncio.run(_with_store(config, "remove", lambda store: sites.remove(store, name)))
    screen.note(f"{name} is no site any more; its cameras stay")


def _plain(view: SiteView) -> dict[str, object]:
    return {**asdict(view.site), "cameras": view.cameras, "urgent": view.urgent, "score": view.score}


async def _with_store(config: Path | None, command: str, work: Callable[[Store], Awaitable[Found]]) -> Found:
    async with changing_store(load_settings(config), f"site {command}") as store:
        return await work(store)

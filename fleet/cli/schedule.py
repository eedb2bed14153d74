"""`camwarden schedule`: what the service begins by itself, and when."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from fleet.cli import screen
from fleet.cli.stored import actor, changing_store
from fleet.schedules import rows as schedule_rows
from fleet.schedules.rows import NewSchedule, ScheduleView, What
from fleet.settings import Settings, load_settings
from fleet.store import Store
from hardening.windows import zone as zone_of

app = typer.Typer(
    no_args_is_help=True,
    help="What the service begins by itself. A running service notices changes within a moment.",
    epilog="Example: camwarden schedule add 'Harbour, every night' scan '0 2 * * *' --site Harbour",
)

Found = TypeVar("Found")
ConfigOption = Annotated[Path | None, typer.Option(metavar="FILE", help="camwarden.toml.", show_default=False)]
Name = Annotated[str, typer.Argument(help="What people call it.", show_default=False)]


@app.command(epilog="Example: camwarden schedule add Looks pictures 'every 30 minutes' --site Depot")
def add(
    name: Name,
    what: Annotated[What, typer.Argument(help="What begins.", show_default=False)],
    cadence: Annotated[
        str, typer.Argument(help="'0 2 * * *', 'every 60 minutes', or 'window' (of the site).", show_default=False)
    ],
    *,
    site: Annotated[str | None, typer.Option(help="Only its cameras.", show_default="the whole estate")] = None,
    zone: Annotated[str, typer.Option(help="Whose clock counts.", show_default="the site's")] = "",
    off: Annotated[bool, typer.Option("--off", help="Do not begin yet.")] = False,
    config: ConfigOption = None,
) -> None:
    """Add a schedule."""
    new = NewSchedule(name, what, cadence, site, zone, not off)
    asyncio.run(_with_store(config, "add", lambda store, _settings: schedule_rows.add(store, new, actor())))
    screen.note(f"{name}: {cadence}")


@app.command("list", epilog="Example: camwarden schedule list --json")
def show(
    *, config: ConfigOption = None, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False
) -> None:
    """All schedules, and when each begins next."""

    async def known(store: Store, settings: Settings) -> list[ScheduleView]:
        return await schedule_rows.listed(store, settings, datetime.now(UTC))

    views = asyncio.run(_with_store(config, "list", known))
    if as_json:
        sys.stdout.write(json.dumps([asdict(view) for view in views], default=str) + "\n")
        return
    for view in views:
        sys.stdout.write(
            f"{view.name}: {view.what}, {view.site or 'the whole estate'}; {view.cadence}; {_next(view)}\n"
        )
    if not views:
        screen.note("There is none yet: they are made when the service first starts, or by camwarden schedule add")


def _next(view: ScheduleView) -> str:
    if view.mistake:
        return f"never: {view.mistake}"
    if not view.next_at:
        return "off"
    return f"next {view.next_at[0].astimezone(zone_of(view.zone)):%Y-%m-%d %H:%M} ({view.zone})"


@app.command(epilog="Example: camwarden schedule remove Looks")
def remove(name: Name, *, config: ConfigOption = None) -> None:
    """Forget a schedule; what it began goes on."""
    asyncio.run(_with_store(config, "remove", lambda store, _settings: schedule_rows.remove(store, name, actor())))
    screen.note(f"{name} is no schedule any more")


@app.command(epilog="Example: camwarden schedule run Looks")
def run(name: Name, *, config: ConfigOption = None) -> None:
    """Let the service begin it now, whether it is on or off."""
    asyncio.run(_with_store(config, "run", lambda store, _settings: schedule_rows.ask_for(store, name, actor())))
    screen.note(f"{name}: a running service begins it within a moment")


async def _with_store(config: Path | None, command: str, do: Callable[[Store, Settings], Awaitable[Found]]) -> Found:
    settings = load_settings(config)
    async with changing_store(settings, f"schedule {command}") as store:
        return await do(store, settings)

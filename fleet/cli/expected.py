"""`camwarden expected`: imported cameras beside what scans found."""

import asyncio
import json as json_module
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from fleet.cli import screen
from fleet.cli.outcomes import WrongUse
from fleet.cli.stored import actor, changing_store, need_store
from fleet.expected import rows
from fleet.expected.rows import MOST_EXPECTED, ExpectedRow, Known
from fleet.settings import Settings, load_settings
from fleet.store import open_store

app = typer.Typer(
    no_args_is_help=True,
    help="Cameras that were imported, and which of them no scan has found.",
    epilog="Example: camwarden expected list",
)

ConfigOption = Annotated[Path | None, typer.Option(metavar="FILE", help="camwarden.toml.", show_default=False)]


@app.command("list", epilog="Example: camwarden expected list --all --json")
def show(
    *,
    every: Annotated[bool, typer.Option("--all", help="Those that were found, too.")] = False,
    config: ConfigOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print only JSON on stdout.")] = False,
) -> None:
    """Which imported cameras are not where they are expected."""
    settings = load_settings(config)
    need_store(settings)
    found = asyncio.run(_listed(settings, every=every))
    if json:
        sys.stdout.write(f"{json_module.dumps([asdict(row) for row in found], indent=1, default=str)}\n")
        return
    table = Table("place", "name", "serial", "how it stands", "imported")
    for row in found:
        how = f"{row.known}: {row.detail}" if row.detail else row.known.value
        table.add_row(row.place, row.name or "", row.serial or "", how, f"{row.imported_at:%Y-%m-%d} {row.source}")
    screen.console().print(table)


@app.command(epilog="Example: camwarden expected forget 10.0.0.5 10.0.0.6")
def forget(
    places: Annotated[
        list[str] | None, typer.Argument(help="As `camwarden expected list` shows them.", show_default=False)
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    config: ConfigOption = None,
) -> None:
    """Expect these cameras no more; what scans found stays."""
    if every == bool(places):
        raise WrongUse("name the places, or give --all")
    settings = load_settings(config)
    need_store(settings)
    gone = asyncio.run(_forget(settings, places or []))
    screen.note(f"{gone} are expected no more")


async def _listed(settings: Settings, *, every: bool) -> tuple[ExpectedRow, ...]:
    wanted = tuple(Known) if every else rows.NOT_FOUND
    async with await open_store(settings) as store:
        return (await rows.expected(store, known=wanted, limit=MOST_EXPECTED)).items


async def _forget(settings: Settings, places: list[str]) -> int:
    async with changing_store(settings, "expected forget") as store:
        every = (await rows.expected(store, known=tuple(Known), limit=MOST_EXPECTED)).items
        return await rows.forget(store, places or [row.place for row in every], actor())

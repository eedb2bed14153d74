"""`camwarden vault`: the key that the passwords of cameras are sealed with."""

import asyncio
import json as json_module
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from fleet.cli import screen
from fleet.cli.outcomes import WrongUse
from fleet.cli.stored import actor, changing_store, need_store
from fleet.settings import Settings, load_settings
from fleet.vault.key_rotation import Rotated, rotate

app = typer.Typer(
    no_args_is_help=True,
    help="The key that the passwords of cameras are sealed with.",
    epilog="Example: camwarden vault rotate-key",
)


@app.callback()
def _several() -> None:
    """A group of commands, also while it has one."""


@app.command("rotate-key", epilog="Example: camwarden vault rotate-key --yes")
def rotate_key(
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print only JSON on stdout.")] = False,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="camwarden.toml.", show_default=False)] = None,
) -> None:
    """Make a new master key and wrap everything under it. The service may run meanwhile.

    Cut off at any moment, nothing is lost: run it again. Then put the new key file into your backup; the one there
    opens older backups of the database only.
    """
    settings = load_settings(config)
    need_store(settings)
    if not yes:
        if not sys.stdin.isatty():
            raise WrongUse("this makes a new master key; say --yes where nobody can be asked")
        typer.confirm(f"Make a new master key in {settings.home}?", abort=True, err=True)
    done = asyncio.run(_rotate(settings))
    if json:
        sys.stdout.write(f"{json_module.dumps({'format': 'camwarden/key-rotation/1', **asdict(done)})}\n")
    else:
        sys.stdout.write(f"{done.key_id}: {done.records} records and {done.backups} backups lie under it now\n")
    screen.note(f"put {settings.home / 'key'} into your backup")


async def _rotate(settings: Settings) -> Rotated:
    async with changing_store(settings, "vault rotate-key") as store:
        return await rotate(store, settings, actor())

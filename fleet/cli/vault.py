"""`camwarden vault`: the key that the passwords of cameras are sealed with, where it lies, and a new one."""

import asyncio
import json as json_module
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from fleet.cli import screen
from fleet.cli.outcomes import ExitCode, WrongUse
from fleet.cli.stored import actor, changing_store, need_store
from fleet.settings import Settings, load_settings
from fleet.store import Store
from fleet.vault import key_moves
from fleet.vault.key_moves import KeyPlace, Where
from fleet.vault.key_rotation import Rotated, rotate

app = typer.Typer(
    no_args_is_help=True,
    help="The key that the passwords of cameras are sealed with.",
    epilog="Example: camwarden vault status\n\nExample: camwarden vault rotate-key",
)

_Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
_Json = Annotated[bool, typer.Option("--json", help="Print only JSON on stdout.")]
_Config = Annotated[Path | None, typer.Option(metavar="FILE", help="camwarden.toml.", show_default=False)]


@app.command(epilog="Example: camwarden vault status --json")
def status(*, json: _Json = False, config: _Config = None) -> None:
    """Say where the master key lies, and whether it can be used. A transit engine is asked to open what it wrapped.

    Exit code: 0 where it can be used or none was made yet, 3 where not.
    """
    settings = load_settings(config)
    place = asyncio.run(key_moves.key_place(settings))
    _print(place, settings, json=json)
    if place.why:
        raise typer.Exit(ExitCode.NOT_EVALUATED)


@app.command("to-transit", epilog="Example: camwarden vault to-transit")
def to_transit(*, yes: _Yes = False, json: _Json = False, config: _Config = None) -> None:
    """Have the transit engine of the settings wrap the master key, so that it lies on no disk as it is.

    Cut off at any moment, nothing is lost: run it again. From then on Camwarden starts only while the engine answers.
    """
    settings = load_settings(config)
    _ask(f"Have {settings.transit_url} guard the master key?", yes=yes)
    _print(asyncio.run(_moved(settings, "vault to-transit", key_moves.to_transit)), settings, json=json)
    screen.note(
        f"put {settings.home / 'key'} into your backup, and look that the transit key is in one. Copies of the key "
        "from before still open everything: `camwarden vault rotate-key` makes one that was never on a disk"
    )


@app.command("to-file", epilog="Example: camwarden vault to-file --yes")
def to_file(*, yes: _Yes = False, json: _Json = False, config: _Config = None) -> None:
    """Put the master key back into its file as it is: no transit engine is needed any more.

    Cut off at any moment, nothing is lost: run it again.
    """
    settings = load_settings(config)
    _ask(f"Write the master key into {settings.home / 'key'} as it is?", yes=yes)
    _print(asyncio.run(_moved(settings, "vault to-file", key_moves.to_file)), settings, json=json)
    screen.note(f"put {settings.home / 'key'} into your backup")


@app.command(epilog="Example: camwarden vault rewrap")
def rewrap(*, json: _Json = False, config: _Config = None) -> None:
    """Wrap the master key under the newest version of the transit key, after that was rotated. The service may run."""
    settings = load_settings(config)
    _print(asyncio.run(_moved(settings, "vault rewrap", key_moves.rewrap)), settings, json=json)
    screen.note(f"put {settings.home / 'key'} into your backup")


@app.command("rotate-key", epilog="Example: camwarden vault rotate-key --yes")
def rotate_key(*, yes: _Yes = False, json: _Json = False, config: _Config = None) -> None:
    """Make a new master key and wrap everything under it. The service may run meanwhile.

    Cut off at any moment, nothing is lost: run it again. Then put the new key file into your backup; the one there
    opens older backups of the database only.
    """
    settings = load_settings(config)
    need_store(settings)
    _ask(f"Make a new master key in {settings.home}?", yes=yes)
    done = asyncio.run(_rotate(settings))
    if json:
        sys.stdout.write(f"{json_module.dumps({'format': 'camwarden/key-rotation/1', **asdict(done)})}\n")
    else:
        sys.stdout.write(f"{done.key_id}: {done.records} records and {done.backups} backups lie under it now\n")
    screen.note(f"put {settings.home / 'key'} into your backup")


def _ask(question: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise WrongUse("this changes where the master key is or which one; say --yes where nobody can be asked")
    typer.confirm(question, abort=True, err=True)


_TOLD = {
    Where.NOWHERE: "no master key was made yet",
    Where.FILE: "the master key {key_id} lies in {path}",
    Where.SYSTEMD: "the master key {key_id} comes from systemd: {path}",
    Where.TRANSIT: "the master key {key_id} lies in {path}, wrapped by version {version} of a transit key",
}


def _print(place: KeyPlace, settings: Settings, *, json: bool) -> None:
    said = {**asdict(place), "path": str(place.path)}
    if json:
        engine = {"transit_url": settings.transit_url, "transit_key": settings.transit_key}
        sys.stdout.write(f"{json_module.dumps({'format': 'camwarden/vault-status/1', **said, **engine})}\n")
        return
    sys.stdout.write(f"{_TOLD[place.where].format(**said)}\n")
    if place.where is Where.TRANSIT or settings.transit_url:
        sys.stdout.write(f"transit engine: {settings.transit_url or 'none'}, key {settings.transit_key or 'none'}\n")
    if place.why:
        sys.stdout.write(f"it cannot be used: {place.why}\n")


async def _moved(settings: Settings, command: str, move: Callable[[Store, Settings], Awaitable[KeyPlace]]) -> KeyPlace:
    need_store(settings)
    async with changing_store(settings, command) as store:
        return await move(store, settings)


async def _rotate(settings: Settings) -> Rotated:
    async with changing_store(settings, "vault rotate-key") as store:
        return await rotate(store, settings, actor())

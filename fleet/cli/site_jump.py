"""`camwarden site jump`: the SSH server through which a site's cameras are reached."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import asyncssh
import typer

from cameras.errors import Unreachable
from cameras.secret import Secret
from fleet import sites
from fleet.cli import screen
from fleet.cli.outcomes import ExitCode, WrongUse
from fleet.cli.stored import actor, changing_store
from fleet.errors import Invalid
from fleet.jump_hosts import rows
from fleet.jump_hosts.host_keys import (
    MOST_KEY_CHARACTERS,
    Door,
    fingerprint,
    read_door,
    read_host_key,
    read_private_key,
    written,
)
from fleet.jump_hosts.log_in import shown_host_key
from fleet.jump_hosts.rows import Stored, authorized_line
from fleet.jump_hosts.runner import JumpHosts
from fleet.settings import load_settings
from fleet.store import Store

commands = typer.Typer(
    no_args_is_help=True,
    help="The SSH server through which the cameras of a site are reached.",
    epilog="Example: camwarden site jump set Harbour --host camwarden@gate.example.com --scan",
)

Found = TypeVar("Found")
ConfigOption = Annotated[Path | None, typer.Option(metavar="FILE", help="camwarden.toml.", show_default=False)]
Site = Annotated[str, typer.Argument(help="The name of the site.", show_default=False)]


@dataclass(frozen=True, slots=True)
class _Shown:
    stored: Stored
    line: str


@commands.command("set", epilog="Example: camwarden site jump set Harbour --host camwarden@gate.example.com --scan")
def put(
    site: Site,
    *,
    host: Annotated[str, typer.Option(metavar="USER@HOST[:PORT]", help="Where, and as whom.", show_default=False)],
    host_key: Annotated[
        str | None,
        typer.Option(help="The key that it must show: ssh-ed25519 AAAA…, or SHA256:…", show_default=False),
    ] = None,
    scan: Annotated[bool, typer.Option("--scan", help="Show the key that it has now, and ask.")] = False,
    key_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Our private key, to be sealed.", show_default="one is made"),
    ] = None,
    new_key: Annotated[bool, typer.Option("--new-key", help="Make a new private key in place of ours.")] = False,
    config: ConfigOption = None,
) -> None:
    """Reach a site through this SSH server from now on."""
    if (host_key is None) != scan:
        raise WrongUse("give the host's key with --host-key, or see it with --scan and confirm it")
    if key_file is not None and new_key:
        raise WrongUse("either a key from a file or a new one")
    door = read_door(host)
    ours = None if key_file is None else read_private_key(_private(key_file))
    pinned = read_host_key(host_key or _confirmed(_shown_by(door)))

    async def changed(store: Store) -> _Shown:
        stored = await rows.put(store, site, door, pinned, actor(), private_key=ours, renew=new_key)
        return await _shown(store, stored)

    shown = asyncio.run(_with_store(config, "set", changed))
    screen.note(f"{site}: through {shown.stored.door}, whose key is {shown.stored.host_key.fingerprint}")
    screen.note("Put this line into authorized_keys there, then: camwarden site jump test SITE")
    sys.stdout.write(f"{shown.line}\n")


@commands.command(epilog="Example: camwarden site jump show Harbour --json")
def show(
    site: Site,
    *,
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """The jump host of a site, and the line for its authorized_keys."""

    async def found(store: Store) -> _Shown:
        return await _shown(store, await rows.find(store, site))

    shown = asyncio.run(_with_store(config, "show", found))
    door, key = str(shown.stored.door), shown.stored.host_key.fingerprint
    if as_json:
        plain = {"site": site, "host": door, "host_key": key, "authorized_keys": shown.line}
        sys.stdout.write(json.dumps(plain) + "\n")
    else:
        sys.stdout.write(f"{site}: through {door}, whose key is {key}\n{shown.line}\n")


@commands.command("test", epilog="Example: camwarden site jump test Harbour")
def prove(site: Site, *, config: ConfigOption = None) -> None:
    """Log in to the jump host of a site now."""

    async def proved(store: Store) -> None:
        async with JumpHosts(store) as jump_hosts:
            await jump_hosts.prove(site)

    try:
        asyncio.run(_with_store(config, "test", proved))
    except Unreachable as error:
        screen.note(str(error))
        raise typer.Exit(ExitCode.NOT_EVALUATED) from error
    screen.note(f"The jump host of {site} shows the key that was confirmed, and takes ours")


@commands.command(epilog="Example: camwarden site jump remove Harbour")
def remove(site: Site, *, config: ConfigOption = None) -> None:
    """Reach a site straight again; our key for its jump host is forgotten."""
    asyncio.run(_with_store(config, "remove", lambda store: rows.remove(store, site, actor())))
    screen.note(f"{site} is reached straight from now on; take our line out of authorized_keys there")


def _private(path: Path) -> Secret:
    try:
        with path.open(encoding="ascii") as file:
            return Secret(file.read(MOST_KEY_CHARACTERS))
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Invalid(f"{path} is no private key of SSH") from error


def _shown_by(door: Door) -> asyncssh.SSHKey:
    try:
        return asyncio.run(shown_host_key(door))
    except Unreachable as error:
        raise Invalid(str(error)) from error


def _confirmed(key: asyncssh.SSHKey) -> str:
    """Nobody but a person may say that it is the right one."""
    screen.note(f"It shows {written(key)}")
    typer.confirm(f"Compare on the host with `ssh-keygen -l`: is it {fingerprint(key)}?", abort=True, err=True)
    return written(key)


async def _shown(store: Store, stored: Stored) -> _Shown:
    site = await sites.find(store, stored.site)
    return _Shown(stored, authorized_line(stored.public_key, site.networks))


async def _with_store(config: Path | None, command: str, work: Callable[[Store], Awaitable[Found]]) -> Found:
    async with changing_store(load_settings(config), f"site jump {command}") as store:
        return await work(store)

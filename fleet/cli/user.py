"""`camwarden user`: who may use the console."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from fleet import people, sessions
from fleet.cli import screen
from fleet.cli.outcomes import WrongUse
from fleet.cli.stored import actor, changing_store
from fleet.permissions import Role
from fleet.second_factors import enrolled
from fleet.sessions import SessionView
from fleet.settings import load_settings

app = typer.Typer(
    no_args_is_help=True,
    help="Who may use the console.",
    epilog="Example: camwarden user add ana --role operator\n\nExample: camwarden user passwd ana",
)

ConfigOption = Annotated[Path | None, typer.Option(metavar="FILE", help="camwarden.toml.", show_default=False)]
StdinOption = Annotated[bool, typer.Option("--password-stdin", help="Read the password from one line of stdin.")]
NameArgument = Annotated[str, typer.Argument(show_default=False)]

MOST_PASSWORD_CHARACTERS = 1024


@app.command(epilog="Example: camwarden user add ana --role operator")
def add(
    name: NameArgument,
    *,
    role: Annotated[Role, typer.Option(help="What this person may do.")] = Role.VIEWER,
    password_stdin: StdinOption = False,
    config: ConfigOption = None,
) -> None:
    """Add a person. The password is asked for, never given on the command line, where everybody could see it."""
    asyncio.run(_add(config, name, _password(from_stdin=password_stdin), role))
    screen.note(f"{name} may sign in as {role.value}")


@app.command(epilog="Example: camwarden user passwd ana")
def passwd(name: NameArgument, *, password_stdin: StdinOption = False, config: ConfigOption = None) -> None:
    """Give a person another password. It also ends all of their sessions."""
    asyncio.run(_passwd(config, name, _password(from_stdin=password_stdin)))
    screen.note(f"{name} has a new password")


@app.command("sessions", epilog="Example: camwarden user sessions ana")
def show_sessions(
    name: NameArgument,
    *,
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Where a person is signed in: since when, last used, from where, by which browser, and what they showed."""
    listed = asyncio.run(_sessions(config, name))
    if as_json:
        sys.stdout.write(json.dumps([_plain(one) for one in listed]) + "\n")
        return
    for one in listed:
        since, used = f"{one.created_at:%Y-%m-%d %H:%M}", f"{one.used_at:%Y-%m-%d %H:%M}"
        sys.stdout.write(
            f"{one.browser or 'unknown program'} from {one.source}, by {one.proof}; {since} to {used} UTC\n"
        )
    if not listed:
        screen.note(f"{name} is signed in nowhere")


@app.command("end-sessions", epilog="Example: camwarden user end-sessions ana")
def end_sessions(name: NameArgument, *, config: ConfigOption = None) -> None:
    """End all sessions of a person, who must sign in again."""
    screen.note(f"{name}: {asyncio.run(_end_sessions(config, name))} ended")


@app.command("reset-factors", epilog="Example: camwarden user reset-factors ana")
def reset_factors(name: NameArgument, *, config: ConfigOption = None) -> None:
    """Take away an app, security keys and recovery codes that were lost. It also ends all sessions of that person."""
    asyncio.run(_reset_factors(config, name))
    screen.note(f"{name} has no second factor any more")


async def _sessions(config: Path | None, name: str) -> tuple[SessionView, ...]:
    async with changing_store(load_settings(config), "user sessions") as store:
        return await sessions.sessions_of(store, (await people.named(store, name)).id)


async def _end_sessions(config: Path | None, name: str) -> int:
    async with changing_store(load_settings(config), "user end-sessions") as store:
        return await sessions.end_all(store, await people.named(store, name), actor())


async def _reset_factors(config: Path | None, name: str) -> None:
    async with changing_store(load_settings(config), "user reset-factors") as store:
        await enrolled.reset(store, await people.named(store, name), actor())


def _plain(one: SessionView) -> dict[str, str]:
    times = {"since": one.created_at.isoformat(), "last_used": one.used_at.isoformat()}
    return {"source": one.source, "browser": one.browser, "proof": one.proof, **times}


async def _add(config: Path | None, name: str, password: str, role: Role) -> None:
    async with changing_store(load_settings(config), "user add") as store:
        await people.add_user(store, name, password, role)


async def _passwd(config: Path | None, name: str, password: str) -> None:
    async with changing_store(load_settings(config), "user passwd") as store:
        await people.set_password(store, name, password)


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline(MOST_PASSWORD_CHARACTERS + 1).rstrip("\r\n")
    if not sys.stdin.isatty():
        raise WrongUse("there is no terminal to ask for the password; give it on stdin with --password-stdin")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))

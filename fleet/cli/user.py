"""`camwarden user`: who may use the console."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from fleet import people
from fleet.cli import screen
from fleet.cli.outcomes import WrongUse
from fleet.cli.stored import changing_store
from fleet.permissions import Role
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

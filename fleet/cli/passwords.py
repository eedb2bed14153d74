"""`camwarden passwords`: the cameras' own passwords, changed without locking anybody out."""

import asyncio
import json as json_module
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from cameras.secret import Secret
from fleet import lookup
from fleet.cli import screen
from fleet.cli.outcomes import ExitCode, WrongUse
from fleet.cli.stored import actor, camera_ids, changing_store, need_store
from fleet.notices.configured import channels
from fleet.rotations import default_passwords
from fleet.rotations.journal import set_by_hand
from fleet.rotations.rows import CameraRotationView
from fleet.rotations.runner import RotationId, Rotations
from fleet.settings import Settings, load_settings
from fleet.store import Store
from fleet.vault.passwords import MOST_PASSWORD_CHARACTERS, PasswordRecord, PasswordState, Vault, open_vault
from hardening.passwords import State

app = typer.Typer(
    no_args_is_help=True,
    help="The cameras' own passwords: change them, see who changed them, look one up.",
    epilog="Example: camwarden passwords rotate @10.0.0.5\n\nExample: camwarden passwords history @10.0.0.5",
)

CamerasArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[@CAMERA]...", help="Address, address:port, serial number, MAC or name.", show_default=False
    ),
]
CameraArgument = Annotated[
    str, typer.Argument(metavar="@CAMERA", help="Address, address:port, serial number, MAC or name.")
]
AllOption = Annotated[bool, typer.Option("--all", help="Every stored camera.")]
AccountOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="Another account than the one we log in with.", show_default=False)
]
ConfigOption = Annotated[Path | None, typer.Option(metavar="FILE", help="camwarden.toml.", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print only JSON on stdout.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
StdinOption = Annotated[bool, typer.Option("--password-stdin", help="Read the password from one line of stdin.")]
WORDS = {
    State.CURRENT: "new password",
    State.UNDONE: "old password kept",
    State.UNCLEAR: "unclear: reconcile",
}


@app.command(epilog="Example: camwarden passwords rotate @10.0.0.5\n\nExample: camwarden passwords rotate --all --yes")
def rotate(
    cameras: CamerasArgument = None,
    *,
    every: AllOption = False,
    account: AccountOption = None,
    yes: YesOption = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Give cameras a new random password. Each costs one deliberate wrong try: the old one must be refused."""
    settings = load_settings(config)
    need_store(settings)
    views = asyncio.run(_rotate(settings, cameras or (), every=every, account=account, yes=yes))
    raise typer.Exit(_report(views, lambda state: state is State.CURRENT, json=json))


@app.command(epilog="Example: camwarden passwords reconcile --all")
def reconcile(
    cameras: CamerasArgument = None,
    *,
    every: AllOption = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Find out which password cameras have where a change ended unclear. Costs each one wrong try at most."""
    settings = load_settings(config)
    need_store(settings)
    views = asyncio.run(_reconcile(settings, cameras or (), every=every))
    raise typer.Exit(_report(views, lambda state: state.final, json=json))


@app.command(epilog="Example: camwarden passwords history @10.0.0.5")
def history(camera: CameraArgument, *, json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show which passwords the vault holds for a camera, since when and by whom; never a password."""
    settings = load_settings(config)
    need_store(settings)
    records = asyncio.run(_history(settings, camera))
    if json:
        sys.stdout.write(f"{json_module.dumps([_record_values(record) for record in records], indent=1)}\n")
        return
    table = Table("account", "version", "state", "since", "made by")
    for one in records:
        table.add_row(one.account, str(one.version), one.state.value, f"{one.since:%Y-%m-%d %H:%M}", one.made_by)
    screen.console().print(table)


@app.command(epilog='Example: camwarden passwords reveal @10.0.0.5 --reason "the installer is on site"')
def reveal(
    camera: CameraArgument,
    *,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why: it is written down.", show_default=False)],
    account: AccountOption = None,
    version: Annotated[
        int | None, typer.Option(metavar="N", help="An older one, see `history`; else the current.", show_default=False)
    ] = None,
    yes: YesOption = False,
    config: ConfigOption = None,
) -> None:
    """Print one password, once. Who asked and why is written down first; there is no --json for this."""
    if not yes:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise WrongUse("a password is printed on a terminal only; --yes prints it where stdout leads to")
        typer.confirm(f"Show the password of {camera} on this terminal?", abort=True, err=True)
    settings = load_settings(config)
    need_store(settings)
    secret = asyncio.run(_reveal(settings, camera, account, version, reason))
    sys.stdout.write(f"{secret.reveal()}\n")


@app.command(name="set", epilog="Example: camwarden passwords set @10.0.0.5 --username camwarden")
def set_(
    camera: CameraArgument,
    *,
    username: Annotated[str, typer.Option(metavar="U", help="The account on the camera.", show_default=False)],
    login: Annotated[bool, typer.Option("--login/--no-login", help="Log in to the camera with this account.")] = True,
    password_stdin: StdinOption = False,
    config: ConfigOption = None,
) -> None:
    """Tell the vault the password that a camera has. Nothing is sent to the camera; a try would cost one."""
    settings = load_settings(config)
    need_store(settings)
    asyncio.run(_set(settings, camera, username, _password(from_stdin=password_stdin), login=login))
    screen.note(f"the vault has the password of {username} on {camera}")


@asynccontextmanager
async def _opened(settings: Settings, command: str) -> AsyncIterator[tuple[Store, Vault]]:
    async with changing_store(settings, f"passwords {command}") as store:
        yield store, await open_vault(store, settings)


def _rotations(store: Store, vault: Vault, settings: Settings) -> Rotations:
    """What a service beside it was asked for runs here as well, and leaves the same behind."""
    return Rotations(store, vault, settings, changed=partial(default_passwords.changed, store, settings))


async def _rotate(
    settings: Settings, words: Sequence[str], *, every: bool, account: str | None, yes: bool
) -> list[CameraRotationView]:
    async with _opened(settings, "rotate") as (store, vault):
        cameras = await camera_ids(store, words, every=every)
        if not yes:
            await asyncio.to_thread(_confirm, len(cameras))
        async with _rotations(store, vault, settings) as rotations:
            rotation = await rotations.start(cameras, account, actor())
            return await _follow(rotations, [rotation])


async def _reconcile(settings: Settings, words: Sequence[str], *, every: bool) -> list[CameraRotationView]:
    async with _opened(settings, "reconcile") as (store, vault):
        cameras = await camera_ids(store, words, every=every)
        async with _rotations(store, vault, settings) as rotations:
            unfinished = [view.id for view in await rotations.recent() if any(not s.resting for s in view.states)]
            views = await _follow(rotations, [*unfinished, *await rotations.reconcile(cameras, actor())])
    return [view for view in views if view.camera in set(cameras)]


async def _follow(rotations: Rotations, ids: Sequence[RotationId]) -> list[CameraRotationView]:
    found: dict[str, CameraRotationView] = {}
    with screen.progress({"passwords": "Passwords"}) as advance:
        for rotation in dict.fromkeys(ids):
            async with aclosing(rotations.events(rotation)) as events:
                async for now in events:
                    advance("passwords", now.done, now.total)
            found |= {view.id: view for view in (await rotations.get(rotation)).cameras}
    return list(found.values())


async def _history(settings: Settings, word: str) -> list[PasswordRecord]:
    async with _opened(settings, "history") as (store, vault):
        return await vault.history(await lookup.camera(store, word))


async def _reveal(settings: Settings, word: str, account: str | None, version: int | None, reason: str) -> Secret:
    async with _opened(settings, "reveal") as (store, vault):
        camera = await lookup.camera(store, word)
        records = await vault.history(camera, account)
        wanted = [
            one
            for one in records
            if (one.state is PasswordState.CURRENT if version is None else one.version == version)
        ]
        if len(wanted) != 1:
            raise WrongUse(
                "the vault holds no such password" if not wanted else "the camera has several accounts: give --account"
            )
        (one,) = wanted
        told = [channel.name for channel in await asyncio.to_thread(channels, settings)]
        return await vault.reveal(camera, one.account, one.version, actor(), reason, channels=told)


async def _set(settings: Settings, word: str, username: str, password: Secret, *, login: bool) -> None:
    async with _opened(settings, "set") as (store, vault):
        await set_by_hand(
            store, vault, await lookup.camera(store, word), username, password, actor=actor(), login=login
        )


def _confirm(count: int) -> None:
    if not sys.stdin.isatty():
        raise WrongUse(f"this changes the password of {count} cameras; say --yes where nobody can be asked")
    typer.confirm(f"Change the password of {count} cameras?", abort=True, err=True)


def _password(*, from_stdin: bool) -> Secret:
    if from_stdin:
        return Secret(sys.stdin.readline(MOST_PASSWORD_CHARACTERS + 2).rstrip("\r\n"))
    if not sys.stdin.isatty():
        raise WrongUse("there is no terminal to ask for the password; give it on stdin with --password-stdin")
    return Secret(str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)))


def _report(views: Sequence[CameraRotationView], good: Callable[[State], bool], *, json: bool) -> ExitCode:
    if json:
        document = {"format": "camwarden/passwords/1", "cameras": [_view_values(view) for view in views]}
        sys.stdout.write(f"{json_module.dumps(document, indent=1)}\n")
    else:
        table = Table("camera", "account", "ended as", "wrong tries", "what happened")
        for view in views:
            place = f"{view.address}:{view.port}"
            table.add_row(place, view.account, WORDS.get(view.state, view.state), str(view.wrong_tries), view.detail)
        screen.console().print(table)
    return ExitCode.GOOD if all(good(view.state) for view in views) else ExitCode.NOT_EVALUATED


def _view_values(view: CameraRotationView) -> dict[str, Any]:
    return {
        "camera": view.camera,
        "address": view.address,
        "port": view.port,
        "account": view.account,
        "state": view.state.value,
        "wrong_tries": view.wrong_tries,
        "detail": view.detail,
    }


def _record_values(one: PasswordRecord) -> dict[str, Any]:
    times = {"made_at": one.made_at.isoformat(), "since": one.since.isoformat()}
    return {"account": one.account, "version": one.version, "state": one.state.value, "made_by": one.made_by} | times

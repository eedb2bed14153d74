"""`camwarden user`: who may use the console, and who may do what, where."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from fleet.cli import screen
from fleet.cli.outcomes import WrongUse
from fleet.cli.stored import actor, changing_store
from fleet.people import accounts as people
from fleet.people import grants, members
from fleet.people.grants import Grant, Wanted
from fleet.people.members import Member
from fleet.people.permissions import Role
from fleet.settings import load_settings
from fleet.signing_in import sessions
from fleet.signing_in.second_factors import enrolled
from fleet.signing_in.sessions import SessionView
from fleet.store import Store, open_store

app = typer.Typer(
    no_args_is_help=True,
    help="Who may use the console, and who may do what, where.",
    epilog="Example: camwarden user add ana --role operator\n\n"
    "Example: camwarden user grant ana --role approver --site Harbour --until 2026-12-31",
)

ConfigOption = Annotated[Path | None, typer.Option(metavar="FILE", help="camwarden.toml.", show_default=False)]
StdinOption = Annotated[bool, typer.Option("--password-stdin", help="Read the password from one line of stdin.")]
NameArgument = Annotated[str, typer.Argument(show_default=False)]
SiteOption = Annotated[
    list[str] | None, typer.Option(help="At this site; give it once for each.", show_default="everywhere")
]
UntilOption = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="Until the end of that day, UTC.", show_default="for ever"),
]

MOST_PASSWORD_CHARACTERS = 1024
Found = TypeVar("Found")


@app.command(epilog="Example: camwarden user add ana --role operator")
def add(
    name: NameArgument,
    *,
    role: Annotated[Role, typer.Option(help="What this person may do.")] = Role.VIEWER,
    site: SiteOption = None,
    until: UntilOption = None,
    password_stdin: StdinOption = False,
    config: ConfigOption = None,
) -> None:
    """Add a person. The password is asked for, never given on the command line, where everybody could see it.

    A machine (role service) has none: it comes in by its tokens.
    """
    password = "" if role is Role.SERVICE else _password(from_stdin=password_stdin)
    wanted = Wanted(role, _sites(site), _end(until))

    async def added(store: Store) -> None:
        await people.add_user(store, name, password, role, sites=wanted.sites, until=wanted.until, actor=actor())

    asyncio.run(_changed(config, "user add", added))
    screen.note(f"{name} may sign in as {_said(wanted)}" if password else f"{name} is there as {_said(wanted)}")


@app.command(epilog="Example: camwarden user grant ana --role approver --site Harbour --until 2026-12-31")
def grant(
    name: NameArgument,
    *,
    role: Annotated[Role, typer.Option(help="What this person may do beside what they may already.")],
    site: SiteOption = None,
    until: UntilOption = None,
    config: ConfigOption = None,
) -> None:
    """Give a person another grant: a role, at some sites or everywhere, until a day or for ever."""
    wanted = Wanted(role, _sites(site), _end(until))

    async def given(store: Store) -> None:
        await grants.give(store, (await people.named(store, name)).id, wanted, actor())

    asyncio.run(_changed(config, "user grant", given))
    screen.note(f"{name} is {_said(wanted)}")


@app.command(epilog="Example: camwarden user revoke ana --role operator --site Depot")
def revoke(
    name: NameArgument,
    *,
    role: Annotated[Role, typer.Option(help="The role that is taken away.")],
    site: Annotated[
        list[str] | None, typer.Option(help="Only grants for exactly these sites.", show_default="all of that role")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """End grants of a person, at once: open sessions and tokens feel it with their next request."""

    async def ended(store: Store) -> int:
        who = await members.member(store, (await people.named(store, name)).id)
        held = [one for one in who.grants if one.lasts(store.now()) and one.role is role]
        chosen = [one for one in held if site is None or one.sites == tuple(sorted(set(site)))]
        if not chosen:
            raise WrongUse(f"{name} holds no such grant; `camwarden user list` shows what there is")
        for one in chosen:
            await grants.end(store, one.id, actor())
        return len(chosen)

    count = asyncio.run(_changed(config, "user revoke", ended))
    screen.note(f"{count} {'grant' if count == 1 else 'grants'} of {name} ended")


@app.command("list", epilog="Example: camwarden user list --json")
def show(
    *, config: ConfigOption = None, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False
) -> None:
    """Everybody, with what they may do, where."""
    everybody, now = asyncio.run(_read(config))
    if as_json:
        sys.stdout.write(json.dumps([_plain(one, now) for one in everybody]) + "\n")
        return
    for one in everybody:
        held = "; ".join(_said(grant) for grant in one.grants if grant.lasts(now)) or "no grant"
        state = " (disabled)" if one.person.disabled_at else ""
        sys.stdout.write(f"{one.person.name}{state}: {held}\n")
    if not everybody:
        screen.note("Nobody is there yet: camwarden user add NAME --role administrator")


@app.command(epilog="Example: camwarden user disable ana")
def disable(name: NameArgument, *, config: ConfigOption = None) -> None:
    """Keep a person out, at once: sessions end, tokens open nothing. What names them stays."""

    async def done(store: Store) -> None:
        await members.disable(store, (await people.named(store, name)).id)

    asyncio.run(_changed(config, "user disable", done))
    screen.note(f"{name} may nothing any more, until `camwarden user enable {name}`")


@app.command(epilog="Example: camwarden user enable ana")
def enable(name: NameArgument, *, config: ConfigOption = None) -> None:
    """Let a person in again who was disabled; their grants hold again."""

    async def done(store: Store) -> None:
        await members.enable(store, (await people.named(store, name)).id)

    asyncio.run(_changed(config, "user enable", done))
    screen.note(f"{name} may come in again")


@app.command(epilog="Example: camwarden user passwd ana")
def passwd(name: NameArgument, *, password_stdin: StdinOption = False, config: ConfigOption = None) -> None:
    """Give a person another password. It also ends all of their sessions."""
    password = _password(from_stdin=password_stdin)
    asyncio.run(_changed(config, "user passwd", lambda store: people.set_password(store, name, password)))
    screen.note(f"{name} has a new password")


@app.command("sessions", epilog="Example: camwarden user sessions ana")
def show_sessions(
    name: NameArgument,
    *,
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Where a person is signed in: since when, last used, from where, by which browser, and what they showed."""
    listed = asyncio.run(_changed(config, "user sessions", lambda store: _sessions(store, name)))
    if as_json:
        sys.stdout.write(json.dumps([_told(one) for one in listed]) + "\n")
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
    ended = asyncio.run(_changed(config, "user end-sessions", lambda store: _end_sessions(store, name)))
    screen.note(f"{name}: {ended} ended")


@app.command("reset-factors", epilog="Example: camwarden user reset-factors ana")
def reset_factors(name: NameArgument, *, config: ConfigOption = None) -> None:
    """Take away an app, security keys and recovery codes that were lost. It also ends all sessions of that person."""
    asyncio.run(_changed(config, "user reset-factors", lambda store: _reset_factors(store, name)))
    screen.note(f"{name} has no second factor any more")


async def _changed(config: Path | None, command: str, work: Callable[[Store], Awaitable[Found]]) -> Found:
    async with changing_store(load_settings(config), command) as store:
        return await work(store)


async def _sessions(store: Store, name: str) -> tuple[SessionView, ...]:
    return await sessions.sessions_of(store, (await people.named(store, name)).id)


async def _end_sessions(store: Store, name: str) -> int:
    return await sessions.end_all(store, await people.named(store, name), actor())


async def _reset_factors(store: Store, name: str) -> None:
    await enrolled.reset(store, await people.named(store, name), actor())


def _told(one: SessionView) -> dict[str, str]:
    times = {"since": one.created_at.isoformat(), "last_used": one.used_at.isoformat()}
    return {"source": one.source, "browser": one.browser, "proof": one.proof, **times}


async def _read(config: Path | None) -> tuple[tuple[Member, ...], datetime]:
    async with await open_store(load_settings(config)) as store:
        return await members.members(store), store.now()


def _sites(names: Sequence[str] | None) -> tuple[str, ...] | None:
    return tuple(names) if names else None


def _end(day: datetime | None) -> datetime | None:
    return day and datetime.combine(day.date(), time(23, 59, 59), UTC)


def _said(one: Grant | Wanted) -> str:
    where = "everywhere" if one.sites is None else f"at {', '.join(one.sites) or 'no site any more'}"
    return f"{one.role.value} {where}" + (f" until {one.until:%Y-%m-%d}" if one.until else "")


def _plain(one: Member, now: datetime) -> dict[str, object]:
    held = [
        {"id": grant.id, "role": grant.role.value, "sites": grant.sites, "until": grant.until and str(grant.until)}
        for grant in one.grants
        if grant.lasts(now)
    ]
    return {"id": one.person.id, "name": one.person.name, "disabled": bool(one.person.disabled_at), "grants": held}


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline(MOST_PASSWORD_CHARACTERS + 1).rstrip("\r\n")
    if not sys.stdin.isatty():
        raise WrongUse("there is no terminal to ask for the password; give it on stdin with --password-stdin")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))

"""`camwarden import`: cameras that a list says are there."""  # noqa: N999 - the command is called so

import asyncio
import json as json_module
import os
import stat
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cameras.secret import Secret
from fleet.cli import screen
from fleet.cli.outcomes import ExitCode, WrongUse
from fleet.cli.stored import actor, changing_store
from fleet.expected import rows, sheet
from fleet.expected.lines import Listed
from fleet.expected.netbox import NetBox, checked
from fleet.expected.netbox import read as read_netbox
from fleet.expected.rows import Import, Known
from fleet.settings import Settings, load_settings
from fleet.store import open_store

EPILOG = """
Example: camwarden import cameras.csv --dry-run

Example, what can be read of it: camwarden import cameras.csv --partial

Example: camwarden import --netbox https://netbox.example --token-file token --role camera --dry-run
"""

TOKEN = "NETBOX_TOKEN"  # noqa: S105 - the name of a variable
_SHOWN = 50
_MOST_TOKEN = 512
_Slugs = Annotated[
    list[str] | None, typer.Option(metavar="SLUG", help="Only its devices with this.", show_default=False)
]


def bring_in(
    file: Annotated[
        Path | None, typer.Argument(help="A CSV file; its first line names the columns.", show_default=False)
    ] = None,
    *,
    netbox: Annotated[
        str | None, typer.Option(metavar="URL", help="Read the devices of this NetBox instead.", show_default=False)
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help=f"Its token; else the variable {TOKEN}.", show_default=False)
    ] = None,
    tag: _Slugs = None,
    role: _Slugs = None,
    site: _Slugs = None,
    ca: Annotated[
        Path | None,
        typer.Option(
            "--ca", metavar="FILE", help="The authority of its certificate.", show_default="the system's list"
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would become of it.")] = False,
    partial: Annotated[bool, typer.Option("--partial", help="Import the lines that can be read.")] = False,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="camwarden.toml of the store.", show_default=False)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print only JSON on stdout.")] = False,
) -> None:
    """Expect the cameras of a list, and compare it with what scans found. No camera is asked anything."""
    settings = load_settings(config)
    if (file is None) == (netbox is None):
        raise WrongUse("name a file, or give --netbox URL")
    if file is not None:
        if token_file or tag or role or site or ca:
            raise WrongUse("--token-file, --tag, --role, --site and --ca are for --netbox")
        read, source = sheet.read(_read(file)), file.name
    else:
        asked = NetBox(checked(netbox or ""), _token(token_file), ca, tag or (), role or (), site or ())
        read, source = asyncio.run(read_netbox(asked)), f"NetBox {asked.host}"
    done = asyncio.run(_bring_in(settings, read, source, trial=dry_run, partial=partial))
    if json:
        sys.stdout.write(f"{json_module.dumps(asdict(done), indent=1)}\n")
    else:
        _show(done, trial=dry_run)
    if done.mistakes:
        raise typer.Exit(ExitCode.NOT_EVALUATED if done.kept or dry_run else ExitCode.WRONG_USE)


def _token(path: Path | None) -> Secret:
    """Never an argument: everybody on this machine may read those."""
    text = os.environ.get(TOKEN, "")
    if path is not None:
        try:
            with path.open("rb") as file:
                text = file.read(_MOST_TOKEN + 1).decode("ascii", "replace")
                others = stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077
        except OSError as error:
            raise WrongUse(f"{path}: cannot be read ({error.strerror})") from None
        if others:
            screen.note(f"{path}: others on this machine can read it: chmod 600 {path}")
    token = text.strip()
    if not token:
        raise WrongUse(f"give the token of NetBox: --token-file FILE, or the variable {TOKEN}")
    if len(token) > _MOST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise WrongUse("what was given as the token of NetBox is no word that can be sent")
    return Secret(token)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(sheet.MOST_BYTES + 1)
    except OSError as error:
        raise WrongUse(f"{path}: cannot be read ({error.strerror})") from None


async def _bring_in(settings: Settings, read: Listed, source: str, *, trial: bool, partial: bool) -> Import:
    if trial:
        async with await open_store(settings) as store:
            return await rows.bring_in(store, read, actor(), source=source, trial=True, partial=partial)
    async with changing_store(settings, "import", {"source": source}) as store:
        return await rows.bring_in(store, read, actor(), source=source, partial=partial)


def _show(done: Import, *, trial: bool) -> None:
    for mistake in done.mistakes[:_SHOWN]:
        screen.note(f"{done.unit} {mistake.line}: {mistake.reason}")
    if len(done.mistakes) > _SHOWN:
        screen.note(f"… and {len(done.mistakes) - _SHOWN} more that cannot be read")
    if done.ignored:
        screen.note(f"these columns mean nothing to us: {', '.join(done.ignored)}")
    for line in done.otherwise[:_SHOWN]:
        sys.stdout.write(f"{done.unit} {line.line}: {line.place}: {line.detail}\n")
    counts = ", ".join(f"{done.number(known)} {_WORDS[known]}" for known in Known)
    sys.stdout.write(f"{len(done.lines)} cameras: {counts}; {done.named} get the name of the list\n")
    if done.kept:
        screen.note("They are expected now: `camwarden expected list` shows which of them no scan has found")
    elif trial:
        screen.note("Nothing was imported: this was a trial")
    else:
        screen.note("Nothing was imported: put the lines right, or give --partial for the rest")


_WORDS = {
    Known.FOUND: "known",
    Known.OTHER: "where another unit answers",
    Known.ELSEWHERE: "known at another address",
    Known.MISSING: "new",
}

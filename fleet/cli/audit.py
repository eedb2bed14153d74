"""`camwarden audit`: who did what, and the proof that nobody changed the record of it."""

import asyncio
import json as json_module
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from fleet.audit import checkpoints as audit_checkpoints
from fleet.audit import export as audit_export
from fleet.audit import watch as audit_watch
from fleet.audit.chain import Row, moment
from fleet.audit.check import Checked
from fleet.audit.views import Wanted, entries
from fleet.cli import screen
from fleet.cli.outcomes import ExitCode, WrongUse
from fleet.cli.stored import changing_store, need_store
from fleet.settings import Settings, load_settings
from fleet.store import open_store

app = typer.Typer(
    no_args_is_help=True,
    help="Who did what, and the proof that nobody changed the record of it.",
    epilog="Example: camwarden audit list --action vault\n\nExample: camwarden audit verify",
)

ConfigOption = Annotated[Path | None, typer.Option(metavar="FILE", help="camwarden.toml.", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print only JSON on stdout.")]
FingerprintOption = Annotated[
    list[str] | None,
    typer.Option(metavar="SHA-256", help="Of the key that signed, as told by another way.", show_default=False),
]


@app.command("list", epilog="Example: camwarden audit list --about camera --since 2026-03-01")
def list_(
    *,
    actor: Annotated[str, typer.Option(metavar="NAME", help="Who.", show_default=False)] = "",
    action: Annotated[str, typer.Option(metavar="ACTION", help="vault.reveal, or vault.", show_default=False)] = "",
    about: Annotated[str, typer.Option(metavar="OBJECT", help="camera:ID, or camera.", show_default=False)] = "",
    since: Annotated[str, typer.Option(metavar="DAY", help="2026-03-01, or with 2026-03-01T12:00.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 100,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """What was done, the newest first."""
    settings = load_settings(config)
    need_store(settings)
    rows = asyncio.run(_list(settings, Wanted(actor, action, about, _moment(since)), limit))
    for row in rows:
        sys.stdout.write(f"{json_module.dumps(as_json(row), ensure_ascii=False) if json else _line(row)}\n")


@app.command(epilog="Example: camwarden audit verify --checkpoint /mnt/other/camwarden-depot.jsonl")
def verify(
    *,
    checkpoint: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Checkpoints kept elsewhere.", show_default=False)
    ] = None,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Check this exported file instead.", show_default=False)
    ] = None,
    fingerprint: FingerprintOption = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Prove that no entry was edited, taken out, put in, moved or cut off; else say which is the first that is wrong.

    What is younger than the newest checkpoint could have been cut off without a trace. Exit code: 0 whole, 1 not.
    """
    if export is not None:
        if checkpoint or len(fingerprint or ()) > 1:
            raise WrongUse("--export takes one --fingerprint at most, and no --checkpoint")
        checked, signed = audit_export.verify(export, fingerprint[0] if fingerprint else None)
        if checked.whole and not fingerprint:
            screen.note(f"signed by the key {signed.fingerprint}: compare it with what its maker says")
    else:
        settings = load_settings(config)
        need_store(settings)
        checked = asyncio.run(_verify(settings, checkpoint or (), fingerprint or ()))
    _tell(checked, json=json)
    raise typer.Exit(ExitCode.GOOD if checked.whole else ExitCode.FINDINGS)


@app.command(epilog="Example: camwarden audit export --out audit-2026.jsonl")
def export(
    *,
    out: Annotated[Path, typer.Option(metavar="FILE", help="A new file, for you alone.", show_default=False)],
    config: ConfigOption = None,
) -> None:
    """Write out everything as JSON lines that prove themselves: see `audit verify --export`."""
    settings = load_settings(config)
    need_store(settings)
    count = asyncio.run(_export(settings, out))
    screen.note(f"{out} holds {count} entries")


@app.command(epilog="Example: camwarden audit checkpoint --out /mnt/other/checkpoints.jsonl")
def checkpoint(
    *,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Appended to.", show_default=False)],
    config: ConfigOption = None,
) -> None:
    """Sign what is newest now. Keep it where whoever runs this machine cannot change it."""
    settings = load_settings(config)
    need_store(settings)
    made = asyncio.run(_checkpoint(settings, out))
    sys.stdout.write(f"{made.fingerprint}\n")
    screen.note(f"{out} knows {made.seq} entries now. Keep the fingerprint of the key, above, elsewhere too.")


async def _list(settings: Settings, wanted: Wanted, limit: int) -> list[Row]:
    found: list[Row] = []
    async with await open_store(settings) as store:
        after: str | None = None
        while len(found) < limit:
            page = await entries(store, wanted, after=after, limit=limit - len(found))
            found += page.items
            if (after := page.after) is None:
                break
    return found


async def _verify(settings: Settings, files: Sequence[Path], fingerprints: Sequence[str]) -> Checked:
    async with await open_store(settings) as store:
        with screen.progress({"audit": "Entries"}) as advance:
            return await audit_watch.check_with(
                store, settings, files, fingerprints, progress=lambda done, total: advance("audit", done, total)
            )


async def _export(settings: Settings, out: Path) -> int:
    async with changing_store(settings, "audit export") as store:
        return await audit_export.export(store, settings, out)


async def _checkpoint(settings: Settings, out: Path) -> audit_checkpoints.Checkpoint:
    async with changing_store(settings, "audit checkpoint") as store:
        try:
            made = await audit_watch.make(store, settings, out)
        except OSError as error:
            raise WrongUse(f"{error.filename} cannot be written: {error.strerror}") from None
    assert made is not None  # the command itself is an entry  # noqa: S101
    return made


def _tell(checked: Checked, *, json: bool) -> None:
    if json:
        said = {"format": "camwarden/audit-check/1", "whole": checked.whole, **asdict(checked)}
        sys.stdout.write(f"{json_module.dumps(said)}\n")
    elif checked.fault:
        sys.stdout.write(f"Entry {checked.fault.seq}: {checked.fault.what}\n")
        sys.stdout.write(f"The {checked.entries} entries before it are whole.\n")
    else:
        sys.stdout.write(f"Whole: {checked.entries} entries, {checked.checkpoints} checkpoints.\n")
        if checked.beyond:
            screen.note(f"{checked.beyond} entries are younger than the newest checkpoint")


def as_json(row: Row) -> dict[str, Any]:
    said = {name: getattr(row, name) for name in ("seq", "actor", "action", "about", "source", "request", "mac")}
    return {**said, "at": moment(row.at), "detail": json_module.loads(row.detail)}


def _line(row: Row) -> str:
    return f"{row.seq}  {row.at:%Y-%m-%d %H:%M:%S}  {row.actor}  {row.action}  {row.about}  {row.detail}"


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise WrongUse(f"--since {text}: write a day such as 2026-03-01") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)

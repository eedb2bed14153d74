"""`camwarden db`: the schema of the store, its backups, and whether it is whole."""

import asyncio
import json as json_module
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from fleet import database_backups as backups
from fleet.cli import screen
from fleet.cli.outcomes import ExitCode, WrongUse
from fleet.settings import Settings, load_settings
from fleet.store import is_made, migrating, open_store, where
from fleet.store.controller import sole_controller

app = typer.Typer(
    no_args_is_help=True,
    help="The store: bring its schema up to date, back it up, bring it back.",
    epilog="Example: camwarden db backup /backups/camwarden-monday.backup",
)

_PHASES = {
    "database": "Copying the database",
    "evidence": "Looking at pictures",
    "file": "Writing the file",
    "verify": "Verifying the backup",
    "store": "Putting it in place",
}
Config = Annotated[Path | None, typer.Option(metavar="FILE", help="Settings, see docs/cli.md.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print only JSON (camwarden/db/1) on stdout.")]


@app.command(epilog="Example: camwarden db upgrade")
def upgrade(*, config: Config = None, json: Json = False) -> None:
    """Bring the schema of the store up to date, which the service does too when it starts."""
    settings = load_settings(config)
    before = _revision(settings)
    asyncio.run(_opened(settings))
    after = migrating.newest()
    said = f"{where(settings)}: revision {after}" + ("" if before == after else f" (was {before or 'empty'})")
    _tell("upgrade", {"store": where(settings), "before": before or None, "after": after}, [said], json=json)


@app.command(epilog="Example: camwarden db backup /backups/camwarden-monday.backup")
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file; nothing is overwritten.")],
    *,
    config: Config = None,
    json: Json = False,
) -> None:
    """Write one moment of the store into a file, while the service goes on.

    PostgreSQL needs pg_dump on PATH. The key of the vault is never in a backup: keep a copy of it elsewhere.
    """
    settings = load_settings(config)
    with screen.progress(_PHASES) as advance:
        made = backups.backup(settings, file, advance)
    lines = [
        f"{file}: {sum(made.rows.values())} rows, revision {made.revision}, {made.size_bytes} bytes of database",
        _evidence(made.evidence),
        *(f"not in it: {what}" for what in made.not_in_it),
    ]
    _tell("backup", {"file": str(file), **asdict(made)}, lines, json=json)


@app.command(epilog="Example: camwarden db restore /backups/camwarden-monday.backup")
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `camwarden db backup` wrote.")],
    *,
    config: Config = None,
    json: Json = False,
) -> None:
    """Put a backup in the place of the store, once it has been verified. Stop the service first.

    The store before is kept beside; its place is printed. PostgreSQL needs pg_restore and psql on PATH.
    """
    settings = load_settings(config)
    if not file.is_file():
        raise WrongUse(f"there is no file {file}")
    with screen.progress(_PHASES) as advance:
        done = asyncio.run(_restored(settings, file, advance))
    made = done.manifest
    lines = [
        f"{where(settings)}: as it was at {made.made_at}, {sum(made.rows.values())} rows, revision {made.revision}",
        f"the store before is kept: {done.beside}" if done.beside else "there was no store before",
        f"put the `key` file that belongs to it into {settings.home}, if it is not there",
    ]
    _tell("restore", {"beside": done.beside, **asdict(made)}, lines, json=json)


@app.command(epilog="Example: camwarden db check\n\nExample: camwarden db check /backups/camwarden-monday.backup")
def check(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="A backup to verify, instead of the store.", show_default=False),
    ] = None,
    *,
    config: Config = None,
    json: Json = False,
) -> None:
    """Read the whole store, or a whole backup, and say whether it is sound. Changes nothing.

    Exit code: 0 sound, 3 with evidence that is missing or changed, 2 damaged.
    """
    settings = load_settings(config)
    with screen.progress(_PHASES) as advance:
        if file is None:
            there, evidence = backups.check(settings, advance)
            rows, revision, place = there.rows, there.revision, where(settings)
        else:
            made = backups.verify(file, advance)
            rows, revision, place, evidence = made.rows, made.revision, str(file), made.evidence
    newest = migrating.newest()
    old = "" if revision == newest else f" (`camwarden db upgrade` would make it {newest})"
    lines = [f"{place}: sound, {sum(rows.values())} rows, revision {revision}{old}", _evidence(evidence)]
    _tell("check", {"store": place, "revision": revision, "rows": dict(rows), "evidence": evidence}, lines, json=json)
    if evidence["missing"] or evidence["changed"]:
        raise typer.Exit(ExitCode.NOT_EVALUATED)


def _revision(settings: Settings) -> str:
    """ "" for a store that is still to be made."""
    if not is_made(settings):
        return ""
    engine = migrating.blocking_engine(settings)
    try:
        with engine.connect() as connection:
            return ", ".join(sorted(migrating.revision_of(connection)))
    finally:
        engine.dispose()


async def _opened(settings: Settings) -> None:
    async with await open_store(settings):
        pass


async def _restored(settings: Settings, file: Path, advance: screen.Advance) -> backups.Restored:
    async with sole_controller(settings):
        return await asyncio.to_thread(backups.restore, settings, file, advance)


def _evidence(counts: Any) -> str:  # noqa: ANN401 - a mapping of the manifest
    bad = [f"{counts[state]} {state}" for state in ("missing", "changed") if counts[state]]
    return f"{counts['listed']} pictures are listed as evidence" + (f", of which {', '.join(bad)}" if bad else "")


def _tell(command: str, document: Any, lines: list[str], *, json: bool) -> None:  # noqa: ANN401 - JSON
    if json:
        sys.stdout.write(
            f"{json_module.dumps({'format': 'camwarden/db/1', 'command': command, **document}, indent=1)}\n"
        )
        return
    for line in lines:
        sys.stdout.write(f"{line}\n")

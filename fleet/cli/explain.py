"""`camwarden explain`: one verdict with the evidence behind it."""

import asyncio
import json as json_module
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from fleet import estate, lookup
from fleet.cli import screen
from fleet.cli.outcomes import WrongUse
from fleet.reports.assessment import Assessment, from_json, verdict_values
from fleet.reports.terminal import explained
from fleet.settings import Settings, load_settings
from fleet.store import is_made, open_store
from scanners.checks import CHECKS
from scanners.model import Verdict

EPILOG = """
Example: camwarden explain 10.0.0.5 telnet-open --from today.json

Example, from the store of the console: camwarden explain 10.0.0.5 telnet-open
"""

LARGEST_FILE_BYTES = 256 * 1024 * 1024
Found = tuple[str, Sequence[Verdict]]


def explain(
    camera: Annotated[str, typer.Argument(help="Address, address:port, serial number or MAC.", show_default=False)],
    check: Annotated[str, typer.Argument(help="The id of a check, see `camwarden checks`.", show_default=False)],
    *,
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="What `camwarden assess --json` printed.", show_default=False),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="camwarden.toml of the store.", show_default=False)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print only JSON on stdout.")] = False,
) -> None:
    """Show what one check said of one camera: what was seen, why it matters and how to fix it."""
    place, all_verdicts = (
        _from_file(source, camera) if source else asyncio.run(_from_store(load_settings(config), camera))
    )
    verdicts = [verdict for verdict in all_verdicts if verdict.check == check]
    if not verdicts:
        known = ", ".join(dict.fromkeys(verdict.check for verdict in all_verdicts)) or "none"
        raise WrongUse(f"{place} has no verdict of that check; it has: {known}")
    if json:
        sys.stdout.write(f"{json_module.dumps(verdict_values(verdicts), indent=1)}\n")
        return
    rationale = next((one.rationale for one in CHECKS if one.id == check), "")
    for verdict in verdicts:
        screen.console().print(explained(verdict, place, rationale))


def _from_file(path: Path, camera: str) -> Found:
    return _pick(from_json(_read(path)), camera)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise WrongUse(f"{path}: cannot be read ({error.strerror})") from None
    if len(content) > LARGEST_FILE_BYTES:
        raise WrongUse(f"{path}: larger than {LARGEST_FILE_BYTES // 1024 // 1024} MiB")
    return content


def _pick(assessment: Assessment, camera: str) -> Found:
    found = [
        one for one in assessment.cameras if camera in {one.place, one.address, one.identity.serial, one.identity.mac}
    ]
    if len(found) == 1:
        return found[0].place, found[0].verdicts
    if found:
        raise WrongUse(f"several cameras answer to that; write one of {', '.join(one.place for one in found)}")
    for one in assessment.not_evaluated:
        if one.address == camera:
            raise WrongUse(f"{one.address} was not evaluated: {one.reason}: {one.detail}")
    raise WrongUse("the file knows no such camera")


async def _from_store(settings: Settings, camera: str) -> Found:
    if not is_made(settings):
        raise WrongUse("nothing is stored yet: scan in the console, or give --from FILE")
    async with await open_store(settings) as store:
        view = await estate.device(store, await lookup.camera(store, camera))
    place = f"{view.row.address}:{view.row.port}"
    if view.row.displaced_at:
        since = f"{view.row.displaced_at:%Y-%m-%d %H:%M} UTC"
        screen.note(
            f"Another camera (@{view.row.displaced_by}) answers at {place} since {since}; this is what was seen before"
        )
    return place, view.verdicts

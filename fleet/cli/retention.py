"""`camwarden retention`: cut history to what is kept, or only say what would go."""

import asyncio
import json as json_module
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from fleet import retention as kept
from fleet.retention import Kept
from fleet.settings import load_settings
from fleet.store import open_store

EPILOG = """
Example: camwarden retention --dry-run

Example: camwarden retention --json
"""

WORDS = {
    "looks": "looks at pictures become hours",
    "hours": "hours of looks become days",
    "counts": "hours of counted objects become days",
    "visits": "visits go that were not the last of their day",
    "dossiers": "old visits keep their score only",
    "events": "events of work go that ended long ago",
    "texts": "what no finding says any more goes",
}


def retention(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print only JSON (camwarden/retention/1) on stdout.")] = False,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="camwarden.toml.", show_default=False)] = None,
) -> None:
    """Cut history to what the settings keep. The service does so by itself once a day.

    What became of findings, and who did what, is never cut.
    """
    gone = asyncio.run(_cut(config, dry_run=dry_run))
    if json:
        report = {"format": "camwarden/retention/1", "dry_run": dry_run, "rows": asdict(gone)}
        sys.stdout.write(f"{json_module.dumps(report)}\n")
        return
    for name, count in asdict(gone).items():
        sys.stdout.write(f"{count:>10,}  {WORDS[name]}\n")


async def _cut(config: Path | None, *, dry_run: bool) -> Kept:
    settings = load_settings(config)
    async with await open_store(settings) as store:
        return await (kept.would_go if dry_run else kept.keep)(store, settings)

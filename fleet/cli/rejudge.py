"""`camwarden rejudge`: new knowledge over what is stored, without a packet to any camera."""

import asyncio
import json as json_module
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import func, select

from fleet.cli import screen
from fleet.cli.outcomes import WrongUse
from fleet.cli.stored import changing_store
from fleet.findings.rejudging import Rejudged, rejudge
from fleet.settings import load_settings
from fleet.store import Store, is_made
from fleet.store import tables as t
from scanners.knowledge import Knowledge, KnowledgeError, load_knowledge

EPILOG = """
Example: camwarden rejudge

Example, with a new firmware catalogue: camwarden rejudge --catalogue firmware.yaml
"""

_JUDGING = {"judge": "Judging again"}


def again(
    *,
    catalogue: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Firmware catalogue.", show_default="of the settings")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="camwarden.toml of the store.", show_default=False)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print only JSON on stdout.")] = False,
) -> None:
    """Judge every stored camera again by what is known now. No camera is asked anything.

    The service does this by itself at its start where what it knows has changed.
    """
    settings = load_settings(config, catalogue_file=catalogue)
    try:
        knowledge = load_knowledge(settings.catalogue_file)
    except KnowledgeError as error:
        raise WrongUse(str(error)) from None
    if not is_made(settings):
        raise WrongUse("nothing is stored yet: scan in the console first")

    async def judge() -> Rejudged:
        async with changing_store(settings, "rejudge") as store:
            return await _judge(store, knowledge)

    done = asyncio.run(judge())
    if json:
        sys.stdout.write(f"{json_module.dumps(asdict(done))}\n")
        return
    screen.console().print(
        f"{done.cameras} cameras judged again, {done.changed} differently: "
        f"{done.opened} opened, {done.reopened} reopened, {done.fixed} fixed"
    )
    if done.unreadable:
        screen.note(f"{done.unreadable} have evidence of another version and keep what was said: scan them again")


async def _judge(store: Store, knowledge: Knowledge) -> Rejudged:
    async with store.read() as connection:
        cameras = await connection.scalar(select(func.count()).select_from(t.Camera)) or 0
    with screen.progress(_JUDGING) as advance:
        return await rejudge(store, knowledge, on_progress=lambda done: advance("judge", done, cameras))

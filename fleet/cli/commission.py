"""`camwarden commission`: checklists, signed, and the handover package."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from fleet import lookup
from fleet.cli import screen
from fleet.cli.stored import actor, changing_store
from fleet.commissioning import package, records, views
from fleet.commissioning.handover import hand_over
from fleet.commissioning.template import bundled
from fleet.settings import load_settings
from fleet.store import open_store

app = typer.Typer(
    no_args_is_help=True,
    help="Checklists that machine and person fill in together, and the handover package.",
    epilog="Example: camwarden commission start @all --site 'Harbour office'\n\n"
    "Example: camwarden commission verify handover-harbour",
)

ConfigOption = Annotated[Path | None, typer.Option(metavar="FILE", help="camwarden.toml.", show_default=False)]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="As `commission status` shows it.", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


@app.command(epilog="Example: camwarden commission start @192.0.2.7 @192.0.2.8 --site 'Harbour office'")
def start(
    cameras: Annotated[list[str], typer.Argument(metavar="@CAMERA...", help="@NAME, or @all.", show_default=False)],
    *,
    site: Annotated[str, typer.Option(help="Which site is commissioned.", show_default=False)],
    template: Annotated[str, typer.Option(help=f"One of: {', '.join(t.id for t in bundled())}.")] = "small-site",
    config: ConfigOption = None,
) -> None:
    """Begin a checklist for stored cameras. Rows that the machine can close are closed from their last visit."""
    sys.stdout.write(f"{asyncio.run(_start(config, cameras, site, template))}\n")
    screen.note("Open it in the console on a phone: Commissioning.")


@app.command(epilog="Example: camwarden commission status")
def status(
    commissioning: Annotated[str | None, typer.Argument(metavar="[ID]", show_default=False)] = None,
    *,
    json_: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Which commissionings there are, or every row of one."""
    asyncio.run(_status(config, commissioning, as_json=json_))


@app.command(epilog="Example: camwarden commission sign 0192… --name 'Ana Sousa'")
def sign(
    commissioning: IdArgument,
    *,
    name: Annotated[str, typer.Option(help="Your name, as a simple electronic signature.", show_default=False)],
    config: ConfigOption = None,
) -> None:
    """Close it for ever. Every row must be closed or waived first."""
    asyncio.run(_sign(config, commissioning, name))
    screen.note("Signed. Hand it over: camwarden commission report")


@app.command(epilog="Example: camwarden commission report 0192… --out handover-harbour")
def report(
    commissioning: IdArgument,
    *,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="A folder that is not there yet.", show_default=False)],
    config: ConfigOption = None,
) -> None:
    """Write the handover package of a signed commissioning: pages, pictures, sums and a signature."""
    mark = asyncio.run(_report(config, commissioning, out))
    sys.stdout.write(f"{mark}\n")
    screen.note(f"{out} is complete. Tell its fingerprint by another way: whoever receives it can then verify it.")


@app.command(epilog="Example: camwarden commission verify handover-harbour --fingerprint 5f1c…")
def verify(
    folder: Annotated[Path, typer.Argument(help="The handover package.", show_default=False)],
    *,
    fingerprint: Annotated[
        str | None, typer.Option(metavar="SHA-256", help="Of the signer's key, as told by another way.")
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Prove that a package is as it was signed: nothing edited, taken away or put in. Needs no store."""
    found = package.verify(folder, fingerprint)
    if json_:
        answer = {"format": package.FORMAT, "whole": True, "fingerprint": found.fingerprint, "files": found.files}
        sys.stdout.write(json.dumps(answer) + "\n")
        return
    said = found.record
    sys.stdout.write(f"Whole: {found.files} files as signed by {said['signed_by']} on {said['signed_at'][:10]}.\n")
    sys.stdout.write(f"Key: {found.fingerprint}\n")
    if fingerprint is None:
        screen.note("Whose key it is, only the signer can say: compare the fingerprint, or give --fingerprint.")


# --- work -------------------------------------------------------------------------------------------------------------


async def _start(config: Path | None, words: list[str], site: str, template: str) -> str:
    async with changing_store(load_settings(config), "commission start") as store:
        chosen = await lookup.cameras(store, words)
        return await records.start(store, site, chosen, actor(), template_id=template)


async def _status(config: Path | None, commissioning: str | None, *, as_json: bool) -> None:
    async with await open_store(load_settings(config)) as store:
        every = [await views.get(store, commissioning)] if commissioning else list(await views.recent(store))
    if as_json:
        sys.stdout.write(json.dumps([_as_json(view) for view in every], ensure_ascii=False) + "\n")
        return
    for view in every:
        closed, failed, rows = view.progress
        state = f"signed by {view.signed_by}" if view.signed_by else f"{closed} of {rows} rows closed, {failed} failed"
        sys.stdout.write(f"{view.id}  {view.site}: {len(view.cameras)} cameras, {state}\n")
        if commissioning:
            for camera in view.cameras:
                sys.stdout.write(f"\n  {camera.address}  {camera.name or ''}\n")
                for row in camera.rows:
                    said = f" ({row.reason})" if row.reason else ""
                    sys.stdout.write(f"    {row.state.value:15} {row.row.title}{said}\n")
    if not every:
        screen.note("There is none yet: camwarden commission start @all --site NAME")


def _as_json(view: views.CommissioningView) -> dict[str, Any]:
    return {"id": view.id, "state": view.state, "signed_by": view.signed_by, **views.as_record(view)}


async def _sign(config: Path | None, commissioning: str, name: str) -> None:
    async with changing_store(load_settings(config), "commission sign") as store:
        await records.sign(store, commissioning, name, actor())


async def _report(config: Path | None, commissioning: str, out: Path) -> str:
    settings = load_settings(config)
    async with changing_store(settings, "commission report") as store:
        handed = await hand_over(store, settings, commissioning, out)
    if handed.missing:
        screen.note(f"{handed.missing} pictures are not kept any more and are left out")
    return handed.fingerprint

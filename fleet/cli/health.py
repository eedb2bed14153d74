"""`camwarden health`: is the picture still good? Of files, of cameras, and the approving of reference views."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cameras.decoding import MOST_BYTES, Decoder, Picture
from cameras.errors import Garbled
from fleet.cli import screen
from fleet.cli.outcomes import ExitCode, WrongUse
from fleet.reports.health import Judged, judged, to_json, to_terminal
from health.conditions import condition_of
from health.judge import Health, judge
from health.looks import SIZE, look_at
from health.reference import Reference, of_picture

EPILOG = """
Example: camwarden health judge today/*.jpg --reference good.jpg

Example: camwarden health check 10.0.0.5 --credentials cameras.yaml

Example: camwarden health approve @entrance
"""

app = typer.Typer(no_args_is_help=True, epilog=EPILOG, help="Is the picture still good?")


@app.command("judge", epilog="Example: camwarden health judge today/*.jpg --reference good.jpg --json")
def judge_files(
    picture: Annotated[list[Path], typer.Argument(help="JPEG or PNG files.", show_default=False)],
    *,
    reference: Annotated[
        Path, typer.Option(metavar="PICTURE", help="How it looks when it is good: JPEG or PNG.", show_default=False)
    ],
    json: Annotated[bool, typer.Option("--json", help="Print only JSON (camwarden/health/1) on stdout.")] = False,
) -> None:
    """Judge picture files against one that is good. Needs neither a store nor a server.

    Exit code: 0 all good, 1 a picture is degraded or failed, 2 wrong use, 3 a picture could not be judged, 4 our fault.
    """
    results = asyncio.run(_judge_files(picture, reference))
    sys.stdout.write(f"{to_json('pictures', results)}\n") if json else screen.console().print(to_terminal(results))
    raise typer.Exit(exit_code(results))


def exit_code(results: Sequence[Judged]) -> ExitCode:
    if any(one.verdict in {Health.DEGRADED, Health.FAILED} for one in results):
        return ExitCode.FINDINGS
    return ExitCode.NOT_EVALUATED if any(one.verdict is Health.UNKNOWN for one in results) else ExitCode.GOOD


async def _judge_files(paths: Sequence[Path], reference: Path) -> list[Judged]:
    async with Decoder() as decoder:
        try:
            good = await _read(decoder, reference)
        except Garbled as error:
            raise WrongUse(f"--reference {reference}: {error}") from None
        view = await asyncio.to_thread(_reference_view, good)
        return [await _judge_file(decoder, path, view) for path in paths]


async def _judge_file(decoder: Decoder, path: Path, view: Reference) -> Judged:
    try:
        picture = await _read(decoder, path)
    except Garbled as error:
        return Judged(str(path), Health.UNKNOWN, (), str(error))
    return judged(str(path), await asyncio.to_thread(lambda: judge(view, look_at(picture))))


def _reference_view(picture: Picture) -> Reference:
    condition = condition_of(look_at(picture))
    return of_picture(picture, condition=condition, approved_by="--reference", approved_at=datetime.now(UTC))


async def _read(decoder: Decoder, path: Path) -> Picture:
    """At the working size. Raises Garbled for what cannot be read or is no whole picture."""
    return await decoder.small(await asyncio.to_thread(_bytes, path), size=SIZE)


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise Garbled(f"cannot be read ({error.strerror})") from None

"""`camwarden health`: is the picture still good? Of files, of cameras, and the approving of reference views."""

import asyncio
import getpass
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cameras import soap
from cameras.budget import AttemptBudget
from cameras.decoding import MOST_BYTES, Decoder, Picture
from cameras.errors import DeviceError, Garbled
from cameras.facts import Gap, OpenPorts
from cameras.place import Place
from cameras.untrusted import clean_text
from fleet import lookup
from fleet.cli import screen
from fleet.cli.outcomes import ExitCode, WrongUse
from fleet.cli.stored import changing_store
from fleet.kept_budget import kept_budget
from fleet.pictures.access import TIMEOUT_S, looking, reached
from fleet.pictures.runner import Pictures
from fleet.reports.health import Judged, ShownFault, judged, to_json, to_terminal
from fleet.settings import Settings, load_settings
from fleet.store import Store, is_made
from fleet.vault.passwords import open_vault
from health.checking import check
from health.conditions import Condition, condition_of
from health.judge import Health, judge
from health.looks import SIZE, look_at
from health.reference import Reference, of_picture
from health.visit import Pace, take
from scanners.credentials import CredentialRule, for_address, load_credentials
from scanners.discovery.sweep import sweep
from scanners.identify import HTTP_PORTS, HTTPS_PORTS, NO_ANSWER, NotEvaluated, identify
from scanners.targets import Target, parse_targets

EPILOG = """
Example: camwarden health judge today/*.jpg --reference good.jpg

Example: camwarden health check 10.0.0.5 --credentials cameras.yaml

Example: camwarden health approve @entrance
"""

_AT_ONCE = 32

app = typer.Typer(no_args_is_help=True, epilog=EPILOG, help="Is the picture still good?")


@app.command("check", epilog="Example: camwarden health check 10.0.0.5 --credentials cameras.yaml --json")
def check_cameras(
    target: Annotated[
        list[str], typer.Argument(help="Addresses, networks, URLs, or @NAME of a stored camera.", show_default=False)
    ],
    *,
    credentials: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="YAML list of match, username and password.", show_default=False),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0, max=120, help="How long to watch each camera.")] = 10.0,
    json: Annotated[bool, typer.Option("--json", help="Print only JSON (camwarden/health/1) on stdout.")] = False,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="camwarden.toml of the store, for @NAME.", show_default=False)
    ] = None,
) -> None:
    """Take a few pictures of cameras and judge them. Only reads.

    A stored camera (@NAME) is compared with its approved views. Others have none: then only a picture that is black,
    white, blank or frozen can be called bad. Exit code as of `health judge`.
    """
    stored = [word.removeprefix("@") for word in target if word.startswith("@")]
    others = [word for word in target if not word.startswith("@")]
    rules = load_credentials(credentials) if credentials else []
    pace = Pace(pictures=5, seconds=seconds)
    results = asyncio.run(check_targets(parse_targets(others), rules, pace)) if others else []
    if stored:
        results += asyncio.run(_check_stored(load_settings(config), stored, pace))
    sys.stdout.write(f"{to_json('cameras', results)}\n") if json else screen.console().print(to_terminal(results))
    raise typer.Exit(exit_code(results))


@app.command("approve", epilog="Example: camwarden health approve @entrance --by ana")
def approve(
    camera: Annotated[str, typer.Argument(help="@NAME, address or id of a stored camera.", show_default=False)],
    *,
    by: Annotated[str | None, typer.Option(metavar="NAME", help="Who approves; you, if left out.")] = None,
    condition: Annotated[
        Condition | None, typer.Option(help="In which light; seen from the picture, if left out.", show_default=False)
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="camwarden.toml of the store.", show_default=False)
    ] = None,
) -> None:
    """Say that a stored camera looks right now: from now on its pictures are compared with this view."""
    light = asyncio.run(_approve(load_settings(config), camera.removeprefix("@"), by or getpass.getuser(), condition))
    screen.note(f"approved for {light.value}")


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


# --- cameras ----------------------------------------------------------------------------------------------------------


async def check_targets(targets: Sequence[Target], rules: Sequence[CredentialRule], pace: Pace) -> list[Judged]:
    """One result per target, in their order; an empty place of a network that was searched is left out."""
    await asyncio.to_thread(soap.descriptions)
    places = asyncio.Semaphore(_AT_ONCE)
    budget = AttemptBudget()
    async with Decoder() as decoder:

        async def one(target: Target) -> Judged | None:
            async with places:
                return await _check_target(target, rules, pace, budget, decoder)

        found = await asyncio.gather(*(one(target) for target in targets))
    return [result for result in found if result is not None]


async def _check_target(
    target: Target, rules: Sequence[CredentialRule], pace: Pace, budget: AttemptBudget, decoder: Decoder
) -> Judged | None:
    name = target.address if target.port is None else f"{target.address}:{target.port}"
    async with AsyncExitStack() as stack:
        ports: OpenPorts | Gap = Gap("not-asked", "its port was given")
        if target.port is None:
            async for _, ports in sweep([target.address], (*HTTP_PORTS, *HTTPS_PORTS)):  # noqa: B007 - one address
                pass
        met = await identify(stack, target, ports, budget, TIMEOUT_S)
    if isinstance(met, NotEvaluated):
        return None if met.reason == NO_ANSWER else Judged(name, Health.UNKNOWN, (), f"{met.reason}: {met.detail}")
    login = next(iter(for_address(rules, target.address)), None)
    if login is None:
        return Judged(name, Health.UNKNOWN, (), "no login for it: give --credentials FILE")
    http = met.session.http
    place = Place(http.address, http.port, "https" if http.scheme == "https" else "http", shared=target.shared)
    try:
        taken = await take(reached(place, login, budget), decoder, pace)
    except DeviceError as error:
        return Judged(name, Health.UNKNOWN, (), f"{type(error).__name__}: {clean_text(str(error), 300)}")
    checked = await asyncio.to_thread(lambda: check({}, taken.burst, spans_s=taken.spans_s))
    return Judged(name, checked.verdict, checked.faults, checked.reason, taken.figures)


async def _check_stored(settings: Settings, names: Sequence[str], pace: Pace) -> list[Judged]:
    results = []
    async with _pictures(settings, pace, "check") as (store, pictures):
        for name in names:
            view = await pictures.check_now(await lookup.camera(store, name))
            faults = tuple(
                ShownFault(fault, said["confidence"], said["evidence"]) for fault, said in view.faults.items()
            )
            results.append(Judged(f"@{name}", Health(view.verdict), faults, view.reason))
    return results


async def _approve(settings: Settings, name: str, actor: str, condition: Condition | None) -> Condition:
    async with _pictures(settings, Pace(), "approve") as (store, pictures):
        try:
            return await pictures.approve(await lookup.camera(store, name), actor, condition=condition)
        except DeviceError as error:
            raise WrongUse(f"no picture of it: {type(error).__name__}: {error}") from None


@asynccontextmanager
async def _pictures(settings: Settings, pace: Pace, command: str) -> AsyncIterator[tuple[Store, Pictures]]:
    """Of the store, without its clock: only what is asked for is done."""
    if not is_made(settings):
        raise WrongUse("nothing is stored yet: scan in the console first")
    quiet = settings.model_copy(update={"picture_minutes": 0})
    async with changing_store(quiet, f"health {command}") as store:
        vault = await open_vault(store, quiet)
        async with kept_budget(store) as budget:
            access_to = looking(store, vault, quiet, budget)
            async with Pictures(store, quiet, access_to, pace=pace) as pictures:
                yield store, pictures

"""`camwarden rollout`: a bundle on its way over the estate, in groups, under watch."""

import asyncio
import getpass
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, BinaryIO, TypeVar

import typer
from sqlalchemy import select

from analytics_qa.detector import OUR_MODEL
from fleet.accuracy.runner import Accuracy
from fleet.accuracy.sights import stored_sights
from fleet.cli import screen
from fleet.cli.outcomes import ExitCode, WrongUse
from fleet.cli.stored import changing_store, need_store
from fleet.kept_budget import kept_budget
from fleet.notices.configured import channels
from fleet.pictures.access import looking
from fleet.pictures.runner import Pictures
from fleet.reach import connecting, place_and_credential
from fleet.rollouts import orders as rollout_orders
from fleet.rollouts import rows as rollout_rows
from fleet.rollouts.judges import Judges
from fleet.rollouts.orders import careful_rules
from fleet.rollouts.rows import RolloutId, RolloutView, TargetRow
from fleet.rollouts.runner import Rollouts
from fleet.settings import Settings, load_settings
from fleet.store import Store
from fleet.store import tables as t
from fleet.vault.passwords import open_vault
from hardening.rollout import FAILURES, CampaignState
from hardening.rollout_rules import RuleError, most_harmed, parse_errors, parse_percent
from hardening.windows import WindowError, parse_window

app = typer.Typer(
    no_args_is_help=True,
    help="Roll a bundle out over many cameras, the first group small.",
    epilog="Example: camwarden rollout create 1f3a9c 10.0.0.0/24 --errors 3,10%",
)

ConfigOption = Annotated[Path | None, typer.Option(metavar="FILE", help="camwarden.toml.", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
RolloutArgument = Annotated[str, typer.Argument(metavar="ROLLOUT", help="Its id.", show_default=False)]
AsOption = Annotated[str | None, typer.Option("--as", help="Who does this.", show_default="you")]
Found = TypeVar("Found")
_DURATION = re.compile(r"(\d{1,6})(s|m|h|d)", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@app.command(
    epilog="Example: camwarden rollout create 1f3a9c 10.0.0.0/24 --window 'mon-fri 22:00-05:00' --errors 3,10%"
)
def create(
    bundle: Annotated[str, typer.Argument(help="The first digits of its id: see `bundle list`.", show_default=False)],
    cameras: Annotated[list[str], typer.Argument(help="Known cameras: addresses, networks, ids.", show_default=False)],
    *,
    name: Annotated[str, typer.Option(help="What people call it.")] = "",
    canary: Annotated[int, typer.Option(help="Size of the first group.")] = 3,
    first: Annotated[list[str] | None, typer.Option(help="Cameras that go first.", show_default="all models")] = None,
    growth: Annotated[float, typer.Option(help="How much larger each next group is.")] = 4,
    errors: Annotated[str, typer.Option(help="Stop at so many failures, in all or in percent of a group.")] = "3,10%",
    success: Annotated[str, typer.Option(help="Percent of a group to be proved before the next.")] = "95%",
    in_flight: Annotated[int, typer.Option(help="Cameras at the same time.")] = 20,
    per_site: Annotated[int, typer.Option(help="Cameras of one site at the same time.")] = 5,
    soak: Annotated[str, typer.Option(help="Wait between groups: 30m, 1h, 2d.")] = "1h",
    window: Annotated[
        str | None, typer.Option(help="Only then: 'mon-fri 22:00-05:00'.", show_default="any time")
    ] = None,
    zone: Annotated[str, typer.Option(help="Time zone of cameras of no site (see `camwarden site`).")] = "UTC",
    expected: Annotated[str, typer.Option(help="How long one camera takes.")] = "15m",
    restart: Annotated[str, typer.Option(help="How long a restart may take at most.")] = "10m",
    offline: Annotated[str, typer.Option(help="How long offline cameras are waited for.")] = "7d",
    rollback: Annotated[str, typer.Option(help="Cameras that can go back by themselves after this; 0s not.")] = "30m",
    need_backup: Annotated[
        bool, typer.Option("--need-backup", help="Leave cameras alone that give no backup.")
    ] = False,
    who: AsOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Plan a rollout. Nothing is sent before it is approved and started."""
    try:
        back = _length("--rollback", rollback)
        rules = replace(
            careful_rules(),
            canary=canary,
            growth=growth,
            errors=parse_errors(errors),
            success_percent=parse_percent(success),
            in_flight=in_flight,
            in_flight_per_site=per_site,
            soak=_length("--soak", soak),
            window=parse_window(window) if window else None,
            expected=_length("--expected", expected),
            restart_most=_length("--restart", restart),
            offline_most=_length("--offline", offline),
            rollback_after=back or None,
            backup_required=need_backup,
        )
    except (RuleError, WindowError) as error:
        raise WrongUse(str(error)) from error

    async def plan(store: Store) -> RolloutView:
        chosen = await _chosen(store, cameras)
        ahead = await _chosen(store, first or ())
        rollout = await rollout_orders.create(
            store, bundle, list(chosen), _who(who), name=name, rules=rules, canaries=list(ahead), zone=zone
        )
        return await rollout_rows.load(store, rollout)

    _show([asyncio.run(_with_store(config, "create", plan))], as_json=as_json)


@app.command(epilog="Example: camwarden rollout approve 01a2195d-8cd7-7000-a57d-522291ccb5b6 --as berta")
def approve(rollout: RolloutArgument, *, who: AsOption = None, config: ConfigOption = None) -> None:
    """Say yes to it. Who and when is kept. With `two_persons` in the settings, not by whoever made it."""
    both = load_settings(config).two_persons
    _order(
        config,
        "approve",
        rollout,
        lambda store, found: rollout_orders.approve(store, found, _who(who), two_persons=both),
    )


@app.command(epilog="Example: camwarden rollout start 01a2195d-8cd7-7000-a57d-522291ccb5b6 --wait")
def start(
    rollout: RolloutArgument,
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Carry it out here, until it is over.")] = False,
    who: AsOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Start it. `camwarden serve` carries it out, or this command with --wait.

    With --wait, a rollout that runs already is taken up where it was; Ctrl-C leaves it to be taken up again.
    """
    view = asyncio.run(_start(config, rollout, _who(who), wait=wait))
    _show([view], as_json=as_json)
    if not wait:
        screen.note("it runs as soon as `camwarden serve` runs, or with --wait")
    elif view.state is not CampaignState.DONE or any(view.counts.get(state) for state in FAILURES):
        raise typer.Exit(ExitCode.FINDINGS)


@app.command(epilog="Example: camwarden rollout pause 01a2195d-8cd7-7000-a57d-522291ccb5b6")
def pause(rollout: RolloutArgument, *, who: AsOption = None, config: ConfigOption = None) -> None:
    """Begin no more cameras. What was sent comes to its end."""
    _order(config, "pause", rollout, lambda store, found: rollout_orders.pause(store, found, _who(who)))


@app.command(epilog="Example: camwarden rollout resume 01a2195d-8cd7-7000-a57d-522291ccb5b6")
def resume(rollout: RolloutArgument, *, who: AsOption = None, config: ConfigOption = None) -> None:
    """Go on after a pause."""
    _order(config, "resume", rollout, lambda store, found: rollout_orders.resume(store, found, _who(who)))


@app.command(epilog="Example: camwarden rollout abort 01a2195d-8cd7-7000-a57d-522291ccb5b6 --reason 'wrong image'")
def abort(
    rollout: RolloutArgument,
    *,
    reason: Annotated[str, typer.Option(help="Why; it is kept.")] = "",
    who: AsOption = None,
    config: ConfigOption = None,
) -> None:
    """End it for good. What was sent comes to its end; the rest is left alone."""
    _order(config, "abort", rollout, lambda store, found: rollout_orders.abort(store, found, _who(who), reason))


@app.command(epilog="Example: camwarden rollout undo 01a2195d-8cd7-7000-a57d-522291ccb5b6")
def undo(rollout: RolloutArgument, *, who: AsOption = None, config: ConfigOption = None) -> None:
    """Take the proved cameras back to the version before, where they can go back."""
    _order(config, "undo", rollout, lambda store, found: rollout_orders.undo(store, found, _who(who)))


@app.command(epilog="Example: camwarden rollout retry 01a2195d-8cd7-7000-a57d-522291ccb5b6 10.0.0.5:80")
def retry(
    rollout: RolloutArgument,
    camera: Annotated[str, typer.Argument(help="Its id or address with port.", show_default=False)],
    *,
    who: AsOption = None,
    config: ConfigOption = None,
) -> None:
    """Look at a camera that failed anew, and send the image where it did not arrive."""
    _order(config, "retry", rollout, lambda store, found: rollout_orders.retry(store, found, camera, _who(who)))


@app.command(
    epilog="Example: camwarden rollout backup 01a2195d-8cd7-7000-a57d-522291ccb5b6 10.0.0.5:80 --out old.bin "
    "--reason 'the camera is replaced'"
)
def backup(
    rollout: RolloutArgument,
    camera: Annotated[str, typer.Argument(help="Its id or address with port.", show_default=False)],
    *,
    out: Annotated[Path, typer.Option(metavar="FILE", help="A new file, for you alone.", show_default=False)],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why: it is written down.", show_default=False)],
    who: AsOption = None,
    config: ConfigOption = None,
) -> None:
    """Write out the configuration that a camera had before the update. It holds secrets; who took it is kept."""
    settings = load_settings(config)
    need_store(settings)

    async def take() -> bytes:
        async with changing_store(settings, "rollout backup") as store:
            found = RolloutId(rollout)
            return await rollout_orders.take_backup(store, settings, found, camera, actor=_who(who), reason=reason)

    with _new_file(out) as file:
        file.write(asyncio.run(take()))
    screen.note(f"{out} is the configuration of {camera}; it holds secrets")


@app.command(epilog="Example: camwarden rollout status --json")
def status(
    rollout: Annotated[str | None, typer.Argument(metavar="[ROLLOUT]", help="Its id.", show_default="all")] = None,
    *,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """How a rollout stands and where each camera is; without an id, the newest rollouts."""

    async def look(store: Store) -> tuple[list[RolloutView], list[TargetRow]]:
        if rollout is None:
            return list((await rollout_rows.listed(store, None, 20)).items), []
        found = RolloutId(rollout)
        return [await rollout_rows.load(store, found)], await rollout_rows.targets(store, found)

    views, rows = asyncio.run(_with_store(config, "status", look))
    _show(views, rows, as_json=as_json)


async def _start(config: Path | None, rollout: str, actor: str, *, wait: bool) -> RolloutView:
    settings, found = load_settings(config), RolloutId(rollout)
    async with changing_store(settings, "rollout start") as store:
        state, _ = await rollout_rows.standing(store, found)
        if not wait or state is CampaignState.APPROVED:
            await rollout_orders.start(store, found, actor)
        if not wait:
            return await rollout_rows.load(store, found)
        async with _rollouts(store, settings) as rollouts, aclosing(rollouts.events(found)) as events:
            with screen.progress({"cameras": "Cameras"}) as advance:
                async for view in events:
                    done = sum(number for state, number in view.counts.items() if state.final)
                    advance("cameras", done, sum(view.counts.values()))
        return view


@asynccontextmanager
async def _rollouts(store: Store, settings: Settings) -> AsyncIterator[Rollouts]:
    """With the same judges as the service has, but no checks by the clock."""
    vault = await open_vault(store, settings)
    where = partial(place_and_credential, store, vault, settings)
    told = [channel.name for channel in await asyncio.to_thread(channels, settings)]
    quiet = settings.model_copy(update={"picture_minutes": 0})
    async with (
        kept_budget(store) as budget,
        Pictures(store, quiet, looking(store, vault, settings, budget), channels=told) as pictures,
    ):
        accuracy = Accuracy(store, stored_sights(where, budget), model=settings.reference_model or OUR_MODEL)
        judges = Judges(pictures.faults_now, accuracy.measure)
        async with Rollouts(store, settings, connect=connecting(where, budget), judges=judges) as rollouts:
            yield rollouts


async def _with_store(config: Path | None, command: str, do: Callable[[Store], Awaitable[Found]]) -> Found:
    async with changing_store(load_settings(config), f"rollout {command}") as store:
        return await do(store)


def _order(config: Path | None, command: str, rollout: str, do: Callable[[Store, RolloutId], Awaitable[None]]) -> None:
    async def carried_out(store: Store) -> RolloutView:
        await do(store, RolloutId(rollout))
        return await rollout_rows.load(store, RolloutId(rollout))

    _show([asyncio.run(_with_store(config, command, carried_out))], as_json=False)


async def _chosen(store: Store, words: list[str] | tuple[str, ...]) -> dict[str, str]:
    """Ids and addresses of the known cameras that these words name. Raises WrongUse where one names none."""
    found: dict[str, str] = {}
    async with store.read() as connection:
        rows = (await connection.execute(select(t.Camera.id, t.Camera.address, t.Camera.port))).all()
    for word in words:
        network = _network(word)
        named = {
            row.id: row.address
            for row in rows
            if word in (row.id, f"{row.address}:{row.port}") or (network and _is_in(row.address, network))
        }
        if not named:
            raise WrongUse(f"{word}: no known camera; assess it from the console first")
        found |= named
    return found


def _network(word: str) -> Any:  # noqa: ANN401 - of either IP version
    try:
        return ip_network(word)
    except ValueError:
        return None


def _is_in(address: str, network: Any) -> bool:  # noqa: ANN401 - as above
    try:
        return ip_address(address) in network
    except ValueError:
        return False


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """For its owner only, never in place of another, and gone again where it was not filled. Raises WrongUse."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise WrongUse(f"{path} is there already, and nothing is overwritten: name another file") from None
    except OSError as error:
        raise WrongUse(f"{path} cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise WrongUse(f"{path} cannot be written: {error.strerror}") from None
        raise


def _length(option: str, text: str) -> timedelta:
    found = _DURATION.fullmatch(text)
    if found is None:
        raise WrongUse(f"{option}: write a duration such as 30m, 1h or 2d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _who(given: str | None) -> str:
    return given or getpass.getuser()


def _show(views: list[RolloutView], rows: list[TargetRow] | None = None, *, as_json: bool) -> None:
    if as_json:
        value = {"format": "camwarden/rollouts/1", "rollouts": [_as_json(view) for view in views]}
        if rows:
            value["cameras"] = [_camera(row) for row in rows]
        sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
        return
    for view in views:
        counts = ", ".join(f"{number} {state}" for state, number in view.counts.items())
        sys.stdout.write(f"{view.id}  {view.state}  {view.name}  ({counts})\n")
        if view.reason:
            sys.stdout.write(f"  {view.reason}\n")
        sys.stdout.write(f"  made by {view.created_by}, {view.created_at:%Y-%m-%d %H:%M} UTC\n")
        if view.approved_by:
            sys.stdout.write(f"  approved by {view.approved_by}, {view.approved_at:%Y-%m-%d %H:%M} UTC\n")
        if (most := most_harmed(view.rules)) is not None and view.finished_at is None:
            sys.stdout.write(f"  a bad image reaches at most {most} cameras before it stops\n")
    for row in rows or ():
        sys.stdout.write(f"  {row.group}  {row.address}  {row.state}  {row.detail}\n")


def _as_json(view: RolloutView) -> dict[str, Any]:
    times = ("created_at", "approved_at", "started_at", "finished_at")
    told = {name: value.isoformat() if (value := getattr(view, name)) else None for name in times}
    value = {"id": view.id, "name": view.name, "bundle": view.bundle, "state": view.state.value, **told}
    value |= {"created_by": view.created_by, "approved_by": view.approved_by, "reason": view.reason}
    rules = {**rollout_rows.rules_as_json(view.rules), "most_harmed": most_harmed(view.rules)}
    return {**value, "rules": rules, "counts": {state.value: number for state, number in view.counts.items()}}


def _camera(row: TargetRow) -> dict[str, Any]:
    value = {name: getattr(row, name) for name in ("camera", "address", "group", "site", "sent", "detail", "backup")}
    return {**value, "state": row.state.value, "since": row.since.isoformat(), "before": dict(row.before)}

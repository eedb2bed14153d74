"""How much harm a rollout can do before it stops by itself, and what its book-keeping costs.

A thousand cameras are of paper: drivers inside this process, without a network, so that their number is the point. A
smaller estate of each family is served by the simulator over real sockets. A harmed camera is one that was given a bad
image, or that runs neither version any more. The bound is what the rules promise: first group + error threshold + in
flight.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import update

from bench.paper_cameras import MODEL, NEW, Lie, PaperCamera, PaperEstate
from bench.rollout_estate import FAMILIES, PACE, RULES, bundle, home, known, start
from cameras.budget import AttemptBudget
from cameras.secret import Credential, Secret
from fleet.reach import Connect, by_rules, connecting
from fleet.rollouts import rows as rollout_rows
from fleet.rollouts.bundles import BundleView
from fleet.rollouts.rows import RolloutView
from fleet.rollouts.runner import Rollouts
from fleet.settings import Settings
from fleet.store import Store, open_store
from fleet.store.rollouts_tables import Rollout
from hardening.rollout import CampaignState, Target, TargetState, decide
from hardening.rollout_rules import Errors, Rules, most_harmed
from scanners.credentials import CredentialRule
from simulator import Estate, Options
from simulator.plan import Defect
from simulator.vendors import VENDORS

FAST = replace(PACE, ask_every_s=0.2)
BRICKS, LIARS = 0.01, 0.03
WHOLE = replace(RULES, errors=Errors(100, None), success_percent=50)


@dataclass(frozen=True, slots=True)
class Ended:
    """One rollout that came to its end. `moves` are changes of state that were written down."""

    what: str
    cameras: int
    state: str
    reached: int
    harmed: int
    bound: int
    doubled: int
    forgotten: int
    moves: int
    seconds: float


def _lies(number: int) -> Lie:
    """Bricks and liars spread evenly over the estate, none of them among the first."""
    if number % round(1 / BRICKS) == round(0.5 / BRICKS):
        return "bricks"
    return "says-yes-and-does-nothing" if number % round(1 / LIARS) == round(0.5 / LIARS) else ""


async def _paper(
    store: Store, settings: Settings, what: str, total: int, rules: Rules, *, defect: Defect | None, lies: bool
) -> Ended:
    version = f"{NEW}{len(what)}"
    image = await bundle(store, settings, version, vendor="AXIS", models=[MODEL], scheme="axis", defect=defect)
    places = [(f"10.{len(what)}.{number >> 8}.{number & 255}", 80, "AXIS", MODEL) for number in range(total)]
    ids = await known(store, places)
    cameras = [PaperCamera(number, lie=_lies(number) if lies else "") for number in range(total)]
    estate = PaperEstate(dict(zip(ids, cameras, strict=True)))
    run = await _run(store, settings, image, rules, (ids, estate.connect))
    flashed = [len(camera.flashed) for camera in cameras]
    harmed = sum(bool(n) if defect else camera.bricked for n, camera in zip(flashed, cameras, strict=True))
    return _ended(what, run, rules, flashed, harmed)


async def _served(family: str, total: int, defect: Defect | None) -> Ended:
    """Over real sockets, in a store of its own; one camera bricks and one lies."""
    version, scheme = FAMILIES[family]
    options = Options(
        cameras=total,
        base=f"127.{128 + os.getpid() % 100}.0.1",
        mix={family: 1},
        faults={"upgrade-bricks": 1, "upgrade-liar": 1},
        discovery=False,
        low_ports=False,
        reboot_s=0.2,
    )
    rules = replace(RULES, canary=3, errors=Errors(4, None), in_flight=8, in_flight_per_site=8, success_percent=50)
    with tempfile.TemporaryDirectory(prefix="camwarden-bench-") as folder:
        settings = home(folder)
        async with Estate(options) as running, await open_store(settings) as store:
            plans = [camera.plan for camera in running.cameras]
            models, vendor = sorted({plan.model for plan in plans}), VENDORS[family].manufacturer
            image = await bundle(store, settings, version, vendor=vendor, models=models, scheme=scheme, defect=defect)
            ids = await known(store, [(plan.address, plan.port, vendor, plan.model) for plan in plans])
            logins = [
                CredentialRule(plan.address, Credential(plan.login.name, Secret(plan.login.password)))
                for plan in plans
                if plan.login
            ]
            doors = connecting(by_rules(store, logins), AttemptBudget(), timeout_s=4.0)
            run = await _run(store, settings, image, rules, (ids, doors))
            flashed = [len(camera.flashed) for camera in running.cameras]
            harmed = sum(
                bool(n) if defect else camera.bricked for n, camera in zip(flashed, running.cameras, strict=True)
            )
    return _ended(f"{'bad' if defect else 'good'} image, served, {family}", run, rules, flashed, harmed)


@dataclass(frozen=True, slots=True)
class _Run:
    view: RolloutView
    moves: int
    seconds: float


async def _run(
    store: Store, settings: Settings, image: BundleView, rules: Rules, reach: tuple[Sequence[str], Connect]
) -> _Run:
    ids, connect = reach
    rollout = await start(store, image, ids, rules)
    started = time.perf_counter()
    async with Rollouts(store, settings, connect=connect, pace=FAST) as rollouts:
        async for view in rollouts.events(rollout):
            last = view
    seconds = time.perf_counter() - started
    events = await rollout_rows.history(store, rollout, single=True, limit=1_000_000)
    return _Run(last, len(events), seconds)


def _ended(what: str, run: _Run, rules: Rules, flashed: Sequence[int], harmed: int) -> Ended:
    view = run.view
    return Ended(
        what=what,
        cameras=len(flashed),
        state=view.state.value,
        reached=sum(map(bool, flashed)),
        harmed=harmed,
        bound=most_harmed(rules) or 0,
        doubled=sum(max(0, number - 1) for number in flashed),
        forgotten=sum(number for state, number in view.counts.items() if not state.final),
        moves=run.moves,
        seconds=run.seconds,
    )


async def _commits_per_s(store: Store) -> float:
    """The limit: one row changed per transaction, and nothing else done."""
    started, count = time.perf_counter(), 300
    for number in range(count):
        async with store.write() as connection:
            await connection.execute(update(Rollout).values(revision=number))
    return count / (time.perf_counter() - started)


def _deciding(total: int) -> tuple[float, float]:
    """Microseconds per camera to decide, and to do no more than count the states in the barest loop."""
    now = datetime.now(UTC)
    states = [TargetState.SUCCEEDED] * (total // 2) + [TargetState.WAITING] * (total - total // 2)
    targets = [Target(str(i), 1 + (i >= total // 2), "", "UTC", state, now) for i, state in enumerate(states)]
    rounds = 20
    started = time.perf_counter()
    for _ in range(rounds):
        decide(CampaignState.RUNNING, RULES, targets, now)
    ours = time.perf_counter() - started
    started = time.perf_counter()
    for _ in range(rounds):
        counts: dict[TargetState, int] = {}
        for target in targets:
            counts[target.state] = counts.get(target.state, 0) + 1
    bare = time.perf_counter() - started
    return ours * 1e6 / rounds / total, bare * 1e6 / rounds / total


async def _measure(total: int, served: int) -> tuple[list[Ended], float]:
    with tempfile.TemporaryDirectory(prefix="camwarden-bench-") as folder:
        settings = home(folder)
        async with await open_store(settings) as store:
            ends = [
                await _paper(store, settings, "bad image", total, RULES, defect="brick", lies=False),
                await _paper(store, settings, "good image, liars", total, RULES, defect=None, lies=True),
                await _paper(store, settings, "good image, to the end", total, WHOLE, defect=None, lies=True),
            ]
            commits = await _commits_per_s(store)
    for family in FAMILIES:
        ends += [await _served(family, served, "brick"), await _served(family, served, None)]
    return ends, commits


def measure(*, quick: bool, sizes: tuple[int, ...] | None) -> dict[str, Any]:
    """`python -m bench rollout`. Every row must stay at or below its bound, with nothing doubled or forgotten."""
    total = sizes[0] if sizes else 200 if quick else 1000
    ends, commits = asyncio.run(_measure(total, 12 if quick else 24))
    ours, bare = _deciding(100_000)
    _show(ends)
    longest = max(ends, key=lambda one: one.moves)
    rate = longest.moves / longest.seconds
    print(f"{rate:.0f} transitions/s written down ({longest.what}); bare transactions: {commits:.0f}/s")
    print(f"deciding over 100,000 cameras: {ours:.2f} us per camera; counting them and nothing else: {bare:.2f} us")
    worst = max(ends, key=lambda one: one.harmed / one.bound)
    return {
        "cameras": total,
        "harmed_max": worst.harmed,
        "harmed_bound": worst.bound,
        "double_flash": sum(one.doubled for one in ends),
        "forgotten": sum(one.forgotten for one in ends),
        "transitions_per_s": round(rate, 1),
        "commits_per_s": round(commits, 1),
        "deciding_us_per_camera": round(ours, 3),
        "deciding_ratio": round(bare / ours, 3),
    }


def _show(ends: Sequence[Ended]) -> None:
    table = Table(title="Rollouts of an image; served: real sockets, else cameras of paper", title_justify="left")
    names = ("what", "cameras", "ended", "got the image", "harmed", "bound", "written twice", "forgotten", "s")
    for name in names:
        table.add_column(name, justify="left" if name in ("what", "ended") else "right")
    for one in ends:
        numbers = (one.reached, one.harmed, one.bound, one.doubled, one.forgotten)
        table.add_row(one.what, str(one.cameras), one.state, *map(str, numbers), f"{one.seconds:.1f}")
    Console(width=150).print(table)

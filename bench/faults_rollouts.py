"""Processes that die in the middle of a rollout: is an image ever written twice, is a camera ever forgotten?

Each run: two simulated cameras on real sockets, a store on disk, a child process that carries the rollout out and is
ended at a seeded moment without a word; then (for some) a second one that dies too, and one that may live. The truth is
what the simulated cameras count themselves.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import Any, cast

from bench.rollout_estate import FAMILIES, PACE, Death, MortalStore, bundle, home, known, mortal, start
from cameras.budget import AttemptBudget
from cameras.secret import Credential, Secret
from fleet.reach import by_rules, connecting
from fleet.rollouts import rows as rollout_rows
from fleet.rollouts.rows import RolloutId
from fleet.rollouts.runner import Rollouts
from fleet.settings import Settings
from fleet.store import Store, attempts, open_store
from hardening.rollout import TargetState
from scanners.credentials import CredentialRule
from simulator import Estate, Options
from simulator.vendors import VENDORS

FAULTS = ("", "", "upgrade-drops", "upgrade-reverts", "upgrade-liar")
MOMENTS = 75
AT_ONCE = 3
LIMIT_S = 60.0
Login = tuple[str, str]
_OPENING = asyncio.Lock()


@dataclass
class Found:
    """Over all runs. `false_success`: a camera is called succeeded that does not run the new version."""

    runs: int = 0
    kills: int = 0
    doubled: int = 0
    lost: int = 0
    unrecovered: int = 0
    locked_out: int = 0
    wrong_tries_max: int = 0
    false_success: int = 0


def child(folder: str, rollout: str, logins: dict[str, Login], at: int | None) -> None:
    """A process of its own."""
    asyncio.run(_carry_out(home(folder), RolloutId(rollout), logins, Death(at)))


async def _carry_out(settings: Settings, rollout: RolloutId, logins: dict[str, Login], death: Death) -> None:
    async with await open_store(settings) as store:
        rules = [CredentialRule(address, Credential(n, Secret(p))) for address, (n, p) in logins.items()]
        doors = connecting(by_rules(store, rules), AttemptBudget(earlier=await attempts.load(store)), timeout_s=3.0)
        dying = cast("Store", MortalStore(store, death))
        async with Rollouts(dying, settings, connect=mortal(doors, death), pace=PACE) as rollouts:
            async for _ in rollouts.events(rollout):
                pass


async def one_run(seed: int, found: Found) -> None:
    chance = random.Random(seed)  # noqa: S311 - reproducible on purpose
    family, fault = chance.choice(sorted(FAMILIES)), chance.choice(FAULTS)
    version, scheme = FAMILIES[family]
    # Of this process alone: others may simulate cameras on this machine too.
    base = f"127.{128 + os.getpid() % 100}.{seed % 250}.1"
    faults = {fault: 1} if fault else {}
    options = Options(
        cameras=2, base=base, seed=seed, mix={family: 1}, faults=faults, discovery=False, low_ports=False, reboot_s=0.1
    )
    with tempfile.TemporaryDirectory(prefix="camwarden-bench-") as folder:
        settings = home(folder)
        async with _OPENING:  # Alembic migrates one database at a time in one process
            opened = await open_store(settings)
        async with Estate(options) as estate, opened as store:
            plans = [camera.plan for camera in estate.cameras]
            vendor = VENDORS[family].manufacturer
            models = sorted({plan.model for plan in plans})
            image = await bundle(store, settings, version, vendor=vendor, models=models, scheme=scheme)
            cameras = await known(store, [(p.address, p.port, vendor, p.model) for p in plans])
            rollout = await start(store, image, cameras)
            logins = {p.address: (p.login.name, p.login.password) for p in plans if p.login}
            ends: list[int | None] = [chance.randrange(MOMENTS)]
            ends += [chance.randrange(MOMENTS)] if chance.random() < 1 / 3 else []
            for at in [*ends, None]:
                code = await asyncio.to_thread(_process, folder, rollout, logins, at)
                found.kills += code == 9  # noqa: PLR2004 - as `Death` ends it
                if at is None and code != 0:
                    print(f"seed {seed}, {family}, {fault or 'no fault'}, killed at {ends}: ended with {code}")
                    found.unrecovered += 1
            await _count(store, rollout, estate, version, found)
    found.runs += 1


def _process(folder: str, rollout: str, logins: dict[str, Login], at: int | None) -> int:
    process = multiprocessing.get_context("forkserver").Process(target=child, args=(folder, rollout, logins, at))
    process.start()
    process.join(LIMIT_S)
    if process.exitcode is None:
        process.kill()
        process.join()
    return process.exitcode or 0


async def _count(store: Store, rollout: RolloutId, estate: Estate, version: str, found: Found) -> None:
    rows = {row.address: row for row in await rollout_rows.targets(store, rollout)}
    for camera in estate.cameras:
        row = rows[f"{camera.plan.address}:{camera.plan.port}"]
        found.doubled += max(0, len(camera.flashed) - 1)
        found.lost += not row.state.final
        found.false_success += row.state is TargetState.SUCCEEDED and camera.plan.firmware != version
    spent = await attempts.load(store)
    found.wrong_tries_max = max(found.wrong_tries_max, len(spent))
    found.locked_out += len({attempt.camera for attempt in spent if attempt.outcome == "locked"})


async def _all(runs: int) -> Found:
    found, gate = Found(), asyncio.Semaphore(AT_ONCE)

    async def gated(seed: int) -> None:
        async with gate:
            await one_run(seed, found)

    await asyncio.gather(*(gated(seed) for seed in range(1, runs + 1)))
    return found


def measure(quick: bool) -> dict[str, Any]:  # noqa: FBT001 - as the dispatcher calls it
    """At least a hundred deaths; `quick` a dozen or so. `doubled`, `lost` and `unrecovered` must be 0."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(["bench.rollout_estate", "fleet.rollouts.runner"])
    started = time.perf_counter()
    found = asyncio.run(_all(14 if quick else 100))
    seconds = time.perf_counter() - started
    print(f"{found.runs} rollouts of 2 cameras on real sockets, {found.kills} processes killed, {seconds:.0f} s")
    print(f"images written twice {found.doubled}, cameras forgotten {found.lost}, not recovered {found.unrecovered}")
    print(f"called succeeded but not new {found.false_success}, wrong logins at most {found.wrong_tries_max}")
    keys = ("runs", "kills", "lost", "doubled", "locked_out", "wrong_tries_max", "unrecovered", "false_success")
    return {name: getattr(found, name) for name in keys}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    print(json.dumps(measure(quick=parser.parse_args().quick)))
    sys.exit(0)

"""Passwords: a rotation killed at any boundary between two steps, and what the next process makes of it.

Each run has a simulated camera of its own, honest or lying, and a home of its own. The truth is the simulator's: its
accounts, its counters of wrong tries, its locks.
"""

import asyncio
import json
import multiprocessing
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from multiprocessing.context import ForkServerContext
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from bench import faults_passwords_child as child
from bench.faults_passwords_child import Job
from cameras.facts import Gap, Identity
from fleet.findings import triage as findings
from fleet.settings import Settings
from fleet.store import open_store
from fleet.store import tables as t
from scanners.assessment import CameraAssessment
from scanners.dossier import Dossier
from simulator import Estate, Options
from simulator.camera import Camera

AT_ONCE = 3
LIMIT_S = 120.0
SEED = 7
# A camera that hints at a lock-out ends a reconcile; half an hour later there is another.
MOST_RECONCILES = 2
FULL, QUICK = 60, 6
# What a camera does with a new password; each gets the same number of runs.
KINDS: Mapping[str, str | None] = MappingProxyType(
    {
        "honest": None,
        "ignores it": "password-ignored",
        "applies it late": "password-late",
        "cuts it at 12": "password-truncated",
        "restarts in the middle": "password-reboot",
        "two account stores": None,
    }
)
# The new password once; where it is put back, the old one once by the rotation and once by each reconcile.
MOST_SENT = {"two account stores": 2 + MOST_RECONCILES}
# A driver of a vendor's own API tells the web server, and ONVIF where that still takes the old password.
DOORS = {"axis": 2, "hikvision": 2, "dahua": 2, "hanwha": 2}


@dataclass(frozen=True, slots=True)
class Outcome:
    kind: str
    killed_at: str
    state: str
    detail: str
    lost: bool
    doubled: bool
    locked: bool
    wrong: tuple[int, ...]
    recovered: bool


@dataclass
class Tally:
    outcomes: list[Outcome] = field(default_factory=list)

    def keys(self) -> dict[str, Any]:
        every = self.outcomes
        return {
            "runs": len(every),
            "killed": sum(bool(one.killed_at) for one in every),
            "boundaries": len({(one.kind, one.killed_at) for one in every if one.killed_at}),
            "lost": sum(one.lost for one in every),
            "doubled": sum(one.doubled for one in every),
            "locked_out": sum(one.locked for one in every),
            "wrong_tries_max": max(max(one.wrong) for one in every),
            "wrong_tries_with_reconciles_max": max(sum(one.wrong) for one in every),
            "reconciles": sum(len(one.wrong) - 1 for one in every),
            "unrecovered": sum(not one.recovered for one in every),
        }


def measure(*, quick: bool) -> dict[str, Any]:
    tally = asyncio.run(_measure(QUICK if quick else FULL))
    _print(tally)
    return tally.keys()


async def _measure(per_kind: int) -> Tally:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["bench.faults_passwords_child"])
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="camwarden-bench-") as name:
        folder = Path(name)
        async with Estate(_options(folder, per_kind)) as estate:
            ids = await _template(folder, estate.cameras)
            runs = [_Run(folder, camera, ids[camera.plan.address], kind) for camera, kind in _kinds(estate.cameras)]
            # The first of each kind is not killed: it tells how many boundaries there are.
            counts = dict(
                zip(KINDS, await asyncio.gather(*(_first(context, run) for run in runs[: len(KINDS)])), strict=True)
            )
            rng, gate = Random(SEED), asyncio.Semaphore(AT_ONCE)  # noqa: S311 - reproducible on purpose
            kills = [(run, rng.randint(1, counts[run.kind])) for run in runs[len(KINDS) :]]
            tally.outcomes += await asyncio.gather(*(_killed(context, gate, run, at) for run, at in kills))
    return tally


def _options(folder: Path, per_kind: int) -> Options:
    total = (per_kind + 1) * len(KINDS)
    return Options(
        cameras=total,
        base="127.77.0.1",
        seed=SEED,
        mix={"axis": 1, "hikvision": 1, "dahua": 1, "hanwha": 1, "onvif": 1},
        faults={},
        discovery=False,
        low_ports=False,
        one_address=False,
        credentials_out=folder / "credentials.yaml",
        reboot_s=0.1,
    )


def _kinds(cameras: list[Camera]) -> list[tuple[Camera, str]]:
    names = list(KINDS)
    given = [(camera, names[number % len(names)]) for number, camera in enumerate(cameras)]
    for camera, kind in given:
        if quirk := KINDS[kind]:
            camera.become(replace(camera.plan, quirks=camera.plan.quirks | {quirk}))
        if kind == "two account stores":
            camera.become(replace(camera.plan, web_accounts=camera.plan.accounts))
    return given


async def _template(folder: Path, cameras: list[Camera]) -> dict[str, str]:
    """A home in which every camera is stored, as a scan leaves it."""
    async with await open_store(Settings(home=folder / "template")) as store:
        for camera in cameras:
            await findings.record(store, _seen(camera))
        async with store.read() as connection:
            rows = (await connection.execute(select(t.Camera.address, t.Camera.id))).all()
    return {row.address: row.id for row in rows}


def _seen(camera: Camera) -> CameraAssessment:
    plan = camera.plan
    nothing = Gap("not-asked", "not asked here")
    values: dict[str, Any] = dict.fromkeys(Dossier.__dataclass_fields__, nothing)
    values |= {"address": plan.address, "port": plan.port, "scheme": plan.scheme, "login": "", "quirks": ()}
    values["collected_at"] = "2026-01-01T00:00:00+00:00"
    values["identity"] = Identity(
        manufacturer=plan.vendor,
        model=plan.model,
        firmware=plan.firmware,
        serial=plan.serial,
        hardware=None,
        mac=plan.mac,
        driver="onvif",
    )
    return CameraAssessment(Dossier(**values), (), 100)


class _Run:
    def __init__(self, folder: Path, camera: Camera, camera_id: str, kind: str) -> None:
        assert camera.plan.login  # noqa: S101 - every camera of this estate has one
        self.camera, self.kind = camera, kind
        self.account = camera.plan.login.name
        self.home = folder / camera.plan.address
        self.job = Job(str(self.home), camera_id, self.account)
        self.first_password = camera.plan.login.password

    @property
    def wrong(self) -> int:
        return self.camera.guard.wrong_tries.get(self.account, 0)

    def truth(self) -> tuple[str, ...]:
        plan = self.camera.plan
        both = (*plan.accounts_of("onvif"), *plan.accounts_of("web"))
        return tuple({one.password for one in both if one.name == self.account})

    async def process(
        self, context: ForkServerContext, target: Callable[[Job], None], *, kill_at: int = 0
    ) -> dict[str, Any] | None:
        """What it found, `None` where it was killed."""
        result = self.home / "result.json"
        result.unlink(missing_ok=True)
        process = context.Process(target=target, args=(replace(self.job, kill_at=kill_at, truth=self.truth()),))
        process.start()
        await asyncio.to_thread(process.join, LIMIT_S)
        if process.is_alive():
            process.kill()
            await asyncio.to_thread(process.join)
            raise RuntimeError(f"{self.kind} did not end within {LIMIT_S:g} s")
        return json.loads(result.read_text()) if result.exists() else None


async def _first(context: ForkServerContext, run: _Run) -> int:
    await asyncio.to_thread(shutil.copytree, run.home.parent / "template", run.home)
    found = await run.process(context, child.rotate)
    if found is None:
        raise RuntimeError(f"{run.kind} ended without a result")
    return int(found["boundaries"])


async def _killed(context: ForkServerContext, gate: asyncio.Semaphore, run: _Run, kill_at: int) -> Outcome:
    async with gate:
        await asyncio.to_thread(shutil.copytree, run.home.parent / "template", run.home)
        await run.process(context, child.rotate, kill_at=kill_at)
        found = await run.process(context, child.resume)
        wrong = [run.wrong]
        for _ in range(MOST_RECONCILES):
            if not found or found["state"] != "unclear":
                break
            found = await run.process(context, child.reconcile)
            wrong.append(run.wrong - sum(wrong))
        found = found or {"state": "none", "detail": "the next process ended without a result"}
        killed = run.home / "killed"
        outcome = Outcome(
            kind=run.kind,
            killed_at=killed.read_text() if killed.exists() else "",
            state=found["state"],
            detail=found["detail"],
            lost=_lost(run, found),
            doubled=run.camera.password_requests > MOST_SENT.get(run.kind, 1) * DOORS.get(run.camera.plan.vendor, 1),
            locked=run.camera.guard.times_locked > 0,
            wrong=tuple(wrong),
            recovered=found["state"] in {"current", "undone"} and bool(found.get("let_in")),
        )
        await asyncio.to_thread(shutil.rmtree, run.home)
        return outcome


def _lost(run: _Run, found: Mapping[str, Any]) -> bool:
    """Whether nobody knows the camera's password: neither the vault nor the file that it was first in."""
    truth = set(run.truth())
    return truth != {run.first_password} and bool(found.get("lost", True))


def _print(tally: Tally) -> None:
    table = Table("camera", "runs", "boundaries", "current", "undone", "other", "wrong tries", title="killed rotations")
    for kind in KINDS:
        own = [one for one in tally.outcomes if one.kind == kind]
        ends = Counter(one.state for one in own)
        table.add_row(
            kind,
            str(len(own)),
            str(len({one.killed_at for one in own})),
            str(ends["current"]),
            str(ends["undone"]),
            str(len(own) - ends["current"] - ends["undone"]),
            str(max((sum(one.wrong) for one in own), default=0)),
        )
    Console(width=120).print(table)
    for one in tally.outcomes:
        if one.lost or one.locked or one.doubled or not one.recovered or max(one.wrong) > 1:
            print(f"{one.kind}, killed at {one.killed_at!r}: {one.state}, wrong {one.wrong}: {one.detail}")

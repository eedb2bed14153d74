"""One camera, and a plan, a rotation, a rollout, a scan and a picture check that all want it at the same moment.

The rotation runs in a process of its own, as a command beside the service does. Who changed what is read at the camera.
"""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from pathlib import Path

import pytest

from cameras.budget import AttemptBudget
from fleet import leases
from fleet.pictures.access import looking
from fleet.pictures.runner import Pictures
from fleet.plans.reach import reaching
from fleet.plans.runner import PlanId, Plans
from fleet.plans.states import PlanState
from fleet.proof import proving
from fleet.reach import connecting, place_and_credential
from fleet.rollouts.rows import RolloutId
from fleet.rollouts.runner import Rollouts
from fleet.rotations.rows import RotationId
from fleet.rotations.runner import Rotations
from fleet.scans.runner import Scans, ScanState
from fleet.settings import Settings
from fleet.store import Store, open_store
from fleet.vault.passwords import Vault, open_vault
from hardening.baseline import parse_baseline
from hardening.passwords import State
from hardening.rollout import TargetState
from hardening.visit import Patience
from simulator.camera import Camera
from tests.fleet import rollout_samples as samples
from tests.fleet.rollout_samples import over, started
from tests.fleet.rotating import QUICK, follow, scene, stored
from tests.fleet.test_rollouts_simulated import RULES_HERE, SLOW, bundle_for
from tests.fleet.test_scans import ended
from tests.frame.postgresql import Server

ROOT = Path(__file__).parents[2]
BASELINE = "format: camwarden/baseline/1\nname: few\nsettings:\n  discovery-mode: off\n  ntp: {from_dhcp: true}\n"
_PLANNED = ("ntp_from_dhcp", "ntp_servers", "clock_offset_s", "clock_source", "timezone", "discoverable")
FAULTS = ("discovery-left-on", "ntp-not-configured")
PATIENT = Patience(tries=400, door_tries=50, pause_s=0.05)
# A rotation of one account; it is killed at a boundary between two of its steps, or never.
ROTATES = """
import asyncio, os, signal, sys
from pathlib import Path
from fleet.rotations.runner import Rotations
from fleet.settings import Settings
from fleet.store.engine import open_prepared
from fleet.vault.passwords import open_vault
from tests.fleet.rotating import QUICK, rotated

async def main(home, url, camera, kill_at):
    settings = Settings(home=Path(home), database_url=url, credentials_file=Path(home) / "credentials.yaml")
    def step(_row, name):
        if kill_at and name.startswith(kill_at):
            os.kill(os.getpid(), signal.SIGKILL)
    async with await open_prepared(settings) as store:
        vault = await open_vault(store, settings)
        async with Rotations(store, vault, settings, patience=QUICK, step=step) as rotations:
            print("ready", flush=True)
            sys.stdin.readline()
            print(await rotated(rotations, camera), flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


@dataclass
class House:
    """A camera, what changed it in order, and the parts of a service that may."""

    settings: Settings
    store: Store
    vault: Vault
    camera: Camera
    id: str
    plans: Plans
    rollouts: Rollouts
    scans: Scans
    pictures: Pictures
    changed_by: list[str] = field(default_factory=list)


def watched(camera: Camera, changed_by: list[str]) -> None:
    """By what changed: only a rotation gives passwords, and only the plan sets the clock and discovery.

    What else a camera becomes it becomes of its new firmware.
    """
    was, before = camera.plan, camera.on_change

    def noted() -> None:
        nonlocal was
        now = camera.plan
        if now != was:
            rotation, rest = (
                now.accounts != was.accounts,
                replace(now, **{name: getattr(was, name) for name in _PLANNED}),
            )
            changed_by.append("rotation" if rotation else "plan" if rest == was else "rollout")
        was = now
        before()

    camera.on_change = noted


@asynccontextmanager
async def house(tmp_path: Path, url: str) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(
            scene(tmp_path / "home", *FAULTS, family="onvif", pictures=True, stream_fps=5.0)
        )
        settings = place.settings.model_copy(update={"database_url": url})
        store = await stack.enter_async_context(await open_store(settings))
        vault, budget = await open_vault(store, settings), AttemptBudget()
        where = partial(place_and_credential, store, vault, settings)
        prove = proving(store, settings, budget)
        plans = Plans(store, reaching(where, budget), prove, patience=PATIENT)
        rollouts = Rollouts(store, settings, connect=connecting(where, budget, timeout_s=3.0), pace=SLOW)
        scans = Scans(store, settings, budget=budget)
        pictures = Pictures(store, settings, looking(store, vault, settings, budget))
        for work in (plans, rollouts, scans, pictures):
            await stack.enter_async_context(work)
        camera = place.camera
        found = House(settings, store, vault, camera, await stored(store, camera), plans, rollouts, scans, pictures)
        watched(camera, found.changed_by)
        yield found


async def another(found: House, kill_at: str) -> asyncio.subprocess.Process:
    """The process of the rotation, ready to begin."""
    words = (str(found.settings.home), found.settings.database_url or "", found.id, kill_at)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ROTATES, *words, cwd=ROOT, stdin=pipe, stdout=pipe
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    return process


async def end_of(plans: Plans, plan: PlanId) -> PlanState:
    async with aclosing(plans.events(plan)) as events:
        return [view async for view in events][-1].state


async def approved_plan(found: House) -> PlanId:
    plan = await found.plans.create(parse_baseline(BASELINE), [found.id], "anna")
    assert await end_of(found.plans, plan) is PlanState.AWAITING_APPROVAL
    await found.plans.approve(plan, "berta")
    return plan


async def new_rollout(found: House) -> RolloutId:
    bundle = await bundle_for(found.store, found.settings, found.camera)
    rules = replace(RULES_HERE, offline_most=RULES_HERE.expected)
    return await started(found.store, bundle, [found.id], rules)


async def taken_up(found: House) -> None:
    """The next process: what was left in the middle goes on at once, whoever else waits."""
    async with Rotations(found.store, found.vault, found.settings, patience=QUICK) as rotations:
        (view,) = await rotations.recent()
        await follow(rotations, RotationId(view.id))


@pytest.mark.parametrize("kill_at", ["", "sending: said yes"], ids=["all live", "one is killed in the middle"])
async def test_those_who_change_a_camera_take_turns(postgresql: Server, tmp_path: Path, kill_at: str) -> None:
    url = postgresql.url(postgresql.migrated_database())
    async with house(tmp_path, url) as found, asyncio.timeout(120):
        plan, process = await approved_plan(found), await another(found, kill_at)
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        rollout = await new_rollout(found)
        await found.plans.start(plan, "berta")
        address = f"{found.camera.plan.address}:{found.camera.plan.port}"
        scan = await found.scans.start(address, "anna", default_credentials=False)
        looked = asyncio.create_task(found.pictures.check_now(found.id))
        ended_with = await process.wait()
        if kill_at:
            assert ended_with == -signal.SIGKILL
            await taken_up(found)
        state = await end_of(found.plans, plan)
        await over(found.rollouts, rollout)
        assert (await ended(found.scans, scan)).state is ScanState.DONE
        await asyncio.wait([looked])
        async with Rotations(found.store, found.vault, found.settings) as rotations:
            (rotation,) = await rotations.recent()
        ends = (state, [row.state for row in await samples.rows(found.store, rollout)], set(rotation.states))
        held = await leases.holder_of(found.store, found.id)
    assert ends == (PlanState.DONE, [TargetState.SUCCEEDED], {State.CURRENT})
    turns = [name for name, _ in groupby(found.changed_by)]
    assert sorted(turns) == ["plan", "rollout", "rotation"], found.changed_by
    assert len(found.changed_by) > len(turns), "somebody changed it more than once"
    assert held is None

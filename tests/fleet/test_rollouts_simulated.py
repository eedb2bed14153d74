"""Rollouts over real connections to simulated cameras: VAPIX with its timer, plain ONVIF, apps, and every lie."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from cameras.budget import AttemptBudget
from cameras.secret import Credential, Secret
from fleet.bundles import BundleView
from fleet.reach import Connect, by_rules, connecting
from fleet.rollout_proof import Judged
from fleet.rollout_rows import RolloutId, TargetRow
from fleet.rollouts import Rollouts
from fleet.settings import Settings
from fleet.store import Store, open_store
from hardening.rollout import TargetState
from hardening.rollout_rules import Errors
from scanners.credentials import CredentialRule
from simulator.camera import Camera
from simulator.plan import Defect
from simulator.vendors import VENDORS
from tests.fleet import rollout_samples as samples
from tests.fleet.rollout_samples import FAST, RULES, app, firmware, known, over, started
from tests.fleet.samples import camera as identity
from tests.simulator.asking import estate

S = TargetState
SLOW = replace(FAST, ask_every_s=0.05)
RULES_HERE = replace(
    RULES,
    errors=Errors(9, None),
    success_percent=1,
    restart_most=timedelta(seconds=2),
    rollback_after=timedelta(seconds=60),
)
FAMILIES = {
    "axis": ("12.11.99", "axis"),
    "hikvision": ("V5.9.0 build 230101", "hikvision"),
    "onvif": ("4.9.0", "dotted"),
}


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    async with await open_store(settings) as opened:
        yield opened


@asynccontextmanager
async def one_camera(
    store: Store, family: str, *, fault: str = "", minute_s: float = 60.0
) -> AsyncIterator[tuple[Camera, str, Connect]]:
    """A simulated camera, its id in the store, and the way to it."""
    async with estate(mix={family: 1}, faults={fault: 1} if fault else {}, reboot_s=0.1) as running:
        (camera,) = running.cameras
        camera.become(replace(camera.plan, minute_s=minute_s))
        plan = camera.plan
        assert plan.login is not None
        said = replace(identity(1, VENDORS[plan.vendor].manufacturer, plan.model), firmware=plan.firmware)
        login = Credential(plan.login.name, Secret(plan.login.password))
        doors = connecting(by_rules(store, [CredentialRule("*", login)]), AttemptBudget(), timeout_s=3.0)
        yield camera, await known(store, plan.address, plan.port, said), doors


async def rolled_out(
    store: Store, settings: Settings, doors: Connect, bundle: BundleView, camera: str, **more: object
) -> TargetRow:
    rollout = await started(store, bundle, [camera], RULES_HERE)
    return await carried_out(store, settings, doors, rollout, **more)


async def carried_out(
    store: Store, settings: Settings, doors: Connect, rollout: RolloutId, **more: object
) -> TargetRow:
    async with Rollouts(store, settings, connect=doors, pace=SLOW, **more) as rollouts:  # type: ignore[arg-type]
        await over(rollouts, rollout)
    (row,) = await samples.rows(store, rollout)
    return row


async def bundle_for(store: Store, settings: Settings, camera: Camera, defect: Defect | None = None) -> BundleView:
    version, scheme = FAMILIES[camera.plan.vendor]
    vendor, model = VENDORS[camera.plan.vendor].manufacturer, camera.plan.model
    return await firmware(store, settings, version, defect=defect, vendor=vendor, models=[model], scheme=scheme)


# family, what ails the camera, what ails the image: how it ends, how often an image was written, whether it is new then
CAMERAS: dict[str, tuple[str, str, Defect | None, TargetState, int, bool]] = {
    "Axis: sent with a timer, proved, committed": ("axis", "", None, S.SUCCEEDED, 1, True),
    "plain ONVIF": ("onvif", "", None, S.SUCCEEDED, 1, True),
    "another vendor by ONVIF": ("hikvision", "", None, S.SUCCEEDED, 1, True),
    "Axis: an image without a picture is taken back": ("axis", "", "no-picture", S.ROLLED_BACK, 1, False),
    "ONVIF: an image without a picture stays": ("onvif", "", "no-picture", S.FAILED, 1, True),
    "an image that bricks": ("onvif", "", "brick", S.UNKNOWN, 1, True),
    "Axis: an image that bricks": ("axis", "", "brick", S.UNKNOWN, 1, True),
    "a camera that says yes and does nothing": ("onvif", "upgrade-liar", None, S.FAILED, 0, False),
    "Axis: one that says yes and does nothing": ("axis", "upgrade-liar", None, S.FAILED, 0, False),
    "a camera that comes back with the old version": ("hikvision", "upgrade-reverts", None, S.FAILED, 1, False),
    "a camera that hangs up after the image": ("onvif", "upgrade-drops", None, S.SUCCEEDED, 1, True),
    "Axis: one that hangs up after the image": ("axis", "upgrade-drops", None, S.SUCCEEDED, 1, True),
    "a camera that takes long": ("onvif", "upgrade-slow", None, S.SUCCEEDED, 1, True),
}


@pytest.mark.parametrize(("family", "fault", "defect", "end", "flashed", "new"), CAMERAS.values(), ids=CAMERAS)
async def test_what_a_simulated_camera_comes_to(
    store: Store,
    settings: Settings,
    family: str,
    fault: str,
    defect: Defect | None,
    end: TargetState,
    flashed: int,
    new: bool,
) -> None:
    async with one_camera(store, family, fault=fault) as (camera, camera_id, doors):
        bundle = await bundle_for(store, settings, camera, defect)
        row = await rolled_out(store, settings, doors, bundle, camera_id)
        assert (row.state, len(camera.flashed), row.sent) == (end, flashed, 1), row.detail
        assert (camera.plan.firmware == bundle.manifest.version) is new
        if family == "axis" and end is S.SUCCEEDED:
            assert camera.plan.committed
            assert camera.rollback_due_s is None


async def test_an_app_is_sent_started_and_measured(store: Store, settings: Settings) -> None:
    asked: list[str] = []

    async def accuracy_ok(_camera: object, manifest: object) -> Judged:
        asked.append(str(manifest))
        return Judged(ok=True)

    async with one_camera(store, "axis") as (camera, camera_id, doors):
        bundle = await app(store, settings, "2.0.0", {"people": 3}, models=[camera.plan.model])
        row = await rolled_out(store, settings, doors, bundle, camera_id, accuracy_ok=accuracy_ok)
        assert (row.state, row.sent, len(asked)) == (S.SUCCEEDED, 1, 1), row.detail
        assert [(one.name, one.version, one.running) for one in camera.plan.apps if one.name == "counter"] == [
            ("counter", "2.0.0", True)
        ]


async def test_an_app_that_sees_too_little_is_replaced_by_the_earlier_one(store: Store, settings: Settings) -> None:
    async def accuracy_ok(_camera: object, _manifest: object) -> Judged:
        return Judged(ok=False, text="2 of 3 people")

    async with one_camera(store, "axis") as (camera, camera_id, doors):
        models = [camera.plan.model]
        first = await app(store, settings, "1.0.0", models=models)
        assert (await rolled_out(store, settings, doors, first, camera_id)).state is S.SUCCEEDED
        worse = await app(store, settings, "2.0.0", {"people": 3}, models=models)
        row = await rolled_out(store, settings, doors, worse, camera_id, accuracy_ok=accuracy_ok)
        assert row.state is S.ROLLED_BACK, row.detail
        assert "2 of 3 people" in row.detail
        assert [(one.version, one.running) for one in camera.plan.apps if one.name == "counter"] == [("1.0.0", True)]


async def test_an_app_with_a_promise_that_nobody_can_measure_is_not_proved(store: Store, settings: Settings) -> None:
    async with one_camera(store, "axis") as (camera, camera_id, doors):
        bundle = await app(store, settings, "2.0.0", {"people": 3}, models=[camera.plan.model])
        row = await rolled_out(store, settings, doors, bundle, camera_id)
        assert row.state is S.ROLLED_BACK, row.detail
        assert "nothing here can measure it" in row.detail
        assert not [one for one in camera.plan.apps if one.name == "counter"]


async def test_an_image_that_loses_our_account_is_undone_by_the_cameras_own_timer(
    store: Store, settings: Settings
) -> None:
    async with one_camera(store, "axis", minute_s=0.5) as (camera, camera_id, doors):
        assert camera.plan.login is not None
        if camera.plan.login.name == VENDORS["axis"].admin:
            pytest.skip("this seed logs in with the account that every image keeps")
        bundle = await bundle_for(store, settings, camera, "loses-accounts")
        rules = replace(RULES_HERE, rollback_after=timedelta(seconds=3))
        rollout = await started(store, bundle, [camera_id], rules)
        row = await carried_out(store, settings, doors, rollout)
        assert row.state is S.ROLLED_BACK, row.detail
        assert camera.flashed == [bundle.manifest.version]

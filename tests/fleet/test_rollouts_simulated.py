"""Rollouts over real connections to simulated cameras: VAPIX with its timer, plain ONVIF, apps, and every lie."""

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from cameras.budget import AttemptBudget
from cameras.secret import Credential, Secret
from fleet.accuracy.runner import Accuracy
from fleet.accuracy.sights import stored_sights
from fleet.pictures.access import reached
from fleet.pictures.runner import Pictures
from fleet.reach import Connect, Where, by_rules, connecting
from fleet.rollouts.bundles import BundleView
from fleet.rollouts.judges import Judges
from fleet.rollouts.rows import RolloutId, TargetRow
from fleet.rollouts.runner import Rollouts
from fleet.settings import Settings
from fleet.store import Store, open_store
from hardening.rollout import TargetState
from hardening.rollout_rules import Errors
from health.visit import Access
from health.visit import Pace as PicturePace
from scanners.credentials import CredentialRule
from simulator.camera import Camera
from simulator.plan import Defect
from simulator.scenes.timeline import WEEK_S, Episode
from simulator.vendors import VENDORS
from tests.fleet import rollout_samples as samples
from tests.fleet.rollout_samples import FAST, RULES, app, firmware, known, over, started
from tests.fleet.samples import camera as identity
from tests.frame.sqlite import new_database
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
    "dahua": ("2.860.0000000.1.R, Build Date 2024-01-09", "dahua"),
    "hanwha": ("1.42.01_20240304_R500", "hanwha"),
    "onvif": ("4.9.0", "dotted"),
}


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    await new_database(settings)
    async with await open_store(settings) as opened:
        yield opened


@asynccontextmanager
async def one_camera(
    store: Store, family: str, *, fault: str = "", minute_s: float = 60.0, pictures: bool = False
) -> AsyncIterator[tuple[Camera, str, Connect]]:
    """A simulated camera, its id in the store, and the way to it."""
    async with estate(
        mix={family: 1}, faults={fault: 1} if fault else {}, reboot_s=0.1, pictures=pictures, stream_fps=5.0
    ) as running:
        (camera,) = running.cameras
        camera.become(replace(camera.plan, minute_s=minute_s))
        plan = camera.plan
        said = replace(identity(1, VENDORS[plan.vendor].manufacturer, plan.model), firmware=plan.firmware)
        doors = connecting(way_to(store, camera), AttemptBudget(), timeout_s=10.0)
        yield camera, await known(store, plan.address, plan.port, said), doors


def way_to(store: Store, camera: Camera) -> Where:
    login = camera.plan.login
    assert login is not None
    return by_rules(store, [CredentialRule("*", Credential(login.name, Secret(login.password)))])


async def rolled_out(
    store: Store, settings: Settings, doors: Connect, bundle: BundleView, camera: str, judges: Judges | None = None
) -> TargetRow:
    rollout = await started(store, bundle, [camera], RULES_HERE)
    return await carried_out(store, settings, doors, rollout, judges)


async def carried_out(
    store: Store, settings: Settings, doors: Connect, rollout: RolloutId, judges: Judges | None = None
) -> TargetRow:
    async with Rollouts(store, settings, connect=doors, pace=SLOW, judges=judges) as rollouts:
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
    "Hikvision": ("hikvision", "", None, S.SUCCEEDED, 1, True),
    "Dahua": ("dahua", "", None, S.SUCCEEDED, 1, True),
    "Hanwha": ("hanwha", "", None, S.SUCCEEDED, 1, True),
    "Axis: an image without a picture is taken back": ("axis", "", "no-picture", S.ROLLED_BACK, 1, False),
    "ONVIF: an image without a picture stays": ("onvif", "", "no-picture", S.FAILED, 1, True),
    "an image that bricks": ("onvif", "", "brick", S.UNKNOWN, 1, True),
    "Axis: an image that bricks": ("axis", "", "brick", S.UNKNOWN, 1, True),
    "a camera that says yes and does nothing": ("onvif", "upgrade-liar", None, S.FAILED, 0, False),
    "Axis: one that says yes and does nothing": ("axis", "upgrade-liar", None, S.FAILED, 0, False),
    "a camera that comes back with the old version": ("hikvision", "upgrade-reverts", None, S.FAILED, 1, False),
    "Dahua: one that comes back with the old version": ("dahua", "upgrade-reverts", None, S.FAILED, 1, False),
    "Hanwha: one that says yes and does nothing": ("hanwha", "upgrade-liar", None, S.FAILED, 0, False),
    "Hikvision: one that hangs up after the image": ("hikvision", "upgrade-drops", None, S.SUCCEEDED, 1, True),
    "Dahua: one that hangs up after the image": ("dahua", "upgrade-drops", None, S.SUCCEEDED, 1, True),
    "Hanwha: one that hangs up after the image": ("hanwha", "upgrade-drops", None, S.SUCCEEDED, 1, True),
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


def running(camera: Camera) -> list[tuple[str, bool]]:
    return [(one.version, one.running) for one in camera.plan.apps if one.name == "counter"]


@pytest.mark.parametrize("family", ["axis", "hanwha", "onvif"])
async def test_an_app_is_sent_and_started(store: Store, settings: Settings, family: str) -> None:
    async with one_camera(store, family) as (camera, camera_id, doors):
        vendor = VENDORS[family].manufacturer
        bundle = await app(store, settings, "2.0.0", models=[camera.plan.model], vendor=vendor)
        row = await rolled_out(store, settings, doors, bundle, camera_id)
        assert (row.state, row.sent) == (S.SUCCEEDED, 1), row.detail
        assert running(camera) == [("2.0.0", True)]


async def test_an_app_with_a_promise_that_nobody_can_measure_is_not_sent(store: Store, settings: Settings) -> None:
    async with one_camera(store, "axis") as (camera, camera_id, doors):
        bundle = await app(store, settings, "2.0.0", {"least_recall": 0.5}, models=[camera.plan.model])
        row = await rolled_out(store, settings, doors, bundle, camera_id)
        assert (row.state, row.sent) == (S.SKIPPED, 0), row.detail
        assert "nothing here can measure it" in row.detail
        assert running(camera) == []


# what the earlier app saw, what the new one sees, what is promised: how it ends, why, which version runs then
LONG = {"seconds": 20.0}
PROMISES: dict[str, tuple[float | None, float, dict[str, float], TargetState, str, str | None]] = {
    "as good as before": (0.95, 0.95, LONG, S.SUCCEEDED, "proved", "2.0.0"),
    "it misses most of what was seen before": (0.95, 0.2, LONG, S.ROLLED_BACK, "accuracy: recall 0", "1.0.0"),
    "the first app, and a bad one": (None, 0.25, {"least_recall": 0.6}, S.ROLLED_BACK, "below 0.60", None),
    "too little happens to know": (
        0.95,
        0.95,
        {"seconds": 5, "least_n": 5000},
        S.SKIPPED,
        "of at least 5000 objects",
        "1.0.0",
    ),
}


def seeing(recall: float) -> dict[str, object]:
    """And now and then something that is not there: perfection over a few seconds would prove little."""
    return {"recall": recall, "false_per_min": 12}


@pytest.mark.parametrize(("earlier", "sees", "more", "end", "words", "version"), PROMISES.values(), ids=PROMISES)
async def test_a_promise_of_accuracy_is_measured_on_the_camera(
    store: Store,
    settings: Settings,
    earlier: float | None,
    sees: float,
    more: dict[str, float],
    end: TargetState,
    words: str,
    version: str | None,
) -> None:
    """Its metadata and its pictures, over RTSP and HTTP, beside the reference detector."""
    async with one_camera(store, "axis", pictures=True) as (camera, camera_id, doors):
        models = [camera.plan.model]
        if earlier is not None:
            first = await app(store, settings, "1.0.0", models=models, behaviour=seeing(earlier))
            assert (await rolled_out(store, settings, doors, first, camera_id)).state is S.SUCCEEDED
        promised = {"seconds": 8, "least_n": 15, **more}
        bundle = await app(store, settings, "2.0.0", promised, models=models, behaviour=seeing(sees))
        sights = stored_sights(way_to(store, camera), AttemptBudget())
        async with Accuracy(store, sights, picture_every_s=0.2) as accuracy:
            judges = Judges(measure=accuracy.measure)
            row = await rolled_out(store, settings, doors, bundle, camera_id, judges)
        assert row.state is end, row.detail
        assert words in row.detail
        assert running(camera) == ([(version, True)] if version else [])


# what befalls the picture, whether before the update or while the camera restarts, how many looks come to nothing
WORSE = "picture: defocus, which it was not before"
LENSES: dict[str, tuple[str, bool, int, TargetState, str]] = {
    "out of focus since the restart": ("defocused", False, 0, S.ROLLED_BACK, WORSE),
    "out of focus since the restart, and two looks before it were cut short": (
        "defocused",
        False,
        2,
        S.ROLLED_BACK,
        WORSE,
    ),
    "out of focus all along": ("defocused", True, 0, S.SUCCEEDED, "proved"),
    "covered, or so dark that nothing can be said": ("covered", False, 0, S.ROLLED_BACK, "picture: "),
    "it cannot be looked at before": ("defocused", False, 99, S.SUCCEEDED, "but for its picture"),
}


@pytest.mark.parametrize(("name", "before", "in_vain", "end", "words"), LENSES.values(), ids=LENSES)
async def test_a_picture_that_an_update_spoils_takes_it_back(
    store: Store, settings: Settings, name: str, before: bool, in_vain: int, end: TargetState, words: str
) -> None:
    fault = Episode("fault", name, 0.9, 0.0, WEEK_S)
    async with one_camera(store, "axis", pictures=True) as (camera, camera_id, doors):

        def spoil() -> None:
            assert camera.plan.picture is not None
            camera.become(replace(camera.plan, picture=replace(camera.plan.picture, episodes=(fault,))))

        async def access_to(_row: object) -> Access:
            return reached(*await way_to(store, camera)(camera_id), AttemptBudget())

        quiet = settings.model_copy(update={"picture_minutes": 0})
        async with Pictures(store, quiet, access_to, pace=PicturePace(pictures=3, seconds=0.2)) as pictures:
            await pictures.approve(camera_id, "anna")

            looks = itertools.count(1)

            async def faults_now(asked: str) -> Sequence[str] | None:
                if next(looks) <= in_vain:
                    return None
                if before or camera.flashed:
                    spoil()
                return await pictures.faults_now(asked)

            bundle = await bundle_for(store, settings, camera)
            row = await rolled_out(store, settings, doors, bundle, camera_id, Judges(faults_now))
    assert row.state is end, row.detail
    assert words in row.detail


async def test_an_image_that_loses_our_account_is_undone_by_the_cameras_own_timer(
    store: Store, settings: Settings
) -> None:
    async with one_camera(store, "axis", minute_s=2) as (camera, camera_id, doors):
        assert camera.plan.login is not None
        ours = camera.plan.login.name
        assert ours != VENDORS["axis"].admin, "every image keeps that one"
        bundle = await bundle_for(store, settings, camera, "loses-accounts")
        rules = replace(RULES_HERE, rollback_after=timedelta(seconds=3))
        rollout = await started(store, bundle, [camera_id], rules)
        row = await carried_out(store, settings, doors, rollout)
        assert row.state is S.ROLLED_BACK, row.detail
        assert f"account '{ours}' is refused" in row.detail
        assert camera.flashed == [bundle.manifest.version]
        assert camera.plan.firmware != bundle.manifest.version
        assert ours in {account.name for account in camera.plan.accounts}

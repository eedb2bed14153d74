"""Rollouts as they are carried out: what each kind of camera comes to, when a rollout stops, and what is never done."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta

import pytest

from bench.paper_cameras import NEW, OLD, Lie, PaperCamera
from fleet.errors import Invalid
from fleet.rollouts import orders as rollout_orders
from fleet.rollouts.rows import RolloutId
from fleet.rollouts.runner import Rollouts
from fleet.settings import Settings
from fleet.store import Store, open_store
from hardening.rollout import CampaignState, TargetState
from hardening.rollout_rules import Errors
from simulator.plan import Defect
from tests.fleet import rollout_samples as samples
from tests.fleet.rollout_samples import FAST, RULES, approved, ends, firmware, over, paper, run, started
from tests.frame.sqlite import new_database


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    """With the true time: a rollout waits for cameras."""
    await new_database(settings)
    async with await open_store(settings) as opened:
        yield opened


S = TargetState
TOLERANT = replace(RULES, errors=Errors(100, None), success_percent=1)
# What the camera is like, what the image is like: how it ends, what runs then, how often an image was written.
CAMERAS: dict[str, tuple[PaperCamera, Defect | None, TargetState, str, int]] = {
    "a good camera with two banks keeps the image for good": (PaperCamera(), None, S.SUCCEEDED, NEW, 1),
    "a good camera without a way back": (PaperCamera(commits=False), None, S.SUCCEEDED, NEW, 1),
    "one that hangs up after the image is asked what it runs": (PaperCamera(lie="hangs-up"), None, S.SUCCEEDED, NEW, 1),
    "one that says yes and does nothing": (PaperCamera(lie="says-yes-and-does-nothing"), None, S.FAILED, OLD, 0),
    "one that goes back by itself": (PaperCamera(lie="goes-back-by-itself"), None, S.FAILED, OLD, 1),
    "one that refuses the image": (PaperCamera(lie="refuses"), None, S.FAILED, OLD, 0),
    "one that never comes back is unknown": (PaperCamera(lie="bricks"), None, S.UNKNOWN, NEW, 1),
    "one that is offline is left alone after the deadline": (PaperCamera(lie="offline"), None, S.SKIPPED, OLD, 0),
    "one that runs the version already is left alone": (PaperCamera(version=NEW), None, S.SKIPPED, NEW, 0),
    "one that runs a newer version is left alone": (PaperCamera(version="12.12.1"), None, S.SKIPPED, "12.12.1", 0),
    "an image without a picture is taken back": (PaperCamera(), "no-picture", S.ROLLED_BACK, OLD, 1),
    "an image without a picture stays where there is no way back": (
        PaperCamera(commits=False),
        "no-picture",
        S.FAILED,
        NEW,
        1,
    ),
    "an image that loses our account is taken back by the camera's own timer": (
        PaperCamera(),
        "loses-accounts",
        S.ROLLED_BACK,
        OLD,
        1,
    ),
    "an image that loses our account where there is no timer": (
        PaperCamera(commits=False),
        "loses-accounts",
        S.FAILED,
        NEW,
        1,
    ),
}


@pytest.mark.parametrize(("camera", "defect", "end", "runs", "flashed"), CAMERAS.values(), ids=CAMERAS)
async def test_what_a_camera_comes_to(
    store: Store, settings: Settings, camera: PaperCamera, defect: Defect | None, end: S, runs: str, flashed: int
) -> None:
    camera = replace(camera, flashed=[], accounts=["root", "audit"], apps={})
    estate = await paper(store, camera)
    rollout = await started(store, await firmware(store, settings, defect=defect), list(estate.cameras), TOLERANT)
    await run(store, settings, estate, rollout)
    (row,) = await samples.rows(store, rollout)
    assert (row.state, camera.version, len(camera.flashed)) == (end, runs, flashed), row.detail
    assert camera.uploads == row.sent <= 1
    assert end is not S.SUCCEEDED or camera.committed
    assert row.detail


async def test_the_groups_grow_and_each_waits_for_the_one_before(store: Store, settings: Settings) -> None:
    estate = await paper(store, *(PaperCamera() for _ in range(12)))
    rollout = await started(store, await firmware(store, settings), list(estate.cameras))
    view = await run(store, settings, estate, rollout)
    assert view.state is CampaignState.DONE
    assert view.counts == {S.SUCCEEDED: 12}
    assert [row.group for row in await samples.rows(store, rollout)] == [1] * 2 + [2] * 8 + [3] * 2
    groups = {row.id: row.group for row in await samples.rows(store, rollout)}
    events = await samples.history(store, rollout)
    begun = [groups[event.target] for event in events if event.target and event.event == "begin"]
    assert begun == sorted(begun)
    first_of_second = next(i for i, e in enumerate(events) if e.event == "begin" and groups.get(e.target or "") == 2)
    proved = [i for i, e in enumerate(events) if e.event == "proved" and groups.get(e.target or "") == 1]
    assert max(proved) < first_of_second


BAD: dict[str, tuple[Defect, Callable[[list[TargetState]], bool]]] = {
    "an image that bricks": ("brick", lambda states: S.SUCCEEDED not in states),
    "an image without a picture": ("no-picture", lambda states: S.SUCCEEDED not in states),
}


@pytest.mark.parametrize(("defect", "fits"), BAD.values(), ids=BAD)
async def test_a_bad_image_stops_the_rollout_by_itself(
    store: Store, settings: Settings, defect: Defect, fits: Callable[[list[TargetState]], bool]
) -> None:
    estate = await paper(store, *(PaperCamera() for _ in range(30)))
    rollout = await started(store, await firmware(store, settings, defect=defect), list(estate.cameras))
    view = await run(store, settings, estate, rollout)
    assert view.state is CampaignState.STOPPED
    assert "failed" in view.reason
    assert sum(bool(camera.flashed) for camera in estate.cameras.values()) <= RULES.canary
    states = await ends(store, rollout)
    assert fits(states)
    assert states.count(S.SKIPPED) >= 28


async def test_too_few_proved_cameras_stop_the_rollout_although_no_error_threshold_is_reached(
    store: Store, settings: Settings
) -> None:
    rules = replace(RULES, canary=4, errors=Errors(100, None), success_percent=80)
    lies: list[Lie] = ["says-yes-and-does-nothing", "", "", "", "", ""]
    estate = await paper(store, *(PaperCamera(lie=lie) for lie in lies))
    rollout = await started(store, await firmware(store, settings), list(estate.cameras), rules)
    view = await run(store, settings, estate, rollout)
    assert (view.state, view.counts[S.SKIPPED]) == (CampaignState.STOPPED, 2)
    assert "only 3 of 4" in view.reason


async def test_nothing_is_sent_without_an_approval(store: Store, settings: Settings) -> None:
    estate = await paper(store, PaperCamera())
    rollout = await rollout_orders.create(
        store, (await firmware(store, settings)).id, list(estate.cameras), "anna", rules=RULES
    )
    async with Rollouts(store, settings, connect=estate.connect, pace=FAST) as rollouts:
        with pytest.raises(Invalid, match="awaiting-approval"):
            await rollouts.start(rollout, "anna")
        await rollouts.approve(rollout, "berta")
        assert estate.connections == 0
        await rollouts.start(rollout, "anna")
        view = await over(rollouts, rollout)
    assert (view.state, view.created_by, view.approved_by) == (CampaignState.DONE, "anna", "berta")
    assert view.approved_at is not None


async def test_undo_takes_back_what_can_be_taken_back_and_says_what_stays(store: Store, settings: Settings) -> None:
    estate = await paper(store, PaperCamera(), PaperCamera(commits=False), PaperCamera())
    rollout = await started(store, await firmware(store, settings), list(estate.cameras))
    async with Rollouts(store, settings, connect=estate.connect, pace=FAST) as rollouts:
        assert (await over(rollouts, rollout)).state is CampaignState.DONE
        await rollouts.undo(rollout, "anna")
        view = await over(rollouts, rollout)
    assert view.state is CampaignState.UNDONE
    assert await ends(store, rollout) == [S.ROLLED_BACK, S.KEPT, S.ROLLED_BACK]
    assert [camera.version for camera in estate.cameras.values()] == [OLD, NEW, OLD]
    assert [camera.rollbacks for camera in estate.cameras.values()] == [1, 0, 1]


async def test_an_aborted_rollout_leaves_the_rest_alone_and_brings_to_its_end_what_was_sent(
    store: Store, settings: Settings
) -> None:
    estate = await paper(store, *(PaperCamera(restart_s=0.05) for _ in range(6)))
    rollout = await started(store, await firmware(store, settings), list(estate.cameras))
    async with Rollouts(store, settings, connect=estate.connect, pace=FAST) as rollouts:
        async with aclosing(rollouts.events(rollout)) as events:
            async for view in events:
                assert view.finished_at is None
                if any(camera.flashed for camera in estate.cameras.values()):
                    break
        await rollouts.abort(rollout, "anna", "enough")
        view = await over(rollouts, rollout)
    assert (view.state, view.reason) == (CampaignState.ABORTED, "enough")
    flashed = [bool(camera.flashed) for camera in estate.cameras.values()]
    assert [state is S.SUCCEEDED for state in await ends(store, rollout)] == flashed
    assert set(await ends(store, rollout)) <= {S.SUCCEEDED, S.SKIPPED}


async def test_a_paused_rollout_begins_nobody_and_goes_on_where_it_was(store: Store, settings: Settings) -> None:
    estate = await paper(store, *(PaperCamera() for _ in range(3)))
    rollout = await started(store, await firmware(store, settings), list(estate.cameras))
    await rollout_orders.pause(store, rollout, "anna")
    async with Rollouts(store, settings, connect=estate.connect, pace=FAST) as rollouts:
        assert estate.connections == 0
        await rollouts.resume(rollout, "anna")
        view = await over(rollouts, rollout)
    assert view.counts == {S.SUCCEEDED: 3}


async def test_only_a_person_has_an_image_sent_again(store: Store, settings: Settings) -> None:
    rules = replace(TOLERANT, canary=2, soak=timedelta(hours=1))
    estate = await paper(store, PaperCamera(lie="refuses"), PaperCamera(), PaperCamera())
    first, *_ = list(estate.cameras)
    rollout = await started(store, await firmware(store, settings), list(estate.cameras), rules)
    async with Rollouts(store, settings, connect=estate.connect, pace=FAST) as rollouts:
        await reached(rollouts, rollout, {S.FAILED: 1, S.SUCCEEDED: 1, S.WAITING: 1})
        with pytest.raises(Invalid, match="cannot take retry"):
            await rollouts.retry(rollout, list(estate.cameras)[1], "anna")
        estate.cameras[first].lie = ""
        await rollouts.retry(rollout, first, "anna")
        await reached(rollouts, rollout, {S.SUCCEEDED: 2, S.WAITING: 1})
        await rollouts.abort(rollout, "anna")
        await over(rollouts, rollout)
    assert (estate.cameras[first].uploads, len(estate.cameras[first].flashed)) == (2, 1)


async def reached(rollouts: Rollouts, rollout: RolloutId, counts: Mapping[TargetState, int]) -> None:
    async with aclosing(rollouts.events(rollout)) as events:
        async for view in events:
            if view.counts == counts:
                return
    raise AssertionError(f"it ended before: {await rollouts.get(rollout)}")


async def test_a_camera_of_a_running_rollout_belongs_to_it_alone(store: Store, settings: Settings) -> None:
    estate = await paper(store, PaperCamera())
    bundle = await firmware(store, settings)
    await approved(store, bundle, list(estate.cameras))
    with pytest.raises(Invalid, match="another rollout"):
        await approved(store, bundle, list(estate.cameras))

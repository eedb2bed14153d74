"""A list of addresses that come in: tried before it counts, and never one that shuts us out."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from cameras.facts import IpFilter
from hardening.apply import apply_camera, undo_camera
from hardening.baseline import Baseline, BaselineError, parse_baseline
from hardening.lifecycle import CameraState, StepState
from hardening.observing import plan_for
from hardening.plan import CameraPlan
from tests.hardening.pretend import HTTP, PretendCamera, World
from tests.hardening.test_apply import EVERYTHING, Killed, Notes, hardened, means, only

DONE, REFUSED, UNDONE, FAILED, STALE = (
    StepState.DONE,
    StepState.REFUSED,
    StepState.UNDONE,
    StepState.FAILED,
    StepState.STALE,
)
NAME = "ip-allow-list"
GOOD = ("10.0.0.5", "10.0.9.1")
LIST = only(ip_allow_list={"addresses": list(GOOD)})
WITHOUT_US = only(ip_allow_list={"addresses": ["10.0.0.5"]})
BY_JUMP_HOST = only(ip_allow_list={"addresses": list(GOOD), "seen_from": ["10.0.9.1"]})


def world(mode: str, *addresses: str) -> World:
    return World(filter=IpFilter(mode, addresses))  # type: ignore[arg-type] # one of its words


async def test_a_list_is_tried_seen_and_kept() -> None:
    camera = PretendCamera()
    progress, notes = await hardened(camera, LIST)
    assert progress.steps == {NAME: DONE}, notes.reasons
    assert (camera.sent, camera.world.filter, camera.world.filter_before) == (
        ["filter", "keep"],
        IpFilter("allow", GOOD),
        None,
    )


def _sees_us_elsewhere(camera: PretendCamera) -> None:
    camera.sees_us_come_from = "192.0.2.77"


def _goes_by_a_jump_host(camera: PretendCamera) -> None:
    camera.seen_from = None


def _has_rules_beside(camera: PretendCamera) -> None:
    camera.besides = ("ACCEPT tcpPort 443",)


def _is_on_trial(camera: PretendCamera) -> None:
    camera.world.filter_before = camera.world.filter


def _tries_nothing(camera: PretendCamera) -> None:
    camera.unsupported.add("trial")


def _is_itself(_camera: PretendCamera) -> None:
    """As it is made."""


PLANNED: Mapping[str, tuple[Callable[[PretendCamera], None], Baseline, str]] = {
    "a list without us": (_is_itself, WITHOUT_US, "it would shut us out: we come from 10.0.9.1"),
    "a way that hides us": (_goes_by_a_jump_host, LIST, "write the jump host's as `seen_from`"),
    "rules beside it": (_has_rules_beside, LIST, "ACCEPT tcpPort 443"),
    "somebody's trial": (_is_on_trial, LIST, "on trial there already"),
    "a camera that tries nothing": (_tries_nothing, LIST, "it has no trial"),
}


@pytest.mark.parametrize(("makes", "baseline", "says"), PLANNED.values(), ids=PLANNED)
async def test_what_may_not_be_sent_is_refused_in_the_plan(
    makes: Callable[[PretendCamera], None], baseline: Baseline, says: str
) -> None:
    camera = PretendCamera()
    makes(camera)
    plan = await plan_for(HTTP, camera.open, baseline)
    (step,) = plan.steps
    assert (step.state, says in step.reason) == (REFUSED, True), step.reason
    progress, _ = await hardened(camera, baseline)
    assert (progress.state, camera.sent) == (CameraState.FAILED, [])


async def test_whoever_carries_it_out_from_elsewhere_sends_nothing() -> None:
    camera = PretendCamera()
    plan = await plan_for(HTTP, camera.open, LIST)
    camera.seen_from = "10.0.9.2"
    notes = Notes(plan)
    progress = await apply_camera(plan, notes.progress, means(camera), notes)
    assert (progress.steps, camera.sent) == ({NAME: REFUSED}, [])
    assert "it would shut us out: we come from 10.0.9.2" in notes.reasons[NAME]


async def test_a_way_that_hides_us_is_taken_where_a_person_says_whom_the_camera_sees() -> None:
    camera = PretendCamera()
    camera.seen_from = None
    progress, _ = await hardened(camera, BY_JUMP_HOST)
    assert progress.steps == {NAME: DONE}


async def test_a_list_that_turns_out_to_shut_us_out_is_taken_back_by_the_camera() -> None:
    camera = PretendCamera()
    camera.sees_us_come_from = "192.0.2.77"
    progress, notes = await hardened(camera, LIST)
    assert (progress.steps, progress.state) == ({NAME: UNDONE}, CameraState.FAILED)
    assert "nothing answered from here" in notes.reasons[NAME]
    assert "would have shut us out" in notes.reasons[NAME]
    assert (camera.sent, camera.world) == (["filter"], World())


async def test_rules_that_shut_us_out_at_once_are_sent_once() -> None:
    camera = PretendCamera("hangs-up:filter")
    camera.sees_us_come_from = "192.0.2.77"
    progress, _ = await hardened(camera, LIST)
    assert (progress.steps, camera.sent) == ({NAME: UNDONE}, ["filter"])


SCENES: Mapping[str, tuple[str, StepState, str]] = {
    "it takes nothing": ("ignored:filter", UNDONE, "did not do it"),
    "it refuses": ("refuses:filter", REFUSED, "not allowed here"),
    "it hangs up after taking it": ("hangs-up:filter", DONE, "lets in only"),
    "it hangs up after keeping it": ("hangs-up:keep", DONE, "lets in only"),
    "it refuses to keep it": ("refuses:keep", UNDONE, "on trial"),
    "it says that it keeps it, and does not": ("ignored:keep", UNDONE, "on trial"),
}


@pytest.mark.parametrize(("fault", "state", "says"), SCENES.values(), ids=SCENES)
async def test_a_trial_is_judged_by_what_the_camera_shows(fault: str, state: StepState, says: str) -> None:
    camera = PretendCamera(fault)
    progress, notes = await hardened(camera, LIST)
    assert (progress.steps, says in notes.reasons[NAME]) == ({NAME: state}, True), notes.reasons
    assert camera.world.filter == (IpFilter("allow", GOOD) if state is DONE else IpFilter("off", ()))


@pytest.mark.parametrize("before", [world("off"), world("allow", "10.0.9.1"), world("deny", "10.0.0.66")])
async def test_it_is_undone(before: World) -> None:
    camera = PretendCamera(world=before.copy())
    plan = await plan_for(HTTP, camera.open, LIST)
    notes = Notes(plan)
    await apply_camera(plan, notes.progress, means(camera), notes)
    assert notes.progress.steps == {NAME: DONE}
    progress = await undo_camera(plan, notes.progress, means(camera), notes)
    assert (progress.state, camera.world) == (CameraState.UNDONE, before)


# --- crashes ---


async def begun(camera: PretendCamera, *, killed_at: str) -> tuple[CameraPlan, Notes]:
    """The process ends just after the camera did that."""
    plan = await plan_for(HTTP, camera.open, LIST)
    notes = Notes(plan)

    def kill(name: str) -> None:
        if name == killed_at:
            raise Killed

    camera.on_sent = kill
    with pytest.raises(Killed):
        await apply_camera(plan, notes.progress, means(camera), notes)
    camera.on_sent = lambda _name: None
    return plan, notes


@pytest.mark.parametrize(("killed_at", "sent"), [("filter", ["filter", "keep"]), ("keep", ["filter", "keep"])])
async def test_another_process_goes_on_while_the_trial_runs(killed_at: str, sent: list[str]) -> None:
    camera = PretendCamera()
    plan, notes = await begun(camera, killed_at=killed_at)
    progress = await apply_camera(plan, notes.progress, means(camera), notes)
    assert (progress.steps, camera.sent, camera.world.filter_before) == ({NAME: DONE}, sent, None)


async def test_another_process_finds_a_trial_over_says_so_and_tries_again() -> None:
    camera = PretendCamera()
    plan, notes = await begun(camera, killed_at="filter")
    camera.trial_ends()
    progress = await apply_camera(plan, notes.progress, means(camera), notes)
    assert (progress.steps, camera.sent) == ({NAME: DONE}, ["filter", "filter", "keep"])
    assert "not in force (what was on trial may be over, unconfirmed), so it was sent again" in notes.reasons[NAME]


async def test_another_process_that_finds_itself_shut_out_waits_and_does_not_try_again() -> None:
    camera = PretendCamera()
    plan, notes = await begun(camera, killed_at="filter")
    camera.sees_us_come_from = "192.0.2.77"
    progress = await apply_camera(plan, notes.progress, means(camera), notes)
    assert (progress.steps, camera.sent, camera.world) == ({NAME: UNDONE}, ["filter"], World())
    assert "would have shut us out" in notes.reasons[NAME]


@pytest.mark.parametrize("killed_at", ["filter", "keep"])
async def test_what_was_killed_can_be_undone(killed_at: str) -> None:
    camera = PretendCamera()
    plan, notes = await begun(camera, killed_at=killed_at)
    progress = await undo_camera(plan, replace(notes.progress, state=CameraState.FAILED), means(camera), notes)
    assert (progress.steps, camera.world) == ({NAME: UNDONE}, World())


# --- what may be written ---

WRONG: Mapping[str, tuple[str, str]] = {
    "a network with host bits": ("addresses: [10.0.0.5/24]", "10.0.0.0/24"),
    "everybody": ("addresses: [0.0.0.0/0]", "everybody"),
    "nobody": ("addresses: []", "at least 1"),
    "a host name": ("addresses: [nvr.example]", "write addresses"),
    "a list that does not hold us": ("{addresses: [10.0.0.5], seen_from: [10.0.9.1]}", "must hold 10.0.9.1"),
}


@pytest.mark.parametrize(("written", "says"), WRONG.values(), ids=WRONG)
def test_a_list_that_makes_no_sense_is_an_error(written: str, says: str) -> None:
    flow = written if written.startswith("{") else f"{{{written}}}"
    text = f"format: camwarden/baseline/1\nname: ours\nsettings:\n  {NAME}: {flow}\n"
    with pytest.raises(BaselineError, match="ip-allow-list") as error:
        parse_baseline(text)
    assert says in str(error.value)


def test_it_comes_after_everything() -> None:
    both = Baseline("both", {**EVERYTHING.settings, **LIST.settings})
    assert [setting.name for setting, _ in both.wanted()][-1] == NAME

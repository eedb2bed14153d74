"""Whole plans against simulated cameras over real sockets, with the drivers that the product uses."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from cameras.budget import AttemptBudget
from cameras.driver import Driver
from cameras.opening import open_camera
from cameras.place import Place
from cameras.secret import Credential, Secret
from hardening.apply import Means, Progress, apply_camera, undo_camera
from hardening.baseline import Baseline, load_baseline
from hardening.lifecycle import CameraState, StepState
from hardening.model import Order
from hardening.observing import OpenCamera, plan_for
from hardening.plan import CameraPlan
from hardening.visit import Patience
from simulator.camera import Camera
from simulator.vapix import takes_unsigned
from tests.hardening.pretend import a_password
from tests.hardening.test_apply import EVERYTHING, Killed, Notes, only
from tests.simulator.asking import estate

DONE, REFUSED, UNDONE, FAILED, SKIPPED, UNKNOWN = (
    StepState.DONE,
    StepState.REFUSED,
    StepState.UNDONE,
    StepState.FAILED,
    StepState.SKIPPED,
    StepState.UNKNOWN,
)
SHORTLY = Patience(tries=100, door_tries=100, pause_s=0.02)


@asynccontextmanager
async def simulated(family: str, **faults: int) -> AsyncIterator[tuple[Camera, Place, OpenCamera]]:
    """One camera, where it is, and how to open it with the operator's login."""
    named = {name.replace("_", "-"): count for name, count in faults.items()}
    async with estate(mix={family: 1}, faults=named, reboot_s=0.05) as running:
        camera = running.cameras[0]
        plan, budget = camera.plan, AttemptBudget()
        assert plan.login is not None
        credential = Credential(plan.login.name, Secret(plan.login.password))

        def opened(place: Place) -> AbstractAsyncContextManager[Driver]:
            return open_camera(place, credential, budget)

        yield camera, Place(plan.address, plan.port, plan.scheme, shared=True), opened


def means(opened: OpenCamera) -> Means:
    return Means(opened, password_for=a_password, patience=SHORTLY)


async def hardened(place: Place, opened: OpenCamera, baseline: Baseline) -> tuple[Progress, Notes, CameraPlan]:
    plan = await plan_for(place, opened, baseline)
    notes = Notes(plan)
    return await apply_camera(plan, notes.progress, means(opened), notes), notes, plan


ONVIF_ALONE = {"syslog", "anonymous-viewer", "upnp-bonjour", "snmp-v1-v2c", "telnet-ftp", "unsigned-apps"}
LEFT_OPEN = {"discovery_left_on": 1, "http_cleartext_management": 1}
UNKNOWN_BY_FAMILY: Mapping[str, set[str]] = {
    "axis": set(),
    "hikvision": {"anonymous-viewer", "unsigned-apps"},
    "dahua": {"syslog", "anonymous-viewer", "unsigned-apps"},
    "onvif": ONVIF_ALONE,
}


@pytest.mark.parametrize("family", UNKNOWN_BY_FAMILY)
async def test_a_camera_of_each_family_is_put_right_and_a_second_plan_is_empty(family: str) -> None:
    async with simulated(family, **LEFT_OPEN, ntp_not_configured=1) as (camera, place, opened):
        progress, notes, _ = await hardened(place, opened, EVERYTHING)
        assert progress.state is CameraState.DONE, notes.reasons
        assert {name for name, state in progress.steps.items() if state is UNKNOWN} == UNKNOWN_BY_FAMILY[family]
        assert (camera.plan.discoverable, camera.plan.ntp_servers) == (False, ("10.0.0.123",))
        assert progress.place.scheme == "https"
        again = await plan_for(progress.place, opened, EVERYTHING)
        assert not again.drifts, [step for step in again.steps if step.diff()]


@pytest.mark.parametrize("family", UNKNOWN_BY_FAMILY)
async def test_an_undone_plan_leaves_the_camera_as_it_was(family: str) -> None:
    async with simulated(family, **LEFT_OPEN) as (_, place, opened):
        before = await plan_for(place, opened, EVERYTHING)
        _, notes, plan = await hardened(place, opened, EVERYTHING)
        progress = await undo_camera(plan, notes.progress, means(opened), notes)
        assert progress.state is CameraState.UNDONE, notes.reasons
        after = await plan_for(progress.place, opened, EVERYTHING)
        for then, now in zip(before.steps, after.steps, strict=True):
            if then.order is not Order.UNKNOWN:
                assert now.setting.judge(now.observed, then.observed).order is Order.IN_ORDER, then.name


@pytest.mark.parametrize("family", UNKNOWN_BY_FAMILY)
async def test_a_camera_that_says_yes_and_does_nothing_is_caught(family: str) -> None:
    baseline = only(discovery_mode=False, https=True)
    async with simulated(family, discovery_left_on=1, setting_ignored=1) as (camera, place, opened):
        progress, notes, _ = await hardened(place, opened, baseline)
        assert progress.steps["discovery-mode"] is UNDONE
        assert progress.state is CameraState.FAILED
        assert "did not do it" in notes.reasons["discovery-mode"]
        assert camera.plan.discoverable


async def test_unsigned_applications_are_kept_out_and_let_in_again() -> None:
    baseline = only(unsigned_apps=False)
    async with simulated("axis", unsigned_apps=1) as (camera, place, opened):
        progress, notes, plan = await hardened(place, opened, baseline)
        assert progress.steps == {"unsigned-apps": DONE}
        assert takes_unsigned(camera.plan) is False
        progress = await undo_camera(plan, notes.progress, means(opened), notes)
        assert progress.state is CameraState.UNDONE
        assert takes_unsigned(camera.plan) is True


async def test_a_firmware_that_knows_no_signatures_is_left_alone() -> None:
    async with simulated("axis", firmware_outdated=1) as (_, place, opened):
        plan = await plan_for(place, opened, only(unsigned_apps=False))
        assert [(step.order, step.state) for step in plan.steps] == [(Order.UNKNOWN, UNKNOWN)]
        assert "unsupported" in plan.steps[0].reason


async def test_a_camera_that_forgets_at_its_restart_drifts_again() -> None:
    baseline = only(discovery_mode=False)
    async with simulated("hikvision", discovery_left_on=1, setting_reverts=1) as (camera, place, opened):
        progress, _, _ = await hardened(place, opened, baseline)
        assert progress.state is CameraState.DONE
        camera.restart()
        while not camera.awake:  # noqa: ASYNC110 - the simulated camera has no event for it
            await asyncio.sleep(0.005)
        assert (await plan_for(place, opened, baseline)).drifts


async def test_a_camera_that_restarts_between_two_steps_is_waited_for() -> None:
    baseline = only(ntp={"servers": ["10.0.0.123"]}, discovery_mode=False)
    async with simulated("hikvision", discovery_left_on=1) as (camera, place, opened):
        plan = await plan_for(place, opened, baseline)
        notes = Notes(plan)

        class Restarting(Notes):
            def _write(self, line: str, progress: Progress) -> None:
                super()._write(line, progress)
                if line == "ntp proved":
                    camera.restart()

        notes = Restarting(plan)
        progress = await apply_camera(plan, notes.progress, means(opened), notes)
        assert (progress.state, camera.boots) == (CameraState.DONE, 2)
        assert not camera.plan.discoverable


async def test_a_wrong_password_is_tried_once() -> None:
    async with simulated("hikvision", wrong_login=1) as (camera, place, opened):
        plan = await plan_for(place, opened, EVERYTHING)
        assert {step.state for step in plan.steps} == {UNKNOWN}
        assert all("unauthorized" in step.reason for step in plan.steps)
        assert camera.guard.wrong_tries == {"camwarden": 1}


async def test_killed_between_any_two_entries_a_real_camera_ends_the_same() -> None:
    baseline = load_baseline("strict")
    async with simulated("axis", **LEFT_OPEN) as (_, place, opened):
        goal, notes, _ = await hardened(place, opened, baseline)
    assert {goal.steps["http"], goal.steps["discovery-mode"]} == {DONE}
    for entry in range(len(notes.lines)):
        async with simulated("axis", **LEFT_OPEN) as (_, place, opened):
            plan = await plan_for(place, opened, baseline)
            journal = Notes(plan)
            journal.kill_at = entry
            with pytest.raises(Killed):
                await apply_camera(plan, journal.progress, means(opened), journal)
            journal.kill_at = None
            progress = await apply_camera(plan, journal.progress, means(opened), journal)
            assert (progress.state, progress.steps) == (goal.state, goal.steps), f"killed at {notes.lines[entry]}"


async def test_a_camera_that_forgets_in_the_middle_is_caught_at_the_end() -> None:
    baseline = only(ntp={"servers": ["10.0.0.123"]}, discovery_mode=False)
    async with simulated("hikvision", discovery_left_on=1, setting_reverts=1) as (camera, place, opened):
        plan = await plan_for(place, opened, baseline)

        class Restarting(Notes):
            def _write(self, line: str, progress: Progress) -> None:
                super()._write(line, progress)
                if line == "ntp proved":
                    camera.restart()

        notes = Restarting(plan)
        progress = await apply_camera(plan, notes.progress, means(opened), notes)
        assert progress.steps == {"ntp": FAILED, "discovery-mode": DONE}
        assert progress.state is CameraState.FAILED
        assert "it was proved, and is no longer so" in notes.reasons["ntp"]

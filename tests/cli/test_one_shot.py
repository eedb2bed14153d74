"""Ctrl-C while cameras are changed: the step under way is proved first, and everything is told."""

import asyncio
import signal
from dataclasses import dataclass
from typing import cast

from cameras.secret import Secret
from fleet.cli.one_shot import Look, Options, Run
from hardening.lifecycle import CameraState, StepState
from hardening.observing import OpenCamera, plan_for
from tests.hardening.pretend import HTTP, PretendCamera, a_password
from tests.hardening.test_apply import only

QUIET = only(discovery_mode=False, telnet_ftp=False)


@dataclass
class Pretended:
    """Options that open a pretend camera."""

    camera: PretendCamera
    at_once: int = 1

    def opening(self) -> OpenCamera:
        return self.camera.open

    async def password_for(self, account: str) -> Secret:
        return await a_password(account)


def a_run(camera: PretendCamera) -> Run:
    look = Look(QUIET, cast("Options", Pretended(camera)))
    look.plans.append(asyncio.run(plan_for(HTTP, camera.open, QUIET)))
    return Run(look)


def test_the_first_ctrl_c_ends_between_two_steps() -> None:
    camera = PretendCamera()
    camera.on_sent = lambda _name: signal.raise_signal(signal.SIGINT)
    run = a_run(camera)
    assert run.apply()
    (ended,) = run.ended
    assert ended.progress.steps == {"discovery-mode": StepState.DONE, "telnet-ftp": StepState.SKIPPED}
    assert ended.progress.state is CameraState.STOPPED
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_second_one_ends_at_once_and_the_step_is_told_as_it_is() -> None:
    camera = PretendCamera()

    def twice(_name: str) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        camera.silent_for = 1  # it takes a while to be proved

    camera.on_sent = twice
    run = a_run(camera)
    assert run.apply()
    (ended,) = run.ended
    assert ended.progress.steps["discovery-mode"] is StepState.APPLYING
    assert ended.reasons["discovery-mode"] == "it may or may not have been sent"
    assert ended.is_short


def test_undisturbed_it_ends_by_itself() -> None:
    camera = PretendCamera()
    run = a_run(camera)
    assert not run.apply()
    assert [one.progress.state for one in run.ended] == [CameraState.DONE]

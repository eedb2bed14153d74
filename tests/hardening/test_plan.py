"""A plan shows what will be sent, keeps its evidence, and cannot be changed unnoticed."""

import json
from typing import Any

import pytest

from cameras.facts import Gap
from hardening.baseline import Baseline, load_baseline
from hardening.lifecycle import StepState
from hardening.model import Order, Risk
from hardening.observing import plan_for
from hardening.plan import CameraPlan, PlanError, document, read_document, unseen
from hardening.settings import SETTINGS
from tests.hardening.pretend import HTTP, PretendCamera
from tests.hardening.test_apply import EVERYTHING, WITH_A_LIST

CREATED = "2026-03-01T12:00:00Z"


async def the_plan(*, baseline: Baseline = EVERYTHING, unsupported: tuple[str, ...] = ()) -> CameraPlan:
    return await plan_for(HTTP, PretendCamera(unsupported=unsupported).open, baseline)


async def test_the_steps_stand_in_the_safe_order_and_show_what_goes_and_what_comes() -> None:
    plan = await the_plan(baseline=WITH_A_LIST)
    assert [step.name for step in plan.steps] == [setting.name for setting in SETTINGS]
    assert {step.name: step.diff() for step in plan.steps} == {
        "ntp": ("- time server: none", "+ time server: 10.0.0.123"),
        "syslog": ("- syslog: off", "+ syslog: 10.0.0.2 port 6514 by tls"),
        "service-account": ("- account audit: none", "+ account audit: User"),
        "anonymous-viewer": ("- viewing without a login: allowed", "+ viewing without a login: not allowed"),
        "discovery-mode": ("- discovery: on", "+ discovery: off"),
        "upnp-bonjour": ("- upnp: on", "- bonjour: on", "+ upnp: off", "+ bonjour: off"),
        "snmp-v1-v2c": ("- snmp-v1-v2c: on", "+ snmp-v1-v2c: off"),
        "telnet-ftp": ("- telnet: on", "+ telnet: off"),
        "unsigned-apps": ("- unsigned applications: allowed", "+ unsigned applications: not allowed"),
        "https": ("- https: off", "+ https: on"),
        "http": ("- http: on", "+ http: off"),
        "ip-allow-list": ("- by address: everybody is let in", "+ let in: 10.0.9.1"),
    }
    risky = [step.name for step in plan.steps if step.risk is Risk.MAY_CUT_CONNECTION]
    assert risky == ["https", "http", "ip-allow-list"]


async def test_planning_asks_each_question_once_and_sends_nothing() -> None:
    camera = PretendCamera()
    await plan_for(HTTP, camera.open, EVERYTHING)
    assert (camera.asked, camera.opened, camera.sent) == (9, ["http"], [])


async def test_a_question_without_an_answer_stays_in_the_plan_as_unknown() -> None:
    plan = await the_plan(unsupported=("switches",))
    unknown = {step.name for step in plan.steps if step.order is Order.UNKNOWN}
    assert unknown == {"upnp-bonjour", "snmp-v1-v2c", "telnet-ftp"}
    assert (plan.unknown, plan.drifts) == (True, True)


async def test_a_camera_that_is_not_there_has_only_unknown_steps() -> None:
    camera = PretendCamera()
    camera.silent = True
    plan = await plan_for(HTTP, camera.open, load_baseline("strict"))
    assert {step.state for step in plan.steps} == {StepState.UNKNOWN}
    assert all("unreachable" in step.reason for step in plan.steps)
    assert len(plan.steps) == len(load_baseline("strict").settings)
    assert len(camera.opened) == 1


async def test_a_frozen_plan_is_the_same_again() -> None:
    plans = (
        await the_plan(),
        await the_plan(unsupported=("switches",)),
        await the_plan(baseline=WITH_A_LIST),
        unseen(HTTP, EVERYTHING, Gap("refused", "no")),
    )
    values = json.loads(json.dumps(document(CREATED, EVERYTHING, plans)))
    assert values["format"] == "camwarden/plan/1"
    assert read_document(values) == (EVERYTHING, plans)


def _wants_more(values: dict[str, Any]) -> None:
    values["cameras"][0]["steps"][4]["wanted"] = {"discoverable": True}


def _another_camera(values: dict[str, Any]) -> None:
    values["cameras"][0]["address"] = "10.0.0.9"


def _no_digest(values: dict[str, Any]) -> None:
    del values["digest"]


def _another_format(values: dict[str, Any]) -> None:
    values["format"] = "camwarden/plan/2"


@pytest.mark.parametrize("change", [_wants_more, _another_camera, _no_digest, _another_format])
async def test_a_plan_that_was_changed_is_none(change: Any) -> None:  # noqa: ANN401 - one of the four above
    values = json.loads(json.dumps(document(CREATED, EVERYTHING, [await the_plan()])))
    change(values)
    with pytest.raises(PlanError):
        read_document(values)

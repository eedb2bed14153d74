"""What the collection makes of the service's answers: pure."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.ansible.parts import part

cameras = part("plugin_utils/cameras")
plans = part("module_utils/plans")


def row(number: int, **more: object) -> dict[str, Any]:
    given = {"id": f"id-{number}", "address": f"10.0.0.{number}", "port": 80, "name": None, "serial": f"S{number}"}
    return {**given, "mac": f"aa:bb:cc:00:00:0{number}", **more}


ROWS = [row(1), row(2, name="Gate"), row(3), row(3, id="id-4", port=81, serial="S4", mac=None)]
FOUND: Mapping[str, tuple[str, dict[str, Any], str]] = {
    "by its id, which the inventory gives": ("x", {"camwarden_id": "id-3"}, "id-3"),
    "by its address": ("10.0.0.1", {}, "id-1"),
    "by its address and port": ("10.0.0.3:81", {}, "id-4"),
    "by its name in any case": ("gate", {}, "id-2"),
    "by its serial number": ("S4", {}, "id-4"),
    "by its MAC address in any case": ("AA:BB:CC:00:00:01", {}, "id-1"),
    "by ansible_host rather than by its name": ("10.0.0.1", {"ansible_host": "10.0.0.2"}, "id-2"),
    "by its name where ansible_host says nothing": ("Gate", {"ansible_host": "gate.example"}, "id-2"),
}


@pytest.mark.parametrize(("host", "words", "camera"), FOUND.values(), ids=FOUND)
def test_a_host_is_found(host: str, words: dict[str, Any], camera: str) -> None:
    assert cameras.Directory(ROWS).find(host, words) == (camera, "")


LOST: Mapping[str, tuple[str, dict[str, Any], str]] = {
    "whose camera is gone": ("a", {"camwarden_id": "id-9"}, "it may be gone; read the inventory anew"),
    "that nobody knows": ("10.0.0.9", {}, "not known to the service: scan it first"),
    "that several cameras are called": ("10.0.0.3", {}, "several cameras of the service are called 10.0.0.3"),
}


@pytest.mark.parametrize(("host", "words", "why"), LOST.values(), ids=LOST)
def test_a_host_is_not_guessed(host: str, words: dict[str, Any], why: str) -> None:
    camera, said = cameras.Directory(ROWS).find(host, words)
    assert camera == ""
    assert why in said


def step(setting: str, order: str, state: str, *diff: str, reason: str = "") -> dict[str, Any]:
    return {"setting": setting, "order": order, "state": state, "diff": list(diff), "reason": reason}


def camera(*steps: dict[str, Any], state: str = "waiting", reason: str = "") -> dict[str, Any]:
    about = {"camera": "id-1", "address": "10.0.0.1", "port": 80, "name": "Gate", "proof": None}
    return {**about, "state": state, "reason": reason, "steps": list(steps)}


HTTP = ("- http: on", "+ http: off")
BEFORE = camera(
    step("http", "drift", "waiting", *HTTP),
    step("ntp", "in-order", "in-order"),
    step("syslog", "unknown", "unknown"),
    step("snmp", "drift", "refused", "- v1: on", "+ v1: off"),
)


def test_only_what_would_be_sent_would_change() -> None:
    assert plans.would_change(BEFORE)
    assert not plans.would_change(camera(*BEFORE["steps"][1:]))
    told = plans.about_camera(BEFORE)
    assert (told["drift"], told["unknown"]) == (["http", "snmp"], ["syslog"])


def test_a_difference_is_shown_only_where_there_is_one() -> None:
    assert plans.difference(BEFORE, ["http"]) == {
        "before_header": "Gate (10.0.0.1:80)",
        "after_header": "Gate (10.0.0.1:80)",
        "before": "http: on\n",
        "after": "http: off\n",
    }
    assert plans.difference(BEFORE, ["ntp"]) is None


ENDS: Mapping[str, tuple[dict[str, Any], list[str]]] = {
    "as promised": (camera(step("http", "drift", "done", *HTTP), state="done"), []),
    "what could never be changed was not promised": (
        camera(step("http", "drift", "done", *HTTP), step("snmp", "drift", "refused"), state="done"),
        [],
    ),
    "changed by somebody else meanwhile": (
        camera(step("http", "drift", "stale", reason="somebody changed it"), state="done"),
        ["http: stale - somebody changed it"],
    ),
    "taken back": (
        camera(step("http", "drift", "undone", *HTTP), state="failed", reason="it could not be proved"),
        ["the camera is failed - it could not be proved", "http: undone"],
    ),
}


@pytest.mark.parametrize(("now", "short"), ENDS.values(), ids=ENDS)
def test_what_fell_short_of_the_promise(now: dict[str, Any], short: list[str]) -> None:
    assert plans.fell_short(BEFORE, now) == short

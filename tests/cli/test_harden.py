"""`camwarden harden` as a process, on simulated cameras."""

import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from fleet.cli.outcomes import ExitCode
from tests.assessment.estate import RunningEstate, running_estate
from tests.cli.running import Ended, camwarden

BASE = f"127.{160 + os.getpid() % 60}.{os.getpid() // 60 % 250}.1"
FAULTS = ("--fault=discovery-left-on=2", "--fault=ntp-not-configured=1", "--fault=http-cleartext-management=2")

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
async def estate(tmp_path: Path) -> AsyncIterator[RunningEstate]:
    folder = tmp_path / "estate"
    folder.mkdir()
    words = ("--cameras=2", "--mix=axis=1", "--seed=7", f"--base={BASE}", "--high-ports", "--no-discovery", *FAULTS)
    async with running_estate(folder, *words) as running:
        yield running


def words(estate: RunningEstate, *more: object, baseline: str = "strict") -> list[object]:
    places = [f"{entry['address']}:{entry['port']}" for entry in estate.manifest["cameras"]]
    return [*places, "--baseline", baseline, "--credentials", estate.credentials, *more]


def values_of(end: Ended) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(end.out)
    return found


async def test_a_plan_shows_the_difference_and_an_applied_one_leaves_none(
    estate: RunningEstate, tmp_path: Path
) -> None:
    end = await camwarden(tmp_path, "harden", "plan", *words(estate))
    assert (end.code, end.err) == (ExitCode.FINDINGS, "")
    assert "- discovery: on\n    + discovery: off" in end.out
    assert "- http: on\n    + http: off" in end.out

    end = await camwarden(tmp_path, "harden", "apply", *words(estate))
    assert end.code == ExitCode.WRONG_USE
    assert "there is nobody to ask; add --yes" in end.err

    end = await camwarden(tmp_path, "harden", "apply", *words(estate, "--yes", "--json"))
    assert (end.code, end.err) == (ExitCode.GOOD, ""), end.out
    result = values_of(end)
    assert (result["format"], result["plan"]["format"]) == ("camwarden/hardening/1", "camwarden/plan/1")
    assert [camera["state"] for camera in result["cameras"]] == ["done", "done"]
    assert {camera["scheme"] for camera in result["cameras"]} == {"https"}
    assert {step["state"] for camera in result["cameras"] for step in camera["steps"]} == {"done", "in-order"}

    places = [f"https://{camera['address']}:{camera['port']}" for camera in result["cameras"]]
    end = await camwarden(
        tmp_path, "harden", "plan", *places, "--baseline", "strict", "--credentials", estate.credentials
    )
    assert (end.code, end.err) == (ExitCode.GOOD, "")
    assert "to change" not in end.out


async def test_a_plan_that_was_kept_is_applied_as_it_was_shown(estate: RunningEstate, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    end = await camwarden(tmp_path, "harden", "plan", *words(estate, "--json", baseline="essential"))
    assert (end.code, end.err) == (ExitCode.FINDINGS, "")
    plan.write_text(end.out)
    given = ("--plan", plan, "--credentials", estate.credentials, "--yes")
    end = await camwarden(tmp_path, "harden", "apply", *given)
    assert end.code == ExitCode.GOOD
    assert "done" in end.out
    end = await camwarden(tmp_path, "harden", "apply", *given)
    assert end.code == ExitCode.GOOD, "what is as wanted already is not sent again"

    values = json.loads(plan.read_text())
    values["cameras"][0]["address"] = "127.0.0.1"
    plan.write_text(json.dumps(values))
    end = await camwarden(tmp_path, "harden", "apply", *given)
    assert (end.code, end.out) == (ExitCode.WRONG_USE, "")
    assert "changed after it was made" in end.err


def _no_login(estate: RunningEstate) -> None:
    estate.credentials.write_text("[]\n")


def _wrong_password(estate: RunningEstate) -> None:
    estate.credentials.write_text("- {match: '*', username: camwarden, password: not-the-one}\n")


BLIND: dict[str, tuple[Callable[[RunningEstate], None], str]] = {
    "without a login": (_no_login, "no login is given for this camera"),
    "with a wrong password": (_wrong_password, "unauthorized"),
}


@pytest.mark.parametrize(("change", "says"), BLIND.values(), ids=BLIND)
async def test_what_could_not_be_evaluated_is_told(
    estate: RunningEstate, tmp_path: Path, change: Callable[[RunningEstate], None], says: str
) -> None:
    change(estate)
    end = await camwarden(tmp_path, "harden", "apply", *words(estate, "--yes"))
    assert (end.code, end.err) == (ExitCode.NOT_EVALUATED, "")
    assert end.out.count("8 unknown") == 2
    assert says in end.out
    assert "not-the-one" not in end.out


async def test_an_address_where_nothing_is_is_named(tmp_path: Path) -> None:
    end = await camwarden(tmp_path, "harden", "plan", "127.0.0.1:9", "--baseline", "essential", "--json")
    assert end.code == ExitCode.NOT_EVALUATED
    (missing,) = values_of(end)["not_evaluated"]
    assert (missing["address"], missing["port"], missing["reason"]) == ("127.0.0.1", 9, "unreachable")


WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "no target": (("plan", "--baseline", "strict"), "say which cameras"),
    "no baseline": (("plan", "127.0.0.1:9"), "say what you want of them"),
    "a baseline that nobody wrote": (
        ("plan", "127.0.0.1:9", "--baseline", "strickt"),
        "write one of essential",
    ),
    "a baseline that would cut us off": (
        ("plan", "127.0.0.1:9", "--baseline", "cut.yaml"),
        "cut.yaml, line 4: `settings.http`: with HTTP off there must be another way in",
    ),
    "a baseline that is no YAML": (("plan", "127.0.0.1:9", "--baseline", "bad.yaml"), "bad.yaml, line 2: this is not"),
    "an unknown key": (
        ("plan", "127.0.0.1:9", "--baseline", "odd.yaml"),
        "odd.yaml, line 4: `settings.ntpp`: there",
    ),
    "overrides that are a baseline": (
        ("plan", "127.0.0.1:9", "--baseline", "strict", "--site-overrides", "odd.yaml"),
        "odd.yaml, line 1: `format`: write 'camwarden/overrides/1'",
    ),
    "a plan that is none": (("apply", "--plan", "bad.yaml"), "bad.yaml: it cannot be read"),
    "a plan and a target": (("apply", "127.0.0.1:9", "--plan", "bad.yaml"), "leave out TARGET"),
    "an empty password": (
        ("apply", "127.0.0.1:9", "--baseline", "strict", "--account-password-file", "empty"),
        "write the password alone into it",
    ),
}


@pytest.mark.parametrize(("given", "says"), WRONG.values(), ids=WRONG)
async def test_wrong_use_is_one_line_that_says_what_to_write(tmp_path: Path, given: tuple[str, ...], says: str) -> None:
    head = "format: camwarden/baseline/1\nname: ours\nsettings:\n"
    (tmp_path / "cut.yaml").write_text(head + "  http: off\n")
    (tmp_path / "odd.yaml").write_text(head + "  ntpp: {}\n")
    (tmp_path / "bad.yaml").write_text("a: [\n")
    (tmp_path / "empty").write_text("\n")
    end = await camwarden(tmp_path, "harden", *given)
    assert (end.code, end.out) == (ExitCode.WRONG_USE, "")
    assert says in end.err
    assert end.err.count("\n") == 1

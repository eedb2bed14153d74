"""`camwarden bundle` and `camwarden rollout` as commands, over a store with cameras in it."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from fleet.settings import Settings
from fleet.store import open_store
from simulator.firmware import image
from simulator.vendors import VENDORS
from tests.cli.running import Command, ended, started
from tests.fleet.rollout_samples import RULES, approved, firmware, known
from tests.fleet.samples import camera
from tests.simulator.asking import estate


@pytest.fixture
def signed(command: Command, tmp_path: Path) -> Path:
    """A bundle signed by a key that is trusted."""
    (tmp_path / "image.bin").write_bytes(image("axis", ["P3265-V"], "12.11.80"))
    assert command("bundle", "keygen", "release").code == 0
    words = ("--vendor", "AXIS", "--model", "P3265-V", "--version", "12.11.80", "--key", "release.key")
    assert command("bundle", "build", "image.bin", "good.bundle", *words).code == 0
    (tmp_path / "home" / "trusted").mkdir(parents=True)
    (tmp_path / "release.pub").rename(tmp_path / "home" / "trusted" / "release.pub")
    return tmp_path / "good.bundle"


def test_a_bundle_from_the_key_to_the_store(command: Command, signed: Path) -> None:
    assert "by release" in command("bundle", "verify", signed).out
    shown = command("bundle", "import", signed, "--json")
    (bundle,) = json.loads(shown.out)["bundles"]
    assert (shown.code, bundle["signed_by"], bundle["manifest"]["scheme"]) == (0, "release", "axis")
    assert bundle["id"][:12] in command("bundle", "list").out


@pytest.mark.parametrize("words", [("verify",), ("import",)], ids=lambda words: words[0])
def test_a_bundle_that_cannot_be_trusted_is_wrong_use(command: Command, signed: Path, words: tuple[str, ...]) -> None:
    signed.write_bytes(signed.read_bytes()[:-100])
    refused = command("bundle", *words, signed)
    assert refused.code == 2
    assert "cut short" in refused.err
    assert json.loads(command("bundle", "list", "--json").out)["bundles"] == []


async def _with_a_camera(home: Path) -> None:
    async with await open_store(Settings(home=home)) as store:
        await known(store, "10.0.0.1", 80, camera(1))


def test_a_rollout_is_planned_approved_started_and_aborted(command: Command, signed: Path, tmp_path: Path) -> None:
    bundle = json.loads(command("bundle", "import", signed, "--json").out)["bundles"][0]["id"][:8]
    asyncio.run(_with_a_camera(tmp_path / "home"))
    assert command("site", "add", "plant", "10.0.0.0/24", "--zone", "Europe/Berlin").err.startswith("plant: 1 ")
    words = ("--window", "mon-fri 22:00-05:00", "--as", "anna", "--json")
    shown = command("rollout", "create", bundle, "10.0.0.0/24", *words)
    (planned,) = json.loads(shown.out)["rollouts"]
    rollout = planned["id"]
    assert (planned["state"], planned["rules"]["most_harmed"]) == ("awaiting-approval", 26)
    early = command("rollout", "start", rollout)
    assert (early.code, "awaiting-approval" in early.err) == (2, True)
    assert "approved by berta" in command("rollout", "approve", rollout, "--as", "berta").out
    assert command("rollout", "start", rollout).code == 0
    for order, state in (("pause", "paused"), ("resume", "running"), ("abort", "aborted")):
        assert f"{rollout}  {state}" in command("rollout", order, rollout).out
    status = json.loads(command("rollout", "status", rollout, "--json").out)
    assert [one["site"] for one in status["cameras"]] == ["plant"]
    assert rollout in command("rollout", "status").out


REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "a threshold that nobody understands": (("--errors", "many"), "no error threshold"),
    "a window that is none": (("--window", "at night"), "no window"),
    "a zone that is none": (("--zone", "Berlin"), "no time zone"),
    "a duration that is none": (("--soak", "long"), "--soak"),
    "a camera that nobody knows": (("--first", "10.9.9.9"), "no known camera"),
}


@pytest.mark.parametrize(("words", "why"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_kept_is_refused_at_creation(
    command: Command, signed: Path, tmp_path: Path, words: tuple[str, ...], why: str
) -> None:
    bundle = json.loads(command("bundle", "import", signed, "--json").out)["bundles"][0]["id"][:8]
    asyncio.run(_with_a_camera(tmp_path / "home"))
    refused = command("rollout", "create", bundle, "10.0.0.1", *words)
    assert (refused.code, why in refused.err) == (2, True), refused.err
    assert json.loads(command("rollout", "status", "--json").out)["rollouts"] == []


async def test_started_with_wait_it_is_carried_out_here(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    async with estate(mix={"axis": 1}, reboot_s=0.1) as running:
        (one,) = running.cameras
        plan = one.plan
        assert plan.login is not None
        login = {"match": plan.address, "username": plan.login.name, "password": plan.login.password}
        await asyncio.to_thread((tmp_path / "logins.yaml").write_text, json.dumps([login]))
        vendor = VENDORS["axis"].manufacturer
        said = replace(camera(1, vendor, plan.model), firmware=plan.firmware)
        async with await open_store(settings) as store:
            camera_id = await known(store, plan.address, plan.port, said)
            bundle = await firmware(store, settings, "12.11.99", models=[plan.model])
            rollout = await approved(
                store,
                bundle,
                [camera_id],
                replace(RULES, restart_most=timedelta(seconds=40), rollback_after=timedelta(minutes=2)),
            )
        variables = {"CAMWARDEN_CREDENTIALS_FILE": str(tmp_path / "logins.yaml")}
        ended_well = await ended(await started(tmp_path, "rollout", "start", rollout, "--wait", more=variables))
        assert (ended_well.code, "done" in ended_well.out) == (0, True), ended_well
        assert (one.flashed, one.plan.committed) == (["12.11.99"], True)

"""`camwarden bundle` and `camwarden rollout` as commands, over a store with cameras in it."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bench.paper_cameras import PaperCamera
from fleet.rollouts.rows import RolloutId
from fleet.settings import Settings
from fleet.store import open_store
from simulator.firmware import image
from simulator.vendors import VENDORS
from tests.cli.running import Command, ended, started
from tests.fleet.rollout_samples import RULES, approved, firmware, history, known, paper, rows
from tests.fleet.rollout_samples import run as carried_out
from tests.fleet.rollout_samples import started as begun
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


def test_where_two_persons_are_wanted_the_maker_does_not_approve(
    command: Command, signed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMWARDEN_TWO_PERSONS", "true")
    bundle = json.loads(command("bundle", "import", signed, "--json").out)["bundles"][0]["id"][:8]
    asyncio.run(_with_a_camera(tmp_path / "home"))
    shown = command("rollout", "create", bundle, "10.0.0.1", "--as", "anna", "--json")
    rollout = json.loads(shown.out)["rollouts"][0]["id"]
    refused = command("rollout", "approve", rollout, "--as", " ANNA")
    assert (refused.code, "ask a second person to approve it" in refused.err) == (2, True), refused.err
    assert command("rollout", "start", rollout, "--as", "anna").code == 2, "it is not approved"
    approved_ = command("rollout", "approve", rollout, "--as", "berta").out
    assert "made by anna" in approved_
    assert "approved by berta" in approved_
    assert f"{rollout}  aborted" in command("rollout", "abort", rollout, "--as", "anna").out


async def _updated(home: Path) -> tuple[RolloutId, str, str]:
    """A rollout that is over: of a camera that gave a backup, and of one that gives none; their addresses."""
    settings = Settings(home=home)
    async with await open_store(settings) as store:
        cameras = await paper(store, PaperCamera(), PaperCamera(commits=False))
        rollout = await begun(store, await firmware(store, settings), list(cameras.cameras))
        await carried_out(store, settings, cameras, rollout)
        gave, none = await rows(store, rollout)
    return rollout, gave.address, none.address


async def _taken(home: Path, rollout: RolloutId) -> list[tuple[str, str]]:
    async with await open_store(Settings(home=home)) as store:
        events = await history(store, rollout)
    return [(event.actor, event.detail) for event in events if event.event == "take-backup"]


def test_a_backup_is_taken_out_once_it_is_written_down_why(command: Command, tmp_path: Path) -> None:
    rollout, address, without = asyncio.run(_updated(tmp_path / "home"))
    why = ("--reason", "camera replaced", "--as", "berta")
    end = command("rollout", "backup", rollout, address, "--out", "old.bin", *why)
    assert end.code == 0, end.err
    out = tmp_path / "old.bin"
    assert out.read_bytes() == b"configuration of 1"
    assert out.stat().st_mode & 0o777 == 0o600
    assert asyncio.run(_taken(tmp_path / "home", rollout)) == [("berta", f"{address}: camera replaced")]
    refused: dict[str, tuple[tuple[object, ...], str]] = {
        "a file that is there": ((address, "--out", "old.bin", *why), "nothing is overwritten"),
        "a folder that is not there": ((address, "--out", "no/where.bin", *why), "cannot be written"),
        "no reason": ((address, "--out", "new.bin", "--reason", " "), "and why"),
        "a camera without a backup": ((without, "--out", "new.bin", *why), "there is no backup of"),
        "a camera that is not part of it": (("10.9.9.9:80", "--out", "new.bin", *why), "not part of the rollout"),
    }
    for name, (words, said) in refused.items():
        end = command("rollout", "backup", rollout, *words)
        assert (end.code, said in end.err) == (2, True), (name, end)
    assert command("rollout", "backup", rollout, address, "--out", "new.bin").code == 2, "a reason is needed"
    assert command("rollout", "backup", "nobody", address, "--out", "new.bin", *why).code == 2
    (tmp_path / "home" / "key").unlink()
    gone = command("rollout", "backup", rollout, address, "--out", "new.bin", *why)
    assert (gone.code, "is missing" in gone.err) == (2, True), gone
    assert not (tmp_path / "new.bin").exists()
    assert out.read_bytes() == b"configuration of 1"
    assert len(asyncio.run(_taken(tmp_path / "home", rollout))) == 1


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

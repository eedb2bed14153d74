"""`camwarden vault`: where the key lies, and how it moves, as whoever operates it meets it."""

import json
from pathlib import Path
from typing import Any

import pytest

from fleet.cli.doctor_service import lines
from fleet.cli.outcomes import ExitCode
from fleet.settings import load_settings
from tests.cli.running import Command, Ended
from tests.fleet.guarded import Guard
from tests.frame.openbao import Bao


def said(ended: Ended) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(ended.out)
    assert document.pop("format") == "camwarden/vault-status/1"
    return document


def doctor() -> tuple[str, str]:
    line = next(line for line in lines(load_settings(None)) if line.what == "key")
    return line.state, f"{line.found} {line.advice}"


def write(config: Path, named: dict[str, Any]) -> None:
    config.write_text("".join(f'{name} = "{value}"\n' for name, value in named.items() if value))


@pytest.fixture
def guard(openbao: Bao, tmp_path: Path) -> Guard:
    return Guard(openbao, tmp_path / "login")


def test_the_key_goes_to_the_engine_and_comes_back(command: Command, guard: Guard, tmp_path: Path) -> None:
    assert said(command("vault", "status", "--json"))["where"] == "nowhere"
    refused = command("vault", "to-transit", "--yes")
    assert (refused.code, "nothing is stored yet" in refused.err) == (ExitCode.WRONG_USE, True)
    assert command("site", "add", "Depot", "10.2.0.0/16").code == ExitCode.GOOD  # the first entry makes the key
    before = said(command("vault", "status", "--json"))
    assert (before["where"], before["version"], before["why"]) == ("file", 0, "")

    write(tmp_path / "camwarden.toml", guard.named(**guard.token()))
    assert doctor()[0] == "warn"
    assert "camwarden vault to-transit" in doctor()[1]
    assert command("vault", "to-transit").code == ExitCode.WRONG_USE  # nobody can be asked
    moved = command("vault", "to-transit", "--yes")
    assert (moved.code, "wrapped by version 1" in moved.out, "rotate-key" in moved.err) == (0, True, True)
    guard.bao.ask("POST", f"transit/keys/{guard.key}/rotate", {})
    after = said(command("vault", "rewrap", "--json"))
    assert (after["where"], after["version"], after["key_id"]) == ("transit", 2, before["key_id"])
    assert (after["transit_key"], after["transit_url"]) == (guard.key, guard.bao.url)
    assert doctor()[0] == "ok"
    assert command("site", "add", "Harbour", "10.3.0.0/16").code == ExitCode.GOOD
    rotated = command("vault", "rotate-key", "--yes", "--json")
    assert json.loads(rotated.out)["key_id"] == said(command("vault", "status", "--json"))["key_id"] != before["key_id"]

    guard.bao.seal()
    try:
        shut = command("vault", "status")
        assert (shut.code, "unseal it" in shut.out) == (ExitCode.NOT_EVALUATED, True)
        assert doctor()[0] == "fail"
        refused = command("site", "add", "Tower", "10.4.0.0/16")
        assert (refused.code, "unseal it" in refused.err) == (ExitCode.WRONG_USE, True)
    finally:
        guard.bao.unseal()

    back = command("vault", "to-file", "--yes")
    assert (back.code, "lies in" in back.out) == (ExitCode.GOOD, True)
    (tmp_path / "camwarden.toml").unlink()
    assert command("audit", "verify").code == ExitCode.GOOD
    assert len((tmp_path / "home" / "key").read_bytes()) == 32
    actions = [row["action"] for row in map(json.loads, command("audit", "list", "--json").out.splitlines())]
    assert actions.count("vault.move-key") == 2
    assert actions.count("vault.rewrap") == 1

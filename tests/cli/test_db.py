"""`camwarden db` as a person uses it, and a second `camwarden serve` on one home."""

import asyncio
import json
import signal
from pathlib import Path

import pytest

from fleet.cli.outcomes import ExitCode
from tests.cli.running import camwarden, ended, started

pytestmark = pytest.mark.timeout(120)


async def test_a_store_is_made_backed_up_checked_and_restored(tmp_path: Path) -> None:
    file = tmp_path / "monday.backup"
    made = await camwarden(tmp_path, "db", "upgrade")
    assert (made.code, "(was empty)" in made.out) == (0, True)
    backed_up = await camwarden(tmp_path, "db", "backup", file)
    assert backed_up.code == 0
    assert "not in it: the key of the vault" in backed_up.out
    checked = await camwarden(tmp_path, "db", "check", file, "--json")
    assert json.loads(checked.out)["evidence"] == {"listed": 0, "missing": 0, "changed": 0}
    restored = await camwarden(tmp_path, "db", "restore", file)
    assert (restored.code, restored.err) == (0, "")
    assert "the store before is kept" in restored.out
    assert (await camwarden(tmp_path, "db", "check")).out.count("sound") == 1


REFUSED = {
    "a backup without a store": (("backup", "new.backup"), "no store"),
    "a restore of nothing": (("restore", "none.backup"), "no file"),
    "a check without a store": (("check",), "no store"),
    "a check of something else": (("check", "other"), "no whole backup"),
}


@pytest.mark.parametrize(("words", "said"), REFUSED.values(), ids=REFUSED)
async def test_what_cannot_be_done_is_said_in_one_line(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    (tmp_path / "other").write_text("no backup")
    done = await camwarden(tmp_path, "db", *words)
    assert (done.code, done.err.count("\n")) == (ExitCode.WRONG_USE, 1)
    assert said in done.err


async def test_a_second_service_on_one_home_is_told_who_is_there(tmp_path: Path) -> None:
    first = await started(tmp_path, "serve", "--port", 0)
    assert first.stderr is not None
    while b"listens" not in await asyncio.wait_for(first.stderr.readline(), 40):
        pass
    second = await camwarden(tmp_path, "serve", "--port", 0)
    assert second.code == ExitCode.WRONG_USE
    assert f"serves {tmp_path} already: process {first.pid} on" in second.err
    restored = await camwarden(tmp_path, "db", "upgrade")  # a command beside it works
    assert restored.code == 0
    first.send_signal(signal.SIGTERM)
    assert (await ended(first)).code == 0

"""`camwarden passwords` as a person uses it: on stored cameras that are simulated."""

import asyncio
import json
import os
import pty
from contextlib import AsyncExitStack, nullcontext
from pathlib import Path

import pytest

from fleet import leases
from fleet.audit.views import Wanted, entries
from hardening.passwords import State
from simulator import device
from tests.cli.running import Ended, camwarden, started
from tests.fleet.rotating import Scene, passwords, rotated, scene


async def run(here: Scene, *words: str, stdin: bytes = b"") -> Ended:
    config = here.settings.home / "camwarden.toml"
    text = f'credentials_file = "{here.settings.credentials_file}"\n'
    await asyncio.to_thread(config.write_text, text)
    return await camwarden(here.settings.home, "passwords", *words, "--config", str(config), stdin=stdin)


def login(here: Scene) -> tuple[str, str]:
    assert here.camera.plan.login
    return here.camera.plan.login.name, here.camera.plan.login.password


async def test_a_password_is_changed_looked_up_and_written_down(tmp_path: Path) -> None:
    async with scene(tmp_path / "home") as here:
        name, old = login(here)
        at = f"@{here.camera.plan.address}"
        changed = await run(here, "rotate", at, "--yes", "--json")
        assert changed.code == 0, changed.err
        document = json.loads(changed.out)
        (camera,) = document["cameras"]
        assert (document["format"], camera["state"], camera["wrong_tries"]) == ("camwarden/passwords/1", "current", 1)
        (new,) = passwords(here.camera, name)

        past = await run(here, "history", at)
        assert past.code == 0
        assert "current" in past.out
        assert "previous" in past.out

        shown = await run(here, "reveal", at, "--reason", "installer on site", "--yes")
        assert (shown.code, shown.out) == (0, f"{new}\n")
        earlier = await run(here, "reveal", at, "--reason", "old backup", "--version", "1", "--yes")
        assert earlier.out == f"{old}\n"
        rows = (await entries(here.store, Wanted(action="vault.reveal"))).items
        reasons = [json.loads(row.detail).get("reason", "asked") for row in rows]
        assert reasons == ["old backup", "asked", "installer on site", "asked"]
        for said in (changed, past):
            assert not any(password in said.out + said.err for password in (old, new))


async def test_beside_a_service_it_is_changed_once_by_whichever_is_faster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here mostly the service, which looks more often; nobody can begin while other work has the cameras."""
    monkeypatch.setattr("fleet.jobs.runner.LOOK_EVERY_S", 0.02)
    begun: list[str] = []
    async with scene(tmp_path / "home", cameras=3) as here:
        async with here.rotations(lambda row, _: begun.append(row.camera)) as rotations:
            async with AsyncExitStack() as others:
                for camera in here.ids.values():
                    await others.enter_async_context(leases.hold(here.store, camera, "plan:1"))
                command = asyncio.create_task(run(here, "rotate", "--all", "--yes", "--json"))
                while not await rotations.recent():  # noqa: ASYNC110 - another process tells nobody
                    await asyncio.sleep(0.05)
            changed = await command
        assert changed.code == 0, changed.err
        assert {camera["state"] for camera in json.loads(changed.out)["cameras"]} == {"current"}
        assert {camera.password_requests for camera in here.estate.cameras} == {1}
        assert {max(camera.guard.wrong_tries.values()) for camera in here.estate.cameras} == {1}
        assert begun, "the service took none of them"


@pytest.mark.parametrize("beside", [True, False], ids=["beside a service", "by itself"])
async def test_what_is_unclear_is_reconciled_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, beside: bool
) -> None:
    monkeypatch.setattr(device, "TRUNCATED_AT", 8)
    async with scene(tmp_path / "home", "password-truncated") as here:
        name, _ = login(here)
        async with here.rotations() as rotations:
            assert (await rotated(rotations, here.camera_id)).state is State.UNCLEAR
        async with here.store.write() as connection:  # as if half an hour had passed
            await connection.exec_driver_sql("DELETE FROM attempt_budget")
        async with here.rotations() if beside else nullcontext():
            told = await run(here, "reconcile", "--all", "--json")
        assert told.code == 3, told.err
        (camera,) = json.loads(told.out)["cameras"]
        assert (camera["state"], camera["wrong_tries"], here.wrong_tries(name)) == ("unclear", 1, 3)


async def test_a_camera_that_keeps_the_old_password_is_no_success(tmp_path: Path) -> None:
    async with scene(tmp_path / "home") as here:
        name, _ = login(here)
        given = await run(
            here, "set", f"@{here.camera.plan.address}", "--username", name, "--password-stdin", stdin=b"no\n"
        )
        assert given.code == 0, given.err
        ended = await run(here, "rotate", "--all", "--yes")
        assert ended.code == 3
        assert "old password kept" in ended.out
        assert here.wrong_tries(name) == 1


async def test_a_password_is_told_on_stdin_and_used(tmp_path: Path) -> None:
    async with scene(tmp_path / "home") as here:
        name, password = login(here)
        at = f"@{here.camera.plan.address}"
        given = await run(here, "set", at, "--username", name, "--password-stdin", stdin=f"{password}\n".encode())
        assert given.code == 0, given.err
        assert password not in given.out + given.err
        shown = await run(here, "reveal", at, "--reason", "a look", "--yes")
        assert shown.out == f"{password}\n"
        assert (await run(here, "reconcile", "--all", "--json")).code == 0


REFUSED = {
    "no camera": (("rotate", "--yes"), "name the cameras"),
    "an unknown camera": (("rotate", "@10.9.9.9", "--yes"), "no such camera"),
    "nobody to ask": (("rotate", "--all"), "say --yes"),
    "no terminal for a password": (("reveal", "@", "--reason", "x"), "on a terminal only"),
    "no terminal to ask for one": (("set", "@", "--username", "u"), "--password-stdin"),
    "nothing in the vault": (("reveal", "@", "--reason", "x", "--yes"), "no such password"),
}


async def test_wrong_use_is_said_so(tmp_path: Path) -> None:
    async with scene(tmp_path / "home") as here:
        for what, (words, said) in REFUSED.items():
            at = [f"@{here.camera.plan.address}" if word == "@" else word for word in words]
            ended = await run(here, *at)
            assert (ended.code, ended.out) == (2, ""), what
            assert said in ended.err, what
        assert here.camera.guard.wrong_tries == {}


async def test_without_a_store_nothing_is_made(tmp_path: Path) -> None:
    ended = await camwarden(tmp_path, "passwords", "history", "@10.0.0.5")
    assert ended.code == 2
    assert "nothing is stored yet" in ended.err
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - as a path it would count as blocking


async def test_on_a_terminal_a_password_is_shown_after_a_yes(tmp_path: Path) -> None:
    async with scene(tmp_path / "home") as here:
        name, password = login(here)
        at = f"@{here.camera.plan.address}"
        await run(here, "set", at, "--username", name, "--password-stdin", stdin=f"{password}\n".encode())
        ours, theirs = pty.openpty()
        try:
            words = ("passwords", "reveal", at, "--reason", "a look")
            process = await started(here.settings.home, *words, stdin=theirs, stdout=theirs)
            os.write(ours, b"y\n")
            assert process.stderr
            asked, _ = await asyncio.gather(process.stderr.read(), process.wait())
            said = os.read(ours, 4096).decode()
        finally:
            os.close(ours)
            os.close(theirs)
        assert process.returncode == 0, asked
        assert password in said
        assert b"Show the password of" in asked

"""`python -m simulator`, as people start it."""

import json
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from simulator.estate import plan_for_this_machine
from tests.simulator.asking import estate

ROOT = Path(__file__).parents[2]


@contextmanager
def started(*words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The running command and its first line."""
    command = [sys.executable, "-m", "simulator", *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline()
        finally:
            process.kill()


def files(folder: Path) -> list[str]:
    return [
        *("--manifest", str(folder / "truth.json")),
        *("--credentials-out", str(folder / "logins.yaml")),
        *("--stats", str(folder / "stats.json")),
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_serves_until_stopped_and_leaves_its_files(tmp_path: Path, number: signal.Signals) -> None:
    base = estate(cameras=1).options.base
    words = ["--cameras", "2", "--decoys", "1", "--clean", "--base", base, "--high-ports", "--no-discovery"]
    with started(*words, *files(tmp_path)) as (process, line):
        assert line.startswith("ready: 2 cameras, 1 decoys, ")
        truth = json.loads((tmp_path / "truth.json").read_text())
        logins = yaml.safe_load((tmp_path / "logins.yaml").read_text())
        camera, login = truth["cameras"][0], logins[0]
        page = f"https://{camera['address']}:8443/"
        auth = httpx.DigestAuth(login["username"], login["password"])
        assert httpx.get(page, auth=auth, verify=False, trust_env=False).status_code == 200  # noqa: S501
        process.send_signal(number)
        assert process.wait() == 0
    assert camera["address"] == login["match"] == base
    assert stat.S_IMODE((tmp_path / "logins.yaml").stat().st_mode) == 0o600
    stats = json.loads((tmp_path / "stats.json").read_text())
    assert [entry["granted"] for entry in stats["cameras"]] == [1, 0]


def test_the_manifest_has_the_agreed_shape(tmp_path: Path) -> None:
    running = estate(cameras=3, decoys=2, faults={"telnet-open": 1})
    truth = json.loads(json.dumps(running.manifest()))
    assert truth["format"] == "camwarden/manifest/1"
    fields = ("address", "port", "scheme", "kind", "vendor", "model", "firmware", "serial", "mac", "auth", "faults")
    for camera in truth["cameras"]:
        assert set(camera) == {*fields, "expected"}
        assert {"check", "subject", "verdict"} <= set(camera["expected"][0])
    assert [set(decoy) for decoy in truth["decoys"]] == [{"address", "port", "kind", "expected_reason"}] * 2
    assert not list(tmp_path.iterdir())


def test_no_password_is_in_the_manifest_or_the_stats() -> None:
    running = estate(cameras=20, faults=None)
    told = json.dumps([running.manifest(), running.stats()])
    passwords = {account.password for plan in running.plan.cameras for account in plan.accounts}
    assert not [password for password in passwords if len(password) > 8 and password in told]


def test_says_in_one_line_what_it_cannot_do() -> None:
    with started("--fault", "sulking=1") as (process, line):
        assert line == ""
        assert process.wait() == 2
        assert process.stderr is not None
        assert process.stderr.read().startswith("simulator: no fault is called 'sulking'")


@pytest.mark.parametrize("base", ["127.0.0.1", "127.200.0.1"])
def test_a_plan_fits_this_machine(base: str) -> None:
    plan = plan_for_this_machine(estate(cameras=2, base=base).options)
    assert len({(camera.address, camera.port) for camera in plan.cameras}) == 2


async def test_cameras_on_one_address_can_be_told_apart() -> None:
    async with estate(cameras=3, one_address=True) as running, httpx.AsyncClient(trust_env=False) as http:
        for plan in running.plan.cameras:
            reply = await http.get(f"http://{plan.address}:{plan.port}/")
            assert reply.headers["Location"] == f"https://127.0.0.1:{plan.https_port}/"

"""A whole round: the service with simulated cameras, and Ansible as a person starts it."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from cameras.secret import Secret
from fleet.service import Service, open_service
from fleet.settings import Settings
from simulator import Estate
from simulator.manifest import credentials
from tests.ansible.playing import Controller, Played, serving
from tests.fleet.test_proof import recorded
from tests.simulator.asking import estate

FAULTS = {"discovery-left-on": 2, "http-cleartext-management": 1, "ntp-not-configured": 1}
STRICT = ("-e", "harden_baseline=strict")
GATE = (
    "-e",
    "gate_baseline=strict",
    "-e",
    "gate_fail_on=medium",
    "-e",
    "gate_sarif=out.sarif",
    "-e",
    "gate_junit=out.xml",
)

pytestmark = pytest.mark.timeout(180)


@dataclass(frozen=True)
class Site:
    estate: Estate
    service: Service
    controller: Controller

    async def harden(self, *words: str) -> Played:
        return await self.controller.play("camwarden.estate.harden", *STRICT, *words)

    async def gate(self) -> tuple[Played, dict[str, Any], ET.Element]:
        end = await self.controller.play("camwarden.estate.gate", *GATE)
        sarif, junit = self.controller.home / "out.sarif", self.controller.home / "out.xml"
        return end, json.loads(sarif.read_text()), ET.fromstring(junit.read_text())  # noqa: S314 - our own file


@pytest.fixture
async def site(tmp_path: Path, collections: Path) -> AsyncIterator[Site]:
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(estate(cameras=2, mix={"axis": 1}, faults=FAULTS, reboot_s=0.05))
        logins = tmp_path / "credentials.yaml"
        logins.touch(0o600)
        logins.write_text(credentials(running.plan))
        settings = Settings(home=tmp_path / "service", credentials_file=logins)
        service = await stack.enter_async_context(open_service(settings))
        await recorded(service.store, running, settings)
        url, token = await stack.enter_async_context(serving(service))
        home = tmp_path / "controller"
        home.mkdir()
        yield Site(running, service, Controller(home, collections, url, token))


def differences(end: Played) -> dict[str, dict[str, str]]:
    return {host: result["diff"] for host, result in end.of("Change them").items() if "diff" in result}


async def test_a_round_is_predicted_done_proved_and_then_there_is_nothing_to_do(site: Site) -> None:
    hosts = {camera.plan.address for camera in site.estate.cameras}
    end, sarif, junit = await site.gate()
    assert end.code == 2, end.out
    assert {host for host, result in end.of("The gate").items() if "drift: " in result["msg"]} == hosts
    failing = _results(sarif)
    assert failing
    assert int(junit.attrib["failures"]) == failing

    predicted = await site.harden("--check", "--diff")
    assert (predicted.code, predicted.changed) == (0, hosts), predicted.out
    assert any("http: off" in diff["after"] for diff in differences(predicted).values())
    assert {plan.state for plan in await site.service.plans.recent()} <= {"awaiting-approval", "stopped"}

    done = await site.harden("--diff")
    assert (done.code, done.changed) == (0, hosts), done.out
    assert differences(done) == differences(predicted)
    assert all("fixed" in result["camera"]["proof"] for result in done.of("Change them").values())
    assert {result["how"] for result in done.of("Prove it").values()} == {"ok"}

    again = await site.harden("--diff")
    assert (again.code, again.changed, differences(again)) == (0, set(), {}), again.out
    assert all(result["steps"] for result in again.of("Change them").values()), "the whole state, also unchanged"

    end, sarif, junit = await site.gate()
    assert end.code == 0, end.out
    assert _results(sarif) == int(junit.attrib["failures"]) < failing


def _results(sarif: dict[str, Any]) -> int:
    assert sarif["version"] == "2.1.0"
    return sum(len(run["results"]) for run in sarif["runs"])


async def test_no_output_however_loud_shows_a_token_or_a_password(site: Site) -> None:
    end = await site.harden("--check", "--diff", "-vvv")
    assert end.code == 0
    secrets = [
        site.controller.token,
        *(Secret(account.password) for c in site.estate.cameras for account in c.plan.accounts),
    ]
    kept = json.dumps(end.results)
    assert not [secret for secret in secrets if secret.reveal() and secret.reveal() in end.out + kept]

"""SNMP on the whole path: cameras on which it is switched on, and devices that are none and say what they are."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from cameras.facts import Gap, SnmpAnswer
from scanners.assessment import CameraAssessment, NotEvaluated, assess
from scanners.assessment import Options as HowToAssess
from scanners.credentials import load_credentials
from scanners.probes import snmp as probe
from scanners.targets import Target, parse_targets
from simulator import Estate, snmp
from simulator import Options as EstateOptions
from simulator.faults import SNMP_SWITCHES
from simulator.manifest import credentials, write_private
from tests.assessment.estate import expected_rows, explained
from tests.cameras.saying import http, saying
from tests.probes.snmp_agents import agent, answer_to

LOGIN_PAGE = http("<html>Router</html>", "401 Unauthorized", 'WWW-Authenticate: Basic realm="Home Gateway"')
PAGE = http("<html><br></html>")
PRINTER = b"HP ETHERNET MULTI-ENVIRONMENT"


@pytest.fixture(autouse=True)
def snmp_port(monkeypatch: pytest.MonkeyPatch) -> int:
    """Another port than 161, which needs no rights, and which nobody else has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
    monkeypatch.setattr(snmp, "LOW_PORTS_END", 65536)
    for module in (snmp, probe):
        monkeypatch.setattr(module, "PORT", port)
    return port


async def assessed(estate: Estate, logins: Path, **how: object) -> dict[str, CameraAssessment]:
    await asyncio.to_thread(write_private, logins, credentials(estate.plan))
    targets = parse_targets([camera.plan.address for camera in estate.cameras])
    options = HowToAssess(credentials=load_credentials(logins), request_timeout_s=5, **how)  # type: ignore[arg-type]
    found = [result async for result in assess(targets, options)]
    return {result.dossier.address: result for result in found if isinstance(result, CameraAssessment)}


async def test_equals_the_truth_where_it_is_on_and_after_it_was_switched(tmp_path: Path) -> None:
    mix = {**dict.fromkeys(SNMP_SWITCHES, 2), "onvif": 1}
    options = EstateOptions(
        cameras=9, mix=mix, faults={"snmp-on": 4}, base="127.49.0.1", seed=3, discovery=False, low_ports=False
    )
    async with Estate(options) as estate:
        for _ in range(2):
            found = await assessed(estate, tmp_path / "logins.yaml")
            seen = {
                (f"{address}:{result.dossier.port}", v.check, v.subject, v.verdict.value)
                for address, result in found.items()
                for v in result.verdicts
            }
            truth = expected_rows(estate.manifest())
            assert not explained(truth ^ seen, estate.manifest())
            assert sum(row[1:] == ("snmp-public", "", "fail") for row in truth) == 4
            for camera in estate.cameras:
                said = snmp.description(camera.plan).strip() if snmp.versions_on(camera.plan) else None
                answer = found[camera.plan.address].dossier.snmp
                assert isinstance(answer, SnmpAnswer)
                assert answer.description == said
            on = [camera for camera in estate.cameras if snmp.versions_on(camera.plan)]
            off = [camera for camera in estate.cameras if camera not in on and camera.plan.vendor in SNMP_SWITCHES]
            for camera in on:
                camera.become(replace(camera.plan, parameters=()))
            for camera in off[:4]:
                camera.become(replace(camera.plan, parameters=SNMP_SWITCHES[camera.plan.vendor]))
        assert estate.snmp.problems == []


async def test_is_not_asked_where_known_passwords_are_not_tried(tmp_path: Path) -> None:
    options = EstateOptions(
        cameras=1, mix={"axis": 1}, faults={"snmp-on": 1}, base="127.49.1.1", discovery=False, low_ports=False
    )
    async with Estate(options) as estate:
        [result] = (await assessed(estate, tmp_path / "logins.yaml", default_credentials=False)).values()
    assert isinstance(result.dossier.snmp, Gap)
    assert result.dossier.snmp.gap == "not-asked"
    assert [(v.verdict.value, v.reason) for v in result.verdicts if v.check == "snmp-public"] == [
        ("unknown", "not-asked")
    ]


# --- no cameras ------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def printer(port: int) -> AsyncIterator[list[bytes]]:
    """What was asked of an agent that says what it is."""
    async with agent(lambda asked: [answer_to(asked, PRINTER)], port=port) as (_, itself):
        yield itself.heard


async def outcome(target: Target, **how: object) -> NotEvaluated:
    (result,) = [r async for r in assess([target], HowToAssess(request_timeout_s=1, **how))]  # type: ignore[arg-type]
    assert isinstance(result, NotEvaluated)
    return result


@pytest.mark.parametrize("page", [PAGE, LOGIN_PAGE], ids=["a page", "a login"])
async def test_a_device_that_is_no_camera_says_what_it_is(page: bytes, snmp_port: int) -> None:
    async with saying(page) as web, printer(snmp_port):
        result = await outcome(parse_targets([f"http://127.0.0.1:{web.port}/"])[0])
    assert result.detail.endswith("; by SNMP it calls itself 'HP ETHERNET MULTI-ENVIRONMENT'")


async def test_one_without_a_name_is_told_as_before() -> None:
    async with saying(PAGE) as web:
        result = await outcome(parse_targets([f"http://127.0.0.1:{web.port}/"])[0])
    assert (result.reason, "SNMP" in result.detail) == ("not-a-camera", False)


async def test_an_empty_address_is_not_asked(snmp_port: int) -> None:
    async with printer(snmp_port) as asked:
        result = await outcome(parse_targets(["127.0.0.1"])[0], ports=(9,))
    assert (result.reason, asked) == ("unreachable", [])


@pytest.mark.parametrize(("shared", "tried"), [(True, True), (False, False)], ids=["shared address", "switched off"])
async def test_nor_is_one_where_it_may_not_be_asked(shared: bool, tried: bool, snmp_port: int) -> None:
    async with saying(PAGE) as web, printer(snmp_port) as asked:
        target = replace(parse_targets([f"http://127.0.0.1:{web.port}/"])[0], shared=shared)
        result = await outcome(target, default_credentials=tried)
    assert (result.reason, "SNMP" in result.detail, asked) == ("not-a-camera", False, [])

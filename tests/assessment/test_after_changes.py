"""Cameras that were changed: the simulator's present truth, and an assessment that equals it."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from scanners.assessment import NotEvaluated, Options, assess
from scanners.credentials import load_credentials
from scanners.targets import parse_targets
from simulator import Estate
from simulator import Options as EstateOptions
from simulator.manifest import credentials, write_private
from simulator.plan import CameraPlan, ExtraPort
from simulator.vendors import VENDORS
from tests.assessment.estate import Row, expected_rows, explained

WEAK = (
    *("discovery-left-on", "http-cleartext-management", "firmware-outdated", "no-https", "ntp-not-configured"),
    *("clock-skew", "too-many-administrators", "default-credentials", "telnet-open", "ftp-open", "ssh-open"),
    *("unexpected-port", "anonymous-rtsp", "anonymous-snapshot", "http-basic-cleartext", "factory-default"),
    *("http-xaddr", "many-xaddrs", "empty-200", "snmp-on", "unsigned-apps"),
)


def hardened(plan: CameraPlan) -> CameraPlan:
    vendor = VENDORS[plan.vendor]
    documented = dict(vendor.defaults)
    kept = [a for a in plan.accounts if a.name in (vendor.admin, "camwarden", "viewer")]
    return replace(
        plan,
        https_port=plan.usual_ports[1],
        redirects_to_https=plan.http_port is not None,
        basic_on_http=False,
        firmware=next((m.newest for m in vendor.models if m.name == plan.model), plan.firmware),
        clock_source="NTP",
        clock_offset_s=0,
        ntp_servers=("192.0.2.9",),
        discoverable=False,
        anonymous=plan.anonymous & {"onvif"} if plan.setup_done else plan.anonymous,
        extra_ports=(),
        parameters=(),
        accounts=tuple(replace(a, password=f"changed-{a.name}-1") if a.name in documented else a for a in kept),
    )


def weakened(plan: CameraPlan) -> CameraPlan:
    return replace(
        plan,
        redirects_to_https=False,
        clock_source="Manual",
        ntp_servers=(),
        discoverable=True,
        anonymous=plan.anonymous | {"snapshot", "rtsp"},
        extra_ports=(ExtraPort(23, "telnet"), ExtraPort(9000, "silent")),
    )


def without_http(plan: CameraPlan) -> CameraPlan:
    return replace(plan, http_port=None) if plan.https_port else plan


CHANGES: Mapping[str, Callable[[CameraPlan], CameraPlan]] = {
    "put right": hardened,
    "made worse": weakened,
    "without plain HTTP": without_http,
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_equals_the_present_truth(change: Callable[[CameraPlan], CameraPlan], tmp_path: Path) -> None:
    options = EstateOptions(cameras=len(WEAK), base="127.47.0.1", seed=9, faults=dict.fromkeys(WEAK, 1))
    async with Estate(options) as estate:
        before = {row for row in expected_rows(estate.manifest()) if row[3] == "fail"}
        for camera in estate.cameras:
            camera.become(change(camera.plan))
        truth, found = expected_rows(estate.manifest()), await rows_found(estate, tmp_path / "logins.yaml")
        assert not estate.problems
        assert not explained(truth - found, estate.manifest())
        assert not explained(found - truth, estate.manifest())
        assert {row for row in truth if row[3] == "fail"} != before
        assert not [camera for camera in estate.cameras if camera.guard.times_locked]


async def rows_found(estate: Estate, logins: Path) -> set[Row]:
    await asyncio.to_thread(write_private, logins, credentials(estate.plan))
    targets = parse_targets([camera.plan.address for camera in estate.cameras])
    options = Options(credentials=load_credentials(logins), request_timeout_s=5)
    return {
        (f"{result.dossier.address}:{result.dossier.port}", v.check, v.subject, v.verdict.value)
        async for result in assess(targets, options)
        if not isinstance(result, NotEvaluated)
        for v in result.verdicts
    }

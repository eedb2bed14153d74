"""The ground truth is complete, and every fault is in it."""

from collections import defaultdict
from collections.abc import Mapping
from random import Random

import pytest

from simulator import Options, plan_estate
from simulator.faults import FAULTS, fits, give
from simulator.plan import CameraPlan
from simulator.truth import CHECKS, EFFECTS, expected
from simulator.vendors import VENDORS

Row = tuple[str, tuple[str, ...], Mapping[tuple[str, str], str]]


def clean(family: str = "axis") -> CameraPlan:
    options = Options(cameras=1, mix={family: 1}, faults={})
    return plan_estate(options, one_address=False, low_ports=True).cameras[0]


def with_faults(plan: CameraPlan, *names: str) -> CameraPlan:
    for name in names:
        assert fits(name, plan, shared_address=False), name
        plan = give(name, plan, Random(5))  # noqa: S311 - reproducible on purpose
    return plan


def truth(plan: CameraPlan, *, ports_probed: bool = True) -> dict[tuple[str, str], str]:
    return {(e.check, e.subject): e.verdict for e in expected(plan, ports_probed=ports_probed)}


def test_every_fault_has_its_effects_written_down() -> None:
    assert set(EFFECTS) == set(FAULTS)


def test_every_effect_is_on_a_check_that_exists() -> None:
    assert {check for effects in EFFECTS.values() for check, _, _ in effects} <= set(CHECKS)


def test_every_check_has_a_fault_that_fails_it() -> None:
    assert {check for effects in EFFECTS.values() for check, _, word in effects if word == "fail"} == set(CHECKS)


@pytest.mark.parametrize("one_address", [False, True], ids=["own addresses", "one address"])
@pytest.mark.parametrize("seed", range(5))
def test_every_check_is_decided_for_every_camera_as_a_whole_or_by_parts(seed: int, one_address: bool) -> None:
    estate = plan_estate(Options(cameras=100, seed=seed), one_address=one_address, low_ports=True)
    for camera in estate.cameras:
        subjects = defaultdict(list)
        for entry in expected(camera, ports_probed=estate.ports_probed):
            subjects[entry.check].append(entry.subject)
        assert set(subjects) == set(CHECKS)
        for found in subjects.values():
            assert len(found) == len(set(found))
            assert found == [""] or "" not in found


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("family", VENDORS)
def test_every_fault_changes_the_camera(name: str, family: str) -> None:
    plan = clean(family)
    if not fits(name, plan, shared_address=False):
        assert family not in FAULTS[name].vendors
        return
    faulty = with_faults(plan, name)
    assert faulty.faults == (name,)
    changed = {f for f in CameraPlan.__slots__ if getattr(plan, f) != getattr(faulty, f)}
    already_so = {"wsse-only": plan.auth == "wsse", "sha256-only": plan.auth == "digest-sha256"}
    assert changed > {"faults"} or already_so.get(name)


UNKNOWN = {
    "hikvision": {"unsigned-apps"},
    "dahua": {"unsigned-apps"},
    "hanwha": {"lockout-off", "unsigned-apps"},
    "onvif": {"default-credentials", "firmware-outdated", "lockout-off", "snmp-v1-v2c", "unsigned-apps"},
}


@pytest.mark.parametrize("family", VENDORS)
def test_a_clean_camera_passes_everything_that_can_be_known(family: str) -> None:
    unknown = {check for (check, _), word in truth(clean(family)).items() if word != "pass"}
    assert unknown == UNKNOWN.get(family, set())


ROWS: dict[str, Row] = {
    "telnet": ("axis", ("telnet-open",), {("telnet-open", ""): "fail", ("unexpected-port", ""): "pass"}),
    "a vendor's port": ("hikvision", ("unexpected-port",), {("unexpected-port", "tcp/8000"): "fail"}),
    "one of two documented accounts": (
        "dahua",
        ("default-credentials",),
        {("default-credentials", "admin"): "pass", ("default-credentials", "888888"): "fail"},
    ),
    "Basic in clear text": (
        "axis",
        ("http-basic-cleartext",),
        {
            ("http-basic-cleartext", "tcp/80"): "fail",
            ("http-basic-cleartext", "tcp/443"): "pass",
            ("http-cleartext-management", "tcp/80"): "fail",
        },
    ),
    "no TLS at all": (
        "axis",
        ("no-https",),
        {("tls-certificate", ""): "not-applicable", ("http-basic-cleartext", "tcp/80"): "pass"},
    ),
    "TLS only": ("axis", ("http-xaddr",), {("http-cleartext-management", ""): "pass"}),
    "factory default": (
        "axis",
        ("factory-default",),
        {
            ("factory-default-state", ""): "fail",
            ("anonymous-onvif", ""): "fail",
            ("default-credentials", ""): "unknown",
            ("too-many-administrators", ""): "unknown",
            ("http-basic-cleartext", ""): "not-applicable",
        },
    ),
    "a weakness behind a closed door is unknown": (
        "dahua",
        ("too-many-administrators", "unexpected-port", "no-login"),
        {
            ("too-many-administrators", ""): "unknown",
            ("unexpected-port", ""): "unknown",
            ("default-credentials", ""): "unknown",
            ("factory-default-state", ""): "unknown",
            ("clock-skew", ""): "pass",
        },
    ),
    "applications that nobody signed": ("axis", ("unsigned-apps",), {("unsigned-apps", ""): "fail"}),
    "a firmware that knows no signatures": (
        "axis",
        ("unsigned-apps", "firmware-outdated"),
        {("unsigned-apps", ""): "unknown", ("firmware-outdated", ""): "fail"},
    ),
    "the order of the faults does not matter": (
        "dahua",
        ("no-login", "too-many-administrators"),
        {("too-many-administrators", ""): "unknown"},
    ),
    "some vendors say without a login who they are": (
        "hikvision",
        ("no-login", "default-credentials"),
        {("default-credentials", "admin"): "fail", ("factory-default-state", ""): "pass"},
    ),
    "others say it in WS-Discovery": (
        "hanwha",
        ("no-login", "discovery-left-on"),
        {("default-credentials", "admin"): "pass", ("factory-default-state", ""): "pass"},
    ),
    "nothing is tried on a locked camera": (
        "axis",
        ("locked", "default-credentials"),
        {("default-credentials", ""): "unknown", ("anonymous-onvif", ""): "unknown"},
    ),
}


@pytest.mark.parametrize(("family", "faults", "words"), ROWS.values(), ids=ROWS)
def test_what_must_be_found(family: str, faults: tuple[str, ...], words: Mapping[tuple[str, str], str]) -> None:
    found = truth(with_faults(clean(family), *faults))
    assert {key: found.get(key) for key in words} == words


def test_ports_mean_nothing_on_a_shared_address() -> None:
    found = truth(clean(), ports_probed=False)
    assert {check for (check, _), word in found.items() if word == "unknown"} == {
        "telnet-open",
        "ftp-open",
        "unexpected-port",
        "snmp-public",
    }


@pytest.mark.parametrize(("fault", "reason"), [("wrong-login", "unauthorized"), ("locked", "locked-out")])
def test_an_unknown_with_one_possible_reason_names_it(fault: str, reason: str) -> None:
    entries = expected(with_faults(clean(), fault), ports_probed=True)
    assert next(e.reason for e in entries if e.check == "firmware-outdated") == reason
    assert next(e.reason for e in entries if e.check == "clock-skew") is None

"""Time, discovery, firmware, certificates and accounts: what falls behind when nobody looks."""

from dataclasses import replace
from datetime import date

import pytest

from cameras.facts import (
    Account,
    Accounts,
    Clock,
    ClockSource,
    DiscoveryMode,
    Identity,
    Lockout,
    SnmpAnswer,
    Switch,
    Switches,
    TlsPosture,
    TlsPostures,
    UnsignedApps,
)
from scanners.checks import (
    clock_skew,
    discovery_left_on,
    firmware_outdated,
    lockout_off,
    ntp_not_configured,
    snmp_public,
    snmp_v1_v2c,
    tls_certificate,
    too_many_administrators,
    unsigned_apps,
)
from scanners.knowledge import FirmwareCatalogue
from tests.checks.evidence import CERTIFICATE, CLOCK, IDENTITY, VISIT, said

SKEWS = {
    "right": (0.0, 1.0, "pass", "0 s"),
    "off by the limit": (10.0, 0.0, "pass", "10 s ahead"),
    "off by a little more than the limit": (10.1, 0.0, "fail", "10 s ahead"),
    "off by the limit and the uncertainty": (-11.5, 1.5, "pass", "12 s behind"),
    "off by more than both": (-11.6, 1.5, "fail", "12 s behind"),
    "nearly three hours ahead": (10740.0, 1.1, "fail", "the clock is 2 h 59 min ahead"),
    "a day and two hours behind": (-93600.0, 1.1, "fail", "1 d 2 h behind"),
    "eight years behind": (-252288000.0, 1.1, "fail", "2920 d behind"),
    "no readable time": (None, None, "unknown", "no time"),
    "no known uncertainty": (0.0, None, "unknown", "no time"),
    "not a number": (float("nan"), 1.0, "unknown", "no time"),
    "without end": (float("inf"), 1.0, "unknown", "no time"),
}


@pytest.mark.parametrize(("skew", "uncertainty", "expected", "words"), SKEWS.values(), ids=SKEWS)
def test_clock_skew(skew: float | None, uncertainty: float | None, expected: str, words: str) -> None:
    clock = replace(CLOCK, skew_s=skew, uncertainty_s=uncertainty)
    judgements = clock_skew.CHECK.evaluate(clock, VISIT.policy)
    assert said(judgements) == {"": expected}
    assert words.casefold() in judgements[0].summary.casefold()


SOURCES = {
    "a server": ("ntp", False, ("192.0.2.1",), "pass"),
    "a server by DHCP": ("ntp", True, (), "pass"),
    "a server, DHCP not told": ("ntp", None, ("192.0.2.1",), "pass"),
    "by hand": ("manual", False, (), "fail"),
    "by hand although servers are named": ("manual", True, ("192.0.2.1",), "fail"),
    "NTP without a server": ("ntp", False, (), "fail"),
    "NTP without a server, DHCP not told": ("ntp", None, (), "unknown"),
    "source not told": (None, True, ("192.0.2.1",), "unknown"),
    "source not told, no server": (None, False, (), "unknown"),
}


@pytest.mark.parametrize(("source", "from_dhcp", "servers", "expected"), SOURCES.values(), ids=SOURCES)
def test_ntp_not_configured(
    source: str | None, from_dhcp: bool | None, servers: tuple[str, ...], expected: str
) -> None:
    clock = Clock(source, None, None, None, None)  # type: ignore[arg-type] # a row gives any word
    assert said(ntp_not_configured.CHECK.evaluate(clock, ClockSource(from_dhcp, servers))) == {"": expected}


@pytest.mark.parametrize(("discoverable", "expected"), [(True, "fail"), (False, "pass")])
def test_discovery_left_on(discoverable: bool, expected: str) -> None:
    assert said(discovery_left_on.CHECK.evaluate(DiscoveryMode(discoverable))) == {"": expected}


FIRMWARE = {
    "the newest": ("AXIS", "P3265-V", "12.11.77", "pass"),
    "newer than the catalogue": ("AXIS", "P3265-V", "12.12.1", "pass"),
    "older": ("AXIS", "P3265-V", "10.12.130", "fail"),
    "older, manufacturer and model in other case": ("Axis", "p3265-v ", "10.12.130", "fail"),
    "a build of the same number, earlier": ("HIKVISION", "DS-2CD2143G2-I", "V5.7.3 build 220111", "fail"),
    "the same number without its build": ("HIKVISION", "DS-2CD2143G2-I", "V5.7.3", "unknown"),
    "another OEM's firmware": ("Dahua", "IPC-HDW2831T-ZS", "2.400.HW00.2.R, Build Date 2019-08-12", "unknown"),
    "older Dahua": ("Dahua", "IPC-HDW2831T-ZS", "2.800.0000000.16.R, Build Date 2021-06-09", "fail"),
    "older Hanwha": ("Hanwha Vision", "QNO-6082R", "1.41.02_20210528_R351", "fail"),
    "newest Hanwha by its former name": ("Samsung Techwin", "QNO-6082R", "1.41.18_20231115_R455", "pass"),
    "a model that only begins like a known one": ("AXIS", "P3265-VE", "10.12.130", "unknown"),
    "a known model of another maker": ("Northlight", "P3265-V", "10.12.130", "unknown"),
    "unreadable": ("AXIS", "P3265-V", "latest", "unknown"),
    "a development snapshot": ("AXIS", "P3265-V", "12.6+snapshot-20250722", "unknown"),
    "no firmware told": ("AXIS", "P3265-V", None, "unknown"),
    "no model told": ("AXIS", None, "12.11.77", "unknown"),
    "no manufacturer told": (None, "P3265-V", "12.11.77", "unknown"),
}


@pytest.mark.parametrize(("maker", "model", "firmware", "expected"), FIRMWARE.values(), ids=FIRMWARE)
def test_firmware_outdated(maker: str | None, model: str | None, firmware: str | None, expected: str) -> None:
    identity = replace(IDENTITY, manufacturer=maker, model=model, firmware=firmware)
    assert said(firmware_outdated.CHECK.evaluate(identity, VISIT.firmware)) == {"": expected}


def catalogue(*models: dict[str, str], expires: date | None = None) -> FirmwareCatalogue:
    vendor = {"manufacturers": ("AXIS",), "scheme": "axis", "models": models}
    values = {
        "format": "camwarden/firmware/1",
        "dated": date(2026, 11, 1),
        "sources": ("a test",),
        "vendors": (vendor,),
    }
    return FirmwareCatalogue.model_validate({**values, "expires": expires}).seen_on(date(2026, 12, 1))


ACTIVE = {"model": "P3265-V", "newest": "12.11.77"}
LTS_2022 = {"model": "P3265-V", "newest": "10.12.262", "track": "LTS 2022", "train": "10.12"}
MAJOR_10 = {"model": "P3265-V", "newest": "10.20.1", "track": "10", "train": "10"}
TRACKS = {
    "the newest of its own track": ("10.12.262", (ACTIVE, LTS_2022), "pass"),
    "older on its own track": ("10.12.130", (ACTIVE, LTS_2022), "fail"),
    "no track claims it, so the general row counts": ("11.0.1", (ACTIVE, LTS_2022), "fail"),
    "the longer train wins": ("10.12.262", (MAJOR_10, LTS_2022), "pass"),
    "a train is whole numbers": ("10.121.1", (ACTIVE, LTS_2022), "fail"),
    "no row fits": ("11.0.1", (LTS_2022,), "unknown"),
}


@pytest.mark.parametrize(("installed", "rows", "expected"), TRACKS.values(), ids=TRACKS)
def test_each_track_has_its_own_newest(installed: str, rows: tuple[dict[str, str], ...], expected: str) -> None:
    identity: Identity = replace(IDENTITY, firmware=installed)
    assert said(firmware_outdated.CHECK.evaluate(identity, catalogue(*rows))) == {"": expected}


def test_the_age_of_the_catalogue_is_told() -> None:
    [judgement] = firmware_outdated.CHECK.evaluate(IDENTITY, catalogue(ACTIVE, expires=date(2026, 11, 30)))
    assert judgement.summary.endswith("12.11.77 in the catalogue of 2026-11-01, 30 days old, expired")
    told = {key: judgement.evidence[key] for key in ("catalogue_dated", "catalogue_age_days", "catalogue_expired")}
    assert told == {"catalogue_dated": "2026-11-01", "catalogue_age_days": 30, "catalogue_expired": True}


def test_a_catalogue_is_good_on_the_day_that_it_expires() -> None:
    [judgement] = firmware_outdated.CHECK.evaluate(IDENTITY, catalogue(ACTIVE, expires=date(2026, 12, 1)))
    assert judgement.evidence["catalogue_expired"] is False


# Seen on 2026-12-01 at 08:00.
CERTIFICATES = {
    "good": (CERTIFICATE, []),
    "ends in 30 days and a second": (replace(CERTIFICATE, not_after="2026-12-31T08:00:01Z"), []),
    "ends in 30 days": (replace(CERTIFICATE, not_after="2026-12-31T08:00:00Z"), ["expires in 30 d"]),
    "ends this second": (replace(CERTIFICATE, not_after="2026-12-01T08:00:00Z"), ["expires in 0 s"]),
    "ended": (replace(CERTIFICATE, not_after="2026-11-29T05:00:00Z"), ["expired 2 d 3 h ago"]),
    "begins this second": (replace(CERTIFICATE, not_before="2026-12-01T08:00:00Z"), []),
    "begins later": (replace(CERTIFICATE, not_before="2026-12-02T09:00:00Z"), ["is not valid for another 1 d 1 h"]),
    "dates without a zone": (
        replace(CERTIFICATE, not_before="2026-01-01T00:00:00", not_after="2027-12-01T00:00:00"),
        [],
    ),
    "self-signed": (replace(CERTIFICATE, self_signed=True), ["is signed by itself"]),
    "RSA one bit short": (replace(CERTIFICATE, key_bits=2047), ["has an RSA key of only 2047 bits"]),
    "a short elliptic curve": (replace(CERTIFICATE, key_type="EC", key_bits=256), []),
    "Ed25519": (replace(CERTIFICATE, key_type="Ed25519", key_bits=None, signature_hash=None), []),
    "SHA-1": (replace(CERTIFICATE, signature_hash="SHA-1"), ["is signed with SHA-1"]),
    "MD5": (replace(CERTIFICATE, signature_hash="md5"), ["is signed with md5"]),
    "SHA-512": (replace(CERTIFICATE, signature_hash="sha512"), []),
    "everything at once": (
        replace(CERTIFICATE, self_signed=True, key_bits=1024, signature_hash="sha1", not_after="2026-11-30T08:00:00Z"),
        ["expired 1 d ago", "is signed by itself", "has an RSA key of only 1024 bits", "is signed with sha1"],
    ),
}


@pytest.mark.parametrize(("certificate", "faults"), CERTIFICATES.values(), ids=CERTIFICATES)
def test_tls_certificate(certificate: TlsPosture, faults: list[str]) -> None:
    judgements = tls_certificate.CHECK.evaluate(TlsPostures("2026-12-01T08:00:00+00:00", (certificate,)), VISIT.policy)
    assert said(judgements) == {"tcp/443": "fail" if faults else "pass"}
    assert judgements[0].evidence["faults"] == faults
    assert all(fault in judgements[0].summary for fault in faults)


ENDPOINTS = {
    "none": ((), {"": "not-applicable"}),
    "one good, one bad": (
        (CERTIFICATE, replace(CERTIFICATE, port=8443, self_signed=True)),
        {"tcp/443": "pass", "tcp/8443": "fail"},
    ),
    "an RSA key of unknown size": ((replace(CERTIFICATE, key_bits=None),), {"tcp/443": "unknown"}),
    "an RSA key of unknown size, self-signed": (
        (replace(CERTIFICATE, key_bits=None, self_signed=True),),
        {"tcp/443": "fail"},
    ),
}


@pytest.mark.parametrize(("endpoints", "expected"), ENDPOINTS.values(), ids=ENDPOINTS)
def test_each_tls_endpoint_is_a_subject(endpoints: tuple[TlsPosture, ...], expected: dict[str, str]) -> None:
    postures = TlsPostures("2026-12-01T08:00:00+00:00", endpoints)
    assert said(tls_certificate.CHECK.evaluate(postures, VISIT.policy)) == expected


ROLES = {
    "nobody": ((), "unknown"),
    "no administrator": (("Operator", "User"), "pass"),
    "two administrators": (("Administrator", "Administrator", "User"), "pass"),
    "three administrators": (("Administrator",) * 3, "fail"),
    "three administrators in lower case": (("administrator",) * 3, "fail"),
    "three operators": (("Operator",) * 3, "pass"),
}


@pytest.mark.parametrize(("roles", "expected"), ROLES.values(), ids=ROLES)
def test_too_many_administrators(roles: tuple[str, ...], expected: str) -> None:
    accounts = Accounts(tuple(Account(f"account-{i}", role) for i, role in enumerate(roles)))
    assert said(too_many_administrators.CHECK.evaluate(accounts, VISIT.policy)) == {"": expected}


def test_a_long_list_of_administrators_does_not_fill_the_summary() -> None:
    accounts = Accounts(tuple(Account(f"account-{i}", "Administrator") for i in range(500)))
    [judgement] = too_many_administrators.CHECK.evaluate(accounts, VISIT.policy)
    assert judgement.summary.startswith("500 accounts of 500 may administer (account-0, ")
    assert "and 495 more" in judgement.summary


LOCKS: dict[str, tuple[Lockout, str]] = {
    "on, with numbers": (Lockout(enabled=True, tries=5, lock_s=1800), "pass"),
    "on, and no more is said": (Lockout(enabled=True, tries=None, lock_s=None), "pass"),
    "off": (Lockout(enabled=False, tries=5, lock_s=1800), "fail"),
    "it does not say": (Lockout(enabled=None, tries=5, lock_s=None), "unknown"),
}


@pytest.mark.parametrize(("lockout", "expected"), LOCKS.values(), ids=LOCKS)
def test_lockout_off(lockout: Lockout, expected: str) -> None:
    assert said(lockout_off.CHECK.evaluate(lockout)) == {"": expected}


SNMP: dict[str, tuple[Switches, str]] = {
    "on": (Switches((Switch("ssh", on=False), Switch("snmp-v1-v2c", on=True))), "fail"),
    "off": (Switches((Switch("snmp-v1-v2c", on=False),)), "pass"),
    "it does not say": (Switches((Switch("snmp-v1-v2c", on=None),)), "unknown"),
    "it has no such switch": (Switches((Switch("ssh", on=True),)), "unknown"),
}


@pytest.mark.parametrize(("switches", "expected"), SNMP.values(), ids=SNMP)
def test_snmp_v1_v2c(switches: Switches, expected: str) -> None:
    assert said(snmp_v1_v2c.CHECK.evaluate(switches)) == {"": expected}


PUBLIC: dict[str, tuple[SnmpAnswer, str, str]] = {
    "nothing answers": (
        SnmpAnswer(None, None, None),
        "pass",
        "Nothing answered to SNMP v1 or v2c with the community public",
    ),
    "it answers": (
        SnmpAnswer("v2c", "Linux", "1.3.6.1.4.1.368.4"),
        "fail",
        "SNMP v2c answers to the community public and calls itself 'Linux'",
    ),
    "it answers, and keeps its name to itself": (
        SnmpAnswer("v1", None, None),
        "fail",
        "SNMP v1 answers to the community public",
    ),
}


@pytest.mark.parametrize(("answer", "expected", "words"), PUBLIC.values(), ids=PUBLIC)
def test_snmp_public(answer: SnmpAnswer, expected: str, words: str) -> None:
    [judgement] = snmp_public.CHECK.evaluate(answer)
    assert (judgement.subject, str(judgement.outcome), judgement.summary) == ("", expected, words)
    shown = {"version": answer.version, "description": answer.description, "object_id": answer.object_id}
    assert judgement.evidence == (shown if answer.version else {})


UNSIGNED = {
    "only signed ones": (False, "pass", "It takes signed applications only"),
    "any": (True, "fail", "It takes applications that nobody has signed"),
    "not said": (None, "unknown", "The camera does not say whether it takes applications that nobody has signed"),
}


@pytest.mark.parametrize(("allowed", "expected", "words"), UNSIGNED.values(), ids=UNSIGNED)
def test_unsigned_apps(allowed: bool | None, expected: str, words: str) -> None:
    [judgement] = unsigned_apps.CHECK.evaluate(UnsignedApps(allowed))
    assert (judgement.subject, str(judgement.outcome), judgement.summary) == ("", expected, words)

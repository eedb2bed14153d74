"""From a dossier to verdicts: gaps, faults of ours, hostile words, and cameras that say yes to everything."""

import json
import logging
from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from typing import get_args

import pytest

from cameras.facts import (
    Account,
    Accounts,
    AnonymousOnvif,
    AnonymousPicture,
    AnonymousPictures,
    AnonymousStreams,
    Banners,
    Clock,
    CredentialTrials,
    Gap,
    GapReason,
    LoginPage,
    LoginPages,
    OpenPorts,
    SetupState,
    TlsPostures,
)
from scanners import evaluate as runner
from scanners.checks import CHECKS
from scanners.dossier import NOT_KNOWN, Dossier, dump, load
from scanners.evaluate import TO_DO, WHAT, evaluate
from scanners.knowledge import Table
from scanners.model import Check, Judgement, Outcome, Verdict, failed, passed
from scanners.score import score
from tests.checks.evidence import DOSSIER, KNOWLEDGE, PLAIN, banner

REASONS: tuple[GapReason, ...] = get_args(GapReason)
ABOUT_THE_VISIT = {"address", "port", "scheme", "collected_at", "login", "quirks"}


def verdicts_of(dossier: Dossier, check: str) -> list[Verdict]:
    return [verdict for verdict in evaluate(dossier, KNOWLEDGE) if verdict.check == check]


def without(*facts: type, reason: GapReason = "unauthorized") -> Dossier:
    """The clean dossier with a gap in place of these facts."""
    gap = Gap(reason, "said the camera")
    names = {f.name for f in fields(DOSSIER) if type(getattr(DOSSIER, f.name)) in facts}
    assert len(names) == len(facts)
    return replace(DOSSIER, **dict.fromkeys(names, gap))  # type: ignore[arg-type]


def test_a_camera_with_nothing_wrong_passes_everywhere() -> None:
    verdicts = evaluate(DOSSIER, KNOWLEDGE)
    assert {verdict.verdict for verdict in verdicts} == {Outcome.PASS}
    assert list(dict.fromkeys(verdict.check for verdict in verdicts)) == [check.id for check in CHECKS]
    assert score(verdicts) == 100


def test_a_verdict_carries_what_its_reader_needs() -> None:
    for check in CHECKS:
        for verdict in verdicts_of(DOSSIER, check.id):
            told = (verdict.severity, verdict.title, verdict.remediation, verdict.references, verdict.standards)
            assert told == (check.severity, check.title, check.remediation, check.references, check.standards)
            assert verdict.reason is None
            assert verdict.summary


GAPS = [(check, need) for check in CHECKS for need in check.needs if not issubclass(need, Table)]


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize(("check", "need"), GAPS, ids=[f"{check.id} without {need.__name__}" for check, need in GAPS])
def test_a_gap_in_a_need_is_one_unknown_with_its_reason(check: Check, need: type, reason: GapReason) -> None:
    [verdict] = verdicts_of(without(need, reason=reason), check.id)
    assert (verdict.verdict, verdict.subject, verdict.reason) == (Outcome.UNKNOWN, "", reason)
    assert WHAT[need] in verdict.summary
    assert TO_DO[reason] in verdict.summary
    assert verdict.evidence == {need.__name__: {"gap": reason, "detail": "said the camera"}}


def test_a_gap_touches_only_the_checks_that_need_it() -> None:
    touched = {v.check for v in evaluate(without(Accounts), KNOWLEDGE) if v.verdict is Outcome.UNKNOWN}
    assert touched == {"too-many-administrators"}


def test_two_gaps_are_one_verdict_that_names_both() -> None:
    [verdict] = verdicts_of(without(OpenPorts, Banners, reason="not-asked"), "telnet-open")
    assert set(verdict.evidence) == {"OpenPorts", "Banners"}


def test_every_gap_has_words() -> None:
    assert set(TO_DO) == set(REASONS)
    assert set(WHAT) == {need for _, need in GAPS}


def test_a_dossier_of_gaps_has_a_verdict_for_every_check_and_none_that_says_fail() -> None:
    facts = {f.name for f in fields(DOSSIER)} - ABOUT_THE_VISIT
    nothing = replace(DOSSIER, **dict.fromkeys(facts, Gap("unreachable", "")))  # type: ignore[arg-type]
    verdicts = evaluate(nothing, KNOWLEDGE)
    assert [verdict.check for verdict in verdicts] == [check.id for check in CHECKS]
    assert {verdict.verdict for verdict in verdicts} == {Outcome.UNKNOWN}
    assert score(verdicts) == 18  # a quarter of every weight is lost


def test_evidence_that_does_not_decide_says_so() -> None:
    [verdict] = verdicts_of(replace(DOSSIER, setup_state=SetupState(())), "factory-default-state")
    assert (verdict.verdict, verdict.reason) == (Outcome.UNKNOWN, "undecided")


def broken(_answer: object) -> Sequence[Judgement]:
    raise ZeroDivisionError("of ours")


def mute(_answer: object) -> Sequence[Judgement]:
    return []


@pytest.mark.parametrize(("says", "reason"), [(broken, "ZeroDivisionError"), (mute, "ValueError")])
def test_a_fault_of_a_check_is_an_error_and_stops_no_other(
    says: object, reason: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    faulty = replace(CHECKS[1], evaluate=says)  # type: ignore[arg-type]
    monkeypatch.setattr(runner, "CHECKS", (CHECKS[0], faulty, *CHECKS[2:]))
    with caplog.at_level(logging.ERROR):
        verdicts = evaluate(DOSSIER, KNOWLEDGE)
    assert list(dict.fromkeys(verdict.check for verdict in verdicts)) == [check.id for check in CHECKS]
    [error] = [verdict for verdict in verdicts if verdict.verdict is not Outcome.PASS]
    assert (error.check, error.verdict, error.subject, error.reason) == (faulty.id, Outcome.ERROR, "", reason)
    assert "of ours" not in error.summary
    [record] = caplog.records
    assert record.exc_info


def test_a_check_that_needs_what_no_dossier_holds_is_an_error() -> None:
    [verdict] = runner.run(replace(CHECKS[0], needs=(int,)), DOSSIER, KNOWLEDGE)
    assert (verdict.verdict, verdict.reason) == (Outcome.ERROR, "KeyError")


def test_of_two_judgements_of_one_subject_the_worse_speaks() -> None:
    judgements = [passed("good", subject="tcp/80"), failed("bad", subject="tcp/80"), passed("good", subject="tcp/80")]
    check = replace(CHECKS[0], evaluate=lambda _answer: [*judgements, passed("other", subject="tcp/81")])
    told = [(verdict.subject, verdict.summary) for verdict in runner.run(check, DOSSIER, KNOWLEDGE)]
    assert told == [("tcp/80", "bad"), ("tcp/81", "other")]


def test_one_port_that_answers_with_and_without_tls_is_one_finding() -> None:
    both = LoginPages(
        (
            replace(PLAIN, port=8443, tls=True, schemes=("basic",), redirects_to=None),
            replace(PLAIN, port=8443, tls=False, schemes=("basic",), redirects_to=None),
        )
    )
    [verdict] = verdicts_of(replace(DOSSIER, login_pages=both), "http-basic-cleartext")
    assert (verdict.subject, verdict.verdict) == ("tcp/8443", Outcome.FAIL)


# A web server that answers 200 with a bland page to every path, on every port, and speaks no protocol of cameras.
BLAND = replace(
    without(Accounts, Clock, reason="garbled"),
    identity=Gap("garbled", "HTML for XML"),
    network_services=Gap("garbled", "HTML for XML"),
    clock_source=Gap("garbled", "HTML for XML"),
    discovery_mode=Gap("garbled", "HTML for XML"),
    lockout=Gap("unsupported", "it shows no API of a vendor"),
    switches=Gap("unsupported", "it shows no API of a vendor"),
    unsigned_apps=Gap("unsupported", "it shows no API of a vendor"),
    open_ports=OpenPorts(KNOWLEDGE.ports.numbers, closed=(), silent=()),
    banners=Banners(tuple(banner(p, None, "HTTP/1.0 200 OK") for p in (21, 22, 23, 2121, 2323, 9527, 9530))),
    login_pages=LoginPages(
        (
            LoginPage("http://192.0.2.5/", 80, tls=False, status=200, schemes=None, redirects_to=None, server=None),
            LoginPage("https://192.0.2.5/", 443, tls=True, status=200, schemes=None, redirects_to=None, server=None),
        )
    ),
    anonymous_onvif=AnonymousOnvif(answered=(), refused=()),
    anonymous_pictures=AnonymousPictures((AnonymousPicture("http://192.0.2.5/snap", 200, picture=False),)),
    anonymous_streams=AnonymousStreams(()),
    setup_state=SetupState(()),
    credential_trials=CredentialTrials("axis", "accepted", "HTTP 200", ()),
    tls_postures=TlsPostures("2026-12-01T08:00:00+00:00", ()),
)


def test_no_check_sees_in_a_bland_page_what_it_has_no_proof_for() -> None:
    """It does answer over plain HTTP: that alone is seen and fails."""
    verdicts = evaluate(BLAND, KNOWLEDGE)
    assert {verdict.check for verdict in verdicts if verdict.verdict is Outcome.FAIL} == {"http-cleartext-management"}
    decided = {verdict.check for verdict in verdicts if verdict.verdict is not Outcome.UNKNOWN}
    assert decided == {
        "http-cleartext-management",
        "http-basic-cleartext",
        "snmp-public",  # it keeps silent there
        "tls-certificate",
    }


def test_a_bland_device_that_lets_every_login_in_has_no_default_password() -> None:
    [verdict] = verdicts_of(BLAND, "default-credentials")
    assert (verdict.verdict, verdict.reason) == (Outcome.UNKNOWN, "undecided")


HOSTILE = "<script>alert(1)</script>{0}{evidence}%s%n\\x00'\"; DROP TABLE cameras; ${7*7} \u202e\n|a|b|"


def hostile(value: object) -> object:
    """The same fact with every text replaced by the hostile one."""
    if isinstance(value, tuple):
        return tuple(hostile(item) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: hostile(getattr(value, f.name)) for f in fields(value)})
    return HOSTILE if isinstance(value, str) else value


def test_hostile_words_stay_data() -> None:
    accounts = Accounts(tuple(Account(f"{HOSTILE}{i}", "Administrator") for i in range(3)))
    facts = {f.name: hostile(getattr(DOSSIER, f.name)) for f in fields(DOSSIER) if f.name not in ABOUT_THE_VISIT}
    kept = {"accounts": accounts, "clock": DOSSIER.clock, "tls_postures": DOSSIER.tls_postures}
    dossier = replace(DOSSIER, **{**facts, **kept})  # type: ignore[arg-type]
    verdicts = evaluate(dossier, KNOWLEDGE)
    assert not [verdict for verdict in verdicts if verdict.verdict is Outcome.ERROR]
    [administrators] = [verdict for verdict in verdicts if verdict.check == "too-many-administrators"]
    assert administrators.evidence["administrators"] == [account.name for account in accounts.users]
    [firmware] = [verdict for verdict in verdicts if verdict.check == "firmware-outdated"]
    assert firmware.verdict is Outcome.UNKNOWN
    assert firmware.evidence["model"] == HOSTILE


@pytest.mark.parametrize("dossier", [DOSSIER, BLAND, without(Accounts)], ids=["clean", "bland", "with a gap"])
def test_evidence_travels_as_json_and_the_stored_dossier_is_judged_the_same(dossier: Dossier) -> None:
    verdicts = evaluate(dossier, KNOWLEDGE)
    for verdict in verdicts:
        assert json.loads(json.dumps(verdict.evidence, allow_nan=False)) == verdict.evidence
    assert evaluate(load(json.loads(json.dumps(dump(dossier)))), KNOWLEDGE) == verdicts


def test_a_dossier_of_an_earlier_version_says_what_was_not_asked() -> None:
    kept = {name: value for name, value in dump(DOSSIER).items() if name != "snmp"}
    assert load(kept) == replace(DOSSIER, snmp=NOT_KNOWN)

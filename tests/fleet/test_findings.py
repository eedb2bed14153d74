"""The life of a finding: what a visit, a person and the clock may do to it, and what they may not."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from cameras.facts import Gap, Hostname, Identity, NetworkInterface, NetworkInterfaces, Scopes
from fleet import estate
from fleet.errors import Invalid, NotFound
from fleet.estate import FindingFilter
from fleet.findings import triage as findings
from fleet.findings.lifecycle import TRANSITIONS, Seen
from fleet.findings.triage import FindingState, TriageAction
from fleet.scans.visits import DOSSIERS_KEPT, prune
from fleet.store import Store
from fleet.store import tables as t
from scanners.assessment import CameraAssessment
from scanners.dossier import Dossier
from scanners.model import Outcome, Severity
from tests.fleet.samples import (
    ERROR,
    FAIL,
    IDENTITY,
    NOON,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    Clock,
    assessed,
    camera,
    dossier,
    verdict,
)

OPEN, ACKNOWLEDGED, ACCEPTED, FIXED = FindingState
TELNET = ("telnet-open", "")
LATER = NOON + timedelta(days=7)

# --- what a visit says of a finding on (ports, "tcp/23") that was open before -----------------------------------------

NEXT_VISITS: dict[str, tuple[Mapping[tuple[str, str], Outcome], FindingState]] = {
    "fails again: stays open": ({("ports", "tcp/23"): FAIL}, OPEN),
    "passes: fixed": ({("ports", "tcp/23"): PASS}, FIXED),
    "does not apply any more: fixed": ({("ports", "tcp/23"): NOT_APPLICABLE}, FIXED),
    "is unknown: stays open": ({("ports", "tcp/23"): UNKNOWN}, OPEN),
    "is our own error: stays open": ({("ports", "tcp/23"): ERROR}, OPEN),
    "the whole camera passes: fixed": ({("ports", ""): PASS}, FIXED),
    "the whole camera is unknown: stays open": ({("ports", ""): UNKNOWN}, OPEN),
    "only another subject fails: fixed": ({("ports", "tcp/80"): FAIL}, FIXED),
    "another subject is unknown: stays open": ({("ports", "tcp/80"): UNKNOWN, ("ports", "tcp/81"): PASS}, OPEN),
    "it passes beside an unknown one: fixed": ({("ports", "tcp/80"): UNKNOWN, ("ports", "tcp/23"): PASS}, FIXED),
    "only another check is made: stays open": ({("clock", ""): PASS}, OPEN),
    "no check is made: stays open": ({}, OPEN),
}


@pytest.mark.parametrize(("outcomes", "state"), NEXT_VISITS.values(), ids=NEXT_VISITS)
async def test_the_next_visit(store: Store, outcomes: Mapping[tuple[str, str], Outcome], state: FindingState) -> None:
    await findings.record(store, assessed({("ports", "tcp/23"): FAIL}))
    await findings.record(store, assessed(outcomes))
    row = next(row for row in await _rows(store) if row.subject == "tcp/23")
    assert (row.state, row.fixed_at is None) == (state, state is not FIXED)


# --- every transition, and every one that is refused ------------------------------------------------------------------

STEPS = (*Seen, *TriageAction)
PAIRS = [(state, step) for state in FindingState for step in STEPS]


@pytest.mark.parametrize(("state", "step"), PAIRS, ids=[f"{state} and then {step}" for state, step in PAIRS])
async def test_every_pair_of_state_and_step(
    store: Store, clock: Clock, state: FindingState, step: Seen | TriageAction
) -> None:
    finding = await _in_state(store, clock, state)
    before = len((await estate.finding(store, finding)).events)
    refused = await _take(store, clock, finding, step)
    view = await estate.finding(store, finding)
    if (state, step) in TRANSITIONS:
        after, event = TRANSITIONS[state, step]
        assert (view.row.state, [one.event for one in view.events[before:]]) == (after, [event])
        assert not refused
    else:
        assert (view.row.state, len(view.events)) == (state, before)
        assert refused is isinstance(step, TriageAction)


async def _in_state(store: Store, clock: Clock, state: FindingState) -> str:
    await findings.record(store, assessed({TELNET: FAIL}))
    (row,) = await _rows(store)
    steps: dict[FindingState, Seen | TriageAction] = {
        ACKNOWLEDGED: TriageAction.ACKNOWLEDGE,
        ACCEPTED: TriageAction.ACCEPT,
        FIXED: Seen.CLEARED,
    }
    if state in steps:
        await _take(store, clock, row.id, steps[state])
    return row.id


async def _take(store: Store, clock: Clock, finding: str, step: Seen | TriageAction) -> bool:
    """Whether a person was refused."""
    if isinstance(step, TriageAction):
        done = await findings.triage(store, [finding], step, reason="because", until=LATER, actor="anna")
        return bool(done.refused)
    if step is Seen.EXPIRED:
        clock.forward(days=8)
        await findings.reopen_expired(store)
    else:
        await findings.record(store, assessed({TELNET: FAIL if step is Seen.FAILED else PASS}))
    return False


async def test_history_says_who_did_what_when_and_why(store: Store, clock: Clock) -> None:
    await findings.record(store, assessed({TELNET: FAIL}))
    (row,) = await _rows(store)
    clock.forward(hours=1)
    await findings.triage(store, [row.id], TriageAction.ACCEPT, reason="new in May", until=LATER, actor="anna")
    clock.forward(days=8)
    await findings.reopen_expired(store)
    await findings.record(store, assessed({TELNET: PASS}))
    events = [(one.event, one.actor, one.reason, one.until) for one in (await estate.finding(store, row.id)).events]
    assert events == [
        ("opened", "scan", None, None),
        ("accepted", "anna", "new in May", LATER),
        ("reopened", "clock", "it was accepted until 2026-03-08 12:00 UTC", None),
        ("fixed", "scan", None, None),
    ]


async def test_an_acceptance_that_ran_out_is_open_again_wherever_it_is_met_first(store: Store, clock: Clock) -> None:
    finding = await _in_state(store, clock, ACCEPTED)
    clock.forward(days=8)
    done = await findings.record(store, assessed({TELNET: FAIL}))
    assert (done.reopened, (await _rows(store))[0].state) == (1, OPEN)
    await _take(store, clock, finding, TriageAction.ACKNOWLEDGE)
    assert (await _rows(store))[0].state is ACKNOWLEDGED


async def test_a_read_opens_what_ran_out(store: Store, clock: Clock) -> None:
    await _in_state(store, clock, ACCEPTED)
    assert (await estate.overview(store)).findings.total == 0
    clock.forward(days=7)
    assert (await estate.overview(store)).findings.high == 1
    assert (await estate.devices(store)).items[0].worst is Severity.HIGH


async def test_an_accepted_risk_that_still_fails_stays_accepted(store: Store, clock: Clock) -> None:
    await _in_state(store, clock, ACCEPTED)
    clock.forward(days=1)
    await findings.record(store, assessed({TELNET: FAIL}))
    (row,) = await _rows(store)
    assert (row.state, row.reason, row.accepted_until, row.last_seen) == (ACCEPTED, "because", LATER, clock())


WRONG_REQUESTS = {
    "nothing chosen": ([], TriageAction.ACKNOWLEDGE, "because", None, "choose between"),
    "far too many": ([str(n) for n in range(501)], TriageAction.ACKNOWLEDGE, "because", None, "choose between"),
    "an acceptance without a reason": (["x"], TriageAction.ACCEPT, " \n", LATER, "say why"),
    "an acceptance without an end": (["x"], TriageAction.ACCEPT, "because", None, "until when"),
    "an end without a zone": (["x"], TriageAction.ACCEPT, "because", LATER.replace(tzinfo=None), "until when"),
    "an end that has passed": (["x"], TriageAction.ACCEPT, "because", NOON, "within the next"),
    "an end too far away": (["x"], TriageAction.ACCEPT, "because", NOON + timedelta(days=367), "within the next"),
}


@pytest.mark.parametrize(("ids", "action", "reason", "until", "said"), WRONG_REQUESTS.values(), ids=WRONG_REQUESTS)
async def test_triage_refuses_what_it_cannot_use(
    store: Store, ids: list[str], action: TriageAction, reason: str, until: datetime | None, said: str
) -> None:
    with pytest.raises(Invalid, match=said):
        await findings.triage(store, ids, action, reason=reason, until=until, actor="anna")


async def test_triage_names_each_finding_that_it_left_alone(store: Store) -> None:
    await findings.record(store, assessed({TELNET: FAIL, ("ftp-open", ""): FAIL}))
    await findings.record(store, assessed({TELNET: PASS}))
    ids = {row.check: row.id for row in await _rows(store)}
    asked = [ids["telnet-open"], "no-such-id", ids["ftp-open"], ids["ftp-open"]]
    done = await findings.triage(store, asked, TriageAction.ACKNOWLEDGE, reason="", until=None, actor="anna")
    assert done.changed == (ids["ftp-open"],)
    assert {refusal.finding: refusal.reason for refusal in done.refused} == {
        ids["telnet-open"]: "it is fixed: only a scan that sees it again can open it",
        "no-such-id": "there is no such finding",
    }


async def test_recording_says_what_it_changed(store: Store) -> None:
    first = await findings.record(store, assessed({TELNET: FAIL, ("ftp-open", ""): FAIL, ("clock", ""): UNKNOWN}))
    second = await findings.record(store, assessed({TELNET: PASS, ("ftp-open", ""): FAIL, ("clock", ""): FAIL}))
    third = await findings.record(store, assessed({TELNET: FAIL}))
    told = [(done.opened, done.reopened, done.fixed) for done in (first, second, third)]
    assert told == [(2, 0, 0), (1, 0, 1), (0, 1, 0)]
    assert first.camera == second.camera == third.camera


async def test_a_finding_shows_what_was_seen_last(store: Store) -> None:
    await findings.record(store, assessed({TELNET: FAIL}))
    worse = replace(verdict("telnet-open", FAIL), severity=Severity.CRITICAL, summary="a shell")
    await findings.record(store, CameraAssessment(dossier(), (worse,), 10))
    (row,) = await _rows(store)
    assert (row.severity, row.summary) == (Severity.CRITICAL, "a shell")
    assert (await estate.devices(store)).items[0].findings.critical == 1


async def test_only_the_last_visits_are_kept(store: Store) -> None:
    for score in range(DOSSIERS_KEPT + 5):
        done = await findings.record(store, assessed({TELNET: FAIL}, score=score))
    other = await findings.record(store, assessed({TELNET: FAIL}, dossier("10.0.0.9", identity=camera(9))))
    assert await prune(store) == 5
    history = (await estate.device(store, done.camera)).history
    assert [point.score for point in history] == list(range(5, DOSSIERS_KEPT + 5))
    assert len((await estate.device(store, other.camera)).history) == 1


# --- which camera was it? ---------------------------------------------------------------------------------------------

GAP = Gap("unauthorized", "it wants a login")
NAMELESS = Identity(None, None, None, None, None, None, "onvif")
INTERFACES = NetworkInterfaces((NetworkInterface("eth0", "B8:A4:4F:00:00:01".lower(), (), None),))


SAME_CAMERA = {
    "the same again": (dossier(), dossier()),
    "it moved to another address": (dossier(), dossier("10.0.0.2")),
    "its firmware spells the maker in capitals": (dossier(), dossier(identity=replace(IDENTITY, manufacturer="axis"))),
    "today it wants a login": (dossier(), dossier(identity=GAP)),
    "yesterday it wanted a login": (dossier(identity=GAP), dossier()),
    "it never says who it is": (dossier(identity=GAP), dossier(identity=NAMELESS)),
    "today it says only its MAC": (dossier(), dossier("10.0.0.2", identity=GAP, network_interfaces=INTERFACES)),
    "yesterday it said only its MAC": (dossier("10.0.0.2", identity=GAP, network_interfaces=INTERFACES), dossier()),
    "its serial is written anew, its MAC is not": (
        dossier(),
        dossier("10.0.0.2", identity=replace(IDENTITY, serial="NEW-1")),
    ),
}


@pytest.mark.parametrize(("first", "second"), SAME_CAMERA.values(), ids=SAME_CAMERA)
async def test_one_camera_stays_one(store: Store, first: Dossier, second: Dossier) -> None:
    one = await findings.record(store, assessed({TELNET: FAIL}, first))
    two = await findings.record(store, assessed({TELNET: FAIL}, second))
    assert (one.camera, (await estate.overview(store)).cameras) == (two.camera, 1)


_OTHER_MAC = "b8:a4:4f:00:00:02"
TWO_CAMERAS = {
    "two serials": (dossier(), dossier("10.0.0.2", identity=camera(2))),
    "one serial, two makers": (
        dossier(),
        dossier("10.0.0.2", identity=replace(IDENTITY, manufacturer="Dahua", mac=_OTHER_MAC)),
    ),
    "one made-up serial number, two MACs": (
        dossier(),
        dossier("10.0.0.2", identity=replace(IDENTITY, mac=_OTHER_MAC)),
    ),
    "two ports of one address, both nameless": (dossier(identity=GAP), dossier(port=8001, identity=GAP)),
    "a serial that says nothing": (
        dossier(identity=replace(IDENTITY, serial="00000000")),
        dossier("10.0.0.2", identity=replace(IDENTITY, serial="00000000", mac=_OTHER_MAC)),
    ),
    "a MAC of nothing but zeros": (
        dossier(identity=replace(IDENTITY, serial=None, mac="00:00:00:00:00:00")),
        dossier("10.0.0.2", identity=replace(IDENTITY, serial=None, mac="00:00:00:00:00:00")),
    ),
    "another camera took the address": (dossier(), dossier(identity=camera(2))),
    "serials of 100 kB that begin alike": (
        dossier(identity=replace(IDENTITY, serial="s" * 100_000 + "1", mac=None)),
        dossier("10.0.0.2", identity=replace(IDENTITY, serial="s" * 100_000 + "2", mac=None)),
    ),
}


@pytest.mark.parametrize(("first", "second"), TWO_CAMERAS.values(), ids=TWO_CAMERAS)
async def test_two_cameras_stay_two(store: Store, first: Dossier, second: Dossier) -> None:
    await findings.record(store, assessed({TELNET: FAIL}, first))
    await findings.record(store, assessed({TELNET: PASS}, second))
    overview = await estate.overview(store)
    assert (overview.cameras, overview.findings.total) == (2, 1)


async def test_what_a_camera_does_not_say_today_stays_as_it_was(store: Store) -> None:
    await findings.record(store, assessed({}, dossier(hostname=Hostname("lobby", None))))
    done = await findings.record(store, assessed({}, dossier(identity=GAP)))
    row = (await estate.device(store, done.camera)).row
    assert (row.name, row.model, row.firmware) == ("lobby", "P3265-V", "12.11.77")


NAMES = {
    "its host name": ({"hostname": Hostname("lobby", None)}, "lobby"),
    "else its ONVIF name": ({"scopes": Scopes(("onvif://www.onvif.org/name/Front%20door",))}, "Front door"),
    "else nothing": ({"scopes": Scopes(("onvif://www.onvif.org/type/ptz",))}, None),
}


@pytest.mark.parametrize(("facts", "name"), NAMES.values(), ids=NAMES)
async def test_a_camera_is_called(store: Store, facts: dict[str, object], name: str | None) -> None:
    await findings.record(store, assessed({}, dossier(**facts)))  # type: ignore[arg-type] # by name
    assert (await estate.devices(store)).items[0].name == name


# --- hostile words ----------------------------------------------------------------------------------------------------

HOSTILE = {
    "100 kB": "x" * 100_000,
    "SQL": "'; DROP TABLE cameras; --",
    "HTML": "<script>alert(1)</script>",
    "a terminal escape": "\x1b[2J\x1b]0;owned\x07",
    "a lone surrogate": "\ud800",
    "a direction override": "\u202ekcatta",
    "a null byte": "a\x00b",
    "wildcards": "%_%",
}


@pytest.mark.parametrize("word", HOSTILE.values(), ids=HOSTILE)
async def test_whatever_a_camera_says_is_only_text(store: Store, word: str) -> None:
    identity = Identity(word, word, word, word, word, word, "onvif")
    hostile = replace(verdict("telnet-open", FAIL), subject=word, summary=word, evidence={word: [word]})
    told = CameraAssessment(dossier(identity=identity, hostname=Hostname(word, None)), (hostile,), 10)
    done = await findings.record(store, told)
    await findings.record(store, told)
    view = await estate.device(store, done.camera)
    (row,) = await _rows(store)
    shown = (view.row.name, view.row.manufacturer, view.row.serial, row.subject, row.summary)
    assert all(
        text is None or (text.isprintable() and len(text) <= 500) for text in (*shown, *view.verdicts[0].evidence)
    )
    assert view.dossier is not None
    assert (await estate.devices(store)).total == 1


async def test_subjects_that_are_cut_to_the_same_do_not_hide_a_failure(store: Store) -> None:
    one, two = (verdict("ports", outcome, "x" * 300 + end) for outcome, end in ((FAIL, "1"), (PASS, "2")))
    await findings.record(store, CameraAssessment(dossier(), (one, two), 10))
    await findings.record(store, CameraAssessment(dossier(), (two, one), 10))
    assert [row.state for row in await _rows(store)] == [OPEN]


async def test_no_such_finding_or_camera(store: Store) -> None:
    with pytest.raises(NotFound):
        await estate.finding(store, "nothing")
    with pytest.raises(NotFound):
        await estate.device(store, "nothing")


async def test_recording_is_all_or_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    async def burst(*_: object) -> None:
        raise RuntimeError("the power went")

    monkeypatch.setattr("fleet.findings.ledger.append", burst)
    with pytest.raises(RuntimeError):
        await findings.record(store, assessed({TELNET: FAIL}))
    async with store.read() as connection:
        for table in (t.Camera, t.StoredDossier, t.CurrentVerdict, t.Finding):
            assert await connection.scalar(select(func.count()).select_from(table)) == 0


async def _rows(store: Store) -> list[estate.FindingRow]:
    return list((await estate.findings(store, FindingFilter(state=None))).items)

"""Findings: failed verdicts with a life, kept per (camera, check, subject)."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.untrusted import clean_text
from fleet.audit.trail import Action, Entry, record_all
from fleet.errors import Invalid
from fleet.findings import ledger, texts
from fleet.findings.ledger import Values, Word
from fleet.findings.lifecycle import TRANSITIONS, Event, FindingState, Seen, TriageAction, seen
from fleet.people.scope import EVERYWHERE, Scope
from fleet.scans import adoption
from fleet.scans.adoption import AnyRow
from fleet.scans.visits import Visit, keep_camera, keep_judgement, keep_verdicts, keep_wording, saying, visit
from fleet.store import Store
from fleet.store import tables as t
from fleet.store.ids import new_id
from scanners.assessment import CameraAssessment
from scanners.model import Outcome, Severity, Verdict

__all__ = [
    "FindingState",
    "Recorded",
    "Refusal",
    "TriageAction",
    "Triaged",
    "record",
    "record_again",
    "reopen_expired",
    "triage",
]

MOST_AT_ONCE = 500
LONGEST_ACCEPTANCE = timedelta(days=366)
_MOST_REASON = 1000
_SCAN = "scan"
_REJUDGED = "new knowledge"
_NEW = insert(t.Finding)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What one assessment changed. `camera` is the id of the camera's row."""

    camera: str
    opened: int
    reopened: int
    fixed: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A finding that triage left as it was, and why."""

    finding: str
    reason: str


@dataclass(frozen=True, slots=True)
class Triaged:
    changed: tuple[str, ...]
    refused: tuple[Refusal, ...]


async def record(store: Store, assessment: CameraAssessment) -> Recorded:
    """Keep one visit: the camera's row, its dossier, its verdicts and what they do to its findings: all or nothing."""
    this = visit(assessment.dossier, assessment.verdicts, assessment.score, store.now())
    await keep_wording(store, this.verdicts.values())
    async with store.write() as connection:
        before = await adoption.stored(connection, adoption.who(this.dossier))
        camera = before.id if before else new_id()
        changes = await _changes(connection, camera, this, Word(_SCAN, this.at))
        site = await keep_camera(connection, this, changes.live(), before, camera)
        await keep_verdicts(connection, camera, this.verdicts)
        await changes.write(connection, site)
        if before is not None and before.site != site:
            await connection.execute(update(t.Finding).where(t.Finding.camera == camera).values(site=site))
    return changes.recorded(camera)


async def record_again(
    connection: AsyncConnection, camera: str, this: Visit, now: datetime, site: str | None
) -> Recorded:
    """Another judgement of a visit that is stored already: what was seen, and when, stays as it is."""
    changes = await _changes(connection, camera, this, Word(_REJUDGED, now))
    await keep_judgement(connection, this, changes.live(), camera)
    await keep_verdicts(connection, camera, this.verdicts)
    await changes.write(connection, site)
    return changes.recorded(camera)


@dataclass(frozen=True, slots=True)
class _Changes:
    """The rows that one visit makes, refreshes and moves, so that each statement runs once.

    `texts` are what its findings say, by their numbers.
    """

    seen_at: datetime
    made: list[Values] = field(default_factory=list)
    refreshed: list[Values] = field(default_factory=list)
    moved: list[Values] = field(default_factory=list)
    events: list[Values] = field(default_factory=list)
    states: dict[str, tuple[FindingState, Severity]] = field(default_factory=dict)
    texts: dict[int, str] = field(default_factory=dict)

    def says(self, verdict: Verdict, check: str, subject: str) -> Values:
        """The columns of a finding that say what it is about."""
        values = saying(verdict)
        text = texts.text_of(check, subject, values["summary"])
        number = texts.number_of(text)
        self.texts[number] = text
        return {**values, "said": number}

    def move(self, finding: str, state: FindingState, happened: Seen, word: Word) -> FindingState:
        """The state that follows."""
        after, event = TRANSITIONS[state, happened]
        fixed_at = word.at if after is FindingState.FIXED else None
        cleared: Values = {"fixed_at": fixed_at, "accepted_until": None, "reason": None}
        self.moved.append({"finding": finding, "state": after.value, **cleared})
        self.events.append(ledger.event_row(finding, event, word))
        return after

    def recorded(self, camera: str) -> Recorded:
        events = Counter(Event(row["event"]) for row in self.events)
        return Recorded(camera, events[Event.OPENED], events[Event.REOPENED], events[Event.FIXED])

    def live(self) -> Counter[Severity]:
        return Counter(severity for state, severity in self.states.values() if state.value in t.LIVE)

    async def write(self, connection: AsyncConnection, site: str | None) -> None:
        await texts.keep(connection, self.texts)
        if self.made:
            await connection.execute(_NEW, [{**row, "site": site} for row in self.made])
        await ledger.change(connection, self.refreshed)
        await ledger.change(connection, self.moved)
        await ledger.append(connection, self.events)


_KNOWN = select(
    t.Finding.id, t.Finding.check_id, t.Finding.subject, t.Finding.state, t.Finding.severity, t.Finding.accepted_until
).where(t.Finding.camera == bindparam("of"))


async def _changes(connection: AsyncConnection, camera: str, this: Visit, word: Word) -> _Changes:
    by_check: dict[str, dict[str, Verdict]] = defaultdict(dict)
    for (check, subject), verdict in this.verdicts.items():
        by_check[check][subject] = verdict
    changes = _Changes(this.at)
    known = (await connection.execute(_KNOWN, {"of": camera})).all()
    for row in known:
        verdicts = by_check[row.check_id]
        _known(changes, row, seen(row.subject, verdicts), verdicts.get(row.subject), word)
    here = {(row.check_id, row.subject) for row in known}
    for (check, subject), verdict in this.verdicts.items():
        if verdict.verdict is Outcome.FAIL and (check, subject) not in here:
            said = changes.says(verdict, check, subject)
            _new(changes, {"camera": camera, "check_id": check, "subject": subject, **said}, word)
    return changes


def _known(changes: _Changes, row: AnyRow, happened: Seen | None, verdict: Verdict | None, word: Word) -> None:
    state, severity = FindingState(row.state), row.severity
    if state is FindingState.RISK_ACCEPTED and row.accepted_until <= word.at:
        state = changes.move(row.id, state, Seen.EXPIRED, ledger.run_out(row.accepted_until, word.at))
    if happened is Seen.FAILED and verdict:
        severity = verdict.severity
        said = changes.says(verdict, row.check_id, row.subject)
        changes.refreshed.append({"finding": row.id, "last_seen": changes.seen_at, **said})
    if happened and (state, happened) in TRANSITIONS:
        state = changes.move(row.id, state, happened, word)
    changes.states[row.id] = (state, severity)


def _new(changes: _Changes, values: Values, word: Word) -> None:
    state, event = TRANSITIONS[None, Seen.FAILED]
    finding = new_id()
    life = {"state": state.value, "first_seen": changes.seen_at, "last_seen": changes.seen_at}
    changes.made.append({"id": finding, **values, **life, "fixed_at": None, "accepted_until": None, "reason": None})
    changes.states[finding] = (state, values["severity"])
    changes.events.append(ledger.event_row(finding, event, word))


async def triage(
    store: Store,
    ids: Sequence[str],
    action: TriageAction,
    *,
    reason: str,
    until: datetime | None,
    actor: str,
    scope: Scope = EVERYWHERE,
) -> Triaged:
    """A person's word on at most 500 findings; needs the right to triage. `actor` is the person's name.

    Those whose state does not allow the action are refused one by one, the others change. Raises Invalid for an
    unusable request: nothing chosen, a missing reason, an `until` that is missing, past or more than 366 days away.
    """
    wanted = list(dict.fromkeys(ids))
    if not 0 < len(wanted) <= MOST_AT_ONCE:
        raise Invalid(f"choose between 1 and {MOST_AT_ONCE} findings")
    word = _word(action, clean_text(reason, _MOST_REASON) or None, until, Word(clean_text(actor), store.now()))
    async with store.write() as connection:
        await ledger.reopen_expired(connection, word.at)
        columns = (t.Finding.id, t.Finding.camera, t.Finding.state)
        ours = (t.Finding.id.in_(wanted), scope.at(t.Finding.site))
        found = (await connection.execute(select(*columns).where(*ours))).all()
        rows = {row.id: row for row in found}
        refused = tuple(Refusal(finding, why) for finding in wanted if (why := _refusal(rows.get(finding), action)))
        left = {refusal.finding for refusal in refused}
        moved = [rows[finding] for finding in wanted if finding not in left]
        await _move(connection, moved, action, word)
        await record_all(connection, [_entry(row, action, word) for row in moved])
    return Triaged(tuple(row.id for row in moved), refused)


def _entry(row: AnyRow, action: TriageAction, word: Word) -> Entry:
    after, _ = TRANSITIONS[FindingState(row.state), action]
    said: Values = {"camera": row.camera, "was": row.state, "is": after.value, "reason": word.reason}
    until = {"until": word.until.isoformat()} if word.until else {}
    return Entry(word.actor, Action.FINDING_TRIAGE, f"finding:{row.id}", {**said, **until})


def _word(action: TriageAction, reason: str | None, until: datetime | None, by: Word) -> Word:
    if action is not TriageAction.ACCEPT:
        return Word(by.actor, by.at, reason)
    if reason is None:
        raise Invalid("say why the risk is accepted")
    if until is None or until.tzinfo is None:
        raise Invalid("say until when the risk is accepted")
    if not by.at < until <= by.at + LONGEST_ACCEPTANCE:
        raise Invalid(f"a risk is accepted until a day within the next {LONGEST_ACCEPTANCE.days} days")
    return Word(by.actor, by.at, reason, until)


def _refusal(row: AnyRow | None, action: TriageAction) -> str | None:
    if row is None:
        return "there is no such finding"
    if (FindingState(row.state), action) in TRANSITIONS:
        return None
    if row.state == FindingState.FIXED:
        return "it is fixed: only a scan that sees it again can open it"
    return (
        f"it is {row.state} already"
        if row.state != FindingState.RISK_ACCEPTED
        else "its risk is accepted: reopen it first"
    )


async def _move(connection: AsyncConnection, rows: Sequence[AnyRow], action: TriageAction, word: Word) -> None:
    after = [TRANSITIONS[FindingState(row.state), action] for row in rows]
    said: Values = {"accepted_until": word.until, "reason": word.reason}
    await ledger.change(
        connection,
        [{"finding": row.id, "state": state.value, **said} for row, (state, _) in zip(rows, after, strict=True)],
    )
    await ledger.append(
        connection, [ledger.event_row(row.id, event, word) for row, (_, event) in zip(rows, after, strict=True)]
    )
    await ledger.count_live(connection, {row.camera for row in rows})


async def reopen_expired(store: Store) -> int:
    """Open again what was accepted until a moment that has passed. Every read of `fleet.estate` does this first."""
    now = store.now()
    async with store.read() as connection:
        if (await connection.execute(ledger.expired(now).limit(1))).first() is None:
            return 0
    async with store.write() as connection:
        return await ledger.reopen_expired(connection, now)

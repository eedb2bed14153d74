"""The REST API, version 1: the same questions as the pages ask, as JSON. Here: cameras, findings, checks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import Field

from fleet import camera_events, estate, paging, work
from fleet import standing as fleet_standing
from fleet.audit.chain import Row
from fleet.audit.views import Wanted, entries
from fleet.camera_events import Happened
from fleet.findings import triage as fleet_findings
from fleet.findings.lifecycle import Event
from fleet.findings.triage import FindingState, TriageAction, Triaged
from fleet.people.permissions import Permission
from fleet.standing import Standing
from fleet.views import (
    DeviceFilter,
    DeviceRow,
    DeviceView,
    FindingFilter,
    FindingRow,
    FindingView,
    NotEvaluatedRow,
    OverviewView,
    Page,
)
from scanners.model import Severity
from web.api_words import After, Body, Id, Lax, Limit, Moment, Text
from web.handlers.checks import WORST_FIRST
from web.rendering import moment
from web.visit import Visit, Visited

MOST_HAPPENED = 50
MOST_DECIDED = 500


@dataclass(frozen=True, slots=True)
class CheckView:
    """A check without its code."""

    id: str
    title: str
    severity: Severity
    rationale: str
    remediation: str
    references: tuple[str, ...]
    standards: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Did:
    """What somebody did about an object, as the audit trail tells it; `actor` may be the service itself."""

    at: datetime
    actor: str
    action: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CameraEvent:
    """What happened to a camera itself: found, moved, updated, displaced, replaced, ai-drifted, ai-steady."""

    at: datetime
    event: Happened
    detail: str


class Triage(Body):
    """A word on findings. `accept` needs a `reason` and an `until`, a moment with its zone."""

    findings: Annotated[list[Id], Field(min_length=1, max_length=fleet_findings.MOST_AT_ONCE)]
    action: Annotated[TriageAction, Lax]
    reason: Annotated[str, Field(max_length=2000)] = ""
    until: Moment | None = None


class Decision(Body):
    """What becomes of these cameras: adopted, quarantined (no login is sent), ignored (left out of lists, too)."""

    cameras: Annotated[list[Id], Field(min_length=1, max_length=MOST_DECIDED)]
    standing: Annotated[Standing, Lax]


@dataclass(frozen=True, slots=True)
class Decided:
    """How many have another standing than before."""

    changed: int


def description(visit: Visited) -> dict[str, Any]:
    """This document."""
    document: dict[str, Any] = visit.request.app.openapi()
    return document


async def overview(visit: Visited) -> OverviewView:
    """The estate in numbers: cameras by their worst finding, what to fix first, scores."""
    return await estate.overview(visit.store, visit.reading)


async def not_evaluated(visit: Visited, *, after: After = None, limit: Limit = 50) -> Page[NotEvaluatedRow]:
    """Addresses whose newest scan told us nothing, and why."""
    return await estate.not_evaluated(visit.store, after, limit, visit.reading)


# --- cameras ----------------------------------------------------------------------------------------------------------


async def cameras(
    visit: Visited,
    *,
    q: Text = "",
    vendor: Text = None,
    severity: Severity | None = None,
    check: Text = None,
    site: Text = None,
    event: Annotated[Happened | None, Query(description="happened to the camera since `since`")] = None,
    since: Moment | None = None,
    standing: Annotated[Standing | Literal["new"] | None, Query(description="`new`: nobody has decided yet")] = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[DeviceRow]:
    """Lowest score first. An empty `site` is cameras of none. Ignored ones only where `standing` asks for them."""
    wanted = DeviceFilter(q or "", vendor, severity, check, site, event, moment(since), standing)
    return await estate.devices(visit.store, wanted, after, limit, visit.reading)


async def decide(visit: Visited, word: Decision) -> Decided:
    """Adopt cameras, put them in quarantine, or ignore them; another decision may follow."""
    wanted = dict.fromkeys(word.cameras, word.standing)
    return Decided(await fleet_standing.decide(visit.store, wanted, visit.name, visit.scope(Permission.CHANGE)))


async def camera(visit: Visited, camera: str) -> DeviceView:
    """All that is known of it: its facts, the verdicts of the last visit, its findings."""
    return await estate.device(visit.store, camera, visit.reading)


async def camera_history(visit: Visited, camera: str, *, after: After = None, limit: Limit = 50) -> Page[Did]:
    """What was done about it, the newest first."""
    return await _told(visit, f"camera:{camera}", after, limit)


async def camera_happenings(visit: Visited, camera: str) -> list[CameraEvent]:
    """What happened to the camera itself, the newest first; the last fifty."""
    found = await camera_events.of_camera(visit.store, camera, MOST_HAPPENED)
    return [CameraEvent(row.at, Happened(row.event), row.detail) for row in found]


async def camera_work(visit: Visited, camera: str) -> Sequence[work.Job]:
    """The last plan, the last change of a password and the last rollout that it was part of."""
    return await work.of_camera(visit.service, camera, visit.reading)


async def _told(visit: Visit, about: str, after: str | None, limit: int) -> Page[Did]:
    page = await entries(visit.store, Wanted(about=about), after=after, limit=limit)
    return Page(tuple(map(_did, page.items)), page.after, page.total)


def _did(row: Row) -> Did:
    return Did(row.at, row.actor, row.action, row.said)


# --- findings ---------------------------------------------------------------------------------------------------------


async def findings(
    visit: Visited,
    *,
    q: Text = "",
    state: FindingState | None = None,
    severity: Severity | None = None,
    check: Text = None,
    camera: Text = None,
    site: Text = None,
    event: Annotated[Event | None, Query(description="happened to the finding since `since`")] = None,
    since: Moment | None = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[FindingRow]:
    """Worst first. Without `state`: findings of every state."""
    wanted = FindingFilter(state, severity, check, camera, q or "", site, event, moment(since))
    return await estate.findings(visit.store, wanted, after, limit, visit.reading)


async def finding(visit: Visited, finding: str) -> FindingView:
    """With its evidence, what to do, and what happened to it."""
    return await estate.finding(visit.store, finding, visit.reading)


async def finding_history(visit: Visited, finding: str, *, after: After = None, limit: Limit = 50) -> Page[Did]:
    """What was done about it, the newest first."""
    return await _told(visit, f"finding:{finding}", after, limit)


async def triage(visit: Visited, word: Triage) -> Triaged:
    """Acknowledge findings, accept their risk, or reopen them. Refused are those whose state does not allow it."""
    return await fleet_findings.triage(
        visit.store,
        word.findings,
        word.action,
        reason=word.reason.strip(),
        until=word.until,
        actor=visit.name,
        scope=visit.scope(Permission.TRIAGE),
    )


# --- checks -----------------------------------------------------------------------------------------------------------


async def checks(_visit: Visited, *, after: After = None, limit: Limit = 500) -> Page[CheckView]:
    """What is looked for, the worst first."""
    every = [
        CheckView(c.id, c.title, c.severity, c.rationale, c.remediation, c.references, c.standards) for c in WORST_FIRST
    ]
    return paging.in_order(every, after, limit)

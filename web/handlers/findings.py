"""Findings: the inbox, its triage, and one of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.responses import Response

from fleet import estate
from fleet.audit.views import history
from fleet.errors import Invalid, NotFound
from fleet.findings import triage as fleet_findings
from fleet.findings.lifecycle import Event
from fleet.findings.triage import FindingState, TriageAction
from fleet.people.permissions import Permission
from fleet.views import FindingFilter, FindingRow
from scanners.model import Severity
from web.access import safe_next
from web.contexts import CheckGroup, Finding, Findings, FindingsByCheck, TriageResult
from web.handlers import sites
from web.handlers.checks import WORST_FIRST
from web.handlers.devices import moment_of, site_as_query, site_choice
from web.handlers.overview import RATIONALES
from web.remedies import remedy
from web.rendering import sentence
from web.visit import Visit, Visited

ANY = "any"
PROPOSED_DAYS = 90
LONGEST_DAYS = 365


def wanted_findings(query: QueryParams) -> FindingFilter:
    """Without a state: those that nobody has decided about. `any` is every state."""
    state, severity = query.get("state") or FindingState.OPEN.value, query.get("severity", "")
    return FindingFilter(
        state=FindingState(state) if state in set(FindingState) else None,
        severity=Severity(severity) if severity in set(Severity) else None,
        check=query.get("check") or None,
        camera=query.get("camera") or None,
        text=query.get("q", "").strip()[:200],
        site=site_choice(query),
        event=event if (event := query.get("event")) in set(Event) else None,
        since=moment_of(query),
    )


def as_query(wanted: FindingFilter) -> str:
    pairs = {
        "state": wanted.state or ANY,
        "severity": wanted.severity,
        "check": wanted.check,
        "camera": wanted.camera,
        "q": wanted.text,
        "site": site_as_query(wanted.site),
    }
    if wanted.event and wanted.since:
        pairs |= {"event": wanted.event, "since": wanted.since.isoformat()}
    return urlencode({name: value for name, value in pairs.items() if value})


async def show_all(visit: Visited) -> Response:
    wanted = wanted_findings(visit.query)
    if visit.query.get("by") == "check":
        return await _by_check(visit, wanted)
    return visit.page(await _list(visit, wanted, visit.query.get("after")))


async def _list(visit: Visit, wanted: FindingFilter, after: str | None, mistake: str = "") -> Findings:
    page = await estate.findings(visit.store, wanted, after, scope=visit.reading)
    everything = await estate.findings(visit.store, FindingFilter(state=None), limit=1, scope=visit.reading)
    soon, latest = dates(visit)
    return Findings(
        page,
        wanted,
        everything.total,
        WORST_FIRST,
        await sites.choices(visit),
        as_query(wanted),
        not after,
        soon=soon,
        latest=latest,
        mistake=mistake,
    )


async def _by_check(visit: Visit, wanted: FindingFilter) -> Response:
    """One small count per check: the catalogue is short and each count is one index walk."""
    groups: list[CheckGroup] = []
    for check in WORST_FIRST:
        if wanted.check in {None, check.id} and wanted.severity in {None, check.severity}:
            number = await estate.findings_number(visit.store, replace(wanted, check=check.id), visit.reading)
            groups.append(CheckGroup(check, number))
    found = tuple(group for group in groups if group.count)
    total = sum(group.count for group in found)
    places = await sites.choices(visit)
    return visit.page(FindingsByCheck(found, total, wanted, WORST_FIRST, places, as_query(wanted)))


def dates(visit: Visit) -> tuple[date, date]:
    today = visit.store.now().astimezone(UTC).date()
    return today + timedelta(days=PROPOSED_DAYS), today + timedelta(days=LONGEST_DAYS)


async def triage(visit: Visited) -> Response:
    """Changes the findings that the form names, and no others: what the visitor did not see cannot be among them."""
    form = await visit.form()
    ids, target = tuple(dict.fromkeys(form.getlist("id"))), safe_next(form.get("next", "/findings"))
    action = form.get("action", "")
    try:
        done = await fleet_findings.triage(
            visit.store,
            ids,
            chosen(action),
            reason=form.get("reason", "").strip(),
            until=end_of_day(form.get("until", "")) if action == TriageAction.ACCEPT else None,
            actor=visit.name,
            scope=visit.scope(Permission.TRIAGE),
        )
    except Invalid as exc:
        back = QueryParams(target.partition("?")[2])
        return visit.page(await _list(visit, wanted_findings(back), back.get("after"), sentence(str(exc))), 422)
    changed = await _rows(visit, done.changed)
    left = await _rows(visit, [refusal.finding for refusal in done.refused])
    return visit.page(TriageResult(action, changed, done.refused, {row.id: row for row in left}, target))


def chosen(action: str) -> TriageAction:
    if action not in set(TriageAction):
        raise Invalid("choose what to do: acknowledge, accept the risk, or reopen")
    return TriageAction(action)


async def _rows(visit: Visit, ids: Sequence[str]) -> tuple[FindingRow, ...]:
    rows = []
    for finding_id in ids:
        try:
            rows.append((await estate.finding(visit.store, finding_id, visit.reading)).row)
        except NotFound:
            continue  # refused because it does not exist: its id and the reason are all there is to show
    return tuple(rows)


def end_of_day(text: str) -> datetime | None:
    """A date means until that day has ended, in UTC. Raises Invalid for text that is no date."""
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time(23, 59, 59), UTC)
    except ValueError:
        raise Invalid("write the date as YYYY-MM-DD") from None


async def show(visit: Visited, finding: str) -> Response:
    view = await estate.finding(visit.store, finding, visit.reading)
    soon, latest = dates(visit)
    row = view.row
    found = remedy(row.check, row.camera, row.id)
    told = await history(visit.store, f"finding:{finding}")
    return visit.page(Finding(view, RATIONALES.get(row.check, ""), found, told, soon=soon, latest=latest))

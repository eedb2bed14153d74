"""What changed since a moment: each kind counted once, with the list behind its number, and only what one may see."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from fleet import camera_events, estate, sites
from fleet.camera_events import Happened
from fleet.changes import Change, What, changes
from fleet.errors import Invalid
from fleet.findings import triage as findings
from fleet.people.scope import EVERYWHERE, NOWHERE, Scope
from fleet.sites import Site
from fleet.store import Store
from fleet.store import tables as t
from fleet.store.ids import new_id
from fleet.store.pictures_tables import PictureIncident
from fleet.views import DeviceFilter, FindingFilter
from scanners.model import Severity
from tests.fleet.samples import FAIL, PASS, Clock, assessed, camera, dossier


async def visit(store: Store, number: int, outcome: Any = FAIL, address: str = "", **facts: Any) -> str:  # noqa: ANN401
    identity = facts.pop("identity", camera(number))
    where = address or f"10.0.0.{number}"
    recorded = await findings.record(store, assessed({("telnet-open", ""): outcome}, dossier(where, identity=identity)))
    return recorded.camera


async def told(store: Store, **more: Any) -> dict[What, Change]:  # noqa: ANN401
    return {one.what: one for one in (await changes(store, **more)).items}


async def test_where_nothing_changed_there_is_nothing(store: Store, clock: Clock) -> None:
    assert (await changes(store)).items == ()
    await visit(store, 1)
    clock.forward(hours=25)
    assert (await changes(store)).items == ()


async def test_cameras_that_came_moved_and_have_other_firmware(store: Store, clock: Clock) -> None:
    moved = await visit(store, 1)
    clock.forward(days=2)
    new = await visit(store, 2)
    await visit(store, 1, address="10.0.0.99")
    from dataclasses import replace  # noqa: PLC0415 - one use

    await visit(store, 2, identity=replace(camera(2), firmware="13.0.0"))
    found = await told(store)
    counts = {what: found[what].count for what in (What.CAMERA_NEW, What.CAMERA_MOVED, What.CAMERA_UPDATED)}
    assert counts == {What.CAMERA_NEW: 1, What.CAMERA_MOVED: 1, What.CAMERA_UPDATED: 1}
    since = clock.at - timedelta(hours=24)
    for event, only in ((Happened.FOUND, new), (Happened.MOVED, moved), (Happened.UPDATED, new)):
        page = await estate.devices(store, DeviceFilter(event=event, since=since))
        assert [row.id for row in page.items] == [only]
    (last, *_) = await camera_events.of_camera(store, moved)
    assert (last.event, last.detail) == ("moved", "10.0.0.1:80 → 10.0.0.99:80")


async def test_a_camera_that_told_the_last_scan_nothing_is_gone(store: Store, clock: Clock) -> None:
    gone = await visit(store, 1)
    await visit(store, 2)
    clock.forward(hours=2)
    silent = {"id": new_id(), "scan": "s", "address": "10.0.0.1", "reason": "no-answer", "detail": "", "at": clock.at}
    async with store.write() as connection:
        await connection.execute(insert(t.ScanNotEvaluated), [{**silent, "current": True}])
    assert (await told(store))[What.CAMERA_GONE].count == 1
    page = await estate.devices(store, DeviceFilter(event=estate.GONE, since=clock.at - timedelta(hours=1)))
    assert [row.id for row in page.items] == [gone]


async def test_findings_by_what_became_of_them_and_by_severity(store: Store, clock: Clock) -> None:
    await visit(store, 1)
    await visit(store, 2)
    clock.forward(days=3)
    await visit(store, 1, PASS)
    clock.forward(hours=1)
    await visit(store, 1, FAIL)
    await visit(store, 3)
    found = await told(store)
    for what in (What.FINDING_NEW, What.FINDING_FIXED, What.FINDING_REOPENED):
        assert (found[what].count, found[what].severity) == (1, Severity.HIGH)
    since = clock.at - timedelta(hours=24)
    page = await estate.findings(store, FindingFilter(state=None, event="fixed", since=since))
    assert [row.address for row in page.items] == ["10.0.0.1"]


async def test_pictures_that_went_bad_and_came_back(store: Store, clock: Clock) -> None:
    one = await visit(store, 1)
    now, earlier = clock.at, clock.at - timedelta(days=9)
    rows = [(one, now, None, None), (one, earlier, now, None), (None, now, None, None), (one, now, None, "site-wide")]
    async with store.write() as connection:
        for at_camera, opened, closed, part_of in rows:
            row = {"id": new_id(), "camera": at_camera, "site": "", "fault": "dark", "opened_at": opened}
            await connection.execute(insert(PictureIncident), [{**row, "closed_at": closed, "part_of": part_of}])
    found = await told(store)
    assert (found[What.PICTURE_BAD].count, found[What.PICTURE_RECOVERED].count) == (2, 1)


async def test_drift_is_noted_when_it_begins_and_when_it_ends(store: Store) -> None:
    one = await visit(store, 1)
    for drifted in (False, True, True, False, False, True):
        await camera_events.note_drift(store, one, drifted=drifted, detail="its counts fell")
    events = [row.event for row in await camera_events.of_camera(store, one)]
    assert events == ["ai-drifted", "ai-steady", "ai-drifted", "found"]
    found = await told(store)
    assert (found[What.AI_DRIFTED].count, found[What.AI_STEADY].count) == (1, 1)


async def test_work_that_ended_is_told_by_how_it_ended(store: Store, clock: Clock) -> None:
    scan: dict[str, Any] = {"targets": "x", "actor": "a", "default_credentials": False, "queued_at": clock.at}
    scan |= {"started_at": None, "phase": "", "error": None}
    scan |= dict.fromkeys(("done", "total", "cameras", "failed_verdicts", "not_evaluated"), 0)
    async with store.write() as connection:
        for state in ("done", "done", "failed"):
            row = {"id": new_id(), "state": state, "finished_at": clock.at, **scan}
            await connection.execute(insert(t.Scan), [row])
    ended = [one for one in (await changes(store)).items if one.what is What.SCAN_ENDED]
    assert {one.state: one.count for one in ended} == {"done": 2, "failed": 1}
    assert What.SCAN_ENDED not in await told(store, scope=Scope(frozenset({"Harbour"})))


async def test_only_what_belongs_to_the_sites_that_one_may_see(store: Store) -> None:
    await sites.put(store, Site("Harbour", ("10.0.0.1/32",)), "anna")
    await visit(store, 1)
    await visit(store, 2)
    for scope, number in ((Scope(frozenset({"Harbour"})), 1), (EVERYWHERE, 2), (NOWHERE, 0)):
        found = await told(store, scope=scope)
        assert sum(one.count for one in found.values() if one.what is What.CAMERA_NEW) == number
        assert sum(one.count for one in found.values() if one.what is What.FINDING_NEW) == number


@pytest.mark.parametrize("hours", [-1, 24 * 32])
async def test_a_moment_to_come_or_long_gone_is_refused(hours: int, store: Store, clock: Clock) -> None:
    with pytest.raises(Invalid, match="last 31 days"):
        await changes(store, clock.at - timedelta(hours=hours))

"""The queue and the schedules, as people and machines see them."""

from datetime import timedelta

import pytest

from fleet.jobs.model import Asked, JobId, NewJob
from fleet.jobs.states import JobState
from fleet.schedules.rows import NewSchedule, What
from fleet.sites import Site, put
from tests.web.conftest import House, Visit


async def waiting(house: House, kind: str = "elsewhere", **more: object) -> JobId:
    """A job of a kind that nobody runs here."""
    later = house.store.now() + timedelta(hours=1)
    return await house.service.queue.enqueue(NewJob(kind, "anna", not_before=later, **more))  # type: ignore[arg-type]


async def test_an_empty_queue_says_what_to_do(visit: Visit) -> None:
    page = (await visit("viewer").get("/jobs/queue")).text
    assert "No job here" in page
    assert "data-job-events" not in page


async def test_jobs_are_filtered_by_state_and_site(house: House, visit: Visit) -> None:
    await put(house.store, Site("Harbour"), "anna")
    here, there = await waiting(house, site="Harbour"), await waiting(house)
    await house.service.queue.cancel(there, "anna")
    pages = {
        query: (await visit("viewer").get(f"/jobs/queue?{query}")).text
        for query in ("", "state=waiting", "site=Harbour", "state=cancelled&kind=nonsense", "state=nonsense")
    }
    shown = {query: (here in page, there in page) for query, page in pages.items()}
    assert shown == {
        "": (True, True),
        "state=waiting": (True, False),
        "site=Harbour": (True, False),
        "state=cancelled&kind=nonsense": (False, True),
        "state=nonsense": (True, True),
    }
    assert 'data-job-events="/jobs/queue/events"' in pages[""]


async def test_a_person_pauses_resumes_cancels_and_runs_a_job_again(house: House, visit: Visit) -> None:
    operator, job = visit("operator"), await waiting(house)
    states = []
    for order in ("pause", "resume", "cancel", "run-again"):
        page = (await operator.get(f"/jobs/queue/{job}")).text
        assert f'action="/jobs/queue/{job}/{order}"' in page
        answer = await operator.post(f"/jobs/queue/{job}/{order}", {})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/jobs/queue/{job}")
        states.append((await house.service.queue.get(job)).state)
    assert states == [JobState.PAUSED, JobState.QUEUED, JobState.CANCELLED, JobState.QUEUED]
    refused = await operator.post(f"/jobs/queue/{job}/resume", {})
    assert (refused.status_code, "cannot be told to resume" in refused.text) == (422, True)
    assert (await operator.post(f"/jobs/queue/{job}/explode", {})).status_code == 404
    assert "/cancel" not in (await visit("viewer").get(f"/jobs/queue/{job}")).text


async def test_a_machine_lists_follows_and_stops_jobs(house: House, visit: Visit) -> None:
    operator, first = visit("operator"), await waiting(house, work="thing:1")
    second = await waiting(house)
    page = (await operator.get("/api/v1/jobs?limit=1")).json()
    assert ([job["id"] for job in page["items"]], page["total"]) == ([second], 2)
    rest = (await operator.get(f"/api/v1/jobs?after={page['after']}")).json()
    assert [job["id"] for job in rest["items"]] == [first]
    assert (await operator.get("/api/v1/jobs?work=thing:1")).json()["total"] == 1
    shown = {"X-CSRF-Token": await operator.csrf()}
    answer = await operator.client.post(f"/api/v1/jobs/{first}/cancel", headers=shown)
    assert (answer.status_code, answer.json()["state"], answer.json()["asked"]) == (200, "cancelled", Asked.NOTHING)
    events = (await operator.get(f"/api/v1/jobs/{first}/events")).text
    assert events.count("data: ") == 2
    assert events.endswith("event: end\ndata: {}\n\n")
    assert (await operator.get("/api/v1/jobs/nothing/events")).status_code == 404


async def test_schedules_are_made_changed_and_removed_in_the_console(house: House, visit: Visit) -> None:
    boss = visit("administrator")
    await put(house.store, Site("Harbour", (), "Asia/Tokyo", "22:00-05:00"), "anna")
    typed = {"name": "Nightly", "what": "scan", "cadence": "window", "site": "Harbour", "zone": "", "before": ""}
    assert (await boss.post("/schedules", typed)).status_code == 303
    page = (await boss.get("/schedules")).text
    assert "22:00" in page
    assert "Asia/Tokyo" in page
    made = await house.service.schedules.get("Nightly")
    changed = typed | {"name": "Weekly", "cadence": "0 2 * * sun", "before": made.id}
    assert (await boss.post("/schedules", changed)).status_code == 303
    assert (await boss.post(f"/schedules/{made.id}/off", {})).status_code == 303
    after = await house.service.schedules.get(made.id)
    assert (after.name, after.cadence, after.enabled) == ("Weekly", "0 2 * * sun", False)
    assert (await boss.post(f"/schedules/{made.id}/run", {})).status_code == 303
    assert (await house.service.schedules.get(made.id)).outcome.startswith("left out")
    assert (await boss.post(f"/schedules/{made.id}/remove", {})).status_code == 303
    assert "Weekly" not in (await boss.get("/schedules")).text


MISTAKES = {
    "no cadence": ({"cadence": "now and then"}, "Write"),
    "no name": ({"name": ""}, "has a name"),
    "a window of no site": ({"cadence": "window"}, "maintenance window"),
}


@pytest.mark.parametrize(("change", "words"), MISTAKES.values(), ids=MISTAKES)
async def test_a_mistake_is_named_beside_what_was_typed(visit: Visit, change: dict[str, str], words: str) -> None:
    typed = {"name": "Nightly", "what": "scan", "cadence": "0 2 * * *", "site": "", "zone": "Asia/Tokyo"}
    answer = await visit("administrator").post("/schedules", typed | change)
    assert answer.status_code == 422
    assert words.lower() in answer.text.lower()
    assert 'value="Asia/Tokyo"' in answer.text


async def test_what_the_settings_say_is_shown_and_not_changed(house: House, visit: Visit) -> None:
    fixed = await house.service.schedules.get("Picture checks")
    page = (await visit("administrator").get(f"/schedules?edit={fixed.id}")).text
    assert "set by <code>picture_minutes</code>" in page
    assert "New schedule" in page
    answer = await visit("administrator").post(f"/schedules/{fixed.id}/on", {})
    assert (answer.status_code, "picture_minutes" in answer.text) == (422, True)


async def test_a_machine_makes_a_schedule_once(visit: Visit) -> None:
    boss = visit("administrator")
    shown = {"X-CSRF-Token": await boss.csrf(), "Idempotency-Key": "k1"}
    body = {"name": "Nightly", "what": "scan", "cadence": "0 2 * * *", "zone": "Asia/Tokyo"}
    first, again = [await boss.client.post("/api/v1/schedules", json=body, headers=shown) for _ in range(2)]
    assert (first.status_code, again.json()["id"]) == (201, first.json()["id"])
    path = f"/api/v1/schedules/{first.json()['id']}"
    changed = await boss.client.put(path, json=body | {"enabled": False}, headers=shown)
    assert (changed.json()["enabled"], changed.json()["next_at"]) == (False, [])
    assert (await boss.client.delete(path, headers=shown)).status_code == 200
    assert (await boss.get(path)).status_code == 404
    assert [one["name"] for one in (await boss.get("/api/v1/schedules")).json()["items"]] == [
        "Picture checks",
        "Retention",
    ]


async def test_a_schedule_of_another_name_is_another(house: House) -> None:
    await house.service.schedules.add(NewSchedule("Looks", What.PICTURES, "every 30 minutes"), "anna")
    assert house.service.schedules.picture_minutes == 30

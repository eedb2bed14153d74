"""What the pages say, and what hostile cameras cannot make them say."""

import csv
import html
import io
import re
import shutil
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pytest

from fleet import estate
from fleet.findings import triage as findings
from fleet.people import accounts as people
from fleet.settings import Settings
from fleet.views import DeviceFilter, FindingFilter
from scanners.checks import CHECKS
from tests.fleet.samples import IDENTITY, assessed, dossier
from tests.web.conftest import PASSWORD, Furnished, House, Visit, Visitor, browser, open_house
from tests.web.console_estate import FORMULA, HOSTILE
from tests.web.console_estate import estate as sample
from web.app import create_app
from web.handlers.devices import csv_line
from web.rendering import is_rows, visible, when
from web.words import weakness


async def hostile_camera(house: House) -> str:
    found = await estate.devices(house.store, DeviceFilter(text="10.20.1.13"))
    return found.items[0].id


async def pages_with_the_hostile_camera(house: House) -> list[str]:
    camera = await hostile_camera(house)
    findings = (await estate.findings(house.store, FindingFilter(camera=camera))).items
    lists = ["/", "/devices", "/devices?q=10.20.1.13", f"/findings?camera={camera}", "/findings?by=check"]
    return [*lists, f"/devices/{camera}", *(f"/findings/{row.id}" for row in findings)]


async def test_a_hostile_camera_is_only_text(house: House, visit: Visit) -> None:
    for path in await pages_with_the_hostile_camera(house):
        answer = await visit("viewer").get(path)
        assert answer.status_code == 200
        assert "<img" not in answer.text
        assert "\x1b" not in answer.text
        assert "\u202e" not in answer.text
        assert "{{ 7*7 }}" in answer.text or HOSTILE[:4] not in html.unescape(answer.text)


async def test_a_search_is_echoed_as_text(visit: Visit) -> None:
    for path in ("/devices", "/findings", "/findings?by=check"):
        asked = urlencode({"q": '"><script>x</script>'})
        answer = await visit("viewer").get(f"{path}{'&' if '?' in path else '?'}{asked}")
        assert "<script>x" not in answer.text
        assert "&lt;script&gt;x" in answer.text


async def test_the_overview_answers_what_an_owner_asks(visit: Visit) -> None:
    page = (await visit("operator").get("/")).text
    for words in ("4 of 12 cameras have a critical weakness.", "Fix first", "What changed", "Could not be judged"):
        assert words in page


async def set_up(house: House, visitor: Visitor, **changes: str) -> int:
    token = await people.setup_token(house.store)
    assert token
    fields = {"token": token, "name": "anna", "password": PASSWORD, "again": PASSWORD, **changes}
    return (await visitor.post("/set-up", fields, form="/set-up")).status_code


MISTAKES = {
    "a wrong token": {"token": "wrong"},
    "two different passwords": {"again": "something else"},
    "a weak password": {"password": "password", "again": "password"},
    "no name": {"name": ""},
}


@pytest.mark.parametrize("changes", MISTAKES.values(), ids=MISTAKES)
async def test_a_mistake_in_the_set_up_is_said_and_creates_nobody(changes: dict[str, str], empty_house: House) -> None:
    async with browser(empty_house.app) as client:
        assert await set_up(empty_house, Visitor(client), **changes) == 422
        assert (await client.get("/")).headers["location"] == "/set-up"


async def test_the_set_up_closes_behind_the_first_administrator(empty_house: House) -> None:
    async with browser(empty_house.app) as client:
        assert await set_up(empty_house, Visitor(client)) == 303
        assert (await client.get("/")).status_code == 200
        assert (await client.get("/set-up")).headers["location"] == "/sign-in"


async def test_signing_in_leads_to_where_one_wanted_to_go_and_out_ends_it(visit: Visit) -> None:
    visitor = visit("stranger")
    door = (await visitor.get("/devices?q=axis")).headers["location"]
    fields = {"name": "viewer", "password": PASSWORD, "next": "/devices?q=axis"}
    answer = await visitor.post("/sign-in", fields, form=door)
    assert answer.headers["location"] == "/devices?q=axis"
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("session=")
    assert all(part in cookie for part in ("httponly", "samesite=lax", "path=/"))
    kept = visitor.client.cookies["session"]
    assert (await visitor.post("/sign-out", {})).status_code == 303
    visitor.client.cookies.set("session", kept)
    assert (await visitor.get("/")).status_code == 303


async def test_behind_tls_the_cookie_is_bound_to_the_host(house: House) -> None:
    app = create_app(replace(house.service, settings=Settings(secure_cookies=True)))
    async with browser(app) as client:
        answer = await client.get("/sign-in")
    assert answer.headers["set-cookie"].startswith("__Host-form=")
    assert "secure" in answer.headers["set-cookie"].lower()
    assert "strict-transport-security" in answer.headers


async def test_the_settings_say_what_begins_by_itself_and_when(furnished: Furnished, tmp_path: Path) -> None:
    shutil.copytree(furnished.home, tmp_path / "home")
    settings = Settings(home=tmp_path / "home", scan_schedule="0 2 * * *", schedule_zone="Asia/Tokyo")
    async with AsyncExitStack() as stack:
        house = await open_house(stack, settings)
        client = await stack.enter_async_context(browser(house.app))
        client.cookies.set("session", furnished.tokens["viewer"])
        page = (await client.get("/settings")).text
        there = (await client.get("/schedules")).text
    assert re.search(r"<code>0 2 \* \* \*</code>, next <time datetime=\"[-0-9]{10}T17:00:00\+00:00\"", page)
    assert 'href="/schedules"' in page
    assert "set by <code>scan_schedule</code>" in there
    assert "Asia/Tokyo" in there


async def test_the_export_holds_every_filtered_camera_and_no_formula(visit: Visit) -> None:
    answer = await visit("viewer").get("/devices.csv")
    assert answer.headers["content-disposition"].startswith("attachment")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {row["address"] for row in rows} == {dossier.address for dossier in sample()}
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t"))]
    narrow = await visit("viewer").get("/devices.csv?vendor=AXIS")
    assert len(list(csv.DictReader(io.StringIO(narrow.text)))) == 3


CELLS = {FORMULA: "'=HYPER", "@SUM(A1)": "'@SUM", " +1": "'+1", "-1+1|cmd": "'-1+1", "plain": "plain", "a\nb": "a b"}


@pytest.mark.parametrize(("cell", "begins"), CELLS.items())
def test_a_cell_that_a_spreadsheet_would_run_is_text(cell: str, begins: str) -> None:
    assert next(csv.reader([csv_line((cell,))]))[0].startswith(begins)


async def test_pages_of_cameras_follow_each_other_without_loss(house: House, visit: Visit) -> None:
    seen: list[str] = []
    after = None
    while True:
        page = await estate.devices(house.store, after=after, limit=5)
        seen += [row.address for row in page.items]
        if page.after is None:
            break
        after = page.after
        answer = await visit("viewer").get("/devices?" + urlencode({"after": after}))
        assert answer.status_code == 200
        assert "First page" in answer.text
    assert sorted(seen) == sorted(dossier.address for dossier in sample())


async def test_a_device_page_shows_failing_then_unknown_then_passing(house: House, visit: Visit) -> None:
    page = (await visit("viewer").get(f"/devices/{await hostile_camera(house)}")).text
    groups = re.findall(r'id="group-([a-z-]+)"', page)
    assert groups == [kind for kind in ("fail", "error", "unknown", "pass", "not-applicable") if kind in groups]
    assert groups[0] == "fail"
    for words in ("What was seen", "Why it matters", "How to put it right", "Raw evidence (JSON)", "TCP ports"):
        assert words in page


async def test_a_camera_whose_place_another_unit_took_says_so_and_leads_there(house: House, visit: Visit) -> None:
    old = (await estate.devices(house.store, DeviceFilter(text="10.20.1.13"))).items[0]
    assert old.mac
    seen = dossier(old.address, old.port, replace(IDENTITY, mac="b8:a4:4f:00:00:77"))
    new = (await findings.record(house.store, assessed({}, seen))).camera
    page = (await visit("viewer").get(f"/devices/{old.id}")).text
    assert "Another camera answers at its address." in page
    assert f'href="/devices/{new}"' in page
    assert (await visit("viewer").get(f"/api/v1/cameras/{old.id}")).json()["row"]["displaced_by"] == new
    assert "Another unit in its place" in (await visit("viewer").get("/")).text
    assert "Another unit answers at its address" in (await visit("viewer").get("/devices?q=10.20.1.13")).text
    refused = await visit("administrator").post("/rotations", {"id": old.id})
    assert (refused.status_code, "Another camera answers at 10.20.1.13:80" in refused.text) == (409, True)
    elsewhere = dossier("10.20.9.9", 80, replace(IDENTITY, mac="b8:a4:4f:00:00:77"))
    assert (await findings.record(house.store, assessed({}, elsewhere))).camera == new
    moved = (await visit("viewer").get(f"/devices/{new}")).text
    assert "Where it was before" in moved
    assert f"{old.address}:{old.port}" in moved


async def test_the_catalogue_names_every_check(visit: Visit) -> None:
    page = html.unescape((await visit("viewer").get("/checks")).text)
    for check in CHECKS:
        assert check.id in page
        assert check.rationale in page
        assert all(reference in page for reference in check.references)


def test_every_check_has_a_readable_weakness() -> None:
    assert {weakness(check.id)[0].isupper() for check in CHECKS} == {True}
    assert weakness("http-basic-cleartext") == "HTTP basic cleartext"
    assert weakness("anonymous-rtsp") == "Anonymous RTSP"


async def test_the_theme_is_remembered_and_nonsense_is_not(visit: Visit) -> None:
    visitor = visit("viewer")
    answer = await visitor.post("/theme", {"theme": "dark", "next": "/checks"})
    assert answer.headers["location"] == "/checks"
    assert 'data-theme="dark"' in (await visitor.get("/checks")).text
    await visitor.post("/theme", {"theme": '"><script>', "next": "//evil.example"})
    assert 'data-theme="dark"' in (await visitor.get("/checks")).text


async def test_a_scan_is_started_watched_and_stopped_by_forms(visit: Visit) -> None:
    visitor = visit("operator")
    started = await visitor.post("/scans", {"targets": "127.0.0.77"}, form="/scans")
    path = started.headers["location"]
    assert "Scan of 127.0.0.77" in (await visitor.get(path)).text
    assert (await visitor.post(f"{path}/stop", {})).headers["location"] == path
    assert "Stop</button>" not in (await visitor.get(path)).text


async def test_the_progress_of_a_scan_comes_as_events_and_ends(house: House, visit: Visit) -> None:
    scan = await house.scans.start("127.0.0.78", "somebody", default_credentials=False)
    answer = await visit("viewer").get(f"/scans/{scan}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    last = answer.text.strip().split("\n\n")[-1]
    assert '"state": "done"' in last
    page = (await visit("viewer").get(f"/scans/{scan}")).text
    assert "127.0.0.78" in page
    assert "Unreachable" in page


async def test_very_many_addresses_want_a_confirmation(visit: Visit) -> None:
    answer = await visit("operator").post("/scans", {"targets": "10.0.0.0/16"}, form="/scans")
    assert answer.status_code == 409
    assert 'name="confirmed"' in answer.text
    assert "10.0.0.0/16" in answer.text


async def test_a_viewer_is_offered_nothing_that_a_viewer_may_not(house: House, visit: Visit) -> None:
    for path in ("/", "/scans", "/findings", f"/devices/{await hostile_camera(house)}"):
        page = (await visit("viewer").get(path)).text
        assert 'action="/scans"' not in page
        assert 'name="action"' not in page


async def test_the_rest_api_gives_what_the_pages_show(visit: Visit) -> None:
    viewer = visit("viewer")
    cameras = (await viewer.get("/api/v1/cameras?limit=5")).json()
    assert (cameras["total"], len(cameras["items"])) == (12, 5)
    following = (await viewer.get(f"/api/v1/cameras?limit=5&after={cameras['after']}")).json()
    assert not {row["id"] for row in cameras["items"]} & {row["id"] for row in following["items"]}
    assert (await viewer.get(f"/api/v1/cameras/{cameras['items'][0]['id']}")).json()["dossier"]
    assert (await viewer.get("/api/v1/findings?severity=critical")).json()["total"] > 0
    assert (await viewer.get("/api/v1/findings?severity=terrible")).status_code == 422
    assert {check["id"] for check in (await viewer.get("/api/v1/checks")).json()["items"]} == {
        check.id for check in CHECKS
    }


async def test_a_scan_is_started_through_the_api(visit: Visit) -> None:
    operator = visit("operator")
    headers = {"X-CSRF-Token": await operator.csrf()}
    answer = await operator.client.post("/api/v1/scans", json={"targets": "127.0.0.79"}, headers=headers)
    assert answer.status_code == 202
    assert (await operator.get(answer.headers["location"])).json()["targets"] == "127.0.0.79"
    extra = {"targets": "127.0.0.79", "role": "administrator"}
    assert (await operator.client.post("/api/v1/scans", json=extra, headers=headers)).status_code == 422


SHOWN = {
    "a\x1b[31mb": "a\ufffd[31mb",
    "a\u202eb": "a\ufffdb",
    "tab\tand\nline": "tab\tand\nline",
    "Ünïcode 漢": "Ünïcode 漢",
}


@pytest.mark.parametrize(("text", "shown"), SHOWN.items())
def test_what_hides_in_a_text_becomes_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_time_that_is_none_is_said_in_words() -> None:
    assert when("yesterday<b>") == "never"
    assert when(None, "not yet") == "not yet"
    assert 'datetime="2025-11-20T08:15:00+00:00"' in when("2025-11-20T09:15:00+01:00")


LISTS = {
    "two small mappings alike": ([{"a": 1, "b": None}, {"a": 2, "b": "x"}], True),
    "only one": ([{"a": 1}], False),
    "different fields": ([{"a": 1}, {"b": 1}], False),
    "something nested": ([{"a": [1]}, {"a": [2]}], False),
    "plain values": ([1, 2], False),
    "no list": ({"a": 1}, False),
}


@pytest.mark.parametrize(("value", "rows"), LISTS.values(), ids=LISTS)
def test_a_list_of_small_mappings_alike_reads_as_a_table(value: object, rows: bool) -> None:
    assert is_rows(value) is rows

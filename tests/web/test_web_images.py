"""The pages and the API of pictures and of the cameras' own AI: what they say in every state, and what they change."""

import ast
import inspect
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest

from analytics_qa.drift import Cause, State
from analytics_qa.spot_checks import Answer
from fleet.accuracy.rows import Hour, WatchState
from fleet.evidence import EvidenceFolder
from fleet.pictures.views import Tile
from fleet.pictures.wall import Age, age_of
from fleet.settings import Settings
from health import judge
from health.conditions import Condition
from health.judge import Fault, Health
from health.series import NO_PICTURE
from tests.health.rendering import covered, street
from tests.web.pictures_samples import VERSION, Gallery, a_fault, labelled, open_gallery
from web import words
from web.counts import HEIGHT, WIDTH, counts_of
from web.measures import MEASURES, measured
from web.words import Word

NOON = datetime(2026, 1, 7, 12, tzinfo=UTC)


@pytest.fixture
async def gallery(tmp_path: Path) -> AsyncIterator[Gallery]:
    async with open_gallery(Settings(home=tmp_path / "home", picture_minutes=0)) as opened:
        yield opened


async def text(gallery: Gallery, path: str) -> str:
    answer = await gallery.visitor.get(path)
    assert answer.status_code == 200
    return answer.text


# --- the wall ---


async def test_an_empty_wall_says_what_to_do(gallery: Gallery) -> None:
    page = await text(gallery, "/images")
    assert "No cameras yet" in page
    assert "Start a scan" in page


async def test_the_wall_shows_picture_age_verdict_and_open_fault(gallery: Gallery) -> None:
    await gallery.eyes.add(gallery.store, 2)
    camera = await a_fault(gallery, 1)
    page = await text(gallery, "/images")
    tile = await gallery.pictures.tile(camera)
    assert f'src="/evidence/{tile.picture}" alt="" loading="lazy"' in page
    for said in ("Failed", "Covered", "Fresh", "No picture yet", "Not looked at", "still open"):
        assert said in page
    assert page.index("10.0.0.1:80") < page.index("10.0.0.2:80"), "faults come first"


FILTERS = {
    "open faults only": ("faults=1", {"10.0.0.1"}),
    "a text": ("q=0.0.2", {"10.0.0.2"}),
    "a light": ("light=day", {"10.0.0.1"}),
    "a light that does not exist filters nothing": ("light=disco", {"10.0.0.1", "10.0.0.2"}),
    "nothing fits": ("q=nowhere", set()),
}


@pytest.mark.parametrize(("query", "shown"), FILTERS.values(), ids=FILTERS)
async def test_the_wall_is_filtered_by(gallery: Gallery, query: str, shown: set[str]) -> None:
    await gallery.eyes.add(gallery.store, 2)
    await a_fault(gallery, 1)
    page = (await text(gallery, f"/images?{query}")).partition('id="incidents"')[0]
    assert {address for address in ("10.0.0.1", "10.0.0.2") if f"{address}:80" in page} == shown
    assert ("No picture fits" in page) == (not shown)


async def test_cameras_that_are_shown_are_queued_and_looked_at(gallery: Gallery) -> None:
    cameras = [await gallery.eyes.add(gallery.store, number) for number in (1, 2)]
    answer = await gallery.visitor.post("/images/check", {"id": [*cameras, "no-such-camera"]})
    assert (answer.status_code, answer.headers["location"]) == (303, "/images?queued=2")
    assert "2 cameras will be looked at" in await text(gallery, "/images?queued=2")
    for camera in cameras:
        await gallery.pictures.check_now(camera)  # waits for its turn
        assert len(await gallery.pictures.history(camera)) == 2


# --- one camera ---


async def test_a_camera_that_was_never_looked_at_says_so(gallery: Gallery) -> None:
    camera = await gallery.eyes.add(gallery.store, 1)
    page = await text(gallery, f"/images/{camera}")
    for said in ("never looked at", "No picture yet", "None yet. A picture is judged only beside a view"):
        assert said in page


async def test_reference_and_now_stand_beside_each_other_with_the_numbers(gallery: Gallery) -> None:
    camera = await a_fault(gallery, 1)
    page = await text(gallery, f"/images/{camera}")
    compared = await gallery.pictures.compare(camera)
    assert f'class="now" src="/evidence/{compared.tile.picture}"' in page
    assert f'class="reference" src="/evidence/{compared.references[0].picture}"' in page
    assert "approved by ana" in page
    for said in ("noticeable from 15%, useless from 40%", "Likeness of the whole scene", "look for a sticker"):
        assert said in page


async def test_the_picture_that_was_seen_is_approved_under_ones_name(gallery: Gallery) -> None:
    camera = await gallery.eyes.add(gallery.store, 1)
    seen = await gallery.pictures.check_now(camera)
    form = {"picture": seen.picture or "", "light": "day"}
    answer = await gallery.visitor.post(f"/images/{camera}/approve", form)
    assert answer.status_code == 303
    (view,) = (await gallery.pictures.compare(camera)).references
    assert (view.condition, view.approved_by) == (Condition.DAY, "ana")
    assert "As it should be" in await text(gallery, f"/images/{camera}")


async def test_a_picture_of_another_camera_is_not_approved(gallery: Gallery) -> None:
    mine = await gallery.eyes.add(gallery.store, 1)
    other = await gallery.eyes.add(gallery.store, 2, covered(0.6, 30)(street()))
    await gallery.pictures.check_now(mine)
    foreign = (await gallery.pictures.check_now(other)).picture
    answer = await gallery.visitor.post(f"/images/{mine}/approve", {"picture": foreign or ""})
    assert answer.status_code == 422
    assert "has shown another picture since" in answer.text
    assert (await gallery.pictures.compare(mine)).references == ()


async def test_planned_work_mutes_and_can_be_ended(gallery: Gallery) -> None:
    camera = await gallery.eyes.add(gallery.store, 1)
    await gallery.visitor.post(f"/images/{camera}/mute", {"lasts": "8 hours", "reason": "painters"})
    assert "Planned work until" in await text(gallery, f"/images/{camera}")
    for page in ("/images", f"/images/{camera}"):
        assert "painters" in await text(gallery, page)
    assert "Muted" in await text(gallery, "/images")
    await gallery.visitor.post(f"/images/{camera}/mute", {"lasts": ""})
    assert "Planned work until" not in await text(gallery, f"/images/{camera}")


async def test_older_looks_follow_on_a_page_of_their_own(gallery: Gallery) -> None:
    camera = await gallery.eyes.add(gallery.store, 1)
    for _ in range(21):
        await gallery.pictures.check_now(camera)
    page = await text(gallery, f"/images/{camera}")
    assert "Older looks" in page
    last = (await gallery.pictures.history(camera, limit=20))[-1].id
    assert "Older looks" not in await text(gallery, f"/images/{camera}?after={last}")


async def test_evidence_that_is_no_picture_is_not_shown(gallery: Gallery) -> None:
    folder = gallery.service.settings.evidence
    digest = EvidenceFolder(folder).keep(b"PK\x03\x04 a reference view")
    assert (await gallery.visitor.get(f"/evidence/{digest}")).status_code == 404


# --- its own AI ---


async def test_without_labels_no_figure_is_shown(gallery: Gallery) -> None:
    camera = await gallery.eyes.add(gallery.store, 1)
    page = await text(gallery, f"/images/{camera}/accuracy")
    for said in ("Not enough labels", "Not assessable while the picture is not looked at", "Never watched"):
        assert said in page


async def test_figures_stand_with_interval_number_light_date_and_version(gallery: Gallery) -> None:
    camera = await gallery.eyes.add(gallery.store, 1)
    await labelled(gallery.service, camera)
    page = await text(gallery, f"/images/{camera}/accuracy")
    for said in ("0.80", "n=10", "day", VERSION, "2 pictures", "The highest bar is 7 objects", 'class="unknown" x='):
        assert said in page
    short = await text(gallery, f"/devices/{camera}")
    for said in ("0.80", "n=10", VERSION, "Accuracy card", "Reference beside now"):
        assert said in short


async def test_a_watch_is_begun_and_what_is_normal_is_taken_anew(gallery: Gallery) -> None:
    camera = await gallery.eyes.add(gallery.store, 1)
    assert (await gallery.visitor.post(f"/images/{camera}/accuracy/watch", {})).status_code == 303
    (watch,) = await gallery.service.accuracy.recent(camera)
    assert (watch.actor, watch.seconds) == ("ana", 60)
    await gallery.service.accuracy.finished(watch.id)
    assert (await gallery.visitor.post(f"/images/{camera}/accuracy/accept", {})).status_code == 303
    assert (await gallery.service.accuracy.card(camera)).since is not None


# --- elsewhere ---


async def test_the_overview_counts_pictures(gallery: Gallery) -> None:
    await gallery.eyes.add(gallery.store, 2)
    await a_fault(gallery, 1)
    summary = await gallery.pictures.summary()
    assert (summary.cameras, summary.with_faults, summary.never, summary.shared) == (2, 1, 1, 0)
    page = await text(gallery, "/")
    assert "With an open fault" in page
    assert "Image wall" in page


async def test_the_settings_say_who_is_told_and_no_secret(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hush-hush\n")
    settings = Settings(
        home=tmp_path / "home",
        picture_minutes=0,
        webhook_url="https://hooks.example/services/T0KEN?key=s3cret",
        webhook_secret_file=secret,
        mail_to=("guard@example.org",),
        mail_tls="none",
    )
    async with open_gallery(settings) as gallery:
        page = await text(gallery, "/settings")
    for said in ("hooks.example", "guard@example.org", "looked at only when somebody asks", "kept for 30 days"):
        assert said in page
    for hidden in ("T0KEN", "s3cret", "hush-hush", str(secret)):
        assert hidden not in page


async def test_the_api_gives_what_the_pages_show(gallery: Gallery) -> None:
    await gallery.eyes.add(gallery.store, 2)
    camera = await a_fault(gallery, 1)
    wall = (await gallery.visitor.get("/api/v1/pictures?faults=true")).json()
    assert (wall["total"], wall["items"][0]["open_faults"]) == (1, ["obstruction"])
    first = (await gallery.visitor.get("/api/v1/pictures?limit=1")).json()
    rest = (await gallery.visitor.get(f"/api/v1/pictures?limit=1&after={first['after']}")).json()
    assert (len(rest["items"]), rest["after"]) == (1, None)
    compared = (await gallery.visitor.get(f"/api/v1/pictures/{camera}")).json()
    assert compared["references"][0]["approved_by"] == "ana"
    headers = {"X-CSRF-Token": await gallery.visitor.csrf()}
    looked = await gallery.visitor.client.post(f"/api/v1/pictures/{camera}/check", headers=headers)
    assert looked.json()["verdict"] == "failed"
    begun = await gallery.visitor.client.post(f"/api/v1/accuracy/{camera}/watch", headers=headers, json={"seconds": 5})
    assert (begun.status_code, begun.json()["seconds"]) == (202, 5)
    card = (await gallery.visitor.get(f"/api/v1/accuracy/{camera}")).json()
    assert card["drift"]["state"] == "not assessable"


async def test_a_camera_that_does_not_exist_is_nowhere(gallery: Gallery) -> None:
    for path in ("/images/none", "/images/none/accuracy", "/api/v1/pictures/none", "/api/v1/accuracy/none"):
        assert (await gallery.visitor.get(path)).status_code == 404


# --- words and pure parts ---

WORDS = {
    "verdicts": (words.PICTURE_VERDICTS, {"", *Health}),
    "faults": (words.PICTURE_FAULTS, {*Fault, NO_PICTURE}),
    "lights": (words.LIGHTS, set(Condition)),
    "ages": (words.AGES, set(Age)),
    "drifts": (words.DRIFTS, set(State)),
    "causes": (words.CAUSES, set(Cause)),
    "watches": (words.WATCH_STATES, set(WatchState)),
    "gates": (words.GATES, {"good", "bad", "unknown"}),
    "labels": (words.LABELS, set(get_args(Answer))),
}


@pytest.mark.parametrize(("table", "states"), WORDS.values(), ids=WORDS)
def test_every_state_has_a_word_and_a_shape(table: dict[str, Word], states: set[str]) -> None:
    assert {str(state) for state in states} <= set(table)
    icons = (Path(words.__file__).parent / "templates" / "icons.html").read_text()
    assert all(word.text and f'name == "{word.icon}"' in icons for word in table.values())


def evidence_of_the_judge() -> set[tuple[str, str]]:
    """Every fault with every name of evidence, as the judge's own source has them."""
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(judge))) if isinstance(node, ast.Call)]
    return {
        (Fault[fault.attr].value, keyword.arg)
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "_found"
        for fault in call.args[:1]
        if isinstance(fault, ast.Attribute)
        for keyword in call.keywords
        if keyword.arg
    }


def test_every_number_of_a_check_has_words() -> None:
    assert evidence_of_the_judge() == {(fault, name) for fault, known in MEASURES.items() for name in known}


def test_a_number_is_written_as_a_person_reads_it() -> None:
    assert measured("moved", {"shift_of_width": None, "degrees": 2.04}) == (
        ("Shifted, of the width", "cannot be told", "noticeable from 1%, useless from 5%"),
        ("Turned", "2.0°", "noticeable from 1.0°, useless from 5.0°"),
    )
    assert measured("new-fault", {"some_thing": True}) == (("Some thing", "yes", ""),)


def tile(number: int, age_s: float | None = 60.0) -> Tile:
    return Tile(
        camera=str(number),
        name=None,
        address=f"10.0.0.{number}:80",
        verdict="",
        faults=(),
        open_faults=(),
        condition=None,
        reason=None,
        picture=None,
        age_s=age_s,
        checked_at=None,
        muted_until=None,
        mute_reason=None,
    )


AGES = {
    "a minute, looked at hourly": (60.0, 60, Age.FRESH),
    "four hours, looked at hourly": (4 * 3600.0, 60, Age.OLD),
    "four hours, looked at every two": (4 * 3600.0, 120, Age.FRESH),
    "two hours, looked at every minute": (2 * 3600.0, 1, Age.FRESH),
    "no picture": (None, 60, Age.NEVER),
}


@pytest.mark.parametrize(("age_s", "minutes", "age"), AGES.values(), ids=AGES)
def test_the_age_of_a_picture_in_a_word(age_s: float | None, minutes: int, age: Age) -> None:
    assert age_of(tile(1, age_s), minutes) is age


def test_bars_stay_inside_the_drawing_and_hours_are_added_up() -> None:
    hour = NOON.replace(minute=0)
    hours = [
        Hour(hour - timedelta(days=8), "good", "1", 99, 60.0),
        Hour(hour - timedelta(hours=167), "good", "1", 2, 60.0),
        Hour(hour, "good", "1", 3, 60.0),
        Hour(hour, "bad", "2", 1, 120.0),
    ]
    drawn = counts_of(hours, NOON)
    assert [(bar.x, bar.count, bar.watched_min, bar.good) for bar in drawn.bars] == [
        (0, 2, 1.0, True),
        (WIDTH - 1, 4, 3.0, False),
    ]
    assert [bar.height for bar in drawn.bars] == [HEIGHT / 2, HEIGHT]
    assert counts_of([], NOON).bars == ()

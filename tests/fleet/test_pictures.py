"""Pictures over days: checks, references, incidents, silence, planned work, retention, and what the console reads."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from cameras.errors import Unauthorized, Unreachable
from fleet.errors import Invalid, NotFound
from fleet.pictures.runner import Pictures
from fleet.schedules import due
from fleet.settings import Settings
from fleet.store import Store
from fleet.store.pictures_tables import Notice
from health.conditions import Condition
from health.looks import Picture
from health.visit import Pace
from tests.fleet.eyes import Estate
from tests.fleet.samples import Clock
from tests.health.rendering import blur, clipped, covered, gain, grey, moved, street

PLAIN = clipped(street() * 0.0 + 128)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", picture_minutes=0)


@pytest.fixture
def estate() -> Estate:
    return Estate()


@pytest.fixture
async def pictures(store: Store, settings: Settings, estate: Estate) -> AsyncIterator[Pictures]:
    async with Pictures(
        store, settings, estate.access_to, channels=("mail",), pace=Pace(pictures=3, seconds=0)
    ) as opened:
        yield opened


async def checks(pictures: Pictures, clock: Clock, camera: str, count: int) -> list[str]:
    """One an hour; the verdicts."""
    verdicts = []
    for _ in range(count):
        clock.forward(hours=1)
        verdicts.append((await pictures.check_now(camera)).verdict)
    return verdicts


async def notices(store: Store) -> list[tuple[str, str]]:
    async with store.read() as connection:
        rows = (await connection.execute(select(Notice.kind, Notice.state).order_by(Notice.id))).all()
    return [(kind, state) for kind, state in rows]


async def test_without_a_reference_nothing_is_claimed(pictures: Pictures, store: Store, estate: Estate) -> None:
    camera = await estate.add(store, 1)
    view = await pictures.check_now(camera)
    assert (view.verdict, view.condition) == ("unknown", "day")
    assert view.reason is not None
    assert view.reason.startswith("no reference view")
    assert (await pictures.picture(view.picture or "")).startswith(b"\xff\xd8")


async def test_an_approved_view_is_compared_with(pictures: Pictures, store: Store, estate: Estate) -> None:
    camera = await estate.add(store, 1)
    assert await pictures.approve(camera, "ana") is Condition.DAY
    assert (await pictures.check_now(camera)).verdict == "ok"
    estate.eyes["10.0.0.1"].look = blur(4)(street())
    view = await pictures.check_now(camera)
    assert (view.verdict, list(view.faults)) == ("failed", ["defocus"])
    assert view.faults["defocus"]["evidence"]["sharpness_change"] < 0
    comparison = await pictures.compare(camera)
    assert [(one.condition, one.approved_by) for one in comparison.references] == [(Condition.DAY, "ana")]
    assert comparison.tile.faults == ("defocus",)
    assert await pictures.picture(comparison.references[0].picture) != await pictures.picture(view.picture or "")


async def test_the_picture_that_somebody_saw_can_be_approved(pictures: Pictures, store: Store, estate: Estate) -> None:
    camera = await estate.add(store, 1)
    seen = await pictures.check_now(camera)
    estate.eyes["10.0.0.1"].look = covered(0.8, 20)(street())
    await pictures.approve(camera, "ana", picture=seen.picture)
    assert (await pictures.check_now(camera)).faults.keys() == {"obstruction"}


REFUSED = {
    "a view without texture": (PLAIN, "ana", "texture"),
    "no name": (street(), "  ", "named person"),
}


@pytest.mark.parametrize(("look", "actor", "words"), REFUSED.values(), ids=REFUSED)
async def test_approval_is_refused_for(
    pictures: Pictures, store: Store, estate: Estate, look: Picture, actor: str, words: str
) -> None:
    camera = await estate.add(store, 1, look)
    with pytest.raises(Invalid, match=words):
        await pictures.approve(camera, actor)
    assert (await pictures.compare(camera)).references == ()


FAULTS: dict[str, tuple[Callable[[Picture], Picture], str]] = {
    "covered": (covered(0.6, 30), "obstruction"),
    "turned away": (moved(70, 0), "moved"),
    "out of focus": (blur(3), "defocus"),
    "without light": (gain(0.03), "dark"),
}


@pytest.mark.parametrize(("change", "fault"), FAULTS.values(), ids=FAULTS)
async def test_an_incident_opens_and_closes_when_a_camera_is(
    pictures: Pictures,
    store: Store,
    clock: Clock,
    estate: Estate,
    change: Callable[[Picture], Picture],
    fault: str,
) -> None:
    camera = await estate.add(store, 1)
    await pictures.approve(camera, "ana")
    assert await checks(pictures, clock, camera, 4) == ["ok"] * 4
    estate.eyes["10.0.0.1"].look = change(street())
    await checks(pictures, clock, camera, 2)
    assert await pictures.incidents() == []
    await checks(pictures, clock, camera, 2)
    (incident,) = await pictures.incidents()
    assert (incident.fault, incident.cameras, incident.shared) == (fault, (camera,), False)
    assert (await pictures.wall()).items[0].open_faults == (fault,)
    estate.eyes["10.0.0.1"].look = street()
    await checks(pictures, clock, camera, 2)
    assert await pictures.incidents() == []
    assert [one.closed_at is not None for one in await pictures.incidents(open_only=False)] == [True]


async def test_no_colour_by_day_is_night_until_days_are_known(
    pictures: Pictures, store: Store, clock: Clock, estate: Estate
) -> None:
    camera = await estate.add(store, 1)
    await pictures.approve(camera, "ana")
    estate.eyes["10.0.0.1"].look = grey(street())
    assert (await pictures.check_now(camera)).verdict == "unknown"
    estate.eyes["10.0.0.1"].look = street()
    for _ in range(4):
        clock.forward(days=1)
        await pictures.check_now(camera)
    estate.eyes["10.0.0.1"].look = grey(street())
    assert list((await pictures.check_now(camera)).faults) == ["colour"]


async def test_a_frozen_camera_is_found_without_a_reference(
    store: Store, settings: Settings, clock: Clock, estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("health.checking.FROZEN_AFTER_S", -1.0)
    camera = await estate.add(store, 1)
    estate.eyes["10.0.0.1"].frozen = True
    async with Pictures(store, settings, estate.access_to, pace=Pace(3, 0)) as pictures:
        await checks(pictures, clock, camera, 3)
        assert [one.fault for one in await pictures.incidents()] == ["frozen"]
        estate.eyes["10.0.0.1"].frozen = False
        await checks(pictures, clock, camera, 2)
        assert await pictures.incidents() == []


async def test_silence_is_no_fault_of_the_picture_and_lasting_silence_is_told(
    pictures: Pictures, store: Store, clock: Clock, estate: Estate
) -> None:
    camera = await estate.add(store, 1)
    await pictures.approve(camera, "ana")
    await checks(pictures, clock, camera, 1)
    before = (await pictures.wall()).items[0]
    estate.eyes["10.0.0.1"].fails = Unreachable("no answer")
    assert await checks(pictures, clock, camera, 1) == ["unknown"]
    assert await pictures.incidents() == []
    after = (await pictures.wall()).items[0]
    assert after.picture == before.picture
    assert after.age_s == 3600
    assert after.reason == "Unreachable: no answer"
    await checks(pictures, clock, camera, 2)
    assert [one.fault for one in await pictures.incidents()] == ["no-picture"]
    estate.eyes["10.0.0.1"].fails = None
    await checks(pictures, clock, camera, 2)
    assert await pictures.incidents() == []


async def test_a_refused_login_is_said_and_is_no_verdict(pictures: Pictures, store: Store, estate: Estate) -> None:
    camera = await estate.add(store, 1)
    estate.eyes["10.0.0.1"].fails = Unauthorized("it refused this login")
    view = await pictures.check_now(camera)
    assert (view.verdict, view.reason, view.picture) == ("unknown", "Unauthorized: it refused this login", None)


async def test_planned_work_raises_nothing(pictures: Pictures, store: Store, clock: Clock, estate: Estate) -> None:
    camera = await estate.add(store, 1)
    await pictures.approve(camera, "ana")
    await pictures.mute(camera, clock() + timedelta(hours=6), "the lens is cleaned")
    estate.eyes["10.0.0.1"].look = covered(0.9, 30)(street())
    assert await checks(pictures, clock, camera, 5) == ["failed"] * 5
    assert await pictures.incidents() == []
    assert (await pictures.wall()).items[0].muted_until is not None
    await checks(pictures, clock, camera, 4)
    assert [one.fault for one in await pictures.incidents()] == ["obstruction"]


async def test_who_asks_in_the_middle_of_work_raises_nothing(
    pictures: Pictures, store: Store, clock: Clock, estate: Estate
) -> None:
    camera = await estate.add(store, 1)
    assert await pictures.faults_now(camera) is None
    await pictures.approve(camera, "ana")
    estate.eyes["10.0.0.1"].look = covered(0.9, 30)(street())
    for _ in range(6):
        clock.forward(hours=1)
        assert await pictures.faults_now(camera) == ["obstruction"]
    assert await pictures.incidents() == []
    assert len(await pictures.history(camera)) == 6
    await checks(pictures, clock, camera, 4)
    assert [one.fault for one in await pictures.incidents()] == ["obstruction"]


async def test_a_storm_is_one_incident_and_one_notice(
    pictures: Pictures, store: Store, clock: Clock, estate: Estate
) -> None:
    cameras = [await estate.add(store, number) for number in range(1, 6)]
    for camera in cameras:
        await pictures.approve(camera, "ana")
    for eye in estate.eyes.values():
        eye.look = gain(0.15)(street())
    for _ in range(3):
        clock.forward(hours=1)
        for camera in cameras[:4]:
            await pictures.check_now(camera)
    (incident,) = await pictures.incidents()
    assert (incident.shared, set(incident.cameras), incident.fault) == (True, set(cameras[:4]), "dark")
    assert await notices(store) == [("outage", "withdrawn")] * 3 + [("outage", "pending"), ("outage", "withdrawn")]
    for eye in estate.eyes.values():
        eye.look = street()
    for _ in range(2):
        clock.forward(hours=1)
        for camera in cameras[:4]:
            await pictures.check_now(camera)
    assert await pictures.incidents() == []


async def test_the_same_again_within_a_day_is_told_once(
    pictures: Pictures, store: Store, clock: Clock, estate: Estate
) -> None:
    camera = await estate.add(store, 1)
    await pictures.approve(camera, "ana")
    for _ in range(2):
        estate.eyes["10.0.0.1"].look = covered(0.9, 30)(street())
        await checks(pictures, clock, camera, 3)
        estate.eyes["10.0.0.1"].look = street()
        await checks(pictures, clock, camera, 4)
    assert len(await pictures.incidents(open_only=False)) == 1
    assert [kind for kind, _ in await notices(store)].count("outage") == 1


async def test_old_pictures_are_erased_and_the_last_one_stays(
    pictures: Pictures, store: Store, clock: Clock, estate: Estate, settings: Settings
) -> None:
    camera = await estate.add(store, 1)
    await pictures.approve(camera, "ana")
    old = (await pictures.check_now(camera)).picture or ""
    clock.forward(days=settings.picture_days + 1)
    new = (await pictures.check_now(camera)).picture or ""
    await pictures.prune()
    with pytest.raises(NotFound):
        await pictures.picture(old)
    assert await pictures.picture(new)
    clock.forward(days=settings.picture_days + 1)
    await pictures.prune()
    assert await pictures.picture(new)
    assert await pictures.picture((await pictures.compare(camera)).references[0].picture)
    assert [one.picture for one in await pictures.history(camera)] == [new, None]


async def test_what_is_remembered_survives_a_restart(
    store: Store, settings: Settings, clock: Clock, estate: Estate
) -> None:
    camera = await estate.add(store, 1)
    async with Pictures(store, settings, estate.access_to, pace=Pace(3, 0)) as pictures:
        await pictures.approve(camera, "ana")
        estate.eyes["10.0.0.1"].look = covered(0.9, 30)(street())
        await checks(pictures, clock, camera, 2)
    async with Pictures(store, settings, estate.access_to, pace=Pace(3, 0)) as pictures:
        await checks(pictures, clock, camera, 1)
        assert [one.fault for one in await pictures.incidents()] == ["obstruction"]


async def test_history_is_read_in_pages(pictures: Pictures, store: Store, clock: Clock, estate: Estate) -> None:
    camera = await estate.add(store, 1)
    await checks(pictures, clock, camera, 5)
    first = await pictures.history(camera, limit=3)
    rest = await pictures.history(camera, limit=3, after=first[-1].id)
    assert [len(first), len(rest)] == [3, 2]
    assert [one.at for one in first + rest] == sorted((one.at for one in first + rest), reverse=True)


@pytest.mark.parametrize("digest", ["", "x", "../../etc/passwd", "0" * 64])
async def test_a_picture_that_is_not_kept_is_not_found(pictures: Pictures, digest: str) -> None:
    with pytest.raises(NotFound):
        await pictures.picture(digest)


async def test_a_picture_that_was_changed_on_disk_proves_nothing(
    pictures: Pictures, store: Store, estate: Estate, settings: Settings
) -> None:
    digest = (await pictures.check_now(await estate.add(store, 1))).picture or ""
    (settings.evidence / digest[:2] / digest).write_bytes(b"something else")
    with pytest.raises(NotFound, match="changed"):
        await pictures.picture(digest)


async def test_every_camera_is_looked_at_when_it_is_due(store: Store, tmp_path: Path, estate: Estate) -> None:
    cameras = [await estate.add(store, number) for number in range(1, 4)]
    few = Settings(home=tmp_path / "home", pictures_at_once=2)
    async with Pictures(store, few, estate.access_to, pace=Pace(1, 0)) as pictures:
        assert await pictures.ask_for_due() == 3
        assert await pictures.ask_for_due() == 0
        while not all([await pictures.history(camera) for camera in cameras]):  # noqa: ASYNC110 - a condition
            await asyncio.sleep(0.02)
    assert all(tile.checked_at for tile in (await Pictures(store, few, estate.access_to).wall()).items)


async def test_a_first_sign_of_a_fault_is_looked_at_again_soon(
    pictures: Pictures, store: Store, clock: Clock, estate: Estate
) -> None:
    camera = await estate.add(store, 1)
    await pictures.approve(camera, "ana")
    await checks(pictures, clock, camera, 4)
    estate.eyes["10.0.0.1"].look = covered(0.9, 30)(street())
    await checks(pictures, clock, camera, 1)
    at = await due.next_of(store, due.PICTURES, camera)
    assert at is not None
    assert timedelta(minutes=4) < at - clock() < timedelta(minutes=6)

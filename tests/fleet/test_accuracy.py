"""Watches of stored cameras, labels, and the card. The camera is replaced, nothing of ours."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import cv2
import numpy as np
import pytest

from analytics_qa.drift import Cause, Picture, State
from cameras.errors import DeviceError, Unauthorized, Unreachable
from cameras.metadata import Box, MetadataFrame, SeenObject
from fleet.accuracy import rows as accuracy_rows
from fleet.accuracy.rows import Hour
from fleet.accuracy.runner import Accuracy, Label, PictureVerdict, WatchState
from fleet.accuracy.sight import Sight
from fleet.errors import Invalid, NotFound
from fleet.findings.triage import record
from fleet.store import Store
from simulator.scenes import Scene, View
from tests.fleet.samples import NOON, Clock, assessed

VERSION = "firmware 12.11.77, person-detector 2.1"


@pytest.fixture(scope="session")
def view() -> View:
    """A picture in which somebody is."""
    for seed in range(20):
        found: View = Scene(seed).view(43_200.0, light="day")
        if len(found.things) >= 3:
            return found
    raise AssertionError("twenty scenes, and nobody in them")


class SeeingCamera:
    """Says of every picture the truth, or what `sees` leaves of it."""

    grid: tuple[int, int] | None = None
    lost = 0

    def __init__(self, view: View, sees: float = 1.0, *, frames: int = 100_000) -> None:
        self._jpeg = cv2.imencode(".jpg", view.picture)[1].tobytes()
        self._things = view.things[: round(len(view.things) * sees)]
        self._frames = frames
        height, width = view.picture.shape[:2]
        self._scale = np.array([width, height, width, height])
        self.watched = asyncio.Event()

    async def version(self) -> str:
        return VERSION

    async def picture(self) -> bytes:
        return self._jpeg

    @asynccontextmanager
    async def metadata(self) -> AsyncIterator[AsyncIterator[tuple[MetadataFrame, ...]]]:
        yield self._said()

    async def _said(self) -> AsyncIterator[tuple[MetadataFrame, ...]]:
        for _ in range(self._frames):
            yield (MetadataFrame(NOON, None, tuple(map(self._object, self._things)), 1),)
            self.watched.set()
            await asyncio.sleep(0.02)

    def _object(self, thing: object) -> SeenObject:
        left, top, right, bottom = np.array(getattr(thing, "box", ())) / self._scale
        kind = {"person": "Human", "vehicle": "Car"}[getattr(thing, "kind", "")]
        return SeenObject(str(getattr(thing, "track", "")), Box(left, top, right, bottom, "share"), kind, 0.9)


def opens(camera: Sight | DeviceError) -> Callable[[str], AbstractAsyncContextManager[Sight]]:
    @asynccontextmanager
    async def open_sight(_camera: str) -> AsyncIterator[Sight]:
        if isinstance(camera, DeviceError):
            raise camera
        yield camera

    return open_sight


@pytest.fixture
async def camera(store: Store) -> str:
    await record(store, assessed({}))
    async with store.read() as connection:
        return str((await connection.exec_driver_sql("SELECT id FROM cameras")).scalar_one())


async def good(_camera: str) -> Picture:
    return "good"


async def bad(_camera: str) -> Picture:
    return "bad"


async def test_a_watch_counts_and_compares(store: Store, camera: str, view: View) -> None:
    async with Accuracy(store, opens(SeeingCamera(view)), picture_verdict=good, picture_every_s=0.1) as accuracy:
        done = await accuracy.finished(await accuracy.start(camera, "ana", seconds=3))
        card = await accuracy.card(camera)
    assert (done.state, done.version, done.picture, done.error) == (WatchState.DONE, VERSION, "good", None)
    assert done.counted == len(view.things)
    assert done.frames > 0
    assert done.unreadable == done.frames
    assert (done.pictures > 0, (done.reference or "").split()[0], done.condition) == (True, "scenes", "day")
    assert done.claimed == done.pictures * len(view.things)
    assert (card.version, card.last, card.drift.state) == (VERSION, done, State.LEARNING)
    (hour,) = (await accuracy_rows.history(store, camera)).hours
    assert (hour.hour, hour.count, hour.picture) == (NOON, len(view.things), "good")


async def test_a_camera_that_misses_things_agrees_less(store: Store, camera: str, view: View) -> None:
    shares = []
    for sees in (1.0, 0.34):
        async with Accuracy(store, opens(SeeingCamera(view, sees)), picture_every_s=0.1) as accuracy:
            done = await accuracy.finished(await accuracy.start(camera, "ana", seconds=3))
        shares.append(done.agreed / done.reference_seen)
    assert shares[0] > 0.7
    assert shares[1] < shares[0] - 0.3


FAILURES: dict[str, tuple[DeviceError | int, str]] = {
    "it does not answer": (Unreachable("no answer within 8 s"), "no answer"),
    "it wants another password": (Unauthorized("the camera refuses the login"), "refuses the login"),
    "its stream ends at once": (3, "ended before its time"),
}


@pytest.mark.parametrize(("fault", "words"), FAILURES.values(), ids=FAILURES)
async def test_a_watch_that_fails_says_why_and_counts_nothing(
    store: Store, camera: str, view: View, fault: DeviceError | int, words: str
) -> None:
    broken = fault if isinstance(fault, DeviceError) else SeeingCamera(view, frames=fault)
    async with Accuracy(store, opens(broken)) as accuracy:
        ended = await accuracy.finished(await accuracy.start(camera, "ana", seconds=30))
    assert ended.state is WatchState.FAILED
    assert words in (ended.error or "")
    assert (await accuracy_rows.history(store, camera)).hours == ()


async def test_a_watch_that_was_cut_off_is_begun_again_by_the_next_process(
    store: Store, camera: str, view: View
) -> None:
    first = SeeingCamera(view)
    async with Accuracy(store, opens(first)) as accuracy:
        watch = await accuracy.start(camera, "ana", seconds=1)
        await first.watched.wait()
    left = await accuracy_rows.load(store, watch)
    assert (left.state, left.starts) == (WatchState.RUNNING, 1)
    async with Accuracy(store, opens(SeeingCamera(view))) as accuracy:
        done = await accuracy.finished(watch)
    assert (done.state, done.starts) == (WatchState.DONE, 2)


async def test_a_watch_that_kills_every_process_is_given_up(store: Store, camera: str, view: View) -> None:
    async with Accuracy(store, opens(SeeingCamera(view))) as accuracy:
        watch = await accuracy.start(camera, "ana")
    await accuracy_rows.save(store, replace(await accuracy_rows.load(store, watch), starts=3))
    async with Accuracy(store, opens(SeeingCamera(view))) as accuracy:
        ended = await accuracy.finished(watch)
    assert (ended.state, "begun 3 times" in (ended.error or "")) == (WatchState.FAILED, True)


async def test_a_watch_that_is_stopped_leaves_nothing(store: Store, camera: str, view: View) -> None:
    seeing = SeeingCamera(view)
    async with Accuracy(store, opens(seeing)) as accuracy:
        watch = await accuracy.start(camera, "ana", seconds=600)
        await seeing.watched.wait()
        await accuracy.stop(watch)
        assert (await accuracy.get(watch)).state is WatchState.STOPPED
        assert [one.id for one in await accuracy.recent(camera)] == [watch]
    assert (await accuracy_rows.history(store, camera)).hours == ()


async def test_refuses_what_it_cannot_do(store: Store, camera: str, view: View) -> None:
    async with Accuracy(store, opens(SeeingCamera(view))) as accuracy:
        with pytest.raises(Invalid):
            await accuracy.start(camera, "ana", seconds=0)
        with pytest.raises(NotFound):
            await accuracy.start("nobody", "ana")
        with pytest.raises(NotFound):
            await accuracy.card("nobody")
        with pytest.raises(Invalid):
            await accuracy.label(camera, [label(0, hits=-1)])


# --- the card ---


def label(minute: int, hits: int = 5, missed: int = 0, version: str = VERSION) -> Label:
    at = NOON + timedelta(minutes=minute)
    return Label(at, "day" if minute < 100 else "night-ir", version, hits, 0, missed, "ana")


async def test_labels_become_figures_of_this_version_by_condition(store: Store, camera: str, view: View) -> None:
    async with Accuracy(store, opens(SeeingCamera(view)), picture_verdict=good) as accuracy:
        await accuracy.finished(await accuracy.start(camera, "ana", seconds=1))
        await accuracy.label(camera, [label(minute) for minute in range(10)])
        await accuracy.label(camera, [label(200, hits=3, missed=2), label(1, hits=0, missed=50, version="older")])
        card = await accuracy.card(camera)
    day, night = card.accuracies
    assert (day.condition, day.recall.value, day.recall.n, day.pictures) == ("day", 1.0, 50, 10)
    assert (night.condition, night.recall.value, night.recall.n) == ("night-ir", 0.6, 5)
    assert day.recall.low < 0.95
    assert card.labels == "good"


async def counted(store: Store, camera: str, days: Sequence[int], count: int, picture: str = "good") -> None:
    """Hours as watches leave them."""
    chance = np.random.default_rng(1)
    async with Accuracy(store, opens(Unreachable("not asked"))) as accuracy:
        done = replace(
            await accuracy.finished(await accuracy.start(camera, "ana")), state=WatchState.DONE, version=VERSION
        )
    for day in days:
        for hour in range(8, 18):
            at = NOON.replace(hour=0) + timedelta(days=day, hours=hour)
            seen = int(chance.poisson(count))
            await accuracy_rows.save_result(store, done, Hour(at, picture, VERSION, seen, 3600.0))


DRIFTS: dict[str, tuple[int, PictureVerdict, State, Cause | None]] = {
    "as it was": (20, good, State.STEADY, None),
    "fewer": (10, good, State.DRIFTED, Cause.SCENE_OR_MODEL),
    "fewer, and the picture is bad": (10, bad, State.DRIFTED, Cause.PICTURE),
}


@pytest.mark.parametrize(("count", "verdict", "state", "cause"), DRIFTS.values(), ids=DRIFTS)
async def test_the_card_names_drift_and_its_cause(
    store: Store,
    camera: str,
    clock: Clock,
    count: int,
    verdict: PictureVerdict,
    state: State,
    cause: Cause | None,
) -> None:
    await counted(store, camera, range(28), 20)
    await counted(store, camera, range(28, 42), count)
    clock.forward(days=42)
    async with Accuracy(store, opens(Unreachable("")), picture_verdict=verdict) as accuracy:
        card = await accuracy.card(camera)
        assert (card.drift.state, card.drift.cause) == (state, cause)
        await accuracy.accept(camera, "ana")
        again = await accuracy.card(camera)
    assert again.since == clock.at
    assert again.trend is None, "what is accepted is learned anew"


async def test_hours_under_a_bad_picture_are_not_counted(store: Store, camera: str) -> None:
    await counted(store, camera, range(28), 20)
    await counted(store, camera, range(28, 42), 5, picture="bad")
    async with Accuracy(store, opens(Unreachable("")), picture_verdict=good) as accuracy:
        card = await accuracy.card(camera)
    assert card.trend is not None
    assert card.trend.days == ()

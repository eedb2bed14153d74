"""A process that dies at any moment of a rollout: the next one asks, sends nothing twice, and forgets nobody."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any, cast

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from bench.paper_cameras import NEW, OLD, PaperCamera, PaperEstate
from fleet import leases
from fleet.jobs import runner as job_runner
from fleet.jobs.queue import Queue
from fleet.rollouts.bundles import BundleView
from fleet.rollouts.rows import RolloutId, work_of
from fleet.rollouts.runner import Rollouts
from fleet.settings import Settings
from fleet.store import Store, open_store
from hardening.rollout import CampaignState, TargetState
from tests.fleet.rollout_samples import FAST, RULES, app, ends, firmware, over, paper, rows, started
from tests.frame.sqlite import new_database


class Killed(BaseException):
    """Nothing of ours may catch this."""


class Death:
    """Comes at the n-th moment; from then on nothing of that process does anything any more."""

    def __init__(self, at: int | None) -> None:
        self.at = at
        self.moments: list[str] = []
        self.came = asyncio.Event()

    def moment(self, what: str) -> None:
        if self.came.is_set():
            raise Killed(what)
        self.moments.append(what)
        if len(self.moments) - 1 == self.at:
            self.came.set()
            raise Killed(what)


class MortalStore:
    """Dies before and after a transaction, never in the middle: SQLite takes care of that."""

    def __init__(self, store: Store, death: Death) -> None:
        self._store = store
        self._death = death

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the store has
        return getattr(self._store, name)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        if self._death.came.is_set():
            raise Killed
        async with self._store.read() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        self._death.moment("before a write")
        async with self._store.write() as connection:
            yield connection
        self._death.moment("after a write")

    @asynccontextmanager
    async def claim(self) -> AsyncIterator[AsyncConnection]:
        self._death.moment("before the queue is told")
        async with self._store.claim() as connection:
            yield connection
        self._death.moment("after the queue was told")


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    await new_database(settings)
    async with await open_store(settings) as opened:
        yield opened


@pytest.fixture(autouse=True)
def soon_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every task of a process looks at its store often, so that it hears at once that it is dead."""
    monkeypatch.setattr(job_runner, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(job_runner, "RENEW_EVERY_S", 0.01)


async def lives_until(store: Store, settings: Settings, estate: PaperEstate, rollout: RolloutId, death: Death) -> None:
    loop, born = asyncio.get_running_loop(), list[asyncio.Task[Any]]()
    mortal = cast("Store", MortalStore(store, death))
    estate.dies_at = death.moment

    def bear(_loop: asyncio.AbstractEventLoop, work: Any, **more: Any) -> asyncio.Task[Any]:  # noqa: ANN401 - as asyncio
        born.append(asyncio.Task(work, loop=loop, **more))
        return born[-1]

    loop.set_task_factory(bear)
    with suppress(Killed):
        async with Rollouts(mortal, settings, connect=estate.connect, pace=FAST) as rollouts:
            await asyncio.gather(over(rollouts, rollout), return_exceptions=True)  # a dead process sees nothing more
    loop.set_task_factory(None)
    while left := [task for task in born if not task.done()]:
        await asyncio.wait(left)
    await asyncio.gather(*born, return_exceptions=True)
    estate.dies_at = lambda _moment: None


async def _firmware(store: Store, settings: Settings) -> BundleView:
    return await firmware(store, settings)


async def _bad_firmware(store: Store, settings: Settings) -> BundleView:
    return await firmware(store, settings, defect="no-picture")


async def _app(store: Store, settings: Settings) -> BundleView:
    return await app(store, settings, "2.0.0")


Bundle = Callable[[Store, Settings], Any]
# Which bundle, which camera; how it may end, and what it may run then.
# The last column is 1 where it is killed at every single moment.
KILLED: dict[str, tuple[Bundle, PaperCamera, dict[TargetState, str], int]] = {
    "a camera with two banks": (
        _firmware,
        PaperCamera(),
        # Killed before the image went out, it runs the old one, and is not sent the image unasked.
        {TargetState.SUCCEEDED: NEW, TargetState.FAILED: OLD},
        1,
    ),
    "a camera without a way back": (
        _firmware,
        PaperCamera(commits=False),
        {TargetState.SUCCEEDED: NEW, TargetState.FAILED: OLD},
        3,
    ),
    "a camera that hangs up": (
        _firmware,
        PaperCamera(lie="hangs-up", restart_s=0.02),
        {TargetState.SUCCEEDED: NEW, TargetState.FAILED: OLD},
        3,
    ),
    "a bad image that is taken back": (
        _bad_firmware,
        PaperCamera(second_s=0.1),
        # Killed before it was asked to go back, it goes back by its own timer.
        {TargetState.ROLLED_BACK: OLD, TargetState.FAILED: OLD},
        1,
    ),
    "an app": (_app, PaperCamera(), {TargetState.SUCCEEDED: OLD, TargetState.FAILED: OLD}, 3),
}
PATIENT = replace(RULES, restart_most=RULES.restart_most / 3, rollback_after=RULES.restart_most)


@pytest.mark.parametrize(("bundle", "camera", "may_end", "stride"), KILLED.values(), ids=KILLED)
async def test_killed_between_any_two_steps(
    store: Store,
    settings: Settings,
    bundle: Bundle,
    camera: PaperCamera,
    may_end: dict[TargetState, str],
    stride: int,
) -> None:
    found = await bundle(store, settings)
    at, undisturbed, seen = 0, False, set()
    while not undisturbed:
        victim = replace(camera, flashed=[], accounts=["root", "audit"], apps={})
        estate = await paper(store, victim)
        death = Death(at)
        rollout = await started(store, found, list(estate.cameras), PATIENT)
        await lives_until(store, settings, estate, rollout, death)
        undisturbed = not death.came.is_set()
        async with Rollouts(store, settings, connect=estate.connect, pace=FAST) as rollouts:
            view = await over(rollouts, rollout)
        where = f"killed at moment {at}, {death.moments[-1]}"
        (row,) = await rows(store, rollout)
        assert row.state in may_end, f"{where}: {row.state}, {row.detail}"
        assert view.state in (CampaignState.DONE, CampaignState.STOPPED), where
        assert victim.uploads <= 1, where
        assert len(victim.flashed) <= 1, where
        assert victim.rollbacks <= 1, where
        assert victim.version == may_end[row.state], where
        seen.add(row.state)
        at += stride
    assert at > 20
    assert next(iter(may_end)) in seen


async def test_a_killed_process_is_followed_by_the_next_at_once_and_nobody_takes_its_camera_meanwhile(
    store: Store, settings: Settings
) -> None:
    estate = await paper(store, PaperCamera())
    (camera,) = list(estate.cameras)
    rollout = await started(store, await firmware(store, settings), [camera], PATIENT)
    job = await Queue(store).of_work(work_of(rollout))
    assert job is not None
    await lives_until(store, settings, estate, rollout, Death(30))
    (row,) = await rows(store, rollout)
    assert row.state.in_flight
    assert await leases.holder_of(store, camera) == f"job:{job.id}"
    async with Rollouts(store, settings, connect=estate.connect, pace=FAST) as rollouts, asyncio.timeout(2):
        assert (await over(rollouts, rollout)).counts == {TargetState.SUCCEEDED: 1}
        assert (await Queue(store).ended(job.id)).losses == 1
    assert await leases.holder_of(store, camera) is None


async def test_a_death_in_the_middle_of_many_cameras_loses_none(store: Store, settings: Settings) -> None:
    found = await firmware(store, settings)
    for at in range(5, 130, 24):
        estate = await paper(store, *(PaperCamera(commits=number % 2 == 0) for number in range(6)))
        rules = replace(PATIENT, canary=3, errors=replace(RULES.errors, count=6), success_percent=1)
        rollout = await started(store, found, list(estate.cameras), rules)
        await lives_until(store, settings, estate, rollout, Death(at))
        await lives_until(store, settings, estate, rollout, Death(at // 2))
        async with Rollouts(store, settings, connect=estate.connect, pace=FAST) as rollouts:
            await over(rollouts, rollout)
        assert all(state.final for state in await ends(store, rollout))
        assert [camera.uploads for camera in estate.cameras.values()] <= [1] * 6
        assert all(len(camera.flashed) <= 1 for camera in estate.cameras.values())

"""Counts over a large estate: exact where they are cheap, and a page never waits for dear ones twice."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from fleet.errors import StoreUnavailable
from fleet.summaries import MOST_AGE_S, RENEWED_AFTER_S, Summaries


class Estate:
    """Counting takes as long as it says, by a clock that only it moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.cost = 1.0
        self.changes = 0
        self.cameras = 1
        self.begun = self.counted = 0
        self.gate: asyncio.Event | None = None
        self.broken = False
        self.large = True

    def change(self) -> None:
        self.changes += 1
        self.cameras += 1

    async def count(self) -> int:
        cameras = self.cameras
        self.begun += 1
        if self.gate:
            await self.gate.wait()
        if self.broken:
            raise StoreUnavailable("gone")
        self.now += self.cost
        self.counted += 1
        return cameras

    def summaries(self) -> Summaries:
        return Summaries(lambda: self.changes, self.is_large, lambda: self.now)

    async def is_large(self) -> bool:
        return self.large


Ask = Callable[[], Awaitable[int]]


@pytest.fixture
def estate() -> Estate:
    return Estate()


@pytest.fixture
def ask(estate: Estate) -> Ask:
    kept = estate.summaries()
    return lambda: kept.get("cameras", estate.count)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_cheap_answer_is_counted_for_every_page(estate: Estate, ask: Ask) -> None:
    estate.cost = 0.001
    assert [await ask(), await ask()] == [1, 1]
    estate.change()
    assert (await ask(), estate.counted) == (2, 3)


async def test_in_a_small_estate_nothing_is_kept_however_long_a_busy_machine_takes(estate: Estate, ask: Ask) -> None:
    estate.large = False
    assert [await ask(), await ask()] == [1, 1]
    estate.change()
    assert (await ask(), estate.counted) == (2, 3)


async def test_a_dear_one_is_exact_while_nothing_is_written(estate: Estate, ask: Ask) -> None:
    assert [await ask(), await ask(), await ask()] == [1, 1, 1]
    assert estate.counted == 1


async def test_after_a_change_a_page_is_given_the_last_one_and_the_next_is_counted_behind_it(
    estate: Estate, ask: Ask
) -> None:
    estate.cost = 0.1  # good for ten seconds
    await ask()
    estate.change()
    estate.now += 9.5
    assert (await ask(), estate.counted) == (1, 1)
    estate.now += 1
    assert await ask() == 1
    await settled()
    assert (await ask(), estate.counted) == (2, 2)


async def test_whoever_else_writes_is_seen_after_some_seconds(estate: Estate, ask: Ask) -> None:
    await ask()
    estate.cameras = 7  # by another process: nothing here knows
    estate.now += RENEWED_AFTER_S
    assert await ask() == 1
    await settled()
    assert await ask() == 7


async def test_many_pages_at_once_are_counted_for_once(estate: Estate, ask: Ask) -> None:
    await ask()
    estate.now += MOST_AGE_S
    estate.gate = asyncio.Event()
    pages = [asyncio.ensure_future(ask()) for _ in range(10)]
    await settled()
    estate.gate.set()
    assert await asyncio.gather(*pages) == [1] * 10
    assert estate.counted == 2


async def test_what_is_counted_behind_pages_is_counted_one_after_the_other(estate: Estate) -> None:
    kept, keys = estate.summaries(), ("cameras", "findings", "sites")
    for key in keys:
        await kept.get(key, estate.count)
    estate.now += RENEWED_AFTER_S
    estate.gate = asyncio.Event()
    assert [await kept.get(key, estate.count) for key in keys] == [1, 1, 1]
    await settled()
    assert estate.begun == len(keys) + 1
    estate.gate.set()
    await kept.close()
    assert estate.counted == 2 * len(keys)


async def test_a_store_that_is_gone_is_said_once_the_answer_is_too_old(estate: Estate, ask: Ask) -> None:
    estate.cost = 0.1
    await ask()
    estate.change()
    estate.broken = True
    estate.now += 11
    assert await ask() == 1
    await settled()
    estate.now += MOST_AGE_S
    with pytest.raises(StoreUnavailable):
        await ask()


async def test_closing_waits_for_what_is_being_counted(estate: Estate) -> None:
    kept = estate.summaries()
    await kept.get("cameras", estate.count)
    estate.change()
    estate.now += RENEWED_AFTER_S
    await kept.get("cameras", estate.count)
    await kept.close()
    assert estate.counted == 2

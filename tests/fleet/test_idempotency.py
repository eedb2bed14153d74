"""A request that is sent twice starts its work once."""

import asyncio

import pytest

from fleet.errors import Busy, Invalid
from fleet.idempotency import once
from fleet.store import Store
from tests.fleet.samples import Clock


class Work:
    """Counts how often it was started."""

    def __init__(self) -> None:
        self.started = 0
        self.has_begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def __call__(self) -> str:
        self.started += 1
        self.has_begun.set()
        await self.may_end.wait()
        return f"work-{self.started}"


async def test_the_second_request_is_told_what_the_first_one_made(store: Store) -> None:
    work = Work()
    assert [await once(store, "ci", "k", b"body", work) for _ in range(3)] == ["work-1"] * 3
    assert work.started == 1


SEPARATE = {
    "another key": ("ci", "k2", "work-2"),
    "the key of somebody else": ("anna", "k", "work-2"),
}


@pytest.mark.parametrize(("actor", "key", "made"), SEPARATE.values(), ids=SEPARATE)
async def test_it_is_another_request(store: Store, actor: str, key: str, made: str) -> None:
    work = Work()
    await once(store, "ci", "k", b"body", work)
    assert await once(store, actor, key, b"body", work) == made


async def test_a_key_that_comes_with_another_body_is_refused(store: Store) -> None:
    await once(store, "ci", "k", b"body", Work())
    with pytest.raises(Invalid, match="another request"):
        await once(store, "ci", "k", b"other", Work())


async def test_while_the_first_is_under_way_the_second_waits_its_turn(store: Store) -> None:
    work = Work()
    work.may_end.clear()
    first = asyncio.create_task(once(store, "ci", "k", b"body", work))
    await work.has_begun.wait()
    with pytest.raises(Busy):
        await once(store, "ci", "k", b"body", work)
    work.may_end.set()
    assert await first == "work-1"


async def test_a_request_that_failed_may_be_sent_again(store: Store) -> None:
    async def fail() -> str:
        raise Invalid("no such camera")

    with pytest.raises(Invalid, match="no such camera"):
        await once(store, "ci", "k", b"body", fail)
    assert await once(store, "ci", "k", b"body", Work()) == "work-1"


async def test_keys_are_forgotten_after_a_day(store: Store, clock: Clock) -> None:
    work = Work()
    await once(store, "ci", "k", b"body", work)
    clock.forward(hours=25)
    assert await once(store, "ci", "k", b"body", work) == "work-2"

"""Answers that cost as much as the estate is large: counts over all of it, kept for a while where they are dear.

An estate of some thousand cameras is counted anew for every page. In a larger one, where that takes long, a page is
given the last answer, which is exact as long as this process has written nothing since, and else some seconds old; a
newer one is made behind it. So a page of a hundred thousand cameras does not wait for its counts, and few pages are
asked for while any is made.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

Answer = TypeVar("Answer")

DEAR_S = 0.005
# Of the time, this share at most goes into counting one of them again, however fast the estate changes.
SHARE = 0.01
# After so long a newer one is made whatever we know: another process may have written.
RENEWED_AFTER_S = 15.0
# An older one is not shown: whoever asks waits.
MOST_AGE_S = 60.0
_MOST_KEPT = 200
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kept(Generic[Answer]):
    """`changes` is how often the store had been written when it was made, `cost_s` what making it took."""

    answer: Answer
    changes: int
    made_at_s: float
    cost_s: float

    @property
    def good_for_s(self) -> float:
        return min(RENEWED_AFTER_S, self.cost_s / SHARE) if self.cost_s >= DEAR_S else 0.0


class Summaries:
    """One per store. `changes` says how often it was written; `clock` is monotonic, in seconds.

    Nothing is kept before `is_large` has said yes once: how long a count takes says little of a busy machine.
    """

    def __init__(
        self,
        changes: Callable[[], int],
        is_large: Callable[[], Awaitable[bool]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._changes = changes
        self._is_large = is_large
        self._large = False
        self._clock = clock
        self._kept: dict[Hashable, Kept[Any]] = {}
        self._under_way: dict[Hashable, asyncio.Task[Any]] = {}
        self._turn = asyncio.Lock()

    async def get(self, key: Hashable, make: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer that goes by `key`, which `make` counts. Raises what `make` raises."""
        self._large = self._large or await self._is_large()
        if not self._large:
            return await make()
        kept = cast("Kept[Answer] | None", self._kept.get(key))
        if kept is None or not kept.good_for_s:
            return await self._count(key, make)
        age = self._clock() - kept.made_at_s
        if age < (RENEWED_AFTER_S if kept.changes == self._changes() else kept.good_for_s):
            return kept.answer
        counting = self._counting(key, make)
        return kept.answer if age < MOST_AGE_S else await asyncio.shield(counting)

    async def close(self) -> None:
        """Waits for what is being counted."""
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    def _counting(self, key: Hashable, make: Callable[[], Awaitable[Answer]]) -> asyncio.Task[Answer]:
        """Behind the page, once however many ask at the same time, and one after the other: pages go on meanwhile."""
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.create_task(self._count_in_turn(key, make))
            self._under_way[key] = task
            task.add_done_callback(lambda done: self._over(key, done))
        return task

    def _over(self, key: Hashable, task: asyncio.Task[Any]) -> None:
        del self._under_way[key]
        if not task.cancelled() and (error := task.exception()):
            _log.warning("an answer could not be counted anew", exc_info=error)

    async def _count_in_turn(self, key: Hashable, make: Callable[[], Awaitable[Answer]]) -> Answer:
        async with self._turn:
            return await self._count(key, make)

    async def _count(self, key: Hashable, make: Callable[[], Awaitable[Answer]]) -> Answer:
        # Before: what is written while it counts may or may not be in it.
        changes, began = self._changes(), self._clock()
        answer = await make()
        now = self._clock()
        self._kept.pop(key, None)
        self._kept[key] = Kept(answer, changes, now, now - began)
        while len(self._kept) > _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        return answer

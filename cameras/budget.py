"""One budget of login attempts per camera, shared by every protocol and every caller.

Cameras count wrong passwords and lock: 4 to 7 tries, often over all protocols together and often for the whole source
address, for 30 minutes and more. We stop far before that: at most two wrong tries per account and three per camera in
the window. A login that has just worked is no guess: it is bounded by its own wrong tries alone.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from weakref import WeakValueDictionary

from cameras.errors import LockedOut

WINDOW = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One spent try. `camera` is a stable key of the camera, `at` is in UTC."""

    camera: str
    account: str
    at: datetime
    outcome: Literal["wrong", "locked"]


@dataclass(slots=True)
class Trial:
    """One login under way.

    It counts as wrong unless `worked()` is called: a login that died half-way may have been counted by the camera.
    """

    outcome: Literal["wrong", "worked", "locked"] = "wrong"

    def worked(self) -> None:
        self.outcome = "worked"

    def locked(self) -> None:
        """The camera hinted at a lock-out: nothing more is sent to it within the window."""
        self.outcome = "locked"


class AttemptBudget:
    """Who may still be tried where. `on_spent` is told of every spent try before the next one is allowed."""

    def __init__(
        self,
        *,
        per_account: int = 2,
        per_camera: int = 3,
        earlier: Iterable[Attempt] = (),
        on_spent: Callable[[Attempt], None] = lambda _: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._per_account = per_account
        self._per_camera = per_camera
        self._spent: dict[str, list[Attempt]] = {}
        self._worked: dict[tuple[str, str], datetime] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._on_spent = on_spent
        self._now = now
        self._closed: str | None = None
        for attempt in earlier:
            self._spent.setdefault(attempt.camera, []).append(attempt)

    def close(self, why: str) -> None:
        """Nothing more is spent: a budget that cannot be kept must not grow back."""
        self._closed = why

    def reopen(self) -> None:
        """What was spent meanwhile is kept after all."""
        self._closed = None

    def remaining(self, camera: str, account: str) -> int:
        """How many wrong tries this account may still cost."""
        if self._closed is not None:
            return 0
        recent = self._recent(camera)
        if any(attempt.outcome == "locked" for attempt in recent):
            return 0
        left = self._per_account - sum(attempt.account == account for attempt in recent)
        if self.knows(camera, account):
            return max(0, left)
        return max(0, min(left, self._per_camera - len(recent)))

    def knows(self, camera: str, account: str) -> bool:
        """Whether a login worked a moment ago, and was not refused since. It is no guess: what others cost is not held
        against it.
        """
        last = self._worked.get((camera, account))
        return last is not None and last > self._now() - WINDOW

    def vouch(self, camera: str, account: str) -> None:
        """What was refused just now was meant to be: a password that is none any more. The one that works is known."""
        self._worked[camera, account] = self._now()

    def renew(self, camera: str, account: str) -> None:
        """Its password was changed, and the new one works wherever it must: what the old one cost is over.

        A lock-out that the camera spoke of stays, and so do the tries of an earlier process.
        """
        kept = [one for one in self._spent.get(camera, ()) if one.account != account or one.outcome == "locked"]
        self._spent[camera] = kept

    def need_one(self, camera: str, account: str) -> None:
        """Raise LockedOut where nothing may be tried any more."""
        if not self.remaining(camera, account):
            limit = "our own limit of login attempts for this camera is reached; wait 30 minutes"
            raise LockedOut(self._closed or limit)

    def keep_one(self, camera: str, account: str) -> None:
        """Raise LockedOut where a wrong try would be the last one: for logins that are only nice to have."""
        if self.remaining(camera, account) < 2:  # noqa: PLR2004 - one to spend and one to keep
            raise LockedOut("the last login attempt for this account is kept for when it is needed")

    @asynccontextmanager
    async def trial(self, camera: str, account: str) -> AsyncIterator[Trial]:
        """Spend one try. Raises LockedOut, with nothing sent, when the budget is used up.

        Tries on one camera take turns: whoever comes second learns first whether the first one was wrong.
        """
        turn = self._turns.get(camera)
        if turn is None:
            turn = self._turns[camera] = asyncio.Lock()
        async with turn:
            self.need_one(camera, account)
            trial = Trial()
            try:
                yield trial
            finally:
                if trial.outcome == "worked":
                    self._worked[camera, account] = self._now()
                else:
                    self._worked.pop((camera, account), None)
                    self._spend(Attempt(camera, account, self._now(), trial.outcome))

    def _spend(self, attempt: Attempt) -> None:
        self._spent.setdefault(attempt.camera, []).append(attempt)
        self._on_spent(attempt)

    def _recent(self, camera: str) -> list[Attempt]:
        since = self._now() - WINDOW
        recent = [attempt for attempt in self._spent.get(camera, ()) if attempt.at > since]
        if recent:
            self._spent[camera] = recent
        else:
            self._spent.pop(camera, None)
        return recent

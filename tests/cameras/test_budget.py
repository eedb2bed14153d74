"""No sequence of logins may reach a camera's lock-out."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from cameras.budget import Attempt, AttemptBudget
from cameras.errors import LockedOut, Unreachable
from cameras.lockout import lock_hint

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Clock:
    now = NOON

    def __call__(self) -> datetime:
        return self.now


async def spend(budget: AttemptBudget, *accounts: str, camera: str = "cam") -> int:
    """Wrong tries until the budget stops them; how many were made."""
    made = 0
    for account in accounts:
        try:
            async with budget.trial(camera, account):
                made += 1
        except LockedOut:
            pass
    return made


SEQUENCES = {
    "two wrong tries of one account": (["a"] * 5, 2),
    "three wrong tries of one camera": (["a", "b", "c", "d", "e"], 3),
    "accounts share the camera's limit": (["a", "a", "a", "b", "b"], 3),
}


@pytest.mark.parametrize(("accounts", "made"), SEQUENCES.values(), ids=SEQUENCES)
async def test_stops_wrong_tries(accounts: list[str], made: int) -> None:
    assert await spend(AttemptBudget(), *accounts) == made


async def test_a_login_that_works_costs_nothing() -> None:
    budget = AttemptBudget()
    for _ in range(10):
        async with budget.trial("cam", "a") as trial:
            trial.worked()
    assert budget.remaining("cam", "a") == 2


async def test_what_was_meant_to_be_refused_makes_no_guess_of_what_is_known() -> None:
    budget = AttemptBudget()
    async with budget.trial("cam", "a") as trial:
        trial.worked()
    assert await spend(budget, "b", "c", "d") == 3
    assert (budget.knows("cam", "a"), budget.remaining("cam", "a")) == (True, 2)
    assert await spend(budget, "a") == 1
    assert (budget.knows("cam", "a"), budget.remaining("cam", "a")) == (False, 0)
    budget.vouch("cam", "a")
    assert (budget.knows("cam", "a"), budget.remaining("cam", "a")) == (True, 1)
    assert await spend(budget, "a", "a") == 1
    budget.vouch("cam", "a")
    assert budget.remaining("cam", "a") == 0


async def test_what_an_old_password_cost_is_over_with_it() -> None:
    budget = AttemptBudget()
    assert await spend(budget, "joe", "ann") == 2
    budget.renew("cam", "joe")
    assert (budget.remaining("cam", "joe"), budget.remaining("cam", "ann")) == (2, 1)


async def test_a_lock_out_outlives_the_old_password() -> None:
    budget = AttemptBudget()
    async with budget.trial("cam", "joe") as trial:
        trial.locked()
    budget.renew("cam", "joe")
    assert budget.remaining("cam", "joe") == 0


async def test_a_login_that_dies_half_way_counts() -> None:
    budget = AttemptBudget()
    with pytest.raises(Unreachable):
        async with budget.trial("cam", "a"):
            raise Unreachable("cut off")
    assert budget.remaining("cam", "a") == 1


async def test_a_hint_at_a_lock_out_ends_all_accounts_of_that_camera_only() -> None:
    budget = AttemptBudget()
    async with budget.trial("cam", "a") as trial:
        trial.locked()
    assert (budget.remaining("cam", "b"), budget.remaining("other", "a")) == (0, 2)


async def test_logins_on_one_camera_take_turns() -> None:
    """The third waits until the two before it are known to be wrong, and is not made."""
    budget, under_way, made = AttemptBudget(), 0, 0

    async def guess() -> None:
        nonlocal under_way, made
        async with budget.trial("cam", "a"):
            under_way += 1
            assert under_way == 1
            made += 1
            await asyncio.sleep(0)
            under_way -= 1

    results = await asyncio.gather(*(guess() for _ in range(5)), return_exceptions=True)
    assert (made, [type(result) for result in results if result]) == (2, [LockedOut] * 3)


async def test_a_login_that_has_just_worked_is_not_stopped_by_the_guesses_of_others() -> None:
    clock = Clock()
    budget = AttemptBudget(now=clock)
    async with budget.trial("cam", "ours") as trial:
        trial.worked()
    assert await spend(budget, "a", "b", "c") == 3
    assert (budget.remaining("cam", "ours"), budget.remaining("cam", "d")) == (2, 0)
    assert await spend(budget, "ours") == 1
    assert budget.remaining("cam", "ours") == 0
    clock.now = NOON + timedelta(minutes=31)
    assert budget.remaining("cam", "ours") == 2


async def test_a_lock_out_stops_a_login_that_has_just_worked_too() -> None:
    budget = AttemptBudget()
    async with budget.trial("cam", "ours") as trial:
        trial.worked()
    async with budget.trial("cam", "a") as trial:
        trial.locked()
    assert budget.remaining("cam", "ours") == 0


async def test_logins_on_other_cameras_do_not_wait() -> None:
    budget = AttemptBudget()
    async with budget.trial("cam", "a"), budget.trial("other", "a") as trial:
        trial.worked()
    assert (budget.remaining("cam", "a"), budget.remaining("other", "a")) == (1, 2)


async def test_a_budget_that_cannot_be_kept_spends_nothing() -> None:
    budget = AttemptBudget()
    budget.close("the database is gone")
    with pytest.raises(LockedOut, match="the database is gone"):
        async with budget.trial("cam", "a"):
            pass


async def test_the_window_passes() -> None:
    clock = Clock()
    budget = AttemptBudget(now=clock)
    await spend(budget, "a", "a")
    clock.now = NOON + timedelta(minutes=31)
    assert budget.remaining("cam", "a") == 2


async def test_tries_of_an_earlier_process_count() -> None:
    spent = [Attempt("cam", "a", NOON - timedelta(minutes=m), "wrong") for m in (1, 2, 40)]
    told: list[Attempt] = []
    budget = AttemptBudget(earlier=spent, on_spent=told.append, now=lambda: NOON)
    assert await spend(budget, "a", "b", "b") == 1
    assert told == [Attempt("cam", "b", NOON, "wrong")]


HINTS = {
    "Hikvision": (
        b"The device is locked because of entering wrong username/password many times.Please try it after 30",
        True,
    ),
    "Dahua": (b"Invalid username or password! You still have 3 attempt(s).", True),
    "Reolink": (b"<s:Text>Login failed, please try it after 5 minutes!</s:Text>", True),
    "ISAPI": (b"<userCheck><lockStatus>lock</lockStatus></userCheck>", True),
    "ISAPI, one try left": (
        b"<userCheck><lockStatus>unlock</lockStatus><retryLoginTime>1</retryLoginTime></userCheck>",
        True,
    ),
    "ISAPI, some tries left": (b"<userCheck><retryLoginTime>4</retryLoginTime></userCheck>", False),
    "ISAPI, not locked": (b"<userCheck><lockStatus>unlock</lockStatus></userCheck>", False),
    "an ordinary refusal": (b"Sender not Authorized", False),
    "a page about something else": (b"<html>Locked doors and block parties</html>", False),
}


@pytest.mark.parametrize(("body", "is_hint"), HINTS.values(), ids=HINTS)
def test_hears_a_lock_out(body: bytes, is_hint: bool) -> None:
    assert (lock_hint(body) is not None) == is_hint


async def test_the_last_try_can_be_kept() -> None:
    budget = AttemptBudget()
    budget.keep_one("cam", "joe")
    async with budget.trial("cam", "joe"):
        pass
    with pytest.raises(LockedOut):
        budget.keep_one("cam", "joe")
    budget.need_one("cam", "joe")

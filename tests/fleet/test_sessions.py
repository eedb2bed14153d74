"""Sessions that people see and end, what a browser is called, and hashing that cannot be piled up."""

import asyncio

import pytest
from argon2 import PasswordHasher

from fleet.audit.trail import Action
from fleet.audit.views import Wanted, entries
from fleet.errors import NotFound, TooManyAtOnce
from fleet.people import accounts as people
from fleet.people import passwords
from fleet.people.permissions import Role
from fleet.signing_in import browsers, sessions
from fleet.signing_in import steps as signing_in
from fleet.signing_in.sessions import Asker
from fleet.store import Store
from tests.fleet.factors import GOOD, HERE, anna, signed_in
from tests.fleet.samples import Clock


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleet.people.passwords._hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


async def test_a_person_sees_where_they_are_signed_in_and_no_secret(store: Store, clock: Clock) -> None:
    person = await anna(store)
    first = await signed_in(store)
    clock.forward(minutes=2)
    token = await signing_in.sign_in(
        store, "Anna", GOOD, Asker("2001:db8::1", "Chrome on Android\n\x1b[31m" + "x" * 99)
    )
    listed = await sessions.sessions_of(store, person.id)
    assert [(one.source, one.proof) for one in listed] == [("2001:db8::1", "password"), (HERE.source, "password")]
    assert (listed[1].id, listed[1].browser) == (first.id, "Firefox on Linux")
    assert listed[0].browser.isprintable()
    assert len(listed[0].browser) <= 64
    assert token.token.reveal() not in str(listed)


async def test_what_has_ended_by_itself_is_not_listed(store: Store, clock: Clock) -> None:
    person = await anna(store)
    await signed_in(store)
    clock.forward(minutes=30)
    assert await sessions.sessions_of(store, person.id) == ()


async def test_one_session_is_ended_and_all_others(store: Store) -> None:
    person = await anna(store)
    one, two, three = [await signed_in(store) for _ in range(3)]
    await sessions.end(store, person, one.id, "Anna")
    with pytest.raises(NotFound):
        await sessions.end(store, person, one.id, "Anna")
    assert await sessions.end_all(store, person, "Anna", but=three.id) == 1
    assert [row.id for row in await sessions.sessions_of(store, person.id)] == [three.id]
    assert two.id != three.id
    told = (await entries(store, Wanted(action=Action.SESSION_END.value))).items
    assert [(row.actor, row.about, row.detail) for row in told] == [
        ("Anna", f"person:{person.id}", '{"sessions":1}')
    ] * 2


async def test_the_session_of_somebody_else_is_not_ones_own_to_end(store: Store) -> None:
    berta = await people.add_user(store, "Berta", GOOD, Role.VIEWER)
    await anna(store)
    session = await signed_in(store)
    with pytest.raises(NotFound):
        await sessions.end(store, berta, session.id, "Berta")


AGENTS = {
    "Firefox": ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux"),
    "Edge, which also says Chrome and Safari": (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0",
        "Edge on Windows",
    ),
    "Safari on a phone": (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1",
        "Safari on iPhone",
    ),
    "Chrome on Android, which also says Linux": (
        "Mozilla/5.0 (Linux; Android 14; Pixel 7) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36",
        "Chrome on Android",
    ),
    "a tool": ("curl/8.5.0", "curl"),
    "nothing": ("", browsers.UNKNOWN),
    "markup": ("<script>alert(1)</script>", browsers.UNKNOWN),
    "a terminal's orders": ("\x1b[31mred/1.0", browsers.UNKNOWN),
    "a book": ("x" * 1_000_000, "x" * 31),
}


@pytest.mark.parametrize(("agent", "words"), AGENTS.values(), ids=AGENTS)
def test_a_browser_in_a_few_words(agent: str, words: str) -> None:
    assert browsers.in_words(agent) == words


async def test_who_comes_when_many_wait_for_a_hash_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleet.people.passwords.MOST_WAITING", 4)
    results = await asyncio.gather(*(passwords.hashed(GOOD) for _ in range(6)), return_exceptions=True)
    assert [type(result) for result in results] == [str] * 4 + [TooManyAtOnce] * 2
    assert await passwords.matches(str(results[0]), GOOD)


async def test_nobody_signs_in_with_a_password_where_there_is_none() -> None:
    assert not await passwords.matches(passwords.NO_PASSWORD, "nobody has this password")
    assert not await passwords.matches(None, "nobody has this password")

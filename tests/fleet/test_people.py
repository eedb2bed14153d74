"""People, the first administrator, sign-in with its limits, and sessions with their ends."""

import asyncio
import hashlib

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select

from fleet.errors import Invalid, NotFound, SignInRefused, StoreUnavailable, TooManyTries
from fleet.people import accounts as people
from fleet.people import members, passwords
from fleet.people.passwords import refuse_weak
from fleet.people.permissions import Role
from fleet.settings import Settings
from fleet.signing_in import login_limits, sessions
from fleet.signing_in import steps as signing_in
from fleet.store import Store, open_store
from fleet.store import tables as t
from tests.fleet.on_disk import on_disk
from tests.fleet.samples import Clock

GOOD = "plum-tractor-lamp"
OTHER = "seven grey herons"
HERE = "192.0.2.1"


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a hash costs people is not waited for here; one test below looks at the real cost."""
    monkeypatch.setattr("fleet.people.passwords._hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


async def anna(store: Store, role: Role = Role.OPERATOR) -> people.Person:
    return await people.add_user(store, "Anna", GOOD, role)


# --- the first administrator ------------------------------------------------------------------------------------------


async def test_the_first_start_makes_an_administrator(store: Store) -> None:
    token = await people.setup_token(store)
    assert token is not None
    assert await people.needs_setup(store)
    person = await people.create_first_administrator(store, token, "root of all", GOOD)
    (held,) = (await members.member(store, person.id)).grants
    assert (held.role, held.sites, held.until) == (Role.ADMINISTRATOR, None, None)
    assert not await people.needs_setup(store)
    assert await people.setup_token(store) is None
    assert (await signing_in.sign_in(store, "root of all", GOOD, HERE)).token.reveal()


async def test_a_set_up_token_has_128_bits_and_is_stored_as_a_hash(store: Store, settings: Settings) -> None:
    tokens = [await people.setup_token(store) for _ in range(3)]
    assert {len(token or "") for token in tokens} == {22}
    stored = await asyncio.to_thread(on_disk, settings)
    assert not any((token or "").encode() in stored for token in tokens)
    assert hashlib.sha256((tokens[-1] or "").encode()).hexdigest().encode() in stored


async def test_a_set_up_token_works_once(store: Store) -> None:
    token = await people.setup_token(store) or ""
    tries = [people.create_first_administrator(store, token, f"person {n}", GOOD) for n in range(3)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Invalid", "Invalid", "Person"]
    assert len(await people.people(store)) == 1


async def test_a_new_start_voids_the_token_before(store: Store) -> None:
    old = await people.setup_token(store) or ""
    new = await people.setup_token(store) or ""
    with pytest.raises(Invalid, match="set-up token"):
        await people.create_first_administrator(store, old, "anna", GOOD)
    await people.create_first_administrator(store, new, "anna", GOOD)


async def test_a_used_token_stays_used_when_nobody_is_left(store: Store) -> None:
    token = await people.setup_token(store) or ""
    await people.create_first_administrator(store, token, "anna", GOOD)
    async with store.write() as connection:
        await connection.exec_driver_sql("DELETE FROM grants")
        await connection.exec_driver_sql("DELETE FROM people")
    with pytest.raises(Invalid, match="set-up token"):
        await people.create_first_administrator(store, token, "eve", GOOD)


@pytest.mark.parametrize("token", ["", "x", "x" * 100_000, "\ud800", "' OR 1=1 --"])
async def test_a_wrong_token_makes_nobody(store: Store, token: str) -> None:
    await people.setup_token(store)
    with pytest.raises(Invalid, match="set-up token"):
        await people.create_first_administrator(store, token, "eve", GOOD)
    assert await people.needs_setup(store)


async def test_a_refused_password_does_not_use_up_the_token(store: Store) -> None:
    token = await people.setup_token(store) or ""
    with pytest.raises(Invalid, match="at least 12"):
        await people.create_first_administrator(store, token, "anna", "short")
    await people.create_first_administrator(store, token, "anna", GOOD)


# --- names and passwords ----------------------------------------------------------------------------------------------

WEAK = {
    "eleven characters": "plum-tracto",
    "one that everybody tries": "Password1234!",
    "the maker of the camera": "hikvision-2024",
    "the name itself": "Annabella-Maria",
    "the name and some digits": "annabella-maria1",
    "the name twice": "annabella-mariaannabella-maria",
    "one character": "aaaaaaaaaaaaaaa",
    "two characters": "abababababababab",
    "a short piece again and again": "ab1d!ab1d!ab1d!",
    "counting up": "1234567890123",
    "counting down": "9876543210987",
    "the alphabet": "bcdefghijklmnop",
    "a row of keys": "qwertyuiop123",
    "a book": "plum-tractor" * 100,
}


@pytest.mark.parametrize("password", WEAK.values(), ids=WEAK)
def test_a_weak_password_is_refused_and_not_quoted(password: str) -> None:
    with pytest.raises(Invalid) as caught:
        refuse_weak(password, "Annabella-Maria")
    assert password not in str(caught.value)


STRONG = {
    "three words": GOOD,
    "words with spaces": OTHER,
    "64 characters": "correct horse battery staple and sixty four characters are fine!",
    "letters of other alphabets": "пять зелёных лягушек",
    "a common word among others": "my camera password is long",
    "twelve random characters": "u7#kQz!p2Lm9",
}


@pytest.mark.parametrize("password", STRONG.values(), ids=STRONG)
def test_a_good_password_is_taken(password: str) -> None:
    refuse_weak(password, "anna")


NAMES = ["", "  ", "x" * 65, "a\nb", "a\x00b", "\u202eanna", "\ud800"]


@pytest.mark.parametrize("name", NAMES)
async def test_a_name_is_printable_and_short(store: Store, name: str) -> None:
    with pytest.raises(Invalid, match="a name has"):
        await people.add_user(store, name, GOOD, Role.VIEWER)


@pytest.mark.parametrize("name", ["Anna", "anna", " ANNA ", "\uff21nna"])
async def test_names_that_look_alike_are_one_person(store: Store, name: str) -> None:
    await anna(store)
    with pytest.raises(Invalid, match="taken"):
        await people.add_user(store, name, OTHER, Role.VIEWER)
    await signing_in.sign_in(store, name, GOOD, HERE)


# --- sign-in ----------------------------------------------------------------------------------------------------------

REFUSED = {
    "a wrong password": ("Anna", OTHER),
    "a password in other case": ("Anna", GOOD.upper()),
    "no password": ("Anna", ""),
    "nobody of that name": ("Eve", GOOD),
    "no name": ("", GOOD),
    "a book for a name": ("x" * 100_000, GOOD),
    "a book for a password": ("Anna", "x" * 1_000_000),
    "a name that SQL would read": ("Anna' --", GOOD),
    "half a character": ("\ud800", "\ud800"),
}


@pytest.mark.parametrize(("name", "password"), REFUSED.values(), ids=REFUSED)
async def test_sign_in_is_refused_with_one_sentence(store: Store, name: str, password: str) -> None:
    await anna(store)
    with pytest.raises(SignInRefused) as caught:
        await signing_in.sign_in(store, name, password, HERE)
    assert str(caught.value) == "name or password is wrong"


async def test_an_unknown_name_costs_the_same_work(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await anna(store)
    checked = []

    async def watch(stored: str | None, password: str) -> bool:
        checked.append(stored is None)
        return await passwords.matches(stored, password)

    monkeypatch.setattr("fleet.signing_in.steps.matches", watch)
    for name in ("Anna", "Eve"):
        with pytest.raises(SignInRefused):
            await signing_in.sign_in(store, name, OTHER, HERE)
    assert checked == [False, True]


async def test_too_many_wrong_tries_for_a_name_must_wait_even_with_the_right_password(
    store: Store, clock: Clock
) -> None:
    await anna(store)
    await _wrong(store, login_limits.PER_NAME, name="Anna")
    with pytest.raises(TooManyTries) as caught:
        await signing_in.sign_in(store, "Anna", GOOD, "192.0.2.99")
    assert caught.value.retry_after_s == 15 * 60
    clock.forward(minutes=15)
    await signing_in.sign_in(store, "Anna", GOOD, HERE)


async def test_too_many_wrong_tries_from_one_source_must_wait_whoever_it_is(store: Store, clock: Clock) -> None:
    await anna(store)
    for number in range(login_limits.PER_SOURCE):
        await login_limits.spend(store, f"name {number}", HERE)
    with pytest.raises(TooManyTries):
        await signing_in.sign_in(store, "Anna", GOOD, HERE)
    await signing_in.sign_in(store, "Anna", GOOD, "192.0.2.2")
    clock.forward(minutes=15)
    await signing_in.sign_in(store, "Anna", GOOD, HERE)


SOURCES = {
    "one network of IPv6 is one source": ("2001:db8::1", "2001:db8::ffff:1", True),
    "two networks are two": ("2001:db8::1", "2001:db8:0:1::1", False),
    "IPv4 in IPv6 is IPv4": ("::ffff:192.0.2.1", "192.0.2.1", True),
    "two addresses of IPv4 are two": ("192.0.2.1", "192.0.2.2", False),
    "no address at all is a source, too": ("unix:", "unix:", True),
}


@pytest.mark.parametrize(("one", "other", "same"), SOURCES.values(), ids=SOURCES)
async def test_sources(store: Store, one: str, other: str, same: bool) -> None:
    first, second = [await login_limits.spend(store, "anna", source) for source in (one, other)]
    assert (first.source == second.source) is same


async def test_many_tries_at_once_cannot_overtake_the_count(store: Store) -> None:
    await anna(store)
    tries = [signing_in.sign_in(store, "Anna", OTHER, HERE) for _ in range(login_limits.PER_NAME + 5)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    kinds = sorted(type(result).__name__ for result in results)
    assert kinds == ["SignInRefused"] * login_limits.PER_NAME + ["TooManyTries"] * 5


async def test_a_right_password_forgives_the_wrong_ones_before_it_from_there_only(store: Store) -> None:
    await anna(store)
    await _wrong(store, 5, name="Anna", source="192.0.2.66")
    await _wrong(store, login_limits.PER_NAME - 6, name="Anna")
    await signing_in.sign_in(store, "Anna", GOOD, HERE)
    await _wrong(store, login_limits.PER_NAME - 5, name="Anna")
    with pytest.raises(TooManyTries):
        await signing_in.sign_in(store, "Anna", GOOD, HERE)


async def test_no_count_no_sign_in(settings: Settings, clock: Clock) -> None:
    async with await open_store(settings, clock) as store:
        await anna(store)
        async with store.write() as connection:
            await connection.exec_driver_sql("DROP TABLE login_attempts")
        with pytest.raises(StoreUnavailable):
            await signing_in.sign_in(store, "Anna", GOOD, HERE)


async def test_what_is_typed_as_a_name_is_not_stored(store: Store, settings: Settings) -> None:
    with pytest.raises(SignInRefused):
        await signing_in.sign_in(store, "my-secret-password", "Anna", HERE)
    stored = await asyncio.to_thread(on_disk, settings)
    assert b"my-secret-password" not in stored
    assert HERE.encode() in stored


async def _wrong(store: Store, times: int, name: str, source: str = HERE) -> None:
    """Counted like real ones, without the work."""
    for _ in range(times):
        await login_limits.spend(store, name.casefold(), source)


async def test_an_old_hash_is_made_anew_at_sign_in(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await anna(store)
    async with store.read() as connection:
        weak = await connection.scalar(select(t.Person.password_hash))
    monkeypatch.setattr("fleet.people.passwords._hasher", PasswordHasher())
    await signing_in.sign_in(store, "Anna", GOOD, HERE)
    async with store.read() as connection:
        stored = await connection.scalar(select(t.Person.password_hash))
    assert stored != weak
    assert (stored or "").startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    await signing_in.sign_in(store, "Anna", GOOD, HERE)


# --- sessions ---------------------------------------------------------------------------------------------------------


async def test_a_session_knows_the_person_and_its_own_csrf_token(store: Store) -> None:
    person = await anna(store)
    tokens = [(await signing_in.sign_in(store, "Anna", GOOD, HERE)).token.reveal() for _ in range(2)]
    signed_in = [await sessions.session(store, token) for token in (*tokens, tokens[0])]
    assert [one.person for one in signed_in if one] == [person] * 3
    first, second, again = (one.csrf for one in signed_in if one)
    assert (first == again, first == second, len(first)) == (True, False, 64)
    assert len(tokens[0]) == 43


async def test_the_token_is_stored_as_a_hash_only(store: Store, settings: Settings) -> None:
    await anna(store)
    token = (await signing_in.sign_in(store, "Anna", GOOD, HERE)).token.reveal()
    signed_in = await sessions.session(store, token)
    stored = await asyncio.to_thread(on_disk, settings)
    assert signed_in is not None
    for secret in (token, signed_in.csrf, GOOD):
        assert secret.encode() not in stored


# minutes at which the session is used, and whether it lives at the last one
USES = {
    "at once": ([0], True),
    "after 29 minutes": ([29], True),
    "after 30 minutes": ([30], False),
    "kept alive": ([20, 40, 60, 80], True),
    "kept alive, then left": ([20, 40, 70], False),
    "all day long, until twelve hours are over": ([*range(20, 720, 20), 719], True),
    "and not a minute longer": ([*range(20, 720, 20), 720], False),
}


@pytest.mark.parametrize(("minutes", "lives"), USES.values(), ids=USES)
async def test_a_session_ends(store: Store, clock: Clock, minutes: list[int], lives: bool) -> None:
    await anna(store)
    token = (await signing_in.sign_in(store, "Anna", GOOD, HERE)).token.reveal()
    now, signed_in = 0, None
    for minute in minutes:
        clock.forward(minutes=minute - now)
        now = minute
        signed_in = await sessions.session(store, token)
    assert (signed_in is not None) is lives
    async with store.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(t.Session)) == int(lives)


@pytest.mark.parametrize("token", ["", "x", "x" * 1_000_000, "\ud800", "é"])
async def test_a_made_up_token_is_no_session(store: Store, token: str) -> None:
    await anna(store)
    assert await sessions.session(store, token) is None
    await sessions.sign_out(store, token)


async def test_signing_out_ends_that_session_only(store: Store) -> None:
    await anna(store)
    one, two = [(await signing_in.sign_in(store, "Anna", GOOD, HERE)).token.reveal() for _ in range(2)]
    await sessions.sign_out(store, one)
    assert (await sessions.session(store, one), await sessions.session(store, two) is None) == (None, False)


async def test_a_new_password_ends_every_session(store: Store) -> None:
    await anna(store)
    token = (await signing_in.sign_in(store, "Anna", GOOD, HERE)).token.reveal()
    await people.set_password(store, "ANNA", OTHER)
    assert await sessions.session(store, token) is None
    with pytest.raises(SignInRefused):
        await signing_in.sign_in(store, "Anna", GOOD, HERE)
    await signing_in.sign_in(store, "Anna", OTHER, HERE)


async def test_a_password_for_nobody(store: Store) -> None:
    with pytest.raises(NotFound):
        await people.set_password(store, "Eve", GOOD)


async def test_a_password_changed_during_sign_in_wins(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await anna(store)

    async def meanwhile(stored: str | None, password: str) -> bool:
        right = await passwords.matches(stored, password)
        await people.set_password(store, "Anna", OTHER)
        return right

    monkeypatch.setattr("fleet.signing_in.steps.matches", meanwhile)
    with pytest.raises(SignInRefused):
        await signing_in.sign_in(store, "Anna", GOOD, HERE)
    monkeypatch.undo()
    await signing_in.sign_in(store, "Anna", OTHER, HERE)

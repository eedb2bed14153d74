"""Security keys: what a key must sign, for whom, where, and how often. A real browser is in tests/web."""

import json
from collections.abc import Callable

import pytest
from argon2 import PasswordHasher

from fleet.errors import BeginAgain, CodeRefused, Invalid
from fleet.people import accounts as people
from fleet.people.accounts import Person
from fleet.people.permissions import Role
from fleet.signing_in import steps as signing_in
from fleet.signing_in.second_factors import enrolled
from fleet.signing_in.second_factors.enrolled import Shown
from fleet.signing_in.second_factors.security_keys import Answer, Ceremony
from fleet.store import Store
from tests.fleet.factors import GOOD, HERE, after_password, anna
from tests.fleet.security_key import SoftKey

HOST, ORIGIN = "camwarden.example.org", "https://camwarden.example.org"


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleet.people.passwords._hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def answer(credential: str, asked: Ceremony, host: str = HOST) -> Answer:
    return Answer(credential, asked.token.reveal(), host, (f"https://{host}",))


async def add(store: Store, person: Person, key: SoftKey, name: str = "blue key") -> int:
    """How many recovery codes came with it."""
    asked = await enrolled.ask_for_new_key(store, person, HOST)
    async with store.write() as connection:
        made = answer(key.make(asked.options, ORIGIN), asked)
        return len(await enrolled.add_key(connection, person, name, made, store.now()))


async def asked_of(store: Store, person: Person, host: str = HOST) -> Ceremony:
    asked = await signing_in.ask_for_key(store, person, host)
    assert asked
    return asked


async def test_a_key_signs_in_again_and_again(store: Store) -> None:
    person, key = await anna(store), SoftKey()
    assert await add(store, person, key) == 10
    for count in (1, 2):
        step, asked = await after_password(store), await asked_of(store, person)
        shown = Shown(key=answer(key.sign(asked.options, ORIGIN), asked))
        assert (await signing_in.second_step(store, step, shown, HERE)).token.reveal()
        assert key.count == count


async def test_a_person_has_several_keys_with_names(store: Store) -> None:
    person = await anna(store)
    assert await add(store, person, SoftKey(id=b"one"), "blue key") == 10
    assert await add(store, person, SoftKey(id=b"two"), " red\x1b key ") == 0
    listed = (await enrolled.factors(store, person.id)).keys
    assert [key.host for key in listed] == [HOST, HOST]
    assert all(key.name.isprintable() for key in listed)
    asked = await asked_of(store, person)
    assert len(json.loads(asked.options)["allowCredentials"]) == 2
    await enrolled.remove_key(store, person, listed[0].id)
    assert [key.id for key in (await enrolled.factors(store, person.id)).keys] == [listed[1].id]


async def test_a_key_that_is_set_up_is_not_set_up_again_by_anybody(store: Store) -> None:
    person, other = await anna(store), await people.add_user(store, "Berta", GOOD, Role.VIEWER)
    key = SoftKey()
    await add(store, person, key)
    for somebody in (person, other):
        with pytest.raises(Invalid, match="already"):
            await add(store, somebody, key)


async def test_under_another_name_of_the_console_a_key_is_not_asked(store: Store) -> None:
    person = await anna(store)
    await add(store, person, SoftKey())
    assert await signing_in.ask_for_key(store, person, "other.example.org") is None
    assert await signing_in.ask_for_key(store, person, None) is None


LIES: dict[str, Callable[[SoftKey, str], str]] = {
    "at another site": lambda key, options: key.sign(options, "https://evil.example"),
    "in clear text": lambda key, options: key.sign(options, "http://camwarden.example.org"),
    "another question": lambda key, options: key.sign(_other(options, "challenge", "AAAA"), ORIGIN),
    "for another host": lambda key, options: key.sign(_other(options, "rpId", "evil.example"), ORIGIN),
    "without anybody there": lambda key, options: key.sign(options, ORIGIN, present=False),
    "with another private half": lambda key, options: SoftKey(id=key.id, count=key.count).sign(options, ORIGIN),
    "as another key": lambda key, options: SoftKey(id=b"x", private=key.private).sign(options, ORIGIN),
    "as when it was made": lambda key, options: key.make(
        json.dumps({**json.loads(options), "rp": {"id": HOST}}), ORIGIN
    ),
    "with a count that goes back, as of a copy": lambda key, options: SoftKey(
        id=key.id, private=key.private, count=3
    ).sign(options, ORIGIN),
}


def _other(options: str, field: str, value: str) -> str:
    return json.dumps({**json.loads(options), field: value})


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
async def test_what_a_key_did_not_sign_here_and_now_opens_nothing(
    lie: Callable[[SoftKey, str], str], store: Store
) -> None:
    person, key = await anna(store), SoftKey(count=7)
    await add(store, person, key)
    step, asked = await after_password(store), await asked_of(store, person)
    with pytest.raises(CodeRefused):
        await signing_in.second_step(store, step, Shown(key=answer(lie(key, asked.options), asked)), HERE)


async def test_a_question_takes_one_answer(store: Store) -> None:
    person, key = await anna(store), SoftKey()
    await add(store, person, key)
    asked = await asked_of(store, person)
    shown = Shown(key=answer(key.sign(asked.options, ORIGIN), asked))
    await signing_in.second_step(store, await after_password(store), shown, HERE)
    with pytest.raises(BeginAgain):
        await signing_in.second_step(store, await after_password(store), shown, HERE)


async def test_the_key_of_one_person_does_not_open_for_another(store: Store) -> None:
    person, other = await anna(store), await people.add_user(store, "Berta", GOOD, Role.VIEWER)
    mine, theirs = SoftKey(id=b"mine"), SoftKey(id=b"theirs")
    await add(store, person, mine)
    await add(store, other, theirs)
    asked = await asked_of(store, person)
    shown = Shown(key=answer(mine.sign(asked.options, ORIGIN), asked))
    with pytest.raises(CodeRefused):
        await signing_in.second_step(store, await after_password(store, "Berta"), shown, HERE)
    foreign = await asked_of(store, other)  # nor does the question that another was asked
    shown = Shown(key=answer(mine.sign(foreign.options, ORIGIN), foreign))
    with pytest.raises(CodeRefused):
        await signing_in.second_step(store, await after_password(store), shown, HERE)


MADE_WRONG = {
    "at another site": "https://evil.example",
    "in clear text": "http://camwarden.example.org",
}


@pytest.mark.parametrize("origin", MADE_WRONG.values(), ids=MADE_WRONG)
async def test_a_key_that_was_made_elsewhere_is_not_kept(origin: str, store: Store) -> None:
    person, key = await anna(store), SoftKey()
    asked = await enrolled.ask_for_new_key(store, person, HOST)
    made = answer(key.make(asked.options, origin), asked)
    async with store.write() as connection:
        with pytest.raises(Invalid):
            await enrolled.add_key(connection, person, "blue key", made, store.now())
    assert not (await enrolled.factors(store, person.id)).any

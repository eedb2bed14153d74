"""Codes of an app, recovery codes, security keys: what opens, what opens once, and what opens nothing."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from fleet.audit.trail import Action
from fleet.audit.views import Wanted, entries
from fleet.errors import (
    BeginAgain,
    CodeRefused,
    Invalid,
    SecondStepNeeded,
    TooManyTries,
    VaultUnavailable,
)
from fleet.people import accounts as people
from fleet.people.permissions import Role
from fleet.settings import Settings
from fleet.signing_in import pending, sessions
from fleet.signing_in import steps as signing_in
from fleet.signing_in.pending import Purpose
from fleet.signing_in.second_factors import enrolled, recovery, security_keys, totp
from fleet.signing_in.second_factors.enrolled import Shown
from fleet.signing_in.second_factors.security_keys import Answer
from fleet.store import Store, open_store
from fleet.store.factor_tables import AppSecret, PendingStep, RecoveryCode
from tests.fleet.factors import GOOD, HERE, after_password, anna, come_in, signed_in, with_app
from tests.fleet.samples import Clock


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleet.people.passwords._hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def _on_disk(database: Path) -> bytes:
    return database.read_bytes() + Path(f"{database}-wal").read_bytes()


async def told(store: Store, action: Action) -> list[dict[str, object]]:
    """What the audit trail says under that word, the newest first."""
    return [json.loads(row.detail) for row in (await entries(store, Wanted(action=action.value))).items]


# --- an app -----------------------------------------------------------------------------------------------------------

# half minutes between the phone and us when the code is read, and whether it is taken
CLOCKS = {
    "the code of now": (0, True),
    "the one before, typed slowly": (-1, True),
    "the next one, of a phone that is ahead": (1, True),
    "one of a minute ago": (-2, False),
    "one of the next minute": (2, False),
}


@pytest.mark.parametrize(("half_minutes", "taken"), CLOCKS.values(), ids=CLOCKS)
async def test_a_code_is_good_for_about_a_minute(store: Store, clock: Clock, half_minutes: int, taken: bool) -> None:
    phone, _ = await with_app(store, clock, await anna(store))
    clock.forward(minutes=5)
    code = phone.code(half_minutes=half_minutes)
    if taken:
        assert (await come_in(store, code)).person.name == "Anna"
    else:
        with pytest.raises(CodeRefused):
            await come_in(store, code)


async def test_a_code_works_once_and_no_older_one_after_it(store: Store, clock: Clock) -> None:
    phone, _ = await with_app(store, clock, await anna(store))
    now, before = phone.code(), phone.code(half_minutes=-1)
    await come_in(store, now)
    for code in (now, before):
        with pytest.raises(CodeRefused):
            await come_in(store, code)
    await come_in(store, phone.code(half_minutes=1))


async def test_of_two_that_show_the_same_code_at_once_one_comes_in(store: Store, clock: Clock) -> None:
    phone, _ = await with_app(store, clock, await anna(store))
    steps = [await after_password(store) for _ in range(2)]
    tries = [signing_in.second_step(store, step, Shown(phone.code()), HERE) for step in steps]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["CodeRefused", "SessionToken"]


async def test_the_code_that_set_the_app_up_does_not_sign_in(store: Store, clock: Clock) -> None:
    person = await anna(store)
    await enrolled.propose_app(store, person)
    secret = await enrolled.proposed_app(store, person)
    assert secret
    code = pyotp.TOTP(secret.reveal()).at(clock())
    async with store.write() as connection:
        await enrolled.add_app(connection, person, code, store.now())
    with pytest.raises(CodeRefused):
        await come_in(store, code)


async def test_an_app_counts_only_once_a_right_code_has_shown_it(store: Store, clock: Clock) -> None:
    person = await anna(store)
    await enrolled.propose_app(store, person)
    async with store.write() as connection:
        with pytest.raises(CodeRefused):
            await enrolled.add_app(connection, person, "000000", store.now())
    assert not (await enrolled.factors(store, person.id)).any
    assert (await signed_in(store)).person == person
    phone, _ = await with_app(store, clock, person)
    with pytest.raises(Invalid, match="already"):
        await enrolled.propose_app(store, person)
    await come_in(store, phone.code())


NO_CODES = {
    "nothing": "",
    "letters": "abcdef",
    "five digits": "12345",
    "a book": "1" * 100_000,
    "digits of another script": "١٢٣٤٥٦",
    "half a character": "\ud800",
    "a recovery code that nobody has": "aaaa-bbbb-cccc-dddd",
}


@pytest.mark.parametrize("code", NO_CODES.values(), ids=NO_CODES)
async def test_what_is_no_code_is_refused(store: Store, clock: Clock, code: str) -> None:
    await with_app(store, clock, await anna(store))
    with pytest.raises(CodeRefused):
        await come_in(store, code)


async def test_the_secret_is_sealed_and_bound_to_its_person(store: Store, settings: Settings) -> None:
    person, other = await anna(store), await people.add_user(store, "Berta", GOOD, Role.VIEWER)
    await enrolled.propose_app(store, person)
    secret = await enrolled.proposed_app(store, person)
    assert secret
    stored = await asyncio.to_thread(_on_disk, settings.database)
    assert secret.reveal().encode() not in stored
    assert secret.reveal() in totp.address_of(secret, "Anna").reveal()
    async with store.write() as connection:  # somebody with the database, but without the key
        await connection.execute(update(AppSecret).values(person=other.id))
    with pytest.raises(VaultUnavailable, match="reset-factors"):
        await enrolled.proposed_app(store, other)


# --- recovery codes ---------------------------------------------------------------------------------------------------


async def test_ten_recovery_codes_come_with_the_first_factor_and_each_works_once(store: Store, clock: Clock) -> None:
    person = await anna(store)
    _, codes = await with_app(store, clock, person)
    assert (len(codes), len(set(codes))) == (recovery.MANY, recovery.MANY)
    await come_in(store, codes[0])
    await come_in(store, codes[1].upper().replace("-", " "))
    with pytest.raises(CodeRefused):
        await come_in(store, codes[0])
    assert (await enrolled.factors(store, person.id)).codes == recovery.MANY - 2


async def test_recovery_codes_are_stored_as_hashes(store: Store, clock: Clock, settings: Settings) -> None:
    _, codes = await with_app(store, clock, await anna(store))
    stored = await asyncio.to_thread(_on_disk, settings.database)
    assert not any(code.encode() in stored or code.replace("-", "").encode() in stored for code in codes)


async def test_new_recovery_codes_void_the_old_ones(store: Store, clock: Clock) -> None:
    person = await anna(store)
    with pytest.raises(Invalid, match="first"):
        await enrolled.renew_codes(store, person)
    _, old = await with_app(store, clock, person)
    new = [code.reveal() for code in await enrolled.renew_codes(store, person)]
    with pytest.raises(CodeRefused):
        await come_in(store, old[0])
    await come_in(store, new[0])


async def test_the_last_factor_takes_the_recovery_codes_with_it(store: Store, clock: Clock) -> None:
    person = await anna(store)
    await with_app(store, clock, person)
    await enrolled.remove_app(store, person)
    async with store.read() as connection:
        assert (await connection.execute(select(RecoveryCode))).all() == []
    assert (await signed_in(store)).person == person


async def test_a_code_of_somebody_else_opens_nothing(store: Store, clock: Clock) -> None:
    _, codes = await with_app(store, clock, await anna(store))
    await with_app(store, clock, await people.add_user(store, "Berta", GOOD, Role.VIEWER))
    with pytest.raises(CodeRefused):
        await come_in(store, codes[0], "Berta")


# --- between the steps ------------------------------------------------------------------------------------------------


async def test_the_step_after_the_password_is_no_session_and_ends_after_five_minutes(
    store: Store, clock: Clock
) -> None:
    phone, _ = await with_app(store, clock, await anna(store))
    step = await after_password(store)
    assert await sessions.session(store, step) is None
    with pytest.raises(BeginAgain):  # for this purpose, and no other
        await signing_in.person_between(store, step, Purpose.ENROL)
    clock.forward(minutes=5)
    with pytest.raises(BeginAgain):
        await signing_in.second_step(store, step, Shown(phone.code()), HERE)


async def test_a_step_is_used_once(store: Store, clock: Clock) -> None:
    phone, codes = await with_app(store, clock, await anna(store))
    step = await after_password(store)
    await signing_in.second_step(store, step, Shown(phone.code()), HERE)
    with pytest.raises(BeginAgain):
        await signing_in.second_step(store, step, Shown(codes[0]), HERE)


async def test_a_wrong_code_may_be_corrected_and_then_the_wrong_ones_are_forgiven(store: Store, clock: Clock) -> None:
    phone, codes = await with_app(store, clock, await anna(store))
    for code in (phone.code(), codes[0]):
        step = await after_password(store)
        for _ in range(4):
            with pytest.raises(CodeRefused):
                await signing_in.second_step(store, step, Shown("000000"), HERE)
        await signing_in.second_step(store, step, Shown(code), HERE)


async def test_five_wrong_codes_must_wait_and_the_password_does_not_forgive_them(store: Store, clock: Clock) -> None:
    _, codes = await with_app(store, clock, await anna(store))
    for _ in range(5):
        with pytest.raises(CodeRefused):
            await come_in(store, "000000")
    with pytest.raises(TooManyTries):
        await come_in(store, codes[0])
    assert await told(store, Action.SESSION_LIMITED) == [{}]
    clock.forward(minutes=15)
    await come_in(store, codes[0])


async def test_a_new_password_voids_what_was_begun_with_the_old_one(store: Store, clock: Clock) -> None:
    phone, _ = await with_app(store, clock, await anna(store))
    step = await after_password(store)
    await people.set_password(store, "Anna", "seven grey herons")
    with pytest.raises(BeginAgain):
        await signing_in.second_step(store, step, Shown(phone.code()), HERE)


async def test_strangers_cannot_fill_the_table_of_steps(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending, "MOST_OF_STRANGERS", 3)
    async with store.write() as connection:
        for _ in range(6):
            await pending.begin(connection, Purpose.SINGLE_SIGN_ON, store.now())
    async with store.read() as connection:
        assert len((await connection.execute(select(PendingStep))).all()) == 3


async def test_what_was_shown_and_what_was_wrong_is_in_the_audit_trail(store: Store, clock: Clock) -> None:
    phone, _ = await with_app(store, clock, await anna(store))
    with pytest.raises(CodeRefused):
        await come_in(store, "000000")
    await come_in(store, phone.code())
    assert await told(store, Action.SESSION_REFUSED) == [{"wrong": "second factor"}]
    assert await told(store, Action.SESSION_SIGN_IN) == [{"with": "password, app"}]
    assert await told(store, Action.FACTOR_ADD) == [{"factor": "app"}]


# --- who must ---------------------------------------------------------------------------------------------------------

MUST = {
    "nobody": ("optional", Role.ADMINISTRATOR, False),
    "an administrator, where administrators must": ("administrators", Role.ADMINISTRATOR, True),
    "an operator, where administrators must": ("administrators", Role.OPERATOR, False),
    "a viewer, where everyone must": ("everyone", Role.VIEWER, True),
}


@pytest.mark.parametrize(("required", "role", "must"), MUST.values(), ids=MUST)
async def test_who_must_have_a_factor_gets_no_session_before(
    required: str, role: Role, must: bool, settings: Settings, clock: Clock
) -> None:
    settings = settings.model_copy(update={"second_factor": required})
    async with await open_store(settings, clock) as store:
        person = await anna(store, role)
        if not must:
            await signed_in(store)
            return
        with pytest.raises(SecondStepNeeded) as needed:
            await signing_in.sign_in(store, "Anna", GOOD, HERE)
        step = needed.value.token.reveal()
        assert needed.value.enrol
        secret = await enrolled.proposed_app(store, person)
        assert secret
        code = pyotp.TOTP(secret.reveal()).at(clock())
        token, codes = await signing_in.enrol_app(store, step, code, HERE)
        found = await sessions.session(store, token.token.reveal())
        assert found
        assert (found.person, len(codes)) == (person, recovery.MANY)
        with pytest.raises(BeginAgain):
            await signing_in.enrol_app(store, step, code, HERE)


# --- reset ------------------------------------------------------------------------------------------------------------


async def test_a_reset_takes_every_factor_and_session_and_what_was_begun(store: Store, clock: Clock) -> None:
    person = await anna(store)
    phone, _ = await with_app(store, clock, person)
    session, step = await come_in(store, phone.code()), await after_password(store)
    await enrolled.reset(store, person, "root")
    assert await enrolled.factors(store, person.id) == enrolled.Factors(None, (), 0)
    assert await sessions.sessions_of(store, person.id) == ()
    with pytest.raises(BeginAgain):
        await signing_in.second_step(store, step, Shown(phone.code(half_minutes=1)), HERE)
    assert (await signed_in(store)).id != session.id
    assert await told(store, Action.FACTOR_RESET) == [{}]


async def test_nobody_resets_their_own_factors(store: Store, clock: Clock) -> None:
    person = await anna(store)
    await with_app(store, clock, person)
    with pytest.raises(Invalid, match="their own"):
        await enrolled.reset(store, person, "Anna")
    assert (await enrolled.factors(store, person.id)).any


# --- once more --------------------------------------------------------------------------------------------------------


async def test_a_proof_lasts_ten_minutes_and_gives_the_session_another_token(store: Store, clock: Clock) -> None:
    phone, _ = await with_app(store, clock, await anna(store))
    session = await come_in(store, phone.code())
    assert sessions.recently_proved(session, clock())
    clock.forward(minutes=10)
    assert not sessions.recently_proved(session, clock())
    for proof in ("password", "app"):
        token = (
            await signing_in.prove_password(store, session, GOOD, HERE)
            if proof == "password"
            else await signing_in.prove_factor(store, session, Shown(phone.code()), HERE)
        )
        again = await sessions.session(store, token.token.reveal())
        assert again
        assert (again.id, again.csrf != session.csrf) == (session.id, True)
        assert sessions.recently_proved(again, clock())
        assert again.signed_in_at == session.signed_in_at
    assert [row["with"] for row in await told(store, Action.SESSION_PROVE)] == ["app", "password"]


async def test_the_token_from_before_a_proof_is_worth_nothing_after_it(store: Store) -> None:
    await anna(store)
    old = (await signing_in.sign_in(store, "Anna", GOOD, HERE)).token.reveal()
    session = await sessions.session(store, old)
    assert session
    await signing_in.prove_password(store, session, GOOD, HERE)
    assert await sessions.session(store, old) is None


async def test_a_session_that_was_ended_cannot_be_proved_alive(store: Store) -> None:
    person = await anna(store)
    session = await signed_in(store)
    await sessions.end_all(store, person, "root")
    with pytest.raises(BeginAgain):
        await signing_in.prove_password(store, session, GOOD, HERE)


# --- security keys (the browser's part is in tests/web) ---------------------------------------------------------------

HOSTS = {
    "a name": ("camwarden.example.org", "camwarden.example.org"),
    "this machine": ("localhost", "localhost"),
    "an address": ("192.0.2.1", None),
    "an address of IPv6": ("[2001:db8::1]", None),
    "nothing": ("", None),
}


@pytest.mark.parametrize(("host", "expected"), HOSTS.values(), ids=HOSTS)
def test_security_keys_need_a_name(host: str, expected: str | None) -> None:
    assert security_keys.host_for_keys(host) == expected


GARBLED = {
    "nothing": "",
    "no JSON": "<html>",
    "a list": "[]",
    "no fields": "{}",
    "fields of other kinds": '{"id": 1, "rawId": [], "response": "x", "type": null}',
    "nothing in its fields": '{"id": "", "rawId": "", "response": {}, "type": "public-key"}',
    "bytes that are none": '{"id": "!", "rawId": "!", "type": "public-key", "response": '
    '{"clientDataJSON": "!", "attestationObject": "!", "authenticatorData": "!", "signature": "!"}}',
    "CBOR that is none": '{"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {"clientDataJSON": "e30", '
    '"attestationObject": "_____w", "authenticatorData": "AAAA", "signature": "AAAA"}}',
    "without end": "[" * 50_000,
    "a book": '{"id": "' + "A" * 200_000 + '"}',
}


@pytest.mark.parametrize("credential", GARBLED.values(), ids=GARBLED)
async def test_what_no_key_says_adds_none_and_opens_nothing(store: Store, clock: Clock, credential: str) -> None:
    person = await anna(store)
    await with_app(store, clock, person)
    asked = await enrolled.ask_for_new_key(store, person, "localhost")
    answer = Answer(credential, asked.token.reveal(), "localhost", ("http://localhost:8080",))
    async with store.write() as connection:
        with pytest.raises(Invalid):
            await enrolled.add_key(connection, person, "blue key", answer, store.now())
    async with store.write() as connection:
        token = await pending.begin(
            connection, Purpose.USE_KEY, store.now(), person.id, {"challenge": "AAAA", "host": "localhost"}
        )
    step = await after_password(store)
    used = Answer(credential, token.reveal(), "localhost", ("http://localhost:8080",))
    with pytest.raises(CodeRefused):
        await signing_in.second_step(store, step, Shown(key=used), HERE)


async def test_a_question_to_a_key_is_forgotten_after_five_minutes(store: Store, clock: Clock) -> None:
    person = await anna(store)
    asked = await enrolled.ask_for_new_key(store, person, "localhost")
    clock.forward(minutes=5)
    answer = Answer("{}", asked.token.reveal(), "localhost", ())
    async with store.write() as connection:
        with pytest.raises(BeginAgain):
            await enrolled.add_key(connection, person, "blue key", answer, store.now())


def test_pending_steps_end_with_the_longest_of_them() -> None:
    assert max(pending.LASTS.values()) == timedelta(minutes=15)
    assert set(pending.LASTS) == set(Purpose)

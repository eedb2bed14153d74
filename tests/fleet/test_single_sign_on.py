"""Single sign-on with a real provider: who comes in, as what, and every way in which an answer is none."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from fleet import sites
from fleet.audit.trail import Action
from fleet.audit.views import Wanted, entries
from fleet.errors import BeginAgain, ProviderUnavailable, SettingsError, SignInRefused, SingleSignOnRefused
from fleet.people import accounts as people
from fleet.people import grants
from fleet.people.permissions import Role
from fleet.settings import Settings, load_settings
from fleet.signing_in import sessions
from fleet.signing_in import steps as signing_in
from fleet.signing_in.sessions import SignedIn
from fleet.signing_in.single_sign_on import Answered, SingleSignOnDesk, comes_by_provider, single_sign_on
from fleet.sites import Site
from fleet.store import Store, open_store
from fleet.store.pictures_tables import Notice
from fleet.store.tables import Person
from tests.fleet.factors import GOOD, HERE
from tests.fleet.provider import THEIR_WARNINGS, Running, provider
from tests.frame.sqlite import new_database

pytestmark = THEIR_WARNINGS

BACK = "http://127.0.0.1:8080/sign-in/sso/back"
GROUPS = (
    {"group": "cam-readers", "role": "viewer"},
    {"group": "cam-admins", "role": "administrator"},
    {"group": "cam-crew", "role": "operator", "sites": ["Harbour"]},
)
PEOPLE: dict[str, dict[str, Any]] = {
    "s-anna": {"preferred_username": "anna", "groups": ["cam-readers", "cam-admins", "unrelated"]},
    "s-bert": {"preferred_username": "bert", "groups": "cam-crew"},
    "s-carla": {"preferred_username": "carla", "groups": ["accounting"]},
    "s-dora": {"preferred_username": "dora", "groups": [{"a": 1}, 7, "cam-readers"]},
    "s-other-audience": {"groups": ["cam-admins"], "aud": "another program"},
    "s-other-party": {"groups": ["cam-admins"], "azp": "another program"},
    "s-other-issuer": {"groups": ["cam-admins"], "iss": "https://evil.example"},
    "s-ended": {"groups": ["cam-admins"], "exp": 1_000_000_000},
    "s-long-ago": {"preferred_username": "emil", "groups": ["cam-readers"], "auth_time": 1_000_000_000},
    "s-hostile": {"preferred_username": "\x1b[31m<b>\u202eroot", "groups": ["cam-readers"]},
}


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleet.people.passwords._hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with provider(PEOPLE) as listening:
        yield listening


def settings_for(home: Path, issuer: str, **more: object) -> Settings:
    secret = home / "client-secret"
    secret.write_text("a secret of the client\n")
    named = {"oidc_issuer": issuer, "oidc_client_id": "camwarden", "oidc_client_secret_file": secret}
    return load_settings(None, home=home / "home", **named, oidc_groups=GROUPS, **more)


@asynccontextmanager
async def desk(tmp_path: Path, issuer: str, **more: object) -> AsyncIterator[tuple[Store, SingleSignOnDesk]]:
    settings = await asyncio.to_thread(settings_for, tmp_path, issuer, **more)
    await new_database(settings)
    async with await open_store(settings, lambda: datetime.now(UTC)) as store:
        made = single_sign_on(store, settings)
        assert made
        yield store, made


async def come(
    made: SingleSignOnDesk,
    running: Running,
    subject: str,
    again: SignedIn | None = None,
    changes: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """The session of whoever goes there and comes back; `changes` to what they bring back."""
    begun = await made.begin(BACK, "/findings", again)
    brought = await asyncio.to_thread(running.sign_in, begun.address, subject)
    fields = {"code": brought.get("code", ""), "state": brought.get("state", ""), "error": "", **changes}
    answered = Answered(**{"token": begun.token.reveal(), **fields})
    token, target = await made.finish(answered, HERE, again)
    assert target == "/findings"
    return token.token.reveal()


async def told(store: Store, action: Action) -> list[dict[str, Any]]:
    return [json.loads(row.detail) for row in (await entries(store, Wanted(action=action.value))).items]


async def held(store: Store, person: str) -> set[tuple[str, tuple[str, ...] | None]]:
    """What that person may be now, and where."""
    async with store.read() as connection:
        every = await grants.of_person(connection, person)
    return {(grant.role.value, grant.sites) for grant in every if grant.lasts(store.now())}


ROLES: dict[str, tuple[str, str | None, set[tuple[str, tuple[str, ...] | None]]]] = {
    "two groups": ("s-anna", "anna", {("viewer", None), ("administrator", None)}),
    "one group at a site, not in a list": ("s-bert", "bert", {("operator", ("Harbour",))}),
    "a list with other things in it": ("s-dora", "dora", {("viewer", None)}),
    "a name that would order a terminal": ("s-hostile", None, {("viewer", None)}),
}


@pytest.mark.parametrize(("subject", "name", "roles"), ROLES.values(), ids=ROLES)
async def test_who_comes_by_the_provider_may_what_their_groups_say(
    subject: str,
    name: str | None,
    roles: set[tuple[str, tuple[str, ...] | None]],
    running: Running,
    tmp_path: Path,
) -> None:
    async with desk(tmp_path, running.issuer) as (store, made):
        await sites.put(store, Site("Harbour"), "root")
        token = await come(made, running, subject)
        found = await sessions.session(store, token)
        assert found
        assert (found.person.name if name else None, await held(store, found.person.id)) == (name, roles)
        assert found.person.name.isprintable()
        assert await comes_by_provider(store, found.person)
        assert not await signing_in.has_password(store, found.person)
        assert await told(store, Action.SESSION_SIGN_IN) == [{"with": "single sign-on"}]
        assert await told(store, Action.PERSON_LINK) == [{"issuer": running.issuer}]
        for password in ("", "!", GOOD):
            with pytest.raises(SignInRefused):
                await signing_in.sign_in(store, found.person.name, password, HERE)


async def test_the_same_subject_is_the_same_person_and_may_what_the_groups_say_now(
    running: Running, tmp_path: Path
) -> None:
    async with desk(tmp_path, running.issuer) as (store, made):
        await people.add_user(store, "root", GOOD, Role.ADMINISTRATOR)
        first = await sessions.session(store, await come(made, running, "s-anna"))
        fewer = await asyncio.to_thread(settings_for, tmp_path, running.issuer)
        changed = single_sign_on(store, fewer.model_copy(update={"oidc_groups": fewer.oidc_groups[:1]}))
        assert changed
        second = await sessions.session(store, await come(changed, running, "s-anna"))
        assert first
        assert second
        assert first.person.id == second.person.id
        assert await held(store, first.person.id) == {("viewer", None)}
        assert await told(store, Action.PERSON_CHANGE) == [
            {"groups": ["cam-readers"], "roles": ["viewer"]},
            {"groups": ["cam-readers", "cam-admins"], "roles": ["administrator", "viewer"]},
        ]


async def test_a_name_that_is_taken_here_is_not_taken_over(running: Running, tmp_path: Path) -> None:
    async with desk(tmp_path, running.issuer) as (store, made):
        local = await people.add_user(store, "Anna", GOOD, Role.VIEWER)
        found = await sessions.session(store, await come(made, running, "s-anna"))
        assert found
        assert found.person.id != local.id
        assert found.person.name.startswith("anna (")
        async with store.read() as connection:
            assert len((await connection.execute(select(Person))).all()) == 2


async def test_whoever_is_in_no_group_stays_outside_and_loses_the_sessions_they_had(
    running: Running, tmp_path: Path
) -> None:
    async with desk(tmp_path, running.issuer) as (store, made):
        with pytest.raises(SingleSignOnRefused, match="in no group"):
            await come(made, running, "s-carla")
        assert await people.people(store) == ()
        token = await come(made, running, "s-bert")
        others = await asyncio.to_thread(settings_for, tmp_path, running.issuer)
        changed = single_sign_on(store, others.model_copy(update={"oidc_groups": ()}))
        assert changed
        with pytest.raises(SingleSignOnRefused, match="in no group"):
            await come(changed, running, "s-bert")
        assert await sessions.session(store, token) is None
        bert = (await people.people(store))[0]
        assert await held(store, bert.id) == set()


FORGED: dict[str, tuple[str, dict[str, str], type[Exception], str]] = {
    "another state": ("s-anna", {"state": "forged"}, SingleSignOnRefused, "another sign-in"),
    "no state": ("s-anna", {"state": ""}, SingleSignOnRefused, "another sign-in"),
    "a state of other letters": ("s-anna", {"state": "\ud800é"}, SingleSignOnRefused, "another sign-in"),
    "a made-up code": ("s-anna", {"code": "forged"}, SingleSignOnRefused, "refused"),
    "no code": ("s-anna", {"code": ""}, SingleSignOnRefused, "let nobody in"),
    "a refusal": ("s-anna", {"error": "access_denied"}, SingleSignOnRefused, "access_denied"),
    "the cookie of nobody": ("s-anna", {"token": "forged"}, BeginAgain, "begin again"),
    "no cookie": ("s-anna", {"token": ""}, BeginAgain, "begin again"),
    "a token for another program": ("s-other-audience", {}, SingleSignOnRefused, "aud"),
    "a token by way of another program": ("s-other-party", {}, SingleSignOnRefused, "another program"),
    "a token that has ended": ("s-ended", {}, SingleSignOnRefused, "expired"),
    "a token of another provider": ("s-other-issuer", {}, SingleSignOnRefused, "iss"),
}


@pytest.mark.parametrize(("subject", "changes", "error", "text"), FORGED.values(), ids=FORGED)
async def test_an_answer_that_is_not_ours_is_refused(
    subject: str, changes: dict[str, str], error: type[Exception], text: str, running: Running, tmp_path: Path
) -> None:
    async with desk(tmp_path, running.issuer) as (store, made):
        with pytest.raises(error, match=text):
            await come(made, running, subject, changes=changes)
        assert await people.people(store) == ()
        refused = await told(store, Action.SESSION_REFUSED)
        assert len(refused) == (error is SingleSignOnRefused)


async def test_a_code_is_good_once_even_where_both_sides_are_asked_again(running: Running, tmp_path: Path) -> None:
    async with desk(tmp_path, running.issuer) as (_, made):
        begun = await made.begin(BACK, "/")
        brought = await asyncio.to_thread(running.sign_in, begun.address, "s-anna")
        answered = Answered(brought["code"], brought["state"], "", begun.token.reveal())
        await made.finish(answered, HERE, None)
        with pytest.raises(BeginAgain):  # our side
            await made.finish(answered, HERE, None)
        fresh = await made.begin(BACK, "/")
        state = await asyncio.to_thread(running.sign_in, fresh.address, "s-anna")
        replayed = Answered(brought["code"], state["state"], "", fresh.token.reveal())
        with pytest.raises(SingleSignOnRefused, match="invalid_grant"):  # theirs
            await made.finish(replayed, HERE, None)


async def test_the_answer_to_another_question_is_refused(running: Running, tmp_path: Path) -> None:
    async with desk(tmp_path, running.issuer) as (_, made):
        one, other = await made.begin(BACK, "/"), await made.begin(BACK, "/")
        state = await asyncio.to_thread(running.sign_in, one.address, "s-anna")
        foreign = one.address.replace(_field(one.address, "nonce"), _field(other.address, "nonce"))
        brought = await asyncio.to_thread(running.sign_in, foreign, "s-anna")
        answered = Answered(brought["code"], state["state"], "", one.token.reveal())
        with pytest.raises(SingleSignOnRefused, match="nonce"):
            await made.finish(answered, HERE, None)


def _field(address: str, name: str) -> str:
    return address.partition(f"{name}=")[2].partition("&")[0]


async def test_whoever_takes_longer_than_ten_minutes_begins_again(running: Running, tmp_path: Path) -> None:
    async with desk(tmp_path, running.issuer) as (store, made):
        begun = await made.begin(BACK, "/")
        now = store.now()
        store.now = lambda: now + timedelta(minutes=10)
        with pytest.raises(BeginAgain):
            await made.finish(Answered("x", "x", "", begun.token.reveal()), HERE, None)


# --- as a proof -------------------------------------------------------------------------------------------------------


async def signed_in(store: Store, token: str) -> SignedIn:
    found = await sessions.session(store, token)
    assert found
    return found


async def test_who_has_no_password_proves_it_at_the_provider(running: Running, tmp_path: Path) -> None:
    async with desk(tmp_path, running.issuer) as (store, made):
        old = await come(made, running, "s-anna")
        before = await signed_in(store, old)
        after = await signed_in(store, await come(made, running, "s-anna", before))
        assert (after.id, after.proved_at >= before.proved_at) == (before.id, True)
        assert await sessions.session(store, old) is None
        assert await told(store, Action.SESSION_PROVE) == [{"with": "single sign-on"}]


PROVED_WRONG = {
    "somebody else signs in there": ("s-anna", "s-bert", "somebody else"),
    "a sign-in of long ago": ("s-long-ago", "s-long-ago", "proves nothing new"),
}


@pytest.mark.parametrize(("first", "second", "text"), PROVED_WRONG.values(), ids=PROVED_WRONG)
async def test_what_is_no_new_proof_is_refused(
    first: str, second: str, text: str, running: Running, tmp_path: Path
) -> None:
    async with desk(tmp_path, running.issuer) as (store, made):
        before = await signed_in(store, await come(made, running, first))
        with pytest.raises(SingleSignOnRefused, match=text):
            await come(made, running, second, before)


# --- the one account that is kept for emergencies ---------------------------------------------------------------------


async def test_where_the_provider_is_required_only_the_emergency_account_has_a_password_and_is_told_of(
    running: Running, tmp_path: Path
) -> None:
    more: dict[str, Any] = {"oidc_required": True, "break_glass": "Root", "mail_to": ("guard@example.org",)}
    async with desk(tmp_path, running.issuer, **more) as (store, _):
        for name in ("root", "berta"):
            await people.add_user(store, name, GOOD, Role.ADMINISTRATOR)
        with pytest.raises(SignInRefused) as caught:
            await signing_in.sign_in(store, "berta", GOOD, HERE)
        assert str(caught.value) == "name or password is wrong"
        await signing_in.sign_in(store, "root", GOOD, HERE)
        assert await told(store, Action.SESSION_REFUSED) == [{"wrong": "single sign-on is required"}]
        assert await told(store, Action.SESSION_BREAK_GLASS) == [{}]
        async with store.read() as connection:
            notice = (await connection.execute(select(Notice))).one()
        assert (notice.kind, notice.channel, "root" in notice.content["text"]) == ("alert", "mail", True)


# --- a provider that is none ------------------------------------------------------------------------------------------

WRONG_SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "plain http to another machine": ({"oidc_issuer": "http://idp.example"}, "oidc_issuer"),
    "required without an account for emergencies": ({"oidc_required": True}, "break_glass"),
    "a role that is none": ({"oidc_groups": [{"group": "x", "role": "king"}]}, "role"),
    "a key that is none": ({"oidc_groups": [{"group": "x", "role": "viewer", "colour": "red"}]}, "colour"),
    "no secret": ({"oidc_client_secret_file": None, "oidc_client_id": ""}, "oidc_client_id"),
}


@pytest.mark.parametrize(("wrong", "text"), WRONG_SETTINGS.values(), ids=WRONG_SETTINGS)
def test_settings_that_cannot_work_are_refused_at_the_start(wrong: dict[str, Any], text: str, tmp_path: Path) -> None:
    good = {"oidc_issuer": "https://idp.example", "oidc_client_id": "camwarden"}
    good["oidc_client_secret_file"] = str(tmp_path / "secret")
    with pytest.raises(SettingsError, match=text):
        load_settings(None, home=tmp_path, **(good | wrong))


ANSWERS = {
    "nothing": b"",
    "a web page": b"<html>hello</html>",
    "a list": b"[]",
    "another issuer": b'{"issuer": "https://evil.example"}',
    "no addresses": b'{"issuer": "ISSUER"}',
    "addresses of no kind": b'{"issuer": "ISSUER", "authorization_endpoint": "javascript:alert(1)", '
    b'"token_endpoint": "file:///etc/passwd", "jwks_uri": 7}',
    "plain http elsewhere": b'{"issuer": "ISSUER", "authorization_endpoint": "http://idp.example/a", '
    b'"token_endpoint": "http://idp.example/t", "jwks_uri": "http://idp.example/k"}',
    "far too much": b'{"issuer": "' + b"x" * 1_000_000 + b'"}',
    "without end": b"[" * 100_000,
}


@pytest.mark.parametrize("status", ["200 OK", "302 Found", "500 Oops"])
@pytest.mark.parametrize("body", ANSWERS.values(), ids=ANSWERS)
async def test_what_does_not_answer_as_a_provider_is_said_so(body: bytes, status: str, tmp_path: Path) -> None:
    async with listening(body, status) as issuer, desk(tmp_path, issuer) as (_, made):
        with pytest.raises(ProviderUnavailable):
            await made.begin(BACK, "/")


async def test_a_provider_that_is_away_is_said_so(tmp_path: Path) -> None:
    async with listening(b"", "200 OK") as issuer:
        pass
    async with desk(tmp_path, issuer) as (_, made):
        with pytest.raises(ProviderUnavailable, match="does not answer"):
            await made.begin(BACK, "/")


@asynccontextmanager
async def listening(body: bytes, status: str) -> AsyncIterator[str]:
    """A server of one sentence. A redirect leads to another machine, which nobody must ask."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        said = body.replace(b"ISSUER", f"http://127.0.0.1:{port}".encode())
        head = f"HTTP/1.1 {status}\r\nLocation: https://192.0.2.1/\r\nContent-Length: {len(said)}\r\n\r\n"
        writer.write(head.encode() + said)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield f"http://127.0.0.1:{port}"


async def test_the_question_carries_a_challenge_and_nothing_that_answers_it(running: Running, tmp_path: Path) -> None:
    async with desk(tmp_path, running.issuer) as (_, made):
        asked = parse_qs(urlsplit((await made.begin(BACK, "/")).address).query)
        other = parse_qs(urlsplit((await made.begin(BACK, "/")).address).query)
    assert (asked["code_challenge_method"], asked["response_type"]) == (["S256"], ["code"])
    assert (asked["client_id"], asked["redirect_uri"]) == (["camwarden"], [BACK])
    assert not {"client_secret", "code_verifier", "prompt"} & set(asked)
    assert all(asked[name] != other[name] for name in ("state", "nonce", "code_challenge"))

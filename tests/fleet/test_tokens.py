"""Keys for machines: what they open, when they end, and that nobody finds their secret again."""

import asyncio
from datetime import timedelta

import pytest

from fleet.errors import Invalid, NotFound
from fleet.people import tokens
from fleet.people.tokens import Scope
from fleet.settings import Settings
from fleet.store import Store
from tests.fleet.on_disk import on_disk
from tests.fleet.samples import NOON, Clock


async def a_token(store: Store, days: int = 30) -> tuple[tokens.Token, str]:
    token, text = await tokens.create(store, "ansible", [Scope.PLAN, Scope.READ], "anna", days=days)
    return token, text.reveal()


async def test_a_token_opens_what_it_names(store: Store) -> None:
    token, text = await a_token(store)
    found = await tokens.check(store, text)
    assert found is not None
    assert (found.id, found.scopes, found.created_by) == (token.id, (Scope.READ, Scope.PLAN), "anna")
    assert text.startswith(f"cw_{token.key}.")


SPOILED = {
    "nothing": "",
    "another secret": "cw_{key}." + "x" * 43,
    "another key": "cw_aaaaaaaaaaaa.{secret}",
    "a longer one": "cw_{key}.{secret}x",
    "without its beginning": "{key}.{secret}",
    "half a character": "cw_{key}.\ud800",
}


@pytest.mark.parametrize("text", SPOILED.values(), ids=SPOILED)
async def test_any_other_text_opens_nothing(store: Store, text: str) -> None:
    token, right = await a_token(store)
    assert await tokens.check(store, text.format(key=token.key, secret=right.partition(".")[2])) is None


async def test_a_token_ends_on_its_day_and_when_it_is_revoked(store: Store, clock: Clock) -> None:
    _, first = await a_token(store, days=1)
    token, second = await a_token(store, days=2)
    clock.forward(hours=24)
    assert await tokens.check(store, first) is None
    assert await tokens.check(store, second) is not None
    await tokens.revoke(store, token.id)
    assert await tokens.check(store, second) is None
    with pytest.raises(NotFound):
        await tokens.revoke(store, token.id)


async def test_its_last_use_is_noted_but_not_on_every_request(store: Store, clock: Clock) -> None:
    _, text = await a_token(store)
    for _ in range(3):
        await tokens.check(store, text)
        clock.forward(seconds=25)
    assert [token.used_at for token in await tokens.tokens(store)] == [NOON]
    await tokens.check(store, text)
    assert [token.used_at for token in await tokens.tokens(store)] == [NOON + timedelta(seconds=75)]


async def test_its_secret_is_not_kept(store: Store, settings: Settings) -> None:
    token, text = await a_token(store)
    stored = await asyncio.to_thread(on_disk, settings)
    assert token.key.encode() in stored
    assert text.partition(".")[2].encode() not in stored


MISTAKES = {
    "without a name": (" ", [Scope.READ], 30, "a name"),
    "without a scope": ("ci", [], 30, "at least one scope"),
    "for no day": ("ci", [Scope.READ], 0, "from 1 to 366 days"),
    "for ever": ("ci", [Scope.READ], 36500, "from 1 to 366 days"),
}


@pytest.mark.parametrize(("name", "scopes", "days", "said"), MISTAKES.values(), ids=MISTAKES)
async def test_a_token_is_not_made(store: Store, name: str, scopes: list[Scope], days: int, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        await tokens.create(store, name, scopes, "anna", days=days)

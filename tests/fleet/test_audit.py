"""The audit trail: every entry is chained to the one before, within the change that it tells of."""

import asyncio
from itertools import pairwise

import pytest
from sqlalchemy import insert, select

from fleet.audit.chain import FIRST_PREVIOUS
from fleet.audit.trail import Action, Entry, Origin, on_behalf, record, record_first
from fleet.audit.views import Wanted, entries, history
from fleet.errors import StoreUnavailable, VaultUnavailable
from fleet.settings import Settings
from fleet.store import Store, open_store
from fleet.store import tables as t
from tests.fleet.samples import NOON, Clock


def said(number: int = 1, *, actor: str = "anna", action: Action = Action.SITE_CHANGE, about: str = "site:x") -> Entry:
    return Entry(actor, action, about, {"number": number})


async def test_each_entry_holds_the_mac_of_the_one_before(store: Store) -> None:
    for number in range(3):
        await record_first(store, said(number))
    newest = (await entries(store, Wanted())).items
    third, second, first = newest
    assert [row.seq for row in newest] == [3, 2, 1]
    assert (first.previous, second.previous, third.previous) == (FIRST_PREVIOUS, first.mac, second.mac)
    assert (first.at, first.detail, first.actor) == (NOON, '{"number":0}', "anna")


async def test_what_was_undone_is_not_told(store: Store) -> None:
    async def fail_half_way() -> None:
        async with store.write() as connection:
            await record(connection, said())
            raise ValueError("half-way")

    with pytest.raises(ValueError, match="half-way"):
        await fail_half_way()
    assert (await entries(store, Wanted())).items == ()


async def test_without_the_row_nothing_happens(store: Store) -> None:
    await record_first(store, said())
    async with store.write() as connection:
        await connection.exec_driver_sql("DROP TABLE audit")

    async def change() -> None:
        async with store.write() as connection:
            await connection.execute(insert(t.SetupToken), [{"token_hash": "x", "created_at": NOON}])
            await record(connection, said())

    with pytest.raises(StoreUnavailable):
        await change()
    async with store.read() as connection:
        assert (await connection.execute(select(t.SetupToken.token_hash))).first() is None


# What only one engine can say, or only one refuses at once: on the other the check finds the gap.
SQLITE_ALONE = ("REPLACE", "INSERT")
REFUSED = {
    "an edit": "UPDATE audit SET actor = 'nobody' WHERE seq = 1",
    "a deletion": "DELETE FROM audit WHERE seq = 2",
    "a replacement": "REPLACE INTO audit SELECT 1, id, at, 'nobody', action, about, detail, source, request, key_id, "
    "previous, mac FROM audit WHERE seq = 2",
    "a gap": "INSERT INTO audit SELECT 9, id, at, actor, action, about, detail, source, request, key_id, previous, mac "
    "FROM audit WHERE seq = 2",
}


@pytest.mark.parametrize("statement", REFUSED.values(), ids=REFUSED)
async def test_the_database_refuses_to_change_the_trail(settings: Settings, store: Store, statement: str) -> None:
    if settings.database_url and statement.startswith(SQLITE_ALONE):
        return
    for number in range(2):
        await record_first(store, said(number))
    before = (await entries(store, Wanted())).items
    with pytest.raises(StoreUnavailable, match="append-only"):
        async with store.write() as connection:
            await connection.exec_driver_sql(statement)
    assert (await entries(store, Wanted())).items == before


async def test_many_writers_of_two_processes_make_one_chain(settings: Settings, store: Store, clock: Clock) -> None:
    async with await open_store(settings, clock) as other:
        await asyncio.gather(*(record_first(one, said(n)) for n in range(10) for one in (store, other)))
    rows = (await entries(store, Wanted())).items
    assert [row.seq for row in rows] == list(range(20, 0, -1))
    assert all(newer.previous == older.mac for newer, older in pairwise(rows))


async def test_another_key_than_the_one_of_the_chain_is_refused(settings: Settings, store: Store, clock: Clock) -> None:
    await record_first(store, said())
    await asyncio.to_thread((settings.home / "key").write_bytes, b"x" * 32)
    async with await open_store(settings, clock) as again:
        with pytest.raises(VaultUnavailable, match="another key"):
            await record_first(again, said())
    await asyncio.to_thread((settings.home / "key").unlink)
    async with await open_store(settings, clock) as again:
        with pytest.raises(VaultUnavailable, match="missing"):
            await record_first(again, said())


async def test_whoever_acts_is_known_where_nobody_says_it(store: Store) -> None:
    with on_behalf(Origin("anna", "127.0.0.9", "r-1")):
        await record_first(store, said())
    await record_first(store, said())
    by_itself, asked = (await entries(store, Wanted())).items
    assert (asked.source, asked.request) == ("127.0.0.9", "r-1")
    assert (by_itself.source, by_itself.request) == ("", "")


async def test_words_are_cleaned_and_cut(store: Store) -> None:
    entry = Entry("an\x00na" + "x" * 999, Action.SITE_CHANGE, "site:\x1b[31m", {"b": "\x00", "a": 1})
    await record_first(store, entry)
    (row,) = (await entries(store, Wanted())).items
    assert len(row.actor) <= 200
    assert row.actor.isprintable()
    assert row.about.isprintable()
    assert row.detail.startswith('{"a":1,"b":')


FILTERS = {
    "by actor": (Wanted(actor="berta"), [3]),
    "by action": (Wanted(action="vault.put"), [2]),
    "by the noun of an action": (Wanted(action="vault"), [3, 2]),
    "by object": (Wanted(about="camera:1"), [2]),
    "by the kind of object": (Wanted(about="camera"), [3, 2]),
    "by time": (Wanted(since=NOON.replace(hour=14)), [3]),
    "by what is not there": (Wanted(actor="nobody"), []),
}


@pytest.mark.parametrize(("wanted", "expected"), FILTERS.values(), ids=FILTERS)
async def test_the_trail_is_read_by(store: Store, clock: Clock, wanted: Wanted, expected: list[int]) -> None:
    await record_first(store, said())
    clock.forward(hours=1)
    await record_first(store, said(action=Action.VAULT_PUT, about="camera:1"))
    clock.forward(hours=1)
    await record_first(store, said(actor="berta", action=Action.VAULT_REVEAL, about="camera:2"))
    assert [row.seq for row in (await entries(store, wanted)).items] == expected


async def test_pages_follow_each_other(store: Store) -> None:
    for number in range(5):
        await record_first(store, said(number))
    first = await entries(store, Wanted(), limit=2)
    await record_first(store, said(5))
    second = await entries(store, Wanted(), after=first.after, limit=2)
    assert [row.seq for row in (*first.items, *second.items)] == [5, 4, 3, 2]
    assert [row.seq for row in await history(store, "site:x", limit=3)] == [6, 5, 4]

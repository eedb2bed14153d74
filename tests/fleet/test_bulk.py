"""Very many rows at once: stored as one by one, all or nothing, and refused like any other."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from fleet.errors import Invalid, StoreUnavailable
from fleet.store import Store, bulk_insert
from fleet.store import pictures_tables as p
from fleet.store import tables as t
from fleet.store.ids import new_id
from scanners.model import Severity
from tests.fleet.samples import NOON


def tokens(number: int) -> Iterator[dict[str, Any]]:
    for one in range(number):
        yield {"token_hash": f"{one:08}", "created_at": NOON + timedelta(microseconds=one), "used_at": None}


def check_texts() -> list[dict[str, Any]]:
    words = ("plain", "tab\tand\nline\\n", "é \U0001f600", "\\N", "")
    rest = {"severity": Severity.HIGH, "references": ["https://example.org", "\t"], "standards": {"CWE": ["é\n"]}}
    return [{"id": f"check-{place}", "title": word, "remediation": word, **rest} for place, word in enumerate(words)]


async def test_each_row_is_stored_as_one_by_one(store: Store) -> None:
    rows = check_texts()
    async with store.write() as connection:
        assert await bulk_insert(connection, t.CheckText, rows) == len(rows)
    async with store.read() as connection:
        many = (await connection.execute(select(t.CheckText).order_by(t.CheckText.id))).all()
    async with store.write() as connection:
        await connection.execute(t.CheckText.__table__.delete())  # type: ignore[attr-defined] # a Table
        await connection.execute(insert(t.CheckText), rows)
    async with store.read() as connection:
        assert many == (await connection.execute(select(t.CheckText).order_by(t.CheckText.id))).all()


async def test_bytes_and_moments_come_out_as_they_went_in(store: Store) -> None:
    rest = {"camera": "c", "score": 1, "failed": 0, "unknown": 0}
    rows = [{"id": new_id(), "at": NOON + timedelta(microseconds=n), "body": b"\x00\xff\\", **rest} for n in (0, 1)]
    async with store.write() as connection:
        await bulk_insert(connection, t.StoredDossier, rows)
    async with store.read() as connection:
        found = await connection.execute(select(t.StoredDossier.at, t.StoredDossier.body).order_by(t.StoredDossier.id))
        assert [tuple(row) for row in found] == [(row["at"], row["body"]) for row in rows]
        later = select(func.count()).where(t.StoredDossier.at > NOON)
        assert await connection.scalar(later) == 1


@pytest.mark.parametrize("number", [0, 1, 20_000, 20_001])
async def test_as_many_as_there_are(store: Store, number: int) -> None:
    async with store.write() as connection:
        assert await bulk_insert(connection, t.SetupToken, tokens(number)) == number
    async with store.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(t.SetupToken)) == number


async def test_one_bad_row_leaves_nothing_and_its_values_untold(store: Store) -> None:
    twice = [{"digest": "the-secret", "kind": "still", "at": NOON, "size_bytes": 1}] * 2

    async def add() -> None:
        async with store.write() as connection:
            await bulk_insert(connection, t.SetupToken, tokens(10))
            await bulk_insert(connection, p.Evidence, twice)

    with pytest.raises(StoreUnavailable) as caught:
        await add()
    assert "the-secret" not in f"{caught.value} {caught.value.__cause__}"
    async with store.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(t.SetupToken)) == 0


@pytest.mark.parametrize("word", ["nul \0", "half \ud800"])
async def test_text_that_is_none_is_refused_whichever_way_it_comes(store: Store, word: str) -> None:
    row = {"token_hash": word, "created_at": NOON, "used_at": None}

    async def in_bulk() -> None:
        async with store.write() as connection:
            await bulk_insert(connection, t.SetupToken, [row])

    async def alone() -> None:
        async with store.write() as connection:
            await connection.execute(insert(t.SetupToken), [row])

    async def looked_for() -> None:
        async with store.read() as connection:
            await connection.execute(select(t.SetupToken).where(t.SetupToken.token_hash == word))

    for way in (in_bulk, alone, looked_for):
        with pytest.raises(Invalid, match="cannot be stored"):
            await way()

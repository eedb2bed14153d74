"""Every command says what the audit trail calls it, and those that change something write it down first."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from fleet.cli import app
from fleet.cli.actions import ACTIONS
from tests.cli.running import camwarden


def commands(group: Any, *words: str) -> Iterator[str]:  # noqa: ANN401 - typer's own classes have no public name
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *words, name)
        else:
            yield " ".join((*words, name))


def test_the_table_is_of_the_commands_that_there_are() -> None:
    assert sorted(commands(typer.main.get_command(app))) == sorted(ACTIONS)


def trail(home: Path) -> list[tuple[str, str, str | None]]:
    connection = sqlite3.connect(home / "camwarden.db")
    rows: list[tuple[str, str, str | None]] = connection.execute(
        "SELECT actor, action, json_extract(detail, '$.asked') FROM audit ORDER BY seq"
    ).fetchall()
    connection.close()
    return rows


def fill_up(home: Path) -> None:
    connection = sqlite3.connect(home / "camwarden.db")
    connection.execute("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END")
    connection.close()


CHANGING = {
    "site add": ("site", "add", "Depot", "10.2.0.0/16"),
    "token create": ("token", "create", "ci", "--scope", "read"),
    "user add": ("user", "add", "ana", "--password-stdin"),
}


@pytest.mark.parametrize(("command", "words"), CHANGING.items(), ids=CHANGING)
async def test_what_was_typed_is_told_before_what_came_of_it(tmp_path: Path, command: str, words: tuple[str]) -> None:
    done = await camwarden(tmp_path, *words, stdin=b"correct horse battery staple\n")
    assert done.code == 0, done.err
    asked, came = await asyncio.to_thread(trail, tmp_path)
    assert asked[0].endswith("(command line)")
    assert asked[1:] == (str(ACTIONS[command]), f"camwarden {command}")
    assert came == (asked[0], str(ACTIONS[command]), None)


async def test_a_command_that_reads_leaves_no_entry(tmp_path: Path) -> None:
    assert (await camwarden(tmp_path, "site", "list", "--json")).code == 0
    assert await asyncio.to_thread(trail, tmp_path) == []


async def test_without_an_entry_nothing_is_changed(tmp_path: Path) -> None:
    assert (await camwarden(tmp_path, "site", "list")).code == 0
    await asyncio.to_thread(fill_up, tmp_path)
    refused = await camwarden(tmp_path, "site", "add", "Depot", "10.2.0.0/16")
    assert (refused.code, "no room" in refused.err) == (2, True)
    assert json.loads((await camwarden(tmp_path, "site", "list", "--json")).out) == []

"""`camwarden schedule`: what a person types, and what is said to it."""

import json

import pytest

from tests.cli.running import Command


def test_a_schedule_is_added_listed_asked_for_and_removed(command: Command) -> None:
    assert command("schedule", "add", "Nightly", "scan", "0 2 * * *", "--zone", "Asia/Tokyo").code == 0
    assert command("schedule", "add", "Looks", "pictures", "every 30 minutes", "--off").code == 0
    looks, nightly = json.loads(command("schedule", "list", "--json").out)
    assert (nightly["what"], nightly["zone"], nightly["enabled"]) == ("scan", "Asia/Tokyo", True)
    assert (looks["cadence"], looks["enabled"], looks["next_at"]) == ("every 30 minutes", False, [])
    assert "02:00 (Asia/Tokyo)" in command("schedule", "list").out
    assert "begins it within a moment" in command("schedule", "run", "Looks").err
    assert command("schedule", "remove", "Looks").code == 0
    assert "Looks" not in command("schedule", "list").out


REFUSED = {
    "no cadence": (("add", "a", "scan", "now and then"), "write"),
    "no such site": (("add", "a", "scan", "0 2 * * *", "--site", "Nowhere"), "no such site"),
    "no such work": (("add", "a", "dusting", "0 2 * * *"), "dusting"),
    "none to remove": (("remove", "z"), "no schedule"),
    "none to run": (("run", "z"), "no schedule"),
}


@pytest.mark.parametrize(("words", "why"), REFUSED.values(), ids=REFUSED)
def test_mistakes_are_named_and_end_with_2(command: Command, words: tuple[str, ...], why: str) -> None:
    end = command("schedule", *words)
    assert (end.code, why in end.err) == (2, True), end.err

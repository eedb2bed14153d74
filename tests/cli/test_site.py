"""`camwarden site`: what a person types, and what is said to it."""

import json

import pytest

from tests.cli.running import Command


def test_a_site_is_added_changed_listed_and_removed(command: Command) -> None:
    words = ("Harbour", "10.1.0.0/16", "--zone", "Europe/Berlin", "--window", "mon-fri 22:00-05:00")
    assert command("site", "add", *words).code == 0
    assert command("site", "change", "Harbour", "--rename", "Pier", "--network", "10.2.0.0/16").code == 0
    (site,) = json.loads(command("site", "list", "--json").out)
    assert (site["name"], site["networks"], site["zone"]) == ("Pier", ["10.2.0.0/16"], "Europe/Berlin")
    assert (site["window"], site["cameras"], site["score"]) == ("mon-fri 22:00-05:00", 0, None)
    assert "Pier: 10.2.0.0/16; 0 cameras" in command("site", "list").out
    assert command("site", "remove", "Pier").code == 0
    assert "There is none yet" in command("site", "list").err


REFUSED = {
    "no network": (("add", "b", "10.1.0.0/99"), "no network"),
    "the same name": (("add", "a"), "already"),
    "no such site": (("change", "z", "--zone", "UTC"), "no site"),
    "none to remove": (("remove", "z"), "no site"),
}


@pytest.mark.parametrize(("words", "why"), REFUSED.values(), ids=REFUSED)
def test_mistakes_are_named_and_end_with_2(command: Command, words: tuple[str, ...], why: str) -> None:
    command("site", "add", "a", "10.1.0.0/16")
    end = command("site", *words)
    assert (end.code, why in end.err) == (2, True), end.err

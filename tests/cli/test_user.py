"""`camwarden user` and `camwarden token`: grants and limits from the command line, on a store of its own."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fleet.cli import app
from fleet.permissions import Role

Camwarden = Callable[..., Result]
PASSWORD = "plum-tractor-lamp"


@pytest.fixture
def camwarden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Camwarden:
    monkeypatch.setenv("CAMWARDEN_HOME", str(tmp_path / "home"))
    return lambda *words: CliRunner().invoke(app, words, input=f"{PASSWORD}\n")


def held(camwarden: Camwarden, name: str) -> list[tuple[str, object, object]]:
    everybody = json.loads(camwarden("user", "list", "--json").stdout)
    (person,) = [one for one in everybody if one["name"] == name]
    return [(one["role"], one["sites"], one["until"]) for one in person["grants"]]


def test_a_person_is_added_granted_and_revoked(camwarden: Camwarden) -> None:
    camwarden("site", "add", "Harbour", "10.1.0.0/16")
    added = camwarden("user", "add", "ana", "--role", "integrator", "--site", "Harbour", "--password-stdin")
    assert (added.exit_code, "may sign in as integrator at Harbour" in added.output) == (0, True)
    assert camwarden("user", "grant", "ana", "--role", "approver", "--until", "2099-12-31").exit_code == 0
    assert held(camwarden, "ana") == [
        ("integrator", ["Harbour"], None),
        ("approver", None, "2099-12-31 23:59:59+00:00"),
    ]
    shown = camwarden("user", "list").output
    assert "ana: integrator at Harbour; approver everywhere until 2099-12-31" in shown
    assert camwarden("user", "revoke", "ana", "--role", "integrator", "--site", "Harbour").exit_code == 0
    assert [role for role, _, _ in held(camwarden, "ana")] == ["approver"]


def test_a_machine_is_added_without_a_password_and_disabled(camwarden: Camwarden) -> None:
    assert camwarden("user", "add", "nvr", "--role", "service").exit_code == 0
    assert camwarden("user", "disable", "nvr").exit_code == 0
    assert "nvr (disabled): service everywhere" in camwarden("user", "list").output
    assert camwarden("user", "enable", "nvr").exit_code == 0
    assert "nvr: service everywhere" in camwarden("user", "list").output


WRONG = {
    "a role that there is not": (("user", "grant", "ana", "--role", "king"), "king"),
    "a site that there is not": (("user", "grant", "ana", "--role", "viewer", "--site", "Atlantis"), "no site"),
    "a day that is over": (("user", "grant", "ana", "--role", "viewer", "--until", "2001-01-01"), "still to come"),
    "a day that is none": (("user", "grant", "ana", "--role", "viewer", "--until", "soon"), "soon"),
    "nobody of that name": (("user", "grant", "eve", "--role", "viewer"), "nobody of that name"),
    "a grant that nobody holds": (("user", "revoke", "ana", "--role", "viewer"), "no such grant"),
    "the last administrator ended": (("user", "revoke", "ana", "--role", "administrator"), "last administrator"),
    "the last administrator disabled": (("user", "disable", "ana"), "last administrator"),
    "a token for nobody": (("token", "create", "ci", "--scope", "read", "--for", "eve"), "nobody of that name"),
    "a token from nowhere": (("token", "create", "ci", "--scope", "read", "--allow", "x"), "10.1.0.0/16"),
}


@pytest.mark.parametrize(("words", "said"), WRONG.values(), ids=WRONG)
def test_a_mistake_is_told_and_changes_nothing(camwarden: Camwarden, words: tuple[str, ...], said: str) -> None:
    camwarden("user", "add", "ana", "--role", "administrator", "--password-stdin")
    answer = camwarden(*words)
    assert answer.exit_code != 0
    assert said in answer.output
    assert held(camwarden, "ana") == [("administrator", None, None)]


def test_a_token_is_held_to_sites_addresses_and_a_machine(camwarden: Camwarden) -> None:
    camwarden("site", "add", "Depot", "10.2.0.0/16")
    camwarden("user", "add", "nvr", "--role", "service", "--site", "Depot")
    limits = ("--site", "Depot", "--allow", "10.2.7.4", "--allow", "10.3.0.0/24", "--for", "nvr")
    made = camwarden("token", "create", "depot", "--scope", "read", *limits)
    assert made.stdout.startswith("cw_")
    assert "depot: read at Depot from 10.2.7.4/32, 10.3.0.0/24; until" in camwarden("token", "list").output


def test_the_page_of_people_names_every_role() -> None:
    page = (Path(__file__).parents[2] / "docs" / "people.md").read_text()
    assert not [role for role in Role if f"| `{role}` |" not in page]

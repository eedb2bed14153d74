"""From one role for each person to grants, and back: nobody may more than before, on either way."""

import json
from typing import Any

import pytest
import sqlalchemy as sa

from fleet.settings import Settings
from fleet.store.migrating import blocking_engine, migrate

BEFORE, AFTER = "0012", "0013"
AT = "2026-01-01 00:00:00"
PEOPLE = {"root": "administrator", "anna": "operator", "vera": "viewer"}
TOKENS = {"ci": (["read", "change"], "anna"), "look": (["read"], "root (command line)")}


def do(settings: Settings, statement: str, **values: object) -> list[dict[str, Any]]:
    engine = blocking_engine(settings)
    with engine.begin() as connection:
        found = connection.execute(sa.text(statement), values)
        rows = [dict(row) for row in found.mappings()] if found.returns_rows else []
    engine.dispose()
    return rows


def read(value: Any) -> Any:  # noqa: ANN401 - JSON
    """One database gives JSON as text, the other as what it says."""
    return json.loads(value) if isinstance(value, str) else value


@pytest.fixture
def upgraded(settings: Settings) -> Settings:
    settings.home.mkdir(exist_ok=True)
    migrate(settings, BEFORE)
    for name, role in PEOPLE.items():
        columns = "id, name, name_key, password_hash, role, created_at"
        do(settings, f"INSERT INTO people ({columns}) VALUES (:n, :n, :n, 'x', :r, '{AT}')", n=name, r=role)  # noqa: S608
    for name, (scopes, maker) in TOKENS.items():
        columns = "id, key, secret_hash, name, scopes, created_by, created_at, expires_at"
        values = f":n, :n, 'x', :n, :s, :m, '{AT}', '{AT}'"
        do(settings, f"INSERT INTO api_tokens ({columns}) VALUES ({values})", n=name, s=json.dumps(scopes), m=maker)  # noqa: S608
    migrate(settings, AFTER)
    return settings


def test_a_role_becomes_grants_for_everywhere_and_whoever_could_approve_still_can(upgraded: Settings) -> None:
    held = do(upgraded, "SELECT person, role, everywhere, until, ended_at FROM grants")
    assert {(row["person"], row["role"]) for row in held} == {
        ("root", "administrator"),
        ("anna", "operator"),
        ("anna", "approver"),
        ("vera", "viewer"),
    }
    assert all(row["everywhere"] and row["until"] is None and row["ended_at"] is None for row in held)


def test_a_token_is_bound_to_its_maker_and_may_approve_where_it_may_change(upgraded: Settings) -> None:
    tokens = {row["id"]: row for row in do(upgraded, "SELECT * FROM api_tokens")}
    assert {name: (row["person"], read(row["scopes"])) for name, row in tokens.items()} == {
        "ci": ("anna", ["read", "change", "approve"]),
        "look": (None, ["read"]),
    }
    assert all(row["everywhere"] and read(row["addresses"]) == [] for row in tokens.values())


def test_the_way_back_gives_the_strongest_role_that_holds_everywhere_and_keeps_the_others_out(
    upgraded: Settings,
) -> None:
    do(upgraded, "UPDATE grants SET everywhere = :no WHERE person = 'vera'", no=False)
    do(upgraded, "UPDATE people SET disabled_at = :at WHERE id = 'root'", at=AT)
    do(upgraded, "UPDATE api_tokens SET everywhere = :no WHERE id = 'look'", no=False)
    migrate(upgraded, BEFORE)
    people = {row["id"]: row for row in do(upgraded, "SELECT * FROM people")}
    assert {name: (row["role"], row["password_hash"]) for name, row in people.items()} == {
        "root": ("administrator", "!"),
        "anna": ("operator", "x"),
        "vera": ("viewer", "!"),
    }
    revoked = {row["id"]: row["revoked_at"] is not None for row in do(upgraded, "SELECT * FROM api_tokens")}
    assert revoked == {"ci": False, "look": True}

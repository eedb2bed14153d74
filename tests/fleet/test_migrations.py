"""Every revision, down and up again, on both engines, with a row in every table."""

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text

from fleet.findings.texts import number_of
from fleet.settings import Settings
from fleet.store import migrating
from fleet.store.migrating import blocking_engine, migrate
from tests.fleet.every_row import contents, fill

REVISIONS = [
    "base",
    *reversed([one.revision for one in ScriptDirectory(str(migrating._MIGRATIONS)).walk_revisions()]),  # noqa: SLF001
]
# What steps after the ninth change.
CHANGED = {
    *(
        "api_tokens",
        "cameras",
        "findings",
        "people",
        "picture_watches",
        "rollout_targets",
        "scan_not_evaluated",
        "scans",
        "sessions",
    ),
    "vault_reveals",
}


def test_the_schema_goes_down_to_each_revision_and_up_again_with_rows_in_every_table(settings: Settings) -> None:
    settings.home.mkdir()
    migrate(settings)
    for revision in [*reversed(REVISIONS[:-1]), *REVISIONS[1:]]:
        _fill(settings)
        migrate(settings, revision)
        assert _revision(settings) == {revision} - {"base"}
    _fill(settings)


def test_rows_are_the_same_before_and_after_a_step_that_does_not_touch_them(settings: Settings) -> None:
    settings.home.mkdir()
    migrate(settings, "0009")
    _fill(settings)
    before = _contents(settings)
    migrate(settings)
    after = _contents(settings)
    untouched = before.keys() - {"alembic_version", *CHANGED}
    assert {name: after[name] for name in untouched} == {name: before[name] for name in untouched}


def test_text_stands_in_the_same_order_on_both_engines(settings: Settings) -> None:
    settings.home.mkdir()
    migrate(settings)
    words = ["a-c", "ab", "B", "é", "Z", "10.0.0.10", "10.0.0.9", "_"]
    engine = blocking_engine(settings)
    with engine.begin() as connection:
        for word in words:
            connection.execute(text("INSERT INTO vault_logins VALUES (:word, 'x')"), {"word": word})
        found = connection.execute(text("SELECT camera FROM vault_logins ORDER BY camera")).scalars().all()
    assert found == sorted(words)


def test_every_camera_has_its_place_on_the_wall_and_is_due_where_it_was(settings: Settings) -> None:
    settings.home.mkdir()
    migrate(settings, "0017")
    engine = blocking_engine(settings)
    with engine.begin() as connection:
        fill(connection, rows=3)
        connection.execute(text("UPDATE picture_incidents SET closed_at = NULL WHERE camera = 'row 0'"))
        connection.execute(text("DELETE FROM picture_watches WHERE camera = 'row 2'"))
    migrate(settings)
    places = "SELECT camera, well, CAST(seen_at AS VARCHAR) FROM picture_watches ORDER BY camera"
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(places))]
        due = connection.execute(text("SELECT camera FROM due WHERE what = 'pictures'")).scalars().all()
    assert [(camera, bool(well), at[:10]) for camera, well, at in found] == [
        ("row 0", False, "2026-03-01"),
        ("row 1", True, "2026-03-01"),
        ("row 2", True, "1970-01-01"),
    ]
    assert due == ["row 2"]


def test_every_finding_has_its_site_and_its_text(settings: Settings) -> None:
    settings.home.mkdir()
    migrate(settings, "0018")
    engine = blocking_engine(settings)
    with engine.begin() as connection:
        fill(connection, rows=3)
        connection.execute(text("UPDATE cameras SET site = 'Hof' WHERE id = 'row 1'"))
        connection.execute(
            text("UPDATE findings SET check_id = 'x', subject = '', summary = 'Groß' WHERE id <> 'row 1'")
        )
    migrate(settings)
    joined = "SELECT id, site, text FROM findings JOIN finding_texts ON number = said ORDER BY id"
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(joined))]
        numbers = connection.execute(text("SELECT number, text FROM finding_texts")).all()
    assert found == [
        ("row 0", "row 0", "x\n\ngross"),
        ("row 1", "Hof", "row 1\nrow 1\nrow 1"),
        ("row 2", "row 2", "x\n\ngross"),
    ]
    assert {row.number for row in numbers} == {number_of(row.text) for row in numbers}


def _fill(settings: Settings) -> None:
    engine = blocking_engine(settings)
    with engine.begin() as connection:
        fill(connection)


def _contents(settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    with blocking_engine(settings).connect() as connection:
        return contents(connection)


def _revision(settings: Settings) -> set[str]:
    with blocking_engine(settings).connect() as connection:
        return migrating.revision_of(connection)


def test_the_list_of_revisions_is_one_line_from_the_first_to_the_newest() -> None:
    assert REVISIONS[1:] == sorted(REVISIONS[1:])
    assert REVISIONS[-1] == migrating.newest()


@pytest.mark.parametrize(("revision", "known"), [("0001", True), (REVISIONS[-1], True), ("9999", False)])
def test_which_revisions_are_known(revision: str, *, known: bool) -> None:
    assert migrating.is_known(revision) is known

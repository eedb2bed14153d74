from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from fleet.settings import Settings
from fleet.store import Store, open_store
from tests.fleet.samples import Clock
from tests.frame.sqlite import new_database

# What is said of the store holds on either engine: these run on both.
ON_BOTH = {
    "test_audit",
    "test_bulk",
    "test_camera_words",
    "test_changes",
    "test_controllers",
    "test_database_backups",
    "test_estate",
    "test_expected",
    "test_estate_report",
    "test_finding_texts",
    "test_findings",
    "test_grants",
    "test_grants_migration",
    "test_idempotency",
    "test_jobs",
    "test_jump_hosts_stored",
    "test_leases",
    "test_migrations",
    "test_model_gate",
    "test_notices",
    "test_people",
    "test_proof",
    "test_retention",
    "test_schedules",
    "test_search",
    "test_sites",
    "test_store",
    "test_swaps",
    "test_tokens",
    "test_vault",
    "test_wall",
}
# Of long ones, those that write and read the most kinds of rows.
SOME_ON_BOTH = {
    "test_a_watch_counts_and_compares",
    "test_labels_become_figures_of_this_version_by_condition",
    "test_an_approved_plan_is_applied_and_each_camera_is_assessed_again",
    "test_an_undone_plan_leaves_the_cameras_as_they_were_and_proves_it",
    "test_a_plan_that_was_changed_in_the_store_is_not_what_was_approved",
    "test_no_password_reaches_the_store",
    "test_every_camera_has_a_job_that_says_what_became_of_it",
    "test_cancelling_its_job_in_the_queue_stops_the_plan",
    "test_a_plan_that_is_cut_off_hands_no_camera_out_twice",
    "test_the_groups_grow_and_each_waits_for_the_one_before",
    "test_a_paused_rollout_begins_nobody_and_goes_on_where_it_was",
    "test_a_restart_in_the_middle_of_a_scan",
    "test_whenever_a_scan_is_cut_short_each_camera_is_stored_whole_or_not_at_all",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    module = metafunc.module.__name__.rpartition(".")[2]
    chosen = module in ON_BOTH or metafunc.function.__name__ in SOME_ON_BOTH
    if "database_url" in metafunc.fixturenames and chosen:
        metafunc.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """`None` for SQLite; of an up-to-date PostgreSQL database of this test's own where the test is run on both."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield None
        return
    server = request.getfixturevalue("postgresql")
    name = server.migrated_database()
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def settings(tmp_path: Path, database_url: str | None) -> Settings:
    return Settings(home=tmp_path / "home", database_url=database_url)


@pytest.fixture
async def store(settings: Settings, clock: Clock) -> AsyncIterator[Store]:
    await new_database(settings)
    async with await open_store(settings, clock) as opened:
        yield opened

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from fleet.settings import Settings
from fleet.store import Store, open_store
from tests.fleet.samples import Clock

# What is said of the store holds on either engine: these run on both.
ON_BOTH = {
    "test_accuracy",
    "test_estate",
    "test_estate_report",
    "test_findings",
    "test_idempotency",
    "test_jobs",
    "test_leases",
    "test_lookup",
    "test_model_gate",
    "test_notices",
    "test_people",
    "test_pictures",
    "test_plans",
    "test_proof",
    "test_rollouts",
    "test_rotations",
    "test_scans",
    "test_schedules",
    "test_second_person",
    "test_service_passwords",
    "test_sites",
    "test_store",
    "test_tokens",
    "test_vault",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_url" in metafunc.fixturenames and metafunc.module.__name__.rpartition(".")[2] in ON_BOTH:
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
    async with await open_store(settings, clock) as opened:
        yield opened

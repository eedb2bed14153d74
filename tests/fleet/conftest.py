from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fleet.settings import Settings
from fleet.store import Store, open_store
from tests.fleet.samples import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
async def store(settings: Settings, clock: Clock) -> AsyncIterator[Store]:
    async with await open_store(settings, clock) as opened:
        yield opened

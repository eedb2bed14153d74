from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from health.conditions import Condition
from health.looks import Picture
from health.reference import Reference, build
from tests.health.rendering import seen, street

WHEN = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def burst() -> Callable[..., list[Picture]]:
    """So many pictures of the street, each changed in the same way."""

    def taken(
        change: Callable[[Picture], Picture] = lambda picture: picture, *, start: int = 50, count: int = 5
    ) -> list[Picture]:
        return [change(seen(street(), start + i)) for i in range(count)]

    return taken


@pytest.fixture(scope="session")
def reference(burst: Callable[..., list[Picture]]) -> Reference:
    bursts = [burst(start=10 * i) for i in range(4)]
    return build(bursts, condition=Condition.DAY, approved_by="ana", approved_at=WHEN, camera="c1", stream="main")

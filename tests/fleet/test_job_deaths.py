"""A few of the runs of `bench/faults_jobs.py`: controllers killed in the middle, on either engine."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from bench import faults_jobs

if TYPE_CHECKING:
    from tests.frame.postgresql import Server


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_controllers_that_are_killed_lose_nothing_and_do_nothing_twice(
    engine: str, request: pytest.FixtureRequest
) -> None:
    server: Server | None = request.getfixturevalue("postgresql") if engine == "postgresql" else None
    url = server.url(server.migrated_database()) if server else None
    outcomes = asyncio.run(faults_jobs.carry_out(engine, lambda: url, range(3), lanes=1))
    assert all(one.is_good for one in outcomes), outcomes
    assert sum(faults_jobs.killed_at(outcomes).values()) >= 3


LINES = {
    "one after the other": (
        [("begin", "a", "c", "0", "1"), ("end", "a", "c", "0", "1"), ("begin", "b", "c", "0", "2")],
        0,
    ),
    "two at once": (
        [("begin", "a", "c", "0", "1"), ("begin", "b", "c", "0", "2"), ("end", "a", "c", "0", "1")],
        1,
    ),
    "the first was killed": ([("begin", "a", "c", "0", "1"), ("begin", "b", "c", "0", "2")], 0),
    "two cameras": (
        [("begin", "a", "c", "0", "1"), ("begin", "b", "d", "0", "2"), ("end", "a", "c", "0", "1")],
        0,
    ),
}


@pytest.mark.parametrize(("lines", "expected"), LINES.values(), ids=LINES)
def test_two_writers_on_one_camera_are_seen(lines: list[tuple[str, ...]], expected: int) -> None:
    assert faults_jobs.overlaps(lines) == expected

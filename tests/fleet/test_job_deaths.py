"""A few of the runs of `bench/faults_jobs.py`: controllers killed in the middle, on either engine."""

import asyncio
from multiprocessing import forkserver, resource_tracker
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
    try:
        found = faults_jobs.keys(asyncio.run(faults_jobs._measure(engine, url, 4)))  # noqa: SLF001
    finally:
        # They would live as long as the tests do, and nothing else ends them.
        forkserver._forkserver._stop()  # type: ignore[attr-defined] # noqa: SLF001
        resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined] # noqa: SLF001
    assert found["kills"] >= 4
    for fault in ("lost", "doubled", "two_writers", "unrecovered"):
        assert found[fault] == 0, found


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

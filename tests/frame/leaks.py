"""What a test opens it closes: tasks, sockets, files, child processes."""

import asyncio
import gc
import inspect
import time
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

GRACE_S = 2.0  # a closed connection's last callbacks and a killed child take a moment; only a leak waits this long
FOLDER = next((place for place in (Path("/proc/self/fd"), Path("/dev/fd")) if place.exists()), None)
BEFORE: set[str] = set()  # what was open before the running test
SHARED: set[str] = set()  # fixtures of a module or of the session that are set up now
# A shared service may open things when it is first used, such as connections to its database: so many in all.
MOST_OPENED_LATE = 16
OPENED_LATE: set[str] = set()


def opened() -> set[str]:
    """What this process holds: descriptors ("7 socket:[4242]") and children ("process 4243")."""
    held: set[str] = set()
    for descriptor in FOLDER.iterdir() if FOLDER else ():
        try:
            held.add(f"{descriptor.name} {descriptor.readlink()}")
        except OSError:  # the folder's own descriptor, gone by now; or no links on this system
            continue
    for children in Path("/proc/self/task").glob("*/children"):
        held.update(f"process {pid}" for pid in _words(children))
    return held


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:  # the thread ended meanwhile
        return []


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup() -> Generator[None, object, object]:
    BEFORE.clear()
    BEFORE.update(opened())
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object]) -> Generator[None, object, object]:
    """What a module's or the session's fixture opens belongs to it, not to the test that happened to come first."""
    if fixturedef.scope == "function":
        return (yield)
    before = opened()
    if fixturedef.baseid:  # one of ours, not of a plugin
        SHARED.add(fixturedef.argname)
    try:
        return (yield)
    finally:
        BEFORE.update(opened() - before)


def pytest_fixture_post_finalizer(fixturedef: pytest.FixtureDef[object]) -> None:
    if fixturedef.scope != "function":
        SHARED.discard(fixturedef.argname)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    result = yield
    forgiving = bool(SHARED.intersection(getattr(item, "fixturenames", ())))
    if _left_open(forgiving=forgiving):
        gc.collect()
    deadline = time.monotonic() + GRACE_S
    while (left := _left_open(forgiving=forgiving)) and time.monotonic() < deadline:
        time.sleep(0.02)
    if left:
        raise AssertionError(f"{item.nodeid} left open: {', '.join(sorted(left))}")
    return result


def _left_open(*, forgiving: bool) -> set[str]:
    now = opened()
    left = now - BEFORE
    if not forgiving:
        return left
    OPENED_LATE.intersection_update(now)
    if len(OPENED_LATE | left) > MOST_OPENED_LATE:
        return left
    OPENED_LATE.update(left)
    return set()


@pytest.fixture
async def nothing_pending() -> AsyncGenerator[None]:
    """Set up first and torn down last of a test's fixtures: what still runs then, nobody waits for."""
    yield
    if others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others, timeout=GRACE_S)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    names = sorted(getattr(task.get_coro(), "__qualname__", task.get_name()) for task in left)
    assert not names, f"tasks still running after the test: {', '.join(names)}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        names = getattr(item, "fixturenames", [])
        if inspect.iscoroutinefunction(getattr(item, "obj", None)) and "nothing_pending" not in names:
            names.insert(0, "nothing_pending")

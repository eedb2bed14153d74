"""What a test did that no test may do: kept until the phase ends, since the code under test may swallow the error."""

from collections.abc import Generator
from dataclasses import dataclass, field

import pytest


class Forbidden(RuntimeError):
    """A test went where no test may go. The text names the test and what it tried."""


@dataclass
class Record:
    """The test that runs now, and what it was refused so far."""

    test: str = "collection"
    refused: list[str] = field(default_factory=list)

    def refuse(self, what: str) -> Forbidden:
        message = f"{self.test}: {what}"
        self.refused.append(message)
        return Forbidden(message)


RECORD = Record()


def _phase(item: pytest.Item) -> Generator[None, object, object]:
    RECORD.test = item.nodeid
    RECORD.refused.clear()
    try:
        result = yield
        if RECORD.refused:
            raise Forbidden("; ".join(RECORD.refused))
        return result
    finally:
        RECORD.refused.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    return (yield from _phase(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    return (yield from _phase(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    return (yield from _phase(item))

"""One process for each test process, from which commands are forked."""

from collections.abc import Iterator

import pytest

from tests.cli.running import environment
from tests.frame.forking import ROOT, Forks


@pytest.fixture(scope="session")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What `tests.cli.running.camwarden` needs."""
    folder = tmp_path_factory.mktemp("forks")
    Forks.current = Forks(folder, {**environment(folder), "PYTHONPATH": str(ROOT)})
    yield
    Forks.current.close()
    Forks.current = None

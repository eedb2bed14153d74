"""Commands in this process, each in a store of its own."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from fleet.cli import app
from tests.cli.running import Command, Ended


@pytest.fixture(scope="session", autouse=True)
def _forks(forks: None) -> None:
    """Commands that come to their end are forked."""


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("CAMWARDEN_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> Ended:
        shown = CliRunner().invoke(app, list(map(str, words)), prog_name="camwarden")
        return Ended(shown.exit_code, shown.stdout, shown.stderr)

    return run

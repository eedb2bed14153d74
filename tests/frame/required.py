"""Programs that are not ours: without one a test is skipped for a person, and fails where everything must run (CI)."""

import os
import shutil
from collections.abc import Generator

import pytest

VARIABLE = "CAMWARDEN_REQUIRE_ALL"
# The product refuses CAMWARDEN_ variables that it does not know: for the tests and their processes it is renamed.
_OURS = "TESTS_REQUIRE_ALL"
if (wish := os.environ.pop(VARIABLE, None)) is not None:
    os.environ[_OURS] = wish
SERVERS = "/usr/local/sbin:/usr/sbin:/sbin"  # off most people's PATH
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def program(*names: str) -> str:
    """The path of the first of these programs that is here; skips the test where none is."""
    for name in names:
        if path := shutil.which(name) or shutil.which(name, path=SERVERS):
            return path
    pytest.skip(f"{names[0]} is not installed: `sudo apt-get install {names[0]}`")


@pytest.fixture(scope="session")
def nmap() -> str:
    return program("nmap")


@pytest.fixture(scope="session")
def snmpd() -> str:
    return program("snmpd")


@pytest.fixture(scope="session")
def chromium() -> str:
    return program(*BROWSERS)


def _everything_must_run() -> bool:
    return os.environ.get(_OURS) == "1"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if _everything_must_run() and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and {VARIABLE}=1 allows no skip: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if _everything_must_run() and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} was skipped, and {VARIABLE}=1 allows no skip: {report.longrepr}"
    return report

"""The longest modules come first: whoever begins one last works on alone while all others are done.

The demo, which is told by the clock, has neighbours that mostly wait.

Modules are handed out whole, in this order (`--no-loadscope-reorder`); xdist by itself goes by how many tests a module
has, and the longest have few.
"""

import pytest

LONG = (
    "tests/cli/test_demo_story.py",
    "tests/ansible/test_ansible_quality.py",
    "tests/fleet/test_outages.py",
    "tests/fleet/test_job_deaths.py",
    "tests/test_frame_project.py",
    "tests/web/test_web_access.py",
    "tests/web/test_web_browser.py",
    "tests/ansible/test_ansible_play.py",
    "tests/ansible/test_ansible_round.py",
    "tests/fleet/test_rollout_deaths.py",
    "tests/cli/test_harden.py",
    "tests/cli/test_assess.py",
    "tests/web/test_web_factors.py",
    "tests/web/test_web_live.py",
)
_RANKS = {name: rank for rank, name in enumerate(LONG)}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _RANKS.get(item.nodeid.partition("::")[0], len(LONG)))

"""A whole round: the service with simulated cameras, and Ansible as a person starts it."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from fleet import estate as kept
from fleet.service import open_service
from fleet.settings import Settings
from simulator.manifest import credentials
from tests.ansible.playing import Controller, serving
from tests.fleet.test_proof import recorded
from tests.simulator.asking import estate

FAULTS = {"discovery-left-on": 2, "http-cleartext-management": 1, "ntp-not-configured": 1}

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
async def controller(tmp_path: Path, collections: Path) -> AsyncIterator[Controller]:
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(estate(cameras=2, mix={"axis": 1}, faults=FAULTS, reboot_s=0.05))
        logins = tmp_path / "credentials.yaml"
        logins.write_text(credentials(running.plan))
        settings = Settings(home=tmp_path / "service", credentials_file=logins)
        service = await stack.enter_async_context(open_service(settings))
        await recorded(service.store, running, settings)
        home = tmp_path / "controller"
        home.mkdir()
        url, token = await stack.enter_async_context(serving(service, home))
        yield Controller(home, collections, url, token)


async def test_a_round(controller: Controller) -> None:
    strict = ("-e", "harden_baseline=strict")
    end = await controller.play("camwarden.estate.harden", "--check", "--diff", *strict)
    print(end.out)
    print(end.results)
    assert end.code == 0
    end = await controller.play("camwarden.estate.harden", "--diff", *strict)
    print(end.out)
    assert end.code == 0

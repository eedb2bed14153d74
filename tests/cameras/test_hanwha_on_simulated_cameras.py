"""What is Hanwha's own, on simulated cameras: set up or not, old or busy, its switches, its applications."""

from dataclasses import replace
from pathlib import Path

import pytest

from cameras.budget import AttemptBudget
from cameras.errors import LockedOut, Refused, Unauthorized
from cameras.facts import App, IpFilter, Switch
from cameras.opening import open_camera
from cameras.place import Place
from cameras.secret import Credential, Secret
from simulator.firmware import package
from tests.cameras.meeting import ONE_STORE, Met, meet
from tests.cameras.stories import EVE, NEW
from tests.simulator.changing import changeable


def with_quirk(met: Met, name: str) -> None:
    met.camera.become(replace(met.camera.plan, quirks=met.camera.plan.quirks | {name}))


async def test_one_that_was_never_set_up_is_opened_by_nobody() -> None:
    async with changeable("hanwha", faults={"factory-default": 1}) as (_, camera, _http):
        plan = camera.plan
        budget = AttemptBudget()
        with pytest.raises(Refused, match="never set up"):
            async with open_camera(Place(plan.address, plan.port, plan.scheme), Credential("admin", NEW), budget):
                pytest.fail("it was opened")
        assert camera.guard.wrong_tries == {}


async def test_a_locked_one_is_left_alone() -> None:
    async with meet("hanwha") as met:
        met.credential = Credential(met.credential.username, Secret("wrong"))
        met.budget = AttemptBudget(per_account=99, per_camera=99)
        for _ in range(met.camera.plan.lock_after):
            with pytest.raises((Unauthorized, LockedOut)):
                async with met.opened():
                    pytest.fail("it was opened")
        assert met.camera.guard.times_locked == 1
        met.budget = AttemptBudget()
        with pytest.raises(LockedOut):
            async with met.opened():
                pytest.fail("it was opened")
        assert met.camera.guard.wrong_tries[met.credential.username] == met.camera.plan.lock_after


async def test_it_has_settings_of_its_own() -> None:
    async with meet("hanwha") as met:
        async with met.opened() as driver:
            for name in ("upnp", "bonjour"):
                await driver.set_switch(name, on=False)
            await driver.set_switch("snmp-v1-v2c", on=True)
            await driver.set_anonymous_viewer(allowed=True)
        async with met.opened() as driver:
            wanted = (Switch("upnp", False), Switch("bonjour", False), Switch("snmp-v1-v2c", True))
            assert (await driver.switches()).switches == wanted
            assert (await driver.anonymous_viewer()).allowed is True
            assert await driver.ip_filter() == IpFilter("off", ())
            assert [one.serves for one in (await driver.certificates()).certificates] == [True]
            assert any("LoginFail" in line for line in (await driver.log()).lines)
        assert met.camera.plan.anonymous == {"snapshot", "rtsp"}


async def test_its_web_server_goes_to_https_and_comes_back() -> None:
    async with meet("hanwha", redirects_to_https=False) as met:
        for http in (False, True):
            async with met.opened() as driver:
                await driver.set_network_service("HTTP", enabled=http)
                services = {service.name: service.enabled for service in (await driver.network_services()).services}
                assert services == {"HTTP": http, "HTTPS": True, "RTSP": True}
            assert met.camera.plan.redirects_to_https is not http


GENERATIONS: dict[str, tuple[str, dict[str, object]]] = {
    "old, by plain HTTP and inside TLS": ("sunapi-old", {}),
    "old, by HTTPS": ("sunapi-old", {"http_port": None, "redirects_to_https": False}),
    "new, that wants the present password too": ("sunapi-asks-twice", {"http_port": None, "redirects_to_https": False}),
}


@pytest.mark.parametrize(("quirk", "fields"), GENERATIONS.values(), ids=GENERATIONS)
async def test_passwords_of_every_generation(quirk: str, fields: dict[str, object]) -> None:
    async with meet("hanwha", ONE_STORE, **fields) as met:
        with_quirk(met, quirk)
        async with met.opened() as driver:
            await driver.create_account(EVE, "Operator")
            await driver.set_password("eve", NEW)
            await driver.set_password(met.credential.username, NEW)
        met.credential, met.budget = Credential(met.credential.username, NEW), AttemptBudget()
        async with met.opened() as driver:
            await driver.remove_account("eve")
            assert "eve" not in {account.name for account in (await driver.accounts()).users}
        assert met.camera.guard.times_locked == 0


async def test_an_old_one_without_https_is_given_no_password() -> None:
    async with meet("hanwha", https_port=None, redirects_to_https=False) as met:
        with_quirk(met, "sunapi-old")
        async with met.opened() as driver:
            with pytest.raises(Refused, match="HTTPS"):
                await driver.set_password("viewer", NEW)
        assert met.camera.password_requests == 0


async def test_a_busy_one_is_waited_for() -> None:
    async with meet("hanwha") as met, met.opened() as driver:
        with_quirk(met, "sunapi-busy")
        for _ in range(3):
            assert (await driver.firmware_state()).version == met.camera.plan.firmware


async def test_an_application_is_installed_in_two_steps(tmp_path: Path) -> None:
    file = tmp_path / "counter.cap"
    async with meet("hanwha") as met, met.opened() as driver:
        for version in ("1.0", "2.0"):
            file.write_bytes(package("counter", version))
            await driver.upload_app(file, "counter")
            await driver.start_app("counter")
        assert (await driver.apps()).apps == (App("counter", None, "2.0", running=True),)
        await driver.stop_app("counter")
        await driver.remove_app("counter")
        assert met.camera.plan.apps == ()

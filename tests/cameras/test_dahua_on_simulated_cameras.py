"""A simulated Dahua camera is told what only its own API can do, and passwords where nobody reads along."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from cameras.driver import SwitchName
from cameras.errors import Refused, Unsupported
from cameras.facts import IpFilter, Lockout, Switch
from simulator.camera import Camera
from simulator.firmware import image, package
from simulator.http import Reply, Request
from simulator.plan import Store
from tests.cameras.meeting import TWO_STORES, meet
from tests.cameras.stories import EVE, NEW

DAHUA_SWITCHES: Sequence[SwitchName] = ("telnet", "ssh", "upnp", "bonjour", "snmp-v1-v2c")


async def test_a_dahua_camera_has_settings_of_its_own() -> None:
    async with meet("dahua") as met:
        async with met.opened() as driver:
            for name in DAHUA_SWITCHES:
                await driver.set_switch(name, on=True)
            await driver.set_lockout(tries=3, lock_s=3600)
        async with met.opened() as driver:
            assert (await driver.switches()).switches == tuple(Switch(name, True) for name in DAHUA_SWITCHES)
            assert await driver.lockout() == Lockout(enabled=True, tries=3, lock_s=3600.0)
            assert met.camera.plan.lock_after == 3
            assert await driver.ip_filter() == IpFilter(mode="off", addresses=())
            assert "System Startup" in (await driver.log()).lines[0]
            for name in DAHUA_SWITCHES:
                await driver.set_switch(name, on=False)
        async with met.opened() as driver:
            assert (await driver.switches()).switches == tuple(Switch(name, False) for name in DAHUA_SWITCHES)


@pytest.mark.parametrize("label", ["Amcrest", "Lorex", "Intelbras"])
async def test_a_dahua_camera_under_another_name_is_known_by_asking_and_says_that_name(label: str) -> None:
    async with meet("dahua", oem_label=label) as met, met.opened() as driver:
        assert driver.family == "dahua"
        identity = await driver.identity()
        assert (identity.manufacturer, identity.driver) == (label, "dahua")
        assert (identity.model, identity.firmware) == (met.camera.plan.model, met.camera.plan.firmware)
        assert identity.mac == met.camera.plan.mac


async def test_a_dahua_camera_without_https_is_told_passwords_by_onvif() -> None:
    async with meet("dahua", TWO_STORES, https_port=None, redirects_to_https=False) as met:
        async with met.opened() as driver:
            await driver.create_account(EVE, "User")
            await driver.set_password(met.credential.username, NEW)
        stores = {store: dict(pairs(met.camera, store)) for store in ("onvif", "web")}
        assert stores["onvif"]["eve"] == EVE.password.reveal()
        assert stores["onvif"][met.credential.username] == NEW.reveal() != stores["web"][met.credential.username]


async def test_a_dahua_camera_without_https_that_onvif_does_not_know_us_at_is_told_no_password() -> None:
    async with meet("dahua", TWO_STORES, https_port=None, redirects_to_https=False) as met:
        plan = met.camera.plan
        others = tuple(account for account in plan.accounts if account.name != met.credential.username)
        met.camera.become(replace(plan, accounts=others, auth="digest-md5"))
        async with met.opened() as driver:
            with pytest.raises(Refused, match="switch HTTPS on first"):
                await driver.set_password(met.credential.username, NEW)
        assert met.camera.password_requests == 0


async def test_what_is_secret_reaches_a_dahua_camera_inside_tls_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meet("dahua", TWO_STORES) as met:
        heard: list[Request] = []
        answer = met.camera.handle

        def listen(request: Request) -> Reply:
            heard.append(request)
            return answer(request)

        monkeypatch.setattr(met.camera, "handle", listen)
        async with met.opened() as driver:
            await driver.create_account(EVE, "User")
            await driver.set_password("eve", NEW)
            await driver.set_password(met.credential.username, NEW)
        secret = [request for request in heard if "pwd=" in request.target or "Password=" in request.target]
        assert [request.tls for request in secret] == [True] * 3
        assert dict(pairs(met.camera, "web"))[met.credential.username] == NEW.reveal()


async def test_a_wrong_image_is_taken_and_then_refused_by_a_dahua_camera(tmp_path: Path) -> None:
    async with meet("dahua") as met:
        path = tmp_path / "image.bin"
        path.write_bytes(image("dahua", ["SD1A404"], "99.1.1"))
        async with met.opened() as driver:
            with pytest.raises(Refused, match="Failed"):
                await driver.upload_firmware(path, rollback_after_s=None)
            path.write_bytes(b"rubbish")
            with pytest.raises(Refused, match="Bad Request"):
                await driver.upload_firmware(path, rollback_after_s=None)
        assert (met.camera.flashed, met.camera.boots) == ([], 1)


async def test_an_application_of_a_dahua_camera_is_installed_run_stopped_and_removed(tmp_path: Path) -> None:
    async with meet("dahua") as met, met.opened() as driver:
        path = tmp_path / "counter.app"
        path.write_bytes(package("counter", "1.0"))
        await driver.upload_app(path, "counter")
        await driver.start_app("counter")
        assert [(app.name, app.running) for app in met.camera.plan.apps] == [("counter", True)]
        await driver.stop_app("counter")
        await driver.remove_app("counter")
        assert met.camera.plan.apps == ()
        with pytest.raises(Refused):
            await driver.start_app("counter")
        with pytest.raises(Unsupported):
            await driver.apps()


def pairs(camera: Camera, store: Store) -> list[tuple[str, str]]:
    return [(account.name, account.password) for account in camera.plan.accounts_of(store)]

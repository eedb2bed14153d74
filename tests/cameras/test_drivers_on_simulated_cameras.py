"""One story for every family: what a simulated camera is told is true of it, asked over a fresh connection."""

from dataclasses import replace
from pathlib import Path

import pytest

from cameras.budget import AttemptBudget
from cameras.errors import LockedOut, Refused, Unsupported
from cameras.facts import Account, ClockSource, DiscoveryMode, Switch, SyslogTarget
from cameras.opening import open_camera
from cameras.place import Place
from cameras.secret import Credential
from tests.cameras.meeting import FAMILIES, ONE_STORE, TWO_STORES, meet
from tests.cameras.stories import EVE, NEW
from tests.simulator.changing import firmware_for, until, until_port

# Spoken to in their maker's words, so that the web server's accounts are changed too.
OWN_API = ("axis", "hikvision", "dahua", "hanwha")


@pytest.mark.parametrize("family", FAMILIES)
async def test_settings_are_what_the_camera_was_told(family: str) -> None:
    async with meet(family) as met:
        async with met.opened() as driver:
            assert driver.family == (family if family in OWN_API else "onvif")
            assert (await driver.identity()).model == met.camera.plan.model
            await driver.set_clock_source(servers=["192.0.2.7"], from_dhcp=False)
            await driver.set_discovery_mode(discoverable=True)
            await driver.set_network_service("RTSP", enabled=False)
        async with met.opened() as driver:
            assert await driver.clock_source() == ClockSource(from_dhcp=False, servers=("192.0.2.7",))
            assert await driver.discovery_mode() == DiscoveryMode(discoverable=True)
            services = {service.name: service.enabled for service in (await driver.network_services()).services}
            assert services["RTSP"] is False
            picture = (await driver.stream_profiles(await driver.services())).profiles[0].snapshot_uri
            assert picture is not None
            assert (await driver.snapshot(picture)).startswith(b"\xff\xd8")


async def test_an_axis_camera_has_settings_of_its_own() -> None:
    syslog = SyslogTarget(enabled=True, server="192.0.2.8", port=6514, protocol="tls")
    async with meet("axis") as met:
        async with met.opened() as driver:
            names = [switch.name for switch in (await driver.switches()).switches]
            for name in ("telnet", "ftp", "ssh", "upnp", "bonjour", "snmp-v1-v2c"):
                await driver.set_switch(name, on=True)
            await driver.set_syslog_target(syslog)
            await driver.set_anonymous_viewer(allowed=True)
        async with met.opened() as driver:
            assert (await driver.switches()).switches == tuple(Switch(name, True) for name in names)
            assert await driver.syslog_target() == syslog
            assert (await driver.anonymous_viewer()).allowed is True


@pytest.mark.parametrize("stores", [ONE_STORE, TWO_STORES])
@pytest.mark.parametrize("family", FAMILIES)
async def test_an_account_is_made_changed_and_removed(family: str, stores: str) -> None:
    async with meet(family, stores) as met:
        async with met.opened() as driver:
            await driver.create_account(EVE, "Operator")
            await driver.set_password("eve", NEW)
        async with met.opened() as driver:
            assert Account("eve", "Operator") in (await driver.accounts()).users
        assert await met.works("onvif", Credential("eve", NEW))
        if family in OWN_API:
            assert await met.works("web", Credential("eve", NEW))
        async with met.opened() as driver:
            await driver.remove_account("eve")
        names = {account.name for account in (*met.camera.plan.accounts, *(met.camera.plan.web_accounts or ()))}
        assert "eve" not in (names if family in OWN_API else {account.name for account in met.camera.plan.accounts})


@pytest.mark.parametrize("stores", [ONE_STORE, TWO_STORES])
@pytest.mark.parametrize("family", FAMILIES)
async def test_our_own_password_is_changed_wherever_the_driver_writes(family: str, stores: str) -> None:
    async with meet(family, stores, redirects_to_https=False) as met:
        async with met.opened() as driver:
            known_at = await driver.account_stores()
            assert known_at == ("onvif", "web")
            await driver.set_password(met.credential.username, NEW)
        old, met.credential = met.credential, Credential(met.credential.username, NEW)
        assert await met.works("onvif", met.credential)
        assert await met.works("web", met.credential) is (family in OWN_API or stores == ONE_STORE)
        if family != "dahua":  # it counts aloud, which is a lock-out to us
            met.budget = AttemptBudget()
            assert not await met.works("onvif", old)
            assert met.budget.remaining(met.place.key, old.username) == 1


async def test_a_camera_that_counts_aloud_is_left_alone() -> None:
    async with meet("dahua") as met:
        with pytest.raises(LockedOut):
            await met.works("onvif", Credential(met.credential.username, NEW))
        with pytest.raises(LockedOut):
            async with met.opened():
                pytest.fail("it was opened")


@pytest.mark.parametrize("family", FAMILIES)
async def test_a_firmware_is_flashed_once(family: str, tmp_path: Path) -> None:
    async with meet(family) as met:
        plan = met.camera.plan
        path = tmp_path / "image.bin"
        path.write_bytes(firmware_for(plan, "99.1.1"))
        async with met.opened() as driver:
            before = await driver.firmware_state()
            await driver.upload_firmware(path, rollback_after_s=600 if family == "axis" else None)
        await until(lambda: met.camera.boots > 1)
        await until_port(plan.address, plan.port, opened=True)
        async with met.opened() as driver:
            state = await driver.firmware_state()
            assert (before.version, state.version) == (plan.firmware, "99.1.1")
            assert met.camera.flashed == ["99.1.1"]
            if family == "axis":
                assert (state.committed, state.previous) == (False, plan.firmware)
                assert state.boot_id != before.boot_id
                await driver.commit_firmware()
                assert (await driver.firmware_state()).committed is True


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "axis"])
async def test_what_was_backed_up_can_be_put_back(family: str) -> None:
    async with meet(family) as met:
        async with met.opened() as driver:
            saved = await driver.backup()
            before = await driver.discovery_mode()
            await driver.set_discovery_mode(discoverable=not before.discoverable)
            await driver.restore(saved)
        await until(lambda: met.camera.boots > 1)
        await until_port(met.place.address, met.place.port, opened=True)
        async with met.opened() as driver:
            assert await driver.discovery_mode() == before


@pytest.mark.parametrize("family", FAMILIES)
async def test_a_camera_starts_again(family: str) -> None:
    async with meet(family) as met:
        async with met.opened() as driver:
            await driver.reboot()
        await until(lambda: met.camera.boots > 1)


async def test_an_axis_camera_that_onvif_does_not_know_us_at_is_spoken_to_in_vapix_alone() -> None:
    async with meet("axis", TWO_STORES) as met:
        plan = met.camera.plan
        others = tuple(account for account in plan.accounts if account.name != met.credential.username)
        met.camera.become(replace(plan, accounts=others))
        async with met.opened() as driver:
            assert await driver.account_stores() == ("web",)
            await driver.set_password(met.credential.username, NEW)
        met.credential = Credential(met.credential.username, NEW)
        async with met.opened() as driver:
            assert (await driver.firmware_state()).version == plan.firmware


async def test_an_axis_camera_by_https_is_opened_at_its_https_address() -> None:
    async with meet("axis", redirects_to_https=True) as met:
        met.camera.become(replace(met.camera.plan, quirks=met.camera.plan.quirks | {"vapix-redirects"}))
        with pytest.raises(Refused, match="https address"):
            async with met.opened():
                pytest.fail("the password would have been given to whom we were sent")
        port = met.camera.plan.https_port
        assert port is not None
        place = Place(met.place.address, port, "https", shared=True)
        async with open_camera(place, met.credential, met.budget) as driver:
            assert driver.family == "axis"
            with pytest.raises(Unsupported):
                await driver.backup()


async def test_where_we_are_sent_by_https_a_login_by_digest_is_made() -> None:
    async with meet("axis", redirects_to_https=True) as met:
        plan = met.camera.plan
        digest = (*plan.parameters, ("Network.HTTP.AuthenticationPolicy", "digest"))
        met.camera.become(replace(plan, quirks=plan.quirks | {"vapix-redirects"}, parameters=digest))
        async with met.opened() as driver:
            assert driver.family == "axis"
            assert (await driver.firmware_state()).version == plan.firmware

"""What only Hikvision cameras are told, against a simulated one over real sockets."""

from dataclasses import replace
from pathlib import Path

import pytest

from cameras.budget import AttemptBudget
from cameras.errors import ClockSkewed, LockedOut, Refused, Unsupported
from cameras.facts import App, ClockSource, IpFilter, Lockout, Switch, SyslogTarget
from cameras.secret import Credential, Secret
from simulator import plan as simulated
from simulator.camera import Camera
from simulator.http import Reply, Request
from tests.cameras.meeting import TWO_STORES, Met, meet
from tests.cameras.stories import EVE, NEW
from tests.simulator.changing import firmware_for, until, until_port

OLDER = "V5.5.80 build 180911"
SWITCHES = ("telnet", "ssh", "upnp", "bonjour", "snmp-v1-v2c")


async def back(met: Met) -> None:
    await until(lambda: met.camera.boots > 1 and met.camera.awake)
    await until_port(met.place.address, met.place.port, opened=True)


@pytest.mark.parametrize("on", [True, False], ids=["on", "off"])
async def test_switches_the_log_server_and_the_lock(on: bool) -> None:
    syslog = SyslogTarget(enabled=True, server="log.lan", port=6514, protocol="tls")
    async with meet("hikvision") as met:
        async with met.opened() as driver:
            assert [switch.name for switch in (await driver.switches()).switches] == list(SWITCHES)
            for name in SWITCHES:
                await driver.set_switch(name, on=on)  # type: ignore[arg-type] # all of them are switches' names
            await driver.set_syslog_target(syslog)
            await driver.set_lockout(tries=4, lock_s=3600)
        async with met.opened() as driver:
            assert (await driver.switches()).switches == tuple(Switch(name, on) for name in SWITCHES)
            assert await driver.syslog_target() == syslog
            assert await driver.lockout() == Lockout(enabled=True, tries=4, lock_s=3600.0)
        assert {port.service for port in met.camera.plan.extra_ports} == ({"telnet", "ssh"} if on else set())
        assert (met.camera.plan.lock_after, met.camera.plan.lock_s) == (4, 3600)


async def test_what_it_only_tells() -> None:
    app = simulated.App("face", "Face Capture", "HIKVISION", "1", running=False)
    filtered = (("IPFilter/addresses", "192.0.2.1"), ("IPFilter/enabled", "true"), ("IPFilter/permissionType", "deny"))
    async with meet("hikvision", apps=(app,), parameters=filtered) as met, met.opened() as driver:
        assert (await driver.identity()).manufacturer == "HIKVISION"
        assert (await driver.identity()).mac == met.camera.plan.mac
        assert await driver.ip_filter() == IpFilter("deny", ("192.0.2.1",))
        (certificate,) = (await driver.certificates()).certificates
        assert (certificate.id, certificate.serves) == ("default", True)
        assert "Operation/remoteLogin" in "".join((await driver.log()).lines)
        await driver.start_app("1")
        assert (await driver.apps()).apps == (App("1", "Face Capture", None, running=True),)
        await driver.stop_app("1")
        assert not met.camera.plan.apps[0].running


async def test_no_time_server_means_its_own_clock() -> None:
    async with meet("hikvision") as met, met.opened() as driver:
        await driver.set_clock_source(servers=(), from_dhcp=False)
        assert await driver.clock_source() == ClockSource(from_dhcp=False, servers=())
        assert met.camera.plan.clock_source == "Manual"
        await driver.set_clock_source(servers=["192.0.2.1", "192.0.2.2"], from_dhcp=False)  # by ONVIF
        assert await driver.clock_source() == ClockSource(from_dhcp=False, servers=("192.0.2.1", "192.0.2.2"))
        await driver.set_clock_source(servers=(), from_dhcp=True)  # by ONVIF too
        assert (await driver.clock_source()).from_dhcp is True


async def test_http_goes_off_and_the_last_way_in_stays() -> None:
    async with meet("hikvision", redirects_to_https=False) as met:
        async with met.opened() as driver:
            await driver.set_network_service("HTTP", enabled=False)
        assert met.camera.plan.http_port is None
        async with met.opened() as driver:
            assert driver.family == "hikvision"
            with pytest.raises(Refused, match="no way into"):
                await driver.set_network_service("HTTPS", enabled=False)


@pytest.mark.parametrize("firmware", [None, OLDER], ids=["told to restart", "restarts by itself"])
async def test_an_image_ends_in_a_restart(firmware: str | None, tmp_path: Path) -> None:
    async with meet("hikvision", **({"firmware": firmware} if firmware else {})) as met:
        image = tmp_path / "digicap.dav"
        image.write_bytes(firmware_for(met.camera.plan, "V5.9.0 build 230101"))
        async with met.opened() as driver:
            await driver.upload_firmware(image, rollback_after_s=None)
        await back(met)
        async with met.opened() as driver:
            assert (await driver.firmware_state()).version == "V5.9.0 build 230101"
        assert met.camera.flashed == ["V5.9.0 build 230101"]
        assert not met.camera.bricked


async def test_an_image_that_takes_long_is_waited_for(tmp_path: Path) -> None:
    async with meet("hikvision", quirks=frozenset({"upgrade-slow"}), reboot_s=0.1) as met:
        image = tmp_path / "digicap.dav"
        image.write_bytes(firmware_for(met.camera.plan, "V5.9.0 build 230101"))
        async with met.opened() as driver:
            await driver.upload_firmware(image, rollback_after_s=None)
        assert met.camera.flashed == ["V5.9.0 build 230101"]
        assert not met.camera.bricked


async def test_another_models_image_is_refused(tmp_path: Path) -> None:
    async with meet("hikvision") as met, met.opened() as driver:
        image = tmp_path / "digicap.dav"
        image.write_bytes(firmware_for(replace(met.camera.plan, model="DS-0"), "V5.9.0"))
        with pytest.raises(Refused, match="badDevType"):
            await driver.upload_firmware(image, rollback_after_s=None)
        assert met.camera.staged is None


async def test_where_onvif_does_not_list_us_no_try_is_spent_on_it() -> None:
    async with meet("hikvision", TWO_STORES) as met:
        plan = met.camera.plan
        others = tuple(account for account in plan.accounts if account.name != met.credential.username)
        met.camera.become(replace(plan, accounts=others))
        async with met.opened() as driver:
            assert await driver.account_stores() == ("web",)
            assert (await driver.identity()).manufacturer is None
            await driver.create_account(EVE, "User")
            await driver.set_password(met.credential.username, NEW)
        assert met.camera.guard.wrong_tries == {}
        assert "eve" not in {account.name for account in met.camera.plan.accounts}


async def test_a_camera_without_onvif_is_spoken_to_all_the_same() -> None:
    async with meet("hikvision", parameters=(("Integrate/ONVIF/enable", "false"),)) as met:
        async with met.opened() as driver:
            await driver.set_switch("upnp", on=False)
            assert await driver.account_stores() == ("web",)
            with pytest.raises(Unsupported):
                await driver.discovery_mode()
        assert met.camera.guard.wrong_tries == {}


async def test_a_clock_that_is_off_is_named_and_not_tried_again() -> None:
    async with meet("hikvision", quirks=frozenset({"isapi-clock"}), clock_offset_s=-3600) as met:
        with pytest.raises(ClockSkewed, match="off by -60 minutes"):
            async with met.opened():
                pytest.fail("it was opened")
        assert met.camera.guard.wrong_tries == {met.credential.username: 1}


@pytest.mark.parametrize("name", ["viewer", None], ids=["another account's", "our own"])
async def test_our_own_password_goes_with_a_new_one_inside_tls_only(
    name: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The camera was opened by plain HTTP, and its firmware insists on our password."""
    in_clear, inside_tls, handle = bytearray(), bytearray(), Camera.handle

    def noting(camera: Camera, request: Request) -> Reply:
        (inside_tls if request.tls else in_clear).extend(request.body)
        return handle(camera, request)

    async with meet("hikvision", redirects_to_https=False) as met:
        monkeypatch.setattr(Camera, "handle", noting)
        async with met.opened() as driver:
            await driver.set_password(name or met.credential.username, NEW)
        ours = met.credential.password.reveal().encode()
        assert ours in inside_tls
        assert ours not in in_clear
        assert await met.works("web", Credential(name or met.credential.username, NEW))


async def test_a_locked_camera_is_left_alone() -> None:
    async with meet("hikvision", lock_after=1) as met:
        with pytest.raises(LockedOut):
            await met.works("web", Credential("admin", Secret("wrong")))
        met.budget = AttemptBudget()  # as if somebody else had locked it
        for _ in range(2):
            with pytest.raises(LockedOut):
                async with met.opened():
                    pytest.fail("it was opened")
        assert met.camera.guard.wrong_tries == {"admin": 1, met.credential.username: 1}

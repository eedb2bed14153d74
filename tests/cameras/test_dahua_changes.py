"""What a Dahua camera is told, that only OK and what it says afterwards count, and where passwords may stand."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest

from cameras.drivers.dahua import DahuaDriver
from cameras.errors import DeviceError, Garbled, Refused, Unreachable, Unsupported
from cameras.secret import Credential, Secret
from tests.cameras.saying import http
from tests.cameras.saying_dahua import BAD, BAD_200, DENIED, OK, WRONG, asked, dahua, lines, table

NEW = Secret("n3w-pässword & more")
Told = Callable[[DahuaDriver], Awaitable[None]]
Heard = tuple[str, Mapping[str, str]]
ASKED = "configManager.cgi"
IDLE = lines("state.State=Idle", "state.Progress=0")


def read(name: str) -> Heard:
    return ASKED, {"action": "getConfig", "name": name}


def written(**values: str) -> Heard:
    """Two underscores in a name stand for a dot."""
    return ASKED, {"action": "setConfig", **{name.replace("__", "."): value for name, value in values.items()}}


CHANGES: dict[str, tuple[Told, tuple[bytes, ...], tuple[Heard, ...]]] = {
    "telnet off": (
        lambda d: d.set_switch("telnet", on=False),
        (table("Telnet.Enable=true"), OK, table("Telnet.Enable=false")),
        (read("Telnet"), written(Telnet__Enable="false"), read("Telnet")),
    ),
    "SNMP without a password off, version 3 as it is": (
        lambda d: d.set_switch("snmp-v1-v2c", on=False),
        (
            *(table("SNMP.Enable=true", "SNMP.V1Enable=true", "SNMP.V2Enable=true", "SNMP.V3Enable=true"),) * 2,
            OK,
            table("SNMP.Enable=true", "SNMP.V1Enable=false", "SNMP.V2Enable=false", "SNMP.V3Enable=true"),
        ),
        (
            read("SNMP"),
            read("SNMP"),
            written(SNMP__V1Enable="false", SNMP__V2Enable="false"),
            read("SNMP"),
        ),
    ),
    "SNMP off where it tells no versions": (
        lambda d: d.set_switch("snmp-v1-v2c", on=False),
        (table("SNMP.Enable=true"), table("SNMP.Enable=true"), OK, table("SNMP.Enable=false")),
        (read("SNMP"), read("SNMP"), written(SNMP__Enable="false"), read("SNMP")),
    ),
    "to lock": (
        lambda d: d.set_lockout(tries=5, lock_s=1799.5),
        (
            table("General.LockLoginEnable=false", "General.LockLoginTimes=3", "General.LoginFailLockTime=60"),
            OK,
            table("General.LockLoginEnable=true", "General.LockLoginTimes=5", "General.LoginFailLockTime=1800"),
        ),
        (
            read("General"),
            written(General__LockLoginEnable="true", General__LockLoginTimes="5", General__LoginFailLockTime="1800"),
            read("General"),
        ),
    ),
    "a time server, without ONVIF": (
        lambda d: d.set_clock_source(servers=["10.0.0.1"], from_dhcp=False),
        (
            table("NTP.Address=x", "NTP.Enable=false"),
            OK,
            table("NTP.Address=10.0.0.1", "NTP.Enable=true"),
        ),
        (read("NTP"), written(NTP__Address="10.0.0.1", NTP__Enable="true"), read("NTP")),
    ),
    "RTSP off, without ONVIF": (
        lambda d: d.set_network_service("RTSP", enabled=False),
        (table("RTSP.Enable=true"), OK, table("RTSP.Enable=false")),
        (read("RTSP"), written(RTSP__Enable="false"), read("RTSP")),
    ),
    "an account away": (
        lambda d: d.remove_account("eve&action=reboot"),
        (OK,),
        (("userManager.cgi", {"action": "deleteUser", "name": "eve&action=reboot"}),),
    ),
    "to start again": (lambda d: d.reboot(), (OK,), (("magicBox.cgi", {"action": "reboot"}),)),
    "an application to run": (
        lambda d: d.start_app("a b"),
        (OK,),
        (("installManager.cgi", {"action": "start", "appname": "a b"}),),
    ),
    "an application to stop": (
        lambda d: d.stop_app("counter"),
        (OK,),
        (("installManager.cgi", {"action": "stop", "appname": "counter"}),),
    ),
    "an application away": (
        lambda d: d.remove_app("counter"),
        (OK,),
        (("dhop.cgi", {"action": "uninstall", "appName": "counter"}),),
    ),
}


@pytest.mark.parametrize("dribble", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(("tell", "replies", "heard"), CHANGES.values(), ids=CHANGES)
async def test_tells(tell: Told, replies: tuple[bytes, ...], heard: tuple[Heard, ...], dribble: bool) -> None:
    async with dahua(*replies, dribble=dribble) as (driver, camera):
        await tell(driver)
        assert [asked(request) for request in camera.heard] == list(heard)


TELNET: Told = lambda d: d.set_switch("telnet", on=False)  # noqa: E731 - rows name what they tell
NOT_DONE: dict[str, tuple[Told, tuple[bytes, ...], type[DeviceError]]] = {
    "a setting refused": (TELNET, (table("Telnet.Enable=true"), BAD), Refused),
    "a setting refused under HTTP 200": (TELNET, (table("Telnet.Enable=true"), BAD_200), Refused),
    "a setting that it has no right to": (TELNET, (table("Telnet.Enable=true"), DENIED), Refused),
    "a setting answered with a page": (TELNET, (table("Telnet.Enable=true"), http("<html>OK")), Garbled),
    "a yes, and the same as before": (TELNET, (table("Telnet.Enable=true"), OK, table("Telnet.Enable=true")), Refused),
    "a yes, and nothing there any more": (TELNET, (table("Telnet.Enable=true"), OK, table("Telnet.X=1")), Refused),
    "a hang-up at the change": (TELNET, (table("Telnet.Enable=true"), b""), Unreachable),
    "a name in other capitals": (TELNET, (table("Telnet.enable=true"),), Unsupported),
    "a switch that it does not have": (TELNET, (BAD,), Unsupported),
    "an FTP server": (lambda d: d.set_switch("ftp", on=False), (), Unsupported),
    "a log target": (lambda d: d.set_anonymous_viewer(allowed=False), (), Unsupported),
    "several time servers, without ONVIF": (
        lambda d: d.set_clock_source(servers=["a", "b"], from_dhcp=False),
        (),
        Unsupported,
    ),
    "time servers by DHCP, without ONVIF": (
        lambda d: d.set_clock_source(servers=(), from_dhcp=True),
        (),
        Unsupported,
    ),
    "HTTPS off, without ONVIF": (lambda d: d.set_network_service("HTTPS", enabled=False), (), Unsupported),
    "an account that it keeps": (lambda d: d.remove_account("admin"), (BAD,), Refused),
    "our own account away": (lambda d: d.remove_account("joe"), (), Refused),
    "a reboot that is cut off": (lambda d: d.reboot(), (b"",), Unreachable),
    "an application refused": (lambda d: d.start_app("x"), (BAD,), Refused),
    "no backup": (lambda d: d.restore(b"x"), (), Unsupported),
}


@pytest.mark.parametrize(("tell", "replies", "error"), NOT_DONE.values(), ids=NOT_DONE)
async def test_what_is_not_done_is_said_and_not_tried_again(
    tell: Told, replies: tuple[bytes, ...], error: type[DeviceError]
) -> None:
    async with dahua(*(replies or (b"",))) as (driver, camera):
        with pytest.raises(error):
            await tell(driver)
        assert len(camera.heard) == len(replies)


UPLOADS: dict[str, tuple[tuple[bytes | None, ...], type[DeviceError] | None, int]] = {
    "taken, and it is gone for its restart": ((IDLE, WRONG, OK, b""), None, 4),
    "taken, and it goes on": ((IDLE, WRONG, OK, lines("state.State=Upgrading", "state.Progress=40")), None, 6),
    "taken, and found to be wrong": ((IDLE, WRONG, OK, lines("state.State=Failed")), Refused, 4),
    "taken, and found to be wrong a little later": (
        (IDLE, WRONG, OK, lines("state.State=Preparing"), lines("state.State=Invalid")),
        Refused,
        5,
    ),
    "refused": ((IDLE, WRONG, BAD), Refused, 3),
    "refused under HTTP 200": ((IDLE, WRONG, BAD_200), Refused, 3),
    "answered with a page": ((IDLE, WRONG, http("<html>OK")), Garbled, 3),
    "cut off at the end": ((IDLE, WRONG, b""), Unreachable, 3),
    "no answer at all": ((IDLE, WRONG, None), Unreachable, 3),
    "no such call, and no ONVIF either": ((BAD,), Unsupported, 1),
}


@pytest.mark.parametrize(("replies", "error", "heard"), UPLOADS.values(), ids=UPLOADS)
async def test_an_image_is_sent_once(
    replies: tuple[bytes | None, ...],
    error: type[DeviceError] | None,
    heard: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cameras.drivers.dahua.UPGRADE_PAUSE_S", 0.0)
    image = tmp_path / "image.bin"
    image.write_bytes(b"FIRMWARE")
    async with dahua(*replies) as (driver, camera):
        if error is None:
            await driver.upload_firmware(image, rollback_after_s=None)
        else:
            with pytest.raises(error):
                await driver.upload_firmware(image, rollback_after_s=None)
        assert sum(b"FIRMWARE" in request for request in camera.heard) == (0 if heard == 1 else 1)
        assert len(camera.heard) == heard


async def test_an_image_that_must_go_back_by_itself_is_not_sent(tmp_path: Path) -> None:
    async with dahua(IDLE) as (driver, camera):
        with pytest.raises(Unsupported):
            await driver.upload_firmware(tmp_path / "none", rollback_after_s=600)
        assert camera.heard == []


NO_TLS: dict[str, tuple[bytes, ...]] = {
    "it has no HTTPS": (table("RTSP.Enable=true"), table("Https.Enable=false", "Https.Port=443"), BAD),
    "it does not tell of HTTPS": (table("RTSP.Enable=true"), BAD, DENIED),
    "it tells of HTTPS, and no port": (table("RTSP.Enable=true"), table("Https.Enable=true", "Https.Port=0"), BAD),
}


@pytest.mark.parametrize("replies", NO_TLS.values(), ids=NO_TLS)
async def test_no_password_is_told_in_the_clear(replies: tuple[bytes, ...]) -> None:
    eve = Credential("eve", NEW)
    tells: tuple[Told, ...] = (
        lambda d: d.set_password("joe", NEW),
        lambda d: d.set_password("eve", NEW),
        lambda d: d.create_account(eve, "User"),
    )
    for tell in tells:
        async with dahua(*replies) as (driver, camera):
            with pytest.raises(Refused, match="switch HTTPS on first") as raised:
                await tell(driver)
            assert "n3w" not in str(raised.value)
            assert b"n3w" not in b"".join(camera.heard)
            assert b"userManager" not in b"".join(camera.heard)


async def test_a_port_where_nobody_speaks_tls_is_told_no_password_either() -> None:
    async with dahua(BAD) as (_, closed):
        port = closed.port
        services = table("RTSP.Enable=true"), table("Https.Enable=true", f"Https.Port={port}"), BAD
        async with dahua(*services) as (driver, camera):
            with pytest.raises(Refused, match="https address"):
                await driver.set_password("joe", NEW)
            assert b"n3w" not in b"".join((*camera.heard, *closed.heard))

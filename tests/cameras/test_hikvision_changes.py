"""What a Hikvision camera is told: whole documents, in its own namespace, once; and only its own yes counts as done."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from cameras.drivers.hikvision import HikvisionDriver
from cameras.errors import DeviceError, Garbled, Refused, Unreachable, Unsupported
from cameras.facts import SyslogTarget
from cameras.secret import Credential, Secret
from tests.cameras.saying import http
from tests.cameras.saying_isapi import (
    BAD_XML,
    ISAPI_ORG,
    MISSING,
    NOT_SUPPORTED,
    OK,
    REBOOT,
    WRONG,
    Heard,
    asked,
    doc,
    hikvision,
    said,
    users,
)
from tests.cameras.saying_soap import JOE
from tests.cameras.test_hikvision import BY_HAND, NTP, access, server, version

NEW = Secret("n3w-pässword & <more>")
OURS = JOE.password.reveal()
NAME = JOE.username
Told = Callable[[HikvisionDriver], Awaitable[None]]
UPNP = doc("UPnP", "<enabled>true</enabled><name>x</name><mappingMode>auto</mappingMode>")
BOTH = doc(
    "AdminAccessProtocolList",
    access(1, "HTTP", 80, "true") + access(2, "DEV_MANAGE", 8000) + access(4, "HTTPS", 443, "true"),
)
HTTP_ALONE = doc("AdminAccessProtocolList", access(1, "HTTP", 80, "true") + access(4, "HTTPS", 443, "false"))
LOG = (
    "<enabled>false</enabled><addressingFormatType>ipaddress</addressingFormatType><ipAddress>0.0.0.0</ipAddress>"
    "<portNo>514</portNo><uploadInterval>1</uploadInterval>"
)
ENCRYPTS = "<transmissionEncryption>false</transmissionEncryption>"
ONE_SERVER = doc("NTPServerList", server(1, "ipaddress", "<ipAddress>10.0.0.9</ipAddress>"))
TWO_SERVERS = doc(
    "NTPServerList",
    server(1, "ipaddress", "<ipAddress>10.0.0.9</ipAddress>") + server(2, "hostname", "<hostName>b</hostName>"),
)
USERS = users((NAME, "Administrator"), ("eve", "Viewer"), more="<bond>kept</bond>")
LOCK = doc(
    "IllegalLoginLock",
    "<enabled>false</enabled><maxIllegalLoginTimes>7</maxIllegalLoginTimes>"
    "<maxIllegalLoginLockTime>600</maxIllegalLoginLockTime>",
)


def read(path: str) -> Heard:
    return "GET", path, None


CHANGES: dict[str, tuple[Told, tuple[bytes, ...], tuple[Heard, ...]]] = {
    "UPnP off, what we do not know kept": (
        lambda d: d.set_switch("upnp", on=False),
        (UPNP, OK),
        (
            read("System/Network/UPnP"),
            ("PUT", "System/Network/UPnP", {"enabled": "false", "name": "x", "mappingMode": "auto"}),
        ),
    ),
    "SSH off, which counts after a restart": (
        lambda d: d.set_switch("ssh", on=False),
        (doc("SSH", "<enabled>true</enabled>"), REBOOT),
        (read("System/Network/ssh"), ("PUT", "System/Network/ssh", {"enabled": "false"})),
    ),
    "SNMP without a password off, version 3 as it is": (
        lambda d: d.set_switch("snmp-v1-v2c", on=False),
        (doc("SNMP", version("SNMPv1c", "true") + version("SNMPv2c", "true") + version("SNMPAdvanced", "true")), OK),
        (
            read("System/Network/SNMP"),
            (
                "PUT",
                "System/Network/SNMP",
                {"SNMPv1c/enabled": "false", "SNMPv2c/enabled": "false", "SNMPAdvanced/enabled": "true"},
            ),
        ),
    ),
    "HTTP off": (
        lambda d: d.set_network_service("HTTP", enabled=False),
        (BOTH, OK),
        (
            read("Security/adminAccesses"),
            (
                "PUT",
                "Security/adminAccesses",
                {
                    "AdminAccessProtocol/id": "4",
                    "AdminAccessProtocol/enabled": "true",
                    "AdminAccessProtocol/protocol": "HTTPS",
                    "AdminAccessProtocol/portNo": "443",
                },
            ),
        ),
    ),
    "a time server, where its clock goes by itself": (
        lambda d: d.set_clock_source(servers=["ntp.lan"], from_dhcp=False),
        (ONE_SERVER, OK, BY_HAND, OK),
        (
            read("System/time/ntpServers"),
            (
                "PUT",
                "System/time/ntpServers",
                {
                    "NTPServer/id": "1",
                    "NTPServer/addressingFormatType": "hostname",
                    "NTPServer/hostName": "ntp.lan",
                    "NTPServer/portNo": "123",
                },
            ),
            read("System/time"),
            ("PUT", "System/time", {"timeMode": "NTP", "localTime": "2026-04-20T14:30:00"}),
        ),
    ),
    "another time server, the second one emptied": (
        lambda d: d.set_clock_source(servers=["10.0.0.1"], from_dhcp=False),
        (TWO_SERVERS, OK, NTP),
        (
            read("System/time/ntpServers"),
            (
                "PUT",
                "System/time/ntpServers",
                {
                    "NTPServer/id": "2",
                    "NTPServer/addressingFormatType": "ipaddress",
                    "NTPServer/ipAddress": "0.0.0.0",  # noqa: S104 - the camera's way to say "none"
                    "NTPServer/portNo": "123",
                },
            ),
            read("System/time"),
        ),
    ),
    "no time server": (
        lambda d: d.set_clock_source(servers=(), from_dhcp=False),
        (BY_HAND,),
        (read("System/time"),),
    ),
    "an encrypted syslog server": (
        lambda d: d.set_syslog_target(SyslogTarget(enabled=True, server="log.lan", port=6514, protocol="tls")),
        (doc("LogServer", LOG + ENCRYPTS), OK),
        (
            read("System/logServer"),
            (
                "PUT",
                "System/logServer",
                {
                    "enabled": "true",
                    "addressingFormatType": "hostname",
                    "hostName": "log.lan",
                    "portNo": "6514",
                    "uploadInterval": "1",
                    "transmissionEncryption": "true",
                },
            ),
        ),
    ),
    "no syslog": (
        lambda d: d.set_syslog_target(SyslogTarget(enabled=False, server="", port=None, protocol=None)),
        (doc("LogServer", "<enabled>true</enabled><portNo>514</portNo>"), OK),
        (read("System/logServer"), ("PUT", "System/logServer", {"enabled": "false", "portNo": "514"})),
    ),
    "a stricter lock": (
        lambda d: d.set_lockout(tries=5, lock_s=1799.5),
        (LOCK, OK),
        (
            read("Security/illegalLoginLock"),
            (
                "PUT",
                "Security/illegalLoginLock",
                {"enabled": "true", "maxIllegalLoginTimes": "5", "maxIllegalLoginLockTime": "1800"},
            ),
        ),
    ),
    "a new account on older firmware, our own password kept to ourselves": (
        lambda d: d.create_account(Credential("eve", NEW), "Operator"),
        (NOT_SUPPORTED, users((NAME, "Administrator")), OK),
        (
            read("Security/ONVIF/users"),
            read("Security/users"),
            (
                "POST",
                "Security/users",
                {"id": "2", "userName": "eve", "password": NEW.reveal(), "userLevel": "Operator"},
            ),
        ),
    ),
    "a password": (
        lambda d: d.set_password("eve", NEW),
        (NOT_SUPPORTED, USERS, OK),
        (
            read("Security/ONVIF/users"),
            read("Security/users"),
            (
                "PUT",
                "Security/users/2",
                {"id": "2", "userName": "eve", "password": NEW.reveal(), "userLevel": "Viewer", "bond": "kept"},
            ),
        ),
    ),
    "our own password where there is no HTTPS, which is known to whoever listens anyway": (
        lambda d: d.set_password(NAME, NEW),
        (NOT_SUPPORTED, users((NAME, "Administrator")), HTTP_ALONE, OK),
        (
            read("Security/ONVIF/users"),
            read("Security/users"),
            read("Security/adminAccesses"),
            (
                "PUT",
                "Security/users/1",
                {
                    "id": "1",
                    "userName": NAME,
                    "password": NEW.reveal(),
                    "userLevel": "Administrator",
                    "loginPassword": OURS,
                },
            ),
        ),
    ),
    "an account away": (
        lambda d: d.remove_account("eve"),
        (NOT_SUPPORTED, USERS, OK),
        (read("Security/ONVIF/users"), read("Security/users"), ("DELETE", "Security/users/2", None)),
    ),
    "to start again": (lambda d: d.reboot(), (OK,), (("PUT", "System/reboot", None),)),
    "an application to run": (
        lambda d: d.start_app("3"),
        (OK,),
        (("PUT", "Custom/OpenPlatform/App/3/start", None),),
    ),
    "an application to stop": (
        lambda d: d.stop_app("3"),
        (OK,),
        (("PUT", "Custom/OpenPlatform/App/3/stop", None),),
    ),
    "its configuration, and then to start again": (
        lambda d: d.restore(b"conf"),
        (REBOOT, OK),
        (("PUT", "System/configurationData", None), ("PUT", "System/reboot", None)),
    ),
    "its configuration, which is in force at once": (
        lambda d: d.restore(b"conf"),
        (OK,),
        (("PUT", "System/configurationData", None),),
    ),
}


@pytest.mark.parametrize("dribble", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(("tell", "replies", "heard"), CHANGES.values(), ids=CHANGES)
async def test_tells(tell: Told, replies: tuple[bytes, ...], heard: tuple[Heard, ...], dribble: bool) -> None:
    async with hikvision(*replies, dribble=dribble) as (driver, camera):
        await tell(driver)
        assert [asked(request) for request in camera.heard] == list(heard)


@pytest.mark.parametrize("namespace", [ISAPI_ORG, "urn:another", ""], ids=["isapi.org", "another", "none"])
async def test_a_document_goes_back_in_the_namespace_that_it_came_in(namespace: str) -> None:
    async with hikvision(doc("LogServer", LOG, namespace=namespace), OK) as (driver, camera):
        await driver.set_syslog_target(SyslogTarget(enabled=True, server="log.lan", port=514, protocol=None))
        body = camera.heard[-1].partition(b"\r\n\r\n")[2].decode()
        assert body.count("xmlns") == (1 if namespace else 0)
        assert f'xmlns="{namespace}"' in body or not namespace
        assert "<hostName>log.lan</hostName>" in body


async def test_a_document_of_our_own_is_written_as_the_camera_writes_its_own() -> None:
    async with hikvision(NOT_SUPPORTED, USERS, OK) as (driver, camera):
        await driver.create_account(Credential("bob", NEW), "User")
        body = camera.heard[-1].partition(b"\r\n\r\n")[2].decode()
        assert f'<User xmlns="{ISAPI_ORG}" version="2.0"><id>3</id><userName>bob</userName>' in body


NOT_DONE: dict[str, tuple[Told, tuple[bytes, ...], type[DeviceError]]] = {
    "a document that it does not take": (lambda d: d.set_switch("upnp", on=False), (UPNP, BAD_XML), Refused),
    "a refusal inside HTTP 200": (
        lambda d: d.set_switch("upnp", on=False),
        (UPNP, said(4, "Invalid Operation", "invalidOperation")),
        Refused,
    ),
    "a change answered with a page": (lambda d: d.set_switch("upnp", on=False), (UPNP, http("<html>OK")), Garbled),
    "a change answered with nothing": (lambda d: d.set_switch("upnp", on=False), (UPNP, http("")), Garbled),
    "a change cut off": (lambda d: d.set_switch("upnp", on=False), (UPNP, b""), Unreachable),
    "a switch that it does not have": (lambda d: d.set_switch("telnet", on=False), (MISSING,), Unsupported),
    "a switch that nobody has": (lambda d: d.set_switch("ftp", on=False), (), Unsupported),
    "a switch without one": (lambda d: d.set_switch("ssh", on=False), (doc("SSH", "<port>22</port>"),), Unsupported),
    "no way in": (lambda d: d.set_network_service("HTTP", enabled=False), (HTTP_ALONE,), Refused),
    "RTSP that it cannot switch, without ONVIF": (
        lambda d: d.set_network_service("RTSP", enabled=False),
        (BOTH,),
        Unsupported,
    ),
    "time servers by DHCP, without ONVIF": (
        lambda d: d.set_clock_source(servers=(), from_dhcp=True),
        (NOT_SUPPORTED,),
        Unsupported,
    ),
    "more time servers than it has room for, without ONVIF": (
        lambda d: d.set_clock_source(servers=["a", "b"], from_dhcp=False),
        (ONE_SERVER,),
        Unsupported,
    ),
    "an encrypted syslog server on a camera that cannot": (
        lambda d: d.set_syslog_target(SyslogTarget(enabled=True, server="a", port=1, protocol="tls")),
        (doc("LogServer", LOG),),
        Unsupported,
    ),
    "a lock that it does not take": (
        lambda d: d.set_lockout(tries=1, lock_s=9),
        (LOCK, said(6, "Invalid Content", "badParameters", "400 Bad Request")),
        Refused,
    ),
    "a password on firmware that wants ours beside it, and no HTTPS": (
        lambda d: d.set_password("eve", NEW),
        (NOT_SUPPORTED, USERS, BAD_XML, HTTP_ALONE),
        Refused,
    ),
    "the same, and an HTTPS that nobody serves": (
        lambda d: d.set_password("eve", NEW),
        (NOT_SUPPORTED, USERS, BAD_XML, doc("AdminAccessProtocolList", access(4, "HTTPS", 1, "true"))),
        Refused,
    ),
    "a stranger's password": (lambda d: d.set_password("bob", NEW), (NOT_SUPPORTED, USERS), Refused),
    "our own account away": (lambda d: d.remove_account(NAME), (), Refused),
    "a password that XML cannot carry": (
        lambda d: d.set_password("eve", Secret("n3w\x00")),
        (NOT_SUPPORTED, USERS),
        Refused,
    ),
    "an application by its name": (lambda d: d.start_app("../reboot"), (), Refused),
    "an application put on": (lambda d: d.upload_app(Path("x.app"), "x"), (), Unsupported),
    "an application taken off": (lambda d: d.remove_app("1"), (), Unsupported),
    "a configuration of another model": (
        lambda d: d.restore(b"conf"),
        (said(6, "Invalid Content", "badDevType", "400 Bad Request"),),
        Refused,
    ),
    "a firmware on trial": (
        lambda d: d.upload_firmware(Path("/nowhere"), rollback_after_s=60),
        (),
        Unsupported,
    ),
    "going back": (lambda d: d.roll_back_firmware(), (), Unsupported),
}


@pytest.mark.parametrize(("tell", "replies", "error"), NOT_DONE.values(), ids=NOT_DONE)
async def test_what_is_not_done_is_said_and_not_tried_again(
    tell: Told, replies: tuple[bytes, ...], error: type[DeviceError]
) -> None:
    async with hikvision(*(replies or (b"",))) as (driver, camera):
        with pytest.raises(error):
            await tell(driver)
        assert len(camera.heard) == len(replies)


@pytest.mark.parametrize("reply", [WRONG, MISSING, BAD_XML, http("<html>"), b""])
async def test_a_password_stands_neither_in_an_address_nor_in_an_error(reply: bytes) -> None:
    tells: tuple[Told, ...] = (
        lambda d: d.set_password("eve", NEW),
        lambda d: d.create_account(Credential("eve", NEW), "User"),
    )
    for tell in tells:
        async with hikvision(NOT_SUPPORTED, USERS, reply) as (driver, camera):
            with pytest.raises(DeviceError) as raised:
                await tell(driver)
            assert "n3w" not in str(raised.value)
            assert OURS not in str(raised.value)
            heads = b"".join(request.partition(b"\r\n\r\n")[0] for request in camera.heard)
            assert b"n3w" not in heads
            assert OURS.encode() not in heads

"""What an Axis camera is told, and that only its own words count as done."""

import json
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

import pytest

from cameras.drivers.axis import AxisDriver
from cameras.errors import DeviceError, Garbled, Refused, Unreachable, Unsupported
from cameras.facts import SyslogTarget
from cameras.secret import Credential, Secret
from tests.cameras.saying import http
from tests.cameras.saying_soap import JOE
from tests.cameras.saying_vapix import MISSING, WRONG, axis, no, parameters, told, words

NEW = Secret("n3w-pässword & more")
OK = words("OK")
STATUS = told({"activeFirmwareVersion": "12.11.77"})
BOTH = parameters(
    "root.System.BoaGroupPolicy.admin=both",
    "root.System.BoaGroupPolicy.viewer=https",
    "root.HTTPS.Enabled=yes",
    "root.Network.RTSP.Enabled=yes",
)
SERVERS = [
    {"address": "10.0.0.1", "port": 514, "protocol": "TCP", "syslogFormat": "RFC3164", "severity": "Error"},
    {"address": "10.0.0.2", "port": 514, "protocol": "UDP"},
]
Told = Callable[[AxisDriver], Awaitable[None]]
# What is asked: the call, and its parameters as JSON or as a form.
Heard = tuple[str, object]


def syslog(server: str, *, enabled: bool = True) -> Told:
    return lambda d: d.set_syslog_target(SyslogTarget(enabled=enabled, server=server, port=6514, protocol="tls"))


CHANGES: dict[str, tuple[Told, tuple[bytes, ...], tuple[Heard, ...]]] = {
    "time servers": (
        lambda d: d.set_clock_source(servers=["10.0.0.1", "ntp.lan"], from_dhcp=False),
        (told({}),),
        (("ntp.cgi", {"enabled": True, "serversSource": "static", "staticServers": ["10.0.0.1", "ntp.lan"]}),),
    ),
    "time servers by DHCP": (
        lambda d: d.set_clock_source(servers=(), from_dhcp=True),
        (told({}),),
        (("ntp.cgi", {"enabled": True, "serversSource": "DHCP"}),),
    ),
    "no time server": (
        lambda d: d.set_clock_source(servers=(), from_dhcp=False),
        (told({}),),
        (("ntp.cgi", {"enabled": False, "serversSource": "static"}),),
    ),
    "a time server, before ntp.cgi": (
        lambda d: d.set_clock_source(servers=["10.0.0.1"], from_dhcp=False),
        (MISSING, OK),
        (
            ("ntp.cgi", {"enabled": True, "serversSource": "static", "staticServers": ["10.0.0.1"]}),
            (
                "param.cgi",
                {
                    "action": "update",
                    "Time.ObtainFromDHCP": "no",
                    "Time.NTP.Server": "10.0.0.1",
                    "Time.SyncSource": "NTP",
                },
            ),
        ),
    ),
    "not to be found": (
        lambda d: d.set_discovery_mode(discoverable=False),
        (parameters("root.WebService.DiscoveryMode.Discoverable=Yes"), OK),
        (("param.cgi", None), ("param.cgi", {"action": "update", "WebService.DiscoveryMode.Discoverable": "no"})),
    ),
    "HTTP off for everybody": (
        lambda d: d.set_network_service("HTTP", enabled=False),
        (BOTH, OK),
        (
            ("param.cgi", None),
            (
                "param.cgi",
                {"action": "update", "System.BoaGroupPolicy.admin": "https", "System.BoaGroupPolicy.viewer": "https"},
            ),
        ),
    ),
    "HTTPS off for everybody": (
        lambda d: d.set_network_service("HTTPS", enabled=False),
        (BOTH, OK),
        (
            ("param.cgi", None),
            (
                "param.cgi",
                {"action": "update", "System.BoaGroupPolicy.admin": "http", "System.BoaGroupPolicy.viewer": "http"},
            ),
        ),
    ),
    "RTSP off": (
        lambda d: d.set_network_service("RTSP", enabled=False),
        (BOTH, OK),
        (("param.cgi", None), ("param.cgi", {"action": "update", "Network.RTSP.Enabled": "no"})),
    ),
    "SSH off, by its call": (
        lambda d: d.set_switch("ssh", on=False),
        (told({"enabled": True}), told({})),
        (("ssh.cgi", {}), ("ssh.cgi", {"enabled": False})),
    ),
    "SSH off, before its call": (
        lambda d: d.set_switch("ssh", on=False),
        (MISSING, parameters("root.Network.SSH.Enabled=yes"), OK),
        (("ssh.cgi", {}), ("param.cgi", None), ("param.cgi", {"action": "update", "Network.SSH.Enabled": "no"})),
    ),
    "Bonjour on": (
        lambda d: d.set_switch("bonjour", on=True),
        (told({"enabled": False}), told({})),
        (("mdnssd.cgi", {}), ("mdnssd.cgi", {"enabled": True})),
    ),
    "FTP off": (
        lambda d: d.set_switch("ftp", on=False),
        (parameters("root.Network.FTP.Enabled=yes"), OK),
        (("param.cgi", None), ("param.cgi", {"action": "update", "Network.FTP.Enabled": "no"})),
    ),
    "SNMP without a password off, version 3 as it is": (
        lambda d: d.set_switch("snmp-v1-v2c", on=False),
        (parameters("root.SNMP.Enabled=yes", "root.SNMP.V1=yes", "root.SNMP.V2c=yes"), OK),
        (("param.cgi", None), ("param.cgi", {"action": "update", "SNMP.V1": "no", "SNMP.V2c": "no"})),
    ),
    "SNMP on": (
        lambda d: d.set_switch("snmp-v1-v2c", on=True),
        (parameters("root.SNMP.Enabled=no", "root.SNMP.V2c=no"), OK),
        (("param.cgi", None), ("param.cgi", {"action": "update", "SNMP.V2c": "yes", "SNMP.Enabled": "yes"})),
    ),
    "a syslog server, the second one kept": (
        syslog("10.0.0.9"),
        (told({"servers": SERVERS}), told({"enabled": True})),
        (
            ("remotesyslog.cgi", None),
            ("remotesyslog.cgi", {"servers": [{"address": "10.0.0.9", "port": 6514, "protocol": "TLS"}, SERVERS[1]]}),
        ),
    ),
    "another way to the same syslog server": (
        syslog("10.0.0.1"),
        (told({"servers": SERVERS}), told({"enabled": True})),
        (
            ("remotesyslog.cgi", None),
            ("remotesyslog.cgi", {"servers": [{**SERVERS[0], "port": 6514, "protocol": "TLS"}, SERVERS[1]]}),
        ),
    ),
    "a syslog server, on a camera that has to be told to use it": (
        syslog("10.0.0.9"),
        (told({}), told({}), told({})),
        (
            ("remotesyslog.cgi", None),
            ("remotesyslog.cgi", {"servers": [{"address": "10.0.0.9", "port": 6514, "protocol": "TLS"}]}),
            ("remotesyslog.cgi", None),
        ),
    ),
    "a syslog server that is not to be used yet": (
        syslog("10.0.0.2", enabled=False),
        (told({"servers": SERVERS}), told({"enabled": True}), told({})),
        (
            ("remotesyslog.cgi", None),
            ("remotesyslog.cgi", {"servers": [{"address": "10.0.0.2", "port": 6514, "protocol": "TLS"}]}),
            ("remotesyslog.cgi", None),
        ),
    ),
    "no syslog": (syslog("", enabled=False), (told({}),), (("remotesyslog.cgi", None),)),
    "no strangers": (
        lambda d: d.set_anonymous_viewer(allowed=False),
        (parameters("root.System.BoaProtViewer=anonymous"), OK),
        (("param.cgi", None), ("param.cgi", {"action": "update", "System.BoaProtViewer": "password"})),
    ),
    "a new account": (
        lambda d: d.create_account(Credential("eve", NEW), "Operator"),
        (http("<HTML><BODY>Created account eve.</BODY></HTML>"),),
        (
            (
                "pwdgrp.cgi",
                {
                    "action": "add",
                    "user": "eve",
                    "grp": "users",
                    "sgrp": "operator:viewer:ptz",
                    "comment": "",
                    "pwd": NEW.reveal(),
                },
            ),
        ),
    ),
    "a password": (
        lambda d: d.set_password("eve", NEW),
        (words("Modified account eve.\r\n"),),
        (("pwdgrp.cgi", {"action": "update", "user": "eve", "pwd": NEW.reveal()}),),
    ),
    "an account away": (
        lambda d: d.remove_account("eve"),
        (words("Removed account eve.\r\n"),),
        (("pwdgrp.cgi", {"action": "remove", "user": "eve"}),),
    ),
    "to keep its firmware": (lambda d: d.commit_firmware(), (STATUS,), (("firmwaremanagement.cgi", None),)),
    "to go back": (lambda d: d.roll_back_firmware(), (told({}),), (("firmwaremanagement.cgi", None),)),
    "to start again": (lambda d: d.reboot(), (told({}),), (("firmwaremanagement.cgi", None),)),
    "to start again, before firmwaremanagement.cgi": (
        lambda d: d.reboot(),
        (MISSING, http("<html>restarting")),
        (("firmwaremanagement.cgi", None), ("restart.cgi", {})),
    ),
    "an application to run": (
        lambda d: d.start_app("vmd"),
        (OK,),
        (("applications/control.cgi?action=start&package=vmd", {}),),
    ),
    "an application to stop": (
        lambda d: d.stop_app("a b"),
        (OK,),
        (("applications/control.cgi?action=stop&package=a+b", {}),),
    ),
    "an application away": (
        lambda d: d.remove_app("vmd"),
        (OK,),
        (("applications/control.cgi?action=remove&package=vmd", {}),),
    ),
}


def asked(request: bytes) -> Heard:
    head, _, body = request.partition(b"\r\n\r\n")
    path = head.split(b" ")[1].decode().removeprefix("/axis-cgi/")
    if body.startswith(b"{"):
        return path, json.loads(body).get("params")
    form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    return path, None if form.get("action") == "list" else form


@pytest.mark.parametrize("dribble", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(("tell", "replies", "heard"), CHANGES.values(), ids=CHANGES)
async def test_tells(tell: Told, replies: tuple[bytes, ...], heard: tuple[Heard, ...], dribble: bool) -> None:
    async with axis(*replies, dribble=dribble) as (driver, camera):
        await tell(driver)
        assert [asked(request) for request in camera.heard] == list(heard)


NOT_DONE: dict[str, tuple[Told, tuple[bytes, ...], type[DeviceError]]] = {
    "a parameter refused": (
        lambda d: d.set_switch("ftp", on=False),
        (
            parameters("root.Network.FTP.Enabled=yes"),
            words("# Error: Error setting 'root.Network.FTP.Enabled' to 'no'!"),
        ),
        Refused,
    ),
    "a parameter answered with a page": (
        lambda d: d.set_switch("ftp", on=False),
        (parameters("root.Network.FTP.Enabled=yes"), http("<html>BOOK A TABLE, OK?")),
        Garbled,
    ),
    "a switch that it does not have": (
        lambda d: d.set_switch("telnet", on=False),
        (parameters("# Error: Error -1 getting param in group 'x'"),),
        Unsupported,
    ),
    "SNMP that it does not have": (
        lambda d: d.set_switch("snmp-v1-v2c", on=False),
        (parameters("root.SNMP.Enabled=no"), MISSING, MISSING),
        Unsupported,
    ),
    "strangers that it does not know": (
        lambda d: d.set_anonymous_viewer(allowed=False),
        (parameters("# Error: Error -1 getting param in group 'x'"),),
        Unsupported,
    ),
    "RTSP that it cannot switch": (
        lambda d: d.set_network_service("RTSP", enabled=False),
        (parameters("root.HTTPS.Enabled=yes"),),
        Unsupported,
    ),
    "no way in": (
        lambda d: d.set_network_service("HTTP", enabled=False),
        (parameters("root.System.BoaGroupPolicy.admin=http"),),
        Refused,
    ),
    "HTTPS alone without a certificate": (
        lambda d: d.set_network_service("HTTP", enabled=False),
        (parameters("root.System.BoaGroupPolicy.admin=both", "root.HTTPS.Enabled=no"),),
        Refused,
    ),
    "several time servers, before ntp.cgi": (
        lambda d: d.set_clock_source(servers=["a", "b"], from_dhcp=False),
        (MISSING,),
        Unsupported,
    ),
    "a time server refused": (lambda d: d.set_clock_source(servers=["a"], from_dhcp=False), (no(4002, "a"),), Refused),
    "an account refused": (lambda d: d.set_password("eve", NEW), (words("Error: account user name."),), Refused),
    "an account answered with a page": (lambda d: d.set_password("eve", NEW), (http("<html>welcome"),), Garbled),
    "another account changed": (lambda d: d.set_password("eve", NEW), (words("Modified account evelyn."),), Garbled),
    "our own account away": (lambda d: d.remove_account("joe"), (), Refused),
    "an application refused": (lambda d: d.start_app("vmd"), (words("Error: 4"),), Refused),
    "an application answered with a page": (lambda d: d.start_app("vmd"), (http("<html>"),), Garbled),
    "a commit refused": (lambda d: d.commit_firmware(), (no(500),), Refused),
    "nothing to go back to": (lambda d: d.roll_back_firmware(), (no(404, "no inactive image"),), Refused),
    "a reboot that is cut off": (lambda d: d.reboot(), (b"",), Unreachable),
    "no backup": (lambda d: d.restore(b"x"), (), Unsupported),
}


@pytest.mark.parametrize(("tell", "replies", "error"), NOT_DONE.values(), ids=NOT_DONE)
async def test_what_is_not_done_is_said_and_not_tried_again(
    tell: Told, replies: tuple[bytes, ...], error: type[DeviceError]
) -> None:
    async with axis(*(replies or (b"",))) as (driver, camera):
        with pytest.raises(error):
            await tell(driver)
        assert len(camera.heard) == len(replies)


@pytest.mark.parametrize("reply", [WRONG, MISSING, words("Error: account user name."), http("<html>"), b""])
async def test_a_password_stands_neither_in_an_address_nor_in_an_error(reply: bytes) -> None:
    async with axis(reply) as (driver, camera):
        for tell in (driver.set_password("eve", NEW), driver.create_account(Credential("eve", NEW), "User")):
            with pytest.raises(DeviceError) as raised:
                await tell
            assert "n3w" not in str(raised.value)
        heads = b"".join(request.partition(b"\r\n\r\n")[0] for request in camera.heard)
        assert b"n3w" not in heads
        assert JOE.password.reveal().encode() not in b"".join(camera.heard)

# ruff: noqa: E501 - replies stand as they came, on one line
"""The Axis driver's questions on replies as cameras give them, good and bad; a field report becomes a row."""

from collections.abc import Awaitable, Callable

import pytest

from cameras.drivers.axis import AxisDriver
from cameras.errors import DeviceError, Garbled, LockedOut, Refused, Unauthorized, Unreachable, Unsupported
from cameras.facts import (
    Account,
    Accounts,
    AnonymousViewer,
    App,
    Apps,
    ClockSource,
    DiscoveryMode,
    FirmwareState,
    Identity,
    NetworkService,
    NetworkServices,
    Switch,
    Switches,
    SyslogTarget,
)
from tests.cameras.saying import http
from tests.cameras.saying_vapix import MISSING, WRONG, axis, no, parameters, told, words

Ask = Callable[[AxisDriver], Awaitable[object]]
P3265 = Identity("AXIS", "P3265-V", "12.11.77", "B8A44F339339", "931.11", "b8:a4:4f:33:93:39", "axis")
PROPERTIES = {
    "Architecture": "aarch64",
    "ProdNbr": "P3265-V",
    "HardwareID": "931.11",
    "ProdFullName": "AXIS P3265-V Dome Camera",
    "Version": "12.11.77",
    "Brand": "AXIS",
    "SerialNumber": "B8A44F339339",
}
READY = told({"systemready": "yes", "needsetup": "no", "uptime": "7800", "bootid": "b-1"})
APPS = (
    '<reply result="ok"><application Name="vmd" NiceName="AXIS Video Motion Detection" Vendor="Axis" Version="4.4-5" '
    'Status="Running" License="None"/><application Name="tailgate" Version="1.0" Status="Stopped"/><application Name="odd"/></reply>'
)
SYSLOG = {
    "enabled": True,
    "servers": [
        {"address": "10.92.1.29", "port": 6514, "protocol": "TLS", "syslogFormat": "RFC5424", "severity": "Warning"},
        {"address": "10.92.1.30", "port": 514, "protocol": "UDP"},
    ],
}

ANSWERS: dict[str, tuple[Ask, tuple[bytes, ...], object]] = {
    "who it is": (lambda d: d.identity(), (told({"propertyList": PROPERTIES}),), P3265),
    "who it is, fields missing": (
        lambda d: d.identity(),
        (told({"propertyList": {"Version": "12.11.77", "ProdNbr": 7}}),),
        Identity(None, None, "12.11.77", None, None, None, "axis"),
    ),
    "who it is, before basicdeviceinfo.cgi": (
        lambda d: d.identity(),
        (
            MISSING,
            parameters(
                "root.Brand.Brand=AXIS",
                "root.Brand.ProdNbr=P3265-V",
                "root.Properties.Firmware.Version=12.11.77",
                "root.Properties.System.HardwareID=931.11",
                "root.Properties.System.SerialNumber=B8A44F339339",
            ),
        ),
        P3265,
    ),
    "accounts, each with its highest role": (
        lambda d: d.accounts(),
        (
            words(
                'admin="root,joe"\r\noperator="root,joe,ann"\r\nviewer="root,joe,ann,bob"\r\nptz=\r\ndigusers="root,joe,ann,bob,eve"\r\n'
            ),
        ),
        Accounts(
            (
                Account("root", "Administrator"),
                Account("joe", "Administrator"),
                Account("ann", "Operator"),
                Account("bob", "User"),
                Account("eve", "Extended"),
            )
        ),
    ),
    "accounts of older firmware": (
        lambda d: d.accounts(),
        (words('users="ann"\nviewer="ann"\noperator=""\nadmin="root"\nptz=\n'),),
        Accounts((Account("root", "Administrator"), Account("ann", "User"))),
    ),
    "its services": (
        lambda d: d.network_services(),
        (
            parameters(
                "root.System.BoaGroupPolicy.admin=https",
                "root.System.BoaGroupPolicy.operator=https",
                "root.System.BoaGroupPolicy.viewer=both",
                "root.System.BoaPort=80",
                "HTTPS.Enabled=yes",
                "root.HTTPS.Port=443",
                "root.Network.RTSP.Enabled=no",
                "root.Network.RTSP.Port=99999",
            ),
        ),
        NetworkServices(
            (
                NetworkService("HTTP", enabled=True, ports=(80,)),
                NetworkService("HTTPS", enabled=True, ports=(443,)),
                NetworkService("RTSP", enabled=False, ports=()),
            )
        ),
    ),
    "its services, HTTPS alone": (
        lambda d: d.network_services(),
        (parameters("root.System.BoaGroupPolicy.admin=https"),),
        NetworkServices(
            (
                NetworkService("HTTP", enabled=False, ports=()),
                NetworkService("HTTPS", enabled=True, ports=()),
                NetworkService("RTSP", enabled=None, ports=()),
            )
        ),
    ),
    "time servers set by hand": (
        lambda d: d.clock_source(),
        (
            told(
                {
                    "client": {
                        "enabled": True,
                        "serversSource": "static",
                        "staticServers": ["10.0.0.1", "ntp.lan"],
                        "advertisedServers": ["x"],
                        "synced": True,
                    }
                }
            ),
        ),
        ClockSource(from_dhcp=False, servers=("10.0.0.1", "ntp.lan")),
    ),
    "time servers by DHCP": (
        lambda d: d.clock_source(),
        (
            told(
                {
                    "client": {
                        "enabled": True,
                        "serversSource": "DHCP",
                        "staticServers": ["x"],
                        "advertisedServers": ["10.0.0.17"],
                    }
                }
            ),
        ),
        ClockSource(from_dhcp=True, servers=("10.0.0.17",)),
    ),
    "time servers that are not used": (
        lambda d: d.clock_source(),
        (told({"client": {"enabled": False, "serversSource": "static", "staticServers": ["10.0.0.1"]}}),),
        ClockSource(from_dhcp=False, servers=()),
    ),
    "time servers, a client that says little": (
        lambda d: d.clock_source(),
        (told({"client": {"staticServers": "10.0.0.1"}}),),
        ClockSource(from_dhcp=None, servers=()),
    ),
    "time servers, before ntp.cgi": (
        lambda d: d.clock_source(),
        (
            MISSING,
            parameters("root.Time.SyncSource=NTP", "root.Time.ObtainFromDHCP=no", "root.Time.NTP.Server=10.0.0.1"),
        ),
        ClockSource(from_dhcp=False, servers=("10.0.0.1",)),
    ),
    "time servers, before ntp.cgi, by its own clock": (
        lambda d: d.clock_source(),
        (
            MISSING,
            parameters("root.Time.SyncSource=None", "root.Time.ObtainFromDHCP=yes", "root.Time.NTP.Server=0.0.0.0"),
        ),
        ClockSource(from_dhcp=False, servers=()),
    ),
    "whether it is to be found": (
        lambda d: d.discovery_mode(),
        (parameters("root.WebService.DiscoveryMode.Discoverable=Yes"),),
        DiscoveryMode(discoverable=True),
    ),
    "where its log goes": (
        lambda d: d.syslog_target(),
        (told(SYSLOG),),
        SyslogTarget(enabled=True, server="10.92.1.29", port=6514, protocol="tls"),
    ),
    "that its log goes nowhere": (
        lambda d: d.syslog_target(),
        (told({"enabled": False, "servers": []}),),
        SyslogTarget(enabled=False, server="", port=None, protocol=None),
    ),
    "that its log is sent, and not where": (
        lambda d: d.syslog_target(),
        (told({"enabled": True}),),
        SyslogTarget(enabled=True, server=None, port=None, protocol=None),
    ),
    "that strangers may look, by RTSP": (
        lambda d: d.anonymous_viewer(),
        (parameters("root.System.BoaProtViewer=password", "root.Network.RTSP.ProtViewer=anonymous"),),
        AnonymousViewer(allowed=True),
    ),
    "that strangers may not look": (
        lambda d: d.anonymous_viewer(),
        (parameters("root.System.BoaProtViewer=password", "root.Network.RTSP.ProtViewer=password"),),
        AnonymousViewer(allowed=False),
    ),
    "nothing of strangers to one who may not know": (
        lambda d: d.anonymous_viewer(),
        (parameters("root.System.BoaProtViewer=******"),),
        AnonymousViewer(allowed=None),
    ),
    "switches by parameters": (
        lambda d: d.switches(),
        (
            parameters(
                "# Error: Error -1 getting param in group 'Network.Telnet.Enabled'",
                "Network.FTP.Enabled=yes",
                "root.Network.SSH.Enabled=no",
                "root.Network.UPnP.Enabled=no",
                "root.Network.Bonjour.Enabled=yes",
                "root.SNMP.Enabled=yes",
                "root.SNMP.V1=no",
                "root.SNMP.V2c=yes",
            ),
            MISSING,
            no(2004, "method not supported"),
        ),
        Switches(
            (
                Switch("ftp", True),
                Switch("ssh", False),
                Switch("upnp", False),
                Switch("bonjour", True),
                Switch("snmp-v1-v2c", True),
            )
        ),
    ),
    "switches by calls": (
        lambda d: d.switches(),
        (
            parameters(
                "# Error: Error -1 getting param in group 'Network.Telnet.Enabled'",
                "root.SNMP.Enabled=no",
                "root.SNMP.V1=yes",
            ),
            told({"enabled": True}),
            told({"enabled": False, "friendlyName": "x"}),
        ),
        Switches((Switch("ssh", True), Switch("bonjour", False), Switch("snmp-v1-v2c", False))),
    ),
    "switches, one of which it does not tell": (
        lambda d: d.switches(),
        (parameters("root.Network.UPnP.Enabled=yes"), no(1000, "internal"), MISSING, MISSING, MISSING),
        Switches((Switch("ssh", None), Switch("upnp", True))),
    ),
    "a firmware that stays": (
        lambda d: d.firmware_state(),
        (told({"activeFirmwareVersion": "12.11.77", "activeFirmwarePart": "10001"}), READY),
        FirmwareState("12.11.77", committed=True, previous=None, rollback_in_s=None, boot_id="b-1"),
    ),
    "a firmware on trial": (
        lambda d: d.firmware_state(),
        (
            told(
                {
                    "activeFirmwareVersion": "12.11.77",
                    "inactiveFirmwareVersion": "11.11.181",
                    "isCommited": False,
                    "pendingCommit": "started",
                    "timeToRollback": 540,
                }
            ),
            READY,
        ),
        FirmwareState("12.11.77", committed=False, previous="11.11.181", rollback_in_s=540.0, boot_id="b-1"),
    ),
    "a firmware, though it does not tell of its boots": (
        lambda d: d.firmware_state(),
        (told({"activeFirmwareVersion": "9.40"}), http("<html>starting")),
        FirmwareState("9.40", committed=True, previous=None, rollback_in_s=None, boot_id=None),
    ),
    "a firmware of which it says little": (
        lambda d: d.firmware_state(),
        (
            told({"activeFirmwareVersion": "9.40", "inactiveFirmwareVersion": "UNKNOWN", "timeToRollback": "soon"}),
            MISSING,
        ),
        FirmwareState("9.40", committed=None, previous=None, rollback_in_s=None, boot_id=None),
    ),
    "its applications": (
        lambda d: d.apps(),
        (http(APPS),),
        Apps(
            (
                App("vmd", "AXIS Video Motion Detection", "4.4-5", running=True),
                App("tailgate", None, "1.0", running=False),
                App("odd", None, None, running=None),
            )
        ),
    ),
    "that it has no applications": (lambda d: d.apps(), (http('<reply result="ok"/>'),), Apps(())),
    "a picture": (
        lambda d: d.snapshot("http://10.0.0.9/axis-cgi/jpg/image.cgi"),
        (http(b"\xff\xd8\xff\xe0"),),
        b"\xff\xd8\xff\xe0",
    ),
    "where it keeps accounts": (lambda d: d.account_stores(), (), ("web",)),
}


@pytest.mark.parametrize("dribble", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(("ask", "replies", "expected"), ANSWERS.values(), ids=ANSWERS)
async def test_reads(ask: Ask, replies: tuple[bytes, ...], expected: object, dribble: bool) -> None:
    async with axis(*(replies or (b"",)), dribble=dribble) as (driver, camera):
        assert await ask(driver) == expected
        assert len(camera.heard) == len(replies)


JSON: Ask = lambda d: d.syslog_target()  # noqa: E731 - rows name what they ask
WORDS: Ask = lambda d: d.accounts()  # noqa: E731
PARAMETERS: Ask = lambda d: d.anonymous_viewer()  # noqa: E731
XML: Ask = lambda d: d.apps()  # noqa: E731
EVERY_KIND = {"JSON": JSON, "words": WORDS, "parameters": PARAMETERS, "XML": XML}
FAILURES: dict[str, tuple[bytes | None, type[DeviceError]]] = {
    "a wrong password": (WRONG, Unauthorized),
    "too few rights": (http("<html>403", "403 Forbidden"), Refused),
    "old firmware": (MISSING, Unsupported),
    "a lock-out": (http("The account is locked", "403 Forbidden"), LockedOut),
    "a server in trouble": (http("oops", "500 Internal Server Error"), Refused),
    "a login page": (http("<html><body>Please log in</body></html>"), Garbled),
    "nothing": (http(""), Garbled),
    "cut off half-way": (http("x" * 99)[:-20], Unreachable),
    "a hang-up": (b"", Unreachable),
    "silence": (None, Unreachable),
}


@pytest.mark.parametrize(("reply", "error"), FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("ask", EVERY_KIND.values(), ids=EVERY_KIND)
async def test_names_the_failure(ask: Ask, reply: bytes | None, error: type[DeviceError]) -> None:
    async with axis(reply) as (driver, _):
        with pytest.raises(error):
            await ask(driver)


SHAPES: dict[str, tuple[Ask, bytes, type[DeviceError]]] = {
    "a refusal inside HTTP 200": (JSON, no(2001, "forbidden"), Refused),
    "a version that it does not speak": (JSON, no(2003), Unsupported),
    "a method that it does not know": (JSON, no(2004), Unsupported),
    "a method that it does not know, by firmware's numbers": (lambda d: d.firmware_state(), no(405), Unsupported),
    "busy": (lambda d: d.firmware_state(), no(423, "busy"), Refused),
    "a list for an object": (JSON, http("[]"), Garbled),
    "a list for data": (JSON, told([]), Garbled),
    "an object that is no answer": (JSON, http('{"ok": true}'), Garbled),
    "JSON without an end": (JSON, http("[" * 100_000), Garbled),
    "nothing of syslog": (JSON, told({}), Garbled),
    "servers that are none": (JSON, told({"servers": ["10.0.0.1"]}), Garbled),
    "no properties": (lambda d: d.identity(), told({}), Garbled),
    "no time client": (lambda d: d.clock_source(), told({}), Garbled),
    "no firmware": (lambda d: d.firmware_state(), told({}), Garbled),
    "a switch that does not say": (lambda d: d.set_switch("ssh", on=False), told({}), Garbled),
    "an error in words": (WORDS, words("Error: consult the system log file.\r\n"), Refused),
    "an error in words, in HTML": (WORDS, http("<html><body>Error: account user name.</body></html>"), Refused),
    "words without groups": (WORDS, words("hello"), Garbled),
    "an error among parameters": (PARAMETERS, words("# Error: no access\r\n"), Refused),
    "parameters that it does not have": (
        PARAMETERS,
        words("# Error: Error -1 getting param in group 'System'"),
        Unsupported,
    ),
    "applications, refused in words": (XML, words("Error: 10"), Refused),
    "applications, refused in XML": (XML, http('<reply result="error"/>'), Refused),
    "applications in other XML": (XML, http("<applications/>"), Garbled),
    "applications with entities": (
        XML,
        http('<!DOCTYPE reply [<!ENTITY a "b">]><reply result="ok">&a;</reply>'),
        Garbled,
    ),
    "no picture": (lambda d: d.snapshot("http://x/axis-cgi/jpg/image.cgi"), http("<html>"), Garbled),
}


@pytest.mark.parametrize(("ask", "reply", "error"), SHAPES.values(), ids=SHAPES)
async def test_names_the_failure_in_the_answer(ask: Ask, reply: bytes, error: type[DeviceError]) -> None:
    async with axis(reply) as (driver, _):
        with pytest.raises(error):
            await ask(driver)

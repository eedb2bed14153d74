"""The Hanwha driver's questions on replies as cameras give them, good and bad; a field report becomes a row."""

import json
from collections.abc import Awaitable, Callable

import pytest

from cameras.drivers.hanwha import HanwhaDriver
from cameras.errors import DeviceError, Garbled, LockedOut, Refused, Unauthorized, Unreachable, Unsupported
from cameras.facts import (
    Account,
    Accounts,
    AnonymousViewer,
    App,
    Apps,
    Certificate,
    Certificates,
    ClockSource,
    DeviceLog,
    FirmwareState,
    Identity,
    IpFilter,
    NetworkService,
    NetworkServices,
    Switch,
    Switches,
)
from tests.cameras.saying import http
from tests.cameras.saying_sunapi import (
    BUSY,
    COLUMNS,
    INFO,
    LABEL,
    MISSING,
    NO_SUBMENU,
    REALM,
    WAITED,
    WRONG,
    hanwha,
    ng,
    pairs,
)

Ask = Callable[[HanwhaDriver], Awaitable[object]]
SSL = pairs(
    "Policy=HTTPandHTTPSProprietary",
    "PublicCertificateInstalled=False",
    "CertificateInUse=HTW_default",
    "Certificate.1.CertificateName=HTW_default",
    "Certificate.1.Type=Unique",
    "Certificate.1.Subject=/C=KR/O=Hanwha Vision/OU=Security Device/CN=000918AABB0C.hanwhavision.com",
    "Certificate.1.Issuer=/C=KR/O=Hanwha Vision/CN=Hanwha Vision Private Root CA 2",
    "Certificate.1.ExpiryDate=Nov 24 10:05:06 2050 GMT",
    "Certificate.2.CertificateName=test",
    "Certificate.2.ExpiryDate=soon",
)
PORTS = pairs("FixedPorts=3702,49152", "UsedPorts=", "HTTPPort=80", "HTTPSPort=443", "RTSPPort=554", "RTSPTimeout=60s")
ROWS = {"SystemLog": [{"Date": "2026-07-02 10:00:00", "Type": "Reboot", "Description": "Started"}, "odd"]}
LOGINS = {"AccessLog": [{"Date": "2026-07-01 09:00:00", "Type": "LoginFail", "Description": "admin(10.0.0.66)"}]}

ANSWERS: dict[str, tuple[Ask, tuple[bytes, ...], object]] = {
    "who it is": (
        lambda d: d.identity(),
        (INFO, LABEL),
        Identity(
            "Hanwha Vision",
            "QNO-6082R",
            "1.41.18_20231115_R455",
            "ZNZ870GRA00001F",
            None,
            "00:09:18:aa:bb:0c",
            "hanwha",
        ),
    ),
    "who it is, under another label": (
        lambda d: d.identity(),
        (INFO, http('{"Initialized": true, "Manufacturer": "Northlight\\u001b"}')),
        Identity(
            "Northlight\ufffd",
            "QNO-6082R",
            "1.41.18_20231115_R455",
            "ZNZ870GRA00001F",
            None,
            "00:09:18:aa:bb:0c",
            "hanwha",
        ),
    ),
    "who it is, before its setup could be asked for": (
        lambda d: d.identity(),
        (pairs("Model=SND-6011R"), MISSING),
        Identity(None, "SND-6011R", None, None, None, None, "hanwha"),
    ),
    "accounts, by the names of the columns": (
        lambda d: d.accounts(),
        (
            pairs(
                COLUMNS,
                "Users.0=admin//True/True/True/True/True/True/True/True",
                "Users.1=joe//True/True/True/True/True/True/True/True",
                "Users.2=ann//True/True/True/False/False/False/False/False",
                "Users.3=bob//True/True/False/True/False/False/False/False",
                "Users.4=user4//False/False/False/False/False/False/False/False",
            ),
        ),
        Accounts(
            (
                Account("admin", "Administrator"),
                Account("joe", "Administrator"),
                Account("ann", "Operator"),
                Account("bob", "User"),
            )
        ),
    ),
    "accounts of firmware with other columns": (
        lambda d: d.accounts(),
        (
            pairs(
                '"Users.Index=UserID/Password/Enable/VideoProfileAccess/AudioInAccess/ImageSettingAccess"',
                "Users.0=admin//True/True/True/True",
                "Users.10=eve//true/True/True/True",
                "Users.2=bob//True/True/False/False",
            ),
        ),
        Accounts((Account("admin", "Administrator"), Account("bob", "User"), Account("eve", "Operator"))),
    ),
    "its services": (
        lambda d: d.network_services(),
        (PORTS, SSL),
        NetworkServices(
            (
                NetworkService("HTTP", enabled=True, ports=(80,)),
                NetworkService("HTTPS", enabled=True, ports=(443,)),
                NetworkService("RTSP", enabled=None, ports=(554,)),
            )
        ),
    ),
    "its services, HTTPS alone, a port that is none": (
        lambda d: d.network_services(),
        (pairs("HTTPPort=99999", "HTTPSPort=8443"), pairs("Policy=HTTPSPublic")),
        NetworkServices(
            (
                NetworkService("HTTP", enabled=False, ports=()),
                NetworkService("HTTPS", enabled=True, ports=(8443,)),
                NetworkService("RTSP", enabled=None, ports=()),
            )
        ),
    ),
    "time servers": (
        lambda d: d.clock_source(),
        (pairs("LocalTime=2026-07-16 11:32:15", "SyncType=NTP", "NTPURLList=10.0.0.1, ntp.lan"),),
        ClockSource(from_dhcp=False, servers=("10.0.0.1", "ntp.lan")),
    ),
    "time servers that are not used": (
        lambda d: d.clock_source(),
        (pairs("SyncType=Manual", "NTPURLList=pool.ntp.org"),),
        ClockSource(from_dhcp=False, servers=()),
    ),
    "switches": (
        lambda d: d.switches(),
        (
            pairs("InterfaceName=Network1", "Enable=True", "FriendlyName=x"),
            pairs("Network1.Enable=False"),
            pairs("Version1=False", "Version2=True", "Version3=False", "ReadCommunity=public"),
        ),
        Switches((Switch("upnp", True), Switch("bonjour", False), Switch("snmp-v1-v2c", True))),
    ),
    "switches, one of which it lacks and one of which it does not tell": (
        lambda d: d.switches(),
        (NO_SUBMENU, ng(605, "Internal"), pairs("Version3=True")),
        Switches((Switch("bonjour", None),)),
    ),
    "switches, without SNMP": (lambda d: d.switches(), (MISSING, MISSING, MISSING), Switches(())),
    "that guests may look": (
        lambda d: d.anonymous_viewer(),
        (pairs("Enable=True"), pairs("RTSPAuthentication=Protected")),
        AnonymousViewer(allowed=True),
    ),
    "that nobody may look": (
        lambda d: d.anonymous_viewer(),
        (pairs("Enable=False"), pairs("RTSPAuthentication=Protected")),
        AnonymousViewer(allowed=False),
    ),
    "that guests may not look, and nothing of streams": (
        lambda d: d.anonymous_viewer(),
        (pairs("Enable=False"), pairs("Other=1")),
        AnonymousViewer(allowed=None),
    ),
    "whom it lets in": (
        lambda d: d.ip_filter(),
        (
            pairs(
                '"ipfilter.IPType.IPIndex=Address/Mask/Enable"',
                "AccessType=Allow",
                "ipfilter.IPv4.1=10.0.0.0/24/True",
                "ipfilter.IPv4.2=10.0.9.9/32/False",
                "ipfilter.IPv6.1=2001:1:1:1:1:1:1:1/128/True",
            ),
        ),
        IpFilter("allow", ("10.0.0.0/24", "2001:1:1:1:1:1:1:1/128")),
    ),
    "that it filters nothing": (
        lambda d: d.ip_filter(),
        (pairs("AccessType=Deny", "ipfilter.IPv4.1=192.168.75.135/32/False"),),
        IpFilter("off", ()),
    ),
    "its certificates": (
        lambda d: d.certificates(),
        (SSL,),
        Certificates(
            (
                Certificate(
                    "HTW_default",
                    "/C=KR/O=Hanwha Vision/OU=Security Device/CN=000918AABB0C.hanwhavision.com",
                    "/C=KR/O=Hanwha Vision/CN=Hanwha Vision Private Root CA 2",
                    "2050-11-24T10:05:06+00:00",
                    serves=True,
                ),
                Certificate("test", None, None, None, serves=False),
            )
        ),
    ),
    "its logs in JSON, oldest first": (
        lambda d: d.log(),
        (http(json.dumps(ROWS)), http(json.dumps(LOGINS))),
        DeviceLog(("2026-07-01 09:00:00 LoginFail admin(10.0.0.66)", "2026-07-02 10:00:00 Reboot Started")),
    ),
    "its log in words, the other is missing": (
        lambda d: d.log(),
        (pairs("2026-07-02 10:00:00 Reboot", ""), NO_SUBMENU),
        DeviceLog(("2026-07-02 10:00:00 Reboot",)),
    ),
    "that its logs are empty": (
        lambda d: d.log(),
        (
            ng(612, "Configuration Not Found"),
            http('{"Response": "Fail", "Error": {"Details": "Configuration Not Found"}}'),
        ),
        DeviceLog(()),
    ),
    "a firmware": (
        lambda d: d.firmware_state(),
        (INFO,),
        FirmwareState("1.41.18_20231115_R455", committed=None, previous=None, rollback_in_s=None, boot_id=None),
    ),
    "its applications": (
        lambda d: d.apps(),
        (
            pairs(
                "InstalledApps=2",
                "ANPR.InstalledDate=2014-01-29T15:00:00Z",
                "ANPR.Verion=1.0",
                "ANPR.Status=Stopped",
                "Tail.gate.Status=Running",
                "Tail.gate.Version=2.1",
            ),
        ),
        Apps((App("ANPR", None, "1.0", running=False), App("Tail.gate", None, "2.1", running=True))),
    ),
    "that it has no applications": (lambda d: d.apps(), (pairs("InstalledApps=0"),), Apps(())),
    "a picture": (
        lambda d: d.snapshot("http://10.0.0.9/stw-cgi/video.cgi?msubmenu=snapshot&action=view"),
        (http(b"\xff\xd8\xff\xe0"),),
        b"\xff\xd8\xff\xe0",
    ),
    "a backup": (lambda d: d.backup(), (http(b"\x00\x01NG"),), b"\x00\x01NG"),
    "where it keeps accounts": (lambda d: d.account_stores(), (), ("web",)),
}


@pytest.mark.parametrize("dribble", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(("ask", "replies", "expected"), ANSWERS.values(), ids=ANSWERS)
async def test_reads(ask: Ask, replies: tuple[bytes, ...], expected: object, dribble: bool) -> None:
    async with hanwha(*(replies or (b"",)), dribble=dribble) as (driver, camera):
        assert await ask(driver) == expected
        assert len(camera.heard) == len(replies)


EVERY_KIND: dict[str, Ask] = {
    "lines": lambda d: d.accounts(),
    "JSON": lambda d: d.log(),
    "OK": lambda d: d.reboot(),
}
FAILURES: dict[str, tuple[bytes | None, type[DeviceError]]] = {
    "a wrong password": (WRONG, Unauthorized),
    "too few rights": (http("", "405 Method Not Allowed"), Refused),
    "not set up any more": (http("", "403 Forbidden"), Refused),
    "old firmware": (MISSING, Unsupported),
    "a submenu that it lacks": (NO_SUBMENU, Unsupported),
    "an action that it lacks": (ng(601, "Action Not Found"), Unsupported),
    "a parameter that it does not take": (ng(602, "Invalid Parameter(s)"), Refused),
    "a refusal by another number": (ng(699, "Not supported"), Unsupported),
    "a refusal without a number": (pairs("NG"), Refused),
    "a lock-out": (http("Account Blocked", "490 "), LockedOut),
    "a lock-out in other words": (http("account is locked", "401 Unauthorized", REALM), LockedOut),
    "a server in trouble": (http("oops", "500 Internal Server Error"), Refused),
    "cut off half-way": (http("x" * 99)[:-20], Unreachable),
    "a hang-up": (b"", Unreachable),
    "silence": (None, Unreachable),
}


@pytest.mark.parametrize(("reply", "error"), FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("ask", EVERY_KIND.values(), ids=EVERY_KIND)
async def test_names_the_failure(ask: Ask, reply: bytes | None, error: type[DeviceError]) -> None:
    async with hanwha(reply) as (driver, _):
        with pytest.raises(error):
            await ask(driver)


LINES: Ask = lambda d: d.accounts()  # noqa: E731 - rows name what they ask
SHAPES: dict[str, tuple[Ask, bytes, type[DeviceError]]] = {
    "a login page": (LINES, http("<html lang=en><body>Please log in</body></html>"), Garbled),
    "nothing": (LINES, http(""), Garbled),
    "no accounts": (LINES, pairs("Users.Index=UserID/Password/Enable"), Garbled),
    "columns that are none": (LINES, pairs("Users.Index=a/b", "Users.0=admin//True"), Garbled),
    "a row that is too short": (LINES, pairs("Users.0=admin"), Garbled),
    "a refusal in JSON": (LINES, http('{"Response": "Fail", "Error": {"Code": 601, "Details": "x"}}'), Unsupported),
    "a refusal in JSON that says nothing": (LINES, http('{"Response": "Fail", "Error": 7}'), Refused),
    "JSON that was not asked for": (LINES, http('{"Users": []}'), Garbled),
    "JSON without an end": (LINES, http("{" * 100_000), Garbled),
    "another charset": (LINES, http(b"\xff\xfe\x00U"), Garbled),
    "no model": (lambda d: d.identity(), pairs("Other=1"), Garbled),
    "no policy": (lambda d: d.certificates(), pairs("Other=1"), Garbled),
    "an access that is none": (lambda d: d.ip_filter(), pairs("AccessType=Perhaps"), Garbled),
    "no number of applications": (lambda d: d.apps(), pairs("Other.Status=Running"), Garbled),
    "a log that is a page": (lambda d: d.log(), http("<html>"), Garbled),
    "a backup that is not allowed": (lambda d: d.backup(), http("", "403 Forbidden"), Refused),
    "an empty backup": (lambda d: d.backup(), http(""), Garbled),
    "a backup that was refused": (lambda d: d.backup(), ng(604, "File"), Refused),
    "a restart that was not said yes to": (lambda d: d.reboot(), http("perhaps"), Garbled),
    "no picture": (lambda d: d.snapshot("/stw-cgi/video.cgi"), http("<html>"), Garbled),
    "a picture of ONVIF, which is off": (lambda d: d.snapshot("/onvif-http/snapshot"), http("x"), Unsupported),
    "switches of no submenu": (lambda d: d.set_switch("telnet", on=False), http("x"), Unsupported),
    "a lock, of which it has no word": (lambda d: d.lockout(), http("x"), Unsupported),
    "RTSP, which ONVIF alone switches": (
        lambda d: d.set_network_service("RTSP", enabled=False),
        http("x"),
        Unsupported,
    ),
}


@pytest.mark.parametrize(("ask", "reply", "error"), SHAPES.values(), ids=SHAPES)
async def test_names_what_cannot_be_read(ask: Ask, reply: bytes, error: type[DeviceError]) -> None:
    async with hanwha(reply) as (driver, _):
        with pytest.raises(error):
            await ask(driver)


# --- 490 -------------------------------------------------------------------------------------------------------------


async def test_a_busy_camera_is_waited_for() -> None:
    async with hanwha(BUSY, BUSY, INFO) as (driver, camera):
        assert (await driver.firmware_state()).version == "1.41.18_20231115_R455"
        assert (len(camera.heard), WAITED) == (3, [0.5, 1.0])


async def test_a_camera_that_stays_busy_is_left_alone_after_a_few_tries() -> None:
    async with hanwha(BUSY) as (driver, camera):
        with pytest.raises(Refused, match="too many"):
            await driver.firmware_state()
        assert (len(camera.heard), WAITED) == (4, [0.5, 1.0, 2.0])


async def test_a_login_that_was_not_proved_is_never_repeated_for_490() -> None:
    async with hanwha(BUSY, INFO, proven=False) as (driver, camera):
        with pytest.raises(LockedOut):
            await driver.firmware_state()
        assert (len(camera.heard), WAITED) == (1, [])

"""The Dahua driver's questions on replies as cameras give them, good and bad; a field report becomes a row."""

from collections.abc import Awaitable, Callable

import pytest

from cameras.drivers.dahua import DahuaDriver
from cameras.errors import DeviceError, Garbled, LockedOut, Refused, Unauthorized, Unreachable, Unsupported
from cameras.facts import (
    Account,
    Accounts,
    ClockSource,
    DeviceLog,
    FirmwareState,
    Identity,
    IpFilter,
    Lockout,
    NetworkService,
    NetworkServices,
    Switch,
    Switches,
)
from tests.cameras.saying import http
from tests.cameras.saying_dahua import BAD, BAD_200, DENIED, OK, REALM, WRONG, dahua, lines, table

Ask = Callable[[DahuaDriver], Awaitable[object]]
MISSING = http("<html>404", "404 Not Found")
SYSTEM = lines(
    "appAutoStart=true",
    "deviceType=IPC-HFW5442E-ZE",
    "hardwareVersion=1.00",
    "processor=SSC339G",
    "serialNumber=6L0F2BAPAG00001",
    "updateSerial=IPC-HFW5442E-ZE",
)
SOFTWARE = lines("version=2.840.0000000.18.R,build:2023-06-06")
NETWORK = table(
    "Network.DefaultInterface=eth2",
    "Network.eth0.PhysicalAddress=00:00:00:00:00:01",
    "Network.eth2.PhysicalAddress=3C-EF-8C-AB-CD-EF",
)
IPC = Identity(
    "Dahua",
    "IPC-HFW5442E-ZE",
    "2.840.0000000.18.R, Build Date 2023-06-06",
    "6L0F2BAPAG00001",
    "1.00",
    "3c:ef:8c:ab:cd:ef",
    "dahua",
)
USERS = lines(
    "users[0].AuthorityList[0]=AuthUserMag",
    "users[0].AuthorityList[1]=Monitor_01",
    "users[0].Group=admin",
    "users[0].Name=admin",
    "users[0].Reserved=true",
    "users[1].AuthorityList[0]=Monitor_01",
    "users[1].AuthorityList[1]=Replay_01",
    "users[1].Group=user",
    "users[1].Name=viewer",
    "users[2].AuthorityList[0]=AuthPTZ",
    "users[2].Group=user",
    "users[2].Name=desk",
    "users[3].Group=night shift",
    "users[3].Name=jürgen",
)

ANSWERS: dict[str, tuple[Ask, tuple[bytes, ...], object]] = {
    "who it is": (lambda d: d.identity(), (SYSTEM, SOFTWARE, lines("vendor=Dahua"), NETWORK), IPC),
    "who it is, of another label": (
        lambda d: d.identity(),
        (SYSTEM, SOFTWARE, lines("vendor=Amcrest"), BAD),
        Identity("Amcrest", IPC.model, IPC.firmware, IPC.serial, IPC.hardware, None, "dahua"),
    ),
    "who it is, by the older call, and little of it": (
        lambda d: d.identity(),
        (BAD, lines("type=IPC-HDB4100"), lines("version=2.400.0000.28.R, build: 2016-07-20"), BAD_200, DENIED),
        Identity(None, "IPC-HDB4100", "2.400.0000.28.R, Build Date 2016-07-20", None, None, None, "dahua"),
    ),
    "accounts, operators by their rights": (
        lambda d: d.accounts(),
        (USERS,),
        Accounts(
            (
                Account("admin", "Administrator"),
                Account("viewer", "User"),
                Account("desk", "Operator"),
                Account("jürgen", "Extended"),
            )
        ),
    ),
    "accounts of firmware that lists no rights": (
        lambda d: d.accounts(),
        (lines("users[0].Name=admin", "users[0].Group=admin", "users[1].Name=ann", "users[1].Group=user"),),
        Accounts((Account("admin", "Administrator"), Account("ann", "User"))),
    ),
    "accounts in another charset": (
        lambda d: d.accounts(),
        (http(b"users[0].Name=j\xfcrgen\r\nusers[0].Group=admin\r\n"),),
        Accounts((Account("j\ufffdrgen", "Administrator"),)),
    ),
    "its services, without ONVIF": (
        lambda d: d.network_services(),
        (
            table("RTSP.Enable=true", "RTSP.Port=554", "RTSP.RTP.StartPort=20000"),
            table("Https.Enable=false", "Https.Port=443"),
            table("Web.Port=80"),
        ),
        NetworkServices(
            (
                NetworkService("HTTP", enabled=True, ports=(80,)),
                NetworkService("HTTPS", enabled=False, ports=(443,)),
                NetworkService("RTSP", enabled=True, ports=(554,)),
            )
        ),
    ),
    "its services, without ONVIF, as a recorder tells them": (
        lambda d: d.network_services(),
        (table("RTSP.Enable=false", "RTSP.Port=99999"), DENIED, DENIED),
        NetworkServices((NetworkService("RTSP", enabled=False, ports=()),)),
    ),
    "its time servers, without ONVIF": (
        lambda d: d.clock_source(),
        (
            table(
                "NTP.Address=time.windows.com",
                "NTP.Enable=true",
                "NTP.Port=123",
                "NTP.ServerList[0].Address=time.windows.com",
                "NTP.ServerList[0].Enable=true",
                "NTP.ServerList[1].Address=pool.ntp.org",
                "NTP.ServerList[1].Enable=false",
                "NTP.ServerList[2].Address=10.0.0.9",
                "NTP.ServerList[3].Address=",
                "NTP.TimeZone=25",
            ),
        ),
        ClockSource(from_dhcp=False, servers=("time.windows.com", "10.0.0.9")),
    ),
    "a time server that is not used, without ONVIF": (
        lambda d: d.clock_source(),
        (table("NTP.Address=time.windows.com", "NTP.Enable=false"),),
        ClockSource(from_dhcp=False, servers=()),
    ),
    "switches": (
        lambda d: d.switches(),
        (
            table("Telnet.Enable=true"),
            BAD,
            table("UPnP.Enable=false", "UPnP.MapTable[0].Enable=true"),
            DENIED,
            table("SNMP.Enable=true", "SNMP.V1Enable=false", "SNMP.V2Enable=true", "SNMP.ReadCommon=public"),
        ),
        Switches((Switch("telnet", True), Switch("upnp", False), Switch("snmp-v1-v2c", True))),
    ),
    "switches that it does not tell": (
        lambda d: d.switches(),
        (
            table("Telnet.Enable=perhaps"),
            http("<html>"),
            http("Error\r\nBusy!\r\n"),
            table("Bonjour.ServiceName=x"),
            table("SNMP.Enable=false"),
        ),
        Switches((Switch("telnet", None), Switch("ssh", None), Switch("upnp", None), Switch("snmp-v1-v2c", False))),
    ),
    "SNMP by version 3 alone": (
        lambda d: d.switches(),
        (
            BAD,
            BAD,
            BAD,
            BAD,
            table("SNMP.Enable=true", "SNMP.V1Enable=false", "SNMP.V2Enable=false", "SNMP.V3Enable=true"),
        ),
        Switches((Switch("snmp-v1-v2c", False),)),
    ),
    "what wrong passwords lead to": (
        lambda d: d.lockout(),
        (
            table(
                "General.LocalNo=8",
                "General.LockLoginEnable=true",
                "General.LockLoginTimes=5",
                "General.LoginFailLockTime=1800",
                "General.MachineName=Cam4",
            ),
        ),
        Lockout(enabled=True, tries=5, lock_s=1800.0),
    ),
    "that it does not lock": (
        lambda d: d.lockout(),
        (table("General.LockLoginEnable=false", "General.LockLoginTimes=many"),),
        Lockout(enabled=False, tries=None, lock_s=None),
    ),
    "whom it lets in": (
        lambda d: d.ip_filter(),
        (
            table(
                "AccessFilter.BannedList[0]=10.0.0.66",
                "AccessFilter.Enable=true",
                "AccessFilter.TrustList[0]=10.0.0.5",
                "AccessFilter.TrustList[1]=10.0.0.6",
                "AccessFilter.Type=TrustList",
            ),
        ),
        IpFilter(mode="allow", addresses=("10.0.0.5", "10.0.0.6")),
    ),
    "whom it keeps out": (
        lambda d: d.ip_filter(),
        (table("AccessFilter.BannedList[0]=10.0.0.66", "AccessFilter.Enable=true", "AccessFilter.Type=BannedList"),),
        IpFilter(mode="deny", addresses=("10.0.0.66",)),
    ),
    "that it lets everybody in": (
        lambda d: d.ip_filter(),
        (table("AccessFilter.Enable=false", "AccessFilter.TrustList[0]=10.0.0.5"),),
        IpFilter(mode="off", addresses=()),
    ),
    "its log, newest first and the day before the month": (
        lambda d: d.log(),
        (
            lines("token=7", "count=2"),
            lines(
                "found=2",
                "items[0].Detail=from 10.0.0.5",
                "second line of it",
                "items[0].Time=14-07-2026 10:00:00",
                "items[0].Type=User logged in.",
                "items[0].User=admin",
                "items[1].Time=2026-7-1 09:00:00",
                "items[1].Type=System start",
            ),
            OK,
        ),
        DeviceLog(("2026-07-01 09:00:00 System start", "2026-07-14 10:00:00 admin User logged in. from 10.0.0.5")),
    ),
    "that its log is empty": (lambda d: d.log(), (lines("token=7"), lines("found=0"), BAD), DeviceLog(())),
    "its firmware": (
        lambda d: d.firmware_state(),
        (SOFTWARE,),
        FirmwareState(
            "2.840.0000000.18.R, Build Date 2023-06-06", committed=None, previous=None, rollback_in_s=None, boot_id=None
        ),
    ),
    "its firmware in other words": (
        lambda d: d.firmware_state(),
        (lines("version=V4.001"),),
        FirmwareState("V4.001", committed=None, previous=None, rollback_in_s=None, boot_id=None),
    ),
    "a picture": (
        lambda d: d.snapshot("http://10.0.0.9/cgi-bin/snapshot.cgi?channel=1"),
        (http(b"\xff\xd8\xff\xe0"),),
        b"\xff\xd8\xff\xe0",
    ),
    "where it keeps accounts": (lambda d: d.account_stores(), (), ("web",)),
}


@pytest.mark.parametrize("dribble", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(("ask", "replies", "expected"), ANSWERS.values(), ids=ANSWERS)
async def test_reads(ask: Ask, replies: tuple[bytes, ...], expected: object, dribble: bool) -> None:
    async with dahua(*(replies or (b"",)), dribble=dribble) as (driver, camera):
        assert await ask(driver) == expected
        assert len(camera.heard) == len(replies)


LINES: Ask = lambda d: d.accounts()  # noqa: E731 - rows name what they ask
TABLE: Ask = lambda d: d.lockout()  # noqa: E731
EVERY_KIND = {"lines": LINES, "a table": TABLE}
FAILURES: dict[str, tuple[bytes | None, type[DeviceError]]] = {
    "a wrong password": (WRONG, Unauthorized),
    "a wrong password, counted aloud": (
        http("Error\r\nInvalid username or password! You still have 3 attempt(s).\r\n", "401 Unauthorized", REALM),
        LockedOut,
    ),
    "the same under HTTP 200": (
        http("Error\r\nInvalid username or password! You still have 3 attempt(s).\r\n"),
        LockedOut,
    ),
    "a lock-out": (http("The account is locked", "403 Forbidden"), LockedOut),
    "a no": (BAD, Unsupported),
    "a no under HTTP 200": (BAD_200, Unsupported),
    "a no in one word": (http("Error"), Unsupported),
    "a no for a reason": (http("Error: Busy!", "400 Bad Request"), Refused),
    "what newer firmware says to what it does not know": (DENIED, Unsupported),
    "what it has not": (http("Error\r\nNot Implemented!\r\n", "501 Not Implemented"), Unsupported),
    "too few rights": (http("<html>403", "403 Forbidden"), Refused),
    "no such page": (MISSING, Unsupported),
    "a server in trouble": (http("oops", "500 Internal Server Error"), Refused),
    "a login page": (http("<html><body>Please log in</body></html>"), Garbled),
    "a yes to a question": (OK, Garbled),
    "nothing": (http(""), Garbled),
    "lines without an end": (http("a=b\n" * 5000), Garbled),
    "cut off half-way": (http("x" * 99)[:-20], Unreachable),
    "a hang-up": (b"", Unreachable),
    "silence": (None, Unreachable),
}


@pytest.mark.parametrize(("reply", "error"), FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("ask", EVERY_KIND.values(), ids=EVERY_KIND)
async def test_names_the_failure(ask: Ask, reply: bytes | None, error: type[DeviceError]) -> None:
    async with dahua(reply) as (driver, _):
        with pytest.raises(error):
            await ask(driver)


SHAPES: dict[str, tuple[Ask, tuple[bytes, ...], type[DeviceError]]] = {
    "no account": (LINES, (lines("found=0"),), Garbled),
    "no version": (lambda d: d.firmware_state(), (lines("build=2023-06-06"),), Garbled),
    "a table that speaks of other things": (TABLE, (table("General.MachineName=x"),), Unsupported),
    "a filter that is neither on nor off": (
        lambda d: d.ip_filter(),
        (table("AccessFilter.Type=TrustList"),),
        Garbled,
    ),
    "a search without a number": (lambda d: d.log(), (lines("token=x&action=reboot"),), Garbled),
    "no services at all": (lambda d: d.network_services(), (BAD,), Unsupported),
    "no log": (lambda d: d.log(), (BAD,), Unsupported),
    "a page for a picture": (
        lambda d: d.snapshot("http://x/cgi-bin/snapshot.cgi?channel=1"),
        (http("<html>"),),
        Garbled,
    ),
    "a picture by ONVIF, which is off": (lambda d: d.snapshot("http://x/onvifsnapshot/a"), (OK,), Unsupported),
    "applications, which it does not list": (lambda d: d.apps(), (OK,), Unsupported),
    "syslog, for which no word is known": (lambda d: d.syslog_target(), (OK,), Unsupported),
}


@pytest.mark.parametrize(("ask", "replies", "error"), SHAPES.values(), ids=SHAPES)
async def test_names_the_failure_in_the_answer(ask: Ask, replies: tuple[bytes, ...], error: type[DeviceError]) -> None:
    async with dahua(*replies) as (driver, _):
        with pytest.raises(error):
            await ask(driver)


async def test_a_log_without_an_end_is_read_so_far_and_no_further() -> None:
    page = lines(*(f"items[{n}].Time=2026-07-01 00:00:{n % 60:02}" for n in range(100)))
    async with dahua(lines("token=1"), page) as (driver, camera):
        assert len((await driver.log()).lines) == 200
        assert len(camera.heard) == 1 + 20 + 1

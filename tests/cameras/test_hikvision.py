"""The Hikvision driver's questions on replies as cameras give them, good and bad; a field report becomes a row."""

from collections.abc import Awaitable, Callable

import pytest

from cameras.drivers.hikvision import HikvisionDriver
from cameras.facts import (
    Account,
    Accounts,
    App,
    Apps,
    Certificate,
    Certificates,
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
    SyslogTarget,
)
from tests.cameras.saying import http
from tests.cameras.saying_isapi import (
    ISAPI_ORG,
    LOW_PRIVILEGE,
    MISSING,
    NOT_SUPPORTED,
    doc,
    hikvision,
    users,
)

Ask = Callable[[HikvisionDriver], Awaitable[object]]
INFO = (
    "<deviceName>IP CAMERA</deviceName><model>DS-2CD2143G2-I</model>"
    "<serialNumber>DS-2CD2143G2-I20220112AAWRJ00000001</serialNumber><macAddress>bc:ba:c2:00:00:01</macAddress>"
    "<firmwareVersion>V5.7.3</firmwareVersion><firmwareReleasedDate>build 220112</firmwareReleasedDate>"
    "<hardwareVersion>0x0</hardwareVersion>"
)
SERIAL = "DS-2CD2143G2-I20220112AAWRJ00000001"
WHO = Identity("HIKVISION", "DS-2CD2143G2-I", "V5.7.3 build 220112", SERIAL, "0x0", "bc:ba:c2:00:00:01", "hikvision")
NTP = doc(
    "Time", "<timeMode>NTP</timeMode><localTime>2026-04-20T14:30:00+08:00</localTime><timeZone>CST-8:00:00</timeZone>"
)
BY_HAND = doc("Time", "<timeMode>manual</timeMode><localTime>2026-04-20T14:30:00</localTime>")


def access(number: int, protocol: str, port: object, enabled: str = "") -> str:
    on = f"<enabled>{enabled}</enabled>" if enabled else ""
    inside = f"<id>{number}</id>{on}<protocol>{protocol}</protocol><portNo>{port}</portNo>"
    return f"<AdminAccessProtocol>{inside}</AdminAccessProtocol>"


def server(number: int, kind: str, host: str) -> str:
    inside = f"<id>{number}</id><addressingFormatType>{kind}</addressingFormatType>{host}<portNo>123</portNo>"
    return f"<NTPServer>{inside}</NTPServer>"


def entry(metadata: str, when: str) -> str:
    inside = (
        f"<metaId>log.hikvision.com/{metadata}</metaId><StartDateTime>{when}</StartDateTime><userName>admin</userName>"
    )
    return f"<searchMatchItem><logDescriptor>{inside}</logDescriptor></searchMatchItem>"


def found(status: str, *entries: str) -> bytes:
    head = f"<responseStatus>true</responseStatus><responseStatusStrg>{status}</responseStatusStrg>"
    return doc("CMSearchResult", f"{head}<matchList>{''.join(entries)}</matchList>")


def masked(address: str) -> str:
    return f"<IPFilterAddress><id>1</id><AddressMask><ipAddress>{address}</ipAddress></AddressMask></IPFilterAddress>"


def version(name: str, on: str) -> str:
    return f"<{name}><enabled>{on}</enabled></{name}>"


ANSWERS: dict[str, tuple[Ask, tuple[bytes, ...], object]] = {
    "who it is": (
        lambda d: d.identity(),
        (doc("DeviceInfo", f"{INFO}<manufacturer>HIKVISION</manufacturer>"),),
        WHO,
    ),
    "who it is, under another label": (
        lambda d: d.identity(),
        (doc("DeviceInfo", "<model>X-1</model><manufacturer>Northern Eye</manufacturer>", namespace=ISAPI_ORG),),
        Identity("Northern Eye", "X-1", None, None, None, None, "hikvision"),
    ),
    "who it is, though it names nobody and has no ONVIF": (
        lambda d: d.identity(),
        (doc("DeviceInfo", "<model>X-1</model>", namespace=""), NOT_SUPPORTED),
        Identity(None, "X-1", None, None, None, None, "hikvision"),
    ),
    "its firmware, the build written twice": (
        lambda d: d.firmware_state(),
        (
            doc(
                "DeviceInfo",
                "<firmwareVersion>V5.7.15 build 230313</firmwareVersion>"
                "<firmwareReleasedDate>build 230313</firmwareReleasedDate>",
            ),
        ),
        FirmwareState("V5.7.15 build 230313", committed=None, previous=None, rollback_in_s=None, boot_id=None),
    ),
    "its firmware, no build": (
        lambda d: d.firmware_state(),
        (doc("DeviceInfo", "<firmwareVersion>V5.7.15</firmwareVersion><firmwareReleasedDate/>"),),
        FirmwareState("V5.7.15", committed=None, previous=None, rollback_in_s=None, boot_id=None),
    ),
    "accounts": (
        lambda d: d.accounts(),
        (users(("admin", "Administrator"), ("ann", "Operator"), ("bob", "Viewer"), ("eve", "Installer")),),
        Accounts(
            (
                Account("admin", "Administrator"),
                Account("ann", "Operator"),
                Account("bob", "User"),
                Account("eve", "Extended"),
            )
        ),
    ),
    "its services": (
        lambda d: d.network_services(),
        (
            doc(
                "AdminAccessProtocolList",
                access(1, "HTTP", 80, "true")
                + access(2, "DEV_MANAGE", 8000)
                + access(3, "RTSP", 99999)
                + access(4, "HTTPS", 443, "false"),
            ),
        ),
        NetworkServices(
            (
                NetworkService("HTTP", enabled=True, ports=(80,)),
                NetworkService("HTTPS", enabled=False, ports=(443,)),
                NetworkService("RTSP", enabled=None, ports=()),
            )
        ),
    ),
    "time servers": (
        lambda d: d.clock_source(),
        (
            NTP,
            doc(
                "NTPServerList",
                server(1, "hostname", "<hostName>ntp.lan</hostName><ipAddress>0.0.0.0</ipAddress>")
                + server(2, "ipaddress", "<ipAddress>10.0.0.1</ipAddress>")
                + server(3, "ipaddress", "<ipAddress>0.0.0.0</ipAddress>"),
            ),
            MISSING,
        ),
        ClockSource(from_dhcp=False, servers=("ntp.lan", "10.0.0.1")),
    ),
    "time servers that are not used": (
        lambda d: d.clock_source(),
        (BY_HAND, doc("NTPServerList", server(1, "ipaddress", "<ipAddress>10.0.0.1</ipAddress>"))),
        ClockSource(from_dhcp=False, servers=()),
    ),
    "where its log goes": (
        lambda d: d.syslog_target(),
        (
            doc(
                "LogServer",
                "<enabled>true</enabled><addressingFormatType>ipaddress</addressingFormatType>"
                "<ipAddress>10.0.0.2</ipAddress><portNo>6514</portNo><transmissionEncryption>true</transmissionEncryption>",
            ),
        ),
        SyslogTarget(enabled=True, server="10.0.0.2", port=6514, protocol="tls"),
    ),
    "where its log goes, and not how": (
        lambda d: d.syslog_target(),
        (doc("LogServer", "<enabled>true</enabled><ipAddress>10.0.0.2</ipAddress><portNo>514</portNo>"),),
        SyslogTarget(enabled=True, server="10.0.0.2", port=514, protocol=None),
    ),
    "that its log goes nowhere": (
        lambda d: d.syslog_target(),
        (doc("LogServer", "<enabled>false</enabled><ipAddress>0.0.0.0</ipAddress><portNo>514</portNo>"),),
        SyslogTarget(enabled=False, server="", port=514, protocol=None),
    ),
    "its lock": (
        lambda d: d.lockout(),
        (
            doc(
                "IllegalLoginLock",
                "<enabled>true</enabled><maxIllegalLoginTimes>5</maxIllegalLoginTimes>"
                "<maxIllegalLoginLockTime>1800</maxIllegalLoginLockTime>",
            ),
        ),
        Lockout(enabled=True, tries=5, lock_s=1800.0),
    ),
    "its lock, without numbers": (
        lambda d: d.lockout(),
        (doc("IllegalLoginLock", "<enabled>false</enabled>"),),
        Lockout(enabled=False, tries=None, lock_s=None),
    ),
    "whom it lets in": (
        lambda d: d.ip_filter(),
        (
            doc(
                "IPFilter",
                "<enabled>true</enabled><permissionType>allow</permissionType>"
                f"<IPFilterAddressList>{masked('10.0.0.1')}</IPFilterAddressList>",
            ),
        ),
        IpFilter(mode="allow", addresses=("10.0.0.1",)),
    ),
    "whom it keeps out, as older firmware writes it": (
        lambda d: d.ip_filter(),
        (
            doc(
                "IPFilter",
                "<enabled>true</enabled><permissionType>deny</permissionType><IPFilterAddressList><IPFilterAddress>"
                "<ipAddress>10.0.0.1</ipAddress></IPFilterAddress></IPFilterAddressList>",
            ),
        ),
        IpFilter(mode="deny", addresses=("10.0.0.1",)),
    ),
    "that it lets everybody in": (
        lambda d: d.ip_filter(),
        (doc("IPFilter", "<enabled>false</enabled><permissionType>deny</permissionType>"),),
        IpFilter(mode="off", addresses=()),
    ),
    "its certificates": (
        lambda d: d.certificates(),
        (
            http(
                '{"CertificateInfo": [{"customID": "a", "subjectDN": "cam", "issuerDN": "CA", "type": "HTTPS", '
                '"endDate": "2027-01-02T03:04:05+08:00"}, {"customID": "b", "endDate": "2025-11-0507: 59: 59"}]}'
            ),
        ),
        Certificates(
            (
                Certificate("a", "cam", "CA", "2027-01-01T19:04:05+00:00", serves=True),
                Certificate("b", None, None, None, serves=None),
            )
        ),
    ),
    "its log, oldest first": (
        lambda d: d.log(),
        (
            NTP,
            found("MORE", entry("Operation/remoteLogin", "2026-04-20T14:20:00Z")),
            found("OK", entry("Exception/illAccess", "2026-04-20T14:10:00Z")),
            found("NO MATCHES"),
        ),
        DeviceLog(
            (
                "2026-04-20T14:10:00Z Exception/illAccess admin",
                "2026-04-20T14:20:00Z Operation/remoteLogin admin",
            )
        ),
    ),
    "switches": (
        lambda d: d.switches(),
        (
            MISSING,
            doc("SSH", "<enabled>true</enabled>"),
            doc("UPnP", "<enabled>false</enabled><name>x</name>"),
            LOW_PRIVILEGE,
            doc("SNMP", version("SNMPv1c", "false") + version("SNMPv2c", "true") + version("SNMPAdvanced", "false")),
        ),
        Switches((Switch("ssh", True), Switch("upnp", False), Switch("bonjour", None), Switch("snmp-v1-v2c", True))),
    ),
    "switches, of which it has few": (
        lambda d: d.switches(),
        (NOT_SUPPORTED, NOT_SUPPORTED, MISSING, MISSING, doc("SNMP", version("SNMPAdvanced", "true"))),
        Switches((Switch("snmp-v1-v2c", None),)),
    ),
    "its applications": (
        lambda d: d.apps(),
        (
            doc(
                "AppList",
                "<App><id>1</id><packageName>Face Capture</packageName><runStatus>true</runStatus></App>"
                "<App><id>2</id></App>",
            ),
        ),
        Apps((App("1", "Face Capture", None, running=True), App("2", None, None, running=None))),
    ),
    "a picture at ONVIF's address": (
        lambda d: d.snapshot("http://10.0.0.9/onvif-http/snapshot?Profile_2"),
        (http(b"\xff\xd8\xff\xe0"),),
        b"\xff\xd8\xff\xe0",
    ),
    "its configuration": (lambda d: d.backup(), (http(b"\x00\x01conf"),), b"\x00\x01conf"),
    "where it keeps accounts": (lambda d: d.account_stores(), (NOT_SUPPORTED,), ("web",)),
    "that ONVIF does not list us": (lambda d: d.account_stores(), (users(("admin", "Administrator")),), ("web",)),
}


@pytest.mark.parametrize("dribble", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(("ask", "replies", "expected"), ANSWERS.values(), ids=ANSWERS)
async def test_reads(ask: Ask, replies: tuple[bytes, ...], expected: object, dribble: bool) -> None:
    async with hikvision(*replies, dribble=dribble) as (driver, camera):
        assert await ask(driver) == expected
        assert len(camera.heard) == len(replies)

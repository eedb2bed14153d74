# ruff: noqa: E501 - replies stand as they came, on one line
"""What a camera is told over ONVIF, and what becomes of its answers."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from cameras.drivers.onvif import OnvifDriver
from cameras.errors import DeviceError, Garbled, LockedOut, Refused, Unauthorized, Unreachable, Unsupported
from cameras.facts import FirmwareState, SyslogTarget
from cameras.secret import Credential, Secret
from tests.cameras.saying import http, saying
from tests.cameras.saying_soap import CHALLENGE, DENIED, DEVICE, JOE, fault, session_to, soap_reply, to, users

NEW = Secret("n3w-pässword & <more>")
CLOCK = (
    "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>Manual</tt:DateTimeType>"
    "<tt:DaylightSavings>true</tt:DaylightSavings><tt:TimeZone><tt:TZ>CET-1CEST</tt:TZ></tt:TimeZone>"
    "</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
)
PROTOCOLS = (
    "<tds:GetNetworkProtocolsResponse><tds:NetworkProtocols><tt:Name>RTSP</tt:Name><tt:Enabled>true</tt:Enabled>"
    "<tt:Port>554</tt:Port><tt:Port>8554</tt:Port></tds:NetworkProtocols></tds:GetNetworkProtocolsResponse>"
)
REBOOTING = soap_reply("<tds:SystemRebootResponse><tds:Message>in 30 s</tds:Message></tds:SystemRebootResponse>")


def done(operation: str) -> bytes:
    return soap_reply(f"<tds:{operation}Response/>")


Told = Callable[[OnvifDriver], Awaitable[None]]
CHANGES: dict[str, tuple[Told, tuple[bytes, ...], tuple[str, ...]]] = {
    "the time servers come before the clock is told to follow them": (
        lambda d: d.set_clock_source(servers=["10.0.0.1", "fd00::1", "ntp.lan"], from_dhcp=False),
        (done("SetNTP"), soap_reply(CLOCK), done("SetSystemDateAndTime")),
        (
            "<FromDHCP>false</FromDHCP><NTPManual><Type>IPv4</Type><IPv4Address>10.0.0.1</IPv4Address></NTPManual><NTPManual><Type>IPv6</Type><IPv6Address>fd00::1</IPv6Address></NTPManual><NTPManual><Type>DNS</Type><DNSname>ntp.lan</DNSname></NTPManual>",
            "<GetSystemDateAndTime",
            "<DateTimeType>NTP</DateTimeType><DaylightSavings>true</DaylightSavings><TimeZone><TZ>CET-1CEST</TZ></TimeZone>",
        ),
    ),
    "time servers by DHCP": (
        lambda d: d.set_clock_source(servers=(), from_dhcp=True),
        (done("SetNTP"), soap_reply(CLOCK), done("SetSystemDateAndTime")),
        ("<FromDHCP>true</FromDHCP>", "<GetSystemDateAndTime", "<DateTimeType>NTP</DateTimeType>"),
    ),
    "no time server at all leaves the clock alone": (
        lambda d: d.set_clock_source(servers=(), from_dhcp=False),
        (done("SetNTP"),),
        ("<FromDHCP>false</FromDHCP>",),
    ),
    "not to be found": (
        lambda d: d.set_discovery_mode(discoverable=False),
        (done("SetDiscoveryMode"),),
        ("<DiscoveryMode>NonDiscoverable</DiscoveryMode>",),
    ),
    "to be found": (
        lambda d: d.set_discovery_mode(discoverable=True),
        (done("SetDiscoveryMode"),),
        ("<DiscoveryMode>Discoverable</DiscoveryMode>",),
    ),
    "a service off, its ports as they are": (
        lambda d: d.set_network_service("RTSP", enabled=False),
        (soap_reply(PROTOCOLS), done("SetNetworkProtocols")),
        ("<GetNetworkProtocols", "<Name>RTSP</Name><Enabled>false</Enabled><Port>554</Port><Port>8554</Port>"),
    ),
    "a new account": (
        lambda d: d.create_account(Credential("eve", NEW), "Administrator"),
        (done("CreateUsers"),),
        (
            "<Username>eve</Username><Password>n3w-pässword &amp; &lt;more&gt;</Password><UserLevel>Administrator</UserLevel>",
        ),
    ),
    "a password, and the level that the account has": (
        lambda d: d.set_password("b", NEW),
        (soap_reply(users("a", "b")), done("SetUser")),
        ("<GetUsers", "<Username>b</Username><Password>n3w-pässword &amp; &lt;more&gt;</Password><UserLevel>Operator<"),
    ),
    "an account away": (
        lambda d: d.remove_account("eve"),
        (done("DeleteUsers"),),
        ("<Username>eve</Username>",),
    ),
    "to start again": (lambda d: d.reboot(), (REBOOTING,), ("<SystemReboot",)),
}


def said(request: bytes) -> str:
    """The request's body, its elements without namespaces."""
    body = request.partition(b"\r\n\r\n")[2].decode()
    return re.sub(r' xmlns:[\w.-]+="[^"]*"', "", re.sub(r"(</?)[\w.-]+:", r"\1", body))


@pytest.mark.parametrize("dribble", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(("tell", "replies", "heard"), CHANGES.values(), ids=CHANGES)
async def test_tells(tell: Told, replies: tuple[bytes, ...], heard: tuple[str, ...], dribble: bool) -> None:
    async with saying(*replies, dribble=dribble) as camera, to(camera) as device:
        await tell(OnvifDriver(session_to(camera, device)))
    assert len(camera.heard) == len(heard)
    for request, words in zip(camera.heard, heard, strict=True):
        assert words in said(request)


CANNOT: dict[str, Told] = {
    "switch telnet": lambda d: d.set_switch("telnet", on=False),
    "send its log": lambda d: d.set_syslog_target(
        SyslogTarget(enabled=True, server="10.0.0.1", port=514, protocol="udp")
    ),
    "hide from strangers": lambda d: d.set_anonymous_viewer(allowed=False),
    "keep a firmware": lambda d: d.commit_firmware(),
    "go back": lambda d: d.roll_back_firmware(),
    "lock out": lambda d: d.set_lockout(tries=5, lock_s=600),
    "promise to go back by itself": lambda d: d.upload_firmware(Path("/nowhere"), rollback_after_s=600),
}
CANNOT_SAY: dict[str, Callable[[OnvifDriver], Awaitable[object]]] = {
    "switches": lambda d: d.switches(),
    "its syslog target": lambda d: d.syslog_target(),
    "anonymous viewers": lambda d: d.anonymous_viewer(),
    "what wrong passwords lead to": lambda d: d.lockout(),
}


@pytest.mark.parametrize("ask", [*CANNOT.values(), *CANNOT_SAY.values()], ids=[*CANNOT, *CANNOT_SAY])
async def test_what_onvif_has_no_word_for_is_unsupported_and_nothing_is_sent(
    ask: Callable[[OnvifDriver], Awaitable[object]],
) -> None:
    async with saying(b"") as camera, to(camera) as device:
        with pytest.raises(Unsupported):
            await ask(OnvifDriver(session_to(camera, device)))
        assert camera.heard == []


FAILURES: dict[str, tuple[bytes | None, type[DeviceError]]] = {
    "wants a login": (DENIED, Unauthorized),
    "wants a login by Digest": (CHALLENGE, Unauthorized),
    "is locked": (fault("Sender", "ter:NotAuthorized", "The device is locked because of"), LockedOut),
    "has no such function": (
        fault("Receiver", "ter:ActionNotSupported", "Optional Action Not Implemented"),
        Unsupported,
    ),
    "has no such page": (http("", "404 Not Found"), Unsupported),
    "says no": (fault("Sender", "ter:OperationProhibited", "Too weak password.", "200 OK"), Refused),
    "answers with a page": (http("<html><br>welcome"), Garbled),
    "answers something else": (done("GetUsers"), Garbled),
    "cut off half-way": (done("SetDiscoveryMode")[:-20], Unreachable),
    "hangs up without a word": (b"", Unreachable),
    "is silent": (None, Unreachable),
}


@pytest.mark.parametrize(("reply", "error"), FAILURES.values(), ids=FAILURES)
async def test_names_the_failure_of_a_change(reply: bytes | None, error: type[DeviceError]) -> None:
    async with saying(reply) as camera, to(camera) as device:
        with pytest.raises(error):
            await OnvifDriver(session_to(camera, device)).set_discovery_mode(discoverable=False)


async def test_a_change_is_not_sent_again_after_a_hang_up() -> None:
    async with saying(CHALLENGE, CHALLENGE, soap_reply(DEVICE), b"") as camera, to(camera) as device:
        session = session_to(camera, device)
        await session.try_anonymously()
        await session.log_in(JOE)
        before = len(camera.heard)
        with pytest.raises(Unreachable):
            await OnvifDriver(session).reboot()
        assert len(camera.heard) == before + 1


async def test_a_password_for_an_account_that_is_not_there_is_refused() -> None:
    async with saying(soap_reply(users("a"))) as camera, to(camera) as device:
        with pytest.raises(Refused):
            await OnvifDriver(session_to(camera, device)).set_password("b", NEW)
        assert len(camera.heard) == 1


async def test_a_service_that_the_camera_does_not_list_is_unsupported() -> None:
    async with saying(soap_reply(PROTOCOLS)) as camera, to(camera) as device:
        with pytest.raises(Unsupported):
            await OnvifDriver(session_to(camera, device)).set_network_service("HTTPS", enabled=True)
        assert len(camera.heard) == 1


async def test_says_what_firmware_runs_and_no_more() -> None:
    async with saying(soap_reply(DEVICE)) as camera, to(camera) as device:
        state = await OnvifDriver(session_to(camera, device)).firmware_state()
        assert state == FirmwareState("12.11.77", committed=None, previous=None, rollback_in_s=None, boot_id=None)


@pytest.mark.parametrize("reply", [DENIED, b"", fault("Sender", "ter:X", "no")])
async def test_a_password_stands_neither_in_an_address_nor_in_an_error(reply: bytes) -> None:
    async with saying(reply) as camera, to(camera) as device:
        with pytest.raises(DeviceError) as raised:
            await OnvifDriver(session_to(camera, device)).create_account(Credential("eve", NEW), "User")
        assert "n3w" not in str(raised.value)
        assert b"n3w" not in camera.heard[0].partition(b"\r\n\r\n")[0]


async def test_the_answer_that_proved_the_login_is_old_after_a_change() -> None:
    replies = (
        soap_reply(DEVICE),
        CHALLENGE,
        soap_reply(users("joe")),
        done("CreateUsers"),
        soap_reply(users("joe", "eve")),
    )
    async with saying(*replies) as camera, to(camera) as device:
        session = session_to(camera, device)
        await session.try_anonymously()
        await session.log_in(JOE)
        driver = OnvifDriver(session)
        await driver.create_account(Credential("eve", NEW), "User")
        assert [account.name for account in (await driver.accounts()).users] == ["joe", "eve"]

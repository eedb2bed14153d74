"""Raw SOAP in, a changed camera out: every ONVIF operation that writes, who may, and what is refused."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

import httpx
import pytest

from simulator.onvif_writes import WRITES
from simulator.plan import Account, CameraPlan, ExtraPort
from tests.simulator.asking import ask, digest_of
from tests.simulator.changing import changeable, is_open, until, until_port, write

DATE = (
    "<tds:UTCDateTime><tt:Time><tt:Hour>12</tt:Hour><tt:Minute>{minute}</tt:Minute><tt:Second>0</tt:Second></tt:Time>"
    "<tt:Date><tt:Year>2020</tt:Year><tt:Month>2</tt:Month><tt:Day>29</tt:Day></tt:Date></tds:UTCDateTime>"
)


def elements(**fields: str) -> str:
    return "".join(f"<tds:{name}>{value}</tds:{name}>" for name, value in fields.items())


def ntp(from_dhcp: str, *servers: tuple[str, str, str]) -> str:
    manual = "".join(
        f'<tds:NTPManual xmlns:tt="http://www.onvif.org/ver10/schema"><tt:Type>{kind}</tt:Type>'
        f"<tt:{field}>{value}</tt:{field}></tds:NTPManual>"
        for kind, field, value in servers
    )
    return f"<tds:FromDHCP>{from_dhcp}</tds:FromDHCP>{manual}"


def clock(kind: str, *, zone: str = "UTC0", date: str = "") -> str:
    return (
        f"<tds:DateTimeType>{kind}</tds:DateTimeType><tds:DaylightSavings>false</tds:DaylightSavings>"
        f'<tds:TimeZone><TZ xmlns="http://www.onvif.org/ver10/schema">{zone}</TZ></tds:TimeZone>'
        + date.replace("<tds:UTCDateTime>", '<tds:UTCDateTime xmlns:tt="http://www.onvif.org/ver10/schema">')
    )


def protocol(name: str, enabled: str, port: int | None = None) -> str:
    said = f"<Name>{name}</Name><Enabled>{enabled}</Enabled>" + (f"<Port>{port}</Port>" if port else "")
    return f"<tds:NetworkProtocols>{said}</tds:NetworkProtocols>"


def user(name: str, password: str | None, level: str = "Operator") -> str:
    secret = "" if password is None else f"<Password>{password}</Password>"
    return f"<tds:User><Username>{name}</Username>{secret}<UserLevel>{level}</UserLevel></tds:User>"


DNS = ("DNS", "DNSname", "time.example.org")
CHANGES: dict[str, tuple[str, str, Callable[[CameraPlan], object], object]] = {
    "time servers by hand": ("SetNTP", ntp("false", DNS), lambda p: p.ntp_servers, ("time.example.org",)),
    "time servers by DHCP": ("SetNTP", ntp("true"), lambda p: p.ntp_from_dhcp, True),
    "no time server": ("SetNTP", ntp("false"), lambda p: p.ntp_servers, ()),
    "the clock by hand": (
        "SetSystemDateAndTime",
        clock("Manual", date=DATE.format(minute=0)),
        lambda p: (p.clock_source, p.clock_offset_s < -(10**8), p.timezone),
        ("Manual", True, "UTC0"),
    ),
    "the clock by NTP": ("SetSystemDateAndTime", clock("NTP"), lambda p: p.clock_source, "NTP"),
    "discoverable": (
        "SetDiscoveryMode",
        elements(DiscoveryMode="Discoverable"),
        lambda p: p.discoverable,
        True,
    ),
    "RTSP off": ("SetNetworkProtocols", protocol("RTSP", "false"), lambda p: p.rtsp_on, False),
    "HTTP on another port": ("SetNetworkProtocols", protocol("HTTP", "true", 8081), lambda p: p.http_port, 8081),
    "a new account": (
        "CreateUsers",
        user("guard", "Correct-horse-7"),
        lambda p: p.accounts[-1],
        Account("guard", "Correct-horse-7", "Operator"),
    ),
    "another password": (
        "SetUser",
        user("viewer", "Correct-horse-8", "User"),
        lambda p: [a.password for a in p.accounts if a.name == "viewer"],
        ["Correct-horse-8"],
    ),
    "another level and the same password": (
        "SetUser",
        user("viewer", None, "Operator"),
        lambda p: [(a.role, len(a.password)) for a in p.accounts if a.name == "viewer"],
        [("Operator", 16)],
    ),
    "an account less": (
        "DeleteUsers",
        elements(Username="viewer"),
        lambda p: [a.name for a in p.accounts],
        ["admin", "camwarden"],
    ),
}


@pytest.mark.parametrize(("operation", "inside", "field", "value"), CHANGES.values(), ids=CHANGES)
async def test_a_change_is_made_and_answered(
    operation: str, inside: str, field: Callable[[CameraPlan], object], value: object
) -> None:
    async with changeable() as (_, camera, http):
        reply = await write(http, camera.plan, operation, inside)
        assert reply.status_code == 200, reply.text
        assert f"{operation}Response" in reply.text
        assert field(camera.plan) == value


REFUSALS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "an address that is none": ("SetNTP", ntp("false", ("IPv4", "IPv4Address", "300.1.1.1")), ("InvalidIPv4Address",)),
    "a name that is none": ("SetNTP", ntp("false", ("DNS", "DNSname", "a b")), ("InvalidArgVal", "InvalidDnsName")),
    "no answer to DHCP": ("SetNTP", "", ("InvalidArgs",)),
    "a time zone that is none": ("SetSystemDateAndTime", clock("NTP", zone="?"), ("InvalidTimeZone",)),
    "a minute that is none": (
        "SetSystemDateAndTime",
        clock("Manual", date=DATE.format(minute=61)),
        ("InvalidDateTime",),
    ),
    "a mode that is none": ("SetDiscoveryMode", elements(DiscoveryMode="Shy"), ("InvalidArgVal",)),
    "an unknown service": ("SetNetworkProtocols", protocol("GOPHER", "true"), ("ServiceNotSupported",)),
    "a port that is taken": ("SetNetworkProtocols", protocol("HTTP", "true", 8554), ("PortAlreadyInUse",)),
    "both web servers off": (
        "SetNetworkProtocols",
        protocol("HTTP", "false") + protocol("HTTPS", "false"),
        ("ServiceNotSupported",),
    ),
    "a name that exists": ("CreateUsers", user("viewer", "Correct-horse-7"), ("OperationProhibited", "UsernameClash")),
    "a weak password": ("CreateUsers", user("guard", "short"), ("OperationProhibited", "PasswordTooWeak")),
    "a long password": ("CreateUsers", user("guard", "Aa1-" * 5), ("OperationProhibited", "PasswordTooLong")),
    "a long name": ("CreateUsers", user("g" * 33, "Correct-horse-7"), ("UsernameTooLong",)),
    "too many": (
        "CreateUsers",
        "".join(user(f"guard{n}", "Correct-horse-7") for n in range(20)),
        ("Action", "TooManyUsers"),
    ),
    "a level that is none": ("CreateUsers", user("guard", "Correct-horse-7", "Emperor"), ("InvalidArgVal",)),
    "a stranger": ("SetUser", user("nobody", "Correct-horse-7"), ("InvalidArgVal", "UsernameMissing")),
    "the vendor's own account down": ("SetUser", user("admin", None, "User"), ("InvalidArgVal", "FixedUser")),
    "the vendor's own account away": ("DeleteUsers", elements(Username="admin"), ("InvalidArgVal", "FixedUser")),
    "a stranger away": ("DeleteUsers", elements(Username="nobody"), ("InvalidArgVal", "UsernameMissing")),
}


@pytest.mark.parametrize(("operation", "inside", "codes"), REFUSALS.values(), ids=REFUSALS)
async def test_a_refusal_names_its_codes_and_changes_nothing(
    operation: str, inside: str, codes: tuple[str, ...]
) -> None:
    async with changeable() as (_, camera, http):
        before = camera.plan
        reply = await write(http, before, operation, inside)
        assert reply.status_code >= 400
        for code in codes:
            assert f"ter:{code}<" in reply.text
        assert camera.plan == before


async def test_ntp_needs_a_server_first() -> None:
    async with changeable(faults={"ntp-not-configured": 1}) as (_, camera, http):
        assert "ter:NtpServerUndefined" in (await write(http, camera.plan, "SetSystemDateAndTime", clock("NTP"))).text
        await write(http, camera.plan, "SetNTP", ntp("false", DNS))
        assert (await write(http, camera.plan, "SetSystemDateAndTime", clock("NTP"))).status_code == 200


@pytest.mark.parametrize("operation", WRITES)
@pytest.mark.parametrize("role", ["Operator", "User"])
async def test_only_an_administrator_may(operation: str, role: str) -> None:
    async with changeable() as (_, camera, http):
        accounts = tuple(replace(a, role=role) if a.name == "camwarden" else a for a in camera.plan.accounts)  # type: ignore[arg-type]
        camera.become(replace(camera.plan, accounts=accounts))
        before = camera.plan
        reply = await write(http, before, operation)
        assert "ter:NotAuthorized" in reply.text
        assert reply.status_code != 401, "the password was right"
        assert camera.plan == before
        assert camera.guard.wrong_tries == {}


@pytest.mark.parametrize("faults", [None, {"anonymous-onvif": 1}], ids=["a closed camera", "one open to questions"])
@pytest.mark.parametrize("operation", WRITES)
async def test_nobody_without_a_login_may(operation: str, faults: Mapping[str, int] | None) -> None:
    async with changeable(faults=faults) as (_, camera, http):
        reply = await ask(http, camera.plan, f"tds:{operation}")
        assert reply.status_code == 401
        assert camera.boots == 1


async def test_the_first_account_ends_the_factory_default_state() -> None:
    async with changeable(faults={"factory-default": 1}) as (_, camera, http):
        first = user("admin", "Correct-horse-7", "Administrator")
        assert (await ask(http, camera.plan, "tds:CreateUsers", inside=first)).status_code == 200
        assert (await ask(http, camera.plan, "tds:GetUsers")).status_code == 401
        reply = await ask(http, camera.plan, "tds:GetUsers", auth=httpx.DigestAuth("admin", "Correct-horse-7"))
        assert "<tt:Username>admin<" in reply.text


async def test_a_service_that_is_switched_off_stops_listening_and_comes_back() -> None:
    async with changeable() as (running, camera, http):
        plan = camera.plan
        reply = await write(http, plan, "SetNetworkProtocols", protocol("HTTP", "false"))
        assert reply.status_code == 200, "the camera says yes before it closes the door"
        await until_port(plan.address, 8080, opened=False)
        assert camera.plan.scheme == "https"
        assert await is_open(plan.address, 8443)
        await write(http, camera.plan, "SetNetworkProtocols", protocol("HTTP", "true"))
        await until_port(plan.address, 8080, opened=True)
        assert running.problems == []


async def test_a_restart_refuses_connections_for_a_while_and_keeps_the_lock_count() -> None:
    async with changeable() as (_, camera, http):
        plan = camera.plan
        await ask(http, plan, "tds:GetUsers", auth=httpx.DigestAuth("admin", "guess"))
        before = camera.boot_id
        camera.become(replace(plan, reboot_s=0.2))
        assert "<tds:Message>" in (await write(http, plan, "SystemReboot")).text
        await until_port(plan.address, 8080, opened=False)
        assert not await is_open(plan.address, 8554)
        await until(lambda: camera.awake)
        await until_port(plan.address, 8080, opened=True)
        assert camera.boot_id != before
        assert camera.guard.wrong_tries == {"admin": 1}
        assert (await ask(http, plan, "tds:GetUsers", auth=digest_of(plan))).status_code == 200


async def test_a_change_in_the_last_moment_leaves_no_door_open() -> None:
    async with changeable() as (running, camera, _):
        camera.become(replace(camera.plan, extra_ports=(ExtraPort(2323, "telnet"),)))
    await asyncio.sleep(0)
    assert not await is_open(camera.plan.address, 2323)
    assert running.problems == []

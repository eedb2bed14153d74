"""What guards an Axis camera: addresses, wrong passwords, certificates, its log and SNMP, by parameters and by REST."""

import json
from collections.abc import Awaitable, Callable

import pytest

from cameras.drivers.axis import AxisDriver
from cameras.errors import DeviceError, Garbled, Refused, Unauthorized, Unsupported
from cameras.facts import Certificate, Certificates, DeviceLog, FilterTrial, IpFilter, Lockout, Switch, Switches
from simulator.tls import Authority
from tests.cameras.meeting import meet
from tests.cameras.saying import http
from tests.cameras.saying_vapix import LISTED, MISSING, WRONG, axis, parameters, rest, words

Ask = Callable[[AxisDriver], Awaitable[object]]
THROTTLING = parameters(
    "root.System.PreventDoSAttack.ActivatePasswordThrottling=Off",
    "root.System.PreventDoSAttack.DoSBlockingPeriod=10",
    "root.System.PreventDoSAttack.DoSPageCount=20",
    "root.System.PreventDoSAttack.DoSPageInterval=1",
)
NO_GROUP = parameters("# Error: Error -1 getting param in group 'x'")
NO_SNMP = parameters("root.Network.UPnP.Enabled=no", "# Error: Error -1 getting param in group 'SNMP.V1'")
PEM = Authority.new().pem.decode()
RULES = [
    {"ruleType": "FILTER", "ip": "192.168.0.14", "tcpPort": 80, "filter": {"policy": "ACCEPT"}},
    {
        "ruleType": "FILTER",
        "ip": None,
        "ipRange": {"start": "10.0.0.1", "end": "10.0.0.9"},
        "filter": {"policy": "DROP"},
    },
    {"ruleType": "FILTER", "ip": None, "mac": "00:1B:63:84:45:E6", "filter": {"policy": "DROP"}},
    {"ruleType": "LIMIT", "ip": "10.9.9.9", "limit": {"amount": 20}, "filter": {"policy": "DROP"}},
    "odd",
]
OK = words("OK")
DISCOVER = b"GET /config/discover/apis "


def firewall(*, policy: str = "ACCEPT", activated: object = True) -> bytes:
    return standing(*RULES, default=policy, activated=activated)


# What a list can stand beside, in an order that says which comes first.
KEPT = [
    {"ruleType": "LIMIT", "ip": None, "port": {"portType": "TCP", "portNum": 443}, "limit": {"amount": 20}},
    {"ruleType": "FILTER", "mac": "00:1B:63:84:45:E6", "filter": {"policy": "DROP"}},
    {"ruleType": "FILTER", "udpPort": 161, "filter": {"policy": "DROP"}},
]
OURS = {"ruleType": "FILTER", "ip": "10.0.0.5", "mac": None, "filter": {"policy": "DROP"}}


def standing(*rules: object, default: str = "ACCEPT", activated: object = True, left_s: object = 0) -> bytes:
    listed = {"activeRules": rules, "activeDefaultPolicy": default, "testTimeLeft": left_s}
    return rest({"activated": activated, "conf": {"rules": listed}})


def told_rules(*rules: object) -> bytes:
    return json.dumps({"data": {"rules": rules, "defaultPolicy": "DROP", "fallbackTime": 60}}).encode()


def allowed(*addresses: str) -> Callable[[AxisDriver], Awaitable[None]]:
    return lambda driver: driver.try_ip_filter(IpFilter("allow", addresses), back_after_s=60)


def snmp(*, enabled: bool, v1: bool, v2: bool) -> bytes:
    return rest({"enabled": enabled, "snmpV1": {"enabled": v1}, "snmpV2": {"enabled": v2}, "snmpV3": {"enabled": True}})


ANSWERS: dict[str, tuple[Ask, tuple[bytes, ...], object]] = {
    "what wrong passwords lead to": (
        lambda d: d.lockout(),
        (THROTTLING,),
        Lockout(enabled=False, tries=20, lock_s=10.0),
    ),
    "what they lead to, of which it says little": (
        lambda d: d.lockout(),
        (parameters("root.System.PreventDoSAttack.ActivatePasswordThrottling=On"),),
        Lockout(enabled=True, tries=None, lock_s=None),
    ),
    "whom its firewall keeps out": (
        lambda d: d.ip_filter(),
        (LISTED, firewall()),
        IpFilter("deny", ("10.0.0.1-10.0.0.9",)),
    ),
    "whom its firewall lets in": (
        lambda d: d.ip_filter(),
        (LISTED, firewall(policy="DROP", activated="true")),
        IpFilter("allow", ("192.168.0.14",)),
    ),
    "that its firewall is off": (lambda d: d.ip_filter(), (LISTED, firewall(activated=False)), IpFilter("off", ())),
    "whom it lets in, before the firewall": (
        lambda d: d.ip_filter(),
        (
            MISSING,
            MISSING,
            parameters(
                "root.Network.Filter.Enabled=yes",
                "root.Network.Filter.Input.Policy=allow",
                "root.Network.Filter.Input.AcceptAddresses=10.0.0.0/24 10.0.9.9",
            ),
        ),
        IpFilter("allow", ("10.0.0.0/24", "10.0.9.9")),
    ),
    "that it filters nothing, before the firewall": (
        lambda d: d.ip_filter(),
        (
            MISSING,
            MISSING,
            parameters("root.Network.Filter.Enabled=no", "root.Network.Filter.Input.AcceptAddresses=10.0.9.9"),
        ),
        IpFilter("off", ()),
    ),
    "what a list cannot stand beside": (
        lambda d: d.filter_trial(),
        (LISTED, firewall(policy="DROP")),
        FilterTrial(
            0,
            ("ACCEPT 192.168.0.14 tcpPort 80", "DROP 10.0.0.1-10.0.0.9", "a rule that is none"),
            "127.0.0.1",
        ),
    ),
    "what a list can stand beside, and a trial": (
        lambda d: d.filter_trial(),
        (LISTED, standing(*KEPT, OURS, left_s="17")),
        FilterTrial(17, (), "127.0.0.1"),
    ),
    "rules that would come into force with a firewall that is off": (
        lambda d: d.filter_trial(),
        (LISTED, standing(*KEPT[:1], OURS, activated=False)),
        FilterTrial(0, ('LIMIT port {"portType": "TCP", "portNum": 443}',), "127.0.0.1"),
    ),
    "more rules than are named": (
        lambda d: d.filter_trial(),
        (LISTED, standing(*[7] * 10)),
        FilterTrial(0, (*["a rule that is none"] * 8, "2 more"), "127.0.0.1"),
    ),
    "its log": (
        lambda d: d.log(),
        (words("\n----- Contents of SYSTEM_LOG -----\n\n2026-07-08 a\x1b[31m\n2026-07-09 b\n"),),
        DeviceLog(("2026-07-08 a\ufffd[31m", "2026-07-09 b")),
    ),
    "SNMP where its parameters are gone": (
        lambda d: d.switches(),
        (NO_SNMP, MISSING, MISSING, LISTED, snmp(enabled=True, v1=False, v2=True)),
        Switches((Switch("upnp", False), Switch("snmp-v1-v2c", True))),
    ),
    "SNMP by version 3 alone": (
        lambda d: d.switches(),
        (NO_SNMP, MISSING, MISSING, LISTED, snmp(enabled=True, v1=False, v2=False)),
        Switches((Switch("upnp", False), Switch("snmp-v1-v2c", False))),
    ),
    "SNMP that does not say": (
        lambda d: d.switches(),
        (NO_SNMP, MISSING, MISSING, LISTED, http("[]")),
        Switches((Switch("upnp", False), Switch("snmp-v1-v2c", None))),
    ),
}


@pytest.mark.parametrize("dribble", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(("ask", "replies", "expected"), ANSWERS.values(), ids=ANSWERS)
async def test_reads(ask: Ask, replies: tuple[bytes, ...], expected: object, dribble: bool) -> None:
    async with axis(*replies, dribble=dribble) as (driver, camera):
        assert await ask(driver) == expected
        assert len(camera.heard) == len(replies)


async def test_reads_certificates() -> None:
    rows = [{"alias": "Default HTTPS", "certificate": PEM, "keystore": "SE0"}, {"alias": "odd", "certificate": "x"}, 7]
    async with axis(LISTED, rest(rows)) as (driver, _):
        found: Certificates = await driver.certificates()
    name = "CN=Simulated Estate CA"
    assert found.certificates[1:] == (Certificate("odd", None, None, None, None),)
    assert found.certificates[0].subject == found.certificates[0].issuer == name
    assert (found.certificates[0].not_after or "").endswith("+00:00")


CHANGES: dict[str, tuple[Callable[[AxisDriver], Awaitable[None]], tuple[bytes, ...], tuple[bytes, ...]]] = {
    "wrong passwords": (
        lambda d: d.set_lockout(tries=5, lock_s=299.5),
        (THROTTLING, OK),
        (
            b"POST /axis-cgi/param.cgi",
            b"Throttling=On&System.PreventDoSAttack.DoSBlockingPeriod=300&System.PreventDoSAttack.DoSPageCount=5",
        ),
    ),
    "a list, on trial, beside what stays": (
        allowed("10.0.9.1", "10.0.0.0/24", "10.0.1.1-10.0.1.9"),
        (LISTED, standing(*KEPT, OURS), rest({})),
        (
            DISCOVER,
            b"GET /config/rest/firewall/v1 ",
            told_rules(
                {"ruleType": "LIMIT", "port": {"portType": "TCP", "portNum": 443}, "limit": {"amount": 20}},
                *KEPT[1:],
                {"ruleType": "FILTER", "ip": "10.0.9.1", "filter": {"policy": "ACCEPT"}},
                {"ruleType": "FILTER", "ip": "10.0.0.0/24", "filter": {"policy": "ACCEPT"}},
                {
                    "ruleType": "FILTER",
                    "ipRange": {"start": "10.0.1.1", "end": "10.0.1.9"},
                    "filter": {"policy": "ACCEPT"},
                },
            ),
        ),
    ),
    "a list where the firewall is off": (
        allowed("10.0.9.1"),
        (LISTED, standing(OURS, default="DROP", activated=False), rest({}), rest(None), rest({})),
        (
            DISCOVER,
            b"GET",
            b'{"data": {"rules": [], "defaultPolicy": "ACCEPT", "fallbackTime": 0}}',
            b"PATCH /config/rest/firewall/v1/activated ",
            b'"ip": "10.0.9.1", "filter": {"policy": "ACCEPT"}}], "defaultPolicy": "DROP", "fallbackTime": 60}}',
        ),
    ),
    "a list where another is on trial": (
        allowed("10.0.9.1"),
        (LISTED, standing(OURS, left_s=5), rest({}), standing(), rest({})),
        (DISCOVER, b"GET", b"POST /config/rest/firewall/v1/conf/clearPendingRules ", b"GET", b'"fallbackTime": 60'),
    ),
    "whom to keep out": (
        lambda d: d.try_ip_filter(IpFilter("deny", ("10.0.0.66",)), back_after_s=60),
        (LISTED, standing(), rest({})),
        (
            DISCOVER,
            b"GET",
            b'"ip": "10.0.0.66", "filter": {"policy": "DROP"}}], "defaultPolicy": "ACCEPT", "fallbackTime": 60}}',
        ),
    ),
    "everybody, and nothing beside": (
        lambda d: d.try_ip_filter(IpFilter("off", ()), back_after_s=60),
        (LISTED, standing(OURS), rest({}), rest(None)),
        (DISCOVER, b"GET", b'{"rules": [], "defaultPolicy": "ACCEPT", "fallbackTime": 0}', b'{"data": false}'),
    ),
    "everybody, beside what stays": (
        lambda d: d.try_ip_filter(IpFilter("off", ()), back_after_s=60),
        (LISTED, standing(*KEPT[1:], OURS), rest({})),
        (
            DISCOVER,
            b"GET",
            b'"udpPort": 161, "filter": {"policy": "DROP"}}], "defaultPolicy": "ACCEPT", "fallbackTime": 0}}',
        ),
    ),
    "that what is on trial stays": (
        lambda d: d.keep_ip_filter(),
        (LISTED, standing(OURS, left_s=5), rest({})),
        (DISCOVER, b"GET", b"POST /config/rest/firewall/v1/conf/confirmRules "),
    ),
    "SNMP off, by REST": (
        lambda d: d.set_switch("snmp-v1-v2c", on=False),
        (NO_SNMP, LISTED, snmp(enabled=True, v1=True, v2=True), rest(None), rest(None)),
        (
            b"param.cgi",
            DISCOVER,
            b"GET /config/rest/snmp/v1 ",
            b"PATCH /config/rest/snmp/v1/snmpV1/enabled ",
            b"PATCH /config/rest/snmp/v1/snmpV2/enabled ",
        ),
    ),
    "SNMP on, by REST": (
        lambda d: d.set_switch("snmp-v1-v2c", on=True),
        (NO_SNMP, LISTED, snmp(enabled=False, v1=False, v2=False), rest(None), rest(None), rest(None)),
        (b"param.cgi", DISCOVER, b"GET", b'{"data": true}', b'{"data": true}', b"PATCH /config/rest/snmp/v1/enabled "),
    ),
}


@pytest.mark.parametrize(("tell", "replies", "heard"), CHANGES.values(), ids=CHANGES)
async def test_tells(
    tell: Callable[[AxisDriver], Awaitable[None]], replies: tuple[bytes, ...], heard: tuple[bytes, ...]
) -> None:
    async with axis(*replies) as (driver, camera):
        await tell(driver)
        assert len(camera.heard) == len(replies)
        assert all(part in request for part, request in zip(heard, camera.heard, strict=True))


FAILURES: dict[str, tuple[Ask, tuple[bytes, ...], type[DeviceError]]] = {
    "a wrong password": (lambda d: d.certificates(), (WRONG, WRONG), Unauthorized),
    "no certificates by REST": (lambda d: d.certificates(), (MISSING, MISSING), Unsupported),
    "a refusal with a status of its own": (
        lambda d: d.certificates(),
        (LISTED, http('{"status": "error", "error": {"code": 5, "message": "no"}}', "403 Forbidden")),
        Refused,
    ),
    "a refusal inside HTTP 200": (
        lambda d: d.certificates(),
        (LISTED, http('{"status": "error", "error": {"code": 5, "message": "no"}}')),
        Refused,
    ),
    "a login page": (lambda d: d.certificates(), (LISTED, http("<html>")), Garbled),
    "JSON without an end": (lambda d: d.certificates(), (LISTED, http("[" * 100_000)), Garbled),
    "a list for an object": (lambda d: d.certificates(), (LISTED, http("[]")), Garbled),
    "no list": (lambda d: d.certificates(), (LISTED, rest({})), Garbled),
    "a firewall without rules": (lambda d: d.ip_filter(), (LISTED, rest({"activated": True})), Garbled),
    "a firewall that does not say whether it is on": (
        lambda d: d.ip_filter(),
        (LISTED, firewall(activated=None)),
        Garbled,
    ),
    "a policy that is none": (lambda d: d.ip_filter(), (LISTED, firewall(policy="PERHAPS")), Garbled),
    "neither a firewall nor a filter": (lambda d: d.ip_filter(), (MISSING, MISSING, NO_GROUP), Unsupported),
    "a list beside what lets others past it": (
        allowed("10.0.9.1"),
        (LISTED, standing({"ruleType": "FILTER", "tcpPort": 80, "filter": {"policy": "ACCEPT"}})),
        Refused,
    ),
    "a list that an address and a port would be lost with": (
        allowed("10.0.9.1"),
        (LISTED, standing({"ruleType": "FILTER", "ip": "10.0.0.5", "tcpPort": 80, "filter": {"policy": "DROP"}})),
        Refused,
    ),
    "a list beside what nobody understands": (
        allowed("10.0.9.1"),
        (LISTED, standing({"ruleType": "MAGIC"})),
        Refused,
    ),
    "a list where the firewall is off and holds more than addresses": (
        allowed("10.0.9.1"),
        (LISTED, standing(*KEPT, activated=False)),
        Refused,
    ),
    "more rules than are set": (
        allowed(*["10.0.9.1"] * 65),
        (LISTED, standing()),
        Refused,
    ),
    "a list before the firewall": (allowed("10.0.9.1"), (MISSING, MISSING), Unsupported),
    "a list that the camera does not take": (
        allowed("10.0.9.1"),
        (LISTED, standing(), http('{"status": "error", "error": {"code": 100, "message": "no"}}', "400 Bad Request")),
        Refused,
    ),
    "a trial that it does not speak of": (lambda d: d.filter_trial(), (LISTED, standing(left_s=None)), Garbled),
    "a list where it does not say whether one is on trial": (
        allowed("10.0.9.1"),
        (LISTED, standing(left_s=-1)),
        Garbled,
    ),
    "staying when it is over": (lambda d: d.keep_ip_filter(), (LISTED, standing(OURS)), Refused),
    "no throttling": (lambda d: d.lockout(), (NO_GROUP,), Unsupported),
    "no throttling to set": (lambda d: d.set_lockout(tries=5, lock_s=60), (NO_GROUP,), Unsupported),
    "a block that is too long": (lambda d: d.set_lockout(tries=5, lock_s=1800), (THROTTLING,), Refused),
    "no SNMP at all": (lambda d: d.set_switch("snmp-v1-v2c", on=False), (NO_SNMP, MISSING, MISSING), Unsupported),
    "a log that is not allowed": (lambda d: d.log(), (http("", "403 Forbidden"),), Refused),
}


@pytest.mark.parametrize(("ask", "replies", "error"), FAILURES.values(), ids=FAILURES)
async def test_names_the_failure(ask: Ask, replies: tuple[bytes, ...], error: type[DeviceError]) -> None:
    async with axis(*replies) as (driver, camera):
        with pytest.raises(error):
            await ask(driver)
        assert len(camera.heard) == len(replies)


@pytest.mark.parametrize("firmware", ["10.12.262", "12.11.77", "13.0.1"])
async def test_a_simulated_camera_of_each_generation_is_guarded(firmware: str) -> None:
    async with meet("axis", firmware=firmware) as met:
        async with met.opened() as driver:
            await driver.set_lockout(tries=5, lock_s=300)
            await driver.set_switch("snmp-v1-v2c", on=True)
        async with met.opened() as driver:
            assert await driver.lockout() == Lockout(enabled=True, tries=5, lock_s=300.0)
            assert Switch("snmp-v1-v2c", True) in (await driver.switches()).switches
            assert await driver.ip_filter() == IpFilter("off", ())
            assert any("Login failed" in line for line in (await driver.log()).lines)
            if firmware.startswith("10."):
                with pytest.raises(Unsupported):
                    await driver.certificates()
            else:
                assert [one.id for one in (await driver.certificates()).certificates] == ["Default HTTPS"]

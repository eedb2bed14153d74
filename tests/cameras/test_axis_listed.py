"""Which REST APIs an Axis camera lists, what that saves, and what goes on where it lists none."""

import json
from collections.abc import Awaitable, Callable

import pytest

from cameras.drivers.axis import AxisDriver
from cameras.errors import DeviceError, Unauthorized, Unsupported
from cameras.facts import IpFilter, Switch, Switches
from tests.cameras.meeting import meet
from tests.cameras.saying import http
from tests.cameras.saying_vapix import LISTED, MISSING, WRONG, axis, described, listing, parameters, rest

Ask = Callable[[AxisDriver], Awaitable[object]]
FIREWALL = rest(
    {"activated": False, "conf": {"rules": {"activeRules": [], "activeDefaultPolicy": "ACCEPT", "testTimeLeft": 0}}}
)
NO_FILTER = parameters("root.Network.Filter.Enabled=no")
NO_SNMP = parameters("# Error: Error -1 getting param in group 'SNMP.V1'")
WITHOUT = listing(ssh={"v1": described("ssh/v1beta", "1.0.0-beta.1", "beta")})
NEWER = listing(
    cert={"v2": described("cert/v2", "2.0.1")},
    firewall={"v2": described("firewall/v2", "2.0.0"), "v3": described("firewall/v3beta", "3.0.0-beta.2", "beta")},
    snmp={"v2": described("snmp/v2", "2.4.0")},
)
BETA = listing(cert={"v1": described("cert/v1beta", "1.0.0-beta.1", "beta")})
READ = b"GET /config/rest/"

ASKED: dict[str, tuple[Ask, tuple[bytes, ...], object]] = {
    "one that is listed": (lambda d: d.ip_filter(), (LISTED, FIREWALL), IpFilter("off", ())),
    "one that is listed beside newer ones": (
        lambda d: d.ip_filter(),
        (listing(firewall={"v2": described("firewall/v2"), "v1": described("firewall/v1")}), FIREWALL),
        IpFilter("off", ()),
    ),
    "one of which nothing is said but its number": (
        lambda d: d.ip_filter(),
        (listing(firewall={"v1": {}}), FIREWALL),
        IpFilter("off", ()),
    ),
    "one that is not: the filter that came before it": (
        lambda d: d.ip_filter(),
        (WITHOUT, NO_FILTER),
        IpFilter("off", ()),
    ),
    "SNMP that is not": (lambda d: d.switches(), (NO_SNMP, MISSING, MISSING, WITHOUT), Switches(())),
    "SNMP in a version that we do not know": (
        lambda d: d.switches(),
        (NO_SNMP, MISSING, MISSING, NEWER),
        Switches((Switch("snmp-v1-v2c", None),)),
    ),
    **{
        f"it all the same where {why}": (lambda d: d.ip_filter(), (said, FIREWALL), IpFilter("off", ()))
        for why, said in {
            "it does not list anything": MISSING,
            "asking is refused": http("no", "403 Forbidden"),
            "the list is a login page": http("<html>"),
            "the list has no end": http("[" * 3000),
            "the list is empty": http("{}"),
            "the list is no object": http('["firewall"]'),
            "the list stands in an envelope": rest({"firewall": {"v2": {}}}),
            "an error comes under HTTP 200": http('{"status": "error", "error": {"code": 7, "message": "no"}}'),
        }.items()
    },
}


@pytest.mark.parametrize("dribble", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(("ask", "replies", "expected"), ASKED.values(), ids=ASKED)
async def test_asks_for(ask: Ask, replies: tuple[bytes, ...], expected: object, dribble: bool) -> None:
    async with axis(*replies, dribble=dribble) as (driver, camera):
        assert await ask(driver) == expected
        assert len(camera.heard) == len(replies)


NOT_ASKED: dict[str, tuple[Ask, tuple[bytes, ...], type[DeviceError], str]] = {
    "certificates": (lambda d: d.certificates(), (WITHOUT,), Unsupported, "it has no cert"),
    "certificates of another version": (
        lambda d: d.certificates(),
        (NEWER,),
        Unsupported,
        "cert: it has v2 (2.0.1), and we know v1",
    ),
    "certificates of a beta": (
        lambda d: d.certificates(),
        (BETA,),
        Unsupported,
        "cert: it has v1beta (1.0.0-beta.1), and we know v1",
    ),
    "a firewall of other versions": (
        lambda d: d.ip_filter(),
        (NEWER,),
        Unsupported,
        "firewall: it has v2 (2.0.0), v3beta (3.0.0-beta.2), and we know v1",
    ),
    "a list on trial, by a firewall of other versions": (
        lambda d: d.try_ip_filter(IpFilter("allow", ("10.0.9.1",)), back_after_s=60),
        (NEWER,),
        Unsupported,
        "firewall: it has v2 (2.0.0)",
    ),
    "a list on trial where there is no firewall": (
        lambda d: d.try_ip_filter(IpFilter("allow", ("10.0.9.1",)), back_after_s=60),
        (WITHOUT,),
        Unsupported,
        "counts at once",
    ),
    "SNMP of another version": (
        lambda d: d.set_switch("snmp-v1-v2c", on=False),
        (NO_SNMP, NEWER),
        Unsupported,
        "snmp: it has v2 (2.4.0), and we know v1",
    ),
    "a version by a hostile name": (
        lambda d: d.certificates(),
        (listing(cert={"v2": described("cert/v2\x1b[31m" + "x" * 100, "9" * 500)}),),
        Unsupported,
        "cert: it has v2\ufffd[31m",
    ),
    "anything, where our login is refused": (lambda d: d.certificates(), (WRONG, WRONG), Unauthorized, "401"),
}


@pytest.mark.parametrize(("ask", "replies", "error", "words"), NOT_ASKED.values(), ids=NOT_ASKED)
async def test_does_not_ask_for(ask: Ask, replies: tuple[bytes, ...], error: type[DeviceError], words: str) -> None:
    async with axis(*replies) as (driver, camera):
        with pytest.raises(error) as caught:
            await ask(driver)
        assert words in str(caught.value)
        assert len(str(caught.value)) < 400
        assert len(camera.heard) == len(replies)
        assert not [request for request in camera.heard if READ in request]


@pytest.mark.parametrize("listed", [LISTED, MISSING], ids=["listed", "nothing is listed"])
async def test_what_there_is_is_asked_once(listed: bytes) -> None:
    async with axis(listed, FIREWALL, FIREWALL, rest([])) as (driver, camera):
        await driver.filter_trial()
        await driver.ip_filter()
        await driver.certificates()
        assert [b"/config/discover" in request for request in camera.heard] == [True, False, False, False]


NOT_ALLOWED = http(json.dumps({"status": "error", "error": {"code": 5, "message": "no"}}), "405 Method Not Allowed")
STAYS: Ask = lambda d: d.keep_ip_filter()  # noqa: E731
ON_TRIAL = rest(
    {"activated": True, "conf": {"rules": {"activeRules": [], "activeDefaultPolicy": "ACCEPT", "testTimeLeft": 9}}}
)


async def test_a_method_that_is_not_allowed_is_the_older_one() -> None:
    async with axis(LISTED, ON_TRIAL, NOT_ALLOWED, rest({})) as (driver, camera):
        await STAYS(driver)
        post, put = (request.splitlines() for request in camera.heard[2:])
    assert (post[0].split()[:2], put[0].split()[:2]) == (
        [b"POST", b"/config/rest/firewall/v1/conf/confirmRules"],
        [b"PUT", b"/config/rest/firewall/v1/conf/confirmRules"],
    )
    assert post[-1] == put[-1] == b'{"data": {}}'


async def test_a_property_is_set_by_the_older_method_too() -> None:
    snmp = rest({"enabled": True, "snmpV1": {"enabled": True}, "snmpV2": {"enabled": False}})
    async with axis(NO_SNMP, LISTED, snmp, NOT_ALLOWED, rest(None), rest(None)) as (driver, camera):
        await driver.set_switch("snmp-v1-v2c", on=False)
        assert [request.split()[0] for request in camera.heard[3:]] == [b"PATCH", b"PUT", b"PATCH"]


async def test_what_no_method_may_do_is_not_done() -> None:
    async with axis(LISTED, ON_TRIAL, NOT_ALLOWED, NOT_ALLOWED) as (driver, camera):
        with pytest.raises(Unsupported):
            await STAYS(driver)
        assert len(camera.heard) == 4


GENERATIONS = {
    "before the framework": ("10.12.262", "Unsupported"),
    "before it lists anything": ("11.6.94", "Unsupported"),
    "certificates as a beta": ("11.9.53", "v1beta (1.0.0-beta.1)"),
    "certificates": ("11.11.181", ""),
    "all of them": ("12.11.77", ""),
    "no parameters of SNMP": ("13.0.1", ""),
}


@pytest.mark.parametrize(("firmware", "why_not"), GENERATIONS.values(), ids=GENERATIONS)
async def test_a_simulated_camera_of_each_generation(firmware: str, why_not: str) -> None:
    async with meet("axis", firmware=firmware) as met, met.opened() as driver:
        assert await driver.ip_filter() == IpFilter("off", ())
        assert Switch("snmp-v1-v2c", False) in (await driver.switches()).switches
        if not why_not:
            assert (await driver.certificates()).certificates
            return
        with pytest.raises(Unsupported) as caught:
            await driver.certificates()
        assert why_not in f"Unsupported {caught.value}"

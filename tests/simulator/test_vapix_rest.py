"""/config/rest, and what came before it: raw HTTP in, bytes out."""

from collections.abc import Mapping
from dataclasses import replace

import httpx
import pytest
from cryptography import x509

from simulator.camera import Camera
from tests.simulator.asking import login_of, url
from tests.simulator.asking_vapix import account, listed, parameters
from tests.simulator.changing import changeable, until


async def rest(
    http: httpx.AsyncClient, camera: Camera, path: str, method: str = "GET", data: object = None
) -> httpx.Response:
    auth = httpx.DigestAuth(*login_of(camera.plan))
    body = {} if method == "GET" else {"json": {"data": data}}
    return await http.request(method, url(camera.plan, f"/config/rest/{path}"), auth=auth, **body)  # type: ignore[arg-type]


def runs(camera: Camera, firmware: str) -> None:
    camera.become(replace(camera.plan, firmware=firmware))


async def test_the_firewall_is_set_and_switched_on() -> None:
    async with changeable("axis") as (_, camera, http):
        runs(camera, "12.11.77")
        rules = [{"ruleType": "FILTER", "ip": "192.0.2.7", "filter": {"policy": "ACCEPT"}}]
        wanted = {"rules": rules, "defaultPolicy": "DROP", "fallbackTime": 0}
        for path, method, data in (
            ("firewall/v1/conf/setRules", "POST", wanted),
            ("firewall/v1/activated", "PATCH", True),
        ):
            assert (await rest(http, camera, path, method, data)).json() == {"status": "success"}
        said = (await rest(http, camera, "firewall/v1")).json()["data"]
        assert said["activated"] is True
        assert (said["conf"]["rules"]["activeRules"], said["conf"]["rules"]["activeDefaultPolicy"]) == (rules, "DROP")


ENDS: dict[str, tuple[str | None, str, str | None]] = {
    "confirmed": ("confirmRules", "DROP", None),
    "cleared": ("clearPendingRules", "ACCEPT", None),
    "left alone": (None, "ACCEPT", "DROP"),
}


@pytest.mark.parametrize(("word", "policy", "pending"), ENDS.values(), ids=ENDS)
async def test_rules_on_trial_stay_only_where_somebody_confirms_them(
    word: str | None, policy: str, pending: str | None
) -> None:
    async with changeable("axis") as (_, camera, http):
        camera.become(replace(camera.plan, firmware="12.11.77", minute_s=1.0))
        await rest(http, camera, "firewall/v1/activated", "PATCH", True)
        ours = [{"ruleType": "FILTER", "ip": "127.0.0.0/8", "filter": {"policy": "ACCEPT"}}]
        wanted = {"rules": ours, "defaultPolicy": "DROP", "fallbackTime": 30}
        await rest(http, camera, "firewall/v1/conf/setRules", "POST", wanted)
        rules = (await rest(http, camera, "firewall/v1")).json()["data"]["conf"]["rules"]
        assert (rules["activeDefaultPolicy"], rules["pendingDefaultPolicy"]) == ("DROP", "DROP")
        assert rules["testTimeLeft"] > 0
        if word is not None:
            await rest(http, camera, f"firewall/v1/conf/{word}", "POST", {})
        await until(lambda: camera.fallback is None)
        rules = (await rest(http, camera, "firewall/v1")).json()["data"]["conf"]["rules"]
        assert (rules["activeDefaultPolicy"], rules["pendingDefaultPolicy"]) == (policy, pending)
        assert rules["testTimeLeft"] == 0


def rule(policy: str, **where: object) -> dict[str, object]:
    return {"ruleType": "FILTER", **where, "filter": {"policy": policy}}


HERE, ELSEWHERE = "127.0.0.1", "127.0.0.9"
LIMIT: dict[str, object] = {
    "ruleType": "LIMIT",
    "limit": {"amount": 20, "period": "MINUTE", "unit": "NEWCONNECTIONS", "burst": 10},
}
FILTERS: dict[str, tuple[str, list[dict[str, object]], bool, bool]] = {
    "nothing at all": ("ACCEPT", [], True, True),
    "an address": ("DROP", [rule("ACCEPT", ip=HERE)], True, False),
    "a network that holds both": ("DROP", [rule("ACCEPT", ip="127.0.0.7/28")], True, True),
    "a range": ("DROP", [rule("ACCEPT", ipRange={"start": "127.0.0.0", "end": "127.0.0.8"})], True, False),
    "an address that is kept out": ("ACCEPT", [rule("DROP", ip=ELSEWHERE)], True, False),
    "the first that fits": ("DROP", [rule("DROP", ip=ELSEWHERE), rule("ACCEPT", ip="127.0.0.0/8")], True, False),
    "an address at another port": ("ACCEPT", [rule("DROP", ip=ELSEWHERE, tcpPort=1)], True, True),
    "an address at ports": (
        "ACCEPT",
        [rule("DROP", ip=ELSEWHERE, portRange={"portType": "BOTH", "start": 1, "end": 65535})],
        True,
        False,
    ),
    "UDP and a MAC": (
        "ACCEPT",
        [rule("DROP", port={"portType": "UDP", "portNum": 80}), rule("DROP", mac="00:1B:63:84:45:E6"), LIMIT],
        True,
        True,
    ),
    "IPv6 alone": ("DROP", [rule("ACCEPT", ip="fd00::/8"), rule("ACCEPT", ip=HERE)], True, False),
}


@pytest.mark.parametrize(("default", "rules", "here", "elsewhere"), FILTERS.values(), ids=FILTERS)
async def test_the_firewall_lets_in_by_its_rules(
    default: str, rules: list[dict[str, object]], here: bool, elsewhere: bool
) -> None:
    async with changeable("axis") as (_, camera, http):
        runs(camera, "12.11.77")
        await rest(http, camera, "firewall/v1/activated", "PATCH", True)
        wanted = {"rules": rules, "defaultPolicy": default, "fallbackTime": 0}
        assert (await rest(http, camera, "firewall/v1/conf/setRules", "POST", wanted)).status_code == 200
        plan = camera.plan
        for source, let_in in ((HERE, here), (ELSEWHERE, elsewhere)):
            transport = httpx.AsyncHTTPTransport(local_address=source)
            async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
                try:
                    await client.get(url(plan, "/"))
                    came_in = True
                except httpx.TransportError:
                    came_in = False
            assert came_in is let_in, source


async def test_snmp_is_one_by_rest_and_by_parameter() -> None:
    async with changeable("axis") as (_, camera, http):
        runs(camera, "12.11.77")
        await rest(http, camera, "snmp/v1/snmpV2/enabled", "PATCH", True)
        assert (await listed(http, camera, "SNMP"))["root.SNMP.V2c"] == "yes"
        assert (await rest(http, camera, "snmp/v1")).json()["data"]["snmpV2"] == {"enabled": True}
        runs(camera, "13.0.1")
        assert await listed(http, camera, "SNMP") == {}
        assert "Error" in await parameters(http, camera, SNMP__V1="yes")


async def test_certificates_are_shown_to_every_account() -> None:
    async with changeable("axis") as (_, camera, http):
        runs(camera, "11.11.181")
        auth = httpx.DigestAuth(*account(camera, "viewer"))
        reply = await http.get(url(camera.plan, "/config/rest/cert/v1/certificates"), auth=auth)
        (row,) = reply.json()["data"]
        assert x509.load_pem_x509_certificate(row["certificate"].encode()).subject.rfc4514_string() == (
            f"CN={camera.plan.hostname}"
        )
        assert (await http.get(url(camera.plan, "/config/rest/snmp/v1"), auth=auth)).status_code == 401


async def discovered(http: httpx.AsyncClient, camera: Camera, path: str = "") -> httpx.Response:
    auth = httpx.DigestAuth(*account(camera, "viewer"))
    return await http.get(url(camera.plan, f"/config/discover{path}"), auth=auth)


APIS: dict[str, tuple[str, dict[str, dict[str, str]] | None]] = {
    "nothing before 11.8": ("11.7.61", None),
    "certificates as a beta": ("11.9.53", {"cert": {"v1": "/config/rest/cert/v1beta"}}),
    "certificates": ("11.11.181", {"cert": {"v1": "/config/rest/cert/v1"}}),
    "all of them": (
        "12.11.77",
        {
            "cert": {"v1": "/config/rest/cert/v1"},
            "firewall": {"v1": "/config/rest/firewall/v1"},
            "snmp": {"v1": "/config/rest/snmp/v1"},
        },
    ),
}


@pytest.mark.parametrize(("firmware", "listed"), APIS.values(), ids=APIS)
async def test_what_there_is_is_listed_and_is_there(firmware: str, listed: dict[str, dict[str, str]] | None) -> None:
    async with changeable("axis") as (_, camera, http):
        runs(camera, firmware)
        reply = await discovered(http, camera, "/apis")
        if listed is None:
            assert reply.status_code == 404
            return
        assert {
            api: {number: one["rest_api"] for number, one in versions.items()} for api, versions in reply.json().items()
        } == listed
        assert (await discovered(http, camera)).json() == {"framework_version": "1.0.0", "apis": reply.json()}
        assert (await discovered(http, camera, "/apis/cert")).json() == {"cert": reply.json()["cert"]}
        assert (await discovered(http, camera, "/apis/cert/v1")).json() == reply.json()["cert"]["v1"]
        for nowhere in ("/apis/horoscope", "/apis/cert/v9", "/apis/cert/v1/doc/x", "/moods"):
            assert (await discovered(http, camera, nowhere)).status_code == 404
        path = f"{listed['cert']['v1']}/certificates".removeprefix("/config/rest/")
        assert (await rest(http, camera, path)).status_code == 200


REFUSED: dict[str, tuple[str, str, str, object, int, int]] = {
    "a firewall before 12": ("11.11.181", "firewall/v1", "GET", None, 404, 4),
    "certificates before 11.11": ("11.9.53", "cert/v1/certificates", "GET", None, 404, 4),
    "an API that is none": ("12.11.77", "horoscope/v1", "GET", None, 404, 4),
    "a path that is none": ("12.11.77", "snmp/v1/mood", "GET", None, 404, 4),
    "the old way to set": ("12.11.77", "snmp/v1/snmpV1/enabled", "PUT", True, 405, 5),
    "a word for a boolean": ("12.11.77", "snmp/v1/enabled", "PATCH", "yes", 400, 101),
    "rules on trial where it is off": (
        "12.11.77",
        "firewall/v1/conf/setRules",
        "POST",
        {"rules": [], "defaultPolicy": "DROP", "fallbackTime": 30},
        400,
        103,
    ),
    "an address that is none": (
        "12.11.77",
        "firewall/v1/conf/setRules",
        "POST",
        {"rules": [{"ruleType": "FILTER", "ip": "moon", "filter": {"policy": "DROP"}}], "defaultPolicy": "ACCEPT"},
        400,
        100,
    ),
    "no rules": ("12.11.77", "firewall/v1/conf/setRules", "POST", {"rules": 7}, 400, 100),
}


@pytest.mark.parametrize(("firmware", "path", "method", "data", "status", "code"), REFUSED.values(), ids=REFUSED)
async def test_a_refusal_has_a_status_of_its_own(
    firmware: str, path: str, method: str, data: object, status: int, code: int
) -> None:
    async with changeable("axis") as (_, camera, http):
        runs(camera, firmware)
        reply = await rest(http, camera, path, method, data)
        assert (reply.status_code, reply.json()["status"], reply.json()["error"]["code"]) == (status, "error", code)


VALUES: dict[str, tuple[str, Mapping[str, str], bool]] = {
    "a blocking period": ("11.11.181", {"System__PreventDoSAttack__DoSBlockingPeriod": "300"}, True),
    "one that is too long": ("11.11.181", {"System__PreventDoSAttack__DoSBlockingPeriod": "1001"}, False),
    "a switch by another word": ("11.11.181", {"System__PreventDoSAttack__ActivatePasswordThrottling": "yes"}, False),
    "a filter": ("11.11.181", {"Network__Filter__Input__Policy": "deny"}, True),
    "a policy that is none": ("11.11.181", {"Network__Filter__Input__Policy": "drop"}, False),
    "a filter where a firewall took its place": ("12.11.77", {"Network__Filter__Enabled": "yes"}, False),
}


@pytest.mark.parametrize(("firmware", "values", "taken"), VALUES.values(), ids=VALUES)
async def test_parameters_of_guards(firmware: str, values: Mapping[str, str], taken: bool) -> None:
    async with changeable("axis") as (_, camera, http):
        runs(camera, firmware)
        assert (await parameters(http, camera, **values) == "OK\n") is taken

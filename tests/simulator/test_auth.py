"""Every way of logging in, asked by hand; and what each camera says to strangers, liars and the late."""

import hashlib
import re
from collections.abc import Mapping

import httpx
import pytest

from simulator.plan import CameraPlan
from tests.simulator.asking import ask, ask_logged_in, client, digest_of, estate, first_where, login_of, security, url

MODES: Mapping[str, Mapping[str, object]] = {
    "digest-md5": {"mix": {"hanwha": 1}, "cameras": 12},
    "digest-sha256": {"faults": {"sha256-only": 1}},
    "wsse": {"faults": {"wsse-only": 1}},
    "digest+wsse": {"mix": {"axis": 1}, "cameras": 12},
    "none": {"faults": {"factory-default": 1}},
}
GUARDED = "tds:GetDeviceInformation"


def of_mode(mode: str) -> Mapping[str, object]:
    return MODES[mode]


@pytest.mark.parametrize("mode", MODES)
async def test_the_right_login_is_let_in(mode: str) -> None:
    async with estate(**of_mode(mode)) as running, client() as http:  # type: ignore[arg-type]
        plan = first_where(running, lambda plan: plan.auth == mode).plan
        reply = await ask_logged_in(http, plan, GUARDED)
        assert reply.status_code == 200
        assert plan.serial in reply.text


async def test_a_camera_with_both_ways_takes_ws_security_too() -> None:
    async with estate(**of_mode("digest+wsse")) as running, client() as http:  # type: ignore[arg-type]
        plan = first_where(running, lambda plan: plan.auth == "digest+wsse").plan
        reply = await ask(http, plan, GUARDED, header=security(*login_of(plan)))
        assert reply.status_code == 200


STRANGERS = {
    "digest-md5": (401, "algorithm=MD5"),
    "digest-sha256": (401, "algorithm=SHA-256"),
    "digest+wsse": (401, "algorithm=MD5"),
    "wsse": (400, None),
}


@pytest.mark.parametrize(("mode", "status", "algorithm"), [(m, *row) for m, row in STRANGERS.items()], ids=STRANGERS)
async def test_a_stranger_is_told_how_to_log_in(mode: str, status: int, algorithm: str | None) -> None:
    async with estate(**of_mode(mode)) as running, client() as http:  # type: ignore[arg-type]
        camera = first_where(running, lambda plan: plan.auth == mode)
        reply = await ask(http, camera.plan, GUARDED)
        assert reply.status_code == status
        assert "ter:NotAuthorized" in reply.text
        challenge = reply.headers.get("WWW-Authenticate")
        assert (challenge is None) if algorithm is None else (algorithm in challenge)
        assert camera.guard.wrong_tries == {}, "asking without a login is no wrong try"


@pytest.mark.parametrize("mode", ["digest-md5", "digest-sha256", "wsse", "digest+wsse"])
@pytest.mark.parametrize("name", ["camwarden", "nobody"], ids=["wrong password", "no such account"])
async def test_a_wrong_login_is_refused_and_counted_once(mode: str, name: str) -> None:
    async with estate(**of_mode(mode)) as running, client() as http:  # type: ignore[arg-type]
        camera = first_where(running, lambda plan: plan.auth == mode)
        by_header = mode == "wsse"
        reply = await ask(
            http,
            camera.plan,
            GUARDED,
            header=security(name, "guess") if by_header else "",
            auth=None if by_header else httpx.DigestAuth(name, "guess"),
        )
        assert reply.status_code == (400 if by_header else 401)
        assert camera.guard.wrong_tries == {name: 1}


async def test_two_ways_at_once_are_refused_without_counting() -> None:
    async with estate(**of_mode("digest+wsse")) as running, client() as http:  # type: ignore[arg-type]
        camera = first_where(running, lambda plan: plan.auth == "digest+wsse")
        header = security(*login_of(camera.plan))
        reply = await ask(http, camera.plan, GUARDED, header=header, headers={"Authorization": 'Digest username="x"'})
        assert (reply.status_code, camera.guard.wrong_tries, camera.guard.granted) == (400, {}, 0)


SKEWS: dict[str, tuple[float, int]] = {
    "by the camera's clock": (0, 200),
    "within its window": (-4, 200),
    "an hour late": (-3600, 400),
    "an hour early": (3600, 400),
}


@pytest.mark.parametrize(("late_by", "status"), SKEWS.values(), ids=SKEWS)
async def test_ws_security_is_judged_by_the_cameras_clock(late_by: float, status: int) -> None:
    async with estate(faults={"wsse-only": 1, "clock-skew": 1}) as running, client() as http:
        camera = running.cameras[0]
        header = security(*login_of(camera.plan), skew_s=camera.plan.clock_offset_s + late_by)
        reply = await ask(http, camera.plan, GUARDED, header=header)
        assert reply.status_code == status
        assert camera.guard.wrong_tries == {}, "a wrong time is no wrong password"


@pytest.mark.parametrize(("family", "status"), [("onvif", 200), ("hikvision", 400)])
async def test_a_time_zone_in_numbers_is_not_understood_everywhere(family: str, status: int) -> None:
    async with estate(mix={family: 1}, faults={"wsse-only": 1}) as running, client() as http:
        plan = running.plan.cameras[0]
        reply = await ask(http, plan, GUARDED, header=security(*login_of(plan), zone="+00:00"))
        assert reply.status_code == status


async def test_the_same_ws_security_header_does_not_work_twice() -> None:
    async with estate(faults={"wsse-only": 1}) as running, client() as http:
        plan = running.plan.cameras[0]
        header = security(*login_of(plan))
        assert [(await ask(http, plan, GUARDED, header=header)).status_code for _ in range(2)] == [200, 400]


async def test_plain_text_passwords_are_no_way_in() -> None:
    async with estate(faults={"wsse-only": 1}) as running, client() as http:
        plan = running.plan.cameras[0]
        name, password = login_of(plan)
        token = f"<UsernameToken><Username>{name}</Username><Password>{password}</Password></UsernameToken>"
        assert (await ask(http, plan, GUARDED, header=token)).status_code == 400


def digest_header(plan: CameraPlan, challenge: str, uri: str, **changed: str) -> str:
    """An RFC 2069 answer, made by hand, to this challenge."""
    name, password = login_of(plan)
    said = dict(re.findall(r'(\w+)="([^"]*)"', challenge)) | changed
    realm, nonce = said["realm"], said["nonce"]
    ha1, ha2 = (hashlib.md5(text.encode()).hexdigest() for text in (f"{name}:{realm}:{password}", f"GET:{uri}"))  # noqa: S324
    response = hashlib.md5(f"{ha1}:{nonce}:{ha2}".encode()).hexdigest()  # noqa: S324
    return f'Digest username="{name}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{response}"'


HEADERS: dict[str, tuple[dict[str, str], str, int, str]] = {
    "without qop, as old clients do": ({}, "/", 200, ""),
    "a nonce it never gave": ({"nonce": "0" * 24}, "/", 401, "stale=true"),
    "an answer for another page": ({}, "/other", 401, ""),
}


@pytest.mark.parametrize(("changed", "uri", "status", "said"), HEADERS.values(), ids=HEADERS)
async def test_digest_by_hand(changed: dict[str, str], uri: str, status: int, said: str) -> None:
    async with estate(faults={"http-cleartext-management": 1}, mix={"axis": 1}) as running, client() as http:
        camera = running.cameras[0]
        page = url(camera.plan, "/")
        challenge = (await http.get(page)).headers["WWW-Authenticate"]
        answer = digest_header(camera.plan, challenge, uri, **changed)
        reply = await http.get(page, headers={"Authorization": answer})
        assert reply.status_code == status
        assert said in reply.headers.get("WWW-Authenticate", "")
        assert camera.guard.wrong_tries == {}


async def test_basic_works_where_it_is_offered_and_only_there() -> None:
    async with estate(cameras=2, faults={"http-basic-cleartext": 1}) as running, client() as http:
        weak = first_where(running, lambda plan: plan.basic_on_http).plan
        good = first_where(running, lambda plan: not plan.basic_on_http).plan
        asked = [url(weak, "/"), url(weak, "/", tls=True), url(good, "/", tls=True)]
        offered = [(await http.get(page)).headers.get_list("WWW-Authenticate") for page in asked]
        assert [any(o.startswith("Basic") for o in page) for page in offered] == [True, False, False]
        assert (await http.get(asked[0], auth=login_of(weak))).status_code == 200
        assert (await http.get(asked[1], auth=login_of(weak))).status_code == 401


async def test_the_login_path_of_a_vendor_takes_digest() -> None:
    async with estate(cameras=4, mix={"axis": 1, "hikvision": 1, "dahua": 1, "hanwha": 1}) as running, client() as http:
        for plan in running.plan.cameras:
            page = url(plan, LOGIN_PATHS[plan.vendor])
            assert (await http.get(page)).status_code == 401
            assert (await http.get(page, auth=digest_of(plan))).status_code == 200


LOGIN_PATHS = {
    "axis": "/axis-cgi/usergroup.cgi",
    "hikvision": "/ISAPI/Security/userCheck",
    "dahua": "/cgi-bin/magicBox.cgi?action=getDeviceType",
    "hanwha": "/stw-cgi/system.cgi?msubmenu=deviceinfo&action=view",
}


async def test_the_documented_default_account_works_where_it_was_left() -> None:
    async with estate(mix={"hikvision": 1}, faults={"default-credentials": 1}) as running, client() as http:
        page = url(running.plan.cameras[0], LOGIN_PATHS["hikvision"])
        assert (await http.get(page, auth=httpx.DigestAuth("admin", "12345"))).status_code == 200

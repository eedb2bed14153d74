"""Accounts and logins of the simulated hikvision family, by raw HTTP."""

from dataclasses import replace

import httpx
import pytest

from simulator.camera import Camera
from simulator.plan import Account
from tests.simulator.asking import ask_logged_in, login_of, url
from tests.simulator.asking_isapi import edited, isapi, word
from tests.simulator.changing import changeable

OK = (200, "ok")

STRONG = "Str0ng-passw!"


def user(name: str = "eve", password: str = STRONG, level: str = "Operator", **more: str) -> str:
    fields = {"userName": name, "password": password, "userLevel": level, **more}
    return f"<User>{''.join(f'<{key}>{value}</{key}>' for key, value in fields.items())}</User>"


OWN = "<own>"  # stands for the password of the login
USERS: dict[str, tuple[str, str, tuple[int, str], dict[str, str]]] = {
    "an account": ("V5.7.3", user(loginPassword=OWN), OK, {"eve": "Operator"}),
    "an account, our own password left out": ("V5.7.3", user(), (400, "badXmlContent"), {"eve": ""}),
    "an account, our own password wrong": ("V5.7.3", user(loginPassword="x"), (403, "invalidOperation"), {"eve": ""}),
    "an account on older firmware": ("V5.5.80", user(), OK, {"eve": "Operator"}),
    "a weak password": ("V5.5.80", user(password="short"), (400, "badParameters"), {"eve": ""}),
    "a long password": ("V5.5.80", user(password="Aa1" * 6), (400, "badParameters"), {"eve": ""}),
    "a level that is none": ("V5.5.80", user(level="Emperor"), (400, "badParameters"), {"eve": ""}),
    "a name that exists": ("V5.5.80", user("viewer"), (403, "invalidOperation"), {"viewer": "User"}),
}


def roles(camera: Camera) -> dict[str, str]:
    return {a.name: a.role for a in camera.plan.accounts_of("web")}


@pytest.mark.parametrize(("firmware", "body", "said", "after"), USERS.values(), ids=USERS)
async def test_accounts_are_added(firmware: str, body: str, said: tuple[int, str], after: dict[str, str]) -> None:
    async with changeable() as (_, camera, http):
        camera.become(replace(camera.plan, firmware=firmware))
        body = body.replace(OWN, login_of(camera.plan)[1])
        assert word(await isapi(http, camera, "POST", "Security/users", body)) == said
        assert {name: roles(camera).get(name, "") for name in after} == after


async def test_an_account_is_changed_by_its_number_and_removed() -> None:
    async with changeable() as (_, camera, http):
        camera.become(replace(camera.plan, firmware="V5.5.80"))
        row = "<User><id>3</id><userName>{}</userName><password>N3w-passw0rd</password></User>"
        assert word(await isapi(http, camera, "PUT", "Security/users/3", row.format("viewer"))) == OK
        assert camera.plan.accounts[2] == Account("viewer", "N3w-passw0rd", "User")
        assert word(await isapi(http, camera, "PUT", "Security/users/3", row.format("joe"))) == (400, "badParameters")
        assert word(await isapi(http, camera, "DELETE", "Security/users/3")) == OK
        assert "viewer" not in roles(camera)


async def test_the_accounts_of_onvif_are_a_list_of_their_own() -> None:
    async with changeable() as (_, camera, http):
        camera.become(replace(camera.plan, web_accounts=camera.plan.accounts))
        body = "<User><userName>eve</userName><password>Str0ng-passw!</password><userType>operator</userType></User>"
        assert word(await isapi(http, camera, "POST", "Security/ONVIF/users?security=0", body)) == OK
        assert Account("eve", "Str0ng-passw!", "Operator") in camera.plan.accounts
        assert "eve" not in roles(camera)


async def test_onvif_can_be_switched_off() -> None:
    async with changeable() as (_, camera, http):
        assert word(await edited(http, camera, "System/Network/Integrate", ("<enable>true", "<enable>false"))) == OK
        assert (await ask_logged_in(http, camera.plan, "tds:GetDeviceInformation")).status_code == 404


# --- logins ---


async def test_a_wrong_password_is_counted_aloud_and_the_lock_is_shared_by_all_doors() -> None:
    async with changeable() as (_, camera, http):
        wrong, check = httpx.DigestAuth("admin", "wrong"), "Security/userCheck"
        reply = await isapi(http, camera, "GET", check, auth=wrong)
        assert reply.status_code == 401
        assert "<lockStatus>unlock</lockStatus>" in reply.text
        assert f"<retryLoginTime>{camera.plan.lock_after - 1}</retryLoginTime>" in reply.text
        for _ in range(camera.plan.lock_after - 1):
            reply = await isapi(http, camera, "GET", "System/deviceInfo", auth=wrong)
        assert "<lockStatus>lock</lockStatus>" in reply.text
        assert "<unlockTime>1800</unlockTime>" in reply.text
        right = await isapi(http, camera, "GET", check)
        assert (right.status_code, "lockStatus>lock" in right.text) == (401, True)
        by_onvif = await ask_logged_in(http, camera.plan, "tds:GetUsers")
        assert "device is locked" in by_onvif.text


async def test_a_password_that_everybody_knows_is_called_one() -> None:
    async with changeable(faults={"default-credentials": 1}) as (_, camera, http):
        reply = await isapi(http, camera, "GET", "Security/userCheck", auth=httpx.DigestAuth("admin", "12345"))
        assert "<isDefaultPassword>true</isDefaultPassword>" in reply.text
        assert "<isRiskPassword>true</isRiskPassword>" in reply.text


async def test_a_new_camera_says_so_and_answers_nothing_else() -> None:
    async with changeable(faults={"factory-default": 1}) as (_, camera, http):
        for path in ("/SDK/activateStatus", "/ISAPI/System/activateStatus"):
            assert "<Activated>false</Activated>" in (await http.get(url(camera.plan, path))).text
        assert word(await http.get(url(camera.plan, "/ISAPI/System/deviceInfo"))) == (403, "notActivated")


async def test_a_clock_that_is_off_looks_like_a_wrong_password() -> None:
    async with changeable(faults={"isapi-clock": 1}) as (_, camera, http):
        reply = await isapi(http, camera, "GET", "System/time")
        assert reply.status_code == 401
        assert "date" in reply.headers
        assert camera.guard.wrong_tries == {login_of(camera.plan)[0]: 1}

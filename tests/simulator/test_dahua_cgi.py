"""Raw HTTP in, bytes out: the dahua family's own API."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from simulator.dahua_cgi import PAGES, SNAPSHOT
from simulator.firmware import image, package
from simulator.plan import CameraPlan, ExtraPort
from simulator.vendors import VENDORS
from tests.simulator.asking import digest_of, login_of, url
from tests.simulator.asking_dahua import BAD, account, get, page_url, setting, told, upload
from tests.simulator.changing import changeable, firmware_for, until, until_port

CONFIG, USERS, UPGRADER = "configManager.cgi", "userManager.cgi", "upgrader.cgi"
OLDER = VENDORS["dahua"].models[0].outdated

SETTINGS: dict[str, tuple[str, str, Callable[[CameraPlan], object], object]] = {
    "telnet on": ("Telnet.Enable", "true", lambda p: p.extra_ports, (ExtraPort(2323, "telnet"),)),
    "SSH on": ("SSHD.Enable", "true", lambda p: p.extra_ports, (ExtraPort(2222, "ssh"),)),
    "RTSP off": ("RTSP.Enable", "false", lambda p: p.rtsp_on, False),
    "HTTPS off": ("Https.Enable", "false", lambda p: p.https_port, None),
    "a time server": ("NTP.Address", "192.0.2.9", lambda p: (p.ntp_servers, p.ntp_from_dhcp), (("192.0.2.9",), False)),
    "its own clock": ("NTP.Enable", "false", lambda p: p.clock_source, "Manual"),
    "ONVIF for everybody": ("UserGlobal.OnvifLoginCheck", "false", lambda p: p.anonymous, frozenset({"onvif"})),
    "fewer tries": ("General.LockLoginTimes", "3", lambda p: p.lock_after, 3),
    "no lock": ("General.LockLoginEnable", "false", lambda p: p.lock_after > 1000, True),
    "a longer lock": ("General.LoginFailLockTime", "3600", lambda p: len(p.parameters), 1),
    "UPnP on": ("UPnP.Enable", "true", lambda p: dict(p.parameters), {"UPnP.Enable": "true"}),
    "whom it lets in": ("AccessFilter.TrustList[0]", "10.0.0.5", lambda p: len(p.parameters), 1),
}


@pytest.mark.parametrize(("name", "value", "field", "wanted"), SETTINGS.values(), ids=SETTINGS)
async def test_a_setting_is_made_and_read_back(
    name: str, value: str, field: Callable[[CameraPlan], object], wanted: object
) -> None:
    async with changeable("dahua") as (_, camera, http):
        reply = await get(http, camera, CONFIG, "setConfig", {name: value})
        assert (reply.status_code, reply.text) == (200, "OK\r\n")
        assert field(camera.plan) == wanted
        assert await setting(http, camera, name) == value


REFUSED: dict[str, Mapping[str, str]] = {
    "other capitals": {"telnet.enable": "true"},
    "a word that is none": {"Telnet.Enable": "True"},
    "a number of tries that is none": {"General.LockLoginTimes": "99"},
    "a time that is none": {"General.LoginFailLockTime": "soon"},
    "what may only be read": {"Network.eth0.IPAddress": "192.0.2.1"},
    "a time server that is none": {"NTP.Address": "a b"},
    "an address too many": {"AccessFilter.TrustList[8]": "10.0.0.5"},
    "one of two": {"Telnet.Enable": "true", "Gopher.Enable": "true"},
    "nothing": {},
}


@pytest.mark.parametrize("said", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("quirk", [frozenset(), frozenset({"fault-200"})], ids=["as 400", "as 200"])
async def test_what_it_does_not_take_changes_nothing_at_all(said: Mapping[str, str], quirk: frozenset[str]) -> None:
    async with changeable("dahua") as (_, camera, http):
        camera.become(replace(camera.plan, quirks=quirk))
        before = camera.plan
        reply = await get(http, camera, CONFIG, "setConfig", said)
        assert (reply.status_code, reply.text) == (200 if quirk else 400, BAD)
        assert camera.plan == before


@pytest.mark.parametrize(("firmware", "status"), [(OLDER, 400), ("2.840.0000000.18.R", 403)], ids=["older", "newer"])
async def test_an_unknown_name_looks_on_newer_firmware_like_a_lack_of_rights(firmware: str, status: int) -> None:
    async with changeable("dahua") as (_, camera, http):
        camera.become(replace(camera.plan, firmware=firmware))
        reply = await get(http, camera, CONFIG, "getConfig", {"name": "Gopher"})
        assert reply.status_code == status
        assert ("Authority:check failure." in reply.text) is (status == 403)


async def test_a_telnet_server_that_is_switched_off_stops_listening() -> None:
    async with changeable("dahua", faults={"telnet-open": 1}) as (_, camera, http):
        assert await setting(http, camera, "Telnet.Enable") == "true"
        await get(http, camera, CONFIG, "setConfig", {"Telnet.Enable": "false"})
        await until_port(camera.plan.address, 2323, opened=False)


async def test_the_lock_obeys_its_settings() -> None:
    async with changeable("dahua") as (_, camera, http):
        await get(http, camera, CONFIG, "setConfig", {"General.LockLoginTimes": "2"})
        wrong = replace(account(camera, "viewer"), password="wrong")
        for said in ("Invalid Authority!", VENDORS["dahua"].locked_text):
            reply = await get(http, camera, "magicBox.cgi", "getSerialNo", by=wrong)
            assert (reply.status_code, reply.text) == (401, f"Error\r\n{said}\r\n")
        assert camera.guard.locked


async def test_a_lock_that_is_off_and_on_again_counts_as_before() -> None:
    async with changeable("dahua") as (_, camera, http):
        await get(http, camera, CONFIG, "setConfig", {"General.LockLoginEnable": "false"})
        assert await setting(http, camera, "General.LockLoginTimes") == "5"
        await get(http, camera, CONFIG, "setConfig", {"General.LockLoginEnable": "true"})
        assert camera.plan.lock_after == 5


FIRST = {"user.Name": "eve", "user.Password": "Str0ng-pass", "user.Group": "user"}
ADDED: dict[str, tuple[Mapping[str, str], str | None]] = {
    "a viewer": ({}, "User"),
    "an operator": ({"user.AuthorityList[0]": "Monitor_01", "user.AuthorityList[1]": "AuthPTZ"}, "Operator"),
    "an administrator": ({"user.Group": "admin"}, "Administrator"),
    "a group that is none": ({"user.Group": "operator"}, None),
    "a right that is none": ({"user.AuthorityList[0]": "AuthFlying"}, None),
    "a name that is taken": ({"user.Name": "viewer"}, None),
    "no name": ({"user.Name": ""}, None),
}


@pytest.mark.parametrize(("said", "role"), ADDED.values(), ids=ADDED)
async def test_accounts_are_made_in_two_groups_with_rights(said: Mapping[str, str], role: str | None) -> None:
    async with changeable("dahua") as (_, camera, http):
        reply = await get(http, camera, USERS, "addUser", {**FIRST, **said})
        assert reply.text == (BAD if role is None else "OK\r\n")
        assert {a.name: a.role for a in camera.plan.accounts}.get("eve") == role


async def test_accounts_are_listed_with_their_rights() -> None:
    async with changeable("dahua") as (_, camera, http):
        rows = await told(http, camera, USERS, "getUserInfoAll")
        assert (rows["users[0].Name"], rows["users[0].Group"], rows["users[0].Reserved"]) == ("admin", "admin", "true")
        assert (rows["users[2].Name"], rows["users[2].Group"]) == ("viewer", "user")
        assert rows["users[2].AuthorityList[0]"] == "Monitor_01"


NEW = "Correct-horse-7"
PASSWORDS: dict[str, tuple[str, Mapping[str, str], str]] = {
    "one's own": ("modifyPassword", {"name": "{me}", "pwd": NEW, "pwdOld": "{mine}"}, "OK"),
    "one's own, the old one wrong": ("modifyPassword", {"name": "{me}", "pwd": NEW, "pwdOld": "x"}, "Bad Request!"),
    "one's own, too weak": (
        "modifyPassword",
        {"name": "{me}", "pwd": "short", "pwdOld": "{mine}"},
        "Password Too Weak!",
    ),
    "another's": (
        "modifyPasswordByManager",
        {"userName": "viewer", "pwd": NEW, "managerName": "{me}", "managerPwd": "{mine}", "accountType": "0"},
        "OK",
    ),
    "another's, by somebody who manages nothing": (
        "modifyPasswordByManager",
        {"userName": "{me}", "pwd": NEW, "managerName": "viewer", "managerPwd": "{viewers}", "accountType": "0"},
        "Bad Request!",
    ),
    "another's, ours wrong": (
        "modifyPasswordByManager",
        {"userName": "viewer", "pwd": NEW, "managerName": "{me}", "managerPwd": "x", "accountType": "0"},
        "Bad Request!",
    ),
    "a stranger's": (
        "modifyPasswordByManager",
        {"userName": "eve", "pwd": NEW, "managerName": "{me}", "managerPwd": "{mine}", "accountType": "0"},
        "Bad Request!",
    ),
}


@pytest.mark.parametrize(("action", "said", "answer"), PASSWORDS.values(), ids=PASSWORDS)
async def test_a_password_is_changed_by_who_gives_his_own(action: str, said: Mapping[str, str], answer: str) -> None:
    async with changeable("dahua") as (_, camera, http):
        me, mine = login_of(camera.plan)
        filled = {
            name: value.format(me=me, mine=mine, viewers=account(camera, "viewer").password)
            for name, value in said.items()
        }
        assert answer in (await get(http, camera, USERS, action, filled)).text
        assert (NEW in {a.password for a in camera.plan.accounts}) is (answer == "OK")


async def test_two_stores_change_apart() -> None:
    async with changeable("dahua") as (_, camera, http):
        camera.become(replace(camera.plan, web_accounts=camera.plan.accounts))
        assert (await get(http, camera, USERS, "deleteUser", {"name": "viewer"})).text == "OK\r\n"
        assert "viewer" in {a.name for a in camera.plan.accounts}
        assert (await get(http, camera, USERS, "deleteUser", {"name": "admin"})).text == BAD


async def test_onvif_and_the_own_api_know_the_same_accounts_and_firmware() -> None:
    async with changeable("dahua") as (_, camera, http):
        await upload(http, camera, UPGRADER, "uploadFirmware", firmware_for(camera.plan, "99.1.1"))
        await until(lambda: camera.boots > 1)
        assert (await told(http, camera, "magicBox.cgi", "getSoftwareVersion"))["version"] == "99.1.1"
        assert camera.values["firmware"] == "99.1.1"
        assert camera.flashed == ["99.1.1"]


IMAGES: dict[str, tuple[bytes, str, str]] = {
    "rubbish": (b"rubbish", BAD, "Idle"),
    "another vendor's": (image("axis", ["*"], "1.0"), "OK\r\n", "Failed"),
    "another model's": (image("dahua", ["SD1A404"], "1.0"), "OK\r\n", "Failed"),
}


@pytest.mark.parametrize(("data", "said", "state"), IMAGES.values(), ids=IMAGES)
async def test_a_wrong_image_is_not_flashed_though_it_may_be_taken(data: bytes, said: str, state: str) -> None:
    async with changeable("dahua") as (_, camera, http):
        assert (await upload(http, camera, UPGRADER, "uploadFirmware", data)).text == said
        assert (await told(http, camera, UPGRADER, "getState"))["state.State"] == state
        assert (camera.flashed, camera.boots) == ([], 1)


async def test_a_yes_to_an_image_may_be_a_lie() -> None:
    async with changeable("dahua", faults={"upgrade-liar": 1}) as (_, camera, http):
        reply = await upload(http, camera, UPGRADER, "uploadFirmware", firmware_for(camera.plan, "99.1.1"))
        assert (reply.text, camera.flashed) == ("OK\r\n", [])


async def test_an_application_is_installed_run_and_removed() -> None:
    async with changeable("dahua") as (_, camera, http):
        for _ in range(2):
            assert (await upload(http, camera, "dhop.cgi", "uploadApp", package("counter", "1.0"))).text == "OK\r\n"
            assert (await get(http, camera, "installManager.cgi", "start", {"appname": "counter"})).text == "OK\r\n"
        assert [(app.name, app.running) for app in camera.plan.apps] == [("counter", True)]
        assert (await get(http, camera, "dhop.cgi", "uninstall", {"appName": "counter"})).text == "OK\r\n"
        assert (await get(http, camera, "dhop.cgi", "uninstall", {"appName": "counter"})).text == BAD
        assert (await upload(http, camera, "dhop.cgi", "uploadApp", b"rubbish")).text == BAD


async def test_searches_of_the_log_that_nobody_ends_are_forgotten() -> None:
    ever = {"condition.StartTime": "2000-01-01 00:00:00", "condition.EndTime": "2037-12-31 23:59:59"}
    async with changeable("dahua") as (_, camera, http):
        for _ in range(20):
            token = (await told(http, camera, "log.cgi", "startFind", ever))["token"]
        assert len(camera.log_searches) == 8
        assert (await told(http, camera, "log.cgi", "doFind", {"token": token, "count": "100"}))["found"] == "1"
        assert (await told(http, camera, "log.cgi", "doFind", {"token": token, "count": "100"}))["found"] == "0"
        assert (await get(http, camera, "log.cgi", "doFind", {"token": "1", "count": "100"})).text == BAD


RIGHTS: dict[str, tuple[str, str, int]] = {
    "a viewer may ask who it is": ("magicBox.cgi", "getDeviceType", 200),
    "a viewer may not restart it": ("magicBox.cgi", "reboot", 403),
    "a viewer may not see settings": (CONFIG, "getConfig", 403),
    "a viewer may not see accounts": (USERS, "getUserInfoAll", 403),
    "a viewer may not ask for firmware": (UPGRADER, "getState", 403),
}


@pytest.mark.parametrize(("page", "action", "status"), RIGHTS.values(), ids=RIGHTS)
async def test_rights_are_respected_and_a_right_password_is_never_counted(page: str, action: str, status: int) -> None:
    async with changeable("dahua") as (_, camera, http):
        assert (await get(http, camera, page, action, by=account(camera, "viewer"))).status_code == status
        assert (camera.guard.wrong_tries, camera.boots) == ({}, 1)


@pytest.mark.parametrize("page", PAGES)
async def test_without_a_login_nothing_is_said(page: str) -> None:
    async with changeable("dahua") as (_, camera, http):
        reply = await http.get(page_url(camera, page.rpartition("/")[2], "getConfig"))
        assert (reply.status_code, reply.text) == (401, "Error\r\nInvalid Authority!\r\n")
        assert 'realm="Login to ' in reply.headers["WWW-Authenticate"]


async def test_before_it_is_set_up_its_own_api_says_nothing() -> None:
    async with changeable("dahua", faults={"factory-default": 1}) as (_, camera, http):
        assert (await http.get(page_url(camera, "magicBox.cgi", "getDeviceType"))).text == ""


async def test_a_snapshot_wants_a_login() -> None:
    async with changeable("dahua") as (_, camera, http):
        page = url(camera.plan, SNAPSHOT)
        assert (await http.get(page)).status_code == 401
        assert (await http.get(page, auth=digest_of(camera.plan))).content.startswith(b"\xff\xd8")


async def test_another_companys_label_stands_everywhere() -> None:
    async with changeable("dahua") as (_, camera, http):
        camera.become(replace(camera.plan, oem_label="Amcrest"))
        assert (await told(http, camera, "magicBox.cgi", "getVendor")) == {"vendor": "Amcrest"}
        assert camera.values["manufacturer"] == "Amcrest"

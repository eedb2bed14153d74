"""Raw HTTP in, bytes out: the Hanwha family's own API."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace

import httpx
import pytest

from simulator.camera import Camera
from simulator.firmware import package
from simulator.plan import CameraPlan
from simulator.sunapi import BLOCKED, PAGES
from tests.simulator.asking import ask, login_of, url
from tests.simulator.asking_sunapi import FORM, get, post, sealed, send, show, target
from tests.simulator.changing import changeable, firmware_for, until, until_port

LOGIN = target("system", "deviceinfo", "view")
NEW = "Correct horse 7"


def quirk(camera: Camera, name: str) -> None:
    camera.become(replace(camera.plan, quirks=camera.plan.quirks | {name}))


def role(camera: Camera, name: str) -> str | None:
    return next((a.role for a in camera.plan.accounts_of("web") if a.name == name), None)


# --- who may ask -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [page for page in PAGES if not page.startswith("/init-cgi")])
async def test_strangers_are_asked_for_a_login(page: str) -> None:
    async with changeable("hanwha") as (_, camera, http):
        reply = await http.get(url(camera.plan, page))
        assert reply.status_code == 401
        assert reply.headers["WWW-Authenticate"].startswith('Digest realm="iPolis_')


async def test_a_camera_that_was_never_set_up_forbids_all_of_it_without_a_challenge() -> None:
    async with changeable("hanwha", faults={"factory-default": 1}) as (_, camera, http):
        for page in (LOGIN, target("security", "users", "view"), target("opensdk", "apps", "view")):
            reply = await http.get(url(camera.plan, page))
            assert (reply.status_code, reply.headers.get("WWW-Authenticate")) == (403, None)
        status = await http.get(url(camera.plan, "/init-cgi/pw_init.cgi?msubmenu=statuscheck&action=view"))
        assert (status.json()["Initialized"], "PublicKey" in status.json()) == (False, True)


@pytest.mark.parametrize("encrypted", [True, False])
async def test_the_first_password_is_set_once(encrypted: bool) -> None:
    async with changeable("hanwha", faults={"factory-default": 1}) as (_, camera, http):
        path = "/init-cgi/pw_init.cgi?msubmenu=setinitpassword&action=set"
        way = f"{path}&IsPasswordEncrypted=True" if encrypted else f"{path}&Password={NEW}"
        for said in ("OK\r\n", "NG\r\nError Code: 601\r\nAction Not Found\r\n"):
            assert (await http.post(url(camera.plan, way), content=sealed(NEW))).text == said
        reply = await http.get(url(camera.plan, LOGIN), auth=httpx.DigestAuth("admin", NEW))
        assert (reply.status_code, camera.plan.setup_done) == (200, True)


async def test_a_locked_account_is_answered_490_by_sunapi_and_refused_by_onvif() -> None:
    async with changeable("hanwha") as (_, camera, http):
        name, _ = login_of(camera.plan)
        for _ in range(camera.plan.lock_after):
            await http.get(url(camera.plan, LOGIN), auth=httpx.DigestAuth(name, "wrong"))
        reply = await get(http, camera, "system", "deviceinfo")
        assert (reply.status_code, reply.text) == (490, BLOCKED)
        assert "locked" in (await ask(http, camera.plan, "tds:GetUsers")).text


async def test_an_account_without_the_right_is_told_that_it_may_not() -> None:
    async with changeable("hanwha") as (_, camera, http):
        viewer = next(a for a in camera.plan.accounts if a.name == "viewer")
        auth = httpx.DigestAuth(viewer.name, viewer.password)
        assert (await http.get(url(camera.plan, LOGIN), auth=auth)).status_code == 200
        assert (await http.get(url(camera.plan, target("security", "ssl", "view")), auth=auth)).status_code == 405
        users = (await http.get(url(camera.plan, target("security", "users", "view")), auth=auth)).text
        assert ("viewer" in users, "admin" in users) == (True, False)
        assert camera.guard.wrong_tries == {}


async def test_one_that_has_too_few_sessions_answers_490_in_bursts() -> None:
    async with changeable("hanwha") as (_, camera, http):
        quirk(camera, "sunapi-busy")
        said = [(await http.get(url(camera.plan, LOGIN))).status_code for _ in range(10)]
        assert said == [401, 401, 490, 490, 401, 401, 401, 490, 490, 401]


# --- how it is spoken ------------------------------------------------------------------------------------------------

NOT_GOOD: dict[str, tuple[str, str]] = {
    "an unknown submenu": (target("system", "horoscope", "view"), "NG\r\nError Code: 600\r\nSubmenu Not Found\r\n"),
    "an unknown action": (target("system", "deviceinfo", "sing"), "NG\r\nError Code: 601\r\nAction Not Found\r\n"),
    "no parameter": (target("security", "ssl", "set"), "NG\r\nError Code: 602\r\nInvalid Parameter(s)\r\n"),
    "a word that is none": (
        target("security", "guest", "set", Enable="Perhaps"),
        "NG\r\nError Code: 602\r\nInvalid Parameter(s)\r\n",
    ),
    "a certificate that was never installed": (
        target("security", "ssl", "set", Policy="HTTPSPublic"),
        "NG\r\nError Code: 602\r\nInvalid Parameter(s)\r\n",
    ),
    "too many time servers": (
        target("system", "date", "set", SyncType="NTP", NTPURLList="a,b,c,d,e,f"),
        "NG\r\nError Code: 602\r\nInvalid Parameter(s)\r\n",
    ),
}


@pytest.mark.parametrize(("path", "said"), NOT_GOOD.values(), ids=NOT_GOOD)
async def test_a_refusal_comes_with_status_200(path: str, said: str) -> None:
    async with changeable("hanwha") as (_, camera, http):
        before = camera.plan
        reply = await http.get(url(camera.plan, path), auth=httpx.DigestAuth(*login_of(camera.plan)))
        assert (reply.status_code, reply.text) == (200, said)
        assert camera.plan == before


async def test_json_is_spoken_where_it_is_asked_for_but_by_old_firmware() -> None:
    async with changeable("hanwha") as (_, camera, http):
        auth, headers = httpx.DigestAuth(*login_of(camera.plan)), {"Accept": "application/json"}
        reply = await http.get(url(camera.plan, LOGIN), auth=auth, headers=headers)
        assert reply.json()["Model"] == camera.plan.model
        refused = await http.get(url(camera.plan, target("system", "x", "view")), auth=auth, headers=headers)
        assert refused.json() == {"Response": "Fail", "Error": {"Code": 600, "Details": "Submenu Not Found"}}
        quirk(camera, "sunapi-old")
        assert (await http.get(url(camera.plan, LOGIN), auth=auth, headers=headers)).text.startswith("Model=")


# --- settings --------------------------------------------------------------------------------------------------------

SETTINGS: dict[str, tuple[str, str, Mapping[str, str], Callable[[CameraPlan], object], object]] = {
    "guests": ("security", "guest", {"Enable": "True"}, lambda p: "snapshot" in p.anonymous, True),
    "streams for everybody": (
        "security",
        "rtsp",
        {"RTSPAuthentication": "Anonymous"},
        lambda p: "rtsp" in p.anonymous,
        True,
    ),
    "HTTP too": (
        "security",
        "ssl",
        {"Policy": "HTTPandHTTPSProprietary"},
        lambda p: (p.redirects_to_https, p.https_port is not None),
        (False, True),
    ),
    "HTTP alone": ("security", "ssl", {"Policy": "HTTP"}, lambda p: p.https_port, None),
    "time servers": (
        "system",
        "date",
        {"SyncType": "NTP", "NTPURLList": "192.0.2.7,ntp.lan"},
        lambda p: (p.ntp_servers, p.ntp_from_dhcp),
        (("192.0.2.7", "ntp.lan"), False),
    ),
    "the clock by hand": ("system", "date", {"SyncType": "Manual"}, lambda p: p.clock_source, "Manual"),
    "Bonjour off": ("network", "bonjour", {"Enable": "False"}, lambda p: len(p.parameters), 1),
    "SNMP on": ("network", "snmp", {"Version2": "True"}, lambda p: len(p.parameters), 1),
    "whom to keep out": ("security", "ipfilter", {"AccessType": "Allow"}, lambda p: len(p.parameters), 1),
}


@pytest.mark.parametrize(("cgi", "submenu", "said", "field", "wanted"), SETTINGS.values(), ids=SETTINGS)
async def test_a_setting_is_made_and_read_back(
    cgi: str, submenu: str, said: Mapping[str, str], field: Callable[[CameraPlan], object], wanted: object
) -> None:
    async with changeable("hanwha") as (_, camera, http):
        assert (await get(http, camera, cgi, submenu, "set", **said)).text == "OK\r\n"
        assert field(camera.plan) == wanted
        assert said.items() <= (await show(http, camera, cgi, submenu)).items()


async def test_addresses_are_added_changed_and_taken_away() -> None:
    async with changeable("hanwha") as (_, camera, http):
        row = {"IPType": "IPv4", "Address": "192.0.2.7", "Mask": 32, "Enable": "True"}
        assert (await get(http, camera, "security", "ipfilter", "add", **row)).text == "OK\r\n"
        assert (await show(http, camera, "security", "ipfilter"))["ipfilter.IPv4.1"] == "192.0.2.7/32/True"
        said = {"IPType": "IPv4", "IPIndex": 1, "Enable": "False"}
        await get(http, camera, "security", "ipfilter", "update", **said)
        assert (await show(http, camera, "security", "ipfilter"))["ipfilter.IPv4.1"] == "192.0.2.7/32/False"
        await get(http, camera, "security", "ipfilter", "remove", IPType="IPv4", IPIndex=1)
        assert "ipfilter.IPv4.1" not in await show(http, camera, "security", "ipfilter")


# --- accounts --------------------------------------------------------------------------------------------------------


async def test_slots_stay_where_they_are() -> None:
    async with changeable("hanwha") as (_, camera, http):
        name, _ = login_of(camera.plan)
        users = await show(http, camera, "security", "users")
        assert users["Users.Index"].startswith("UserID/Password/Enable/")
        assert [users[f"Users.{n}"].split("/")[0] for n in range(4)] == ["admin", name, "viewer", "user3"]
        slot = {"Index": 3, "UserID": "eve", "Password": NEW, "Enable": "True", "PTZAccess": "True"}
        assert (await get(http, camera, "security", "users", "update", **slot)).text == "OK\r\n"
        assert role(camera, "eve") == "Operator"
        assert (await get(http, camera, "security", "users", "remove", Index=2)).text == "OK\r\n"
        users = await show(http, camera, "security", "users")
        assert [users[f"Users.{n}"].split("/")[:3] for n in (2, 3)] == [["user2", "", "False"], ["eve", "", "True"]]


PASSWORDS: dict[str, tuple[str, bool]] = {
    "long enough": ("correct-horse", True),
    "nine characters of two kinds": ("abcabd123", False),
    "nine characters of three kinds": ("Abcabd123", True),
    "short": ("Ab1-Ab1", False),
    "four alike": ("correct-1111", False),
    "four one after another": ("correct-4321", False),
    "the name": ("viewer", False),
    "too long": ("aB1-" * 17, False),
}


@pytest.mark.parametrize(("password", "taken"), PASSWORDS.values(), ids=PASSWORDS)
async def test_passwords_have_rules(password: str, taken: bool) -> None:
    async with changeable("hanwha") as (_, camera, http):
        said = {"Index": 2, "UserID": "viewer", "IsPasswordEncrypted": "True"}
        reply = await post(http, camera, target("security", "users", "update", **said), sealed(password))
        assert (reply.text == "OK\r\n") is taken, reply.text
        assert (password in {a.password for a in camera.plan.accounts}) is taken


REFUSED: dict[str, Mapping[str, object]] = {
    "a free slot that stays free": {"Index": 3, "UserID": "user3", "Password": NEW},
    "another name than the slot's": {"Index": 2, "UserID": "eve", "Password": NEW},
    "a name that is taken": {"Index": 3, "UserID": "viewer", "Password": NEW, "Enable": "True"},
    "a name that is none": {"Index": 3, "UserID": "a/b", "Password": NEW, "Enable": "True"},
    "its own account, with less": {"Index": 0, "UserID": "admin", "AdminAccess": "False"},
    "a body that was not encrypted": {"Index": 2, "UserID": "viewer", "IsPasswordEncrypted": "True"},
    "no slot": {"UserID": "viewer", "Password": NEW},
    "a slot that there is not": {"Index": 99, "UserID": "eve", "Password": NEW, "Enable": "True"},
}


@pytest.mark.parametrize("said", REFUSED.values(), ids=REFUSED)
async def test_accounts_are_refused_by_number(said: Mapping[str, object]) -> None:
    async with changeable("hanwha") as (_, camera, http):
        before = camera.plan.accounts
        reply = await get(http, camera, "security", "users", "update", **said)
        assert reply.text.startswith("NG\r\nError Code: 602")
        assert camera.plan.accounts == before


async def test_our_own_password_needs_the_present_one_where_it_says_so() -> None:
    async with changeable("hanwha", faults={"sunapi-asks-twice": 1}) as (_, camera, http):
        name, old = login_of(camera.plan)
        path = target("security", "users", "update", Index=1, UserID=name, IsPasswordEncrypted="True")
        for text in (NEW, f'{{"CurrentPassword": "wrong", "NewPassword": "{NEW}"}}'):
            assert (await post(http, camera, path, sealed(text))).text.startswith("NG")
        both = f'{{"CurrentPassword": "{old}", "NewPassword": "{NEW}"}}'
        assert (await post(http, camera, path, sealed(both))).text == "OK\r\n"
        assert login_of(camera.plan) == (name, NEW)


async def test_old_firmware_knows_no_key_no_removal_and_one_administrator() -> None:
    async with changeable("hanwha", faults={"sunapi-old": 1}) as (_, camera, http):
        assert (await get(http, camera, "security", "rsa")).text.startswith("NG\r\nError Code: 600")
        assert (await get(http, camera, "security", "users", "remove", Index=2)).text.startswith(
            "NG\r\nError Code: 601"
        )
        assert "AdminAccess" not in (await show(http, camera, "security", "users"))["Users.Index"]
        off = {"Index": 2, "UserID": "viewer", "Enable": "False"}
        assert (await get(http, camera, "security", "users", "update", **off)).text.startswith("NG")
        assert (await get(http, camera, "security", "users", "update", **off, Password=NEW)).text == "OK\r\n"
        assert role(camera, "viewer") is None


# --- files -----------------------------------------------------------------------------------------------------------

UPDATE = target("system", "firmwareupdate", "control", Type="Normal")


async def test_an_image_is_told_of_part_by_part_and_flashed() -> None:
    async with changeable("hanwha") as (_, camera, http):
        said = await send(http, camera, UPDATE, "any", "x.img", firmware_for(camera.plan, "9.1.1"))
        assert [line for line in said.splitlines() if line.startswith("Status=")][:3] == [
            "Status=DownloadAck",
            "Status=DownloadOK",
            "Status=Start",
        ]
        await until(lambda: camera.boots > 1)
        assert (camera.plan.firmware, camera.flashed) == ("9.1.1", ["9.1.1"])


IMAGES: dict[str, tuple[str, Callable[[CameraPlan], bytes], str]] = {
    "no type": (target("system", "firmwareupdate", "control"), lambda p: firmware_for(p, "9"), "Error Code: 602"),
    "no image": (UPDATE, lambda _: b"rubbish", "Error Code: 604"),
    "for another model": (
        UPDATE,
        lambda p: firmware_for(replace(p, model="Q0"), "9.1.1"),
        "Status=DownloadFail",
    ),
    "the same version": (UPDATE, lambda p: firmware_for(p, p.firmware), "Status=Skip"),
}


@pytest.mark.parametrize(("path", "image", "said"), IMAGES.values(), ids=IMAGES)
async def test_an_image_that_does_not_fit_is_not_flashed(
    path: str, image: Callable[[CameraPlan], bytes], said: str
) -> None:
    async with changeable("hanwha") as (_, camera, http):
        assert said in await send(http, camera, path, "any", "x.img", image(camera.plan))
        assert (camera.flashed, camera.boots) == ([], 1)


async def test_a_configuration_comes_in_bytes_and_goes_back_in_base64() -> None:
    async with changeable("hanwha") as (_, camera, http):
        saved = (await get(http, camera, "system", "configbackup", "control")).content
        await get(http, camera, "security", "guest", "set", Enable="True")
        path = target("system", "configrestore", "control")
        assert "Error Code: 607" in (await post(http, camera, path, saved, "multipart/form-data; boundary=x")).text
        assert "Error Code: 604" in (await post(http, camera, path, base64.b64encode(b"rubbish"))).text
        assert (await post(http, camera, path, base64.b64encode(saved), f"{FORM};")).text == "OK\r\n"
        await until(lambda: camera.boots > 1)
        await until_port(camera.plan.address, camera.plan.port, opened=True)
        assert camera.plan.anonymous == frozenset()


async def test_an_application_is_sent_and_then_installed() -> None:
    async with changeable("hanwha") as (_, camera, http):
        said = {"AppID": "counter", "Channel": 0}
        path = target("opensdk", "apps", "install", **said, IgnoreCookie="True")
        for version, kind in (("1.0", "New"), ("2.0", "Upgrade")):
            sent = await send(http, camera, path, "UploadedFile", "counter.cap", package("counter", version))
            told = dict(line.split("=", 1) for line in sent.splitlines())
            assert told["InstallType"] == kind
            assert version not in {app.version for app in camera.plan.apps}
            session = told["ApplicationSessionId"]
            reply = await get(http, camera, "opensdk", "apps", "install", **said, ApplicationSessionId=session)
            assert reply.text == "OK\r\n"
        await get(http, camera, "opensdk", "apps", "control", AppID="counter", Mode="Start")
        shown = await show(http, camera, "opensdk", "apps")
        assert (shown["InstalledApps"], shown["counter.Version"], shown["counter.Status"]) == ("1", "2.0", "Running")
        await get(http, camera, "opensdk", "apps", "remove", AppID="counter")
        assert camera.plan.apps == ()


APPS: dict[str, tuple[str, str, bytes, str]] = {
    "another field": ("File", "counter.cap", package("counter", "1"), "Error Code: 607"),
    "another file name": ("UploadedFile", "upload.cap", package("counter", "1"), "Error Code: 602"),
    "no package": ("UploadedFile", "counter.cap", b"rubbish", "Error Code: 604"),
    "for another model": ("UploadedFile", "counter.cap", package("counter", "1", models=["Q0"]), "Error Code: 604"),
}


@pytest.mark.parametrize(("field", "file_name", "data", "said"), APPS.values(), ids=APPS)
async def test_an_application_that_does_not_fit_is_refused(field: str, file_name: str, data: bytes, said: str) -> None:
    async with changeable("hanwha") as (_, camera, http):
        path = target("opensdk", "apps", "install", AppID="counter", Channel=0, IgnoreCookie="True")
        assert said in await send(http, camera, path, field, file_name, data)
        reply = await get(http, camera, "opensdk", "apps", "install", AppID="counter", ApplicationSessionId="x")
        assert "Error Code: 602" in reply.text
        assert camera.plan.apps == ()

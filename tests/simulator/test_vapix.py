"""Raw HTTP in, bytes out: the axis family's own API."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace

import httpx
import pytest

from simulator.device import Device
from simulator.plan import CameraPlan, SyslogServer
from simulator.vapix import PAGES
from tests.simulator.asking import login_of, url
from tests.simulator.asking_vapix import account, call, form, listed, parameters, roles
from tests.simulator.changing import changeable, is_open, until_port

ADMIN = "admin:operator:viewer:ptz"
FORMS: dict[str, tuple[Mapping[str, str], str, Mapping[str, str]]] = {
    "an account": (
        {"action": "add", "user": "joe", "pwd": "secret 1", "grp": "users", "sgrp": "viewer"},
        "Created account joe.",
        {"joe": "User"},
    ),
    "the groups in any order": (
        {"action": "add", "user": "joe", "pwd": "secret", "sgrp": "viewer:ptz:operator"},
        "Created account joe.",
        {"joe": "Operator"},
    ),
    "another group": (
        {"action": "update", "user": "viewer", "sgrp": ADMIN},
        "Modified account viewer.",
        {"viewer": "Administrator"},
    ),
    "an account less": ({"action": "remove", "user": "viewer"}, "Removed account viewer.", {"viewer": ""}),
    "a name that exists": (
        {"action": "add", "user": "viewer", "pwd": "x", "sgrp": "viewer"},
        "Error: consult the system log file.",
        {"viewer": "User"},
    ),
    "a name that is none": (
        {"action": "add", "user": "joe@home", "pwd": "x", "sgrp": "viewer"},
        "Error: account user name.",
        {},
    ),
    "a group that is none": (
        {"action": "add", "user": "joe", "pwd": "x", "sgrp": "emperor"},
        "Error: consult the system log file.",
        {"joe": ""},
    ),
    "a password with other signs": (
        {"action": "update", "user": "viewer", "pwd": "pässword"},
        "Error: consult the system log file.",
        {},
    ),
    "a password too long": (
        {"action": "update", "user": "viewer", "pwd": "x" * 65},
        "Error: consult the system log file.",
        {},
    ),
    "a stranger": ({"action": "update", "user": "joe", "pwd": "x"}, "Error: account user name.", {}),
    "no action": ({"user": "joe"}, "Error: action operation type.", {}),
    "an unknown action": ({"action": "praise"}, "Error: malformed action operation, praise.", {}),
}


@pytest.mark.parametrize(("fields", "said", "after"), FORMS.values(), ids=FORMS)
async def test_accounts_change_by_form_and_errors_come_as_200(
    fields: Mapping[str, str], said: str, after: Mapping[str, str]
) -> None:
    async with changeable("axis") as (_, camera, http):
        reply = await form(http, camera, "pwdgrp.cgi", **fields)
        assert (reply.status_code, reply.text) == (200, said)
        assert {name: roles(camera).get(name, "") for name in after} == after


async def test_a_new_password_works_at_web_and_onvif() -> None:
    async with changeable("axis") as (_, camera, http):
        name, _ = login_of(camera.plan)
        await form(http, camera, "pwdgrp.cgi", action="update", user=name, pwd="Correct horse 7")
        assert {a.password for a in camera.plan.accounts if a.name == name} == {"Correct horse 7"}
        assert (await form(http, camera, "usergroup.cgi")).text.splitlines() == [name, "admin operator viewer ptz"]


async def test_the_accounts_are_listed_by_group() -> None:
    async with changeable("axis") as (_, camera, http):
        lines = (await form(http, camera, "pwdgrp.cgi", action="get")).text.splitlines()
        assert lines[0] == 'admin="root,camwarden"'
        assert lines[-1] == 'digusers="root,camwarden,viewer"'


async def test_two_stores_change_apart() -> None:
    async with changeable("axis", faults={"password-two-stores": 1}) as (_, camera, http):
        name, old = login_of(camera.plan)
        await form(http, camera, "pwdgrp.cgi", action="update", user=name, pwd="Correct horse 7")
        stored = {store: dict(account_pairs(camera.plan, store))[name] for store in ("web", "onvif")}
        assert stored == {"web": "Correct horse 7", "onvif": old}


def account_pairs(plan: CameraPlan, store: str) -> list[tuple[str, str]]:
    accounts = plan.accounts if store == "onvif" else plan.accounts_of("web")
    return [(a.name, a.password) for a in accounts]


FIRST: dict[str, tuple[Mapping[str, str], int, str]] = {
    "an administrator with PTZ": (
        {"action": "add", "user": "root", "pwd": "secret", "sgrp": ADMIN},
        200,
        "Created account root.",
    ),
    "one without PTZ": (
        {"action": "add", "user": "root", "pwd": "secret", "sgrp": "admin:operator:viewer"},
        401,
        "Error: not a valid initial admin user.",
    ),
    "something else": ({"action": "get"}, 401, "Error: initial admin user must be created first."),
}


@pytest.mark.parametrize(("fields", "status", "said"), FIRST.values(), ids=FIRST)
async def test_the_first_account_needs_no_login(fields: Mapping[str, str], status: int, said: str) -> None:
    async with changeable("axis", faults={"factory-default": 1}) as (_, camera, http):
        reply = await http.post(url(camera.plan, "/axis-cgi/pwdgrp.cgi"), data=dict(fields))
        assert (reply.status_code, reply.text) == (status, said)
        assert camera.plan.setup_done is (status == 200)


SETTINGS: dict[str, tuple[str, str, Callable[[CameraPlan], object], object]] = {
    "no anonymous pictures": (
        "System.BoaProtViewer",
        "anonymous",
        lambda p: "snapshot" in p.anonymous,
        True,
    ),
    "anonymous RTSP": ("Network.RTSP.ProtViewer", "anonymous", lambda p: "rtsp" in p.anonymous, True),
    "RTSP off": ("Network.RTSP.Enabled", "no", lambda p: p.rtsp_on, False),
    "HTTPS off": ("HTTPS.Enabled", "no", lambda p: p.https_port, None),
    "HTTP too": ("System.BoaGroupPolicy.admin", "both", lambda p: p.redirects_to_https, False),
    "Basic in clear text": ("Network.HTTP.AuthenticationPolicy", "basic_digest", lambda p: p.basic_on_http, True),
    "discoverable": ("WebService.DiscoveryMode.Discoverable", "yes", lambda p: p.discoverable, True),
    "the time server": ("Time.NTP.Server", "192.0.2.7", lambda p: p.ntp_servers, ("192.0.2.7",)),
    "the clock by hand": ("Time.SyncSource", "None", lambda p: p.clock_source, "Manual"),
    "UPnP off": ("Network.UPnP.Enabled", "no", lambda p: p.parameters, (("Network.UPnP.Enabled", "no"),)),
    "SNMP on": ("SNMP.V2c", "yes", lambda p: p.parameters, (("SNMP.V2c", "yes"),)),
}


@pytest.mark.parametrize(("name", "value", "field", "wanted"), SETTINGS.values(), ids=SETTINGS)
async def test_a_parameter_is_set_and_read_back(
    name: str, value: str, field: Callable[[CameraPlan], object], wanted: object
) -> None:
    async with changeable("axis") as (_, camera, http):
        said = await form(http, camera, "param.cgi", action="update", **{name: value})
        assert said.text == "OK\n"
        assert field(camera.plan) == wanted
        read = await listed(http, camera, name)
        assert {key.removeprefix("root."): read[key] for key in read} == {name: value}


REFUSED: dict[str, tuple[str, str]] = {
    "a word that is none": ("Network.RTSP.Enabled", "perhaps"),
    "a name that is none": ("Network.Gopher.Enabled", "no"),
    "what may only be read": ("Properties.Firmware.Version", "99"),
    "a policy that is none": ("Network.HTTP.AuthenticationPolicy", "none"),
}


@pytest.mark.parametrize(("name", "value"), REFUSED.values(), ids=REFUSED)
async def test_a_parameter_that_cannot_be_set_is_refused_with_200(name: str, value: str) -> None:
    async with changeable("axis") as (_, camera, http):
        before = camera.plan
        reply = await form(http, camera, "param.cgi", action="update", **{name: value})
        assert (reply.status_code, reply.text) == (200, f"# Error: Error setting '{name}' to '{value}'!\n")
        assert camera.plan == before


async def test_an_unknown_group_is_an_error_with_200() -> None:
    async with changeable("axis") as (_, camera, http):
        reply = await form(http, camera, "param.cgi", action="list", group="Gopher,Brand.Brand")
        assert reply.text.startswith("# Error: ")
        assert "root.Brand.Brand=AXIS\n" in reply.text


@pytest.mark.parametrize(
    ("fault", "parameter", "port"),
    [
        ("telnet-open", "Network__Telnet__Enabled", 2323),
        ("ftp-open", "Network__FTP__Enabled", 2121),
        ("ssh-open", "Network__SSH__Enabled", 2222),
    ],
)
async def test_a_service_that_is_switched_off_stops_listening(fault: str, parameter: str, port: int) -> None:
    async with changeable("axis", faults={fault: 1}) as (_, camera, http):
        assert await is_open(camera.plan.address, port)
        assert await parameters(http, camera, **{parameter: "no"}) == "OK\n"
        await until_port(camera.plan.address, port, opened=False)
        assert await parameters(http, camera, **{parameter: "yes"}) == "OK\n"
        await until_port(camera.plan.address, port, opened=True)


async def test_an_anonymous_viewer_is_let_in_and_shut_out() -> None:
    async with changeable("axis") as (_, camera, http):
        picture = url(camera.plan, "/onvif-cgi/jpg/image.cgi?resolution=640x360&compression=30")
        for value, status in (("anonymous", 200), ("password", 401)):
            await parameters(http, camera, System__BoaProtViewer=value)
            assert (await http.get(picture)).status_code == status


Do = Callable[[CameraPlan], object]
CALLS: dict[str, tuple[str, str, Mapping[str, object], Do, object]] = {
    "static time servers": (
        "ntp.cgi",
        "setNTPClientConfiguration",
        {"enabled": True, "serversSource": "static", "staticServers": ["192.0.2.7", "time.example.org"]},
        lambda p: (p.clock_source, p.ntp_from_dhcp, p.ntp_servers),
        ("NTP", False, ("192.0.2.7", "time.example.org")),
    ),
    "time servers by DHCP": (
        "ntp.cgi",
        "setNTPClientConfiguration",
        {"serversSource": "DHCP"},
        lambda p: p.ntp_from_dhcp,
        True,
    ),
    "SSH on": ("ssh.cgi", "setSshConfiguration", {"enabled": True}, lambda p: len(p.extra_ports), 1),
    "Bonjour off": (
        "mdnssd.cgi",
        "setMdnssdConfiguration",
        {"enabled": False},
        lambda p: dict(p.parameters)["Network.Bonjour.Enabled"],
        "no",
    ),
    "a log server": (
        "remotesyslog.cgi",
        "setup",
        {"servers": [{"address": "192.0.2.9", "protocol": "TLS"}]},
        lambda p: p.syslog,
        (SyslogServer("192.0.2.9", 6514, "TLS", "info"),),
    ),
}


@pytest.mark.parametrize(("page", "method", "params", "field", "wanted"), CALLS.values(), ids=CALLS)
async def test_a_json_call_changes_the_camera(
    page: str, method: str, params: Mapping[str, object], field: Do, wanted: object
) -> None:
    async with changeable("axis") as (_, camera, http):
        said = await call(http, camera, page, method, params)
        assert said["data"] == {}
        assert said["context"] == "abc"
        assert field(camera.plan) == wanted


async def test_the_remote_log_is_switched_on_after_it_is_set_up() -> None:
    async with changeable("axis") as (_, camera, http):
        assert "error" in await call(http, camera, "remotesyslog.cgi", "enable")
        await call(http, camera, "remotesyslog.cgi", "setup", {"servers": [{"address": "192.0.2.9", "port": 1514}]})
        await call(http, camera, "remotesyslog.cgi", "enable")
        status = await call(http, camera, "remotesyslog.cgi", "status")
        assert status["data"]["enabled"] is True
        assert status["data"]["servers"][0]["port"] == 1514


ERRORS: dict[str, tuple[str, bytes, int]] = {
    "no JSON": ("basicdeviceinfo.cgi", b"{", 4000),
    "another version": ("basicdeviceinfo.cgi", b'{"apiVersion": "9.0", "method": "getAllProperties"}', 2003),
    "an unknown method": ("basicdeviceinfo.cgi", b'{"apiVersion": "1.0", "method": "sing"}', 2004),
    "an unknown property": (
        "basicdeviceinfo.cgi",
        b'{"apiVersion": "1.0", "method": "getProperties", "params": {"propertyList": ["Mood"]}}',
        4002,
    ),
    "too many servers": (
        "ntp.cgi",
        b'{"apiVersion": "1.0", "method": "setNTPClientConfiguration", "params": {"staticServers": ["a", "b", "c"]}}',
        4002,
    ),
    "firmware: no JSON": ("firmwaremanagement.cgi", b"", 400),
    "firmware: an unknown method": ("firmwaremanagement.cgi", b'{"apiVersion": "1.0", "method": "sing"}', 405),
    "firmware: another version": ("firmwaremanagement.cgi", b'{"apiVersion": "9.0", "method": "status"}', 417),
}


@pytest.mark.parametrize(("page", "body", "code"), ERRORS.values(), ids=ERRORS)
async def test_an_error_is_a_number_in_a_200(page: str, body: bytes, code: int) -> None:
    async with changeable("axis") as (_, camera, http):
        auth = httpx.DigestAuth(*login_of(camera.plan))
        reply = await http.post(url(camera.plan, f"/axis-cgi/{page}"), content=body, auth=auth)
        assert reply.status_code == 200
        assert reply.headers["Content-Type"] == "application/json; charset=utf8"
        assert reply.json()["error"]["code"] == code


ANONYMOUS = {"basicdeviceinfo.cgi": "getAllUnrestrictedProperties", "systemready.cgi": "systemready"}


@pytest.mark.parametrize("page", PAGES)
async def test_without_a_login_little_is_said(page: str) -> None:
    async with changeable("axis") as (_, camera, http):
        name = page.rpartition("/")[2]
        asked = {"apiVersion": "1.0", "method": ANONYMOUS.get(name, "status")}
        reply = await http.post(url(camera.plan, page), json=asked)
        assert reply.status_code == (200 if name in (*ANONYMOUS, "apidiscovery.cgi") else 401) or is_closed(camera)


def is_closed(camera: Device) -> bool:
    """Two releases list their APIs behind a login."""
    return camera.plan.firmware.startswith(("9.80.", "10.12."))


GROUPS: dict[str, tuple[str, str, int]] = {
    "a viewer may ask who he is": ("viewer", "usergroup.cgi", 200),
    "a viewer may not list parameters": ("viewer", "param.cgi?action=list&group=Brand", 401),
    "a viewer may not list accounts": ("viewer", "pwdgrp.cgi?action=get", 401),
    "root may": ("root", "pwdgrp.cgi?action=get", 200),
}


@pytest.mark.parametrize(("name", "page", "status"), GROUPS.values(), ids=GROUPS)
async def test_groups_are_respected_and_a_right_password_is_never_counted(name: str, page: str, status: int) -> None:
    async with changeable("axis") as (_, camera, http):
        auth = httpx.DigestAuth(*account(camera, name))
        assert (await http.get(url(camera.plan, f"/axis-cgi/{page}"), auth=auth)).status_code == status
        assert camera.guard.wrong_tries == {}


async def test_the_usual_policy_is_digest_in_clear_text_and_basic_inside_tls() -> None:
    async with changeable("axis") as (_, camera, http):
        page = "/axis-cgi/usergroup.cgi"
        clear = await http.get(url(camera.plan, page))
        inside = await http.get(url(camera.plan, page, tls=True))
        assert clear.headers.get_list("WWW-Authenticate")[0].startswith("Digest ")
        assert [h.partition(" ")[0] for h in inside.headers.get_list("WWW-Authenticate")] == ["Basic"]
        secret = base64.b64encode(":".join(login_of(camera.plan)).encode()).decode()
        basic = {"Authorization": f"Basic {secret}"}
        assert (await http.get(url(camera.plan, page, tls=True), headers=basic)).status_code == 200
        assert (await http.get(url(camera.plan, page), headers=basic)).status_code == 401


async def test_one_sends_plain_http_to_https_once_that_is_the_policy() -> None:
    async with changeable("axis", faults={"vapix-redirects": 1}) as (_, camera, http):
        asked = f"{url(camera.plan, '/axis-cgi/param.cgi')}?action=list&group=Brand"
        reply = await http.get(asked)
        assert reply.status_code == 302
        assert reply.headers["Location"] == asked.replace("http://", "https://").replace(":8080", ":8443")
        camera.become(replace(camera.plan, redirects_to_https=False))
        assert (await http.get(asked)).status_code == 401

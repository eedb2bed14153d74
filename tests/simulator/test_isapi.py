"""Raw HTTP in, documents out: the hikvision family's own API."""

from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from simulator.isapi.documents import NAMESPACES
from simulator.isapi.settings import NOBODY
from simulator.plan import NEVER_LOCKS, App, CameraPlan, SyslogServer
from tests.simulator.asking import client, digest_of, estate, url
from tests.simulator.asking_isapi import edited, isapi, namespace_of, word
from tests.simulator.changing import changeable, is_open, until_port

READ = {
    "who it is": ("System/deviceInfo", "<firmwareVersion>V5.7."),
    "for how long it is up": ("System/status", "<deviceUpTime>7800<"),
    "what its login thinks of itself": ("Security/userCheck", "<isDefaultPassword>false</isDefaultPassword>"),
    "who may log in": ("Security/users", "<userLevel>Administrator</userLevel>"),
    "one who may log in": ("Security/users/1", "<userName>admin</userName>"),
    "who may log in by ONVIF": ("Security/ONVIF/users", "<userType>mediaUser</userType>"),
    "its lock": ("Security/illegalLoginLock", "<maxIllegalLoginLockTime>1800</maxIllegalLoginLockTime>"),
    "its ports": ("Security/adminAccesses", "<protocol>DEV_MANAGE</protocol>"),
    "one of its ports": ("Security/adminAccesses/4", "<protocol>HTTPS</protocol>"),
    "its clock": ("System/time", "<timeMode>NTP</timeMode>"),
    "its time server": ("System/time/ntpServers", "<addressingFormatType>hostname</addressingFormatType>"),
    "what it can": ("Security/capabilities", '<LoginPasswordLenLimit min="8" max="16">'),
    "its address": ("System/Network/interfaces", "<NetworkInterfaceList version="),
    "its programs": ("Custom/OpenPlatform/App", "<AppList version="),
    "that nothing is written": ("System/upgradeStatus", "<percent>0</percent>"),
    "its certificate": ("Security/serverCertificate/certificates?format=json", '"type": "HTTPS"'),
}


@pytest.mark.parametrize(("path", "said"), READ.values(), ids=READ)
async def test_it_says(path: str, said: str) -> None:
    async with changeable() as (_, camera, http):
        reply = await isapi(http, camera, "GET", path)
        assert reply.status_code == 200
        assert said in reply.text


async def test_three_namespaces_are_in_the_wild_and_each_camera_keeps_to_one() -> None:
    async with estate(cameras=12, mix={"hikvision": 1}) as running, client() as http:
        seen = set()
        for camera in running.cameras:
            replies = [await isapi(http, camera, "GET", path) for path in ("System/time", "Security/users")]
            (one,) = {namespace_of(reply) for reply in replies}
            seen.add(one)
        assert seen == set(NAMESPACES)


OK = (200, "ok")
SWITCHED_ON = ("<enabled>false", "<enabled>true")
SWITCHED_OFF = ("<enabled>true", "<enabled>false")
HTTPS_OFF = ("<id>4</id>\n<enabled>true", "<id>4</id>\n<enabled>false")
HTTP_OFF = ("<id>1</id>\n<enabled>true", "<id>1</id>\n<enabled>false")
RTSP_OFF = ("<id>3</id>\n<enabled>true", "<id>3</id>\n<enabled>false")
ENTRY = "<IPFilterAddress><id>1</id><AddressMask><ipAddress>192.0.2.1</ipAddress></AddressMask></IPFilterAddress>"
SETTINGS: dict[
    str, tuple[str, tuple[tuple[str, str], ...], tuple[int, str], Callable[[CameraPlan], object], object]
] = {
    "SSH on": ("System/Network/ssh", (SWITCHED_ON,), OK, lambda p: [e.service for e in p.extra_ports], ["ssh"]),
    "Telnet on": ("System/Network/telnetd", (SWITCHED_ON,), OK, lambda p: p.extra_ports[0].service, "telnet"),
    "UPnP off": ("System/Network/UPnP", (SWITCHED_OFF,), OK, lambda p: p.parameters, (("UPnP/enabled", "false"),)),
    "Bonjour off": (
        "System/Network/Bonjour",
        (SWITCHED_OFF,),
        OK,
        lambda p: p.parameters,
        (("Bonjour/enabled", "false"),),
    ),
    "SNMP on, which wants a restart": (
        "System/Network/SNMP",
        (SWITCHED_ON,),
        (200, "rebootRequired"),
        lambda p: dict(p.parameters)["SNMP/SNMPv1c/enabled"],
        "true",
    ),
    "the clock by hand": (
        "System/time",
        (("<timeMode>NTP", "<timeMode>manual"),),
        OK,
        lambda p: p.clock_source,
        "Manual",
    ),
    "a clock that is none": ("System/time", (("<timeMode>NTP", "<timeMode>sun"),), (400, "badParameters"), repr, None),
    "a log server": (
        "System/logServer",
        (
            SWITCHED_ON,
            (NOBODY, "192.0.2.8"),
            ("<portNo>514", "<portNo>6514"),
            ("Encryption>false", "Encryption>true"),
        ),
        OK,
        lambda p: (p.syslog_on, p.syslog),
        (True, (SyslogServer("192.0.2.8", 6514, "TLS", "info"),)),
    ),
    "a log server that is nowhere": ("System/logServer", (SWITCHED_ON,), (400, "badParameters"), repr, None),
    "the lock off": ("Security/illegalLoginLock", (SWITCHED_OFF,), OK, lambda p: p.lock_after, NEVER_LOCKS),
    "a stricter lock": (
        "Security/illegalLoginLock",
        (("Times>7<", "Times>3<"), ("Time>1800<", "Time>3600<")),
        OK,
        lambda p: (p.lock_after, p.lock_s),
        (3, 3600),
    ),
    "a lock after one try": (
        "Security/illegalLoginLock",
        (("Times>7<", "Times>1<"),),
        (400, "badParameters"),
        lambda p: p.lock_after,
        7,
    ),
    "RTSP off": ("Security/adminAccesses", (RTSP_OFF,), OK, lambda p: p.rtsp_on, False),
    "HTTPS off": ("Security/adminAccesses", (HTTPS_OFF,), OK, lambda p: p.https_port is None, True),
    "no way in": (
        "Security/adminAccesses",
        (HTTPS_OFF, HTTP_OFF),
        (403, "invalidOperation"),
        lambda p: p.https_port is None,
        False,
    ),
    "the SDK's port, which has no switch": (
        "Security/adminAccesses",
        (("<portNo>8000", "<portNo>8001"),),
        (400, "badParameters"),
        repr,
        None,
    ),
    "who may come in by address": (
        "System/Network/ipFilter",
        (
            SWITCHED_ON,
            ("deny", "allow"),
            (
                '<IPFilterAddressList size="48">\n',
                f"<IPFilterAddressList>{ENTRY}",
            ),
        ),
        OK,
        lambda p: dict(p.parameters)["IPFilter/addresses"],
        "192.0.2.1",
    ),
}


@pytest.mark.parametrize(("path", "changes", "said", "field", "wanted"), SETTINGS.values(), ids=SETTINGS)
async def test_a_document_that_comes_back_whole_is_taken(
    path: str,
    changes: tuple[tuple[str, str], ...],
    said: tuple[int, str],
    field: Callable[[CameraPlan], object],
    wanted: object,
) -> None:
    async with changeable(faults={"http-cleartext-management": 1}) as (_, camera, http):
        before = camera.plan
        assert word(await edited(http, camera, path, *changes)) == said
        if wanted is None:
            assert camera.plan == before
        else:
            assert field(camera.plan) == wanted


async def test_a_time_server_is_named_by_address_or_by_name() -> None:
    async with changeable() as (_, camera, http):
        camera.become(replace(camera.plan, ntp_servers=("192.0.2.1",), ntp_from_dhcp=True))
        path = "System/time/ntpServers"
        assert word(await edited(http, camera, path, ("192.0.2.1", "192.0.2.7"))) == OK
        assert (camera.plan.ntp_servers, camera.plan.ntp_from_dhcp) == (("192.0.2.7",), False)
        named = (("ipaddress", "hostname"), ("<ipAddress>192.0.2.7</ipAddress>", "<hostName>ntp.lan</hostName>"))
        assert word(await edited(http, camera, path, *named)) == OK
        assert camera.plan.ntp_servers == ("ntp.lan",)


async def test_a_service_that_is_switched_on_listens() -> None:
    async with changeable() as (_, camera, http):
        await edited(http, camera, "System/Network/telnetd", SWITCHED_ON)
        (extra,) = camera.plan.extra_ports
        await until_port(camera.plan.address, extra.port, opened=True)
        await edited(http, camera, "System/Network/telnetd", SWITCHED_OFF)
        await until_port(camera.plan.address, extra.port, opened=False)
        assert not await is_open(camera.plan.address, extra.port)


BAD_BODIES = {
    "a minimal document": ("<UPnP><enabled>false</enabled></UPnP>", (400, "badXmlContent")),
    "another document": ("<SSH><enabled>false</enabled></SSH>", (400, "badXmlContent")),
    "another camera's namespace": (
        '<UPnP xmlns="urn:x"><enabled>false</enabled><name>x</name></UPnP>',
        (400, "badXmlContent"),
    ),
    "a switch that is neither": ("<UPnP><enabled>maybe</enabled><name>x</name></UPnP>", (400, "badParameters")),
    "no XML": ("enabled=false", (400, "badXmlFormat")),
    "nothing": ("", (400, "badXmlFormat")),
    "no namespace": ("<UPnP><enabled>false</enabled><name>x</name></UPnP>", OK),
}


@pytest.mark.parametrize(("body", "said"), BAD_BODIES.values(), ids=BAD_BODIES)
async def test_less_than_the_whole_document_is_refused(body: str, said: tuple[int, str]) -> None:
    async with changeable() as (_, camera, http):
        before = camera.plan
        reply = await isapi(http, camera, "PUT", "System/Network/UPnP", body)
        assert word(reply) == said
        assert (camera.plan == before) is (said != OK)
        if said == (400, "badXmlContent"):
            assert "<statusString>Invalid XML Content</statusString>" in reply.text


TURNED_AWAY = {
    "what does not exist": ("GET", "System/Network/teapot", "admin", (403, "notSupport")),
    "a method that is none": ("DELETE", "System/time", "admin", (405, "methodNotAllowed")),
    "a change by a viewer": ("PUT", "System/time", "viewer", (403, "lowPrivilege")),
    "accounts, to a viewer": ("GET", "Security/users", "viewer", (403, "lowPrivilege")),
    "a change of what is only read": ("PUT", "System/deviceInfo", "admin", (405, "methodNotAllowed")),
    "an account that does not exist": ("GET", "Security/users/99", "admin", (403, "invalidOperation")),
    "the vendor's own account away": ("DELETE", "Security/users/1", "admin", (403, "invalidOperation")),
    "an application that does not exist": (
        "PUT",
        "Custom/OpenPlatform/App/7/start",
        "admin",
        (403, "invalidOperation"),
    ),
    "an application put on": ("POST", "Custom/OpenPlatform/App", "admin", (403, "notSupport")),
}


@pytest.mark.parametrize(("method", "path", "who", "said"), TURNED_AWAY.values(), ids=TURNED_AWAY)
async def test_it_says_no_in_its_own_words(method: str, path: str, who: str, said: tuple[int, str]) -> None:
    async with changeable() as (_, camera, http):
        account = next(a for a in camera.plan.accounts if a.name == who)
        auth = httpx.DigestAuth(account.name, account.password)
        assert word(await isapi(http, camera, method, path, auth=auth)) == said


# --- programs, the log, the configuration, pictures ---


async def test_programs_start_and_stop_by_their_number() -> None:
    async with changeable() as (_, camera, http):
        camera.become(replace(camera.plan, apps=(App("face", "Face Capture", "HIKVISION", "1", running=False),)))
        listed = await isapi(http, camera, "GET", "Custom/OpenPlatform/App")
        assert "<packageName>Face Capture</packageName>" in listed.text
        assert word(await isapi(http, camera, "PUT", "Custom/OpenPlatform/App/1/start")) == OK
        assert camera.plan.apps[0].running
        assert word(await isapi(http, camera, "PUT", "Custom/OpenPlatform/App/1/stop")) == OK
        assert not camera.plan.apps[0].running


SEARCH = (
    "<CMSearchDescription><searchID>S-1</searchID><metaId>log.std-cgi.com</metaId><timeSpanList><timeSpan>"
    "<startTime>2000-01-01T00:00:00Z</startTime><endTime>2100-01-01T00:00:00Z</endTime></timeSpan></timeSpanList>"
    "<maxResults>2</maxResults><searchResultPostion>{}</searchResultPostion></CMSearchDescription>"
)


async def test_the_log_is_searched_page_by_page() -> None:
    async with changeable() as (_, camera, http):
        first = await isapi(http, camera, "POST", "ContentMgmt/logSearch", SEARCH.format(0))
        assert "<responseStatusStrg>MORE</responseStatusStrg>" in first.text
        assert first.text.count("<logDescriptor>") == 2
        rest = await isapi(http, camera, "POST", "ContentMgmt/logSearch", SEARCH.format(2))
        assert "<responseStatusStrg>OK</responseStatusStrg>" in rest.text
        assert rest.text.count("<logDescriptor>") == 1


async def test_the_configuration_goes_out_and_in_again() -> None:
    async with changeable() as (_, camera, http):
        saved = (await isapi(http, camera, "GET", "System/configurationData")).content
        before = camera.plan.extra_ports
        await edited(http, camera, "System/Network/ssh", SWITCHED_ON)
        path, binary = "System/configurationData", "application/octet-stream"
        assert word(await isapi(http, camera, "PUT", path, b"x", content_type=binary)) == (400, "badParameters")
        reply = await isapi(http, camera, "PUT", path, saved, content_type=binary)
        assert word(reply) == (200, "rebootRequired")
        assert camera.plan.extra_ports == before
        assert camera.boots == 1


async def test_a_picture_wants_a_login() -> None:
    async with changeable() as (_, camera, http):
        page = url(camera.plan, "/ISAPI/Streaming/channels/101/picture")
        assert (await http.get(page)).status_code == 401
        assert (await http.get(page, auth=digest_of(camera.plan))).content.startswith(b"\xff\xd8\xff")

"""The ONVIF services: access classes, faults, odd answers; and what a client that is not ours reads."""

import asyncio
import gzip
import importlib.util
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import zeep
from lxml import etree
from zeep.wsse.username import UsernameToken

from simulator.odd import HUGE_BYTES
from simulator.onvif import NAMESPACES, TEMPLATES
from simulator.plan import CameraPlan
from simulator.vendors import VENDORS
from tests.simulator.asking import ask, ask_logged_in, client, envelope, estate, login_of, security

OPEN_TO_ALL = ("GetSystemDateAndTime", "GetServices", "GetServiceCapabilities", "GetCapabilities", "GetHostname")
PREFIXES = {"device": "tds", "media": "trt", "media2": "tr2"}
OPERATIONS = [
    f"{PREFIXES[service]}:{file.stem}"
    for service in PREFIXES
    for file in sorted((TEMPLATES / service).glob("Get*.xml"))
]
PROFILE = "<ProfileToken>profile_1</ProfileToken>"


def test_there_are_operations_to_test() -> None:
    assert {"tds:GetUsers", "trt:GetProfiles", "tr2:GetStreamUri"} <= set(OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_answers_well_formed_xml_to_whoever_may_ask(operation: str) -> None:
    async with estate(mix={"axis": 1}) as running, client() as http:
        plan = running.plan.cameras[0]
        reply = await ask_logged_in(http, plan, operation, inside=PROFILE)
        assert reply.status_code == 200
        assert reply.headers["Content-Type"].startswith("application/soap+xml")
        answer = etree.fromstring(reply.content)[0][0]
        assert etree.QName(answer).localname == f"{operation.partition(':')[2]}Response"
        stranger = await ask(http, plan, operation, inside=PROFILE)
        is_open = operation.startswith("tds:") and operation[4:] in (*OPEN_TO_ALL, "GetEndpointReference", "GetWsdlUrl")
        assert (stranger.status_code == 200) == (is_open or operation.endswith(":GetServiceCapabilities"))


FAULTS: Mapping[str, tuple[str, str, int, str]] = {
    "an operation that it lacks": ("tds:GetDPAddresses", "", 500, "ter:ActionNotSupported"),
    "a profile that it lacks": ("trt:GetStreamUri", "<ProfileToken>x</ProfileToken>", 400, "ter:NoProfile"),
    "no profile named": ("tr2:GetSnapshotUri", "", 400, "ter:NoProfile"),
}


@pytest.mark.parametrize(("operation", "inside", "status", "code"), FAULTS.values(), ids=FAULTS)
async def test_refuses_by_the_standards_faults(operation: str, inside: str, status: int, code: str) -> None:
    async with estate(mix={"axis": 1}) as running, client() as http:
        reply = await ask_logged_in(http, running.plan.cameras[0], operation, inside=inside)
        assert reply.status_code == status
        assert code in reply.text


@pytest.mark.parametrize("body", ["", "hello", "<html></html>", "<s:Envelope xmlns:s='x'></s:Envelope>"])
async def test_what_is_no_soap_is_not_well_formed(body: str) -> None:
    async with estate() as running, client() as http:
        plan = running.plan.cameras[0]
        reply = await http.post(f"http://{plan.address}:{plan.port}/onvif/device_service", content=body)
        assert reply.status_code == 400
        assert "ter:WellFormed" in reply.text


async def test_faults_can_hide_under_http_200() -> None:
    async with estate(faults={"fault-200": 1}) as running, client() as http:
        reply = await ask(http, running.plan.cameras[0], "tds:GetUsers")
        assert reply.status_code == 200
        assert "ter:NotAuthorized" in reply.text


async def test_an_anonymous_camera_tells_everybody() -> None:
    async with estate(faults={"anonymous-onvif": 1}) as running, client() as http:
        assert "camwarden" in (await ask(http, running.plan.cameras[0], "tds:GetUsers")).text


async def test_a_camera_without_media_1_neither_announces_nor_serves_it() -> None:
    async with estate(mix={"axis": 1}, faults={"media2-only": 1}) as running, client() as http:
        plan = running.plan.cameras[0]
        assert "ver10/media/wsdl</" not in (await ask(http, plan, "tds:GetServices")).text
        assert "ter:ActionNotSupported" in (await ask_logged_in(http, plan, "trt:GetProfiles")).text
        assert (await ask_logged_in(http, plan, "tr2:GetProfiles")).status_code == 200


XADDRS = {
    "nat-xaddr": "http://192.168.1.64:8080/onvif/device_service",
    "metadata-xaddr": "http://169.254.169.254:8080/onvif/device_service",
    "http-xaddr": "http://{address}/onvif/device_service",
}


@pytest.mark.parametrize(("fault", "xaddr"), XADDRS.items(), ids=XADDRS)
async def test_where_a_camera_believes_to_be(fault: str, xaddr: str) -> None:
    async with estate(faults={fault: 1}) as running, client() as http:
        plan = running.plan.cameras[0]
        assert f"<tds:XAddr>{xaddr.format(address=plan.address)}</" in (await ask(http, plan, "tds:GetServices")).text


async def test_the_clock_is_off_by_what_the_plan_says() -> None:
    async with estate(faults={"clock-skew": 1}) as running, client() as http:
        plan = running.plan.cameras[0]
        answer = etree.fromstring((await ask(http, plan, "tds:GetSystemDateAndTime")).content)
        utc = answer.find(".//{*}UTCDateTime")
        assert utc is not None
        parts = ("Year", "Month", "Day", "Hour", "Minute", "Second")
        year, *rest = (int(utc.findtext(f".//{{*}}{part}", "")) for part in parts)
        skew = datetime(year, *rest, tzinfo=UTC) - datetime.now(UTC)  # type: ignore[arg-type,misc]
        assert abs(skew - timedelta(seconds=plan.clock_offset_s)) < timedelta(seconds=5)


async def test_a_time_that_cannot_be() -> None:
    async with estate(faults={"bad-time": 1}) as running, client() as http:
        reply = await ask(http, running.plan.cameras[0], "tds:GetSystemDateAndTime")
        assert "<tt:Minute>61</tt:Minute>" in reply.text


async def test_a_hostile_name_is_well_formed_and_hostile() -> None:
    async with estate(faults={"hostile-name": 1}) as running, client() as http:
        reply = await ask_logged_in(http, running.plan.cameras[0], "tds:GetDeviceInformation")
        model = etree.fromstring(reply.content).findtext(".//{*}Model")
        assert model is not None
        assert "<script>" in model
        assert "\u009b" in model


async def test_a_slow_camera_says_all_in_the_end() -> None:
    async with estate(faults={"slow": 1}) as running, client() as http:
        plan = running.plan.cameras[0]
        replies = [await ask(http, plan, "tds:GetServices") for _ in range(2)]
        assert all(reply.text.endswith("Envelope>") for reply in replies)


# --- odd answers ---


async def odd(fault: str, operation: str) -> httpx.Response:
    async with estate(mix={"axis": 1}, faults={fault: 1}) as running, client() as http:
        return await ask_logged_in(http, running.plan.cameras[0], operation)


async def test_html_where_xml_belongs() -> None:
    assert (await odd("html-for-xml", "tds:GetNTP")).text.startswith("<html>")


async def test_nothing_at_all_under_http_200() -> None:
    assert (await odd("empty-200", "tds:GetDiscoveryMode")).content == b""


async def test_half_an_answer() -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await odd("truncated-reply", "tds:GetUsers")


async def test_far_too_much_of_an_answer() -> None:
    assert len((await odd("huge-reply", "tds:GetNTP")).content) > HUGE_BYTES


async def test_entities_that_would_grow_without_end() -> None:
    text = (await odd("entity-bomb", "tds:GetDiscoveryMode")).text
    assert text.count("<!ENTITY") == 10
    assert "&j;" in text


async def test_a_small_body_that_unpacks_to_a_huge_one() -> None:
    async with estate(mix={"axis": 1}, faults={"gzip-bomb": 1}) as running:
        plan = running.plan.cameras[0]
        reader, writer = await asyncio.open_connection(plan.address, plan.http_port)
        reply = await raw_reply(reader, writer, plan)
        writer.close()
        await writer.wait_closed()
    head, _, body = reply.partition(b"\r\n\r\n")
    assert b"Content-Encoding: gzip" in head
    assert len(body) < 1024 * 1024
    assert gzip.decompress(body[: len(body) // 256]) == b" " * (1024 * 1024)


async def raw_reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, plan: CameraPlan) -> bytes:
    """Through WS-Security, since nothing here may unpack the answer."""
    body = envelope("tds:GetUsers", header=security(*login_of(plan))).encode()
    writer.write(b"POST /onvif/device_service HTTP/1.1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body))
    writer.write(body)
    return await reader.read()


# --- a client that is not ours ---


def wsdl(name: str) -> str:
    """The schemas as ONVIF published them, from a package that ships them; it is not imported."""
    found = importlib.util.find_spec("onvif")
    assert found is not None
    assert found.submodule_search_locations
    return str(Path(found.submodule_search_locations[0]) / "wsdl" / name)


QUESTIONS: Mapping[tuple[str, str, str], Mapping[str, Mapping[str, object]]] = {
    ("devicemgmt.wsdl", "DeviceBinding", "device"): {
        "GetDeviceInformation": {},
        "GetSystemDateAndTime": {},
        "GetCapabilities": {"Category": "All"},
        "GetServices": {"IncludeCapability": False},
        "GetServiceCapabilities": {},
        "GetScopes": {},
        "GetUsers": {},
        "GetNetworkProtocols": {},
        "GetNetworkInterfaces": {},
        "GetHostname": {},
        "GetNTP": {},
        "GetDiscoveryMode": {},
        "GetEndpointReference": {},
        "GetWsdlUrl": {},
    },
    ("media.wsdl", "MediaBinding", "media"): {
        "GetProfiles": {},
        "GetSnapshotUri": {"ProfileToken": "profile_1"},
        "GetStreamUri": {
            "StreamSetup": {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}},
            "ProfileToken": "profile_2",
        },
    },
}


def read_with_zeep(plan: CameraPlan) -> Mapping[str, Any]:
    """Strict: an answer that breaks the schema raises."""
    answers: dict[str, Any] = {}
    token = UsernameToken(*login_of(plan), use_digest=True, zulu_timestamp=True)  # type: ignore[no-untyped-call]
    for (file, binding, service), operations in QUESTIONS.items():
        namespace = next(uri for uri, name in NAMESPACES.items() if name == service)
        with requests.Session() as session:
            reading = zeep.Client(wsdl(file), wsse=token, transport=zeep.Transport(session=session))  # type: ignore[no-untyped-call]
            address = f"http://{plan.address}:{plan.port}/onvif/{service}_service"
            asking = reading.create_service(f"{{{namespace}}}{binding}", address)  # type: ignore[no-untyped-call]
            answers.update({name: asking[name](**arguments) for name, arguments in operations.items()})
    return answers


@pytest.mark.parametrize("family", VENDORS)
async def test_an_independent_client_reads_everything(family: str) -> None:
    async with estate(mix={family: 1}, faults={"wsse-only": 1}) as running:
        plan = running.plan.cameras[0]
        said = await asyncio.to_thread(read_with_zeep, plan)
    assert said["GetDeviceInformation"].SerialNumber == plan.serial
    assert {user.Username for user in said["GetUsers"]} == {account.name for account in plan.accounts}
    assert [profile.token for profile in said["GetProfiles"]] == ["profile_1", "profile_2"]
    assert said["GetStreamUri"].Uri.startswith(f"rtsp://{plan.address}:{plan.rtsp_port}/")
    assert said["GetDiscoveryMode"] == "NonDiscoverable"

"""Front pages, snapshots, vendor signals, and the manners of the HTTP server."""

import asyncio
from collections.abc import Mapping

import pytest

from simulator.onvif import snapshot_target
from tests.simulator.asking import ask, client, digest_of, estate, url

FRONT: Mapping[str, tuple[Mapping[str, int], bool, int, str | None]] = {
    "plain HTTP sends to TLS": ({}, False, 302, "https://{address}:8443/"),
    "TLS asks for a login": ({}, True, 401, None),
    "plain HTTP that stays": ({"http-cleartext-management": 1}, False, 401, None),
    "no TLS to send to": ({"no-https": 1}, False, 401, None),
    "sent to another host": ({"redirect-elsewhere": 1}, False, 302, "http://192.0.2.1/login.html"),
    "nobody to log in as yet": ({"factory-default": 1}, True, 200, None),
}


@pytest.mark.parametrize(("faults", "tls", "status", "location"), FRONT.values(), ids=FRONT)
async def test_the_front_page(faults: Mapping[str, int], tls: bool, status: int, location: str | None) -> None:
    async with estate(faults=faults) as running, client() as http:
        plan = running.plan.cameras[0]
        reply = await http.get(url(plan, "/", tls=tls))
        assert reply.status_code == status
        assert reply.headers.get("Location") == (location.format(address=plan.address) if location else None)
        assert ("WWW-Authenticate" in reply.headers) == (status == 401)


@pytest.mark.parametrize("fault", [None, "anonymous-snapshot"])
async def test_a_snapshot_wants_a_login_unless_it_does_not(fault: str | None) -> None:
    async with estate(faults={fault: 1} if fault else {}) as running, client() as http:
        plan = running.plan.cameras[0]
        page = url(plan, snapshot_target(plan, 1))
        assert (await http.get(page)).status_code == (200 if fault else 401)
        picture = (await http.get(page, auth=digest_of(plan))).content
        assert picture.startswith(b"\xff\xd8\xff")
        assert picture.endswith(b"\xff\xd9")


SIGNALS: Mapping[str, tuple[str, str, Mapping[str, int], str]] = {
    "Axis, set up": ("axis", "/axis-cgi/systemready.cgi", {}, '"needsetup": "no"'),
    "Axis, new": ("axis", "/axis-cgi/systemready.cgi", {"factory-default": 1}, '"needsetup": "yes"'),
    "Hikvision, set up": ("hikvision", "/SDK/activateStatus", {}, "<Activated>true</Activated>"),
    "Hikvision, new": ("hikvision", "/SDK/activateStatus", {"factory-default": 1}, "<Activated>false</Activated>"),
}


@pytest.mark.parametrize(("family", "path", "faults", "said"), SIGNALS.values(), ids=SIGNALS)
async def test_a_vendor_says_whether_it_was_set_up(
    family: str, path: str, faults: Mapping[str, int], said: str
) -> None:
    async with estate(mix={family: 1}, faults=faults) as running, client() as http:
        asked = b'{"apiVersion": "1.1", "method": "systemready"}'
        assert said in (await http.request("POST", url(running.plan.cameras[0], path), content=asked)).text


@pytest.mark.parametrize(("fault", "state"), [(None, "Operational"), ("factory-default", "FactoryDefault")])
async def test_the_profile_q_scope(fault: str | None, state: str) -> None:
    faults = {"anonymous-onvif": 1} if fault is None else {fault: 1}
    async with estate(faults=faults) as running, client() as http:
        reply = await ask(http, running.plan.cameras[0], "tds:GetScopes")
        assert f"onvif://www.onvif.org/Profile/Q/{state}<" in reply.text


async def test_other_pages_do_not_exist() -> None:
    async with estate() as running, client() as http:
        assert (await http.get(url(running.plan.cameras[0], "/wp-admin"))).status_code == 404


RAW: Mapping[str, tuple[bytes, bytes]] = {
    "not HTTP": (b"hello\r\n\r\n", b"HTTP/1.1 400 "),
    "a head without end": (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 4000, b"HTTP/1.1 431 "),
    "a body too large": (b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", b"HTTP/1.1 413 "),
    "a length that is none": (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"HTTP/1.1 400 "),
    "chunks": (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"HTTP/1.1 411 "),
    "a polite question": (
        b"POST /x HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ),
    "two at once": (b"GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\nConnection: close\r\n\r\n", b"HTTP/1.1 404 "),
}


@pytest.mark.parametrize(("sent", "answer"), RAW.values(), ids=RAW)
async def test_the_manners_of_the_server(sent: bytes, answer: bytes) -> None:
    async with estate() as running:
        plan = running.plan.cameras[0]
        reader, writer = await asyncio.open_connection(plan.address, plan.http_port)
        writer.write(sent)
        reply = await reader.readexactly(len(answer))
        writer.close()
        await writer.wait_closed()
    assert reply == answer


LAST: Mapping[str, bytes] = {
    "asked to close": b"GET /x HTTP/1.1\r\nConnection: close\r\n\r\n",
    "an old client": b"GET /x HTTP/1.0\r\n\r\n",
    "no body to a HEAD": b"HEAD /x HTTP/1.0\r\n\r\n",
}


@pytest.mark.parametrize("sent", LAST.values(), ids=LAST)
async def test_hangs_up_where_the_client_expects_it(sent: bytes) -> None:
    async with estate() as running:
        plan = running.plan.cameras[0]
        reader, writer = await asyncio.open_connection(plan.address, plan.http_port)
        writer.write(sent)
        reply = await reader.read()
        writer.close()
        await writer.wait_closed()
    assert reply.endswith(b"\r\n\r\n") == sent.startswith(b"HEAD")


async def test_requests_sent_together_are_answered_one_by_one() -> None:
    async with estate(faults={"slow": 1}) as running:
        plan = running.plan.cameras[0]
        reader, writer = await asyncio.open_connection(plan.address, plan.http_port)
        writer.write(b"GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).count(b"HTTP/1.1 404 ") == 2
        writer.close()
        await writer.wait_closed()

"""Doors that should not be there, and what else answers in a network."""

import asyncio
from collections.abc import Mapping

import httpx
import pytest

from tests.simulator.asking import client, envelope, estate, security

GREETINGS: Mapping[str, tuple[int, bytes]] = {
    "telnet-open": (2323, b"\xff\xfd\x18\xff\xfd\x20"),
    "ftp-open": (2121, b"220 "),
}


@pytest.mark.parametrize(("fault", "port", "said"), [(f, *row) for f, row in GREETINGS.items()], ids=GREETINGS)
async def test_an_open_port_says_what_it_is(fault: str, port: int, said: bytes) -> None:
    async with estate(faults={fault: 1}) as running:
        reader, writer = await asyncio.open_connection(running.plan.cameras[0].address, port)
        assert (await reader.readexactly(len(said))) == said
        if fault == "telnet-open":
            assert b"login: " in await reader.readuntil(b"login: ")
        writer.close()
        await writer.wait_closed()


async def test_an_unexpected_port_accepts_and_says_nothing() -> None:
    async with estate(mix={"hikvision": 1}, faults={"unexpected-port": 1}) as running:
        reader, writer = await asyncio.open_connection(running.plan.cameras[0].address, 8000)
        writer.write(b"hello\r\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.1)
        writer.close()
        await writer.wait_closed()


async def test_a_clean_camera_has_three_open_ports() -> None:
    async with estate() as running:
        for port in (23, 21, 2323, 2121, 8000, 9000, 34567, 37777):
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(running.plan.cameras[0].address, port)


# --- decoys ---

GET, SOAP = "GET", "POST"
DECOYS: Mapping[str, tuple[str, str, str, int, str]] = {
    "a bland page for everything": ("yes-to-everything", GET, "/cgi-bin/anything", 200, "<p>OK</p>"),
    "even for ONVIF": ("yes-to-everything", SOAP, "/onvif/device_service", 200, "<p>OK</p>"),
    "a router asks for Basic": ("router", GET, "/", 401, "401 Unauthorized"),
    "whatever the question": ("router", SOAP, "/onvif/device_service", 401, "401 Unauthorized"),
    "a printer shows its toner": ("printer", GET, "/", 200, "Toner"),
    "and has no ONVIF": ("printer", SOAP, "/onvif/device_service", 404, "Not Found"),
    "rubbish where ONVIF should be": ("garbled", SOAP, "/onvif/device_service", 200, "<<&"),
    "and nothing elsewhere": ("garbled", GET, "/", 404, "Not Found"),
}


@pytest.mark.parametrize(("kind", "method", "path", "status", "said"), DECOYS.values(), ids=DECOYS)
async def test_a_decoy_is_no_camera(kind: str, method: str, path: str, status: int, said: str) -> None:
    async with estate(cameras=0, decoys=6) as running, client() as http:
        plan = next(plan for plan in running.plan.decoys if plan.kind == kind)
        body = envelope("tds:GetSystemDateAndTime") if method == SOAP else None
        reply = await http.request(method, f"http://{plan.address}:{plan.port}{path}", content=body)
        assert reply.status_code == status
        assert said in reply.text


async def test_the_silent_decoy_accepts_and_never_answers() -> None:
    async with estate(cameras=0, decoys=6) as running, client() as http:
        plan = next(plan for plan in running.plan.decoys if plan.kind == "silent")
        with pytest.raises(httpx.ReadTimeout):
            await http.get(f"http://{plan.address}:{plan.port}/", timeout=0.2)


async def test_the_box_with_rtsp_alone_has_nothing_else() -> None:
    async with estate(cameras=0, decoys=6) as running:
        plan = next(plan for plan in running.plan.decoys if plan.kind == "rtsp-only")
        reader, writer = await asyncio.open_connection(plan.address, plan.port)
        writer.write(b"DESCRIBE rtsp://x/ RTSP/1.0\r\nCSeq: 1\r\nAuthorization: Digest x\r\n\r\n")
        assert (await reader.readline()) == b"RTSP/1.0 401 Unauthorized\r\n"
        writer.close()
        await writer.wait_closed()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(plan.address, 8080)
        assert running.decoys[plan].logins == 1


@pytest.mark.parametrize("by_header", [True, False], ids=["Basic", "WS-Security"])
async def test_a_login_sent_to_a_decoy_is_noticed(by_header: bool) -> None:
    async with estate(cameras=0, decoys=2) as running, client() as http:
        plan, decoy = list(running.decoys.items())[1]
        await http.post(
            f"http://{plan.address}:{plan.port}/onvif/device_service",
            auth=("admin", "admin") if by_header else httpx.USE_CLIENT_DEFAULT,
            content=envelope("tds:GetUsers", header="" if by_header else security("admin", "admin")),
        )
        assert decoy.logins == 1

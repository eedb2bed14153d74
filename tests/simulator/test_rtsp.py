"""The RTSP door: who may describe what."""

import asyncio
import hashlib
from collections.abc import Mapping

import pytest

from simulator.onvif import stream_path
from simulator.plan import CameraPlan
from tests.simulator.asking import estate, login_of


async def say(plan: CameraPlan, *requests: str) -> list[str]:
    """The answers to these requests over one connection, each up to its last header or body line."""
    reader, writer = await asyncio.open_connection(plan.address, plan.rtsp_port)
    answers = []
    for request in requests:
        writer.write(request.encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next((int(line[15:]) for line in head.splitlines() if line.startswith("Content-Length:")), 0)
        answers.append(head + (await reader.readexactly(length)).decode())
    writer.close()
    await writer.wait_closed()
    return answers


def request(plan: CameraPlan, method: str, path: str, headers: str = "") -> str:
    return f"{method} rtsp://{plan.address}:{plan.rtsp_port}{path} RTSP/1.0\r\nCSeq: 7\r\n{headers}\r\n"


def digest(plan: CameraPlan, challenge: str, path: str, *, password: str | None = None) -> str:
    name, right = login_of(plan)
    uri = f"rtsp://{plan.address}:{plan.rtsp_port}{path}"
    realm, nonce = (challenge.partition(f'{key}="')[2].partition('"')[0] for key in ("realm", "nonce"))
    hashed = hashlib.sha256 if "SHA-256" in challenge else hashlib.md5
    ha1 = hashed(f"{name}:{realm}:{password or right}".encode()).hexdigest()
    ha2 = hashed(f"DESCRIBE:{uri}".encode()).hexdigest()
    answer = hashed(f"{ha1}:{nonce}:{ha2}".encode()).hexdigest()
    algorithm = "SHA-256" if "SHA-256" in challenge else "MD5"
    return (
        f'Authorization: Digest username="{name}", realm="{realm}", nonce="{nonce}", uri="{uri}", '
        f'algorithm={algorithm}, response="{answer}"\r\n'
    )


STRANGERS: Mapping[str, tuple[Mapping[str, int], str, str, str]] = {
    "options for everybody": ({}, "OPTIONS", "", "RTSP/1.0 200 OK"),
    "a stream wants a login": ({}, "DESCRIBE", "", "RTSP/1.0 401 Unauthorized"),
    "so does one that does not exist": ({}, "DESCRIBE", "/none", "RTSP/1.0 401 Unauthorized"),
    "an anonymous stream": ({"anonymous-rtsp": 1}, "DESCRIBE", "", "RTSP/1.0 200 OK"),
    "no anonymous stream there": ({"anonymous-rtsp": 1}, "DESCRIBE", "/none", "RTSP/1.0 404 Not Found"),
    "a locked camera": ({"locked": 1}, "DESCRIBE", "", "RTSP/1.0 403 Forbidden"),
    "nothing is streamed": ({}, "SETUP", "", "RTSP/1.0 501 Not Implemented"),
}


@pytest.mark.parametrize(("faults", "method", "path", "status"), STRANGERS.values(), ids=STRANGERS)
async def test_what_a_stranger_gets(faults: Mapping[str, int], method: str, path: str, status: str) -> None:
    async with estate(faults=faults) as running:
        plan = running.plan.cameras[0]
        answer = (await say(plan, request(plan, method, path or stream_path(plan, 1))))[0]
        assert answer.startswith(status)
        assert "CSeq: 7\r\n" in answer
        assert ("m=video" in answer) == (status.endswith("OK") and method == "DESCRIBE")


@pytest.mark.parametrize("fault", ["wsse-only", "sha256-only"], ids=["MD5", "SHA-256"])
async def test_the_right_login_gets_the_description(fault: str) -> None:
    async with estate(faults={fault: 1}) as running:
        plan, path = running.plan.cameras[0], stream_path(running.plan.cameras[0], 2)
        challenge = (await say(plan, request(plan, "DESCRIBE", path)))[0]
        answer = (await say(plan, request(plan, "DESCRIBE", path, digest(plan, challenge, path))))[0]
        assert answer.startswith("RTSP/1.0 200 OK")
        assert "a=rtpmap:96 H264/90000" in answer


async def test_a_wrong_login_counts() -> None:
    async with estate() as running:
        camera = running.cameras[0]
        path = stream_path(camera.plan, 1)
        challenge = (await say(camera.plan, request(camera.plan, "DESCRIBE", path)))[0]
        wrong = digest(camera.plan, challenge, path, password="guess")
        assert (await say(camera.plan, request(camera.plan, "DESCRIBE", path, wrong)))[0].startswith("RTSP/1.0 401")
        assert camera.guard.wrong_tries == {"camwarden": 1}


async def test_a_request_that_is_none_is_a_bad_one() -> None:
    async with estate() as running:
        plan = running.plan.cameras[0]
        answers = await say(plan, "GET / HTTP/1.1\r\n\r\n", request(plan, "OPTIONS", "*"))
        assert [answer.split(" ")[1] for answer in answers] == ["400", "200"]

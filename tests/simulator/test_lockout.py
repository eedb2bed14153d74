"""One counter for all doors: web, ONVIF and RTSP."""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from simulator.auth import Entry, Guard
from simulator.camera import Camera
from simulator.plan import LOCKED_S
from simulator.truth import CHECKS
from tests.simulator.asking import ask, client, digest_of, estate, security, url

GUARDED = "tds:GetUsers"
LOCK_WORDS = "try it after 30 minutes"
Knock = Callable[[httpx.AsyncClient, Camera], Awaitable[httpx.Response]]


async def by_web(http: httpx.AsyncClient, camera: Camera) -> httpx.Response:
    return await http.get(url(camera.plan, "/", tls=True), auth=httpx.DigestAuth("admin", "guess"))


async def by_digest(http: httpx.AsyncClient, camera: Camera) -> httpx.Response:
    return await ask(http, camera.plan, GUARDED, auth=httpx.DigestAuth("admin", "guess"))


async def by_wsse(http: httpx.AsyncClient, camera: Camera) -> httpx.Response:
    return await ask(http, camera.plan, GUARDED, header=security("admin", "guess"))


async def with_the_right_login(http: httpx.AsyncClient, camera: Camera) -> httpx.Response:
    return await ask(http, camera.plan, GUARDED, auth=digest_of(camera.plan))


async def test_wrong_tries_at_all_doors_add_up_and_lock_all_of_them() -> None:
    async with estate(cameras=6, mix={"dahua": 1}) as running, client() as http:
        camera = next(c for c in running.cameras if c.plan.auth == "digest+wsse")
        doors: list[Knock] = [by_web, by_digest, by_wsse]
        for n in range(camera.plan.lock_after):
            assert not camera.guard.locked
            await doors[n % 3](http, camera)
        assert camera.guard.locked
        assert camera.guard.wrong_tries == {"admin": camera.plan.lock_after}
        for door in (*doors, with_the_right_login):
            assert LOCK_WORDS in (await door(http, camera)).text
        stranger = await ask(http, camera.plan, GUARDED)
        assert LOCK_WORDS in stranger.text, "a locked camera says so to everybody"
        assert (await ask(http, camera.plan, "tds:GetSystemDateAndTime")).status_code == 200


async def test_a_good_login_starts_the_count_again() -> None:
    async with estate(mix={"hanwha": 1}) as running, client() as http:
        camera = running.cameras[0]
        for _ in range(2):
            for _ in range(camera.plan.lock_after - 1):
                await by_digest(http, camera)
            assert (await with_the_right_login(http, camera)).status_code == 200
        assert camera.guard.times_locked == 0
        assert camera.guard.most_in_a_row == camera.plan.lock_after - 1


async def test_the_remaining_tries_are_told_where_the_vendor_tells_them() -> None:
    async with estate(mix={"dahua": 1}, faults={"wsse-only": 1}) as running, client() as http:
        left = running.cameras[0].plan.lock_after - 1
        assert f"You still have {left} attempt(s)." in (await by_wsse(http, running.cameras[0])).text


async def test_hikvision_says_it_in_its_own_xml() -> None:
    async with estate(mix={"hikvision": 1}, faults={"locked": 1}) as running, client() as http:
        reply = await by_web(http, running.cameras[0])
        assert "<lockStatus>lock</lockStatus>" in reply.text


async def test_the_stats_tell_who_was_locked_by_whom() -> None:
    async with estate(mix={"axis": 1}) as running, client() as http:
        camera = running.cameras[0]
        assert running.stats()["cameras"][0]["ever_locked"] is False  # type: ignore[index]
        for _ in range(camera.plan.lock_after):
            await by_web(http, camera)
        told = running.stats()["cameras"][0]  # type: ignore[index]
        assert told["ever_locked"] is True
        assert told["wrong_tries"] == {"admin": camera.plan.lock_after}


@pytest.mark.parametrize("wait_s", [LOCKED_S - 1, LOCKED_S + 1])
async def test_the_lock_opens_after_half_an_hour_and_every_try_makes_it_longer(wait_s: int) -> None:
    async with estate(mix={"axis": 1}, faults={"locked": 1}) as running:
        now = 1000.0
        guard = Guard(running.plan.cameras[0], "realm", now=lambda: now)
        now += LOCKED_S - 1
        assert guard.check_http('Digest username="x"', "GET", "/") is Entry.LOCKED
        now += wait_s
        assert guard.locked is (wait_s < LOCKED_S)


async def test_names_from_the_network_fill_no_memory() -> None:
    async with estate(mix={"axis": 1}, faults={"locked": 1}) as running:
        guard = running.cameras[0].guard
        for n in range(1000):
            guard.check_http(f'Digest username="{n}{"x" * 1000}"', "GET", "/")
        assert len(guard.wrong_tries) < len(CHECKS) * 10
        assert max(map(len, guard.wrong_tries)) <= 64

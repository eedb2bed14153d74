"""applications/*.cgi: programs on the camera."""

from dataclasses import replace

import httpx
import pytest

from simulator.camera import Camera
from simulator.firmware import package
from tests.simulator.asking import login_of, url
from tests.simulator.asking_vapix import form
from tests.simulator.changing import changeable


async def upload(http: httpx.AsyncClient, camera: Camera, data: bytes) -> str:
    auth = httpx.DigestAuth(*login_of(camera.plan))
    files = {"packfil": ("counter.eap", data, "application/octet-stream")}
    return (await http.post(url(camera.plan, "/axis-cgi/applications/upload.cgi"), files=files, auth=auth)).text


async def control(http: httpx.AsyncClient, camera: Camera, action: str) -> str:
    return (await form(http, camera, "applications/control.cgi", action=action, package="counter")).text


async def test_a_program_lives_its_life() -> None:
    async with changeable("axis") as (_, camera, http):
        assert await upload(http, camera, package("counter", "1.0", behaviour={"misses": 0.1})) == "OK"
        assert not camera.plan.apps[0].running
        assert camera.plan.apps[0].behaviour == {"misses": 0.1}
        assert await control(http, camera, "start") == "OK"
        listing = (await form(http, camera, "applications/list.cgi")).text
        assert 'Name="counter"' in listing
        assert 'Status="Running"' in listing
        assert await upload(http, camera, package("counter", "2.0")) == "OK"
        assert [(app.version, app.running) for app in camera.plan.apps] == [("2.0", True)]
        assert await control(http, camera, "stop") == "OK"
        assert await control(http, camera, "remove") == "OK"
        assert camera.plan.apps == ()


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"rubbish", "Error: 1"), (package("counter", "1.0", models=["Q0"]), "Error: 5")],
    ids=["no package", "for another model"],
)
async def test_a_package_that_does_not_fit_is_refused(data: bytes, said: str) -> None:
    async with changeable("axis") as (_, camera, http):
        assert await upload(http, camera, data) == said
        assert camera.plan.apps == ()


@pytest.mark.parametrize(("action", "said"), [("stop", "Error: 7"), ("dance", "Error: 10")])
async def test_a_control_that_makes_no_sense_is_refused(action: str, said: str) -> None:
    async with changeable("axis") as (_, camera, http):
        assert await control(http, camera, "start") == "Error: 4"
        await upload(http, camera, package("counter", "1.0"))
        assert await control(http, camera, action) == said


async def test_unsigned_programs_are_allowed_until_they_are_not() -> None:
    async with changeable("axis") as (_, camera, http):
        page = "applications/config.cgi"
        await form(http, camera, page, action="set", name="AllowUnsigned", value="false")
        said = (await form(http, camera, page, action="get", name="AllowUnsigned")).text
        assert 'value="false"' in said


RULES: dict[str, tuple[str, dict[str, str], int, str]] = {
    "no rule before 11.2": ("11.1.72", {"action": "get", "name": "AllowUnsigned"}, 404, ""),
    "everything until 11.11": ("11.11.181", {"action": "get", "name": "AllowUnsigned"}, 200, 'value="true"'),
    "signed ones from 12.0": ("12.0.91", {"action": "get", "name": "AllowUnsigned"}, 200, 'value="false"'),
    "root until 11.7": ("11.7.61", {"action": "get", "name": "AllowRoot"}, 200, 'value="true"'),
    "no root from 11.8": ("11.8.62", {"action": "get", "name": "AllowRoot"}, 200, 'value="false"'),
    "nothing of root from 12.0": ("12.0.91", {"action": "get", "name": "AllowRoot"}, 200, 'result="error"'),
    "a value that is none": (
        "11.11.181",
        {"action": "set", "name": "AllowUnsigned", "value": "no"},
        200,
        '<error type="1"',
    ),
    "a value that is none, from 12.2": (
        "12.2.41",
        {"action": "set", "name": "AllowUnsigned", "value": "no"},
        400,
        "Bad Request",
    ),
    "a value": ("12.2.41", {"action": "set", "name": "AllowUnsigned", "value": "true"}, 200, 'value="true"'),
}


@pytest.mark.parametrize(("firmware", "asked", "status", "said"), RULES.values(), ids=RULES)
async def test_which_programs_it_takes(firmware: str, asked: dict[str, str], status: int, said: str) -> None:
    async with changeable("axis", faults={}) as (_, camera, http):
        camera.become(replace(camera.plan, firmware=firmware, parameters=()))
        reply = await form(http, camera, "applications/config.cgi", **asked)
        assert reply.status_code == status
        assert said in reply.text


@pytest.mark.parametrize(("firmware", "said"), [("11.1.72", "OK"), ("11.11.181", "OK"), ("12.11.77", "Error: 2")])
async def test_an_unsigned_program_is_refused_where_signed_ones_are_wanted(firmware: str, said: str) -> None:
    async with changeable("axis", faults={}) as (_, camera, http):
        camera.become(replace(camera.plan, firmware=firmware, parameters=()))
        assert await upload(http, camera, package("counter", "1.0", signed=False)) == said
        assert await upload(http, camera, package("counter", "1.0")) == "OK"

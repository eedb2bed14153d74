"""How a site is reached, in the console and by the API."""

import html

import pytest

from fleet.jump_hosts import rows
from fleet.jump_hosts.host_keys import fingerprint, new_key, written
from tests.fleet.jump_server import jump_server
from tests.web.conftest import House, Visit
from tests.web.test_web_sites import HARBOUR

PAGE = "/sites/Harbour/jump"
API = "/api/v1/sites/Harbour/jump-host"


async def test_the_key_that_the_host_shows_is_put_before_the_person_and_then_stored(house: House, visit: Visit) -> None:
    visitor = visit("administrator")
    await visitor.post("/sites", HARBOUR)
    assert "Straight" in (await visitor.get(PAGE)).text
    async with jump_server() as server:
        shown = await visitor.post(PAGE, {"host": str(server.door), "host_key": ""})
        assert (shown.status_code, fingerprint(server.host_key) in html.unescape(shown.text)) == (200, True)
        assert "Straight" in shown.text, "nothing is stored yet"
        typed = {"host": str(server.door), "host_key": written(server.host_key)}
        assert (await visitor.post(PAGE, typed)).status_code == 303
        page = html.unescape((await visitor.get(PAGE)).text)
        for words in (
            str(server.door),
            fingerprint(server.host_key),
            "restrict,port-forwarding,permitopen=",
            "multicast",
        ):
            assert words in page
        tried = await visitor.post(f"{PAGE}/test", {})
        assert (tried.status_code, "does not take our key" in tried.text) == (502, True)
        assert "does not take our key" in (await visitor.get(PAGE)).text, "the state says so, too"
        door, pinned = server.door, (await rows.find(house.store, "Harbour")).host_key
        await rows.put(house.store, "Harbour", door, pinned, "anna", private_key=server.taken)
        assert "takes ours" in (await visitor.post(f"{PAGE}/test", {})).text
        assert "Connected since" in (await visitor.get(PAGE)).text
        state = (await visitor.get(API)).json()
        assert (state["is_up"], state["trouble"], state["open"]) == (True, "", 0)
        assert (await visitor.post(f"{PAGE}/remove", {})).status_code == 303
    assert "Straight" in (await visitor.get(PAGE)).text


MISTAKES = {
    "no user": ("gate", "", 422, "user@host"),
    "no key": ("a@gate", "x", 422, "fingerprint"),
    "nobody there": ("a@127.0.0.1:1", "", 502, "cannot be reached"),
}


@pytest.mark.parametrize(("host", "key", "status", "why"), MISTAKES.values(), ids=MISTAKES)
async def test_a_mistake_is_said_and_what_was_typed_stays(
    visit: Visit, host: str, key: str, status: int, why: str
) -> None:
    visitor = visit("administrator")
    await visitor.post("/sites", HARBOUR)
    answer = await visitor.post(PAGE, {"host": host, "host_key": key})
    assert (answer.status_code, why in html.unescape(answer.text)) == (status, True)
    assert f'value="{host}"' in answer.text


async def test_who_only_reads_sees_how_it_is_reached_and_no_form(visit: Visit) -> None:
    await visit("administrator").post("/sites", HARBOUR)
    page = (await visit("viewer").get(PAGE)).text
    assert "Straight" in page
    assert "<form" not in page.partition("<main")[2]


async def test_the_api_sets_shows_and_removes_it(visit: Visit) -> None:
    visitor = visit("administrator")
    await visitor.post("/sites", HARBOUR)
    visitor.client.headers["X-CSRF-Token"] = await visitor.csrf()
    assert (await visitor.get(API)).json()["host"] is None
    key = new_key()
    put = await visitor.client.put(API, json={"host": "cw@gate.example.com", "host_key": written(key)})
    assert (put.status_code, put.json()["host"], put.json()["host_key"]) == (
        200,
        "cw@gate.example.com:22",
        fingerprint(key),
    )
    assert put.json()["authorized_keys"].startswith("restrict,port-forwarding,permitopen=")
    assert (await visitor.client.put(API, json={"host": "gate", "host_key": written(key)})).status_code == 422
    assert (await visitor.client.delete(API)).status_code == 204
    assert (await visitor.client.delete(API)).status_code == 404
    assert (await visitor.client.post(f"{API}/test")).status_code == 404

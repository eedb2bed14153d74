"""The API with a token: no cookie, no CSRF, exactly the permissions that it names, and no page."""

from collections.abc import AsyncIterator

import httpx
import pytest

from fleet.people import tokens
from fleet.people.tokens import Scope
from tests.web.conftest import House, browser


@pytest.fixture
async def client(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(house.app) as opened:
        yield opened


async def bearer(house: House, *scopes: Scope) -> dict[str, str]:
    _, text = await tokens.create(house.store, "ci", scopes, "anna", days=1)
    return {"Authorization": f"Bearer {text.reveal()}"}


async def test_a_token_reads_and_starts_without_a_form(house: House, client: httpx.AsyncClient) -> None:
    headers = await bearer(house, Scope.READ, Scope.SCAN)
    assert (await client.get("/api/v1/cameras", headers=headers)).json()["items"]
    started = await client.post("/api/v1/scans", headers=headers, json={"targets": "127.0.0.99"})
    assert (started.status_code, started.json()["actor"]) == (202, "token ci")


REFUSED = {
    "a scope that it does not name": ("POST", "/api/v1/scans", 403),
    "a page": ("GET", "/devices", 303),
}


@pytest.mark.parametrize(("method", "path", "status"), REFUSED.values(), ids=REFUSED)
async def test_a_token_does_not_open(
    house: House, client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    headers = await bearer(house, Scope.READ)
    answer = await client.request(method, path, headers=headers, json={"targets": "127.0.0.99"})
    assert answer.status_code == status


async def test_a_token_that_is_wrong_is_told_what_to_send(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/cameras", headers={"Authorization": "Bearer cw_aaaaaaaaaaaa." + "x" * 43})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert "revoked or at its end" in answer.json()["detail"]


async def test_a_request_sent_twice_with_one_key_starts_one_scan(house: House, client: httpx.AsyncClient) -> None:
    headers = {**await bearer(house, Scope.SCAN), "Idempotency-Key": "nightly-1"}
    ids = {
        (await client.post("/api/v1/scans", headers=headers, json={"targets": "127.0.0.99"})).json()["id"]
        for _ in range(2)
    }
    assert len(ids) == 1
    other = await client.post("/api/v1/scans", headers=headers, json={"targets": "127.0.0.98"})
    assert other.status_code == 422

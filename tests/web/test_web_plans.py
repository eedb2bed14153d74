"""Plans by the REST API, from the request to the proof, over cameras that are pretended and a service that is real."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

import fleet.service
from fleet import estate
from fleet.errors import ChangedMeanwhile
from fleet.people import tokens
from fleet.people.tokens import Scope
from fleet.plans.runner import PlanId
from tests.fleet.test_plans import Network
from tests.hardening.pretend import PretendCamera
from tests.web.conftest import House, browser

BASELINE = """
format: camwarden/baseline/1
name: quiet
settings:
  discovery-mode: off
  telnet-ftp: off
"""
OVERRIDES = """
format: camwarden/overrides/1
settings:
  telnet-ftp: null
"""


@dataclass(frozen=True)
class Machine:
    """A program with a token, the cameras it may change, and the service behind."""

    client: httpx.AsyncClient
    network: Network
    house: House

    async def get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        answer = await self.client.get(f"/api/v1/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, json: object = None, **headers: str) -> httpx.Response:
        return await self.client.post(f"/api/v1/{path}", json=json, headers=headers)

    async def planned(self, cameras: object = "all", **more: str) -> str:
        """A plan that awaits approval."""
        answer = await self.post("plans", {"baseline": BASELINE, "cameras": cameras, **more})
        assert answer.status_code == 202, answer.text
        await self.settled(plan := answer.json()["id"])
        return str(plan)

    async def settled(self, plan: str) -> list[dict[str, Any]]:
        """Everything that the stream of events says until nothing goes on any more."""
        text = (await self.client.get(f"/api/v1/plans/{plan}/events")).text
        assert text.endswith("event: end\ndata: {}\n\n")
        return [json.loads(line.partition("\ndata: ")[2]) for line in text.split("\n\n")[:-2]]


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    """What the service that is opened next reaches in place of cameras."""
    network = Network({})
    monkeypatch.setattr(fleet.service, "reaching", lambda _where, _budget: network.reach)
    monkeypatch.setattr(fleet.service, "proving", lambda _store, _settings, _budget: network.prove)
    return network


@pytest.fixture
async def machine(network: Network, house: House) -> AsyncIterator[Machine]:
    rows = (await estate.devices(house.store, limit=3)).items
    network.cameras = {row.id: PretendCamera() for row in rows}
    network.unknown_logins = {row.id for row in (await estate.devices(house.store, limit=500)).items[3:]}
    scopes = [Scope.READ, Scope.PLAN, Scope.APPROVE, Scope.CHANGE]
    _, text = await tokens.create(house.store, "ci", scopes, "anna", days=1)
    async with browser(house.app) as client:
        client.headers["Authorization"] = f"Bearer {text.reveal()}"
        yield Machine(client, network, house)


async def test_from_the_request_to_the_proof_and_back(machine: Machine) -> None:
    answer = await machine.post("plans", {"baseline": BASELINE, "cameras": list(machine.network.cameras)})
    assert (answer.status_code, answer.json()["actor"]) == (202, "token ci")
    where = answer.headers["location"].removeprefix("/api/v1/")
    plan = answer.json()["id"]
    assert (await machine.settled(plan))[-1]["state"] == "awaiting-approval"
    page = await machine.get(f"{where}/cameras?limit=2")
    assert (len(page["items"]), page["after"], page["total"]) == (2, "2", 3)
    assert page["items"][0]["steps"][0]["diff"] == ["- discovery: on", "+ discovery: off"]
    rest = await machine.get(f"{where}/cameras?limit=2&after={page['after']}")
    assert (len(rest["items"]), rest["after"]) == (1, None)

    assert (await machine.post(f"{where}/apply")).status_code == 422, "nothing is applied without approval"
    looked_at = await machine.client.get(f"/api/v1/{where}")
    approved = await machine.post(f"{where}/approve", **{"If-Match": looked_at.headers["etag"]})
    assert (approved.status_code, approved.json()["approved_by"]) == (200, "token ci")
    assert (await machine.post(f"{where}/apply")).status_code == 202
    assert (await machine.settled(plan))[-1]["state"] == "done"
    assert {one["proof"] for one in (await machine.get(f"{where}/cameras"))["items"]} == {"1 fixed"}
    assert (await machine.post(f"{where}/undo")).status_code == 202
    assert (await machine.settled(plan))[-1]["state"] == "undone"
    assert (await machine.get("plans"))["items"][0]["id"] == plan


@pytest.mark.parametrize("house", [{"two_persons": True}], indirect=True)
async def test_where_two_persons_are_wanted_a_token_is_the_person_who_made_it(machine: Machine) -> None:
    plan = await machine.planned(list(machine.network.cameras))
    refused = await machine.post(f"plans/{plan}/approve")
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
    assert "ask a second person to approve it" in refused.json()["detail"]
    assert (await machine.post(f"plans/{plan}/apply")).status_code == 422
    for by, status in (("Anna", 422), ("boris", 200)):
        _, text = await tokens.create(machine.house.store, f"of {by}", [Scope.APPROVE], by, days=1)
        answer = await machine.post(f"plans/{plan}/approve", Authorization=f"Bearer {text.reveal()}")
        assert answer.status_code == status, answer.text
    assert (await machine.get(f"plans/{plan}"))["approved_by"] == "token of boris"
    assert (await machine.post(f"plans/{plan}/stop")).json()["state"] == "stopped"


async def test_all_is_every_camera_and_a_camera_without_a_login_is_unknown(machine: Machine) -> None:
    plan = await machine.get(f"plans/{await machine.planned()}")
    everybody = len(machine.network.cameras) + len(machine.network.unknown_logins)
    assert (plan["cameras"], plan["drifting"]) == ({"waiting": everybody}, 3)
    assert plan["unknown"] == len(machine.network.unknown_logins) > 0


async def test_a_site_lays_its_overrides_over_the_baseline(machine: Machine) -> None:
    plan = await machine.planned(list(machine.network.cameras), overrides=OVERRIDES)
    cameras = (await machine.get(f"plans/{plan}/cameras"))["items"]
    assert {step["setting"] for one in cameras for step in one["steps"]} == {"discovery-mode"}


async def test_a_camera_is_named_as_people_do(machine: Machine) -> None:
    row = (await estate.devices(machine.house.store, limit=1)).items[0]
    plan = await machine.planned([f"{row.address}:{row.port}", row.id])
    assert [one["camera"] for one in (await machine.get(f"plans/{plan}/cameras"))["items"]] == [row.id]


async def test_a_plan_that_changed_since_it_was_looked_at_is_not_approved(machine: Machine) -> None:
    plan = await machine.planned(list(machine.network.cameras))
    tag = (await machine.client.get(f"/api/v1/plans/{plan}")).headers["etag"]
    for one in machine.network.cameras.values():
        one.world.switches["ftp"] = True
    assert (await machine.post(f"plans/{plan}/renew")).status_code == 202
    await machine.settled(plan)
    refused = await machine.post(f"plans/{plan}/approve", **{"If-Match": tag})
    assert (refused.status_code, refused.headers["content-type"]) == (412, "application/problem+json")
    assert (await machine.get(f"plans/{plan}"))["state"] == "awaiting-approval"
    now = (await machine.client.get(f"/api/v1/plans/{plan}")).headers["etag"]
    assert (await machine.post(f"plans/{plan}/approve", **{"If-Match": f'"other", {now}'})).status_code == 200


async def test_what_is_renewed_between_the_look_and_the_approval_is_not_approved(machine: Machine) -> None:
    """The service itself compares again, in the transaction that approves."""
    plan = PlanId(await machine.planned(list(machine.network.cameras)))
    with pytest.raises(ChangedMeanwhile, match="renewed since it was looked at"):
        await machine.house.plans.approve(plan, "anna", digest="sha256:of what was there before")


async def test_a_request_sent_twice_with_one_key_makes_one_plan(machine: Machine) -> None:
    new = {"baseline": BASELINE, "cameras": list(machine.network.cameras)}
    ids = {(await machine.post("plans", new, **{"Idempotency-Key": "nightly"})).json()["id"] for _ in range(2)}
    assert len(ids) == 1
    (plan,) = ids
    await machine.settled(plan)
    await machine.post(f"plans/{plan}/approve")
    again = [(await machine.post(f"plans/{plan}/apply", **{"Idempotency-Key": "go"})).status_code for _ in range(2)]
    assert again == [202, 202]
    await machine.settled(plan)


async def test_a_stopped_plan_is_not_started(machine: Machine) -> None:
    plan = await machine.planned(list(machine.network.cameras))
    assert (await machine.post(f"plans/{plan}/stop")).json()["state"] == "stopped"
    assert (await machine.post(f"plans/{plan}/approve")).status_code == 422


async def test_the_bundled_baselines_are_shown_with_their_comments(machine: Machine) -> None:
    listed = (await machine.get("baselines"))["items"]
    assert [one["name"] for one in listed] == ["essential", "strict"]
    strict = await machine.get("baselines/strict")
    assert (strict, strict["settings"]["http"]) == (listed[1], False)
    assert "# Strict: for networks where every client speaks HTTPS" in strict["text"]


GOOD = {"baseline": "strict", "cameras": "all"}
REFUSED: Mapping[str, tuple[dict[str, Any], int, str]] = {
    "a baseline that is not bundled": ({"baseline": "tough"}, 422, "write one of essential, strict"),
    "a file of the service's machine": ({"baseline": "/etc/passwd"}, 422, "write one of essential, strict"),
    "a baseline with a mistake": ({"baseline": BASELINE.replace("off", "of")}, 422, "The baseline, line 5"),
    "overrides that are no YAML": ({"overrides": "a: [\n"}, 422, "The overrides, line 2: this is not YAML"),
    "an unknown camera": ({"cameras": ["10.99.0.1"]}, 404, "the store knows no such camera"),
    "no camera": ({"cameras": []}, 422, "cameras"),
    "a word other than all": ({"cameras": "every"}, 422, "cameras"),
    "a key that nobody knows": ({"force": True}, 422, "force"),
}


@pytest.mark.parametrize(("change", "status", "words"), REFUSED.values(), ids=REFUSED)
async def test_a_plan_is_refused_for(machine: Machine, change: dict[str, Any], status: int, words: str) -> None:
    answer = await machine.post("plans", {**GOOD, **change})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert words.lower() in answer.json()["detail"].lower()
    assert (await machine.get("plans"))["items"] == []


MISSING = ("baselines/tough", "plans/nobody", "plans/nobody/cameras", "plans/nobody/events")


@pytest.mark.parametrize("path", MISSING)
async def test_what_is_not_there_is_404(machine: Machine, path: str) -> None:
    assert (await machine.client.get(f"/api/v1/{path}")).status_code == 404


@pytest.mark.parametrize("after", ["x", "-1", "1~2", "٣"])
async def test_a_page_that_was_never_given_is_refused(machine: Machine, after: str) -> None:
    plan = await machine.planned(list(machine.network.cameras))
    answer = await machine.client.get(f"/api/v1/plans/{plan}/cameras", params={"after": after})
    assert answer.status_code == 422

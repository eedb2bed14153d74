"""Plans, password changes and rollouts through the pages: what a viewer sees, and what an operator can do."""

import asyncio
import html
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import pytest

from fleet import estate
from fleet.findings.lifecycle import FindingState
from fleet.people import accounts as people
from fleet.people import grants
from fleet.people.grants import Wanted
from fleet.people.permissions import Role
from fleet.plans.runner import PlanId
from fleet.plans.states import TRANSITIONS, PlanEvent, PlanState
from fleet.rollouts import orders as rollout_orders
from fleet.rollouts import rows as rollout_rows
from fleet.rollouts.rows import RolloutId
from fleet.scans.runner import ScanState
from fleet.settings import Settings
from fleet.signing_in import steps as signing_in
from fleet.store import Store
from fleet.views import FindingFilter
from fleet.work import RotationState
from hardening.lifecycle import CameraState, StepState
from hardening.model import Risk
from hardening.passwords import State
from hardening.rollout import CampaignState, TargetState
from hardening.settings import BY_NAME
from scanners.checks import CHECKS
from simulator import Estate
from simulator.manifest import credentials
from tests.fleet.rollout_samples import firmware
from tests.simulator.asking import estate as simulated
from tests.web.conftest import PASSWORD, House, Visit, Visitor, browser, open_house
from tests.web.jobs_samples import BASELINE, a_plan, a_rollout, a_rotation, cameras
from web import remedies, words
from web.handlers.rollouts import may_retry

TABLES: dict[str, tuple[dict[str, words.Word], type[Enum]]] = {
    "scans": (words.SCAN_STATES, ScanState),
    "plans": (words.PLAN_STATES, PlanState),
    "cameras of a plan": (words.PLAN_CAMERA_STATES, CameraState),
    "steps": (words.STEP_STATES, StepState),
    "risks": (words.RISKS, Risk),
    "rotations": (words.ROTATION_STATES, RotationState),
    "cameras of a rotation": (words.ROTATION_CAMERA_STATES, State),
    "rollouts": (words.ROLLOUT_STATES, CampaignState),
    "cameras of a rollout": (words.TARGET_STATES, TargetState),
}


@pytest.mark.parametrize(("table", "states"), TABLES.values(), ids=TABLES)
def test_every_state_has_a_word_and_a_shape(table: dict[str, words.Word], states: type[Enum]) -> None:
    assert set(table) == {state.value for state in states}
    icons = Path(words.__file__).with_name("templates").joinpath("icons.html").read_text()
    assert all(word.text and f'name == "{word.icon}"' in icons for word in table.values())


def test_a_remedy_is_for_a_check_that_exists_and_wants_a_setting_that_exists() -> None:
    assert remedies.SETTINGS.keys() <= {check.id for check in CHECKS}
    for setting in remedies.SETTINGS.values():
        alone = remedies.only(setting)
        assert alone
        assert setting in alone.settings
        assert alone.settings.keys() <= BY_NAME.keys()


def orders(page: str) -> set[str]:
    """The last word of every address that a form of the page's main part posts to."""
    main = page.partition("<main")[2]
    return {path.rpartition("/")[2] for path in re.findall(r'method="post" action="([^"]+)"', main)}


async def test_the_list_is_empty_and_says_how_to_begin(visit: Visit) -> None:
    for path in ("/jobs", "/jobs?kind=plan", "/jobs?kind=rotation", "/jobs?kind=rollout", "/jobs?kind=nonsense"):
        assert "Nothing yet" in (await visit("viewer").get(path)).text
    bundles = html.unescape((await visit("viewer").get("/rollouts")).text)
    assert "camwarden bundle import FILE" in bundles


async def test_all_work_stands_in_one_list_with_a_tab_for_each_kind(house: House, visit: Visit) -> None:
    paths = {
        "plan": f"/plans/{await a_plan(house)}",
        "rotation": f"/rotations/{await a_rotation(house)}",
        "rollout": f"/rollouts/{await a_rollout(house)}",
    }
    everything = (await visit("viewer").get("/jobs")).text
    assert all(path in everything for path in paths.values())
    for kind, path in paths.items():
        page = (await visit("viewer").get(f"/jobs?kind={kind}")).text
        assert [other for other in paths.values() if other in page] == [path]


async def test_a_viewer_reads_all_work_and_is_offered_nothing(house: House, visit: Visit) -> None:
    paths = [f"/plans/{await a_plan(house)}", f"/rotations/{await a_rotation(house)}"]
    paths += [f"/rollouts/{await a_rollout(house)}", "/jobs", "/rollouts", f"/devices/{(await cameras(house))[0]}"]
    for path in paths:
        page = (await visit("viewer").get(path)).text
        assert not orders(page), path
        assert not re.search(r'href="/(plans|rotations|rollouts)/new', page), path


ALLOWED = {
    PlanState.AWAITING_APPROVAL: {"approve", "renew", "stop"},
    PlanState.APPROVED: {"apply", "renew", "stop"},
    PlanState.STOPPED: set(),  # nothing was begun: there is nothing to undo
}


async def also_approves(store: Store, name: str) -> None:
    """An operator carries out and does not approve, unless they hold both."""
    await grants.give(store, (await people.named(store, name)).id, Wanted(Role.APPROVER), "root")


async def test_an_operator_is_not_offered_to_approve_and_an_approver_nothing_else(house: House, visit: Visit) -> None:
    for path in (f"/plans/{await a_plan(house)}", f"/rollouts/{await a_rollout(house)}"):
        assert orders((await visit("approver").get(path)).text) == {"approve"}
        assert "approve" not in orders((await visit("operator").get(path)).text)
        assert (await visit("operator").post(f"{path}/approve", {})).status_code == 403
        assert (await visit("approver").post(f"{path}/approve", {})).status_code == 303


async def test_a_plan_offers_what_its_state_allows_and_no_more(house: House, visit: Visit) -> None:
    await also_approves(house.store, "operator")
    operator, path = visit("operator"), f"/plans/{await a_plan(house)}"
    assert orders((await operator.get(path)).text) == ALLOWED[PlanState.AWAITING_APPROVAL]
    assert (await operator.post(f"{path}/approve", {})).headers["location"] == path
    assert orders((await operator.get(path)).text) == ALLOWED[PlanState.APPROVED]
    again = await operator.post(f"{path}/approve", {})
    assert again.status_code == 422
    assert "cannot be approved" in again.text
    await operator.post(f"{path}/stop", {})
    assert orders((await operator.get(path)).text) == ALLOWED[PlanState.STOPPED]
    assert (await operator.post(f"{path}/explode", {})).status_code == 404
    assert (PlanState.STOPPED, PlanEvent.UNDO) in TRANSITIONS


@pytest.mark.parametrize("house", [{"two_persons": True}], indirect=True)
async def test_whoever_made_it_is_told_to_ask_a_second_person(house: House, visit: Visit) -> None:
    await also_approves(house.store, "operator")
    operator, other, chosen = visit("operator"), visit("administrator"), {"id": await cameras(house, 1)}
    bundle = await firmware(house.store, house.service.settings)
    plan = (await operator.post("/plans", {"baseline": "own", "text": BASELINE, **chosen})).headers["location"]
    await observed(house, plan)
    fields = {"bundle": bundle.id, "canary": "1", "growth": "2", **chosen}
    rollout = (await operator.post("/rollouts", fields)).headers["location"]
    for path, stop in ((plan, "stop"), (rollout, "abort")):
        page = (await operator.get(path)).text
        assert "ask a second person to approve it" in page
        assert "made by operator" in page.lower()
        assert stop in orders(page)
        assert "approve" not in orders(page)
        refused = await operator.post(f"{path}/approve", {})
        assert refused.status_code == 422
        assert "Whoever made this cannot approve it" in refused.text
        theirs = (await other.get(path)).text
        assert "approve" in orders(theirs)
        assert "second person" not in theirs
        assert "second person" not in (await visit("viewer").get(path)).text
        assert (await other.post(f"{path}/approve", {})).status_code == 303
        page = (await operator.get(path)).text
        assert "by administrator" in page
        assert "second person" not in page
        assert (await operator.post(f"{path}/{stop}", {})).status_code == 303


async def observed(house: House, path: str) -> None:
    async with aclosing(house.service.plans.events(PlanId(path.rpartition("/")[2]))) as events:
        async for _ in events:
            pass


async def test_cameras_that_cannot_be_asked_are_shown_as_unknown(house: House, visit: Visit) -> None:
    page = html.unescape((await visit("viewer").get(f"/plans/{await a_plan(house)}")).text)
    assert "no login is known for" in page
    assert page.count(words.STEP_STATES["unknown"].meaning) == 2


MISTAKES = {
    "no camera": ({"baseline": "essential"}, "Choose between 1 and"),
    "a camera that does not exist": ({"baseline": "essential", "id": "nobody"}, "There is no camera"),
    "no baseline": ({"id": "camera"}, "Choose a baseline"),
    "a key that does not exist": ({"baseline": "own", "id": "camera", "text": f"{BASELINE}  magic: on\n"}, "line 5"),
    "no YAML": ({"baseline": "own", "id": "camera", "text": "settings:\n  [b"}, "This is not YAML"),
}


@pytest.mark.parametrize(("fields", "words_"), MISTAKES.values(), ids=MISTAKES)
async def test_a_mistake_in_a_plan_is_said_and_plans_nothing(
    fields: dict[str, str], words_: str, house: House, visit: Visit
) -> None:
    (camera,) = await cameras(house, 1)
    sent = {name: camera if value == "camera" else value for name, value in fields.items()}
    answer = await visit("operator").post(f"/plans?camera={camera}", sent)
    assert answer.status_code == 422
    assert words_.casefold() in html.unescape(answer.text).casefold()
    assert await house.service.plans.recent() == []


async def test_a_baseline_of_our_own_is_pasted(house: House, visit: Visit) -> None:
    (camera,) = await cameras(house, 1)
    answer = await visit("operator").post("/plans", {"baseline": "own", "text": BASELINE, "id": camera})
    assert answer.status_code == 303
    assert "Plan by “quiet” for 1 camera" in (await visit("viewer").get(answer.headers["location"])).text


async def test_a_search_ticks_what_it_finds_and_a_link_what_it_names(house: House, visit: Visit) -> None:
    operator, (camera,) = visit("operator"), await cameras(house, 1)
    ticked = re.compile(r'name="id" value="([^"]+)" checked')
    for form in ("/plans/new", "/rotations/new"):
        assert ticked.findall((await operator.get(form)).text) == []
        assert ticked.findall((await operator.get(f"{form}?camera={camera}&camera=gone")).text) == [camera]
        assert len(ticked.findall((await operator.get(f"{form}?q=AXIS")).text)) == 3


LINKS = {
    "discovery-left-on": "/plans/new?camera={}&setting=discovery-mode",
    "default-credentials": "/rotations/new?camera={}&finding=",
    "too-many-administrators": "",
}


@pytest.mark.parametrize(("check", "link"), LINKS.items())
async def test_a_finding_leads_to_what_puts_it_right(check: str, link: str, house: House, visit: Visit) -> None:
    finding = (await estate.findings(house.store, FindingFilter(check=check), limit=1)).items[0]
    wanted = link.format(finding.camera)
    page = html.unescape((await visit("operator").get(f"/findings/{finding.id}")).text)
    assert (wanted in page) if wanted else ("/new?camera=" not in page)
    if "setting" in wanted:
        form = html.unescape((await visit("operator").get(wanted)).text)
        assert re.search(r'value="only"[^>]* checked', form)
        answer = await visit("operator").post(wanted.replace("/plans/new", "/plans"), {"baseline": "only"})
        assert answer.status_code == 422  # the cameras are those that are ticked, and no other


async def test_a_device_page_links_its_last_work(house: House, visit: Visit) -> None:
    plan, rotation, (camera, *_) = await a_plan(house), await a_rotation(house), await cameras(house)
    page = (await visit("operator").get(f"/devices/{camera}")).text
    for link in (f"/plans/{plan}", f"/rotations/{rotation}", f"/plans/new?camera={camera}"):
        assert link in page


async def test_a_rotation_that_cannot_begin_says_why(house: House, visit: Visit) -> None:
    (camera,) = await cameras(house, 1)
    answer = await visit("operator").post("/rotations", {"id": camera})
    assert answer.status_code == 422
    assert "No login is known for" in html.unescape(answer.text)
    assert await house.service.rotations.recent() == []


async def test_only_an_unclear_camera_can_be_reconciled(house: House, visit: Visit) -> None:
    page = (await visit("operator").get(f"/rotations/{await a_rotation(house)}")).text
    assert not orders(page)
    assert "Waiting" in page


async def test_a_rollout_is_planned_approved_and_aborted_by_forms(house: House, visit: Visit) -> None:
    await also_approves(house.store, "operator")
    operator, sample = visit("operator"), await a_rollout(house)
    await rollout_orders.abort(house.store, sample, "anna")
    bundle = (await rollout_rows.load(house.store, sample)).bundle
    listed = (await visit("viewer").get("/rollouts")).text
    assert bundle[:8] in listed
    fields = {
        "bundle": bundle,
        "id": await cameras(house, 5),
        "canary": "1",
        "growth": "2",
        "window": "sat,sun 08:00-12:00",
    }
    answer = await operator.post("/rollouts", {**fields, "zone": "Europe/Berlin", "name": "<b>Autumn</b>"})
    path = answer.headers["location"]
    page = (await operator.get(path)).text
    for said in ("&lt;b&gt;Autumn&lt;/b&gt;", "Group 3", "sat,sun 08:00-12:00, Europe/Berlin", "at most <b>5</b> of 5"):
        assert said in page
    assert orders(page) == {"approve", "abort"}
    await operator.post(f"{path}/approve", {})
    assert orders((await operator.get(path)).text) == {"start", "abort"}
    assert (await operator.post(f"{path}/pause", {})).status_code == 422
    assert (await operator.post(f"{path}/retry", {"camera": "x"})).status_code == 422
    await operator.post(f"{path}/abort", {})
    state, _ = await rollout_rows.standing(house.store, RolloutId(path.rpartition("/")[2]))
    assert state is CampaignState.ABORTED


RULES = {
    "no bundle": ({"bundle": ""}, "Choose a bundle"),
    "no cameras": ({"id": ()}, "Name at least one camera"),
    "a first group of none": ({"canary": "0"}, "Size of the first group"),
    "a number that is none": ({"soak": "nan"}, "Wait between groups"),
    "groups that shrink": ({"growth": "0.5"}, "Growth"),
    "a window that is none": ({"window": "whenever"}, "is no window"),
    "a zone that is none": ({"zone": "Mars/Olympus"}, "is no time zone"),
    "a first camera that nobody knows": ({"first": "hall 7"}, "knows no such camera"),
}


@pytest.mark.parametrize(("change", "said"), RULES.values(), ids=RULES)
async def test_a_mistake_in_a_rollout_is_said_and_plans_nothing(
    change: dict[str, object], said: str, house: House, visit: Visit
) -> None:
    sample = await a_rollout(house)
    await rollout_orders.abort(house.store, sample, "anna")
    fields = {"bundle": (await rollout_rows.load(house.store, sample)).bundle, "id": await cameras(house), **change}
    answer = await visit("operator").post("/rollouts", fields)
    assert answer.status_code == 422
    assert said in html.unescape(answer.text)
    assert len(await house.service.rollouts.recent()) == 1


async def test_a_rollout_begins_with_the_cameras_that_were_named(house: House, visit: Visit) -> None:
    sample = await a_rollout(house)
    await rollout_orders.abort(house.store, sample, "anna")
    devices = (await estate.devices(house.store, limit=5)).items
    *chosen, named, other = devices
    where = f"{named.address}:{named.port}"
    fields = {
        "bundle": (await rollout_rows.load(house.store, sample)).bundle,
        "canary": "1",
        "first": where,
        "id": [device.id for device in (*chosen, named)],
    }
    path = (await visit("operator").post("/rollouts", fields)).headers["location"]
    rows = await house.service.rollouts.targets(RolloutId(path.rpartition("/")[2]))
    assert [row.camera for row in rows if row.group == 1] == [named.id]
    answer = await visit("operator").post("/rollouts", {**fields, "first": f"{other.address}:{other.port}"})
    assert answer.status_code == 422
    assert "not among those that are ticked" in answer.text


def test_only_a_camera_that_came_to_a_bad_end_is_tried_again_and_only_while_the_rollout_lives() -> None:
    again = {state for state in TargetState if may_retry(CampaignState.RUNNING, state)}
    assert again == {TargetState.FAILED, TargetState.ROLLED_BACK, TargetState.UNKNOWN, TargetState.SKIPPED}
    assert not any(may_retry(CampaignState.DONE, state) for state in TargetState)


# --- on simulated cameras ---


@dataclass(frozen=True, slots=True)
class Site:
    """A console over cameras that were scanned, and an operator's browser."""

    house: House
    running: Estate
    visitor: Visitor


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with AsyncExitStack() as stack:
        wrong = {"discovery-left-on": 1, "default-credentials": 1}
        running = await stack.enter_async_context(simulated(mix={"axis": 1}, faults=wrong))
        logins = tmp_path / "credentials.yaml"
        await asyncio.to_thread(logins.write_text, credentials(running.plan))
        await asyncio.to_thread(logins.chmod, 0o600)
        house = await open_house(stack, Settings(home=tmp_path / "home", credentials_file=logins))
        await people.add_user(house.store, "anna", PASSWORD, Role.OPERATOR)
        await also_approves(house.store, "anna")
        client = await stack.enter_async_context(browser(house.app))
        session = await signing_in.sign_in(house.store, "anna", PASSWORD, "127.0.0.1")
        client.cookies.set("session", session.token.reveal())
        (plan,) = running.plan.cameras
        scan = await house.scans.start(f"http://{plan.address}:{plan.http_port}", "anna", default_credentials=True)
        async with aclosing(house.scans.events(scan)) as events:
            async for _ in events:
                pass
        yield Site(house, running, Visitor(client))


def announces(site: Site) -> bool:
    """The truth."""
    return site.running.cameras[0].plan.discoverable


async def test_a_finding_is_put_right_by_a_plan_through_the_pages(site: Site) -> None:
    visitor, (camera,) = site.visitor, await cameras(site.house, 1)
    wanted = FindingFilter(check="discovery-left-on")
    (finding,) = (await estate.findings(site.house.store, wanted)).items
    page = html.unescape((await visitor.get(f"/findings/{finding.id}")).text)
    (link,) = re.findall(r'href="(/plans/new[^"]+)"', page)
    made = await visitor.post(link.replace("/plans/new", "/plans"), {"baseline": "only", "id": camera}, form=link)
    path = made.headers["location"]

    looked = await visitor.get(f"{path}/events")
    assert looked.headers["content-type"].startswith("text/event-stream")
    assert looked.text.endswith("event: end\ndata: {}\n\n")
    page = (await visitor.get(path)).text
    assert "<del>- discovery: on</del><ins>+ discovery: off</ins>" in page
    assert announces(site), "a plan changes nothing"

    assert (await visitor.post(f"{path}/apply", {})).status_code == 422, "it was not approved"
    await visitor.post(f"{path}/approve", {})
    assert (await visitor.post(f"{path}/apply", {})).headers["location"] == path
    applied = await visitor.get(f"{path}/events")
    assert "Done: 1 of 1 camera" in applied.text
    page = (await visitor.get(path)).text
    assert words.STEP_STATES["done"].text in page
    assert "1 fixed" in page
    assert orders(page) == {"undo"}
    assert not announces(site)
    assert (await estate.findings(site.house.store, wanted)).items == ()


async def test_a_default_password_is_changed_from_its_finding_without_being_typed(site: Site) -> None:
    visitor, wanted = site.visitor, FindingFilter(check="default-credentials")
    (finding,) = (await estate.findings(site.house.store, wanted)).items
    page = html.unescape((await visitor.get(f"/findings/{finding.id}")).text)
    (link,) = re.findall(r'href="(/rotations/new[^"]+)"', page)
    assert "nothing to type" in (await visitor.get(link)).text
    path = (await visitor.post(link.replace("/new", ""), {"id": finding.camera}, form=link)).headers["location"]
    await visitor.get(f"{path}/events")
    assert words.ROTATION_CAMERA_STATES["current"].text in (await visitor.get(path)).text
    assert (await estate.finding(site.house.store, finding.id)).row.state is FindingState.FIXED


async def test_a_finding_that_is_gone_changes_no_password(house: House, visit: Visit) -> None:
    (camera,) = await cameras(house, 1)
    answer = await visit("operator").post("/rotations?finding=gone", {"id": camera})
    assert answer.status_code == 404
    assert await house.service.rotations.recent() == []


async def test_a_password_is_changed_through_the_pages_and_never_shown(site: Site) -> None:
    visitor, (camera,) = site.visitor, await cameras(site.house, 1)
    begun = await visitor.post("/rotations", {"id": camera}, form="/rotations/new")
    path = begun.headers["location"]
    await visitor.get(f"{path}/events")
    page = (await visitor.get(path)).text
    assert words.ROTATION_CAMERA_STATES["current"].text in page
    login = await site.house.service.vault.login(camera)
    assert login
    for shown in ("/jobs", path, f"/devices/{camera}"):
        assert login.password.reveal() not in (await visitor.get(shown)).text

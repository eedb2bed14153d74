"""The two-person rule: who counts as one person, and that nobody approves their own plan or rollout where it counts."""

import pytest

from bench.paper_cameras import PaperCamera
from fleet.errors import Invalid, NotFound
from fleet.people import second_person, tokens
from fleet.people.tokens import Scope
from fleet.plans.states import PlanState
from fleet.rollouts import orders as rollout_orders
from fleet.rollouts.rows import RolloutId
from fleet.rollouts.runner import Rollouts
from fleet.settings import Settings
from fleet.store import Store
from hardening.rollout import CampaignState
from tests.fleet.rollout_samples import FAST, RULES, firmware, paper
from tests.fleet.test_plans import Network, observed, settled, stored
from tests.hardening.pretend import PretendCamera

ASK = "ask a second person to approve it"
# The tokens of the store: "ci" was made by anna and, another of that name, by dora; "nightly" by carl's system account.
SAME = {
    "the very same name": ("anna", "anna", True),
    "another case, and blanks": ("anna", " ANNA ", True),
    "another width of letters": ("anna", "\uff21nna", True),
    "another name": ("anna", "annabel", False),
    "nobody and nobody": ("", "", True),
    "a token and who made it": ("token ci", "anna", True),
    "somebody and a token that they made": ("Anna", "token CI", True),
    "a token and who made another of that name": ("token ci", "dora", True),
    "a token and somebody else": ("token ci", "boris", False),
    "a token and itself": ("token ci", "token ci", True),
    "a token made at the command line and that account's name": ("token nightly", "carl", True),
    "two tokens of two persons": ("token ci", "token nightly", False),
    "two tokens of one person": ("token ci", "token release", True),
    "a name that merely looks like a token's": ("ci", "anna", False),
    "at the command line and in the console": ("carl (command line)", "carl", True),
}


@pytest.fixture
async def store(store: Store) -> Store:
    made = (("ci", "anna"), ("ci", "dora"), ("nightly", "carl (command line)"), ("release", "anna"))
    for name, by in made:
        await tokens.create(store, name, [Scope.PLAN, Scope.CHANGE], by, days=1)
    return store


@pytest.mark.parametrize(("maker", "who", "same"), SAME.values(), ids=SAME)
async def test_who_counts_as_one_person(store: Store, maker: str, who: str, *, same: bool) -> None:
    assert await second_person.is_the_same(store, maker, who) is same
    assert await second_person.is_the_same(store, who, maker) is same


async def test_a_plan_is_approved_by_a_second_person_and_stopped_by_anybody(store: Store) -> None:
    network = Network({row: PretendCamera() for row in await stored(store, 2)})
    async with network.service(store, two_persons=True) as plans:
        plan = await observed(plans, network)
        for own in ("anna", "Anna", "token ci"):
            with pytest.raises(Invalid, match=ASK):
                await plans.approve(plan, own)
        assert (await plans.get(plan)).state is PlanState.AWAITING_APPROVAL
        assert all(event.event != "approve" for event in await plans.history(plan))
        with pytest.raises(NotFound):
            await plans.approve(type(plan)("nobody"), "anna")
        await plans.approve(plan, "boris")
        await plans.start(plan, "anna")
        assert (await settled(plans, plan)).state is PlanState.DONE
        await plans.undo(plan, "anna")
        assert (await settled(plans, plan)).state is PlanState.UNDONE
        view = await plans.get(plan)
        assert (view.actor, view.approved_by) == ("anna", "boris")
        await plans.stop(await observed(plans, network), "anna")


async def test_who_looks_again_does_not_become_the_maker(store: Store) -> None:
    network = Network({row: PretendCamera() for row in await stored(store, 1)})
    async with network.service(store, two_persons=True) as plans:
        plan = await observed(plans, network)
        await plans.renew(plan, "boris")
        await settled(plans, plan)
        with pytest.raises(Invalid, match=ASK):
            await plans.approve(plan, "anna")


async def made(store: Store, settings: Settings) -> tuple[RolloutId, Rollouts]:
    estate = await paper(store, PaperCamera())
    bundle = await firmware(store, settings)
    rollout = await rollout_orders.create(store, bundle.id, list(estate.cameras), "anna", rules=RULES)
    return rollout, Rollouts(store, settings, connect=estate.connect, pace=FAST)


async def test_a_rollout_is_approved_by_a_second_person_and_stopped_by_anybody(
    store: Store, settings: Settings
) -> None:
    rollout, rollouts = await made(store, settings.model_copy(update={"two_persons": True}))
    for own in ("anna", "ANNA", "token ci"):
        with pytest.raises(Invalid, match=ASK):
            await rollouts.approve(rollout, own)
    assert (await rollouts.get(rollout)).state is CampaignState.AWAITING_APPROVAL
    await rollouts.approve(rollout, "token nightly")
    for order in (rollouts.start, rollouts.pause, rollouts.resume, rollouts.abort):
        await order(rollout, "anna")
    assert (await rollouts.get(rollout)).state is CampaignState.ABORTED


async def test_without_the_setting_one_person_may_do_both(store: Store, settings: Settings) -> None:
    assert not settings.two_persons
    rollout, rollouts = await made(store, settings)
    await rollouts.approve(rollout, "anna")
    view = await rollouts.get(rollout)
    assert (view.created_by, view.approved_by) == ("anna", "anna")

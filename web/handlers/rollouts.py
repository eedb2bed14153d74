"""Rollouts: the bundles there are, a rollout over chosen cameras, and how it goes."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.responses import Response

from fleet import lookup, work
from fleet.errors import Invalid, NotFound
from fleet.people.permissions import Permission
from fleet.rollouts import bundles
from fleet.rollouts import orders as rollout_orders
from fleet.rollouts.orders import MAY_RETRY
from fleet.rollouts.rows import RolloutId, RolloutView
from fleet.rollouts.runner import Rollouts as Work
from hardening.rollout import (
    CAMPAIGN_TRANSITIONS,
    TARGET_TRANSITIONS,
    CampaignEvent,
    CampaignState,
    TargetEvent,
    TargetState,
)
from hardening.rollout_rules import most_harmed
from web.choosing import choice_of
from web.handlers.jobs import follow, needs_another
from web.job_contexts import NewRollout, Rollout, Rollouts
from web.rendering import sentence
from web.rollout_form import FIELDS, rules_of, typed
from web.visit import Visit, Visited, see

MOST_TARGETS = 200
MOST_EVENTS = 200

Order = Callable[[Work, RolloutId, str], Awaitable[None]]
APPROVE = "approve"
ORDERS: Mapping[str, tuple[CampaignEvent, Order]] = {
    APPROVE: (CampaignEvent.APPROVE, Work.approve),
    "start": (CampaignEvent.START, Work.start),
    "pause": (CampaignEvent.PAUSE, Work.pause),
    "resume": (CampaignEvent.RESUME, Work.resume),
    "abort": (CampaignEvent.ABORT, Work.abort),
    "undo": (CampaignEvent.UNDO, Work.undo),
}


async def show_all(visit: Visited) -> Response:
    known = tuple(await bundles.listing(visit.store))
    return visit.page(Rollouts(known, await work.recent(visit.service, work.Kind.ROLLOUT, scope=visit.reading)))


async def new(visit: Visited) -> Response:
    return await _form(visit, {**FIELDS, "bundle": visit.query.get("bundle", "")}, "", 200)


async def _form(visit: Visit, fields: Mapping[str, str], mistake: str, status: int) -> Response:
    known = tuple(await bundles.listing(visit.store))
    return visit.page(NewRollout(await choice_of(visit, Permission.CHANGE, "bundle"), known, fields, mistake), status)


async def create(visit: Visited) -> Response:
    form = await visit.form()
    fields, cameras = typed(form), form.getlist("id")
    try:
        ahead = await _first(visit, fields["first"], cameras)
        rollout = await rollout_orders.create(
            visit.store,
            fields["bundle"],
            cameras,
            visit.name,
            rules=rules_of(fields),
            name=fields["name"],
            canaries=ahead,
            scope=visit.scope(Permission.CHANGE),
            zone=fields["zone"] or "UTC",
        )
    except (Invalid, NotFound) as exc:
        return await _form(visit, fields, sentence(str(exc)), 422)
    return see(f"/rollouts/{rollout}")


async def _first(visit: Visit, words: str, chosen: Sequence[str]) -> tuple[str, ...]:
    """The cameras that go first. Only chosen ones: a name that was mistyped must not bring in another camera."""
    ahead = await lookup.cameras(visit.store, words.replace(",", " ").split(), visit.scope(Permission.CHANGE))
    if not set(ahead) <= set(chosen):
        raise Invalid("first on these cameras: one of them is not among those that are ticked")
    return ahead


async def show(visit: Visited, rollout: str) -> Response:
    return await _rollout(visit, RolloutId(rollout), "", 200)


async def _rollout(visit: Visit, rollout: RolloutId, mistake: str, status: int) -> Response:
    rollouts, scope = visit.service.rollouts, visit.reading
    view = await rollouts.get(rollout, scope)
    bundle = await bundles.find(visit.store, view.bundle)
    targets = await rollouts.targets(rollout, after=visit.query.get("after", ""), limit=MOST_TARGETS + 1, scope=scope)
    following = targets[MOST_TARGETS - 1].id if len(targets) > MOST_TARGETS else None
    shown = tuple(targets[:MOST_TARGETS])
    events = await rollouts.history(rollout, single=False, limit=MOST_EVENTS, scope=scope)
    orders = offered(view)
    page = Rollout(
        view,
        bundle,
        work.of_rollout(view),
        await rollouts.groups(rollout, scope),
        shown,
        following,
        most_harmed(view.rules),
        orders,
        await needs_another(visit, view.created_by, orders),
        frozenset(row.id for row in shown if may_retry(view.state, row.state)),
        tuple(events),
        mistake,
    )
    return visit.page(page, status)


def offered(view: RolloutView) -> frozenset[str]:
    """The orders that the state allows; undoing only where a camera has the image and none is in flight."""
    allowed = {order for order, (event, _) in ORDERS.items() if (view.state, event) in CAMPAIGN_TRANSITIONS}
    if view.finished_at is None or not view.counts.get(TargetState.SUCCEEDED):
        allowed.discard("undo")
    if view.finished_at is not None:
        allowed.discard("abort")
    return frozenset(allowed)


def may_retry(campaign: CampaignState, target: TargetState) -> bool:
    return campaign in MAY_RETRY and (target, TargetEvent.RETRY) in TARGET_TRANSITIONS


async def events(visit: Visited, rollout: str) -> Response:
    """404 before the stream begins, not inside it."""
    rollouts, wanted, scope = visit.service.rollouts, RolloutId(rollout), visit.reading
    await rollouts.get(wanted, scope)

    async def look() -> work.Job:
        return work.of_rollout(await rollouts.get(wanted, scope))

    return follow(visit, rollouts.events(wanted), look)


async def approve(visit: Visited, rollout: str) -> Response:
    return await _ordered(visit, RolloutId(rollout), Work.approve)


async def carry_out(visit: Visited, rollout: str, order: str) -> Response:
    """Approving has an address, and a permission, of its own."""
    if order not in ORDERS or order == APPROVE:
        raise NotFound(f"a rollout takes no such order; it takes {', '.join(ORDERS)}")
    return await _ordered(visit, RolloutId(rollout), ORDERS[order][1])


async def retry(visit: Visited, rollout: str) -> Response:
    """One camera, which the form names."""
    camera = (await visit.fields()).get("camera", "")
    return await _ordered(visit, RolloutId(rollout), lambda work, wanted, who: work.retry(wanted, camera, who))


async def _ordered(visit: Visit, rollout: RolloutId, order: Order) -> Response:
    try:
        await order(visit.service.rollouts, rollout, visit.name)
    except Invalid as exc:
        return await _rollout(visit, rollout, sentence(str(exc)), 422)
    return see(f"/rollouts/{rollout}")

"""Plans: made for chosen cameras, read as a difference, approved, applied, undone."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from starlette.responses import Response

from fleet import work
from fleet.errors import FleetError, Invalid, NotFound
from fleet.people.permissions import Permission
from fleet.plans.runner import PlanId, Plans, PlanView
from fleet.plans.states import TRANSITIONS, PlanEvent
from hardening.baseline import Baseline, BaselineError, parse_baseline
from hardening.lifecycle import CameraState
from web.choosing import choice_of
from web.handlers.jobs import follow, needs_another
from web.job_contexts import BaselineChoice, NewPlan, Plan
from web.problems import STATUSES
from web.proving import prove_first_for
from web.remedies import bundled, only, titles
from web.rendering import sentence
from web.visit import Visit, Visited, see

OWN, ONLY = "own", "only"
MOST_CAMERAS = 50
MOST_EVENTS = 200

Order = Callable[[Plans, PlanId, str], Awaitable[None]]
APPROVE = "approve"
ORDERS: Mapping[str, tuple[PlanEvent, Order]] = {
    APPROVE: (PlanEvent.APPROVE, Plans.approve),
    "apply": (PlanEvent.START, Plans.start),
    "stop": (PlanEvent.STOP, Plans.stop),
    "undo": (PlanEvent.UNDO, Plans.undo),
    "renew": (PlanEvent.RENEW, Plans.renew),
}

CHANGES_CAMERAS = frozenset({"apply", "undo"})


async def new(visit: Visited) -> Response:
    return await _form(visit, "", "", "", 200)


async def _form(visit: Visit, picked: str, text: str, mistake: str, status: int) -> Response:
    choices = await asyncio.to_thread(_choices, visit.query.get("setting", ""))
    page = NewPlan(await choice_of(visit, Permission.PLAN, "setting"), choices, picked or choices[0].id, text, mistake)
    return visit.page(page, status)


def _choices(setting: str) -> tuple[BaselineChoice, ...]:
    """Where a finding led here, the one setting that is about it comes first."""
    known = [BaselineChoice(name, name.capitalize(), titles(baseline)) for name, baseline in bundled().items()]
    alone = only(setting)
    return tuple([BaselineChoice(ONLY, "Only what was found", titles(alone)), *known] if alone else known)


async def create(visit: Visited) -> Response:
    form = await visit.form()
    picked, text = form.get("baseline", ""), form.get("text", "")
    try:
        baseline = await asyncio.to_thread(_baseline, picked, text, visit.query.get("setting", ""))
        plan = await visit.plans.create(baseline, form.getlist("id"), visit.name, visit.scope(Permission.PLAN))
    except (BaselineError, Invalid, NotFound) as exc:
        return await _form(visit, picked, text, sentence(str(exc)), 422)
    return see(f"/plans/{plan}")


def _baseline(picked: str, text: str, setting: str) -> Baseline:
    """Raises BaselineError, Invalid."""
    if picked == OWN:
        return parse_baseline(text)
    found = only(setting) if picked == ONLY else bundled().get(picked)
    if found is None:
        raise Invalid("choose a baseline: it says what is wanted of the cameras")
    return found


async def show(visit: Visited, plan: str) -> Response:
    return await _plan(visit, PlanId(plan), "", 200)


async def _plan(visit: Visit, plan: PlanId, mistake: str, status: int) -> Response:
    plans, scope = visit.plans, visit.reading
    view = await plans.get(plan, scope)
    asked = visit.query.get("from", "")
    first = int(asked) if asked.isdecimal() and len(asked) < 6 else 0  # noqa: PLR2004 - digits of a position
    cameras = await plans.cameras(plan, from_position=first, limit=MOST_CAMERAS, scope=scope)
    following = first + MOST_CAMERAS if first + MOST_CAMERAS < view.total else None
    history = await plans.history(plan, single=False, limit=MOST_EVENTS, scope=scope)
    steps = await plans.history(plan, single=True, limit=MOST_EVENTS, scope=scope)
    names = {one.camera: one.address for one in cameras}
    orders = offered(view)
    page = Plan(
        view,
        work.of_plan(view),
        tuple(cameras),
        following,
        orders,
        await needs_another(visit, view.actor, orders),
        tuple(history),
        tuple(steps),
        names,
        mistake,
    )
    return visit.page(page, status)


def offered(view: PlanView) -> frozenset[str]:
    """The orders that the state allows; undoing only where something was begun."""
    allowed = {order for order, (event, _) in ORDERS.items() if (view.state, event) in TRANSITIONS}
    untouched = set(view.cameras) <= {CameraState.WAITING}
    return frozenset(allowed - {"undo"} if untouched else allowed)


async def events(visit: Visited, plan: str) -> Response:
    """404 before the stream begins, not inside it."""
    plans, wanted, scope = visit.plans, PlanId(plan), visit.reading
    await plans.get(wanted, scope)

    async def look() -> work.Job:
        return work.of_plan(await plans.get(wanted, scope))

    return follow(visit, plans.events(wanted, scope), look)


async def renew(visit: Visited, plan: str) -> Response:
    """Looks again and changes nothing."""
    return await _carried_out(visit, PlanId(plan), Plans.renew)


async def approve(visit: Visited, plan: str) -> Response:
    return await _carried_out(visit, PlanId(plan), Plans.approve)


async def carry_out(visit: Visited, plan: str, order: str) -> Response:
    """Approving has an address, and a permission, of its own."""
    if order not in ORDERS or order == APPROVE:
        raise NotFound(f"a plan takes no such order; it takes {', '.join(ORDERS)}")
    if order in CHANGES_CAMERAS:
        prove_first_for(visit, (await visit.plans.get(PlanId(plan))).total)
    return await _carried_out(visit, PlanId(plan), ORDERS[order][1])


async def _carried_out(visit: Visit, plan: PlanId, order: Order) -> Response:
    try:
        await order(visit.service.plans, plan, visit.name)
    except Invalid as exc:
        return await _plan(visit, plan, sentence(str(exc)), _status(exc))
    return see(f"/plans/{plan}")


def _status(exc: FleetError) -> int:
    return STATUSES.get(type(exc), 422)

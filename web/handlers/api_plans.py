"""Plans by the REST API: made, looked at, approved as they were looked at, applied, taken back."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Response
from pydantic import Field, TypeAdapter

from fleet import lookup, paging
from fleet.errors import Invalid, NotFound
from fleet.people.permissions import Permission
from fleet.plans.runner import PlanCameraView, PlanId, PlanView
from fleet.plans.views import PlanEventView
from fleet.views import Page
from hardening.baseline import BUNDLED, Baseline, BaselineError, bundled_text, load_baseline, parse_baseline
from web.api_words import After, Body, Limit, once
from web.proving import prove_first_for
from web.streams import follow_state
from web.visit import Visit, Visited

MOST_NAMED = 5000
_VIEW = TypeAdapter(PlanView)
MOST_EVENTS = 200
_MOST_TEXT = 500_000


@dataclass(frozen=True, slots=True)
class BaselineView:
    """A bundled baseline. `text` is its file, with the comments that explain each setting."""

    name: str
    digest: str
    settings: Mapping[str, Any]
    text: str


class NewPlan(Body):
    """`baseline`: a bundled one by its name, or the YAML text of one. `overrides`: YAML text of a site's overrides.

    `cameras`: "all", or ids, serial numbers, names, addresses (with :port where several stand behind one).
    """

    baseline: Annotated[str, Field(max_length=_MOST_TEXT)]
    cameras: (
        Literal["all"]
        | Annotated[list[Annotated[str, Field(max_length=200)]], Field(min_length=1, max_length=MOST_NAMED)]
    )
    overrides: Annotated[str, Field(max_length=_MOST_TEXT)] = ""


async def baselines(_visit: Visited, *, after: After = None, limit: Limit = 50) -> Page[BaselineView]:
    """Those that come with the service."""
    every = [await asyncio.to_thread(_bundled, name) for name in BUNDLED]
    return paging.in_order(every, after, limit)


async def baseline(_visit: Visited, baseline: str) -> BaselineView:
    """Its settings, and its file with the comments that explain them."""
    if baseline not in BUNDLED:
        raise NotFound(f"there is no such baseline; there are {', '.join(BUNDLED)}")
    return await asyncio.to_thread(_bundled, baseline)


def _bundled(name: str) -> BaselineView:
    found = load_baseline(name)
    return BaselineView(found.name, found.digest, found.settings, bundled_text(name))


async def plans(visit: Visited, *, after: After = None, limit: Limit = 20) -> Page[PlanView]:
    """The newest first."""
    return await visit.plans.listed(after, limit, visit.reading)


async def create(visit: Visited, new: NewPlan, response: Response) -> PlanView:
    """Look at these cameras in the background and show what would be changed. Nothing is changed."""

    async def start() -> str:
        wanted = await _baseline(new)
        return await visit.plans.create(wanted, await _cameras(visit, new), visit.name, visit.scope(Permission.PLAN))

    return await _under_way(visit, response, PlanId(await once(visit, start)))


async def _baseline(new: NewPlan) -> Baseline:
    try:
        return await asyncio.to_thread(parse_baseline, new.baseline, new.overrides)
    except BaselineError as error:
        raise Invalid(str(error)) from error


async def _cameras(visit: Visit, new: NewPlan) -> tuple[str, ...]:
    return await lookup.cameras(
        visit.store, ["@all"] if new.cameras == "all" else new.cameras, visit.scope(Permission.PLAN)
    )


async def plan(visit: Visited, plan: str) -> PlanView:
    """Its ETag, sent as If-Match with an approval, makes sure that what is approved is what was looked at."""
    return await _now(visit, PlanId(plan))


async def cameras(visit: Visited, plan: str, *, after: After = None, limit: Limit = 100) -> Page[PlanCameraView]:
    """Each camera with its steps and their diffs, in the order of the plan."""
    begin, total = paging.place(after), (await visit.plans.get(PlanId(plan), visit.reading)).total
    found = await visit.plans.cameras(PlanId(plan), from_position=begin, limit=limit, scope=visit.reading)
    end = begin + len(found)
    return Page(tuple(found), str(end) if found and end < total else None, total)


async def events(visit: Visited, plan: str) -> Response:
    """Server-sent events: the plan now, and at each change until nothing goes on any more."""
    plans, wanted = visit.plans, PlanId(plan)
    await plans.get(wanted, visit.reading)  # 404 before the stream begins, not inside it
    return follow_state(visit, plans.events(wanted, visit.reading), lambda: plans.get(wanted, visit.reading), _VIEW)


async def history(visit: Visited, plan: str) -> Sequence[PlanEventView]:
    """What happened to it and its cameras, the newest first; the last two hundred."""
    return await visit.plans.history(PlanId(plan), single=None, limit=MOST_EVENTS, scope=visit.reading)


async def approve(visit: Visited, plan: str) -> PlanView:
    """With If-Match: 412 where the plan is not what was looked at any more."""
    looked_at = getattr(visit.request.state, "looked_at", None)
    await visit.plans.approve(PlanId(plan), visit.name, digest=looked_at and looked_at["digest"])
    return await _now(visit, PlanId(plan))


async def apply(visit: Visited, plan: str, response: Response) -> PlanView:
    """Apply an approved plan in the background."""
    prove_first_for(visit, (await visit.plans.get(PlanId(plan))).total)
    return await _begin(visit, response, PlanId(plan), visit.plans.start)


async def undo(visit: Visited, plan: str, response: Response) -> PlanView:
    """Take back in the background what this plan changed."""
    prove_first_for(visit, (await visit.plans.get(PlanId(plan))).total)
    return await _begin(visit, response, PlanId(plan), visit.plans.undo)


async def renew(visit: Visited, plan: str, response: Response) -> PlanView:
    """Look at its cameras again in the background. It must be approved again."""
    return await _begin(visit, response, PlanId(plan), visit.plans.renew)


async def stop(visit: Visited, plan: str) -> PlanView:
    """Stop between two steps. What was done stays done."""
    await visit.plans.stop(PlanId(plan), visit.name)
    return await _now(visit, PlanId(plan))


async def _begin(
    visit: Visit, response: Response, plan: PlanId, do: Callable[[PlanId, str], Awaitable[None]]
) -> PlanView:
    async def start() -> str:
        await do(plan, visit.name)
        return plan

    return await _under_way(visit, response, PlanId(await once(visit, start)))


async def _under_way(visit: Visit, response: Response, plan: PlanId) -> PlanView:
    response.headers["Location"] = f"/api/v1/plans/{plan}"
    return await _now(visit, plan)


async def _now(visit: Visit, plan: PlanId) -> PlanView:
    return await visit.plans.get(plan, visit.reading)

"""Plans by the REST API: made, looked at, approved as they were looked at, applied, taken back."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from starlette.responses import StreamingResponse

from fleet import lookup
from fleet.errors import ChangedMeanwhile, Invalid, NotFound
from fleet.people.permissions import Permission
from fleet.plans.runner import PlanCameraView, PlanId, PlanView
from fleet.views import Page
from hardening.baseline import BUNDLED, Baseline, BaselineError, bundled_text, load_baseline, parse_baseline
from web.handlers.api import After, Limit, once
from web.proving import prove_first_for
from web.visit import Visit, Visited

MOST_NAMED = 5000
_VIEW = TypeAdapter(PlanView)
_MOST_DIGITS = 9


@dataclass(frozen=True, slots=True)
class BaselineView:
    """A bundled baseline. `text` is its file, with the comments that explain each setting."""

    name: str
    digest: str
    settings: Mapping[str, Any]
    text: str


class NewPlan(BaseModel):
    """`baseline`: a bundled one by its name, or the YAML text of one. `overrides`: YAML text of a site's overrides.

    `cameras`: "all", or ids, serial numbers, names, addresses (with :port where several stand behind one).
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    baseline: str
    cameras: Literal["all"] | Annotated[list[str], Field(min_length=1, max_length=MOST_NAMED)]
    overrides: str = ""


async def baselines(_visit: Visited) -> list[BaselineView]:
    return [await asyncio.to_thread(_bundled, name) for name in BUNDLED]


async def baseline(_visit: Visited, baseline: str) -> BaselineView:
    if baseline not in BUNDLED:
        raise NotFound(f"there is no such baseline; there are {', '.join(BUNDLED)}")
    return await asyncio.to_thread(_bundled, baseline)


def _bundled(name: str) -> BaselineView:
    found = load_baseline(name)
    return BaselineView(found.name, found.digest, found.settings, bundled_text(name))


async def plans(visit: Visited, limit: Annotated[int, Query(ge=1, le=100)] = 20) -> list[PlanView]:
    """The newest first."""
    return await visit.plans.recent(limit, visit.reading)


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


async def plan(visit: Visited, plan: str, response: Response) -> PlanView:
    """Its ETag, sent as If-Match with an approval, makes sure that what is approved is what was looked at."""
    view = await visit.plans.get(PlanId(plan), visit.reading)
    response.headers["ETag"] = tag(view)
    return view


async def cameras(visit: Visited, plan: str, *, after: After = None, limit: Limit = 100) -> Page[PlanCameraView]:
    """Each camera with its steps and their diffs, in the order of the plan."""
    if after is not None and not (after.isascii() and after.isdigit() and len(after) <= _MOST_DIGITS):
        raise Invalid("this page does not exist: start again at the first one")
    begin, total = int(after or 0), (await visit.plans.get(PlanId(plan), visit.reading)).total
    found = await visit.plans.cameras(PlanId(plan), from_position=begin, limit=limit, scope=visit.reading)
    end = begin + len(found)
    return Page(tuple(found), str(end) if found and end < total else None, total)


async def events(visit: Visited, plan: str) -> Response:
    """Server-sent events: the plan now, and at each change until nothing goes on any more."""
    await visit.plans.get(PlanId(plan), visit.reading)  # 404 before the stream begins, not inside it
    return StreamingResponse(_lines(visit, PlanId(plan)), media_type="text/event-stream")


async def _lines(visit: Visit, plan: PlanId) -> AsyncIterator[str]:
    async for view in visit.plans.events(plan, visit.reading):
        if not await visit.still_may(Permission.READ):
            return
        yield f"data: {_VIEW.dump_json(view).decode()}\n\n"


async def approve(visit: Visited, plan: str, response: Response) -> PlanView:
    """With If-Match: 412 where the plan is not what was looked at any more."""
    wanted = visit.request.headers.get("if-match")
    digest = None
    if wanted is not None and wanted != "*":
        view = await visit.plans.get(PlanId(plan), visit.reading)
        if tag(view) not in (one.strip() for one in wanted.split(",")):
            raise ChangedMeanwhile(f"this plan has changed since it was looked at (it is {view.state}); look again")
        digest = view.digest
    await visit.plans.approve(PlanId(plan), visit.name, digest=digest)
    return await _now(visit, response, PlanId(plan))


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


async def stop(visit: Visited, plan: str, response: Response) -> PlanView:
    """Stop between two steps. What was done stays done."""
    await visit.plans.stop(PlanId(plan), visit.name)
    return await _now(visit, response, PlanId(plan))


async def _begin(
    visit: Visit, response: Response, plan: PlanId, do: Callable[[PlanId, str], Awaitable[None]]
) -> PlanView:
    async def start() -> str:
        await do(plan, visit.name)
        return plan

    return await _under_way(visit, response, PlanId(await once(visit, start)))


async def _under_way(visit: Visit, response: Response, plan: PlanId) -> PlanView:
    response.status_code = 202
    response.headers["Location"] = f"/api/v1/plans/{plan}"
    return await _now(visit, response, plan)


async def _now(visit: Visit, response: Response, plan: PlanId) -> PlanView:
    view = await visit.plans.get(plan, visit.reading)
    response.headers["ETag"] = tag(view)
    return view


def tag(view: PlanView) -> str:
    """The entity tag of a plan: another one as soon as anything of it is another."""
    return f'"{hashlib.sha256(_VIEW.dump_json(view)).hexdigest()[:32]}"'

"""Rollouts by the REST API: the bundles there are, a rollout over chosen cameras, and how it goes."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

from fastapi import Response
from pydantic import Field, TypeAdapter

from fleet import lookup, paging, work
from fleet.errors import Invalid
from fleet.people.permissions import Permission
from fleet.rollouts import bundles
from fleet.rollouts import orders as rollout_orders
from fleet.rollouts.bundles import BundleView
from fleet.rollouts.rows import EventView, GroupView, RolloutId, RolloutView, TargetRow
from fleet.rollouts.runner import Rollouts as Work
from fleet.views import Page, Part
from web.api_words import After, Body, Limit, once
from web.handlers.rollouts import Order
from web.rollout_form import FIELDS, rules_of
from web.streams import follow_state
from web.visit import Visit, Visited

MOST_EVENTS = 200
_VIEW = TypeAdapter(RolloutView)
Word = Annotated[str, Field(max_length=200)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Percent = Annotated[float, Field(gt=0, le=100)]


class NewRollout(Body):
    """What is left out is the careful choice of the console. `cameras`: "all" or ids, serial numbers, names, addresses.

    `first` go first, in a group of `canary`; each next group is `growth` times as large. It stops by itself after
    `failures` in all, or `percent` of a group. `soak_minutes` is the wait between groups.
    """

    bundle: Word
    cameras: Annotated[list[Word], Field(min_length=1, max_length=5000)]
    name: Word = ""
    first: Annotated[list[Word], Field(default_factory=list, max_length=5000)]
    canary: Count = int(FIELDS["canary"])
    growth: Annotated[float, Field(ge=1, le=1000)] = float(FIELDS["growth"])
    failures: Count = int(FIELDS["failures"])
    percent: Percent | None = float(FIELDS["percent"])
    success: Percent = float(FIELDS["success"])
    at_once: Count = int(FIELDS["at_once"])
    per_site: Count = int(FIELDS["per_site"])
    soak_minutes: Annotated[int, Field(ge=0, le=1_000_000)] = int(FIELDS["soak"])
    window: Word = ""
    zone: Word = FIELDS["zone"]
    need_backup: bool = False

    def typed(self) -> dict[str, str]:
        """As the form of the console has it."""
        same = {name: str(getattr(self, name)) for name in FIELDS if name in type(self).model_fields}
        other = {"soak": str(self.soak_minutes), "percent": "" if self.percent is None else f"{self.percent:g}"}
        return {**same, **other, "first": "", "need_backup": "yes" if self.need_backup else ""}


class Abort(Body):
    reason: Annotated[str, Field(max_length=500)] = ""


async def known_bundles(visit: Visited, *, after: After = None, limit: Limit = 50) -> Page[BundleView]:
    """Signed firmware and apps, the newest first. They are brought in at the command line."""
    return paging.in_order(await bundles.listing(visit.store), after, limit)


async def rollouts(visit: Visited, *, after: After = None, limit: Limit = 50) -> Page[RolloutView]:
    """The newest first."""
    return await visit.service.rollouts.listed(after, limit, visit.reading)


async def create(visit: Visited, new: NewRollout, response: Response) -> RolloutView:
    """Plan a rollout; it waits for its approval."""
    scope = visit.scope(Permission.CHANGE)

    async def begin() -> str:
        cameras = await lookup.cameras(visit.store, new.cameras, scope)
        ahead = await lookup.cameras(visit.store, new.first, scope) if new.first else ()
        if not set(ahead) <= set(cameras):
            raise Invalid("first on these cameras: one of them is not among the cameras of the rollout")
        return await rollout_orders.create(
            visit.store,
            new.bundle,
            cameras,
            visit.name,
            rules=rules_of(new.typed()),
            name=new.name,
            canaries=ahead,
            scope=scope,
            zone=new.zone or "UTC",
        )

    rollout = RolloutId(await once(visit, begin))
    response.headers["Location"] = f"/api/v1/rollouts/{rollout}"
    return await visit.service.rollouts.get(rollout, visit.reading)


async def rollout(visit: Visited, rollout: str) -> RolloutView:
    """Where it is, by which rules, and how many cameras are in which state."""
    return await visit.service.rollouts.get(RolloutId(rollout), visit.reading)


async def groups(visit: Visited, rollout: str) -> Sequence[GroupView]:
    """In the order in which they go: how many cameras of each are in which state."""
    return await visit.service.rollouts.groups(RolloutId(rollout), visit.reading)


async def cameras(visit: Visited, rollout: str, *, after: After = None, limit: Limit = 100) -> Part[TargetRow]:
    """In the order of the groups, each camera with where it stands."""
    begin = paging.an_id(after) if after is not None else ""
    wanted = RolloutId(rollout)
    found = await visit.service.rollouts.targets(wanted, after=begin, limit=limit + 1, scope=visit.reading)
    return Part(tuple(found[:limit]), found[limit - 1].id if len(found) > limit else None)


async def history(visit: Visited, rollout: str) -> Sequence[EventView]:
    """What happened to it and its cameras, the newest first; the last two hundred."""
    return await visit.service.rollouts.history(RolloutId(rollout), limit=MOST_EVENTS, scope=visit.reading)


async def events(visit: Visited, rollout: str) -> Response:
    """Server-sent events: the rollout now, then at each change, until nothing of it is in flight."""
    rollouts, wanted = visit.service.rollouts, RolloutId(rollout)
    await rollouts.get(wanted, visit.reading)  # 404 before the stream begins, not inside it
    look = partial(rollouts.get, wanted, visit.reading)
    return follow_state(visit, rollouts.events(wanted), look, _VIEW, work.is_going)


async def approve(visit: Visited, rollout: str) -> RolloutView:
    """With If-Match: 412 where the rollout is not what was looked at any more."""
    return await _ordered(visit, rollout, Work.approve)


async def start(visit: Visited, rollout: str) -> RolloutView:
    """Begin an approved rollout with its first group."""
    return await _ordered(visit, rollout, Work.start)


async def pause(visit: Visited, rollout: str) -> RolloutView:
    """No camera is begun any more, and none that has not been sent the image yet goes on."""
    return await _ordered(visit, rollout, Work.pause)


async def resume(visit: Visited, rollout: str) -> RolloutView:
    """Go on with one that was paused."""
    return await _ordered(visit, rollout, Work.resume)


async def abort(visit: Visited, rollout: str, why: Abort) -> RolloutView:
    """For good. A camera that was sent the image comes to its end."""
    await visit.service.rollouts.abort(RolloutId(rollout), visit.name, why.reason)
    return await visit.service.rollouts.get(RolloutId(rollout), visit.reading)


async def undo(visit: Visited, rollout: str) -> RolloutView:
    """Take the succeeded cameras back where that is possible."""
    return await _ordered(visit, rollout, Work.undo)


async def retry(visit: Visited, rollout: str, camera: str) -> RolloutView:
    """Look at one camera anew, and send the image where it is not there."""
    return await _ordered(visit, rollout, lambda work, wanted, who: work.retry(wanted, camera, who))


async def _ordered(visit: Visit, rollout: str, order: Order) -> RolloutView:
    await order(visit.service.rollouts, RolloutId(rollout), visit.name)
    return await visit.service.rollouts.get(RolloutId(rollout), visit.reading)

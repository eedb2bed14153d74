"""Jobs of the queue by the REST API: listed, followed, stopped and resumed."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Annotated

from fastapi import Query
from pydantic import TypeAdapter
from starlette.responses import Response

from fleet.jobs.model import Job, JobId
from fleet.jobs.queue import JobFilter
from fleet.jobs.rows import JobEventView
from fleet.jobs.states import JobState
from fleet.views import Page
from web.api_words import After, Limit, Text
from web.handlers.queue import LOOK_EVERY_S, going
from web.streams import follow_state
from web.visit import Visit, Visited

Counts = Mapping[JobState, int]
_JOB, _COUNTS = TypeAdapter(Job), TypeAdapter(Counts)


async def listed(
    visit: Visited,
    *,
    kind: Text = None,
    state: JobState | None = None,
    site: Text = None,
    camera: Text = None,
    work: Annotated[str | None, Query(max_length=200, description='such as "scan:" and its id')] = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[Job]:
    """The newest first."""
    return await visit.service.queue.listed(JobFilter(kind, state, site, camera, work), after, limit, visit.reading)


async def counts(visit: Visited) -> Counts:
    """How many jobs are in which state."""
    return await visit.service.queue.counts(visit.reading)


async def counts_events(visit: Visited) -> Response:
    """Server-sent events: how many jobs are in which state, until nothing happens by itself any more."""
    return follow_state(visit, _looks(visit), lambda: visit.service.queue.counts(visit.reading), _COUNTS)


async def _looks(visit: Visit) -> AsyncGenerator[None, None]:
    while True:
        yield
        if not going(await visit.service.queue.counts(visit.reading)):
            return
        await asyncio.sleep(LOOK_EVERY_S)


async def get(visit: Visited, job: str) -> Job:
    """Where it is, who asked for it, and what came of it."""
    return await visit.service.queue.get(JobId(job))


async def history(visit: Visited, job: str) -> Sequence[JobEventView]:
    """What happened to it, the newest first; the last hundred."""
    return await visit.service.queue.history(JobId(job))


async def stream(visit: Visited, job: str) -> Response:
    """Server-sent events: the job now, then at each change; ends with `event: end`."""
    queue, wanted = visit.service.queue, JobId(job)
    await queue.get(wanted)  # 404 before the stream begins, not inside it
    return follow_state(visit, queue.events(wanted), lambda: queue.get(wanted), _JOB)


async def cancel(visit: Visited, job: str) -> Job:
    """At once, or at the end of the step that runs."""
    return await visit.service.queue.cancel(JobId(job), visit.name)


async def pause(visit: Visited, job: str) -> Job:
    """At once, or at the end of the step that runs."""
    return await visit.service.queue.pause(JobId(job), visit.name)


async def resume(visit: Visited, job: str) -> Job:
    """Go on with one that was paused."""
    return await visit.service.queue.resume(JobId(job), visit.name)


async def run_again(visit: Visited, job: str) -> Job:
    """One that failed or was cancelled."""
    return await visit.service.queue.run_again(JobId(job), visit.name)

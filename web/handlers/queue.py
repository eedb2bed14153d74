"""Jobs of the queue: listed, followed, stopped and resumed. For machines: `web.handlers.api_jobs`."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from types import MappingProxyType
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response

from fleet import estate
from fleet.errors import Invalid
from fleet.jobs.model import Job, JobId
from fleet.jobs.queue import JobFilter
from fleet.jobs.queue import Queue as Jobs
from fleet.jobs.states import JobState, Move, after
from fleet.people.permissions import Permission
from web import words
from web.handlers.sites import choices
from web.job_contexts import Queue, QueuedJob
from web.problems import STATUSES
from web.rendering import sentence
from web.streams import stream as streamed
from web.visit import Visit, Visited, see

PER_PAGE = 50
LOOK_EVERY_S = 2.0
ORDERS: Mapping[str, Callable[[Jobs, JobId, str], Awaitable[Job]]] = MappingProxyType(
    {"pause": Jobs.pause, "resume": Jobs.resume, "cancel": Jobs.cancel, "run-again": Jobs.run_again}
)


async def show_all(visit: Visited) -> Response:
    """What does not exist filters nothing."""
    queue = visit.service.queue
    kinds = tuple(kind.name for kind in queue.kinds)
    named = {name: visit.query.get(name, "") for name in ("kind", "state", "site")}
    wanted = JobFilter(
        kind=named["kind"] if named["kind"] in kinds else None,
        state=JobState(named["state"]) if named["state"] in set(JobState) else None,
        site=named["site"] or None,
    )
    page = await queue.listed(wanted, visit.query.get("after") or None, PER_PAGE, visit.reading)
    counts = await queue.counts(visit.reading)
    query = urlencode({name: value for name, value in named.items() if value})
    names = await estate.names(visit.store, [job.camera for job in page.items if job.camera])
    return visit.page(Queue(page, names, kinds, await choices(visit), counts, wanted, query, going(counts)))


def going(counts: Mapping[JobState, int]) -> bool:
    """Does anything happen by itself?"""
    return any(counts.get(state) for state in (JobState.QUEUED, JobState.WAITING, JobState.RUNNING))


async def all_events(visit: Visited) -> Response:
    """Server-sent events: how many jobs are in which state, whenever that changes, until nothing happens by itself."""
    return streamed(_counts(visit), visit.desk.stopping)


async def _counts(visit: Visit) -> AsyncGenerator[str, None]:
    told: Mapping[JobState, int] | None = None
    while await visit.still_may(Permission.READ):
        counts = await visit.service.queue.counts(visit.reading)
        if counts != told:
            told = counts
            here = [f"{count:,} {words.QUEUE_STATES[state].text.lower()}" for state, count in sorted(counts.items())]
            yield _line({"said": ", ".join(here) or "no jobs"})
        if not going(counts):
            yield "event: end\ndata: {}\n\n"
            return
        await asyncio.sleep(LOOK_EVERY_S)


async def show(visit: Visited, job: str) -> Response:
    return await _page(visit, JobId(job), "", 200)


async def _page(visit: Visit, job: JobId, mistake: str, status: int) -> Response:
    queue = visit.service.queue
    found = await queue.get(job)
    names = await estate.names(visit.store, [found.camera] if found.camera else ())
    context = QueuedJob(found, names, tuple(await queue.history(job)), _orders(queue, found), mistake)
    return visit.page(context, status)


def _orders(queue: Jobs, job: Job) -> tuple[str, ...]:
    """Those that would be taken now."""
    pausable = all(kind.pausable for kind in queue.kinds if kind.name == job.kind)
    offered = [order for order in ORDERS if after(job.state, Move(order)) and not job.asked.ends_it]
    return tuple(order for order in offered if order != "pause" or pausable)


async def events(visit: Visited, job: str) -> Response:
    """Server-sent events; 404 before the stream begins, not inside it."""
    await visit.service.queue.get(JobId(job))
    return streamed(_said(visit, JobId(job)), visit.desk.stopping)


async def _said(visit: Visit, job: JobId) -> AsyncGenerator[str, None]:
    async with aclosing(visit.service.queue.events(job)) as changes:
        async for now in changes:
            if not await visit.still_may(Permission.READ):
                return
            progress = f": {now.progress.done:,} of {now.progress.total:,}" if now.progress.total else ""
            yield _line({"said": f"{words.QUEUE_STATES[now.state].text}{progress}"})
    yield "event: end\ndata: {}\n\n"


async def carry_out(visit: Visited, job: str, order: str) -> Response:
    if order not in ORDERS:
        raise HTTPException(404)
    try:
        await ORDERS[order](visit.service.queue, JobId(job), visit.name)
    except Invalid as exc:
        return await _page(visit, JobId(job), sentence(str(exc)), STATUSES[type(exc)])
    return see(f"/jobs/queue/{job}")


def _line(value: object) -> str:
    return f"data: {json.dumps(value)}\n\n"

"""All work in one list, and what every kind of it has in common: how it is followed."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from starlette.responses import Response

from fleet import work
from fleet.people import second_person
from fleet.people.permissions import Permission
from fleet.work import Job, Kind
from web import words
from web.job_contexts import Jobs
from web.rendering import plural
from web.streams import stream
from web.visit import Visit, Visited


async def show_all(visit: Visited) -> Response:
    """A kind that does not exist filters nothing."""
    asked = visit.query.get("kind", "")
    kind = Kind(asked) if asked in set(Kind) else None
    return visit.page(Jobs(await work.recent(visit.service, kind, scope=visit.reading), kind or ""))


async def needs_another(visit: Visit, maker: str, offered: frozenset[str]) -> bool:
    """Would this visitor's approval be refused, because what is to be approved is their own?"""
    asked = visit.service.settings.two_persons and "approve" in offered
    return asked and await second_person.is_the_same(visit.store, maker, visit.name)


def follow(visit: Visit, changes: AsyncGenerator[object, None], look: Callable[[], Awaitable[Job]]) -> Response:
    """Server-sent events: what to say after each change, and "end" once nothing happens by itself any more.

    Nothing more is said to somebody whose grant has ended meanwhile.
    """
    return stream(_lines(visit, changes, look), visit.desk.stopping)


async def _lines(
    visit: Visit, changes: AsyncGenerator[object, None], look: Callable[[], Awaitable[Job]]
) -> AsyncGenerator[str, None]:
    async with aclosing(changes):
        async for _ in changes:
            if not await visit.still_may(Permission.READ):
                return
            job = await look()
            yield f"data: {json.dumps({'said': said(job)})}\n\n"
            if not job.going:
                yield "event: end\ndata: {}\n\n"
                return


def said(job: Job) -> str:
    """Where a job is, in words that are read aloud."""
    state = words.word(words.JOB_STATES[job.kind], job.state).text
    return f"{state}: {job.done:,} of {plural(job.total, 'camera')}"

"""What the handlers of the API have in common: parameters, bodies, work that is begun once, lists in pages."""

import re
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Query
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from fleet import idempotency
from web.visit import Visit

MOST_TEXT = 200
# RFC 3339: a date, a time and a zone. Numbers, which a lenient reader takes for seconds, are none.
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:\d{2})")


def _written(value: object) -> object:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise ValueError("write a moment with its zone, such as 2026-03-01T12:00:00Z")
    return value


Limit = Annotated[int, Query(ge=1, le=500, description="at most so many in one page")]
Text = Annotated[str | None, Query(max_length=MOST_TEXT)]
After = Annotated[str | None, Query(description="the `after` of the page before", max_length=500)]
Id = Annotated[str, Field(min_length=1, max_length=64)]
# What is text in JSON and something narrower here.
Lax = Field(strict=False)
Moment = Annotated[AwareDatetime, Lax, BeforeValidator(_written)]


class Body(BaseModel):
    """What is sent. Nothing more than what it names, and nothing that has to be guessed at."""

    model_config = ConfigDict(extra="forbid", strict=True)


async def once(visit: Visit, start: Callable[[], Awaitable[str]]) -> str:
    """The id of what `start` makes; the same id where the request was sent before with the same Idempotency-Key."""
    key = visit.request.headers.get("idempotency-key")
    if key is None:
        return await start()
    request = visit.request.url.path.encode() + b"\0" + await visit.request.body()
    return await idempotency.once(visit.store, visit.name, key, request, start)

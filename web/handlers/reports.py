"""Reports: the estate as it is stored, in the formats that people and machines read."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.responses import Response

from fleet.commissioning import views
from fleet.estate_report import FORMATS, stored_assessment
from web.contexts import Reports
from web.visit import Visited


async def show(visit: Visited) -> Response:
    signed = tuple(one for one in await views.recent(visit.store, scope=visit.reading) if one.signed_by)
    return visit.page(Reports(signed))


async def download(visit: Visited, ending: str) -> Response:
    """`estate.html`, `.csv`, `.json`, `.sarif` or `.xml` (JUnit): the last visit of every camera."""
    if ending not in FORMATS:
        raise HTTPException(404)
    media_type, write = FORMATS[ending]
    body = await asyncio.to_thread(write, await stored_assessment(visit.store, visit.reading))
    headers = {"Content-Disposition": f'attachment; filename="estate.{ending}"'}
    return Response(body, media_type=media_type, headers=headers)

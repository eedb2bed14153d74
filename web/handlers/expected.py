"""Expected cameras: a list is imported, and what no scan has found is shown."""

from starlette.responses import Response

from fleet.errors import Invalid
from fleet.expected import rows, sheet
from fleet.expected.rows import Import, Known
from fleet.people.permissions import Permission
from web.contexts import Expected
from web.problems import STATUSES
from web.rendering import sentence
from web.visit import Visit, Visited, see


async def show(visit: Visited) -> Response:
    return await _page(visit)


async def bring_in(visit: Visited) -> Response:
    """A file, or a trial of it: the answer says what became, or would become, of its lines."""
    form = await visit.form()
    content = await visit.upload("list")
    if content is None:
        return await _page(visit, mistake="Choose the file of the list.", status=STATUSES[Invalid])
    try:
        done = await rows.bring_in(
            visit.store,
            sheet.read(content),
            visit.name,
            source="the console",
            trial=form.get("order") != "import",
            partial=form.get("partial") == "1",
            scope=visit.scope(Permission.SCAN),
        )
    except Invalid as error:
        return await _page(visit, mistake=sentence(str(error)), status=STATUSES[Invalid])
    return await _page(visit, done)


async def forget(visit: Visited) -> Response:
    """One place, or several."""
    places = [place[:100] for place in (await visit.form()).getlist("place")]
    await rows.forget(visit.store, places, visit.name, visit.scope(Permission.SCAN))
    return see("/expected")


async def _page(visit: Visit, done: Import | None = None, *, mistake: str = "", status: int = 200) -> Response:
    every = visit.query.get("all") == "1"
    wanted = tuple(Known) if every else rows.NOT_FOUND
    after = visit.query.get("after")
    page = await rows.expected(visit.store, known=wanted, after=after, scope=visit.reading)
    numbers = await rows.numbers(visit.store, visit.reading)
    return visit.page(Expected(page, numbers, every, not after, done, mistake), status)

"""The first page: what do I own, how bad is it, what first, what changed, what could not be judged."""

from starlette.responses import Response

from fleet import changes, estate, sites
from fleet.views import OverviewView
from scanners.checks import CHECKS
from scanners.model import Severity
from web import leading
from web.changed import lines
from web.contexts import Overview, ScanForm, Slice
from web.rendering import plural
from web.visit import Visited

# How far back the changes may go, the first unless asked otherwise.
DAYS = (1, 7, 30)
RATIONALES = {check.id: check.rationale for check in CHECKS}


async def show(visit: Visited) -> Response:
    view = await estate.overview(visit.store, visit.reading)
    unjudged = await estate.not_evaluated(visit.store, limit=6, scope=visit.reading)
    pictures = await visit.service.pictures.summary(visit.reading)
    known = await sites.sites(visit.store, visit.reading)
    places = tuple(sorted(known, key=lambda place: (-place.urgent, place.site.name)))
    days = int(asked) if (asked := visit.query.get("days", "")) in set(map(str, DAYS)) else DAYS[0]
    changed = await changes.lately(visit.store, days, visit.reading)
    context = Overview(
        view=view,
        headline=headline(view),
        spread=spread(view),
        unjudged=unjudged,
        rationales=RATIONALES,
        pictures=pictures,
        places=places,
        changed=lines(changed),
        days=days,
        choices=DAYS,
        form=ScanForm(),
        steps=await leading.offered(visit),
    )
    return visit.page(context)


def headline(view: OverviewView) -> str:
    """The state of the estate in one sentence, said without alarm and without comfort."""
    worst = {severity: count for severity, count in view.by_worst if count}
    for severity in (Severity.CRITICAL, Severity.HIGH):
        if count := worst.get(severity, 0):
            has = "has" if count == 1 else "have"
            return f"{count:,} of {plural(view.cameras, 'camera')} {has} a {severity} weakness."
    yours = f"your {plural(view.cameras, 'camera')}"
    if view.findings.total:
        return f"No critical or high weakness is open on {yours}."
    if view.unknown or view.not_evaluated:
        return f"Nothing is known to be wrong with {yours}, but not everything could be judged."
    return f"Nothing is wrong with {yours}, as far as we looked."


def spread(view: OverviewView) -> tuple[Slice, ...]:
    slices: list[Slice] = []
    x = 0.0
    clear = dict(view.by_worst).get(None, 0) - view.unclear
    parts = [(str(severity), count) for severity, count in view.by_worst if severity is not None]
    for state, count in (*parts, ("unknown", view.unclear), ("none", clear)):
        width = 100 * count / view.cameras if view.cameras else 0
        slices.append(Slice(state, count, round(x, 3), round(width, 3)))
        x += width
    return tuple(slices)

"""The first steps: pages that lead a new administrator from an empty console to the first finding.

A thin frame around what has its own pages elsewhere: each step calls the same functions, and is done when what it makes
is stored. So one may leave at any time, come back, or do a step elsewhere.
"""

import asyncio
from functools import cache
from ipaddress import ip_network
from zoneinfo import available_timezones

from starlette.responses import Response

from fleet import estate, first_steps
from fleet import sites as fleet_sites
from fleet.errors import Invalid, NeedsConfirmation, NotFound
from fleet.first_steps import Step
from fleet.people.permissions import Permission
from fleet.scans.runner import ScanView
from fleet.sites import Site
from fleet.standing import Standing, kept_counts
from fleet.vault import logins
from fleet.views import DeviceFilter, FindingFilter
from scanners.discovery.interfaces import networks
from web.factor_forms import key_host
from web.first_contexts import FirstAccount, FirstAssess, FirstFind, FirstFindings, FirstSite, Place
from web.handlers import sites
from web.handlers.door import A_YEAR_S
from web.handlers.overview import RATIONALES
from web.leading import DISMISSED, HERE, way_of
from web.problems import STATUSES
from web.remedies import remedy
from web.rendering import sentence
from web.visit import Visit, Visited, see
from web.words import FIRST_STEPS

_END = f"{HERE}/findings"
_MOST_SHOWN = 12
_MOST_SCANS = 20


async def place(visit: Visit, step: Step | None) -> Place:
    return Place(step or "", frozenset((await way_of(visit)).done))


async def lead(visit: Visited) -> Response:
    """To the first step that is not done."""
    step = (await way_of(visit)).next
    return see(FIRST_STEPS[step].href if step else _END)


async def dismiss(visit: Visited) -> Response:
    """In this browser, the first page does not speak of it any more; its address stays."""
    response = see("/")
    visit.keep(response, DISMISSED, "dismissed", A_YEAR_S)
    return response


# --- 1: the account ---------------------------------------------------------------------------------------------------


async def account(visit: Visited) -> Response:
    here = await place(visit, Step.ACCOUNT)
    return visit.page(FirstAccount(here, Step.ACCOUNT in here.done, key_host(visit) is not None))


# --- 2: site and scope ------------------------------------------------------------------------------------------------


async def site(visit: Visited) -> Response:
    known = [view.site for view in await fleet_sites.sites(visit.store, visit.reading)]
    first = known[0] if known else Site("", zone=visit.service.settings.schedule_zone)
    return await _site_page(visit, first, first.name, len(known) - 1, "")


async def put_site(visit: Visited) -> Response:
    form = await visit.form()
    typed, before = sites.typed(form), form.get("before", "")
    try:
        if not typed.networks:
            raise Invalid("write at least one network: only there is looked for cameras")  # noqa: TRY301 - told like the others
        first_steps.refuse_wide(typed.networks)
        await fleet_sites.put(visit.store, typed, visit.name, instead_of=before or None)
    except (Invalid, NotFound) as exc:
        return await _site_page(visit, typed, before, 0, sentence(str(exc)), STATUSES[type(exc)])
    return see(FIRST_STEPS[Step.FIND].href)


async def _site_page(  # noqa: PLR0917 - the fields of the form
    visit: Visit, typed: Site, before: str, others: int, mistake: str, status: int = 200
) -> Response:
    here = tuple(str(network) for network in await asyncio.to_thread(networks))
    zones = await asyncio.to_thread(_zones)
    where = await place(visit, Step.SITE)
    return visit.page(FirstSite(where, typed, before, max(0, others), here, zones, mistake), status)


@cache
def _zones() -> tuple[str, ...]:
    """Blocks the first time."""
    return tuple(sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/")))


# --- 3: look around ---------------------------------------------------------------------------------------------------


async def find(visit: Visited) -> Response:
    return await _find_page(visit, "", 0, 200)


async def start_find(visit: Visited) -> Response:
    form = await visit.form()
    try:
        await visit.scans.start(
            await _as_shown(visit, form.get("targets", "")),
            visit.name,
            looks_only=True,
            confirmed=bool(form.get("confirmed")),
            scope=visit.scope(Permission.SCAN),
        )
    except Invalid as exc:
        confirm = exc.count if isinstance(exc, NeedsConfirmation) else 0
        return await _find_page(visit, sentence(str(exc)), confirm, STATUSES[type(exc)])
    return see(FIRST_STEPS[Step.FIND].href)


async def _as_shown(visit: Visit, targets: str) -> str:
    """What was shown is what is looked at. Raises Invalid where it belongs to no site (any more)."""
    if set(targets.split()) - set(await _networks(visit)):
        raise Invalid("the networks of the sites were changed meanwhile: look at them, then begin")
    return targets


async def _find_page(visit: Visit, mistake: str, confirm: int, status: int) -> Response:
    where, scan = await place(visit, Step.FIND), await _newest(visit, looks_only=True)
    wanted = await _networks(visit)
    addresses = sum(ip_network(network).num_addresses for network in wanted)
    found = await estate.devices(visit.store, limit=_MOST_SHOWN, scope=visit.reading)
    page = FirstFind(where, wanted, addresses, scan, found.items, found.total, confirm, mistake)
    return visit.page(page, status)


async def _networks(visit: Visit) -> tuple[str, ...]:
    known = await fleet_sites.sites(visit.store, visit.scope(Permission.SCAN))
    return tuple(network for view in known for network in view.site.networks)


async def _newest(visit: Visit, *, looks_only: bool) -> ScanView | None:
    recent = await visit.scans.recent(_MOST_SCANS, visit.reading)
    return next((scan for scan in recent if scan.looks_only is looks_only), None)


# --- 6: examine -------------------------------------------------------------------------------------------------------


async def assess(visit: Visited) -> Response:
    return await _assess_page(visit, "", 200)


async def start_assess(visit: Visited) -> Response:
    form = await visit.form()
    try:
        await visit.scans.start(
            form.get("targets", ""),
            visit.name,
            default_credentials=bool(form.get("default_credentials")),
            confirmed=True,
            scope=visit.scope(Permission.SCAN),
        )
    except Invalid as exc:
        return await _assess_page(visit, sentence(str(exc)), STATUSES[type(exc)])
    return see(FIRST_STEPS[Step.ASSESS].href)


async def _assess_page(visit: Visit, mistake: str, status: int) -> Response:
    where, scan = await place(visit, Step.ASSESS), await _newest(visit, looks_only=False)
    adopted = (await kept_counts(visit.store, visit.reading))[Standing.ADOPTED]
    known = await logins.number_known(visit.store, visit.reading)
    return visit.page(FirstAssess(where, adopted, known, scan, mistake), status)


# --- the end ----------------------------------------------------------------------------------------------------------


async def findings(visit: Visited) -> Response:
    """The worst one with what to do about it, and where to go on."""
    first = await estate.findings(visit.store, FindingFilter(), limit=1, scope=visit.reading)
    view = await estate.overview(visit.store, visit.reading)
    worst = await estate.finding(visit.store, first.items[0].id, visit.reading) if first.items else None
    row = worst.row if worst else None
    cameras = await estate.devices(visit.store, DeviceFilter(), limit=1, scope=visit.reading)
    return visit.page(
        FirstFindings(
            place=await place(visit, None),
            worst=worst,
            rationale=RATIONALES.get(row.check, "") if row else "",
            remedy=remedy(row.check, row.camera, row.id) if row else None,
            checks=view.checks,
            total=view.findings.total,
            unknown=view.unknown,
            cameras=cameras.total,
        )
    )

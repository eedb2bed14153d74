"""What was found is taken on, or is not; and a login for it. Steps of the first ones, and a decision on one device."""

from itertools import groupby

from starlette.datastructures import QueryParams
from starlette.responses import Response

from cameras.errors import DeviceError
from cameras.secret import Credential, Secret
from fleet import estate, standing
from fleet.errors import Busy, Invalid, NotFound
from fleet.first_steps import Step
from fleet.people.permissions import Permission
from fleet.standing import NEW, Standing
from fleet.vault import logins
from fleet.views import DeviceFilter, DeviceRow
from web.first_contexts import FirstAdopt, FirstLogin, Make
from web.handlers.first_steps import place
from web.problems import CAMERA_STATUS, STATUSES
from web.rendering import sentence
from web.visit import Visit, Visited, see
from web.words import FIRST_STEPS

_MOST_LISTED = 300
EACH = "each"
MAKE, ALL, NONE = "make", "all", "none"


async def decide_one(visit: Visited, camera: str) -> Response:
    """Of one device, on its page."""
    wanted = (await visit.form()).get("standing", "")
    if wanted in set(Standing):
        await standing.decide(visit.store, {camera: Standing(wanted)}, visit.name, visit.scope(Permission.CHANGE))
    return see(f"/devices/{camera}")


# --- 4: adopt ---------------------------------------------------------------------------------------------------------


async def adopt(visit: Visited) -> Response:
    return await _adopt_page(visit, "", 200)


async def _adopt_page(visit: Visit, mistake: str, status: int) -> Response:
    where = await place(visit, Step.ADOPT)
    rows = (await _undecided(visit)).items
    found = await standing.kept_counts(visit.store, visit.reading)
    return visit.page(FirstAdopt(where, _makes(rows), found, mistake), status)


async def _undecided(visit: Visit) -> estate.Page[DeviceRow]:
    return await estate.devices(visit.store, DeviceFilter(standing=NEW), limit=_MOST_LISTED, scope=visit.reading)


def _makes(rows: tuple[DeviceRow, ...]) -> tuple[Make, ...]:
    """The largest first, those of no known make last.

    What is at no site of ours is proposed for quarantine: nobody said that it is ours.
    """
    by_make = sorted(rows, key=lambda row: ((row.manufacturer or "").casefold(), row.address, row.port))
    groups = [tuple(group) for _, group in groupby(by_make, key=lambda row: (row.manufacturer or "").casefold())]
    return tuple(
        Make(
            name=group[0].manufacturer or "",
            count=len(group),
            rows=group,
            proposed=Standing.ADOPTED if any(row.site for row in group) else Standing.QUARANTINED,
        )
        for group in sorted(groups, key=lambda group: (not group[0].manufacturer, -len(group)))
    )


async def decide(visit: Visited) -> Response:
    """For each make one word for all of it, or a word for each device. More than a page lists are decided page by page,
    but for makes of which all get the same.
    """
    form = await visit.form()
    decisions: dict[str, Standing] = {}
    for make in _makes((await _undecided(visit)).items):
        decisions |= await _of_make(visit, make, form)
    if not decisions:
        return await _adopt_page(visit, "Choose what becomes of each make.", 422)
    await standing.decide(visit.store, decisions, visit.name, visit.scope(Permission.CHANGE))
    left = (await standing.counts(visit.store, visit.reading))[NEW]
    return see(FIRST_STEPS[Step.ADOPT if left else Step.LOGIN].href)


async def _of_make(visit: Visit, make: Make, form: QueryParams) -> dict[str, Standing]:
    word = form.get(f"make:{make.name}", "")
    if word in set(Standing):
        every = await standing.of_vendor(visit.store, make.name, visit.reading)
        return dict.fromkeys(every, Standing(word))
    if word != EACH:
        return {}
    chosen = {row.id: form.get(f"one:{row.id}", "") for row in make.rows}
    return {camera: Standing(one) for camera, one in chosen.items() if one in set(Standing)}


# --- 5: a login -------------------------------------------------------------------------------------------------------


async def login(visit: Visited) -> Response:
    return await _login_page(visit)


async def try_login(visit: Visited) -> Response:
    """One camera while the person waits; the others only where that one takes it."""
    form = await visit.form()
    account, first, then = form.get("account", "").strip(), form.get("first", ""), form.get("then", MAKE)
    scope = visit.scope(Permission.CHANGE)
    try:
        await visit.service.logins.try_first(
            first, Credential(account, Secret(form.get("password", ""))), visit.name, scope
        )
    except (Invalid, NotFound, Busy) as exc:
        return await _login_page(visit, form, mistake=sentence(str(exc)), status=STATUSES[type(exc)])
    except DeviceError as exc:
        nothing = "No other camera was asked, and nothing was kept."
        return await _login_page(visit, form, mistake=f"{sentence(str(exc))} {nothing}", status=CAMERA_STATUS)
    if then != NONE:
        others = await logins.wanting(visit.store, scope, like=first if then == MAKE else None)
        await visit.service.logins.offer(first, account, [one.camera for one in others], visit.name)
    return see(FIRST_STEPS[Step.LOGIN].href)


async def _login_page(
    visit: Visit, form: QueryParams | None = None, *, mistake: str = "", status: int = 200
) -> Response:
    """The password is never shown again, not even to whoever typed it."""
    typed = form or QueryParams()
    rows = await logins.wanting(visit.store, visit.scope(Permission.CHANGE))
    by_make: dict[str, list[logins.Wanting]] = {}
    for row in rows[:_MOST_LISTED]:
        by_make.setdefault(row.manufacturer or "Make not known", []).append(row)
    page = FirstLogin(
        place=await place(visit, Step.LOGIN),
        wanting={make: tuple(some) for make, some in by_make.items()},
        known=await logins.number_known(visit.store, visit.reading),
        account=typed.get("account", ""),
        first=typed.get("first", ""),
        then=typed.get("then", MAKE),
        offered=await visit.service.logins.offered(visit.reading),
        file=visit.service.settings.credentials_file is not None,
        mistake=mistake,
    )
    return visit.page(page, status)

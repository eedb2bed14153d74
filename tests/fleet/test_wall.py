"""The wall of pictures in pages: its order, its filters and its seams."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from fleet import sites
from fleet.errors import Invalid
from fleet.findings import triage as findings
from fleet.people.scope import EVERYWHERE, NOWHERE, Scope
from fleet.pictures import incidents, rows
from fleet.pictures.incidents import Where
from fleet.pictures.wall import WallFilter, page_of
from fleet.sites import Site
from fleet.store import Store
from health.conditions import Condition
from health.series import Change
from tests.fleet.samples import NOON, assessed, camera, dossier

# Camera by its number: minutes since its newest picture, the light of its last look, and whether a fault is open.
SEEN: Mapping[int, tuple[int | None, str | None, bool]] = {
    1: (5, "day", False),
    2: (60, "night-ir", False),
    3: (60, "day", False),
    4: (None, None, False),
    5: (None, None, False),
    6: (5, "day", True),
    7: (90, "night-ir", True),
    8: (None, "day", True),
}
ORDER = [8, 7, 6, 4, 5, 2, 3, 1]
NORTH = Scope(frozenset({"north"}))
Ids = dict[int, str]


@pytest.fixture
async def ids(store: Store) -> Ids:
    await sites.put(store, Site("north", ("10.0.0.0/29",)), "ana")
    found = {}
    for number, (minutes, light, ill) in SEEN.items():
        at = f"10.0.0.{number + 4}"
        found[number] = (await findings.record(store, assessed({}, dossier(at, identity=camera(number))))).camera
        picture_at = None if minutes is None else NOON - timedelta(minutes=minutes)
        looked = {"condition": light, "picture_at": picture_at, "checked_at": light and NOON}
        changes = [Change("raised", "covered", NOON, 1.0)] if ill else []
        async with store.write() as connection:
            if light:
                await rows.change_watch(connection, found[number], looked)
            await incidents.apply(connection, Where(found[number], at, "north"), changes, (), NOON)
    return found


async def shown(
    store: Store, ids: Ids, wanted: WallFilter | None = None, *, limit: int = 48, scope: Scope = EVERYWHERE
) -> list[int]:
    """The numbers of the cameras, page after page; the total is that of every page."""
    numbers, after, names, totals = [], None, {camera: number for number, camera in ids.items()}, set()
    for _ in range(len(SEEN) + 1):
        page = await page_of(store, wanted, after, limit, scope)
        assert len(page.items) <= limit
        numbers += [names[tile.camera] for tile in page.items]
        totals.add(page.total)
        if (after := page.after) is None:
            break
    assert totals == {len(numbers)}
    return numbers


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
async def test_open_faults_come_first_then_the_longest_unseen_on_pages_of_any_length(
    store: Store, ids: Ids, limit: int
) -> None:
    assert await shown(store, ids, limit=limit) == ORDER


FILTERS: dict[str, tuple[WallFilter, Scope, list[int]]] = {
    "open faults": (WallFilter(faults=True), EVERYWHERE, [8, 7, 6]),
    "a light": (WallFilter(condition=Condition.NIGHT_IR), EVERYWHERE, [7, 2]),
    "open faults in a light": (WallFilter(faults=True, condition=Condition.DAY), EVERYWHERE, [8, 6]),
    "a part of the address": (WallFilter("0.0.1"), EVERYWHERE, [8, 7, 6]),
    "the end of an address with its port": (WallFilter(".5:80"), EVERYWHERE, [1]),
    "capitals and what no camera is called": (WallFilter("NOBODY"), EVERYWHERE, []),
    "a serial number, which the wall does not show": (WallFilter("B8A44F"), EVERYWHERE, []),
    "wild cards are no wild cards": (WallFilter("10%5"), EVERYWHERE, []),
    "a site": (WallFilter(), NORTH, [2, 3, 1]),
    "a site and a part of the address": (WallFilter("10.0.0.6"), NORTH, [2]),
    "nowhere": (WallFilter(), NOWHERE, []),
}


@pytest.mark.parametrize(("wanted", "scope", "numbers"), FILTERS.values(), ids=FILTERS)
async def test_the_wall_shows_what_fits(
    store: Store, ids: Ids, wanted: WallFilter, scope: Scope, numbers: list[int]
) -> None:
    assert await shown(store, ids, wanted, scope=scope) == numbers
    assert await shown(store, ids, wanted, limit=1, scope=scope) == numbers


async def test_a_camera_keeps_its_place_while_others_move(store: Store, ids: Ids) -> None:
    first = await page_of(store, limit=5)
    async with store.write() as connection:
        await rows.change_watch(connection, ids[4], {"picture_at": NOON, "checked_at": NOON})
        over = [Change("cleared", "covered", NOON, 0.0)]
        await incidents.apply(connection, Where(ids[7], "", "north"), over, (), NOON)
    rest = await page_of(store, after=first.after)
    assert [tile.camera for tile in rest.items] == [ids[number] for number in (7, 2, 3, 1, 4)]
    assert await shown(store, ids) == [8, 6, 5, 7, 2, 3, 1, 4]


@pytest.mark.parametrize("cursor", ["", "48", "-1", "1~~", "1~yesterday~x", "1~0001-01-01T00:00:00+23:59~x", "~~~"])
async def test_a_cursor_that_we_never_gave_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(Invalid):
        await page_of(store, after=cursor, limit=3)

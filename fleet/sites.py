"""Sites: places with networks, a clock and a maintenance window. A camera belongs to the smallest network around it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from sqlalchemy import case, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.untrusted import clean_text
from fleet import standing
from fleet.audit.trail import Action, Entry, acting, record
from fleet.errors import Invalid, NotFound
from fleet.people import grants
from fleet.people.scope import EVERYWHERE, Scope
from fleet.store import Store
from fleet.store import tables as t
from fleet.store.expected_tables import ExpectedCamera
from fleet.store.jobs_tables import Job, Schedule
from fleet.store.pictures_tables import PictureIncident
from fleet.store.sites_tables import JumpHost
from fleet.store.sites_tables import Site as SiteTable
from hardening.windows import WindowError, parse_window, zone

MOST_SITES = 2000
MOST_NETWORKS = 200
_MOST_NAME = 80
_AT_ONCE = 500
Network = IPv4Network | IPv6Network
_Placed = t.Camera | t.ScanNotEvaluated | ExpectedCamera


@dataclass(frozen=True, slots=True)
class Site:
    """A place. `zone` is an IANA name; `window` is when its cameras may be changed, "" for at any time."""

    name: str
    networks: tuple[str, ...] = ()
    zone: str = "UTC"
    window: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class SiteView:
    """A site with what is known of it: how many cameras it has, and how many of them have a critical or high finding.

    `score` is the mean of its cameras', `None` where it has none.
    """

    site: Site
    cameras: int
    urgent: int
    score: int | None


# --- pure ---


def checked(site: Site) -> Site:
    """As it is stored: names cleaned, networks in their shortest form. Raises Invalid, in words for who typed it."""
    name = clean_text(site.name, _MOST_NAME)
    if not name:
        raise Invalid("a site has a name")
    if len(site.networks) > MOST_NETWORKS:
        raise Invalid(f"at most {MOST_NETWORKS} networks for one site")
    networks = tuple(dict.fromkeys(str(_network(text)) for text in site.networks))
    try:
        zone(site.zone)
        if window := site.window.strip():
            parse_window(window)
    except WindowError as error:
        raise Invalid(str(error)) from error
    return Site(name, networks, site.zone, window, clean_text(site.note, 500))


def _network(text: str) -> Network:
    try:
        return ip_network(text.strip())
    except ValueError:
        pass
    try:
        meant = ip_network(text.strip(), strict=False)
    except ValueError:
        raise Invalid(f"{clean_text(text, 80)!r} is no network; write 10.1.0.0/16 or 10.1.4.7") from None
    raise Invalid(f"{clean_text(text, 80)} is an address inside a network; did you mean {meant}?")


@lru_cache(maxsize=4 * MOST_SITES)
def _parsed(text: str) -> Network:
    return ip_network(text)


def site_of(address: str, sites: Iterable[Site]) -> Site | None:
    """The one with the smallest network that holds the address; `None` where none does, or it is no address."""
    try:
        there = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    fitting = [
        (network.prefixlen, site)
        for site in sites
        for network in map(_parsed, site.networks)
        if there.version == network.version and there in network
    ]
    return max(fitting, key=lambda one: one[0], default=(0, None))[1]


def name_at(address: str, sites: Iterable[Site]) -> str | None:
    """The name of the site of that address, `None` where it has none."""
    found = site_of(address, sites)
    return found.name if found else None


# --- stored ---


async def sites(store: Store, scope: Scope = EVERYWHERE) -> list[SiteView]:
    """By name."""
    urgent = func.sum(case((t.Camera.critical + t.Camera.high > 0, 1), else_=0))
    counted = select(t.Camera.site, func.count(), urgent, func.avg(t.Camera.score)).where(standing.COUNTED)
    counted = counted.group_by(t.Camera.site)

    async def count() -> dict[str | None, Sequence[float]]:
        async with store.read() as connection:
            return {name: rest for name, *rest in (await connection.execute(counted)).all()}

    async with store.read() as connection:
        known = await stored(connection)
    counts = await store.summaries.get("sites", count)
    return [SiteView(site, *_counted(counts.get(site.name))) for site in known if scope.covers(site.name)]


def _counted(row: Sequence[float] | None) -> tuple[int, int, int | None]:
    return (int(row[0]), int(row[1] or 0), round(row[2])) if row else (0, 0, None)


async def stored(connection: AsyncConnection) -> list[Site]:
    """By name; for use inside a transaction."""
    rows = (await connection.execute(select(SiteTable).order_by(SiteTable.name))).all()
    return [Site(row.name, tuple(row.networks), row.zone, row.window, row.note) for row in rows]


async def find(store: Store, name: str) -> Site:
    """Raises NotFound."""
    async with store.read() as connection:
        found = next((site for site in await stored(connection) if site.name == name), None)
    if found is None:
        raise NotFound(f"there is no site {clean_text(name, _MOST_NAME)!r}")
    return found


async def put(store: Store, site: Site, actor: str, *, instead_of: str | None = None) -> int:
    """Add a site, or change the one that is called `instead_of`; how many cameras it has now.

    Needs the administrator role. Raises Invalid, also where another site has that name or one of its networks;
    NotFound.
    """
    wanted = checked(site)
    values = {**asdict(wanted), "networks": list(wanted.networks)}
    values |= {"changed_by": clean_text(actor), "changed_at": store.now()}
    async with store.write() as connection:
        known = {one.name: one for one in await stored(connection)}
        before = known.pop(instead_of, None) if instead_of is not None else None
        if instead_of is not None and before is None:
            raise NotFound(f"there is no site {clean_text(instead_of, _MOST_NAME)!r}")
        _refuse_doubles(wanted, known.values())
        if instead_of is None:
            await connection.execute(insert(SiteTable), [values])
        else:
            await connection.execute(update(SiteTable).where(SiteTable.name == instead_of).values(values))
            still_open = (PictureIncident.site == instead_of, PictureIncident.closed_at.is_(None))
            await connection.execute(update(PictureIncident).where(*still_open).values(site=wanted.name))
            await grants.rename_site(connection, instead_of, wanted.name)
            for table in (Job, Schedule, JumpHost):
                await connection.execute(update(table).where(table.site == instead_of).values(site=wanted.name))
        await _assign_all(connection, [*known.values(), wanted])
        said = {"was": asdict(before) if before else None, "is": asdict(wanted)}
        await record(connection, Entry(actor, Action.SITE_CHANGE, f"site:{wanted.name}", said))
        counted = select(func.count()).where(t.Camera.site == wanted.name)
        return int((await connection.execute(counted)).scalar_one())


def _refuse_doubles(wanted: Site, others: Iterable[Site]) -> None:
    others = list(others)
    if len(others) >= MOST_SITES:
        raise Invalid(f"at most {MOST_SITES} sites")
    for other in others:
        if other.name.casefold() == wanted.name.casefold():
            raise Invalid(f"there is a site {other.name!r} already")
        if both := set(other.networks) & set(wanted.networks):
            raise Invalid(f"{min(both)} belongs to the site {other.name!r}")


async def remove(store: Store, name: str) -> None:
    """Its cameras stay, and belong to the next larger network's site or to none. Raises NotFound."""
    async with store.write() as connection:
        known = await stored(connection)
        if name not in {site.name for site in known}:
            raise NotFound(f"there is no site {clean_text(name, _MOST_NAME)!r}")
        await connection.execute(delete(SiteTable).where(SiteTable.name == name))
        await connection.execute(delete(JumpHost).where(JumpHost.site == name))
        await grants.forget_site(connection, name)
        await _assign_all(connection, [site for site in known if site.name != name])
        said = {"was": next(asdict(site) for site in known if site.name == name)}
        await record(connection, Entry(acting().actor, Action.SITE_REMOVE, f"site:{name}", said))


async def _assign_all(connection: AsyncConnection, known: Sequence[Site]) -> None:
    """Cameras with their findings, addresses that told a scan nothing, and those where a camera is expected."""
    for table in (t.Camera, t.ScanNotEvaluated, ExpectedCamera):
        await _assign(connection, table, known)


async def _assign(connection: AsyncConnection, table: type[_Placed], known: Sequence[Site]) -> None:
    moved: dict[str | None, list[str]] = defaultdict(list)
    for row in (await connection.execute(select(table.id, table.address, table.site))).all():
        if (name := name_at(row.address, known)) != row.site:
            moved[name].append(row.id)
    for name, ids in moved.items():
        for begin in range(0, len(ids), _AT_ONCE):
            some = ids[begin : begin + _AT_ONCE]
            await connection.execute(update(table).where(table.id.in_(some)).values(site=name))
            if table is t.Camera:
                await connection.execute(update(t.Finding).where(t.Finding.camera.in_(some)).values(site=name))

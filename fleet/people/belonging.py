"""Which sites a stored object is about, by the cameras in it: what the console asks before anything else of it.

An object is seen where one of its cameras is in scope (only those are shown), and ordered about only where all of them
are: half a plan cannot be applied. A scan looks at addresses and not at cameras, so it is seen whole or not at all.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import Select, String, case, cast, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute

from fleet.errors import BeyondYourSites, NotFound
from fleet.people.scope import Scope
from fleet.store import Store
from fleet.store import accuracy_tables as a
from fleet.store import commissioning_tables as c
from fleet.store import grants_tables as g
from fleet.store import jobs_tables as j
from fleet.store import pictures_tables as i
from fleet.store import plans_tables as p
from fleet.store import rollouts_tables as r
from fleet.store import sites_tables as s
from fleet.store import tables as t
from fleet.store import vault_tables as v

Sites = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Kind:
    """`missing` is said of one that there is not; `sites` asks for the site of each of its cameras."""

    missing: str
    sites: Callable[[str], Sites]
    only_whole: bool = False


async def sites_of(store: Store, kind: Kind, object_id: str) -> frozenset[str | None]:
    """Of its cameras, `None` for one of no site; nothing where there is no such thing."""
    async with store.read() as connection:
        return frozenset(await connection.scalars(kind.sites(object_id).distinct()))


def refuse(kind: Kind, found: Iterable[str | None], seen: Scope, ordered: Scope | None = None) -> None:
    """`seen` is where the visitor may look, `ordered` where they may do what they ask for, `None` for only looking.

    Raises NotFound, as if it were not there, and BeyondYourSites for an order about more than that.
    """
    found = list(found)
    inside = [seen.covers(site) for site in found]
    if not (found and all(inside) if kind.only_whole else any(inside)):
        raise NotFound(kind.missing)
    if ordered is not None and not all(ordered.covers(site) for site in found):
        raise BeyondYourSites


def _part_of(whole: InstrumentedAttribute[str], camera: InstrumentedAttribute[str]) -> Callable[[str], Sites]:
    """A camera that is gone since belongs to no site."""
    table = camera.parent
    return lambda found: (
        select(t.Camera.site).select_from(table).outerjoin(t.Camera, t.Camera.id == camera).where(whole == found)
    )


def _of_picture(digest: str) -> Sites:
    """Of every camera that shows it, or showed it, or about which it was given."""
    showing = union_all(
        select(i.PictureWatch.camera).where(i.PictureWatch.picture == digest),
        select(i.PictureCheck.camera).where(i.PictureCheck.picture == digest),
        select(i.ReferenceView.camera).where(i.ReferenceView.picture == digest),
        select(c.CommissionedCamera.camera).where(c.CommissionedCamera.still == digest),
        select(c.RowAnswer.camera).where(cast(c.RowAnswer.evidence, String).contains(digest, autoescape=True)),
    ).subquery()
    return select(t.Camera.site).where(t.Camera.id.in_(select(showing.c.camera)))


def _of_job(job: str) -> Sites:
    """Where its camera is now; a job of no camera is of its site."""
    site = case((j.Job.camera.is_(None), j.Job.site), else_=t.Camera.site)
    return select(site).select_from(j.Job).outerjoin(t.Camera, t.Camera.id == j.Job.camera).where(j.Job.id == job)


def _of_schedule(schedule: str) -> Sites:
    """By its id or name. One of the whole estate is of no single site."""
    return select(j.Schedule.site).where(or_(j.Schedule.id == schedule, j.Schedule.name == schedule))


CAMERA = Kind("there is no such camera", lambda found: select(t.Camera.site).where(t.Camera.id == found))
FINDING = Kind("there is no such finding", _part_of(t.Finding.id, t.Finding.camera))

# By the name of the parameter in an address.
KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "camera": CAMERA,
        "finding": FINDING,
        "scan": Kind(
            "there is no such scan", lambda found: select(g.ScanSite.site).where(g.ScanSite.scan == found), True
        ),
        "plan": Kind("there is no such plan", _part_of(p.PlanCamera.plan, p.PlanCamera.camera)),
        "site": Kind("there is no such site", lambda found: select(s.Site.name).where(s.Site.name == found)),
        "rotation": Kind("there is no such rotation", _part_of(v.CameraRotation.rotation, v.CameraRotation.camera)),
        "rollout": Kind("there is no such rollout", _part_of(r.RolloutTarget.rollout, r.RolloutTarget.camera)),
        "commissioning": Kind(
            "there is no such commissioning", _part_of(c.CommissionedCamera.commissioning, c.CommissionedCamera.camera)
        ),
        "job": Kind("there is no such job", _of_job),
        "schedule": Kind("there is no such schedule", _of_schedule),
        "watch": Kind("there is no such watch", _part_of(a.AccuracyWatch.id, a.AccuracyWatch.camera)),
        "picture": Kind("this picture is not kept any more", _of_picture),
    }
)
# Parameters of addresses that name nothing of any site.
OF_NO_SITE = frozenset({"name", "token", "person", "grant", "ending", "order", "row", "baseline", "session", "key"})

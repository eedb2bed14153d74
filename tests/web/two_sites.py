"""An estate of two sites, with one of everything at each and at both, and a visitor for every role at one or at both.

It is made once and copied; sessions are made directly, because signing in is slow by intention.
"""

import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx

from fleet import estate, sites
from fleet.audit.trail import Action, Entry
from fleet.commissioning import records, views
from fleet.commissioning.checklist import Answer, State
from fleet.commissioning.records import Where
from fleet.evidence import keep_photo
from fleet.findings import triage as findings
from fleet.jobs.model import NewJob
from fleet.people import accounts as people
from fleet.people import grants, tokens
from fleet.people.grants import Wanted
from fleet.people.permissions import Role
from fleet.people.tokens import Scope
from fleet.plans.runner import PlanId
from fleet.rollouts import orders as rollout_orders
from fleet.rotations import rows as rotation_rows
from fleet.scans import rows as scan_rows
from fleet.scans.rows import ScanId, ScanState, ScanView
from fleet.schedules.rows import NewSchedule, What
from fleet.service import open_service
from fleet.settings import Settings
from fleet.signing_in import sessions
from fleet.signing_in.sessions import Asker
from fleet.sites import Site
from fleet.store import Store
from fleet.store.ids import new_id
from fleet.views import DeviceFilter
from hardening.baseline import parse_baseline
from scanners.assessment import CameraAssessment
from scanners.evaluate import evaluate
from scanners.knowledge import load_knowledge
from scanners.score import score
from tests.fleet.rollout_samples import firmware
from tests.web.conftest import House, Visitor, browser, proved_now
from tests.web.console_estate import HIKVISION, neglected
from tests.web.jobs_samples import BASELINE
from web.app import create_app
from web.route import Proof, Route

HERE, THERE, BOTH = "Alpha", "Beta", "both"
ADDRESSES = {HERE: (10, 11), THERE: (50, 51), "": (90,)}
# Whoever may only see the first site must read none of these, nor an id of what is there.
OF_THE_OTHER = ("Beta", "10.20.1.5", "SN00005", "cam-5", "10.20.1.9", "SN00009", "cam-9")
NOTHING = "0" * 26


@dataclass(frozen=True, slots=True)
class Made:
    """`ids` by site and by the name of the parameter in an address; `cookies` by role and site."""

    home: Path
    ids: Mapping[str, Mapping[str, str]]
    cookies: Mapping[str, Mapping[str, str]]

    def path(self, route: Route, where: str) -> str:
        order = next((order for name, order in ORDERS.items() if name in _names(route)), "undo")
        common = {**dict.fromkeys(_names(route), NOTHING), **COMMON, "order": order}
        return route.path.format(**{**common, **self.ids[where]})


COMMON = {"name": "camwarden.css", "row": "mounting", "ending": "json", "baseline": "essential"}
ORDERS = {"job": "cancel", "schedule": "off"}


def _names(route: Route) -> list[str]:
    return [part[1:-1] for part in route.path.replace(".", "/").split("/") if part.startswith("{")]


@dataclass(frozen=True, slots=True)
class TwoSites:
    house: House
    made: Made

    @asynccontextmanager
    async def visitor(self, role: str, where: str) -> AsyncIterator[Visitor]:
        async with browser(self.house.app) as client:
            if role in self.made.cookies:
                client.cookies.set("session", self.made.cookies[role][where])
            yield Visitor(client)

    async def ask(self, visitor: Visitor, route: Route, where: str, csrf: str) -> httpx.Response:
        path = self.made.path(route, where)
        if route.proof is Proof.HEADER:
            body = {"targets": ""}
            return await visitor.client.request(route.method, path, headers={"X-CSRF-Token": csrf}, json=body)
        if route.proof is Proof.FIELD:
            return await visitor.client.request(route.method, path, data={"csrf": csrf})
        return await visitor.get(path)


@asynccontextmanager
async def opened(made: Made, home: Path) -> AsyncIterator[TwoSites]:
    shutil.copytree(made.home, home)
    async with open_service(Settings(home=home, picture_minutes=0)) as service:
        await proved_now(service.store)
        yield TwoSites(House(home, service, create_app(service)), made)


# --- made once --------------------------------------------------------------------------------------------------------


async def make(home: Path) -> Made:
    async with open_service(Settings(home=home, picture_minutes=0)) as service:
        house = House(home, service, create_app(service))
        await _cameras(house.store)
        bundle = (await firmware(house.store, service.settings)).id
        ids = {}
        for where in (HERE, THERE, BOTH):
            ids[where] = await _one_of_everything(house, bundle, where)
        cookies = {
            str(role): {where: await _session(house.store, role, where) for where in (HERE, BOTH)} for role in Role
        }
    async with open_service(Settings(home=home, picture_minutes=0)) as service:
        while jobs := await service.queue.unfinished("rotation"):  # at rest in every test
            for job in jobs.values():
                await service.queue.ended(job)
    return Made(home, ids, cookies)


async def _cameras(store: Store) -> None:
    await sites.put(store, Site(HERE, ("10.20.1.8/29",)), "anna")
    await sites.put(store, Site(THERE, ("10.20.1.48/29",)), "anna")
    knowledge = load_knowledge()
    for numbers in ADDRESSES.values():
        for number in numbers:
            dossier = neglected(number, HIKVISION)
            verdicts = evaluate(dossier, knowledge)
            await findings.record(store, CameraAssessment(dossier, verdicts, score(verdicts)))


async def cameras_at(store: Store, where: str) -> list[str]:
    """The first of the site, or one of each."""
    places = (HERE, THERE) if where == BOTH else (where,)
    return [(await estate.devices(store, DeviceFilter(site=place), limit=1)).items[0].id for place in places]


async def _one_of_everything(house: House, bundle: str, where: str) -> dict[str, str]:
    store = house.store
    cameras = await cameras_at(store, where)
    of_camera = await estate.findings(store, limit=500)
    finding = next(row.id for row in of_camera.items if row.camera == cameras[0])
    token, _ = await tokens.create(store, f"ci {where}", [Scope.READ], "anna", days=1)
    spare = await people.add_user(store, f"spare {where}", "", Role.SERVICE)
    picture = await keep_photo(house.service.settings.evidence, b"\xff\xd8\xff" + where.encode())
    return {
        "camera": cameras[0],
        "finding": finding,
        "scan": await _scan(store, where),
        "plan": await _plan(house, cameras),
        "rotation": await _rotation(store, cameras, where),
        "rollout": await _rollout(house, bundle, where),
        "commissioning": await _signed(store, where, cameras, picture),
        "picture": picture,
        "job": await _job(house, cameras, where),
        "schedule": await _schedule(house, where),
        "token": token.id,
        "person": spare.id,
        "site": HERE if where == BOTH else where,
    }


async def _scan(store: Store, where: str) -> str:
    places = (HERE, THERE) if where == BOTH else (where,)
    targets = " ".join(f"10.20.1.{ADDRESSES[place][0]}" for place in places)
    blank = dict.fromkeys(("done", "total", "cameras", "failed_verdicts", "not_evaluated"), 0)
    view = ScanView(
        id=ScanId(new_id()),
        state=ScanState.DONE,
        targets=targets,
        actor="anna",
        default_credentials=True,
        looks_only=False,
        queued_at=store.now(),
        started_at=store.now(),
        finished_at=store.now(),
        phase="",
        error=None,
        **blank,
    )
    async with store.write() as connection:
        await scan_rows.add(connection, view, places, Entry("anna", Action.SCAN_START, f"scan:{view.id}"))
    return view.id


async def _plan(house: House, cameras: list[str]) -> PlanId:
    plan = await house.plans.create(parse_baseline(BASELINE), cameras, "anna")
    async with aclosing(house.plans.events(plan)) as events:
        async for _ in events:
            pass
    return plan


async def _rotation(store: Store, cameras: list[str], where: str) -> str:
    async with store.write() as connection:
        return await rotation_rows.add(connection, store, "anna", dict.fromkeys(cameras, f"camwarden-{where}"))


async def _rollout(house: House, bundle: str, where: str) -> str:
    """A camera is part of one rollout at a time, so that of both sites takes the second ones."""
    store = house.store
    rows = (await estate.devices(store, limit=100)).items
    number = 1 if where == BOTH else 0
    places = (HERE, THERE) if where == BOTH else (where,)
    cameras = [row.id for row in rows if row.address in {f"10.20.1.{ADDRESSES[place][number]}" for place in places}]
    return await rollout_orders.create(store, bundle, cameras, "anna", name=f"Round at {where}")


async def _job(house: House, cameras: list[str], where: str) -> str:
    """Cancelled before it began; a job has one camera, so that of both sites is of the whole estate."""
    camera, site = (None, None) if where == BOTH else (cameras[0], where)
    later = house.store.now() + timedelta(days=1)
    job = await house.service.queue.enqueue(NewJob("elsewhere", "anna", camera, site, not_before=later))
    await house.service.queue.cancel(job, "anna")
    return job


async def _schedule(house: House, where: str) -> str:
    site = None if where == BOTH else where
    new = NewSchedule(f"Watches at {where}", What.ACCURACY, "0 3 * * *", site, enabled=False)
    return await house.service.schedules.add(new, "anna")


async def _signed(store: Store, where: str, cameras: list[str], picture: str) -> str:
    checklist = await records.start(store, f"Checklist {where}", cameras, "anna")
    for camera in cameras:
        await records.keep_still(store, checklist, camera, picture)
    await close(store, checklist)
    return checklist


async def close(store: Store, checklist: str) -> None:
    """Waive what is open, and sign."""
    for camera in (await views.get(store, checklist)).cameras:
        for row in camera.rows:
            if row.state is not State.AUTO_PASS:
                waived = Answer(State.WAIVED, "agreed")
                await records.answer(store, Where(checklist, camera.id, row.row.id), waived, "anna")
    await records.sign(store, checklist, "Anna", "anna")


async def _session(store: Store, role: Role, where: str) -> str:
    """The person comes without a password, which would take long to hash; the role is the grant that counts."""
    places = None if where == BOTH else (where,)
    person = await people.add_user(store, f"{role} {where}", "", Role.SERVICE, sites=places)
    if role is not Role.SERVICE:
        await grants.give(store, person.id, Wanted(role, places), "anna")
    async with store.write() as connection:
        return (await sessions.begin(connection, person.id, Asker("127.0.0.1"), "password")).token.reveal()

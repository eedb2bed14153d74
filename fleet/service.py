"""Everything that runs for as long as the service does, opened and closed in order."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib.metadata import version

from analytics_qa.detector import OUR_MODEL
from analytics_qa.drift import Picture
from cameras.budget import AttemptBudget
from fleet.accuracy.runner import Accuracy
from fleet.accuracy.sights import stored_sights
from fleet.audit.trail import SERVICE, Action, Entry, record_first
from fleet.audit.watch import AuditWatch
from fleet.findings.rejudging import catching_up
from fleet.jobs.alone import running
from fleet.jobs.places import Limits
from fleet.jobs.queue import Queue
from fleet.jump_hosts.runner import JumpHosts
from fleet.kept_budget import kept_budget
from fleet.notices.configured import channels
from fleet.notices.outbox import Outbox
from fleet.pictures import rows as picture_rows
from fleet.pictures.access import looking
from fleet.pictures.runner import Pictures
from fleet.pictures.stills import take_still
from fleet.plans.reach import reaching
from fleet.plans.runner import Plans
from fleet.plans.service_passwords import service_password
from fleet.proof import proving
from fleet.reach import connecting, place_and_credential, stored_rules
from fleet.retention import retention_kind
from fleet.rollouts.judges import Judges
from fleet.rollouts.runner import Rollouts
from fleet.rotations import default_passwords
from fleet.rotations.runner import Rotations
from fleet.scans.runner import Scans
from fleet.schedules.beginnings import Beginnings
from fleet.schedules.clock import Schedules
from fleet.settings import Settings
from fleet.signing_in.single_sign_on import SingleSignOnDesk, single_sign_on
from fleet.store import Store, open_store
from fleet.store.engine import utc_now
from fleet.vault.logins import Logins
from fleet.vault.passwords import Vault, open_vault


@dataclass(frozen=True, slots=True)
class Service:
    """The controller: its store, and the kinds of work that go on in the background.

    `budget` is the one budget of login attempts that all of them share. `background` says of each kind of work that
    begins by itself whether it goes on, `at_work` of each kind of job how many are under way in this process.
    """

    settings: Settings
    store: Store
    vault: Vault
    budget: AttemptBudget
    scans: Scans
    logins: Logins
    plans: Plans
    rotations: Rotations
    rollouts: Rollouts
    pictures: Pictures
    accuracy: Accuracy
    jump_hosts: JumpHosts
    outbox: Outbox
    schedules: Schedules
    queue: Queue
    single_sign_on: SingleSignOnDesk | None
    audit: AuditWatch
    background: Mapping[str, Callable[[], bool]]
    at_work: Mapping[str, Callable[[], int]]

    async def still(self, camera: str) -> bytes:
        """A picture of a stored camera, taken now. Raises `cameras.errors` and FleetError."""
        return await take_still(self.store, self.vault, self.settings, self.budget, camera)


async def _picture_verdict(store: Store, camera: str) -> Picture:
    """What the last picture check said; a camera that was never looked at is unknown."""
    tile = await picture_rows.tile(store, camera)
    return _PICTURES.get(tile.verdict, "unknown") if tile else "unknown"


_PICTURES: Mapping[str, Picture] = {"ok": "good", "degraded": "bad", "failed": "bad"}


@asynccontextmanager
async def open_service(settings: Settings, now: Callable[[], datetime] = utc_now) -> AsyncIterator[Service]:
    """Open the store and take up what an earlier process left unfinished. Raises StoreUnavailable, VaultUnavailable."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(await open_store(settings, now))
        vault = await open_vault(store, settings)
        budget = await stack.enter_async_context(kept_budget(store))
        jump_hosts = await stack.enter_async_context(JumpHosts(store))  # before whatever speaks to cameras
        where = partial(place_and_credential, store, vault, settings)
        outbox = await stack.enter_async_context(Outbox(store, await asyncio.to_thread(channels, settings)))
        queue = Queue(store)
        scans = Scans(store, settings, budget=budget, logins=partial(stored_rules, store, vault), queue=queue)
        logins = Logins(store, vault, budget, queue)
        changed = partial(default_passwords.changed, store, settings)
        rotations = Rotations(store, vault, settings, budget=budget, changed=changed, queue=queue)
        prove = proving(store, settings, budget)
        passwords = partial(service_password, store, vault)
        plans = Plans(
            store,
            reaching(where, budget),
            prove,
            password_for=passwords,
            two_persons=settings.two_persons,
            closing_s=settings.stop_seconds,
            queue=queue,
        )
        access_to = looking(store, vault, settings, budget)
        pictures = Pictures(store, settings, access_to, channels=outbox.channels, queue=queue)
        model = settings.reference_model or OUR_MODEL
        sights, verdict = stored_sights(where, budget), partial(_picture_verdict, store)
        accuracy = Accuracy(store, sights, picture_verdict=verdict, model=model, queue=queue)
        judges = Judges(pictures.faults_now, accuracy.measure)
        rollouts = Rollouts(store, settings, connect=connecting(where, budget), judges=judges, queue=queue)
        for work in (scans, rotations, plans, pictures, accuracy, rollouts):
            await stack.enter_async_context(work)
        # The table of kinds of jobs: whatever is not in it is not run. Closed before what it calls.
        kinds = (
            scans.kind,
            logins.kind,
            pictures.kind,
            accuracy.kind,
            rotations.kind,
            *plans.kinds,
            rollouts.kind,
            retention_kind(store, settings, pictures, queue),
        )
        limits = Limits(settings.jobs_at_once, settings.jobs_per_site)
        runner = await stack.enter_async_context(running(queue, kinds, folder=settings.home / "locks", limits=limits))
        # Last, so that it is closed before what it begins.
        beginnings = Beginnings(store, scans, pictures, accuracy, queue)
        schedules = await stack.enter_async_context(Schedules(store, settings, beginnings))
        await stack.enter_async_context(catching_up(store, settings))
        audit = await stack.enter_async_context(AuditWatch(store, settings))
        await record_first(store, Entry(SERVICE, Action.SERVICE_START, detail={"version": version("camwarden")}))
        stack.callback(store.stop_waiting)
        yield Service(
            settings=settings,
            store=store,
            vault=vault,
            budget=budget,
            scans=scans,
            logins=logins,
            plans=plans,
            rotations=rotations,
            rollouts=rollouts,
            pictures=pictures,
            accuracy=accuracy,
            jump_hosts=jump_hosts,
            outbox=outbox,
            schedules=schedules,
            queue=queue,
            single_sign_on=single_sign_on(store, settings),
            audit=audit,
            background={
                "jobs": runner.goes_on,
                "schedules": schedules.goes_on,
                "notices": outbox.goes_on,
            },
            at_work={
                "scans": scans.under_way,
                "plans": partial(runner.under_way, "plan"),
                "password changes": partial(runner.under_way, rotations.kind.name),
                "rollouts": partial(runner.under_way, rollouts.kind.name),
                "watches": partial(runner.under_way, accuracy.kind.name),
                "picture checks": partial(runner.under_way, pictures.kind.name),
            },
        )

"""A login for many cameras, tried on one first: whoever mistypes a password locks one camera's counter at most.

The first camera is tried while the person waits. Only where it takes the login is it kept, and offered to the others:
one job for each, one try each, few at a time. They end by themselves where it is refused by more cameras than take it,
because then it is meant for others.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from cameras.budget import AttemptBudget
from cameras.errors import DeviceError, Unauthorized
from cameras.opening import password_works
from cameras.secret import Credential
from fleet import leases
from fleet.errors import FleetError
from fleet.jobs.model import Done, Failed, JobId, Kind, NewJob, Next, Priority, Turn
from fleet.jobs.queue import JobFilter, Queue
from fleet.jobs.states import JobState
from fleet.people.scope import EVERYWHERE, Scope, within
from fleet.pictures.rows import sites_of
from fleet.reach import place_of
from fleet.standing import Standing
from fleet.store import Store
from fleet.store.ids import new_id
from fleet.store.jobs_tables import Job as JobRow
from fleet.store.tables import Camera
from fleet.store.vault_tables import CameraLogin
from fleet.vault.passwords import Vault, check_login

KIND = "login"
AT_ONCE = 2
# After so many refusals, if fewer cameras took it.
MOST_REFUSED = 3
REFUSED = "refused: one wrong try was spent"
SPARED = "not tried: more cameras refused this login than took it"
_REASONS = frozenset({REFUSED, SPARED})


@dataclass(frozen=True, slots=True)
class Offered:
    """How a login fares that was offered to several cameras; `job` is the newest of its jobs, to be followed.

    Cameras that took it (`taken`), that `refused` it, where it could not be told (`failed`), that were not tried
    because too many refused (`spared`), and that are `waiting`.
    """

    job: JobId
    account: str
    taken: int
    refused: int
    failed: int
    spared: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Wanting:
    """An adopted camera for which the vault holds no login; `camera` is its id."""

    camera: str
    address: str
    port: int
    name: str | None
    manufacturer: str | None
    model: str | None


class Logins:
    """Whoever gives the `queue` runs the jobs of `kind`."""

    def __init__(self, store: Store, vault: Vault, budget: AttemptBudget, queue: Queue) -> None:
        self._store, self._vault, self._budget, self._queue = store, vault, budget, queue
        self.kind = Kind(KIND, self._step, changes_camera=True, at_once=AT_ONCE, most_tries=1, pausable=False)

    async def try_first(self, camera: str, credential: Credential, actor: str, scope: Scope = EVERYWHERE) -> None:
        """One try on this camera alone; where it is let in, the vault keeps it and we log in with it from now on.

        Raises Invalid, NotFound, Busy, and `cameras.errors`: Unauthorized where it is refused, which has cost one try.
        """
        check_login(credential)
        await within(self._store, scope, [camera])
        async with leases.hold(self._store, camera, f"login:{new_id()}"):
            await self._prove(camera, credential, actor)

    async def offer(self, first: str, account: str, cameras: Sequence[str], actor: str) -> int:
        """The login that the vault holds for `first`, to these others; how many will be asked."""
        work, payload = f"logins:{new_id()}", {"like": first, "account": account}
        async with self._store.read() as connection:
            places = await sites_of(connection, [camera for camera in cameras if camera != first])
        jobs = [
            NewJob(KIND, actor, camera, site, work, f"{KIND}:{camera}", Priority.ASKED, payload=payload)
            for camera, site in places.items()
        ]
        await self._queue.enqueue_many(jobs)
        return len(jobs)

    async def offered(self, scope: Scope = EVERYWHERE) -> Offered | None:
        """How the newest login fares that was offered to several cameras, `None` where none ever was."""
        page = await self._queue.listed(JobFilter(kind=KIND), limit=1, scope=scope)
        if not page.items:
            return None
        newest = page.items[0]
        return Offered(newest.id, str(newest.payload.get("account", "")), *await self._counted(newest.work))

    async def _counted(self, work: str) -> tuple[int, int, int, int, int]:
        query = select(JobRow.state, JobRow.reason, func.count()).where(JobRow.work == work)
        async with self._store.read() as connection:
            rows = (await connection.execute(query.group_by(JobRow.state, JobRow.reason))).all()
        found: Counter[str] = Counter()
        for state, reason, count in rows:
            found[reason if reason in _REASONS else state] += count
        waiting = sum(found[state] for state in JobState if not state.final)
        failed = found[JobState.FAILED] + found[JobState.CANCELLED]
        return found[JobState.DONE], found[REFUSED], failed, found[SPARED], waiting

    async def _step(self, turn: Turn) -> Next:
        job = turn.job
        account = str(job.payload["account"])
        taken, refused, *_ = await self._counted(job.work)
        if refused >= MOST_REFUSED and refused > taken:
            return Failed(SPARED, final=True)
        password = await self._vault.current(str(job.payload["like"]), account)
        if job.camera is None or password is None:
            return Failed("the vault does not hold this login any more", final=True)
        try:
            await self._prove(job.camera, Credential(account, password), job.actor)
        except Unauthorized:
            return Failed(REFUSED, final=True)
        except (DeviceError, FleetError) as error:
            return Failed(str(error), final=True)
        return Done("it takes the login")

    async def _prove(self, camera: str, credential: Credential, actor: str) -> None:
        place = await place_of(self._store, camera)
        if not await password_works(place, "onvif", credential, self._budget):
            left = self._budget.remaining(place.key, credential.username)
            tries = "one more try is" if left == 1 else f"{left} more tries are"
            raise Unauthorized(f"{place.address} refuses this login; {tries} ours in this half hour")
        await self._vault.put(camera, credential.username, credential.password, actor, login=True)


async def wanting(store: Store, scope: Scope = EVERYWHERE, *, like: str | None = None) -> list[Wanting]:
    """Adopted cameras for which the vault holds no login, by make and address; `like`: those of that camera's make."""
    c = Camera
    without = (c.standing == Standing.ADOPTED.value, c.id.not_in(select(CameraLogin.camera)), scope.at(c.site))
    query = select(c.id, c.address, c.port, c.name, c.manufacturer, c.vendor, c.model).where(*without)
    if like is not None:
        query = query.where(c.vendor.is_not_distinct_from(select(c.vendor).where(c.id == like).scalar_subquery()))
    async with store.read() as connection:
        rows = (await connection.execute(query.order_by(c.vendor, c.address, c.port))).all()
    return [Wanting(row.id, row.address, row.port, row.name, row.manufacturer, row.model) for row in rows]


async def number_known(store: Store, scope: Scope = EVERYWHERE) -> int:
    """How many adopted cameras have a login in the vault."""
    adopted = select(Camera.id).where(Camera.standing == Standing.ADOPTED.value, scope.at(Camera.site))
    query = select(func.count()).select_from(CameraLogin).where(CameraLogin.camera.in_(adopted))
    async with store.read() as connection:
        return (await connection.scalar(query)) or 0

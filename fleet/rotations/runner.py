"""Rotations: new passwords for cameras. The change of one camera's password is one job of the queue.

Every step is stored before the next, so that a process which dies in the middle of one is followed by another that goes
on from there (`hardening.passwords`).
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.budget import AttemptBudget
from cameras.driver import AccountStore
from cameras.opening import open_camera, password_works
from cameras.place import Place
from cameras.secret import Credential, Secret
from cameras.untrusted import clean_text
from fleet.audit.trail import SERVICE, Action, Entry, record
from fleet.errors import FleetError, Invalid, StoreUnavailable
from fleet.jobs.alone import running
from fleet.jobs.model import Asked, Done, Failed, Job, JobId, Kind, NewJob, Next, Priority, PutBack, Stopped, Turn
from fleet.jobs.model import Progress as JobProgress
from fleet.jobs.queue import Queue
from fleet.jobs.rows import unfinished_by_key
from fleet.jobs.states import JobState
from fleet.kept_budget import kept_budget
from fleet.people.scope import EVERYWHERE, Scope, within
from fleet.pictures.rows import sites_of
from fleet.reach import login_of, place_of
from fleet.rotations import rows as rotation_rows
from fleet.rotations.journal import RowJournal, settle_vault
from fleet.rotations.rows import KIND, CameraRotationView, OpenRow, RotationId, RotationView, key_of, work_of
from fleet.settings import Settings
from fleet.store import Store
from fleet.store import tables as t
from fleet.vault.passwords import Vault
from fleet.views import Page
from hardening.password_change import Camera, PasswordChange, Patience
from hardening.password_rules import rule_for
from hardening.passwords import State

__all__ = ["CameraRotationView", "RotationId", "RotationProgress", "RotationView", "Rotations"]

AT_ONCE = 8
MOST_CAMERAS = 10_000
LOOK_EVERY_S = 1.0
# Whatever was sent to a camera is brought to its end, however often that is tried.
_MOST_TRIES = sys.maxsize
_CUT_OFF = "it was cut off between two steps, and goes on"


@dataclass(frozen=True, slots=True)
class RotationProgress:
    """Where a rotation is now. `running` says that something is done for it by itself, in whichever process."""

    rotation: RotationId
    running: bool
    done: int
    total: int
    states: Mapping[State, int]


# Told when an account has a new password and its old one was refused.
Changed = Callable[[str, str], Awaitable[None]]


async def nothing_more(_camera: str, _account: str) -> None:
    pass


class Rotations:
    """`async with Rotations(store, vault, settings) as rotations`.

    What an earlier process left in the middle goes on at once; what still runs on exit stops after the step that it is
    at, and waits for the next process. `budget` is the one that everything in this process shares; without it, one is
    made of what the store knows. `step` hears of every boundary between two steps of a row, `changed` of every account
    that has its new password, twice where a process ended in between. Whoever gives a `queue` runs the jobs of `kind`
    and is closed before this is; otherwise they run here.
    """

    def __init__(
        self,
        store: Store,
        vault: Vault,
        settings: Settings,
        *,
        budget: AttemptBudget | None = None,
        patience: Patience | None = None,
        step: Callable[[OpenRow, str], None] = lambda _row, _name: None,
        changed: Changed = nothing_more,
        queue: Queue | None = None,
    ) -> None:
        self._store, self._vault, self._settings = store, vault, settings
        self._budget = budget
        self._patience = patience
        self._step = step
        self._changed = changed
        self._queue = queue or Queue(store)
        self._is_alone = queue is None
        self._stack = AsyncExitStack()
        self.kind = Kind(
            KIND,
            self._change_one,
            changes_camera=True,
            at_once=AT_ONCE,
            most_tries=_MOST_TRIES,
            ended=self._ended_without_us,
        )

    async def __aenter__(self) -> Self:
        await self._take_up()
        if self._budget is None:
            self._budget = await self._stack.enter_async_context(kept_budget(self._store))
        if self._is_alone:
            folder = self._settings.home / "locks"  # where the next process sees that this one has ended
            await self._stack.enter_async_context(running(self._queue, [self.kind], folder=folder))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _take_up(self) -> None:
        """What is unfinished has a job, which a process that was killed may have ended and not told of."""
        async with self._store.write() as connection:
            left = await rotation_rows.unfinished(connection)
            known = await unfinished_by_key(connection, [key_of(row) for row in left])
            for row in left:
                if key_of(row) not in known:
                    await self._follow_up(connection, row, await rotation_rows.newest_job(connection, row))
        for row in left:
            if row.state.may_be_new and key_of(row) in known:
                await self._go_on(known[key_of(row)])

    async def _go_on(self, id_: JobId) -> None:
        """What was paused in the middle, as the process ended, is brought to its end."""
        job = await self._queue.get(id_)
        if job.state is JobState.PAUSED or job.asked is Asked.PAUSE:
            with suppress(Invalid):  # somebody was faster
                await self._queue.resume(job.id, SERVICE)

    async def start(
        self, cameras: Sequence[str], account: str | None, actor: str, scope: Scope = EVERYWHERE
    ) -> RotationId:
        """New passwords for `account` on these cameras; `None` is the account that we log in with.

        Asks for the right to change cameras. NotFound, Invalid where no present password is known, Busy where one of
        them is being changed already: then nothing is started.
        """
        if not 0 < len(set(cameras)) <= MOST_CAMERAS:
            raise Invalid(f"name 1 to {MOST_CAMERAS} cameras")
        await within(self._store, scope, cameras)
        accounts = {camera: await self._account(camera, account) for camera in dict.fromkeys(cameras)}
        async with self._store.write() as connection:
            rotation = await rotation_rows.add(connection, self._store, actor, accounts)
            await self._ask_for(connection, await rotation_rows.unfinished(connection, rotation), actor)
        self._queue.ring()
        return rotation

    async def _ask_for(self, connection: AsyncConnection, rows: Sequence[OpenRow], actor: str) -> None:
        """A job for each of these; whoever calls rings behind the transaction."""
        places = await sites_of(connection, [row.camera for row in rows])
        jobs = [
            NewJob(
                KIND,
                clean_text(actor),
                camera=row.camera,
                site=places.get(row.camera),
                work=work_of(row.rotation),
                key=key_of(row),
                priority=Priority.ASKED,
                payload={"row": row.id},
            )
            for row in rows
        ]
        await self._queue.enqueue_in(connection, jobs)

    async def _account(self, camera: str, account: str | None) -> str:
        login = await login_of(self._vault, self._settings, camera, await place_of(self._store, camera))
        if account is None or account == login.username:
            return login.username
        if await self._vault.current(camera, account) is None:
            raise Invalid(
                f"the vault does not know the present password of account {clean_text(account)!r}, so that it could "
                "not be put back: give it with `camwarden passwords set`"
            )
        return account

    async def get(self, rotation: RotationId, scope: Scope = EVERYWHERE) -> RotationView:
        """With its cameras in scope. Raises NotFound."""
        return await rotation_rows.load(self._store, rotation, scope)

    async def recent(self, limit: int = 20, scope: Scope = EVERYWHERE) -> list[RotationView]:
        """The newest first."""
        return list((await self.listed(None, limit, scope)).items)

    async def listed(self, after: str | None, limit: int, scope: Scope = EVERYWHERE) -> Page[RotationView]:
        """The newest first. Raises Invalid."""
        return await rotation_rows.listed(self._store, after, limit, scope)

    async def of_camera(self, camera: str, limit: int = 1, scope: Scope = EVERYWHERE) -> list[RotationView]:
        """The newest that this camera is part of."""
        return await rotation_rows.newest_of(self._store, camera, limit, scope)

    async def events(self, rotation: RotationId) -> AsyncGenerator[RotationProgress, None]:
        """Where the rotation is now, then each change, at least the newest; ends when nothing more happens by itself.

        Raises NotFound.
        """
        told: RotationProgress | None = None
        while True:
            changed = self._queue.changed
            progress = await self._progress(rotation)
            if progress != told:
                told = progress
                yield progress
            if not progress.running:
                return
            with suppress(TimeoutError):  # another process may be at work on it
                async with asyncio.timeout(LOOK_EVERY_S):
                    await changed.wait()

    async def reconcile(self, cameras: Sequence[str], actor: str) -> list[RotationId]:
        """Find out which password each of these cameras has, where that is unclear: at most one wrong try for each.

        Asks for the right to change cameras. Gives the rotations that go on; those of other cameras stay as they are,
        and so does one whose job says in this moment how it ended.
        """
        detail = f"reconcile, asked for by {clean_text(actor)}"
        async with self._store.write() as connection:
            unclear = await rotation_rows.unclear(connection, cameras)
            known = await unfinished_by_key(connection, [key_of(row) for row in unclear])
            rows = [row for row in unclear if key_of(row) not in known]
            for row in rows:
                values = {"evidence": row.evidence.again().as_json(), "wrong_tries": 0}
                await rotation_rows.change(connection, self._store, row, State.PROVING, **values, detail=detail)
                said = {"rotation": row.rotation, "account": row.account, "was": row.state.value}
                await record(connection, Entry(actor, Action.ROTATION_RECONCILE, f"camera:{row.camera}", said))
            await self._ask_for(connection, rows, actor)
        self._queue.ring()
        return list(dict.fromkeys(row.rotation for row in rows))

    async def works_on(self, rotation: RotationId) -> bool:
        """Whether something is done for it by itself, in whichever process."""
        async with self._store.read() as connection:
            return await rotation_rows.goes_on(connection, rotation)

    async def _progress(self, rotation: RotationId) -> RotationProgress:
        async with self._store.read() as connection:
            states = await rotation_rows.states(connection, rotation)
            goes_on = await rotation_rows.goes_on(connection, rotation)
        done = sum(count for state, count in states.items() if state.resting)
        return RotationProgress(rotation, goes_on, done, sum(states.values()), states)

    # --- one row ---

    async def _change_one(self, turn: Turn) -> Next:
        """The change of one camera's password, until it rests. Raises FleetError where it has to be tried again."""
        row = await self._fresh(_row_of(turn.job))
        if not row.state.resting:
            try:
                await self._change(row, turn)
            except StoreUnavailable:
                raise
            except FleetError as error:
                if not await self._undo(row.id, str(error)):
                    raise
            row = await self._fresh(row.id)
        if row.state is State.CURRENT:
            await self._changed(row.camera, row.account)
            return Done(row.detail)
        if row.state.resting:
            return Failed(row.detail, final=True)
        if turn.asked is Asked.CANCEL and await self._undo(row.id, "it was cancelled"):
            return Stopped()
        return PutBack(_CUT_OFF)

    async def _fresh(self, row: str) -> OpenRow:
        async with self._store.read() as connection:
            return await rotation_rows.fresh(connection, row)

    async def _change(self, row: OpenRow, turn: Turn) -> None:
        """As far as the service goes on; no further than to the moment of sending where somebody wants it to stop."""

        def told(state: State) -> None:
            turn.say(JobProgress(note=state.value))
            self._queue.tell_followers()

        place = await place_of(self._store, row.camera)
        login = await login_of(self._vault, self._settings, row.camera, place)
        ours = login.username == row.account
        camera = await self._camera(row, place, login, ours=ours)
        rule = rule_for(await self._manufacturer(row.camera))
        change = PasswordChange(
            camera,
            RowJournal(self._store, self._vault, row, camera.old, rule, ours=ours, tell=told),
            self._patience,
            stop=turn.stopping,
            withdrawn=lambda: turn.asked is not Asked.NOTHING,
            step=lambda name: self._step(row, name),
        )
        if await change.run(row.state, row.evidence) is State.CURRENT and self._budget is not None:
            self._budget.renew(place.key, row.account)

    async def _camera(self, row: OpenRow, place: Place, login: Credential, *, ours: bool) -> Camera:
        assert self._budget is not None  # noqa: S101 - set on entry
        budget = self._budget
        old = await self._old(row, login, ours=ours)
        new = None
        if row.new_version is not None:
            new = await self._vault.version(row.camera, row.account, row.new_version)
        return Camera(
            account=row.account,
            old=old,
            new=new,
            login=(lambda password: Credential(row.account, password)) if ours else (lambda _password: login),
            open=lambda credential: open_camera(place, credential, budget),
            works=lambda store, credential: self._works(place, store, credential, old),
            tries_left=lambda: budget.remaining(place.key, row.account),
            known_stores=await rotation_rows.known_stores(self._store, row),
        )

    async def _works(self, place: Place, store: AccountStore, credential: Credential, old: Secret) -> bool:
        """As `password_works`. That the old one fails is proved while we know the new one, and we know it after that.

        Otherwise a camera at which a scan has just spent its tries on default passwords would be left in the middle.
        """
        assert self._budget is not None  # noqa: S101 - set on entry
        knew = self._budget.knows(place.key, credential.username)
        works = await password_works(place, store, credential, self._budget)
        if knew and not works and credential.password == old:
            self._budget.vouch(place.key, credential.username)
        return works

    async def _old(self, row: OpenRow, login: Credential, *, ours: bool) -> Secret:
        if row.old_version is not None:
            return await self._vault.version(row.camera, row.account, row.old_version)
        current = login.password if ours else await self._vault.current(row.camera, row.account)
        if current is None:
            raise Invalid("its present password is not known any more")
        return current

    async def _manufacturer(self, camera: str) -> str | None:
        async with self._store.read() as connection:
            return await connection.scalar(select(t.Camera.manufacturer).where(t.Camera.id == camera))

    # --- what ends before it has begun ---

    async def _undo(self, row: str, why: str) -> bool:
        """Where nothing was sent that is its end: whether it was so."""
        async with self._store.write() as connection:
            now = await rotation_rows.fresh(connection, row)
            if not now.state.resting and not now.state.may_be_new:
                await self._undo_within(connection, now, why)
        return not now.state.may_be_new

    async def _undo_within(self, connection: AsyncConnection, row: OpenRow, why: str) -> None:
        detail = f"nothing was sent: {clean_text(why, 500)}"
        await rotation_rows.change(connection, self._store, row, State.UNDONE, detail=detail)
        await settle_vault(self._vault, connection, row, taken=False)

    async def _ended_without_us(self, job: Job) -> None:
        """A job that was cancelled or given up while it did not run."""
        async with self._store.write() as connection:
            row = await rotation_rows.fresh(connection, _row_of(job))
            if not row.state.resting:
                await self._follow_up(connection, row, job)
        self._queue.ring()

    async def _follow_up(self, connection: AsyncConnection, row: OpenRow, over: Job | None) -> None:
        """What comes of a row whose job is `over`: what may have been sent is brought to its end whatever was asked."""
        if over and over.state in {JobState.CANCELLED, JobState.FAILED} and not row.state.may_be_new:
            await self._undo_within(connection, row, over.reason)
        else:
            await self._ask_for(connection, [row], row.actor)


def _row_of(job: Job) -> str:
    return str(job.payload["row"])

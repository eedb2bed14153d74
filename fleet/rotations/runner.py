"""Rotations: new passwords for cameras, changed in the background of the service, row by row.

Every step is stored before the next, so that a process which dies in the middle of one is followed by another that goes
on from there (`hardening.passwords`).
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from sqlalchemy import select
from structlog.contextvars import bind_contextvars

from cameras.budget import AttemptBudget
from cameras.driver import AccountStore
from cameras.opening import open_camera, password_works
from cameras.place import Place
from cameras.secret import Credential, Secret
from cameras.untrusted import clean_text
from fleet import leases
from fleet.audit.trail import Action, Entry, record
from fleet.errors import Busy, FleetError, Invalid, StoreUnavailable
from fleet.kept_budget import kept_budget
from fleet.people.scope import EVERYWHERE, Scope, within
from fleet.process_locks import only_here
from fleet.reach import login_of, place_of
from fleet.rotations import rows as rotation_rows
from fleet.rotations.journal import RowJournal, settle_vault
from fleet.rotations.rows import CameraRotationView, OpenRow, RotationId, RotationView
from fleet.settings import Settings
from fleet.store import Store
from fleet.store import tables as t
from fleet.store.outages import outlast_outages
from fleet.vault.passwords import Vault
from fleet.views import Page
from hardening.password_change import Camera, PasswordChange, Patience
from hardening.password_rules import rule_for
from hardening.passwords import State

__all__ = ["CameraRotationView", "RotationId", "RotationProgress", "RotationView", "Rotations"]

AT_ONCE = 8
MOST_CAMERAS = 10_000
_LEASE_EVERY_S = 5.0
_LEASE_TRIES = 12
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RotationProgress:
    """Where a rotation is now. `running` says that this process still works on it."""

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

    What an earlier process left in the middle goes on at once, on entry, unless another process works on it now; what
    still runs on exit stops after the step that it is at, and goes on at the next entry. `budget` is the one that
    everything in this process shares; without it, one is made of what the store knows. `step` hears of every boundary
    between two steps of a row, `changed` of every account that has its new password.
    """

    def __init__(
        self,
        store: Store,
        vault: Vault,
        settings: Settings,
        *,
        budget: AttemptBudget | None = None,
        patience: Patience | None = None,
        at_once: int = AT_ONCE,
        step: Callable[[OpenRow, str], None] = lambda _row, _name: None,
        changed: Changed = nothing_more,
    ) -> None:
        self._store, self._vault, self._settings = store, vault, settings
        self._budget = budget
        self._patience = patience
        self._step = step
        self._changed = changed
        self._at_once = asyncio.Semaphore(at_once)
        self._stopping = asyncio.Event()
        self._stack = AsyncExitStack()
        self._group = asyncio.TaskGroup()
        self._live: dict[str, OpenRow] = {}
        self._bells: dict[RotationId, asyncio.Event] = {}

    async def __aenter__(self) -> Self:
        left = await rotation_rows.unfinished(self._store)
        if self._budget is None:
            self._budget = await self._stack.enter_async_context(kept_budget(self._store))
        await self._group.__aenter__()
        self._begin(left)
        return self

    def under_way(self) -> int:
        """How much of it this process is at work on."""
        return len(self._live)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        try:
            await self._group.__aexit__(None, None, None)
        finally:
            await self._stack.aclose()

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
        rotation = await rotation_rows.add(self._store, actor, accounts)
        self._begin(await rotation_rows.unfinished(self._store, rotation))
        return rotation

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
        """Where the rotation is now, then each change, at least the newest; ends when no camera of it is worked on.

        Raises NotFound.
        """
        told: RotationProgress | None = None
        while True:
            bell = self._bells.setdefault(rotation, asyncio.Event())
            progress = await self._progress(rotation)
            if progress != told:
                told = progress
                yield progress
            if not progress.running:
                return
            await bell.wait()

    async def reconcile(self, cameras: Sequence[str], actor: str) -> list[RotationId]:
        """Find out which password each of these cameras has, where that is unclear: at most one wrong try for each.

        Asks for the right to change cameras. Gives the rotations that go on; those of other cameras stay as they are.
        """
        rows = []
        for row in await rotation_rows.unclear(self._store, cameras):
            again = replace(row, state=State.PROVING, evidence=row.evidence.again())
            values = {"evidence": again.evidence.as_json(), "wrong_tries": 0}
            detail = f"reconcile, asked for by {clean_text(actor)}"
            async with self._store.write() as connection:
                await rotation_rows.change(connection, self._store, row, State.PROVING, **values, detail=detail)
                said = {"rotation": row.rotation, "account": row.account, "was": row.state.value}
                await record(connection, Entry(actor, Action.ROTATION_RECONCILE, f"camera:{row.camera}", said))
            rows.append(again)
        self._begin(rows)
        return list(dict.fromkeys(row.rotation for row in rows))

    def works_on(self, rotation: RotationId) -> bool:
        """Whether something is done for it in this process now."""
        return any(row.rotation == rotation for row in self._live.values())

    async def _progress(self, rotation: RotationId) -> RotationProgress:
        running = self.works_on(rotation)
        view = await rotation_rows.load(self._store, rotation)
        done = sum(camera.state.resting for camera in view.cameras)
        return RotationProgress(rotation, running, done, len(view.cameras), view.states)

    # --- one row ---

    def _begin(self, rows: Sequence[OpenRow]) -> None:
        for row in rows:
            self._live[row.id] = row
            self._group.create_task(self._run(row))

    def _ring(self, row: OpenRow) -> None:
        if bell := self._bells.pop(row.rotation, None):
            bell.set()

    async def _run(self, row: OpenRow) -> None:
        """The task's boundary: a row that cannot go on stays as it is stored, for the next start."""
        bind_contextvars(rotation=row.rotation, camera=row.camera)
        outlast_outages()
        try:
            async with self._at_once, only_here(self._settings.home / "locks", f"rotation-{row.id}") as mine:
                if mine:
                    await self._hold_and_change(await rotation_rows.fresh(self._store, row))
        except StoreUnavailable:
            _log.exception("the change of a password could not be stored", extra={"camera": row.camera})
        except FleetError as error:
            await self._give_up(row, str(error))
        except Exception:  # noqa: BLE001 - the task's boundary
            _log.exception("the change of a password failed", extra={"camera": row.camera, "rotation": row.rotation})
        finally:
            del self._live[row.id]
            self._ring(row)

    async def _hold_and_change(self, row: OpenRow) -> None:
        """Raises Busy where other work holds the camera for too long."""
        for _ in range(_LEASE_TRIES):
            if self._stopping.is_set() or row.state.resting:
                return
            try:
                await self._hold(row)
            except Busy:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), _LEASE_EVERY_S)
            else:
                return
        await self._hold(row)

    async def _hold(self, row: OpenRow) -> None:
        async with leases.hold(self._store, row.camera, f"rotation:{row.id}"):
            await self._change(row)
            if (await rotation_rows.fresh(self._store, row)).state is State.CURRENT:
                await self._changed(row.camera, row.account)

    async def _change(self, row: OpenRow) -> None:
        place = await place_of(self._store, row.camera)
        login = await login_of(self._vault, self._settings, row.camera, place)
        ours = login.username == row.account
        camera = await self._camera(row, place, login, ours=ours)
        rule = rule_for(await self._manufacturer(row.camera))
        tell = lambda: self._ring(row)  # noqa: E731 - one line of wiring
        journal = RowJournal(self._store, self._vault, row, camera.old, rule, ours=ours, tell=tell)
        change = PasswordChange(
            camera, journal, self._patience, stop=self._stopping, step=lambda name: self._step(row, name)
        )
        await change.run(row.state, row.evidence)

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

    async def _give_up(self, row: OpenRow, why: str) -> None:
        """Before anything was sent that is an end; after, the row waits for the next start."""
        found = next((one for one in await rotation_rows.unfinished(self._store) if one.id == row.id), None)
        if found is None or found.state.may_be_new:
            _log.error("a password change waits: %s", why, extra={"camera": row.camera})
            return
        detail = f"nothing was sent: {clean_text(why, 500)}"
        async with self._store.write() as connection:
            await rotation_rows.change(connection, self._store, found, State.UNDONE, detail=detail)
            await settle_vault(self._vault, connection, found, taken=False)

"""One camera on its way through a rollout: a function from the state that is stored to the next one.

What changes a camera is written down before it is sent, and sent by whoever wrote it down. Whoever finds it written
down, because a process died in between, sends nothing: it asks the camera what became of it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from cameras.driver import Driver
from cameras.errors import DeviceError, Garbled, LockedOut, Unauthorized, Unreachable, Unsupported
from cameras.facts import App, FirmwareState
from fleet import leases
from fleet.errors import Busy, Invalid, VaultUnavailable
from fleet.reach import Connect
from fleet.rollouts import proof as rollout_proof
from fleet.rollouts import rows as rollout_rows
from fleet.rollouts.bundles import ReadyBundle, compare
from fleet.rollouts.judges import Judges
from fleet.rollouts.proof import installed, is_version, why
from fleet.rollouts.rows import TargetRow
from fleet.store import Store
from fleet.unbroken import to_the_end
from hardening import bundles
from hardening.bundles import Reason
from hardening.rollout import CampaignState, TargetEvent, TargetState
from hardening.rollout_rules import Rules
from hardening.windows import Window, may_start

"""A fresh connection to a camera, by its id, logged in. Raises `cameras.errors`."""

# The login does not work (any more): asking again would spend the camera's tries.
_SHUT_OUT = (Unauthorized, LockedOut)
# After the first byte was sent these say nothing about what the camera made of it.
_UNCERTAIN = (Unreachable, Garbled)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often is asked, and how often other processes' orders are looked for. Tests go faster."""

    tick_s: float = 1.0
    ask_every_s: float = 5.0
    proof_tries: int = 6
    offline_retry: timedelta = timedelta(minutes=10)
    busy_retry: timedelta = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Work:
    """What is done to every camera of one rollout, and with what. `earlier_app` finds the way back of an app.

    `holder` is the rollout's job, which holds a camera while it is in flight, however many processes that takes.
    `keep_backup`: of a camera's id and its configuration, what it is kept by. Raises VaultUnavailable, OSError.
    """

    store: Store
    holder: str
    bundle: ReadyBundle
    rules: Rules
    connect: Connect
    judges: Judges
    keep_backup: Callable[[str, bytes], Coroutine[Any, Any, str]]
    earlier_app: Callable[[str, str], Awaitable[ReadyBundle | None]]
    pace: Pace


class Journey:
    """`row` is the camera as it is stored."""

    def __init__(self, work: Work, row: TargetRow) -> None:
        self.row = row
        self._work = work
        self._bundle = work.bundle.bundle
        self._manifest = work.bundle.view.manifest

    async def go(self, *, undo: bool = False) -> None:
        """To the end, or to where the camera waits. Holds its lease, and keeps it where it is cut off before that.

        Raises Busy where another hand moved it along.
        """
        try:
            async with AsyncExitStack() as stack:
                lease = leases.hold(
                    self._work.store,
                    self.row.camera,
                    self._work.holder,
                    goes_on=lambda: self.row.state.in_flight,
                )
                await to_the_end(stack.enter_async_context(lease))
                if undo:
                    await self._move(TargetEvent.UNDO)
                    await self._go_back(ask=True)
                while self.row.state.in_flight:
                    await _STEPS[self.row.state](self)
        except Busy as error:
            if self.row.state is not TargetState.PREFLIGHT:
                raise
            await self._move(TargetEvent.PUT_BACK, str(error), not_before=self._now() + self._work.pace.busy_retry)

    # --- before anything is sent ---

    async def preflight(self) -> None:
        try:
            async with self._connect() as camera:
                await self._look(camera)
        except Unreachable as error:
            now = self._now()
            waits = {"not_before": now + self._work.pace.offline_retry}
            waits["give_up_at"] = self.row.give_up_at or now + self._work.rules.offline_most
            await self._move(TargetEvent.UNREACHABLE, str(error), **waits)
        except DeviceError as error:
            await self._move(TargetEvent.FAIL, f"before anything was sent: {why(error)}")

    async def _look(self, camera: Driver) -> None:
        try:
            has = await installed(camera, self._manifest)
        except Unsupported as error:
            await self._move(TargetEvent.UNFIT, str(error))
            return
        refusals = bundles.fits(self._bundle, await camera.identity(), has, compare)
        if refusals:
            first = [refusal for refusal in refusals if refusal.reason is not Reason.ALREADY_THERE] or refusals
            await self._move(TargetEvent.UNFIT, "; ".join(refusal.text for refusal in first))
            return
        judged, better_not = await self._work.judges.before(self.row.camera, self._promised)
        if better_not:
            await self._move(TargetEvent.UNFIT, better_not)
            return
        before = {**await rollout_proof.portrait(camera, has), **judged}
        backup, told = await self._back_up(camera)
        if backup is None and self._work.rules.backup_required:
            await self._move(TargetEvent.UNFIT, f"it gives no backup: {told}")
            return
        await self._move(TargetEvent.BACKED_UP, told, before={**before, "backup": told}, backup=backup)

    async def _back_up(self, camera: Driver) -> tuple[str | None, str]:
        """The name of the stored configuration, or why there is none. Raises Unreachable."""
        try:
            content = await camera.backup()
            return await to_the_end(self._work.keep_backup(self.row.camera, content)), "backed up"
        except Unreachable:
            raise
        except DeviceError as error:
            return None, f"no backup ({why(error)})"
        except VaultUnavailable as error:
            return None, f"no backup (it cannot be sealed: {error})"
        except OSError as error:
            return None, f"no backup (it cannot be kept: {error.strerror or error})"

    # --- sending ---

    async def send(self) -> None:
        """Once. Connected first, so that a camera that has gone away costs nothing."""
        if not await self._may_send():
            return
        try:
            async with self._connect() as camera:
                try:
                    await self._move(TargetEvent.SEND)
                except Invalid:  # stopped or paused in this very moment
                    await self._may_send()
                    return
                await to_the_end(self._upload(camera))
        except DeviceError as error:
            if self.row.state is TargetState.BACKED_UP:
                later = self._now() + self._work.pace.offline_retry
                await self._move(TargetEvent.PUT_BACK, why(error), not_before=later)
            elif self.row.state is TargetState.SENDING:
                raise  # `_upload` writes down what it meets
            # else: only the connection's end went wrong; what was sent is written down already

    async def _may_send(self) -> bool:
        """Looked at between the steps: paused, stopped, or the window would close before the proof."""
        state, _ = await to_the_end(rollout_rows.standing(self._work.store, self.row.rollout))
        if state is CampaignState.PAUSED:
            await self._move(TargetEvent.PUT_BACK, "the rollout is paused")
        elif state is not CampaignState.RUNNING:
            await self._move(TargetEvent.GIVE_UP, f"the rollout is {state}; nothing was sent")
        elif not may_start(self._windows, self.row.zone, self._now(), self._work.rules.expected):
            await self._move(TargetEvent.PUT_BACK, "the window would close before the end")
        else:
            return True
        return False

    @property
    def _windows(self) -> tuple[Window | None, ...]:
        return self._work.rules.window, self.row.target.window

    async def _upload(self, camera: Driver) -> None:
        try:
            if self._manifest.app is not None:
                await camera.upload_app(self._work.bundle.payload, self._manifest.app.id)
            else:
                await camera.upload_firmware(self._work.bundle.payload, rollback_after_s=self._rollback_after_s)
        except _UNCERTAIN as error:
            await self._move(TargetEvent.INTERRUPTED, f"what became of the image is not known: {why(error)}")
        except DeviceError as error:
            await self._move(TargetEvent.FAIL, f"the camera did not take it: {why(error)}")
        else:
            await self._move(TargetEvent.ACCEPTED)

    @property
    def _rollback_after_s(self) -> int | None:
        """For cameras that know of committing: they go back by themselves unless the proof comes."""
        after = self._work.rules.rollback_after
        if after is None or self._manifest.kind == "app" or not self.row.before.get("can_commit"):
            return None
        return max(1, round(after.total_seconds()))

    @property
    def _promised(self) -> Mapping[str, float]:
        return self._manifest.app.accuracy if self._manifest.app else {}

    async def was_sending(self) -> None:
        await self._move(TargetEvent.INTERRUPTED, "we stopped while it was sent; it is not sent again by itself")

    async def sent(self) -> None:
        await self._move(TargetEvent.BACK if self._manifest.kind == "app" else TargetEvent.RESTARTS)

    # --- after it was sent ---

    async def wait(self) -> None:
        """Until the camera runs what was sent. The old version means nothing while it may still be at work."""
        detail = self.row.detail
        seen = await self._watch(self._manifest.version, self._work.rules.restart_most)
        if seen.is_wanted:
            await self._move(TargetEvent.BACK, detail)
        elif seen.shut_out and self._rollback_after_s:
            await self._roll_back(f"it is back, and the login no longer works: {seen.text}", shut_out=True)
        elif seen.answered:
            await self._move(TargetEvent.FAIL, "; ".join(filter(None, (detail, seen.text))))
        else:
            await self._move(TargetEvent.LOST, "; ".join(filter(None, (detail, seen.text))))

    async def prove(self) -> None:
        faults: list[str] = []
        shut_out = False
        for last in range(self._work.pace.proof_tries):
            await asyncio.sleep(self._work.pace.ask_every_s if last else 0)
            try:
                faults = await self._faults()
                if not faults and (faults := await self._unkept()):
                    break  # measured once: to try until it fits would prove nothing
                faults = faults or await self._commit()
            except _SHUT_OUT as error:
                faults, shut_out = [why(error)], True
                break
            except DeviceError as error:
                faults = [why(error)]
                continue
            if not faults:
                await self._move(TargetEvent.PROVED, self._told())
                return
        await self._roll_back("; ".join(faults), shut_out=shut_out)

    async def _faults(self) -> list[str]:
        async with self._connect() as camera:
            if self._manifest.app is not None:
                await self._start_app(camera, self._manifest.app.id)
            found = await rollout_proof.faults(camera, self._manifest, self.row.before)
        return found or await self._work.judges.picture_after(self.row.camera, self.row.before)

    async def _unkept(self) -> list[str]:
        return await self._work.judges.accuracy_after(self.row.camera, self._promised, self.row.before)

    async def _start_app(self, camera: Driver, app: str) -> None:
        has = await installed(camera, self._manifest)
        if isinstance(has, App) and has.running is False and is_version(has, self._manifest.version):
            await camera.start_app(app)

    async def _commit(self) -> list[str]:
        """Only now the camera is told to keep it. Committing twice is no harm, so no state of its own stands for it."""
        if self._manifest.kind == "app" or not self.row.before.get("can_commit"):
            return []
        async with self._connect() as camera:
            if (await camera.firmware_state()).committed is False:
                await camera.commit_firmware()
        async with self._connect() as camera:
            state = await camera.firmware_state()
        if state.committed is False or not is_version(state, self._manifest.version):
            return ["it was told to keep the new firmware and does not say that it does"]
        return []

    def _told(self) -> str:
        unjudged = self.row.before.get("picture faults") is None
        return f"{self._manifest.version} proved" + (", but for its picture, which nobody judged" if unjudged else "")

    # --- the way back ---

    async def _roll_back(self, reason: str, *, shut_out: bool) -> None:
        await self._move(TargetEvent.NOT_PROVED, reason)
        await self._go_back(ask=not shut_out, shut_out=shut_out)

    async def was_going_back(self) -> None:
        await self._go_back(ask=False)

    async def _go_back(self, *, ask: bool, shut_out: bool = False) -> None:
        """Ask for the version that was there before, once, and see whether it comes.

        `ask` False: it was asked for already, or cannot be, because our login fails (`shut_out`).
        """
        reason, after_s = self.row.detail, self._rollback_after_s
        impossible = await self._ask_back() if ask else ("our login no longer works" if shut_out else "")
        by_itself = timedelta(seconds=after_s or 0) if self.row.state is TargetState.ROLLING_BACK else timedelta(0)
        if impossible and not by_itself:
            await self._stays(reason, impossible)
            return
        most = self._work.rules.restart_most + by_itself
        seen = await self._watch(self.row.before.get("version"), most, by_itself if shut_out else None)
        if seen.is_wanted:
            await self._move(TargetEvent.WENT_BACK, reason)
        elif seen.answered:
            await self._stays(reason, impossible or seen.text)
        else:
            await self._move(TargetEvent.LOST, "; ".join(filter(None, (reason, seen.text))))

    async def _stays(self, reason: str, text: str) -> None:
        undoing = self.row.state is TargetState.UNDOING
        event = TargetEvent.STAYS if undoing else TargetEvent.FAIL
        await self._move(event, "; ".join(filter(None, (reason, f"it does not go back: {text}"))))

    async def _ask_back(self) -> str:
        """Why it cannot be asked to go back, "" where it was asked (or has gone already)."""
        try:
            async with self._connect() as camera:
                has = await installed(camera, self._manifest)
                if is_version(has, self.row.before.get("version")):
                    return ""
                if self._manifest.app is not None:
                    return await self._app_back(camera, self._manifest.app.id)
                await camera.roll_back_firmware()
        except _UNCERTAIN:
            return ""
        except DeviceError as error:
            return why(error)
        return ""

    async def _app_back(self, camera: Driver, app: str) -> str:
        """Apps have no way back of their own: the earlier package is sent again, or a new app taken away."""
        version = self.row.before.get("version")
        if version is None:
            await camera.remove_app(app)
            return ""
        earlier = await self._work.earlier_app(app, str(version))
        if earlier is None:
            return f"the bundle of version {version} was never imported"
        await camera.upload_app(earlier.payload, app)
        has = await installed(camera, self._manifest)
        if isinstance(has, App) and has.running is False:  # what ran before may go on by itself
            await camera.start_app(app)
        return ""

    # --- watching ---

    async def _watch(self, version: object, most: timedelta, silent_for: timedelta | None = None) -> "_Seen":
        """Ask over fresh connections until that version runs, or until `most` after the state was entered.

        A login that fails is not tried again. `silent_for`: it fails already, and is tried once after that long.
        """
        until, seen = self.row.since + most, _Seen()
        if silent_for is not None:
            await asyncio.sleep(max(0.0, (self.row.since + silent_for - self._now()).total_seconds()))
        while True:
            try:
                async with self._connect() as camera:
                    has = await installed(camera, self._manifest)
                seen = self._judge(seen, has, version)
            except _SHUT_OUT as error:
                return _Seen(answered=True, shut_out=True, text=why(error))
            except DeviceError as error:
                seen = _Seen(answered=seen.answered, text=seen.text if seen.answered else why(error))
            if seen.is_wanted or seen.settled or self._now() >= until:
                return seen
            await asyncio.sleep(self._work.pace.ask_every_s)

    def _judge(self, earlier: "_Seen", has: FirmwareState | App | None, version: object) -> "_Seen":
        if is_version(has, version) or (has is None and version is None):
            return _Seen(answered=True, is_wanted=True)
        boot, before = getattr(has, "boot_id", None), self.row.before.get("boot_id")
        booted = boot is not None and before is not None and boot != before
        # Restarted, and twice in a row not what was sent: nothing more is to come.
        settled = booted and earlier.booted and self.row.state is TargetState.RESTARTING
        return _Seen(answered=True, booted=booted, settled=settled, text=f"it runs {has.version if has else 'nothing'}")

    async def _move(self, event: TargetEvent, detail: str = "", **values: object) -> None:
        moving = rollout_rows.move_all(self._work.store, [self.row], event, detail, values=values)
        (self.row,) = await to_the_end(moving)

    def _connect(self) -> AbstractAsyncContextManager[Driver]:
        return self._work.connect(self.row.camera)

    def _now(self) -> datetime:
        return self._work.store.now()


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a camera that is watched showed. `settled`: nothing more is to come; `shut_out`: our login failed."""

    answered: bool = False
    is_wanted: bool = False
    shut_out: bool = False
    booted: bool = False
    settled: bool = False
    text: str = ""


_STEPS: Mapping[TargetState, Callable[[Journey], Awaitable[None]]] = MappingProxyType(
    {
        TargetState.PREFLIGHT: Journey.preflight,
        TargetState.BACKED_UP: Journey.send,
        TargetState.SENDING: Journey.was_sending,
        TargetState.SENT: Journey.sent,
        TargetState.RESTARTING: Journey.wait,
        TargetState.PROVING: Journey.prove,
        TargetState.ROLLING_BACK: Journey.was_going_back,
        TargetState.UNDOING: Journey.was_going_back,
    }
)

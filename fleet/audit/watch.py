"""The audit trail while the service runs: a checkpoint for every hour that had entries, and checks on demand."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from fleet.audit import checkpoints as audit_checkpoints
from fleet.audit.check import Checked, check
from fleet.audit.checkpoints import Checkpoint
from fleet.errors import FleetError, Invalid
from fleet.settings import Settings
from fleet.store import Store
from fleet.unbroken import to_the_end

EVERY_S = 3600.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CheckView:
    """The check that runs, or else the last one since the service was started. `error`: it could not be made."""

    running: bool
    done: int
    total: int
    begun_at: datetime
    checked: Checked | None
    error: str


class AuditWatch:
    """`async with AuditWatch(store, settings) as audit`."""

    def __init__(self, store: Store, settings: Settings, *, every_s: float = EVERY_S) -> None:
        self._store, self._settings, self._every_s = store, settings, every_s
        self._clock: asyncio.Task[None] | None = None
        self._checking: asyncio.Task[None] | None = None
        self._view: CheckView | None = None

    async def __aenter__(self) -> Self:
        self._clock = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in (self._clock, self._checking):
            if task:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        await self._checkpoint()  # what is cut off while we are gone must show

    @property
    def view(self) -> CheckView | None:
        return self._view

    def begin_check(self) -> CheckView:
        """In the background; one at a time."""
        if self._view is None or not self._view.running:
            self._view = CheckView(True, 0, 0, self._store.now(), None, "")
            self._checking = asyncio.create_task(self._check(self._view))
        return self._view

    async def finished(self) -> CheckView | None:
        """Waits for the check that runs."""
        if self._checking:
            await asyncio.wait([self._checking])
        return self._view

    async def _check(self, begun: CheckView) -> None:
        """The task's boundary."""
        view = begun

        def advance(done: int, total: int) -> None:
            nonlocal view
            view = self._view = replace(view, done=done, total=total)

        try:
            checked = await check_with(self._store, self._settings, progress=advance)
            self._view = replace(view, running=False, checked=checked)
        except FleetError as error:
            self._view = replace(view, running=False, error=str(error))
        except Exception as error:  # noqa: BLE001 - the task's boundary
            _log.exception("the audit trail could not be checked")
            self._view = replace(view, running=False, error=f"a fault of ours ({type(error).__name__}); see the log")

    async def _run(self) -> None:
        while True:
            await self._checkpoint()
            await asyncio.sleep(self._every_s)

    async def _checkpoint(self) -> None:
        try:
            await to_the_end(make(self._store, self._settings))
        except (FleetError, OSError):
            _log.exception("a checkpoint of the audit trail could not be kept; it is tried again in an hour")


async def make(store: Store, settings: Settings, out: Path | None = None) -> Checkpoint | None:
    """Signed and kept where the settings say, and at the end of `out`. `None` where nothing is new and no `out` given.

    A folder on another machine that is away does not hinder the others. Raises Invalid, StoreUnavailable, OSError.
    """
    newest = await audit_checkpoints.head(store)
    if newest is None:
        if out:
            raise Invalid("nothing was ever written down, so there is nothing to sign")
        return None
    if out is None and newest[0] <= await asyncio.to_thread(audit_checkpoints.last_kept, settings):
        return None
    return await asyncio.to_thread(_sign_and_keep, settings, newest, store.now(), [out] if out else [])


def _sign_and_keep(settings: Settings, newest: tuple[int, str], at: datetime, more: Sequence[Path]) -> Checkpoint:
    checkpoint = audit_checkpoints.sign(audit_checkpoints.our_key(settings), *newest, at)
    failed: OSError | None = None
    for path in (*audit_checkpoints.files(settings), *more):
        try:
            audit_checkpoints.keep(path, checkpoint)
        except OSError as error:
            failed = failed or error
    if failed:
        raise failed
    return checkpoint


async def check_with(
    store: Store,
    settings: Settings,
    files: Sequence[Path] = (),
    fingerprints: Sequence[str] = (),
    *,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Checked:
    """Beside our own checkpoints and those of these files. Raises Invalid, StoreUnavailable, VaultUnavailable."""
    checkpoints = await asyncio.to_thread(_known, settings, files)
    trusted = await asyncio.to_thread(audit_checkpoints.trusted, settings, fingerprints)
    return await check(store, checkpoints, trusted=trusted, progress=progress)


def _known(settings: Settings, files: Sequence[Path]) -> list[Checkpoint]:
    ours = [path for path in audit_checkpoints.files(settings) if path.exists()]
    return audit_checkpoints.load([*ours, *files])

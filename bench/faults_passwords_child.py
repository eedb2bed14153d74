"""One process of the fault runs for passwords: the real store, vault and service, and an end at a chosen boundary.

Loaded once by multiprocessing's fork server, so that a process costs a fork and not a second of imports.
"""

import asyncio
import json
import os
import signal
from contextlib import aclosing
from dataclasses import asdict, dataclass
from pathlib import Path

from cameras import soap
from cameras.budget import AttemptBudget
from cameras.errors import DeviceError
from fleet.errors import FleetError
from fleet.reach import open_stored
from fleet.rotations.rows import OpenRow
from fleet.rotations.runner import RotationId, Rotations
from fleet.settings import Settings
from fleet.store import Store, open_store
from fleet.vault.passwords import Vault, open_vault
from hardening.password_change import Patience

PATIENCE = Patience(late_s=0.02, silent_s=0.05)
soap.descriptions()


@dataclass(frozen=True, slots=True)
class Job:
    """`truth` is what the camera's account is let in with; `kill_at` 0 means never."""

    home: str
    camera: str
    account: str
    kill_at: int = 0
    truth: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    state: str
    detail: str
    boundaries: int
    lost: bool
    let_in: bool


class _Boundaries:
    """Counts them, and ends this process at one of them: nothing of it runs afterwards."""

    def __init__(self, kill_at: int) -> None:
        self.kill_at, self.passed = kill_at, 0

    def __call__(self, _row: OpenRow, name: str) -> None:
        self.passed += 1
        if self.passed == self.kill_at:
            Path(os.environ["BENCH_KILLED"]).write_text(name)
            os.kill(os.getpid(), signal.SIGKILL)


def rotate(job: Job) -> None:
    """A rotation, killed at its boundary."""
    asyncio.run(_work(job, "start"))


def resume(job: Job) -> None:
    """The next process."""
    asyncio.run(_work(job, "resume"))


def reconcile(job: Job) -> None:
    """Half an hour later."""
    asyncio.run(_work(job, "reconcile"))


async def _work(job: Job, what: str) -> None:
    home = Path(job.home)
    os.environ["BENCH_KILLED"] = str(home / "killed")
    settings = Settings(home=home, credentials_file=home.parent / "credentials.yaml")
    boundaries = _Boundaries(job.kill_at)
    async with await open_store(settings) as store:
        vault = await open_vault(store, settings)
        if what == "reconcile":
            async with store.write() as connection:
                await connection.exec_driver_sql("DELETE FROM attempt_budget")
        async with Rotations(store, vault, settings, patience=PATIENCE, step=boundaries) as rotations:
            await _follow(rotations, job, what)
            view = (await rotations.recent())[0].cameras[0]
        result = Result(
            state=view.state.value,
            detail=view.detail,
            boundaries=boundaries.passed,
            lost=not set(job.truth) <= await _known(vault, job),
            let_in=await _let_in(store, vault, settings, job.camera),
        )
    (home / "result.json").write_text(json.dumps(asdict(result)))


async def _follow(rotations: Rotations, job: Job, what: str) -> None:
    ids: list[RotationId] = [view.id for view in await rotations.recent(1)]
    if what == "start" or not ids:  # killed before there was anything
        ids = [await rotations.start([job.camera], None, "bench")]
    if what == "reconcile":
        ids = await rotations.reconcile([job.camera], "bench")
    for rotation in ids:
        async with aclosing(rotations.events(rotation)) as events:
            async for _ in events:
                pass


async def _known(vault: Vault, job: Job) -> set[str]:
    records = await vault.history(job.camera, job.account)
    held = [await vault.version(one.camera, one.account, one.version) for one in records]
    return {secret.reveal() for secret in held}


async def _let_in(store: Store, vault: Vault, settings: Settings, camera: str) -> bool:
    """By the way that all other parts come; not asked where that is refused beforehand."""
    try:
        async with open_stored(store, vault, settings, AttemptBudget(), camera) as driver:
            await driver.accounts()
    except (FleetError, DeviceError):
        return False
    return True

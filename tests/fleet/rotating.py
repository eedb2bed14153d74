"""What the tests of password changes share: stored cameras that are simulated, and the truth about their passwords."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import select

from cameras.budget import AttemptBudget
from cameras.facts import Identity
from fleet.findings import triage as findings
from fleet.jobs.desk import LocalDesk
from fleet.jobs.queue import Queue
from fleet.jobs.runner import Runner, _Turn
from fleet.rotations.rows import CameraRotationView, OpenRow
from fleet.rotations.runner import RotationId, Rotations
from fleet.settings import Settings
from fleet.store import Store, open_store
from fleet.store import tables as t
from fleet.vault.passwords import Vault, open_vault
from hardening.password_change import Patience
from simulator import Estate, Options
from simulator.camera import Camera
from tests.fleet.samples import FAIL, assessed, dossier
from tests.frame.sqlite import new_database

Step = Callable[[OpenRow, str], None]
QUICK = Patience(late_s=0.001, silent_s=0.01)
_numbers = count()


@dataclass
class Scene:
    """One or more simulated cameras, stored, whose logins stand in the credentials file."""

    settings: Settings
    store: Store
    vault: Vault
    estate: Estate
    ids: dict[str, str]

    @property
    def camera(self) -> Camera:
        return self.estate.cameras[0]

    @property
    def camera_id(self) -> str:
        return self.ids[self.camera.plan.address]

    @property
    def locks(self) -> Path:
        return self.settings.home / "locks"

    def rotations(self, step: Step = lambda _row, _name: None, queue: Queue | None = None) -> Rotations:
        return Rotations(self.store, self.vault, self.settings, patience=QUICK, step=step, queue=queue)

    def budget(self) -> AttemptBudget:
        """One that forgot everything."""
        return AttemptBudget(now=self.store.now)

    def wrong_tries(self, account: str) -> int:
        return self.camera.guard.wrong_tries.get(account, 0)

    async def known_passwords(self, account: str) -> set[str]:
        """All that the vault holds for it."""
        records = await self.vault.history(self.camera_id, account)
        held = [await self.vault.version(one.camera, one.account, one.version) for one in records]
        return {secret.reveal() for secret in held}


def passwords(camera: Camera, account: str) -> set[str]:
    """The truth: what lets this account in, at either store."""
    plan = camera.plan
    both = (*plan.accounts_of("onvif"), *plan.accounts_of("web"))
    return {one.password for one in both if one.name == account}


@asynccontextmanager
async def scene(
    home: Path, *faults: str, family: str = "hikvision", cameras: int = 1, auth: str | None = None, **more: object
) -> AsyncIterator[Scene]:
    base = f"127.{100 + os.getpid() % 150}.{next(_numbers) % 250}.1"
    given: Mapping[str, object] = {
        "cameras": cameras,
        "base": base,
        "mix": {family: 1},
        "faults": dict.fromkeys(faults, cameras),
        "discovery": False,
        "low_ports": False,
        "reboot_s": 0.05,
        "credentials_out": home / "credentials.yaml",
        **more,
    }
    await asyncio.to_thread(home.mkdir, exist_ok=True)
    async with AsyncExitStack() as stack:
        estate = await stack.enter_async_context(Estate(Options(**given)))  # type: ignore[arg-type] # by name
        if auth:
            for camera in estate.cameras:
                camera.become(replace(camera.plan, auth=auth))  # type: ignore[arg-type] # one of its words
        settings = Settings(home=home, credentials_file=home / "credentials.yaml")
        await new_database(settings)
        store = await stack.enter_async_context(await open_store(settings))
        ids = {camera.plan.address: await stored(store, camera) for camera in estate.cameras}
        yield Scene(settings, store, await open_vault(store, settings), estate, ids)


async def stored(store: Store, camera: Camera) -> str:
    """The id of its row, as a scan leaves it."""
    plan = camera.plan
    identity = Identity(
        manufacturer=plan.vendor,
        model=plan.model,
        firmware=plan.firmware,
        serial=plan.serial,
        hardware=None,
        mac=plan.mac,
        driver="onvif",
    )
    seen = replace(dossier(plan.address, plan.port, identity), scheme=plan.scheme)
    await findings.record(store, assessed({("telnet-open", ""): FAIL}, seen))
    async with store.read() as connection:
        found = await connection.scalar(select(t.Camera.id).where(t.Camera.address == plan.address))
    assert found is not None
    return found


async def follow(rotations: Rotations, rotation: RotationId) -> CameraRotationView:
    """Wait until nothing more is done for it; what became of its first camera."""
    async with aclosing(rotations.events(rotation)) as events:
        async for _ in events:
            pass
    return (await rotations.get(rotation)).cameras[0]


async def rotated(rotations: Rotations, *cameras: str, account: str | None = None) -> CameraRotationView:
    return await follow(rotations, await rotations.start(cameras, account, "anna"))


class Killed(BaseException):
    """In place of the end of the process."""


class Kill:
    """Ends the work at the boundary of this number or name."""

    def __init__(self, at: int | str) -> None:
        self.at, self.passed, self.name = at, 0, ""
        self.died = asyncio.Event()

    def __call__(self, _row: OpenRow, name: str) -> None:
        self.passed += 1
        if self.at in (self.passed, name):
            self.name = name
            self.died.set()
            raise Killed


class Mortal(Runner):
    """One whose process may end: nothing that it was at is handed in then."""

    async def _step(self, turn: _Turn) -> None:
        with suppress(Killed):
            await super()._step(turn)

    async def end(self, *, killed: bool) -> None:
        if not killed:
            await self.__aexit__(None, None, None)
        elif self._loop:
            await over(self._loop)


async def killed_at(here: Scene, at: int | str, *, goes_on: bool = False) -> Kill:
    """A process that begins a rotation, or goes on with the one before, until it ends there or is done."""
    kill, queue = Kill(at), Queue(here.store)
    async with (
        here.rotations(kill, queue) as rotations,
        LocalDesk(queue, [rotations.kind], folder=here.locks).attended() as desk,
    ):
        runner = await Mortal(desk, [rotations.kind]).__aenter__()
        (view,) = await rotations.recent(1) if goes_on else [None]
        rotation = view.id if view else await rotations.start([here.camera_id], None, "anna")
        died, done = asyncio.create_task(kill.died.wait()), asyncio.create_task(follow(rotations, rotation))
        await asyncio.wait({died, done}, return_when=asyncio.FIRST_COMPLETED)
        await runner.end(killed=kill.died.is_set())
        await over(died, done)
    return kill


async def over(*tasks: asyncio.Task[Any]) -> None:
    """Cancelled until they are: `asyncio.wait_for` may swallow it."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=0.1)


async def resumed(here: Scene) -> CameraRotationView:
    """As a new process goes on."""
    async with here.rotations() as rotations:
        return await follow(rotations, (await rotations.recent())[0].id)

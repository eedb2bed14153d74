"""Cameras of paper: drivers without a network, for estates too large to be served, and for deaths between two steps.

They hold the same images as the simulator's cameras and lie in the same ways.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from cameras.driver import Driver
from cameras.errors import Refused, Unauthorized, Unreachable, Unsupported
from cameras.facts import (
    Account,
    Accounts,
    App,
    Apps,
    FirmwareState,
    Identity,
    NetworkService,
    NetworkServices,
    Service,
    Services,
    StreamProfile,
    StreamProfiles,
)
from simulator.firmware import read_image, read_package

MODEL, OLD, NEW = "P3265-V", "12.11.77", "12.11.80"
Lie = Literal["", "says-yes-and-does-nothing", "goes-back-by-itself", "hangs-up", "bricks", "refuses", "offline"]
CHANGES = {"upload_firmware", "commit_firmware", "roll_back_firmware", "upload_app", "start_app", "remove_app"}
PICTURE = b"\xff\xd8\xff\xe0 a picture of paper"


@dataclass
class PaperCamera:
    """`flashed` is every image that was written; `commits` says whether it knows two banks and a timer, as Axis does.

    `second_s` is how long a second of its timer lasts.
    """

    number: int = 0
    commits: bool = True
    lie: Lie = ""
    version: str = OLD
    restart_s: float = 0.0
    second_s: float = 1.0
    flashed: list[str] = field(default_factory=list)
    uploads: int = 0
    boots: int = 1
    previous: str | None = None
    committed: bool = True
    accounts: list[str] = field(default_factory=lambda: ["root", "audit"])
    defect: str | None = None
    apps: dict[str, App] = field(default_factory=dict)
    bricked: bool = False
    awake_at: float = 0.0
    goes_back_at: float | None = None
    rollbacks: int = 0

    def settle(self) -> None:
        """What its own timer does."""
        if self.goes_back_at is not None and time.monotonic() >= self.goes_back_at and not self.bricked:
            self.go_back()

    def go_back(self) -> None:
        if self.previous is None:
            raise Refused("there is no other image")
        if self.defect == "loses-accounts":
            self.accounts = ["root", "audit"]
        self.version, self.previous, self.committed, self.defect = self.previous, self.version, True, None
        self.goes_back_at = None
        self._restart()

    def _restart(self) -> None:
        self.boots += 1
        self.awake_at = time.monotonic() + self.restart_s

    @property
    def answers(self) -> bool:
        return not self.bricked and self.lie != "offline" and time.monotonic() >= self.awake_at

    def flash(self, payload: bytes, rollback_after_s: int | None) -> None:
        self.uploads += 1
        if self.lie == "refuses":
            raise Refused("421 wrong device")
        if self.lie == "says-yes-and-does-nothing":
            return
        image = read_image(payload)
        self.flashed.append(image.version)
        self._restart()
        self.bricked = self.lie == "bricks" or image.defect == "brick"
        if self.lie != "goes-back-by-itself":
            self.previous, self.version, self.defect = self.version, image.version, image.defect
            self.committed = not self.commits
            if rollback_after_s is not None:
                self.goes_back_at = time.monotonic() + rollback_after_s * self.second_s
            if image.defect == "loses-accounts":
                self.accounts = ["root"]
        if self.lie == "hangs-up":
            raise Unreachable("it hung up in the middle")


class PaperDriver:
    """One connection. Only what a rollout asks for."""

    family = "paper"

    def __init__(self, camera: PaperCamera) -> None:
        self.camera = camera

    def _there(self) -> PaperCamera:
        self.camera.settle()
        if not self.camera.answers:
            raise Unreachable("nothing answers")
        return self.camera

    async def identity(self) -> Identity:
        return Identity("AXIS", MODEL, self._there().version, f"P{self.camera.number:06}", "7D2", None, "paper")

    async def firmware_state(self) -> FirmwareState:
        camera = self._there()
        if not camera.commits:
            raise Unsupported("it knows nothing of committing")
        return FirmwareState(camera.version, camera.committed, camera.previous, None, str(camera.boots))

    async def accounts(self) -> Accounts:
        return Accounts(tuple(Account(name, "Administrator") for name in self._there().accounts))

    async def services(self) -> Services:
        self._there()
        return Services((Service("http://www.onvif.org/ver10/device/wsdl", "http://camera/onvif", "2.6"),))

    async def network_services(self) -> NetworkServices:
        self._there()
        return NetworkServices((NetworkService("HTTP", enabled=True, ports=(80,)),))

    async def stream_profiles(self, _services: Services) -> StreamProfiles:
        self._there()
        return StreamProfiles("media", (StreamProfile("1", None, None, None, None, None, None, "http://camera/jpg"),))

    async def snapshot(self, _uri: str) -> bytes:
        return b"<html>" if self._there().defect == "no-picture" else PICTURE

    async def backup(self) -> bytes:
        if not self._there().commits:
            raise Unsupported("it gives no backup")
        return b"configuration of %d" % self.camera.number

    async def apps(self) -> Apps:
        return Apps(tuple(self._there().apps.values()))

    async def upload_firmware(self, image: Path, *, rollback_after_s: int | None) -> None:
        self._there().flash(await asyncio.to_thread(image.read_bytes), rollback_after_s)

    async def commit_firmware(self) -> None:
        camera = self._there()
        camera.committed, camera.goes_back_at = True, None

    async def roll_back_firmware(self) -> None:
        camera = self._there()
        if not camera.commits:
            raise Unsupported("it has no way back")
        camera.rollbacks += 1
        camera.go_back()

    async def upload_app(self, package: Path, app: str) -> None:  # noqa: ARG002 - the package says what it is
        content = await asyncio.to_thread(package.read_bytes)
        camera, (made, _) = self._there(), read_package(content)
        camera.uploads += 1
        camera.flashed.append(made.version)
        camera.apps[made.name] = App(made.name, made.nice_name, made.version, running=False)

    async def start_app(self, app: str) -> None:
        has = self._there().apps[app]
        self.camera.apps[app] = App(has.id, has.name, has.version, running=True)

    async def remove_app(self, app: str) -> None:
        self._there().apps.pop(app, None)


@dataclass
class PaperEstate:
    """Cameras by their id in the store. `dies_at` is told of every question and change, before and after it."""

    cameras: dict[str, PaperCamera]
    account: str = "audit"
    dies_at: Callable[[str], None] = lambda _moment: None
    connections: int = 0

    def connect(self, camera_id: str) -> AbstractAsyncContextManager[Driver]:
        return self._connected(self.cameras[camera_id])

    @asynccontextmanager
    async def _connected(self, camera: PaperCamera) -> AsyncIterator[Driver]:
        self.connections += 1
        camera.settle()
        if not camera.answers:
            raise Unreachable("nothing answers")
        if self.account not in camera.accounts:
            raise Unauthorized("this account is refused")
        yield cast("Driver", _Watched(PaperDriver(camera), self.dies_at))


class _Watched:
    """Tells before and after each change, and after each question, which changes nothing: where a process may die."""

    def __init__(self, driver: PaperDriver, tell: Callable[[str], None]) -> None:
        self._driver = driver
        self._tell = tell

    def __getattr__(self, name: str) -> object:
        method = getattr(self._driver, name)

        async def asked(*words: object, **named: object) -> object:
            if name in CHANGES:
                self._tell(f"before {name}")
            answer = await method(*words, **named)
            self._tell(f"after {name}")
            return answer

        return asked

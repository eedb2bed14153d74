"""What the measurements of rollouts share: a store with cameras, a signed bundle, and processes that die on time."""

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bench.paper_cameras import CHANGES
from cameras.driver import Driver
from fleet.reach import Connect
from fleet.rollouts import bundles
from fleet.rollouts import orders as rollout_orders
from fleet.rollouts.bundles import BundleView
from fleet.rollouts.rows import RolloutId
from fleet.rollouts.steps import Pace
from fleet.settings import Settings
from fleet.store import Store
from fleet.store import tables as t
from fleet.store.ids import new_id
from hardening import bundles as files
from hardening import keys
from hardening.manifest import Manifest
from hardening.rollout_rules import Errors, Rules
from simulator.firmware import image
from simulator.plan import Defect

# Of each family what is newer than any simulated camera of it has, and how its versions are compared.
FAMILIES = {
    "axis": ("12.11.99", "axis"),
    "hikvision": ("V5.9.0 build 230101", "hikvision"),
    "dahua": ("2.860.0000000.1.R, Build Date 2024-01-09", "dahua"),
    "hanwha": ("1.42.01_20240304_R500", "hanwha"),
    "onvif": ("4.9.0", "dotted"),
}
PACE = Pace(tick_s=0.05, ask_every_s=0.1, proof_tries=3, offline_retry=timedelta(seconds=0.2))
RULES = replace(
    rollout_orders.careful_rules(),
    canary=5,
    growth=4,
    success_percent=80,
    errors=Errors(5, None),
    in_flight=50,
    in_flight_per_site=50,
    soak=timedelta(0),
    restart_most=timedelta(seconds=1.5),
    offline_most=timedelta(seconds=20),
    rollback_after=timedelta(seconds=60),
)


async def bundle(
    store: Store,
    settings: Settings,
    version: str,
    *,
    vendor: str,
    models: Sequence[str],
    scheme: str,
    defect: Defect | None = None,
) -> BundleView:
    """Signed by a key that this store trusts, and imported."""
    folder = bundles.trusted_folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{version}-{defect}".replace(" ", "-")
    private, payload, into = folder / f"{name}.key", settings.home / f"{name}.bin", settings.home / f"{name}.bundle"
    keys.generate(private, folder / f"{name}.pub")
    payload.write_bytes(image(vendor, models, version, defect=defect))
    sha256, size = files.digest(payload)
    words = Manifest("firmware", vendor, tuple(models), (), version, scheme, None, sha256, size, "", None)
    files.build(payload, words, into)
    files.sign(into, keys.load_private(private))
    return await bundles.import_bundle(store, settings, into, "bench")


async def known(store: Store, places: Sequence[tuple[str, int, str, str]]) -> list[str]:
    """Cameras (address, port, manufacturer, model) as rows of the store; their ids."""
    now = store.now()
    rows: list[dict[str, Any]] = [
        {"id": new_id(), "key": f"at:{address}:{port}", "name": None, "address": address, "port": port}
        | {"scheme": "http", "manufacturer": vendor, "vendor": vendor.casefold(), "model": model, "firmware": None}
        | {"serial": None, "hardware": None, "mac": None, "driver": None, "search": "", "score": 0, "worst": None}
        | dict.fromkeys(("critical", "high", "medium", "low", "unknown"), 0)
        | {"first_seen": now, "last_seen": now, "last_dossier": ""}
        for address, port, vendor, model in places
    ]
    async with store.write() as connection:
        await connection.execute(insert(t.Camera), rows)
    return [row["id"] for row in rows]


async def start(store: Store, found: BundleView, cameras: Sequence[str], rules: Rules = RULES) -> RolloutId:
    rollout = await rollout_orders.create(store, found.id, cameras, "bench", rules=rules)
    await rollout_orders.approve(store, rollout, "bench", two_persons=False)
    await rollout_orders.start(store, rollout, "bench")
    return rollout


class Death:
    """Ends this process at the n-th moment, as the kernel would: nothing is closed, nothing is written."""

    def __init__(self, at: int | None) -> None:
        self._left = at

    def moment(self, _what: str) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                os._exit(9)


class MortalStore:
    """Dies before and after transactions."""

    def __init__(self, store: Store, death: Death) -> None:
        self._store = store
        self._death = death

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the store has
        return getattr(self._store, name)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        self._death.moment("before a write")
        async with self._store.write() as connection:
            yield connection
        self._death.moment("after a write")

    @asynccontextmanager
    async def claim(self) -> AsyncIterator[AsyncConnection]:
        self._death.moment("before the queue is told")
        async with self._store.claim() as connection:
            yield connection
        self._death.moment("after the queue was told")


def mortal(connect: Connect, death: Death) -> Connect:
    """The same cameras; dies before and after changes and after questions."""

    @asynccontextmanager
    async def connected(camera: str) -> AsyncIterator[Driver]:
        async with connect(camera) as driver:
            yield cast("Driver", _Mortal(driver, death.moment))

    def opening(camera: str) -> AbstractAsyncContextManager[Driver]:
        return connected(camera)

    return opening


class _Mortal:
    def __init__(self, driver: Driver, moment: Callable[[str], None]) -> None:
        self._driver = driver
        self._moment = moment

    def __getattr__(self, name: str) -> object:
        method = getattr(self._driver, name)

        async def asked(*words: object, **named: object) -> object:
            if name in CHANGES:
                self._moment(f"before {name}")
            answer = await method(*words, **named)
            self._moment(f"after {name}")
            return answer

        return asked


def home(folder: str) -> Settings:
    return Settings(home=Path(folder) / "home")

"""Signed bundles in a store, cameras in a store, and rollouts that go as fast as a test wants."""

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bench.paper_cameras import MODEL, NEW, OLD, PaperCamera, PaperEstate
from cameras.facts import Identity
from fleet.findings import triage as findings
from fleet.rollouts import bundles
from fleet.rollouts import orders as rollout_orders
from fleet.rollouts.bundles import BundleView
from fleet.rollouts.rows import EventView, RolloutId, RolloutView, TargetRow, targets
from fleet.rollouts.rows import history as history_of
from fleet.rollouts.runner import Rollouts
from fleet.rollouts.steps import Pace
from fleet.settings import Settings
from fleet.store import Store
from fleet.store import tables as t
from hardening import bundles as files
from hardening import keys
from hardening.manifest import AppWords, Kind, Manifest
from hardening.rollout import TargetState
from hardening.rollout_rules import Errors, Rules
from simulator.firmware import image, package
from simulator.plan import Defect
from tests.fleet.samples import assessed, camera, dossier

FAST = Pace(
    tick_s=0.02, ask_every_s=0.01, proof_tries=3, offline_retry=timedelta(0), busy_retry=timedelta(seconds=0.05)
)
RULES = Rules(
    canary=2,
    growth=4,
    success_percent=90,
    errors=Errors(count=2, percent=None),
    in_flight=4,
    in_flight_per_site=4,
    soak=timedelta(0),
    window=None,
    expected=timedelta(minutes=1),
    restart_most=timedelta(seconds=0.3),
    offline_most=timedelta(0),
    rollback_after=timedelta(seconds=1),
    backup_required=False,
)
_numbers = itertools.count()


def trust(settings: Settings) -> keys.PrivateKey:
    """A key that the store trusts. Blocks."""
    folder = bundles.trusted_folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    private = folder / "vendor.key"
    if not private.exists():
        keys.generate(private, folder / "vendor.pub")
    return keys.load_private(private)


def bundle_file(
    folder: Path, key: keys.PrivateKey | None, payload: bytes, version: str, *, kind: Kind = "firmware", **more: object
) -> Path:
    """Blocks."""
    folder.mkdir(parents=True, exist_ok=True)
    number = next(_numbers)
    source, into = folder / f"{number}.bin", folder / f"{number}.bundle"
    source.write_bytes(payload)
    sha256, size = files.digest(source)
    values: dict[str, Any] = {
        "kind": kind,
        "vendor": "AXIS",
        "models": (MODEL,),
        "hardware": (),
        "version": version,
        "scheme": "axis",
    }
    values |= {"from_version": None, "sha256": sha256, "size": size, "notes": "", "app": None}
    files.build(source, Manifest(**{**values, **more}), into)
    if key is not None:
        files.sign(into, key)
    return into


async def firmware(
    store: Store,
    settings: Settings,
    version: str = NEW,
    *,
    defect: Defect | None = None,
    vendor: str = "AXIS",
    models: Sequence[str] = (MODEL,),
    scheme: str = "axis",
) -> BundleView:
    """A firmware bundle, imported."""
    payload = image(vendor, models, version, defect=defect)
    key = await asyncio.to_thread(trust, settings)
    words: dict[str, Any] = {"vendor": vendor, "models": tuple(models), "scheme": scheme}
    make = partial(bundle_file, settings.home / "in", key, payload, version, **words)
    path = await asyncio.to_thread(make)
    return await bundles.import_bundle(store, settings, path, "anna")


async def app(
    store: Store,
    settings: Settings,
    version: str,
    promised: Mapping[str, float] | None = None,
    *,
    behaviour: Mapping[str, object] | None = None,
    models: Sequence[str] = (MODEL,),
    vendor: str = "AXIS",
) -> BundleView:
    """The bundle of an app named counter, imported."""
    key = await asyncio.to_thread(trust, settings)
    payload = package("counter", version, vendor=vendor, models=models, behaviour=behaviour)
    words: dict[str, Any] = {"kind": "app", "app": AppWords("counter", promised or {}), "models": tuple(models)}
    words["vendor"] = vendor
    make = partial(bundle_file, settings.home / "in", key, payload, version, **words)
    path = await asyncio.to_thread(make)
    return await bundles.import_bundle(store, settings, path, "anna")


async def known(store: Store, address: str, port: int, identity: Identity) -> str:
    """A camera in the store; its id."""
    await findings.record(store, assessed({}, dossier(address, port, identity)))
    wanted = select(t.Camera.id).where(t.Camera.address == address, t.Camera.port == port)
    async with store.read() as connection:
        return str((await connection.execute(wanted)).scalar_one())


async def paper(store: Store, *cameras: PaperCamera) -> PaperEstate:
    """These cameras in the store, and how to reach them."""
    estate = PaperEstate({})
    for number, one in enumerate(cameras, start=1):
        one.number = number
        identity = replace(camera(number), firmware=OLD)
        estate.cameras[await known(store, f"10.0.{number >> 8}.{number & 255}", 80, identity)] = one
    return estate


async def approved(
    store: Store, bundle: BundleView, cameras: Sequence[str], rules: Rules = RULES, **more: object
) -> RolloutId:
    rollout = await rollout_orders.create(store, bundle.id, cameras, "anna", rules=rules, **more)  # type: ignore[arg-type] # as `create` takes them
    await rollout_orders.approve(store, rollout, "berta", two_persons=False)
    return rollout


async def started(
    store: Store, bundle: BundleView, cameras: Sequence[str], rules: Rules = RULES, **more: object
) -> RolloutId:
    rollout = await approved(store, bundle, cameras, rules, **more)
    await rollout_orders.start(store, rollout, "berta")
    return rollout


async def over(rollouts: Rollouts, rollout: RolloutId) -> RolloutView:
    """Once nothing is in flight any more."""
    async with aclosing(rollouts.events(rollout)) as events:
        return [view async for view in events][-1]


async def run(store: Store, settings: Settings, estate: PaperEstate, rollout: RolloutId, **more: object) -> RolloutView:
    async with Rollouts(store, settings, connect=estate.connect, pace=FAST, **more) as rollouts:  # type: ignore[arg-type] # as it takes them
        return await over(rollouts, rollout)


async def ends(store: Store, rollout: RolloutId) -> list[TargetState]:
    return [row.state for row in await targets(store, rollout)]


async def rows(store: Store, rollout: RolloutId) -> list[TargetRow]:
    return await targets(store, rollout)


async def history(store: Store, rollout: RolloutId) -> list[EventView]:
    """Everything, the oldest first."""
    return (await history_of(store, rollout, single=None, limit=10_000))[::-1]

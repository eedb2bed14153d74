"""What the demonstration does by itself once its cameras are scanned: every craft once, from found to proved.

It acts as the demo's administrator through the same calls as the console. What it needs to know of the simulated
estate it takes from the manifest: which lens will be covered, and where a login works.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from analytics_qa.intervals import Share
from cameras.errors import DeviceError
from fleet import estate
from fleet.accuracy.rows import WatchState, WatchView
from fleet.commissioning import records, views
from fleet.commissioning.checklist import Answer, State
from fleet.commissioning.records import Where
from fleet.errors import FleetError
from fleet.evidence import keep_photo
from fleet.plans.runner import PlanState
from fleet.reach import open_stored
from fleet.rollouts import bundles
from fleet.rollouts import orders as rollout_orders
from fleet.rotations import default_passwords
from fleet.service import Service
from fleet.store.accuracy_tables import AccuracyHour, AccuracyWatch
from fleet.views import DeviceRow, FindingFilter
from hardening.baseline import load_baseline
from hardening.bundles import BundleError, build, sign
from hardening.keys import generate, load_private
from hardening.manifest import Manifest
from hardening.passwords import State as PasswordState
from hardening.rollout_rules import Errors

NAME = "demo"
SITE = "Harbour office"
MOST_WATCHED_PICTURES = 5
# Each watch is one cluster of what was seen: with fewer of them a fall is told only now and then.
WATCHES, WATCH_S = 6, 11
_PATIENCE_S = 120.0
_AGO = timedelta(days=10)
_LOGIN_FAULTS = frozenset({"no-login", "wrong-login", "locked", "factory-default", "slow", "hostile-name"})
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Cast:
    """The stored cameras with a login that works, by family, and the one whose lens will be covered."""

    families: Mapping[str, Sequence[DeviceRow]]
    covered: DeviceRow | None

    def some(self, family: str, first: int, many: int) -> list[DeviceRow]:
        return list(self.families.get(family, ()))[first : first + many]


async def tell(service: Service, manifest: Mapping[str, Any], folder: Path, say: Say) -> None:
    """Every part once. A part that fails says so and costs no other part."""
    cast = await _cast(service, manifest)
    looks = asyncio.create_task(_part("pictures", _pictures(service, cast, say), say))
    sees = asyncio.create_task(_part("accuracy", _accuracy(service, cast, folder, say), say))
    try:
        await _part("put right", _put_right(service, cast, say), say)
        await _part("rollout", _rollout(service, cast, folder, say), say)
        await _part("commissioning", _commissioning(service, cast, say), say)
        await asyncio.gather(looks, sees)
    finally:
        for task in (looks, sees):
            task.cancel()
        await asyncio.gather(looks, sees, return_exceptions=True)


async def _part(name: str, work: Awaitable[None], say: Say) -> None:
    try:
        async with asyncio.timeout(_PATIENCE_S * 2):
            await work
    except (FleetError, DeviceError, BundleError, OSError, TimeoutError) as error:
        say(f"{name}: not shown this time ({type(error).__name__}: {error})")


async def _cast(service: Service, manifest: Mapping[str, Any]) -> Cast:
    rows = {(row.address, row.port): row for row in (await estate.devices(service.store, limit=500)).items}
    families: dict[str, list[DeviceRow]] = {}
    covered = None
    for one in manifest["cameras"]:
        row = rows.get((one["address"], one["port"]))
        if row is None or _LOGIN_FAULTS & set(one["faults"]):
            continue
        if any(e["kind"] == "fault" and e["name"] == "covered" for e in one.get("picture", {}).get("episodes", ())):
            covered = covered or row
        else:
            families.setdefault(one["vendor"], []).append(row)
    return Cast(families, covered)


# --- put right --------------------------------------------------------------------------------------------------------


async def _put_right(service: Service, cast: Cast, say: Say) -> None:
    """A default password is changed, then its camera and two others are hardened."""
    page = await estate.findings(service.store, FindingFilter(check=default_passwords.CHECK), limit=50)
    able = {row.id for rows in cast.families.values() for row in rows}
    # Dahua says at every wrong try how many are left, and is then left alone: the old password cannot be proved there.
    fit = [row for row in page.items if row.camera in able]
    found = min(fit, key=lambda row: (row.manufacturer or "").startswith("Dahua"), default=None)
    chosen = [row.id for row in cast.some("axis", 0, 2)]
    if found is not None:
        camera, account = await default_passwords.hold_default(
            service.store, service.vault, service.settings, found.id, NAME
        )
        rotation = await service.rotations.start([camera], account, NAME)
        async for _ in service.rotations.events(rotation):
            pass
        (row,) = (await service.rotations.get(rotation)).cameras
        proved = "changed and proved" if row.state is PasswordState.CURRENT else f"{row.state}: {row.detail}"
        say(f"password: {account} at {found.address} had its default one; {proved}")
        chosen.insert(0, camera)
    plan = await service.plans.create(load_baseline("essential"), list(dict.fromkeys(chosen)), NAME)
    await _until_plan(service, plan, {PlanState.DRAFT})
    await service.plans.approve(plan, NAME)
    await service.plans.start(plan, NAME)
    await _until_plan(service, plan, {PlanState.APPROVED, PlanState.APPLYING})
    say(f"plan: {len(chosen)} cameras against the baseline essential: {(await service.plans.get(plan)).state}")


async def _until_plan(service: Service, plan: Any, under_way: set[PlanState]) -> None:  # noqa: ANN401 - a plan's id
    async with asyncio.timeout(_PATIENCE_S):
        while (await service.plans.get(plan)).state in under_way:  # noqa: ASYNC110 - what moves is in the database
            await asyncio.sleep(0.5)


# --- a rollout that stops itself --------------------------------------------------------------------------------------


async def _rollout(service: Service, cast: Cast, folder: Path, say: Say) -> None:
    """An image that loses the picture: the first camera shows it, goes back, and no other is touched."""
    rows = cast.some("axis", 3, 20)
    model = max({row.model for row in rows}, key=lambda name: sum(row.model == name for row in rows), default=None)
    same = [row for row in rows if row.model == model]
    if not same or model is None or same[0].firmware is None:
        return
    version = _next(same[0].firmware)
    fields = {"vendor": "axis", "models": [model], "version": version, "defect": "no-picture"}
    payload = folder / "firmware.bin"
    await asyncio.to_thread(payload.write_bytes, _file_of(b"CWFW1\n", fields))
    path = await asyncio.to_thread(_signed, folder, service, payload, same[0], version)
    bundle = await bundles.import_bundle(service.store, service.settings, path, NAME)
    rules = replace(
        rollout_orders.careful_rules(), canary=1, soak=timedelta(0), errors=Errors(count=1, percent=None), in_flight=2
    )
    rollout = await rollout_orders.create(
        service.store, bundle.id, [row.id for row in same], NAME, name=f"{model} to {version}", rules=rules
    )
    await service.rollouts.approve(rollout, NAME)
    await rollout_orders.start(service.store, rollout, NAME)
    async for _ in service.rollouts.events(rollout):
        pass
    view = await service.rollouts.get(rollout)
    say(f"rollout: {model} to {version} over {len(same)} cameras: {view.state}")


def _signed(folder: Path, service: Service, payload: Path, camera: DeviceRow, version: str) -> Path:
    trusted = bundles.trusted_folder(service.settings)
    trusted.mkdir(mode=0o700, parents=True, exist_ok=True)
    generate(folder / "vendor.key", trusted / "demo-vendor.pub")
    body = payload.read_bytes()
    manifest = Manifest(
        kind="firmware",
        vendor=camera.manufacturer or "AXIS",
        models=(camera.model or "",),
        hardware=(),
        version=version,
        scheme="axis",
        from_version=None,
        sha256=hashlib.sha256(body).hexdigest(),
        size=len(body),
        notes="Made for the demonstration: it loses the picture.",
        app=None,
    )
    path = folder / "firmware.cwb"
    build(payload, manifest, path)
    sign(path, load_private(folder / "vendor.key"))
    return path


def _next(version: str) -> str:
    """The same with its last number one higher."""
    return re.sub(r"(\d+)(?=\D*$)", lambda found: str(int(found[1]) + 1), version)


def _file_of(mark: bytes, fields: Mapping[str, Any]) -> bytes:
    """As simulated cameras take it: a mark, a line of JSON, and padding whose sum the line names."""
    padding = b"\0" * 4096
    line = {**fields, "padding": len(padding), "sha256": hashlib.sha256(padding).hexdigest()}
    return mark + json.dumps(line).encode() + b"\n" + padding


# --- the picture ------------------------------------------------------------------------------------------------------


async def _pictures(service: Service, cast: Cast, say: Say) -> None:
    """Some views are approved while all is well; then a lens is covered, and the next looks notice."""
    if cast.covered is None:
        return
    others = [row for rows in cast.families.values() for row in rows][: MOST_WATCHED_PICTURES - 1]
    shown = [cast.covered, *others]
    results = await asyncio.gather(*(service.pictures.approve(row.id, NAME) for row in shown), return_exceptions=True)
    good = [row for row, result in zip(shown, results, strict=True) if not isinstance(result, BaseException)]
    say(f"pictures: {len(good)} views are approved as what their cameras should show")
    await asyncio.gather(*(service.pictures.check_now(row.id) for row in good))
    async with asyncio.timeout(_PATIENCE_S):
        for _ in range(30):
            seen = await service.pictures.check_now(cast.covered.id)
            faults = ", ".join(seen.faults) or "nothing wrong"
            if seen.faults and (await _open_faults(service, cast.covered)):
                break
    say(f"pictures: {cast.covered.address} shows {faults}: {seen.verdict}")


async def _open_faults(service: Service, camera: DeviceRow) -> tuple[str, ...]:
    return (await service.pictures.compare(camera.id)).tile.open_faults


# --- the camera's own AI ----------------------------------------------------------------------------------------------


async def _accuracy(service: Service, cast: Cast, folder: Path, say: Say) -> None:
    """Some watches, a new version of the analytics that sees less, and some more.

    The first ones are dated ten days back, since drift is told against what was: the demonstration has no ten days.
    """
    chosen = cast.some("axis", 2, 1)
    if not chosen:
        return
    camera = chosen[0]
    await service.pictures.approve(camera.id, NAME)
    await service.pictures.check_now(camera.id)
    await _new_app(service, camera, folder, "2.1.0", 0.95)
    before = [await _watched(service, camera) for _ in range(WATCHES)]
    await _date_back(service, camera, before)
    await _new_app(service, camera, folder, "2.2.0", 0.2)
    for _ in range(WATCHES):
        await _watched(service, camera)
    card = await service.accuracy.card(camera.id)
    cause = f" ({card.drift.cause})" if card.drift.cause else ""
    found = f"{_share(card.agreement.before)}, now {_share(card.agreement.now)}" if card.agreement else "too little"
    said = f"{found}: {card.drift.state}{cause}"
    say(f"accuracy: of what the reference sees, {camera.address} with new analytics sees {said}")


def _share(share: Share) -> str:
    return f"{'nothing' if share.value is None else f'{share.value:.2f}'} (n={share.n})"


async def _date_back(service: Service, camera: DeviceRow, watches: Sequence[WatchView]) -> None:
    async with service.store.write() as connection:
        for one in watches:
            at = {name: getattr(one, name) - _AGO for name in ("queued_at", "started_at", "finished_at")}
            await connection.execute(update(AccuracyWatch).where(AccuracyWatch.id == one.id).values(**at))
        hours = await connection.scalars(select(AccuracyHour.hour).where(AccuracyHour.camera == camera.id))
        for hour in set(hours.all()):
            mine = (AccuracyHour.camera == camera.id, AccuracyHour.hour == hour)
            await connection.execute(update(AccuracyHour).where(*mine).values(hour=hour - _AGO))


async def _new_app(service: Service, camera: DeviceRow, folder: Path, version: str, recall: float) -> None:
    fields = {"name": "objectanalytics", "nice_name": "Object Analytics", "vendor": "AXIS", "version": version}
    behaviour = {"recall": recall, "false_per_min": 0.2}
    package = folder / f"analytics-{version}.eap"
    body = _file_of(b"CWAP1\n", {**fields, "models": ["*"], "behaviour": behaviour})
    await asyncio.to_thread(package.write_bytes, body)
    way = (service.store, service.vault, service.settings, service.budget, camera.id)
    async with open_stored(*way) as driver:
        await driver.upload_app(package, "objectanalytics")
        if not any(app.running for app in (await driver.apps()).apps if app.id == "objectanalytics"):
            await driver.start_app("objectanalytics")


async def _watched(service: Service, camera: DeviceRow) -> WatchView:
    watch = await service.accuracy.start(camera.id, NAME, seconds=WATCH_S)
    async with asyncio.timeout(_PATIENCE_S):
        view = await service.accuracy.finished(watch)
    if view.state is not WatchState.DONE:
        raise FleetError(f"the camera could not be watched: {view.error}")
    return view


# --- commissioning ----------------------------------------------------------------------------------------------------


async def _commissioning(service: Service, cast: Cast, say: Say) -> None:
    there = [row for rows in cast.families.values() for row in rows if row.site == SITE]
    rows = there[:2] or cast.some("axis", 0, 2)
    checklist = await records.start(service.store, SITE, [row.id for row in rows], NAME)
    for row in rows:
        still = await keep_photo(service.settings.evidence, await service.still(row.id))
        await records.keep_still(service.store, checklist, row.id, still)
        for where, answer in _answers(await views.get(service.store, checklist), row, still):
            await records.answer(service.store, where, answer, NAME)
        where = Where(checklist, row.id, "label")
        await records.answer_label(service.store, where, row.serial or row.mac or "", NAME)
        await records.answer_density(service.store, Where(checklist, row.id, "density"), (300, 560), 1.7, NAME)
    await records.sign(service.store, checklist, "Dana Demo", NAME)
    say(f"commissioning: the checklist of {SITE} is signed; its handover package is ready")


def _answers(view: views.CommissioningView, camera: DeviceRow, still: str) -> Iterator[tuple[Where, Answer]]:
    for row in view.camera(camera.id).rows:
        where = Where(view.id, camera.id, row.row.id)
        if row.row.kind == "checks" and row.state is not State.AUTO_PASS:
            yield where, Answer(State.WAIVED, "Demonstration: agreed with the owner until the next visit")
        elif row.row.kind in ("person", "still"):
            yield where, Answer(State.PASSED, evidence=(still,))

"""Bundles that may be rolled out: verified when they come in, kept under `$CAMWARDEN_HOME/bundles` by their digest."""

import asyncio
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy import Row, select

from cameras.untrusted import clean_text
from fleet.audit.trail import Action, Entry, record
from fleet.errors import FleetError, Invalid, NotFound
from fleet.settings import Settings
from fleet.store import Store
from fleet.store.rollouts_tables import StoredBundle
from fleet.store.upserts import upsert
from hardening import bundles
from hardening.keys import KeyUnusable, load_trusted
from hardening.manifest import BundleError, Manifest, Standing, read_manifest, written
from scanners import versions

_SHORTEST_PREFIX = 6
_OWNER_ONLY = 0o700


@dataclass(frozen=True, slots=True)
class BundleView:
    """`id` is the SHA-256 of the payload; `signed_by` is the trusted key that had signed it when it came in."""

    id: str
    manifest: Manifest
    signed_by: str
    imported_at: datetime
    imported_by: str


@dataclass(frozen=True, slots=True)
class ReadyBundle:
    """A stored bundle whose payload was looked at again, byte by byte, in this process."""

    view: BundleView
    payload: Path

    @property
    def bundle(self) -> bundles.Bundle:
        return bundles.Bundle(self.view.manifest, self.view.signed_by, intact=True)


def compare(scheme: str, one: str, other: str) -> Standing:
    """How a version stands to another by the counting of its vendor: for `hardening.bundles.fits`."""
    if scheme not in versions.SCHEMES:
        return "unknown"
    first, second = versions.parse(scheme, one), versions.parse(scheme, other)
    if first is None or second is None:
        return "unknown"
    return _STANDING[versions.compare(first, second)]


_STANDING: Mapping[versions.Order, Standing] = MappingProxyType(
    {
        versions.Order.OLDER: "older",
        versions.Order.SAME: "same",
        versions.Order.NEWER: "newer",
        versions.Order.UNKNOWN: "unknown",
    }
)


def trusted_folder(settings: Settings) -> Path:
    return settings.home / "trusted"


async def import_bundle(store: Store, settings: Settings, path: Path, actor: str) -> BundleView:
    """Verify a bundle and keep it; once more is no error. Raises Invalid for what cannot be trusted or used."""
    try:
        found = await asyncio.to_thread(_verify_and_keep, settings, path)
    except (BundleError, KeyUnusable) as error:
        raise Invalid(f"{clean_text(path.name)}: {error}") from error
    manifest = found.manifest
    row = {
        "id": manifest.sha256,
        "kind": manifest.kind,
        "vendor": manifest.vendor.casefold(),
        "version": manifest.version,
        "app": manifest.app.id if manifest.app else None,
        "manifest": written(manifest).decode(),
        "signed_by": found.signed_by,
        "imported_at": store.now(),
        "imported_by": clean_text(actor),
    }
    again = {name: row[name] for name in row if name != "id"}
    async with store.write() as connection:
        await connection.execute(
            upsert(StoredBundle).values(row).on_conflict_do_update(index_elements=["id"], set_=again)
        )
        said = {"version": manifest.version, "vendor": manifest.vendor, "signed_by": found.signed_by}
        await record(connection, Entry(actor, Action.BUNDLE_ADD, f"bundle:{manifest.sha256}", said))
    return await find(store, manifest.sha256)


async def find(store: Store, words: str) -> BundleView:
    """By its id, or by the first six or more digits of it. Raises NotFound, Invalid where several begin so."""
    if len(words) < _SHORTEST_PREFIX or not words.isalnum():
        raise Invalid(f"name a bundle by the first {_SHORTEST_PREFIX} or more digits of its id")
    wanted = select(StoredBundle).where(StoredBundle.id.startswith(words.lower(), autoescape=True)).limit(2)
    async with store.read() as connection:
        rows = (await connection.execute(wanted)).all()
    if not rows:
        raise NotFound(f"there is no bundle {clean_text(words)}; `camwarden bundle list` shows those that there are")
    if len(rows) > 1:
        raise Invalid(f"several bundles begin with {words}; write more digits")
    return _view(rows[0])


async def listing(store: Store, limit: int = 200) -> list[BundleView]:
    """The newest first."""
    async with store.read() as connection:
        newest = select(StoredBundle).order_by(StoredBundle.imported_at.desc(), StoredBundle.id).limit(limit)
        return [_view(row) for row in (await connection.execute(newest)).all()]


async def ready(store: Store, settings: Settings, bundle: str) -> ReadyBundle:
    """The bundle, its payload checked once more. Raises NotFound, FleetError where somebody changed it."""
    view = await find(store, bundle)
    payload = _folder(settings) / view.id
    try:
        digest, size = await asyncio.to_thread(bundles.digest, payload)
    except BundleError as error:
        raise FleetError(f"the bundle's payload is gone from the store: {error}; import it again") from error
    if (digest, size) != (view.manifest.sha256, view.manifest.size):
        raise FleetError(f"{payload}: this is not what was imported; somebody changed it. Import the bundle again")
    return ReadyBundle(view, payload)


async def earlier_app(store: Store, settings: Settings, app: str, version: str) -> ReadyBundle | None:
    """The package of that version of an app, for the way back; `None` where it was never imported."""
    wanted = select(StoredBundle.id).where(StoredBundle.app == app, StoredBundle.version == version).limit(1)
    async with store.read() as connection:
        found = (await connection.execute(wanted)).scalar_one_or_none()
    return await ready(store, settings, found) if found else None


def _verify_and_keep(settings: Settings, path: Path) -> bundles.Bundle:
    """Blocks. The payload is written under another name first, and looked at again where it lies."""
    folder = trusted_folder(settings)
    keys = load_trusted(folder.glob("*.pub"))
    if not keys:
        raise BundleError(f"no key is trusted yet; put the public key of whoever signs bundles into {folder}")
    found = bundles.verify(path, keys)
    manifest = found.manifest
    if manifest.scheme not in versions.SCHEMES or versions.parse(manifest.scheme, manifest.version) is None:
        raise BundleError(
            f"version {manifest.version} cannot be read as {manifest.scheme}: no camera could be compared"
        )
    store = _folder(settings)
    store.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
    beside = store / f".{manifest.sha256}.{os.getpid()}.part"
    try:
        with bundles.open_payload(path) as source, beside.open("xb") as target:
            shutil.copyfileobj(source, target, 1024 * 1024)
            target.flush()
            os.fsync(target.fileno())
        if bundles.digest(beside) != (manifest.sha256, manifest.size):
            raise BundleError("it changed while it was read")
        beside.replace(store / manifest.sha256)
    except OSError as error:
        raise BundleError(f"it cannot be kept in {store}: {error.strerror or error}") from error
    finally:
        beside.unlink(missing_ok=True)
    return found


def _folder(settings: Settings) -> Path:
    return settings.home / "bundles"


def _view(row: Row[*tuple[Any, ...]]) -> BundleView:
    manifest = read_manifest(row.manifest.encode())
    return BundleView(row.id, manifest, row.signed_by, row.imported_at, row.imported_by)


def as_json(view: BundleView) -> dict[str, Any]:
    return {
        "id": view.id,
        "signed_by": view.signed_by,
        "imported_at": view.imported_at.isoformat(),
        "imported_by": view.imported_by,
        "manifest": json.loads(written(view.manifest)),
    }

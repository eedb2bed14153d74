"""One picture of a stored camera, taken now."""

from cameras.budget import AttemptBudget
from cameras.errors import Unsupported
from fleet.reach import open_stored
from fleet.settings import Settings
from fleet.store import Store
from fleet.vault.passwords import Vault


async def take_still(store: Store, vault: Vault, settings: Settings, budget: AttemptBudget, camera: str) -> bytes:
    """A JPEG or PNG of its largest stream that has snapshots. Raises `cameras.errors`, NotFound, Invalid, Busy."""
    async with open_stored(store, vault, settings, budget, camera) as driver:
        profiles = (await driver.stream_profiles(await driver.services())).profiles
        able = [profile for profile in profiles if profile.snapshot_uri]
        if not able:
            raise Unsupported("it names no address for a snapshot")
        largest = max(able, key=lambda profile: (profile.width or 0) * (profile.height or 0))
        return await driver.snapshot(largest.snapshot_uri or "")

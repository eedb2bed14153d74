"""Where the master key lies, and how it moves: as it is in its file, or wrapped by a transit engine. It stays the same.

    new content ─► key.new, on the disk ─► key (in one step) ─► the plain bytes before are written over

Killed between any two of these, the key lies whole in the one or the other form; run again, it goes on. What is wrapped
was opened by the engine once before it takes the place of anything.
"""

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from fleet.errors import ChangedMeanwhile, Invalid, VaultUnavailable
from fleet.settings import Settings
from fleet.store import Store
from fleet.vault import key_file as vault_key
from fleet.vault import transit
from fleet.vault.key_file import Kept, WrappedKey
from fleet.vault.key_rotation import NEW_KEY, Step
from fleet.vault.master_key import OLD_KEY, master_key


class Where(StrEnum):
    NOWHERE = "nowhere"
    FILE = "file"
    SYSTEMD = "systemd"
    TRANSIT = "transit"


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """`version` is that of the transit key, 0 where none wraps it. `why` it cannot be used, "" where it can."""

    where: Where
    path: Path
    key_id: str = ""
    version: int = 0
    why: str = ""


async def key_place(settings: Settings) -> KeyPlace:
    """Looks, makes nothing, and asks the engine to open what it wrapped."""
    path = await asyncio.to_thread(vault_key.key_file, settings.home)
    plain = Where.SYSTEMD if vault_key.is_credential(path) else Where.FILE
    try:
        kept = await asyncio.to_thread(vault_key.read, path)
    except FileNotFoundError:
        return KeyPlace(Where.NOWHERE, path)
    except VaultUnavailable as error:
        return KeyPlace(plain, path, why=str(error))
    if isinstance(kept, bytes):
        return KeyPlace(plain, path, vault_key.id_of(kept))
    place = (Where.TRANSIT, path, kept.id, kept.version)
    try:
        await transit.unwrap(settings, kept)
    except VaultUnavailable as error:
        return KeyPlace(*place, why=str(error))
    return KeyPlace(*place)


async def to_transit(store: Store, settings: Settings, *, step: Step = lambda _name: None) -> KeyPlace:
    """From the file into the care of the engine. Raises Invalid, ChangedMeanwhile, VaultUnavailable."""
    if settings.transit_url is None:
        raise Invalid("the settings name no transit engine: give transit_url, transit_key and a login")
    kept = await _movable(store, settings)
    if isinstance(kept, bytes):
        step("wrap")
        await _put(store, settings, kept, await transit.wrap(settings, kept), step)
    return await key_place(settings)


async def to_file(store: Store, settings: Settings, *, step: Step = lambda _name: None) -> KeyPlace:
    """Back into the file, as it is. Raises Invalid, ChangedMeanwhile, VaultUnavailable."""
    kept = await _movable(store, settings)
    if isinstance(kept, WrappedKey):
        step("unwrap")
        await _put(store, settings, kept, await transit.unwrap(settings, kept), step)
    return await key_place(settings)


async def rewrap(store: Store, settings: Settings, *, step: Step = lambda _name: None) -> KeyPlace:
    """Under the newest version of the transit key. Raises Invalid, ChangedMeanwhile, VaultUnavailable."""
    kept = await _movable(store, settings)
    if isinstance(kept, bytes):
        raise Invalid("the key lies in its file as it is: no transit engine wraps it (`camwarden vault to-transit`)")
    step("rewrap")
    await _put(store, settings, kept, await transit.rewrap(settings, kept), step)
    return await key_place(settings)


async def _movable(store: Store, settings: Settings) -> Kept:
    """The key as it lies, which fits to what is sealed. What an earlier move left half done is taken away."""
    path = await asyncio.to_thread(vault_key.key_file, settings.home)
    if vault_key.is_credential(path):
        raise Invalid(
            f"the key comes from systemd: stop the service, put the key into {settings.home / 'key'} with mode 0600, "
            "take the credential out of the unit, and run this again"
        )
    if await asyncio.to_thread((settings.home / OLD_KEY).exists):
        raise Invalid("a change of the key was cut off: `camwarden vault rotate-key` ends it, then run this again")
    await master_key(store, settings)
    async with store.write(durable=True):
        await asyncio.to_thread(_tidy, settings.home)
    return await asyncio.to_thread(vault_key.read, path)


async def _put(store: Store, settings: Settings, before: Kept, kept: Kept, step: Step) -> None:
    async with store.write(durable=True):  # nobody changes the key meanwhile
        await asyncio.to_thread(_take_place, settings.home, before, kept, step)


def _tidy(home: Path) -> None:
    for half_made in (home / NEW_KEY, *home.glob(f".{NEW_KEY}.*")):
        with suppress(FileNotFoundError), half_made.open("r+b") as file:
            vault_key.write_over(file.fileno())
            half_made.unlink()


def _take_place(home: Path, before: Kept, kept: Kept, step: Step) -> None:
    key, new = home / "key", home / NEW_KEY
    if vault_key.read(key) != before or (home / OLD_KEY).exists():
        raise ChangedMeanwhile("somebody else has changed the key just now: look where it is, then run this again")
    _tidy(home)  # nothing was ever wrapped under it
    step("make")
    vault_key.make(new, kept)
    descriptor = os.open(key, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        step("replace")
        new.replace(key)
        vault_key.to_disk(home)
        step("erase")
        vault_key.write_over(descriptor)
    finally:
        os.close(descriptor)
    step("done")

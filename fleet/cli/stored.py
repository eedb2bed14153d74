"""What commands on the store share: which cameras are meant by what was typed, who types, and that it is recorded."""

import getpass
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any

from fleet import lookup
from fleet.audit.trail import Entry, Origin, on_behalf, record_first
from fleet.cli.actions import ACTIONS
from fleet.cli.outcomes import WrongUse
from fleet.jump_hosts.runner import JumpHosts
from fleet.people.tokens import AT_THE_COMMAND_LINE
from fleet.settings import Settings
from fleet.store import Store, is_made, open_store

SOURCE = "this machine"


def need_store(settings: Settings) -> None:
    """Raises WrongUse where nothing was ever stored: a command that only reads makes no empty database."""
    if not is_made(settings):
        raise WrongUse("nothing is stored yet: scan in the console first (`camwarden serve`)")


@asynccontextmanager
async def changing_store(
    settings: Settings, command: str, detail: Mapping[str, Any] = MappingProxyType({})
) -> AsyncIterator[Store]:
    """The store for a command that changes something. First it is written down: no entry, no change.

    Cameras of a site with a jump host are reached through it meanwhile, as by the service.
    Raises StoreUnavailable, VaultUnavailable.
    """
    async with await open_store(settings) as store, JumpHosts(store):
        with on_behalf(Origin(actor(), SOURCE)):
            if action := ACTIONS[command]:
                await record_first(store, Entry(actor(), action, detail={"asked": f"camwarden {command}", **detail}))
            yield store


async def camera_ids(store: Store, words: Sequence[str], *, every: bool) -> list[str]:
    """The cameras of these words, or `every` one. Raises WrongUse for neither and for both, NotFound, Invalid."""
    if every == bool(words):
        raise WrongUse("name the cameras, such as @10.0.0.5, or give --all")
    return list(await lookup.cameras(store, ["@all"] if every else words))


def actor() -> str:
    """Who is at this machine: the command line knows no other names."""
    try:
        return f"{getpass.getuser()}{AT_THE_COMMAND_LINE}"
    except (KeyError, OSError):
        return AT_THE_COMMAND_LINE.strip(" ()")

"""What commands on the store share: which cameras are meant by what was typed, and who types."""

import getpass
from collections.abc import Sequence

from fleet import lookup
from fleet.cli.outcomes import WrongUse
from fleet.settings import Settings
from fleet.store import Store, is_made
from fleet.tokens import AT_THE_COMMAND_LINE


def need_store(settings: Settings) -> None:
    """Raises WrongUse where nothing was ever stored: a command that only reads makes no empty database."""
    if not is_made(settings):
        raise WrongUse("nothing is stored yet: scan in the console first (`camwarden serve`)")


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

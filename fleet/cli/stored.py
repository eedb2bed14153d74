"""Which stored cameras are meant by what was typed."""

from collections.abc import Sequence

from fleet import estate
from fleet.cli.outcomes import WrongUse
from fleet.errors import NotFound
from fleet.settings import Settings
from fleet.store import Store

_PAGE = 500
_MOST_PAGES = 200


def need_store(settings: Settings) -> None:
    """Raises WrongUse where nothing was ever stored: a command that only reads makes no empty database."""
    if not settings.database.exists():
        raise WrongUse("nothing is stored yet: scan in the console first (`camwarden serve`)")


async def camera_id(store: Store, word: str) -> str:
    """By id, address, address:port, serial number, MAC or name, with or without a leading @. Raises WrongUse."""
    camera = word.removeprefix("@")
    try:
        return (await estate.device(store, camera)).row.id
    except NotFound:
        address = camera.rpartition(":")[0] if camera.rpartition(":")[2].isdigit() else camera
        page = await estate.devices(store, estate.DeviceFilter(text=address), limit=_PAGE)
    names = {row.id: {row.address, f"{row.address}:{row.port}", row.serial, row.mac, row.name} for row in page.items}
    found = [row_id for row_id, known in names.items() if camera in known]
    if len(found) != 1:
        raise WrongUse(
            "the store knows no such camera" if not found else "several cameras answer to that; add the port"
        )
    return found[0]


async def camera_ids(store: Store, words: Sequence[str], *, every: bool) -> list[str]:
    """The cameras of these words, or `every` one. Raises WrongUse for neither and for both."""
    if every == bool(words):
        raise WrongUse("name the cameras, such as @10.0.0.5, or give --all")
    if not every:
        return [await camera_id(store, word) for word in words]
    found: list[str] = []
    after: str | None = None
    for _ in range(_MOST_PAGES):
        page = await estate.devices(store, after=after, limit=_PAGE)
        found += [row.id for row in page.items]
        after = page.after
        if after is None:
            break
    return found

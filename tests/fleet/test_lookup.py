"""Which stored camera is meant: by whatever a person calls it, and never by guessing."""

from dataclasses import replace

import pytest
from sqlalchemy import update

from fleet import lookup
from fleet.errors import Invalid, NotFound
from fleet.store import Store
from fleet.store import tables as t
from tests.fleet.rollout_samples import known
from tests.fleet.samples import camera

GATE, DOCK, TWIN = "10.0.0.1", "10.0.0.2", "10.0.0.3"


@pytest.fixture
async def ids(store: Store) -> dict[str, str]:
    """A camera with a name, one without, and two behind one address."""
    found = {
        "gate": await known(store, GATE, 80, camera(1)),
        "dock": await known(store, DOCK, 80, camera(2)),
        "left": await known(store, TWIN, 8001, camera(3)),
        "right": await known(store, TWIN, 8002, camera(4)),
    }
    async with store.write() as connection:
        await connection.execute(update(t.Camera).where(t.Camera.id == found["gate"]).values(name="Gate west"))
        await connection.execute(update(t.Camera).where(t.Camera.id == found["right"]).values(name=DOCK))
    return found


MEANT = {
    "its address": (GATE, "gate"),
    "its address and port": (f"{TWIN}:8002", "right"),
    "its name": ("Gate west", "gate"),
    "its name behind an at sign": ("@Gate west", "gate"),
    "its serial number": ("B8A44F000003", "left"),
    "its MAC address": ("b8:a4:4f:00:00:02", "dock"),
    "its MAC address in capitals": ("B8:A4:4F:00:00:02", "dock"),
}


@pytest.mark.parametrize(("word", "meant"), MEANT.values(), ids=MEANT)
async def test_a_camera_is_meant_by(store: Store, ids: dict[str, str], word: str, meant: str) -> None:
    assert await lookup.camera(store, word) == ids[meant]
    assert await lookup.cameras(store, [word]) == (ids[meant],)


async def test_a_camera_is_meant_by_its_id(store: Store, ids: dict[str, str]) -> None:
    for one in ids.values():
        assert await lookup.camera(store, one) == await lookup.camera(store, f"@{one}") == one


REFUSED = {
    "an address of two cameras": (TWIN, Invalid, "several cameras"),
    "an address that another camera has for a name": (DOCK, Invalid, "several cameras"),
    "an address that nobody has": ("10.0.0.9", NotFound, "no such camera"),
    "a port that nobody has": (f"{GATE}:81", NotFound, "no such camera"),
    "a port that no number is": (f"{GATE}:http", NotFound, "no such camera"),
    "a port that is far too large": (f"{GATE}:{'9' * 30}", NotFound, "no such camera"),
    "a port that is longer than any number": (f"{GATE}:{'9' * 5000}", NotFound, "no such camera"),
    "a part of an address": ("10.0.0", NotFound, "no such camera"),
    "a wildcard": ("%", NotFound, "no such camera"),
    "a quote": ("' OR 1=1 --", NotFound, "no such camera"),
    "half a character": ("\ud800", Invalid, "half a character"),
    "nothing": ("", NotFound, "no such camera"),
    "an at sign alone": ("@", NotFound, "no such camera"),
}


@pytest.mark.parametrize(("word", "error", "words"), REFUSED.values(), ids=REFUSED)
async def test_no_camera_is_meant_by(
    store: Store, ids: dict[str, str], word: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        await lookup.cameras(store, [ids["gate"], word])


async def test_many_words_give_each_camera_once_in_their_order(store: Store, ids: dict[str, str]) -> None:
    found = await lookup.cameras(store, [f"{DOCK}:80", "Gate west", "@B8A44F000002", GATE])
    assert found == (ids["dock"], ids["gate"])
    assert await lookup.cameras(store, []) == ()


async def test_all_is_every_camera_by_address_and_port(store: Store, ids: dict[str, str]) -> None:
    everybody = tuple(ids.values())
    assert await lookup.cameras(store, ["@all"]) == everybody
    first, *rest = everybody[::-1]
    assert await lookup.cameras(store, [first, "@all"]) == (first, *rest[::-1])


async def test_an_empty_store_has_no_camera(store: Store) -> None:
    assert await lookup.cameras(store, ["@all"]) == ()
    with pytest.raises(NotFound):
        await lookup.camera(store, "all")


async def test_a_camera_that_says_nothing_of_itself_is_not_meant_by_nothing(store: Store) -> None:
    silent = replace(camera(1), serial="", mac="")
    await known(store, GATE, 80, silent)
    with pytest.raises(NotFound):
        await lookup.camera(store, "@")

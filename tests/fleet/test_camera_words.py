"""Cameras are found by any part of their words, whoever wrote them and whenever."""

from cameras.facts import Hostname
from fleet import estate
from fleet.estate import DeviceFilter
from fleet.findings import triage as findings
from fleet.settings import Settings
from fleet.store import Store, bulk_insert, open_store
from fleet.store import tables as t
from fleet.words import MOST_CANDIDATES
from tests.fleet.samples import Clock, assessed, camera, dossier


async def seen(store: Store, number: int, name: str) -> None:
    of = dossier(f"10.0.0.{number}", identity=camera(number), hostname=Hostname(name, from_dhcp=False))
    await findings.record(store, assessed({}, of))


async def found(store: Store, text: str) -> list[str]:
    return sorted(row.name or "" for row in (await estate.devices(store, DeviceFilter(text=text))).items)


async def test_what_was_written_since_is_found_and_what_was_overwritten_is_not(
    store: Store, settings: Settings, clock: Clock
) -> None:
    await seen(store, 1, "Tür Süd")
    await seen(store, 2, "yard")
    for text, names in {
        "ür": ["Tür Süd"],
        "TÜR süd": ["Tür Süd"],
        "süd tür": ["Tür Süd"],
        "0.0.2": ["yard"],
        "a4:4f:00:00:0": ["Tür Süd", "yard"],
        "yard 0.0.1": [],
        "%": [],
        "yardaxis": [],  # the end of one word and the beginning of the next
    }.items():
        assert await found(store, text) == names, text
    async with await open_store(settings, clock) as other:
        await seen(other, 1, "gate")
        await seen(other, 3, "yard door")
    assert await found(store, "süd") == []
    assert await found(store, "gate") == ["gate"]
    assert await found(store, "yard") == ["yard", "yard door"]


async def test_a_word_of_very_many_cameras_finds_the_first_of_them_and_counts_all(store: Store) -> None:
    await seen(store, 1, "yard")
    async with store.read() as connection:
        row = dict((await connection.execute(t.Camera.__table__.select())).one()._mapping)  # noqa: SLF001 - its public name
    several = [
        {
            **row,
            "id": f"{number:05}",
            "key": f"at:{number}",
            "worded": number,
            "search": f"hall {number:05}",
            "score": 90,
        }
        for number in range(2, MOST_CANDIDATES + 3)
    ]
    async with store.write() as connection:
        await bulk_insert(connection, t.Camera, several)
    page = await estate.devices(store, DeviceFilter(text="hall"), limit=2)
    assert ([row.id for row in page.items], page.total) == (["00002", "00003"], MOST_CANDIDATES + 1)
    page = await estate.devices(store, DeviceFilter(text="hall 0100"))
    assert ([row.id for row in page.items], page.total) == (["00100", "01000", "01001", "01002"], 4)

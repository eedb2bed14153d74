"""From a signed commissioning in the store to the package that is handed over."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet.commissioning import package, records
from fleet.errors import NotFound
from fleet.evidence import load_picture
from fleet.settings import Settings
from fleet.store import Store


@dataclass(frozen=True, slots=True)
class Handed:
    """`fingerprint` is of the key that signed it; `missing` pictures are not kept any more and were left out."""

    fingerprint: str
    missing: int


async def hand_over(store: Store, settings: Settings, commissioning: str, out: Path) -> Handed:
    """Write the package to a folder that is not there yet. Raises NotFound, and Invalid before it is signed."""
    record = await records.signed_record(store, commissioning)
    pictures: dict[str, bytes] = {}
    missing = 0
    for name in sorted(set(_named(record))):
        try:
            pictures[name] = await load_picture(settings.evidence, name)
        except NotFound:
            missing += 1
    key = await asyncio.to_thread(package.signing_key, settings.home / "handover.key")
    return Handed(await asyncio.to_thread(package.build, out, record, pictures, key), missing)


def _named(record: Mapping[str, Any]) -> Iterator[str]:
    for camera in record["cameras"]:
        if camera["still"]:
            yield camera["still"]
        for row in camera["rows"]:
            yield from row["evidence"]

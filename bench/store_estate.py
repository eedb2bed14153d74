"""A store with very many cameras: a small simulated estate is scanned, and its rows are written many times over.

Each copy has ids, addresses, serial numbers and MACs of its own; what was seen and judged is what the scan saw.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bench.estate import estate
from fleet.scans.runner import Scans
from fleet.settings import Settings
from fleet.store import Store, open_store
from fleet.store import tables as t
from fleet.store.ids import new_id

TEMPLATES = 40
_BATCH = 5_000
_FIRST_ADDRESS = int(ipaddress.IPv4Address("10.0.0.1"))
Rows = dict[str, list[dict[str, Any]]]


async def scanned(home: Path) -> None:
    """A store in `home` with what a scan of a simulated estate finds."""
    with estate(TEMPLATES) as servers:
        settings = Settings(home=home, credentials_file=servers.credentials, picture_minutes=0)
        async with await open_store(settings) as store, Scans(store, settings) as scans:
            scan = await scans.start(servers.target(), "bench", confirmed=True)
            async for _ in scans.events(scan):
                pass


async def fill(store: Store, templates: Rows, cameras: int, findings: int) -> int:
    """Write copies until there are so many cameras and findings; says how many findings there are.

    A copy has the findings of its template again and again, under subjects of their own, until the share is reached.
    """
    made, each = 0, -(-findings // cameras)
    for start in range(0, cameras, _BATCH // 10):
        chunk: Rows = {name: [] for name in templates}
        for number in range(start, min(cameras, start + _BATCH // 10)):
            _copy(templates, number, each, chunk)
        made += len(chunk["findings"])
        async with store.write() as connection:
            for model in _MODELS:
                await _write(connection, model, chunk[model.__tablename__])
    return made


_MODELS: Sequence[type[t.Base]] = (t.Camera, t.StoredDossier, t.CurrentVerdict, t.Finding, t.FindingEvent)


async def templates_of(store: Store) -> Rows:
    """Every row of the scanned cameras, by table."""
    async with store.read() as connection:
        return {
            model.__tablename__: [dict(row._mapping) for row in await connection.execute(select(model))]  # noqa: SLF001 - its public name
            for model in _MODELS
        }


def _copy(templates: Rows, number: int, findings: int, into: Rows) -> None:
    source = templates["cameras"][number % len(templates["cameras"])]
    camera, dossier = new_id(), new_id()
    into["cameras"].append(_camera(source, number, camera, dossier))
    [seen] = [row for row in templates["dossiers"] if row["id"] == source["last_dossier"]]
    into["dossiers"].append({**seen, "id": dossier, "camera": camera})
    into["verdicts_current"] += [
        {**row, "camera": camera} for row in templates["verdicts_current"] if row["camera"] == source["id"]
    ]
    known = [row for row in templates["findings"] if row["camera"] == source["id"]]
    for finding in _as_many(known, findings):
        into["findings"].append({**finding, "id": new_id(), "camera": camera})
        event = {"id": new_id(), "finding": into["findings"][-1]["id"], "at": finding["first_seen"]}
        into["finding_events"].append({**event, "event": "opened", "actor": "scan", "reason": None, "until": None})


def _as_many(known: Sequence[dict[str, Any]], wanted: int) -> Iterator[dict[str, Any]]:
    for number in range(wanted if known else 0):
        row = known[number % len(known)]
        again = number // len(known)
        yield {**row, "subject": f"{row['subject']} {again}"} if again else row


def _camera(source: dict[str, Any], number: int, camera: str, dossier: str) -> dict[str, Any]:
    address = str(ipaddress.IPv4Address(_FIRST_ADDRESS + number))
    mac = f"02:00:{number >> 24 & 255:02x}:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
    serial = f"S{number:08d}"
    words = (source["name"], address, source["manufacturer"], source["model"], serial, mac)
    return {
        **source,
        "id": camera,
        "key": f"serial:bench:{serial}",
        "address": address,
        "serial": serial,
        "mac": mac,
        "last_dossier": dossier,
        "search": "\n".join(word for word in words if word).casefold(),
    }


async def _write(connection: AsyncConnection, model: type[t.Base], rows: Iterable[dict[str, Any]]) -> None:
    if rows := list(rows):
        await connection.execute(insert(model), rows)

"""A store with very many cameras: a small simulated estate is scanned, and its rows are written many times over.

Each copy has ids, addresses, serial numbers and MACs of its own; what was seen and judged is what the scan saw. What
the simulated estate has not is made up: sites, pictures and their incidents, silent addresses, jobs, passwords, the
trail. Copies of rows are made inside the database, so that a hundred thousand cameras take a minute or two.
"""

import ipaddress
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import BigInteger, Column, Index, MetaData, String, Table, case, func, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bench.estate import estate
from fleet.audit.trail import Action, Entry, record_all
from fleet.findings.rejudging import digest_of
from fleet.findings.texts import number_of, text_of
from fleet.jobs import rows as job_rows
from fleet.jobs.model import NewJob
from fleet.jobs.states import JobState
from fleet.scans.runner import Scans
from fleet.settings import Settings
from fleet.store import Store, bulk_insert, open_store
from fleet.store import jobs_tables as j
from fleet.store import pictures_tables as p
from fleet.store import tables as t
from fleet.store.ids import new_id
from fleet.store.sites_tables import Site
from fleet.store.vault_tables import SealedPassword
from fleet.vault.master_key import master_key
from scanners.knowledge import load_knowledge

TEMPLATES = 40
SITES = 50
LOOKS_EACH = 5
_OPEN = 40  # of a hundred incidents
_FIRST_ADDRESS = int(ipaddress.IPv4Address("10.0.0.1"))
_SPREAD = timedelta(days=90)
_FIRST = "0000"  # the id of a finding, of its camera
_OWN = 24  # characters of an id that all copies share; the number of the camera and that of the row follow
Rows = dict[str, list[dict[str, Any]]]
_MODELS: Sequence[type[t.Base]] = (t.Camera, t.StoredDossier, t.CurrentVerdict, t.Finding, t.CheckText)


async def scanned(home: Path) -> None:
    """A store in `home` with what a scan of a simulated estate finds."""
    with estate(TEMPLATES) as servers:
        settings = Settings(home=home, credentials_file=servers.credentials, picture_minutes=0)
        async with await open_store(settings) as store, Scans(store, settings) as scans:
            scan = await scans.start(servers.target(), "bench", confirmed=True)
            async for _ in scans.events(scan):
                pass


async def templates_of(store: Store) -> Rows:
    """Every row of the scanned cameras, by table."""
    async with store.read() as connection:
        return {
            model.__tablename__: [dict(row._mapping) for row in await connection.execute(select(model))]  # noqa: SLF001 - its public name
            for model in _MODELS
        }


async def fill(store: Store, settings: Settings, templates: Rows, cameras: int, findings: int) -> int:
    """Write copies until there are so many cameras and findings; says how many findings there are.

    A copy has the findings of its template again and again, under subjects of their own, until the share is reached.
    """
    ids, now = new_id()[:_OWN], store.now()
    key = await master_key(store, settings)
    async with store.write() as connection:
        await bulk_insert(connection, Site, (_site(number, now) for number in range(SITES)))
        await bulk_insert(connection, t.CheckText, templates["checks"])
        judged = {"digest": digest_of(load_knowledge()), "at": now, "cameras": cameras}
        await bulk_insert(connection, t.JudgedBy, [judged])
        await bulk_insert(connection, t.Camera, _cameras(templates, cameras, ids, now))
        await bulk_insert(connection, t.StoredDossier, _dossiers(templates, cameras, ids, now))
        made = await _judged(connection, templates, cameras, findings=findings, ids=ids, now=now)
        await _pictures(connection, cameras, ids, now)
        await _around(connection, cameras, ids, now)
        sealed = (_password(number, ids, now, key.id) for number in range(0, cameras, 2))
        await bulk_insert(connection, SealedPassword, sealed)
    for start in range(0, cameras // 2, 5_000):
        async with store.write() as connection:
            told = range(start, min(cameras // 2, start + 5_000))
            await record_all(connection, [_entry(f"{ids}{number:08x}0000", number) for number in told])
    return made


def _when(number: int, now: datetime) -> datetime:
    """Evenly over three months: of a day there are as many as a day brings."""
    return now - _SPREAD * (number * 7_919 % 10_007 / 10_007)


def _site_of(camera: int) -> str:
    return f"site {camera % SITES:02d}"


def _site(number: int, now: datetime) -> dict[str, Any]:
    networks = [f"172.16.{number}.0/24"]
    return {
        "name": f"site {number:02d}",
        "networks": networks,
        "zone": "UTC",
        "window": "",
        "note": "",
        "changed_by": "bench",
        "changed_at": now,
    }


# --- cameras, as scanned ----------------------------------------------------------------------------------------------


def _cameras(templates: Rows, cameras: int, ids: str, now: datetime) -> Iterator[dict[str, Any]]:
    for number in range(cameras):
        source = templates["cameras"][number % len(templates["cameras"])]
        address = str(ipaddress.IPv4Address(_FIRST_ADDRESS + number))
        mac = f"02:00:{number >> 24 & 255:02x}:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
        serial = f"S{number:08d}"
        words = (source["name"], address, source["manufacturer"], source["model"], serial, mac)
        yield {
            **source,
            "id": f"{ids}{number:08x}0000",
            "key": f"serial:bench:{serial}",
            "address": address,
            "serial": serial,
            "mac": mac,
            "site": _site_of(number),
            "first_seen": _when(number, now),
            "last_seen": now,
            "last_dossier": f"{ids}{number:08x}0000",
            "worded": number,
            "search": "\n".join(word for word in words if word).casefold(),
        }


def _dossiers(templates: Rows, cameras: int, ids: str, now: datetime) -> Iterator[dict[str, Any]]:
    known = {row["id"]: row for row in templates["dossiers"]}
    last = [known[camera["last_dossier"]] for camera in templates["cameras"]]
    for number in range(cameras):
        mine = f"{ids}{number:08x}0000"
        yield {**last[number % len(last)], "id": mine, "camera": mine, "at": now}


async def _judged(
    connection: AsyncConnection, templates: Rows, cameras: int, *, findings: int, ids: str, now: datetime
) -> int:
    """Verdicts and findings: the templates' rows beside a list of whose copy each camera is, joined in the database.

    What the first finding of each camera says is of that camera alone, as a date or a measured value is.
    """
    sources = [camera["id"] for camera in templates["cameras"]]
    copies = await _temporary(
        connection,
        "copies",
        *(Column(name, String) for name in ("camera", "source", "site", "own")),
        Column("at", t.Utc),
        Column("number", BigInteger),
    )
    rows = [
        {
            "camera": f"{ids}{number:08x}0000",
            "source": sources[number % len(sources)],
            "site": _site_of(number),
            "own": f" since build {number:08d}",
            "at": _when(number, now),
            "number": number,
        }
        for number in range(cameras)
    ]
    for start in range(0, cameras, 10_000):
        await connection.execute(insert(copies), rows[start : start + 10_000])
    mine = copies.c.camera
    verdicts = await _of(connection, t.CurrentVerdict, templates["verdicts_current"])
    await _copy(connection, t.CurrentVerdict, copies, verdicts, {"camera": mine})
    ill = len({row["camera"] for row in templates["findings"]}) / len(sources)
    known = await _of(connection, t.Finding, _repeated(templates["findings"], findings / (cameras * ill), now))
    own = func.substr(mine, 1, _OWN + 8) + known.c.id
    alone = known.c.id == _FIRST
    text = func.lower(known.c.check_id + "\n" + known.c.subject + "\n" + known.c.summary)
    values = {"id": own, "camera": mine, "first_seen": copies.c.at, "site": copies.c.site}
    values |= {"summary": known.c.summary + case((alone, copies.c.own), else_="")}
    values |= {"said": case((alone, copies.c.number), else_=known.c.said)}
    await _copy(connection, t.Finding, copies, known, values)
    joined = copies.join(known, known.c.camera == copies.c.source)
    of_one = select(copies.c.number, text + copies.c.own, literal(1)).select_from(joined).where(alone)
    shared = select(func.max(known.c.said), text, literal(1)).where(~alone).group_by(text)
    for rows_of in (of_one, shared):
        await connection.execute(insert(t.FindingText).from_select(["number", "text", "worded"], rows_of))
    told = {"id": own, "finding": own, "at": copies.c.at, "event": literal("opened"), "actor": literal("scan")}
    await _copy(connection, t.FindingEvent, copies, known, {**told, "until": known.c.fixed_at})
    return cast("int", await connection.scalar(select(func.count()).select_from(t.Finding)))


def _repeated(rows: Sequence[dict[str, Any]], each: float, now: datetime) -> list[dict[str, Any]]:
    """So many of each camera that has any; what is repeated stands in every state. `id` is only the end of one."""
    by_camera: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_camera.setdefault(row["camera"], []).append(row)
    made = []
    for place, known in enumerate(by_camera.values()):
        # Rounded so that the sum over all cameras is right.
        for number in range(round(each * (place + 1)) - round(each * place)):
            row, again = known[number % len(known)], number // len(known)
            state = ("open", "fixed", "open", "acknowledged", "risk-accepted")[number % 5] if again else row["state"]
            values: dict[str, object] = {"fixed_at": now if state == "fixed" else None}
            values |= {"accepted_until": now + _SPREAD if state == "risk-accepted" else None}
            subject = f"{row['subject']} {again}" if again else row["subject"]
            values |= {"said": number_of(text_of(row["check_id"], subject, row["summary"]))}
            made.append({**row, "id": f"{number:04x}", "subject": subject, "state": state, **values})
    return made


async def _temporary(connection: AsyncConnection, name: str, *columns: Column[Any]) -> Table:
    """Of this connection alone; rows of a camera are found by its id."""
    found = Table(f"bench_{name}", MetaData(), *columns, prefixes=["TEMPORARY"])
    await connection.run_sync(found.create)
    return found


async def _of(connection: AsyncConnection, model: type[t.Base], rows: Sequence[dict[str, Any]]) -> Table:
    """Rows like those of a table, beside it."""
    columns = [Column(one.name, one.type) for one in model.__table__.columns]
    found = await _temporary(connection, model.__tablename__, *columns)
    await connection.run_sync(Index(f"ix_bench_{model.__tablename__}", found.c.camera).create)
    await connection.execute(insert(found), list(rows))
    return found


async def _copy(
    connection: AsyncConnection, model: type[t.Base], copies: Table, known: Table, own: dict[str, Any]
) -> None:
    """Of each copy all rows of its source, with what is its own; a column that neither has is empty."""
    columns = {one.name: own.get(one.name, known.c.get(one.name, literal(None))) for one in model.__table__.columns}
    rows = select(*columns.values()).select_from(copies.join(known, known.c.camera == copies.c.source))
    await connection.execute(insert(model).from_select(list(columns), rows))


# --- what a simulated estate has not ----------------------------------------------------------------------------------


async def _pictures(connection: AsyncConnection, cameras: int, ids: str, now: datetime) -> None:
    await bulk_insert(connection, p.PictureWatch, (_watch(number, ids, now) for number in range(cameras)))
    looks = (_look(number, place, ids, now) for number in range(cameras) for place in range(LOOKS_EACH))
    await bulk_insert(connection, p.PictureCheck, looks)
    ill = (number for number in range(cameras) if number % 5 == 0)
    await bulk_insert(connection, p.PictureIncident, (_incident(number, ids, now) for number in ill))


def _watch(number: int, ids: str, now: datetime) -> dict[str, Any]:
    """One of thirty was never looked at."""
    seen = None if not (number + 1) % 30 else now - timedelta(seconds=number * 7_919 % 3_607)
    return {
        "camera": f"{ids}{number:08x}0000",
        "series": {"watches": {}, "usual": {}},
        "checked_at": seen,
        "verdict": seen and "ok",
        "faults": [],
        "condition": seen and ("day", "night-ir")[number % 2],
        "reason": None,
        "picture": None,
        "picture_at": seen,
        "muted_until": None,
        "mute_reason": None,
        "well": not (number % 5 == 0 and number % 100 < _OPEN),
        "seen_at": seen or p.NEVER,
    }


def _look(number: int, place: int, ids: str, now: datetime) -> dict[str, Any]:
    at = now - timedelta(hours=LOOKS_EACH - place)
    return {
        "id": f"{ids}{number:08x}{place:04x}",
        "camera": f"{ids}{number:08x}0000",
        "at": at,
        "verdict": "ok",
        "condition": "day",
        "faults": {},
        "reason": None,
        "picture": None,
        "stream": {},
    }


def _incident(number: int, ids: str, now: datetime) -> dict[str, Any]:
    """Two of five are still open."""
    opened = _when(number, now)
    return {
        "id": f"{ids}{number:08x}0000",
        "camera": f"{ids}{number:08x}0000",
        "site": _site_of(number),
        "fault": "covered",
        "opened_at": opened,
        "closed_at": None if number % 100 < _OPEN else now,
        "part_of": None,
    }


async def _around(connection: AsyncConnection, cameras: int, ids: str, now: datetime) -> None:
    numbers = range(cameras)
    await bulk_insert(connection, t.CameraEvent, (_event(number, ids, now) for number in numbers))
    await bulk_insert(connection, t.ScanNotEvaluated, (_silent(number, ids, now) for number in numbers[::20]))
    await bulk_insert(connection, t.Scan, (_scan(number, cameras, ids, now) for number in range(200)))
    await bulk_insert(connection, j.Job, (_job(number, ids, now) for number in numbers[::10]))
    await bulk_insert(connection, j.JobEvent, (_job_event(number, ids, now) for number in numbers[::10]))


def _event(number: int, ids: str, now: datetime) -> dict[str, Any]:
    mine = f"{ids}{number:08x}0000"
    return {"id": mine, "camera": mine, "at": _when(number, now), "event": "found", "detail": ""}


def _silent(number: int, ids: str, now: datetime) -> dict[str, Any]:
    return {
        "id": f"{ids}{number:08x}0000",
        "scan": f"{ids}{0:08x}0000",
        "reason": "unreachable",
        "detail": "no answer",
        "address": f"10.9.{number >> 8 & 255}.{number & 255}",
        "at": now,
        "current": True,
        "site": None,
    }


def _scan(number: int, cameras: int, ids: str, now: datetime) -> dict[str, Any]:
    at = now - timedelta(hours=200 - number)
    return {
        "id": f"{ids}{number:08x}0000",
        "state": "done",
        "targets": "10.0.0.0/8",
        "actor": "bench",
        "default_credentials": False,
        "queued_at": at,
        "started_at": at,
        "finished_at": at,
        "phase": "done",
        "done": cameras,
        "total": cameras,
        "cameras": cameras,
        "failed_verdicts": 0,
        "not_evaluated": 0,
        "error": None,
    }


def _job(number: int, ids: str, now: datetime) -> dict[str, Any]:
    made = job_rows.values_of(NewJob("picture", "bench", camera=f"{ids}{number:08x}0000"), now)
    ended = {"state": JobState.DONE.value, "started_at": now, "finished_at": now, "done": 1, "total": 1}
    return {**made, "id": f"{ids}{number:08x}0000", **ended}


def _job_event(number: int, ids: str, now: datetime) -> dict[str, Any]:
    mine = f"{ids}{number:08x}0000"
    return {"id": mine, "job": mine, "at": now, "event": "done", "actor": "service", "note": ""}


def _password(number: int, ids: str, now: datetime, key: str) -> dict[str, Any]:
    """Nobody opens it."""
    mine = f"{ids}{number:08x}0000"
    return {
        "id": mine,
        "camera": mine,
        "account": "admin",
        "version": 1,
        "state": "current",
        "key_id": key,
        "wrapped_key": b"sealed",
        "sealed": b"sealed",
        "made_at": now,
        "made_by": "bench",
        "since": now,
    }


def _entry(camera: str, number: int) -> Entry:
    action = (Action.PICTURE_CHECK, Action.FINDING_TRIAGE, Action.PLAN_CHANGE_CAMERA)[number % 3]
    return Entry("bench", action, f"camera:{camera}", {"said": "so"})

"""The store with very many cameras: every page and list beside the same of a small estate, and judging all of it again.

`page_growth_ENGINE` is the 95th percentile of the page that grows most, divided by that of the small estate; pages are
asked for through the console as a whole. `rejudge_s` is the time to judge every stored dossier again, `rejudge_share`
the share of it that the checks themselves take. `bulk_ratio` compares a million rows by `bulk_insert` with the driver's
own executemany (1 would be the limit itself). `idle_mb` is the memory of a service that has nothing to do.
"""

import asyncio
import contextlib
import re
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from bench import store_estate
from bench.faults_jobs import postgresql
from fleet.findings.rejudging import rejudge
from fleet.people import accounts as people
from fleet.people.permissions import Permission, Role
from fleet.service import open_service
from fleet.settings import Settings
from fleet.signing_in import steps as signing_in
from fleet.store import Store, bulk_insert, open_store
from fleet.store import tables as t
from fleet.store.ids import new_id
from fleet.store.packing import unpack
from fleet.store.pictures_tables import Evidence
from scanners import dossier as dossiers
from scanners.evaluate import evaluate
from scanners.knowledge import load_knowledge
from web.app import create_app
from web.routes import ROUTES

_PASSWORD = "correct horse battery staple"  # noqa: S105 - of a store that lives for a minute
_ADDRESS = "http://127.0.0.1:8080"
_SMALL, _LARGE, _QUICK_LARGE = 1_000, 100_000, 5_500
_FINDINGS_EACH = 10
_ASKED = 30
_ROWS, _QUICK_ROWS = 1_000_000, 100_000
_HOLE = re.compile(r"{(\w+)}")
_ID = re.compile(r"[0-9a-f-]{36}")
# Streams of events never end, exports are as long as the estate, and these hold nothing of it.
_NO_PAGE = re.compile(
    r"/events$|\.csv$|^/evidence/|estate\.{ending}|handover\.zip|openapi|/export$|^/sign-in|^/set-up|sso"
)
_FILTERED = (
    *("/devices?q=10.0.0.7", "/devices?severity=critical", "/devices?vendor=axis", "/devices?site=-"),
    *("/findings?q=telnet", "/findings?severity=high", "/findings?state=fixed", "/findings?check=telnet-open"),
    "/search?q=telnet",
)
Times = Mapping[str, list[float]]


def measure(*, quick: bool, sizes: tuple[int, ...] | None) -> dict[str, Any]:
    small, large = sizes or (_SMALL, _QUICK_LARGE if quick else _LARGE)
    found: dict[str, Any] = {"rejudge_cameras": large}
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="camwarden-bench-")))
        asyncio.run(store_estate.scanned(folder / "scanned"))
        found |= asyncio.run(_engine("sqlite", folder, (small, large), (None, None)))
        # A server of its own for each size: the two share nothing.
        if (one := postgresql(stack)) and (another := postgresql(stack)):
            found |= asyncio.run(_engine("postgresql", folder, (small, large), (one(), another())))
        found |= asyncio.run(_bulk(folder, _QUICK_ROWS if quick else _ROWS))
    return {**found, "quick": quick}


async def _engine(
    engine: str, folder: Path, sizes: tuple[int, int], urls: tuple[str | None, str | None]
) -> dict[str, Any]:
    async with await open_store(Settings(home=folder / "scanned")) as store:
        templates = await store_estate.templates_of(store)
    pages: list[Times] = []
    found: dict[str, Any] = {}
    for cameras, url in zip(sizes, urls, strict=True):
        settings = Settings(home=folder / f"{engine}-{cameras}", database_url=url, picture_minutes=0)
        async with await open_store(settings) as store:
            began = time.perf_counter()
            made = await store_estate.fill(store, templates, cameras, cameras * _FINDINGS_EACH)
            print(
                f"{engine}: {cameras:,} cameras, {made:,} findings in {time.perf_counter() - began:.0f} s", flush=True
            )
            await people.add_user(store, "bench", _PASSWORD, Role.ADMINISTRATOR)
            if cameras == sizes[1]:
                found |= await _rejudged(store, engine)
        times, idle_mb = await _pages(settings)
        pages.append(times)
        found["idle_mb"] = idle_mb
    found[f"page_growth_{engine}"] = _show(engine, sizes, *pages)
    return found


async def _rejudged(store: Store, engine: str) -> dict[str, Any]:
    knowledge = load_knowledge()
    began = time.perf_counter()
    done = await rejudge(store, knowledge)
    whole_s = time.perf_counter() - began
    async with store.read() as connection:
        bodies = (await connection.execute(select(t.StoredDossier.body).limit(500))).scalars().all()
    read = [dossiers.load(unpack(body)) for body in bodies]
    began = time.perf_counter()
    for dossier in read:
        evaluate(dossier, knowledge)
    share = (time.perf_counter() - began) / len(read) * done.cameras / whole_s
    print(
        f"{engine}: {done.cameras:,} cameras judged again in {whole_s:.0f} s, {share:.0%} of it the checks", flush=True
    )
    return {"rejudge_s": round(whole_s, 1), "rejudge_share": round(share, 3)} if engine == "sqlite" else {}


async def _pages(settings: Settings) -> tuple[Times, float]:
    """Seconds of each answer by route, and the memory of the service before anybody asked it for one."""
    async with open_service(settings) as service:
        token = (await signing_in.sign_in(service.store, "bench", _PASSWORD, "127.0.0.1")).token.reveal()
        paths = _paths(await _ids(service.store))
        idle_mb = _resident_mb()
        transport = httpx.ASGITransport(create_app(service))
        async with httpx.AsyncClient(transport=transport, base_url=_ADDRESS, cookies={"session": token}) as client:
            return {path: times for path in paths if (times := await _asked(client, path))}, idle_mb


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * 4096 / 1_000_000, 1)


async def _ids(store: Store) -> dict[str, str]:
    async with store.read() as connection:
        camera = await connection.scalar(select(t.Camera.id).order_by(t.Camera.score, t.Camera.id).limit(1))
        finding = await connection.scalar(select(t.Finding.id).limit(1))
        person = await connection.scalar(select(t.Person.id).limit(1))
    return {"camera": camera or "", "finding": finding or "", "person": person or "", "baseline": "strict"}


def _paths(names: Mapping[str, str]) -> list[str]:
    paths = []
    for route in ROUTES:
        shown = route.method == "GET" and route.permission is not Permission.PUBLIC and not route.proved
        if shown and not _NO_PAGE.search(route.path) and set(_HOLE.findall(route.path)) <= names.keys():
            paths.append(_HOLE.sub(lambda hole: names[hole[1]], route.path))
    return [*paths, *_FILTERED]


async def _asked(client: httpx.AsyncClient, path: str) -> list[float]:
    times = []
    for _ in range(_ASKED):
        began = time.perf_counter()
        answer = await client.get(path)
        times.append(time.perf_counter() - began)
        if answer.status_code != httpx.codes.OK:
            print(f"{path}: {answer.status_code}, left out", flush=True)
            return []
    return times


def _show(engine: str, sizes: tuple[int, int], small: Times, large: Times) -> float:
    table = Table(title=f"95th percentile of each page, ms, {engine}", title_justify="left")
    for heading in ("page", *(f"{size:,} cameras" for size in sizes), "growth"):
        table.add_column(heading, justify="left" if heading == "page" else "right")
    before = {_ID.sub("…", path): _p95(times) for path, times in small.items()}
    worst = 0.0
    for path, times in large.items():
        name, now = _ID.sub("…", path), _p95(times)
        if name in before:
            worst = max(worst, now / before[name])
            row = (f"{before[name] * 1000:.1f}", f"{now * 1000:.1f}", f"{now / before[name]:.2f}")
            table.add_row(name, *row)
    Console(width=110).print(table)
    return round(worst, 2)


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


async def _bulk(folder: Path, count: int) -> dict[str, Any]:
    """The same rows by `bulk_insert` and by the driver, into two files."""
    now = datetime(2026, 3, 1, tzinfo=UTC)
    rows = [{"digest": new_id(), "kind": "check", "at": now, "size_bytes": number} for number in range(count)]
    async with await open_store(Settings(home=folder / "bulk")) as store:
        began = time.perf_counter()
        async with store.write() as connection:
            await bulk_insert(connection, Evidence, rows)
        ours_s = time.perf_counter() - began
        async with store.read() as connection:
            assert await connection.scalar(select(func.count()).select_from(Evidence)) == count  # noqa: S101 - not faster for less
    async with await open_store(Settings(home=folder / "raw")):
        pass
    plain = [(row["digest"], row["kind"], f"{now:%Y-%m-%d %H:%M:%S.%f}", row["size_bytes"]) for row in rows]
    raw_s = await asyncio.to_thread(_raw, Settings(home=folder / "raw").database, plain)
    print(f"{count:,} rows: {ours_s:.1f} s, by the driver alone {raw_s:.1f} s", flush=True)
    return {"bulk_rows": count, "bulk_ratio": round(raw_s / ours_s, 3)}


def _raw(database: Path, rows: list[tuple[Any, ...]]) -> float:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        began = time.perf_counter()
        connection.executemany("INSERT INTO evidence (digest, kind, at, size_bytes) VALUES (?, ?, ?, ?)", rows)
        connection.commit()
        return time.perf_counter() - began

"""The store with very many cameras: every page and list beside the same of a small estate, and judging all of it again.

`page_growth_ENGINE` is the 95th percentile of the page that grows most, divided by that of the small estate. Pages
are asked for through the console as a whole, of both estates in turn and in rounds, of which the middle one counts:
whatever else this machine does falls on both. `rejudge_s_ENGINE` is the time to judge every stored dossier again by a
catalogue with one new release, `rejudge_share_ENGINE` the share of it that the checks themselves take.
`bulk_ratio_ENGINE` compares picture checks by `bulk_insert` with the driver's own executemany or COPY (1 would be the
limit itself). `idle_mb_ENGINE` is the memory of a service in a process of its own that has nothing to do.
"""

import asyncio
import contextlib
import json
import os
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from bench import store_estate
from bench.faults_jobs import postgresql
from bench.process import resident_kib
from fleet.cli.service import settle
from fleet.findings.rejudging import rejudge
from fleet.people import accounts as people
from fleet.people.permissions import Permission, Role
from fleet.service import open_service
from fleet.settings import Settings
from fleet.signing_in import steps as signing_in
from fleet.store import Store, bulk_insert, open_store
from fleet.store import tables as t
from fleet.store.ids import new_id
from fleet.store.jobs_tables import Job
from fleet.store.migrating import blocking_engine
from fleet.store.packing import unpack
from fleet.store.pictures_tables import PictureCheck
from scanners import dossier as dossiers
from scanners.evaluate import evaluate
from scanners.knowledge import Knowledge, load_knowledge
from web.app import create_app
from web.routes import ROUTES

_PASSWORD = "correct horse battery staple"  # noqa: S105 - of a store that lives for a minute
_ADDRESS = "http://127.0.0.1:8080"
_SMALL, _LARGE, _QUICK_LARGE = 1_000, 100_000, 5_500
_FINDINGS_EACH = 10
_ROUNDS, _ASKED = 3, 40  # a 95th percentile of twenty would be the slowest of them
_ROWS, _QUICK_ROWS = 1_000_000, 100_000
_BULK_PART = 100_000
_SETTLES_S, _STARTS_S = 5, 120
_HOLE = re.compile(r"{(\w+)}")
_ID = re.compile(r"[0-9a-f-]{36}")
# Streams of events never end, exports are as long as the estate, and these hold nothing of it.
_NO_PAGE = re.compile(
    r"/events$|\.csv$|^/evidence/|estate\.{ending}|handover\.zip|openapi|/export$|^/sign-in|^/set-up|sso"
)
_FILTERED = (
    *("/?days=30", "/devices?q=10.0.0.7", "/devices?q=s0000012", "/devices?q=axis", "/devices?severity=critical"),
    *("/devices?vendor=axis", "/devices?site=-", "/devices?site=site+07", "/devices?check=telnet-open"),
    *(
        "/findings?q=telnet",
        "/findings?q=10.0.0.7",
        "/findings?q=0000012",
        "/findings?severity=high",
        "/findings?state=fixed",
    ),
    *("/findings?state=any", "/findings?check=telnet-open", "/findings?site=site+07", "/findings?by=check"),
    *("/images?faults=1", "/images?light=night-ir", "/images?q=10.0.0.7", "/search?q=telnet", "/search?q=10.0.0.7"),
    *("/api/v1/search?q=telnet", "/api/v1/search?q=s0000012", "/api/v1/pictures?faults=true"),
    *("/settings/audit?action=picture", "/jobs/queue?state=done"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Seconds of each answer, by round; `first` is the very first one, which nothing was kept for."""

    first: float
    rounds: tuple[Sequence[float], ...]

    @property
    def p95(self) -> float:
        return statistics.median(map(_p95, self.rounds))

    @property
    def usual(self) -> float:
        return statistics.median(took for round_ in self.rounds for took in round_)


Times = Mapping[str, Asked]


def measure(*, quick: bool, sizes: tuple[int, ...] | None) -> dict[str, Any]:
    small, large = sizes or (_SMALL, _QUICK_LARGE if quick else _LARGE)
    found: dict[str, Any] = {"rejudge_cameras": large}
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="camwarden-bench-")))
        asyncio.run(store_estate.scanned(folder / "scanned"))
        rows = _QUICK_ROWS if quick else _ROWS
        # A server of its own for each size: the two share nothing.
        found |= asyncio.run(_engine("sqlite", folder, (small, large), (None, None)))
        if (one := postgresql(stack)) and (another := postgresql(stack)):
            found |= asyncio.run(_engine("postgresql", folder, (small, large), (one(), another())))
        found |= asyncio.run(_bulk(Settings(home=folder / "bulk"), rows))
        if server := postgresql(stack):
            found |= asyncio.run(_bulk(Settings(home=folder / "bulk-postgresql", database_url=server()), rows))
    return {**found, "quick": quick}


async def _engine(
    engine: str, folder: Path, sizes: tuple[int, int], urls: tuple[str | None, str | None]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    both = []
    for cameras, url in zip(sizes, urls, strict=True):
        settings = Settings(home=folder / f"{engine}-{cameras}", database_url=url, picture_minutes=0)
        both.append(settings)
        await made(engine, settings, folder / "scanned", cameras)
    found[f"idle_mb_{engine}"] = await asyncio.to_thread(idle_mb, both[1])
    print(f"{engine}: an idle service of {sizes[1]:,} cameras holds {found[f'idle_mb_{engine}']} MB", flush=True)
    found[f"page_growth_{engine}"] = show(engine, sizes, *await pages(both))
    async with await open_store(both[1]) as store:
        found |= await _rejudged(store, engine)
    return found


async def made(engine: str, settings: Settings, scanned: Path, cameras: int) -> None:
    """The estate in a new database, and somebody who may see all of it."""
    async with await open_store(Settings(home=scanned)) as store:
        templates = await store_estate.templates_of(store)
    async with await open_store(settings) as store:
        began = time.perf_counter()
        count = await store_estate.fill(store, settings, templates, cameras, cameras * _FINDINGS_EACH)
        await people.add_user(store, "bench", _PASSWORD, Role.ADMINISTRATOR)
    if settings.database_url:  # what its autovacuum does by itself within a minute
        with blocking_engine(settings).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    took = time.perf_counter() - began
    print(f"{engine}: {cameras:,} cameras, {count:,} findings made in {took:.0f} s", flush=True)


# --- judging again ----------------------------------------------------------------------------------------------------


async def _rejudged(store: Store, engine: str) -> dict[str, Any]:
    """By what everything was judged by, and one entry more."""
    knowledge = load_knowledge()
    newer = _with_a_new_entry(knowledge)
    began = time.perf_counter()
    done = await rejudge(store, newer)
    whole_s = time.perf_counter() - began
    async with store.read() as connection:
        bodies = (await connection.execute(select(t.StoredDossier.body).limit(500))).scalars().all()
    read = [dossiers.load(unpack(body)) for body in bodies]
    began = time.perf_counter()
    for dossier in read:
        evaluate(dossier, newer)
    share = (time.perf_counter() - began) / len(read) * done.cameras / whole_s
    print(
        f"{engine}: {done.cameras:,} cameras judged again by a new entry in {whole_s:.0f} s, {share:.0%} of it the "
        f"checks; {done.changed:,} changed",
        flush=True,
    )
    return {f"rejudge_s_{engine}": round(whole_s, 1), f"rejudge_share_{engine}": round(share, 3)}


def _with_a_new_entry(knowledge: Knowledge) -> Knowledge:
    """Of one model a release that nobody has yet."""
    plain = knowledge.firmware.model_dump(mode="json")
    plain["vendors"][0]["models"][0]["newest"] = "99.0.1"
    return replace(knowledge, firmware=type(knowledge.firmware).model_validate_json(json.dumps(plain)))


# --- pages ------------------------------------------------------------------------------------------------------------


async def pages(both: Sequence[Settings]) -> tuple[Times, ...]:
    """Each page of both estates in turn."""
    async with contextlib.AsyncExitStack() as stack:
        asked = [await stack.enter_async_context(_asking(settings)) for settings in both]
        found: list[dict[str, Asked]] = [{} for _ in both]
        everywhere = [paths for _, paths in asked]
        settle()
        firsts = [[await _seconds(client, path) for path in paths] for client, paths in asked]
        rounds: list[list[list[list[float]]]] = [[[] for _ in everywhere[0]] for _ in both]
        for _ in range(_ROUNDS):
            for place in range(len(everywhere[0])):
                times: list[list[float]] = [[] for _ in both]
                for _ in range(_ASKED):
                    for which, (client, paths) in enumerate(asked):
                        times[which].append(await _seconds(client, paths[place]) or 0)
                for which, took in enumerate(times):
                    rounds[which][place].append(took)
        for which, paths in enumerate(everywhere):
            for place, path in enumerate(paths):
                first = firsts[which][place]
                if first is None:
                    print(f"{path}: no answer, left out", flush=True)
                else:
                    found[which][path] = Asked(first, tuple(rounds[which][place]))
    return tuple(found)


@contextlib.asynccontextmanager
async def _asking(settings: Settings) -> AsyncIterator[tuple[httpx.AsyncClient, list[str]]]:
    async with open_service(settings) as service:
        token = (await signing_in.sign_in(service.store, "bench", _PASSWORD, "127.0.0.1")).token.reveal()
        transport = httpx.ASGITransport(create_app(service))
        async with httpx.AsyncClient(transport=transport, base_url=_ADDRESS, cookies={"session": token}) as client:
            yield client, _paths(await _names(service.store))


async def _names(store: Store) -> dict[str, str]:
    columns: dict[str, Any] = {"camera": t.Camera, "finding": t.Finding, "person": t.Person, "scan": t.Scan, "job": Job}
    async with store.read() as connection:
        found = {
            name: str(await connection.scalar(select(table.id).order_by(table.id).limit(1)))
            for name, table in columns.items()
        }
    return {**found, "baseline": "strict"}


def _paths(names: Mapping[str, str]) -> list[str]:
    paths = []
    for route in ROUTES:
        shown = route.method == "GET" and route.permission is not Permission.PUBLIC and not route.proved
        if not shown or _NO_PAGE.search(route.path):
            continue
        if set(_HOLE.findall(route.path)) <= names.keys():
            paths.append(_HOLE.sub(lambda hole: names[hole[1]], route.path))
        else:
            print(f"{route.path}: of one piece of work, as long as that is; not measured here", flush=True)
    return [*paths, *_FILTERED]


async def _seconds(client: httpx.AsyncClient, path: str) -> float | None:
    began = time.perf_counter()
    answer = await client.get(path)
    took = time.perf_counter() - began
    return took if answer.status_code == httpx.codes.OK else None


def show(engine: str, sizes: Sequence[int], small: Times, large: Times) -> float:
    table = Table(title=f"95th percentile of each page, ms, {engine}", title_justify="left")
    headings = ("page", *(f"{size:,} cameras" for size in sizes), "growth", "of the median", f"first of {sizes[1]:,}")
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "page" else "right")
    before = {_ID.sub("…", path): asked for path, asked in small.items()}
    worst = 0.0
    for path, asked in large.items():
        if then := before.get(name := _ID.sub("…", path)):
            growth = asked.p95 / then.p95
            worst = max(worst, growth)
            row = (f"{then.p95 * 1000:.1f}", f"{asked.p95 * 1000:.1f}", f"{growth:.2f}")
            table.add_row(name, *row, f"{asked.usual / then.usual:.2f}", f"{asked.first * 1000:.0f}")
    Console(width=110).print(table)
    return round(worst, 2)


def _p95(times: Sequence[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


# --- memory -----------------------------------------------------------------------------------------------------------


def idle_mb(settings: Settings) -> float:
    """Of `camwarden serve` in a process of its own, some seconds after it answers."""
    environment = {**os.environ, "CAMWARDEN_HOME": str(settings.home), "CAMWARDEN_PICTURE_MINUTES": "0"}
    if settings.database_url:
        environment["CAMWARDEN_DATABASE_URL"] = settings.database_url
    command = [sys.executable, "-c", "from fleet.cli import main; main()", "serve", "--port", "0"]
    with tempfile.TemporaryFile() as said:
        service = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=said)
        try:
            began = time.monotonic()
            while b"http" not in _all(said):
                if service.poll() is not None or time.monotonic() - began > _STARTS_S:
                    raise RuntimeError(f"the service does not start: {_all(said)!r}")
                time.sleep(0.2)
            time.sleep(_SETTLES_S)
            return round(resident_kib(service.pid) * 1024 / 1_000_000, 1)
        finally:
            service.terminate()
            service.wait(60)


def _all(of: Any) -> bytes:  # noqa: ANN401 - a temporary file has no type of its own
    of.seek(0)
    return bytes(of.read())


# --- very many rows ---------------------------------------------------------------------------------------------------


async def _bulk(settings: Settings, count: int) -> dict[str, Any]:
    """The same rows by `bulk_insert` and by the driver, into two databases of one engine, a part of each in turn."""
    engine = "postgresql" if settings.database_url else "sqlite"
    at = datetime(2026, 3, 1, tzinfo=UTC)
    ours_s = raw_s = 0.0
    async with await open_store(settings) as store:
        for start in range(0, count, _BULK_PART):
            part = min(_BULK_PART, count - start)
            rows = [_observation(at) for _ in range(part)]
            began = time.perf_counter()
            async with store.write() as connection:
                await bulk_insert(connection, PictureCheck, rows)
            ours_s += time.perf_counter() - began
            plain = [_as_the_driver_has_it(_observation(at), engine) for _ in range(part)]
            raw_s += await asyncio.to_thread(_RAW[engine], settings, plain)
        async with store.read() as connection:
            assert await connection.scalar(select(func.count()).select_from(PictureCheck)) == 2 * count  # noqa: S101 - not faster for less
    print(f"{engine}: {count:,} observations in {ours_s:.1f} s, by the driver alone {raw_s:.1f} s", flush=True)
    return {"bulk_rows": count, f"bulk_ratio_{engine}": round(raw_s / ours_s, 3)}


def _observation(at: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "camera": "a camera",
        "at": at,
        "verdict": "ok",
        "condition": "day",
        "faults": {},
        "reason": None,
        "picture": None,
        "stream": {"rate": 25.0},
    }


def _as_the_driver_has_it(row: Mapping[str, Any], engine: str) -> tuple[Any, ...]:
    at = f"{row['at']:%Y-%m-%d %H:%M:%S.%f}" if engine == "sqlite" else row["at"].replace(tzinfo=None)
    return tuple({**row, "at": at, "faults": json.dumps(row["faults"]), "stream": json.dumps(row["stream"])}.values())


def _executemany(settings: Settings, rows: Sequence[tuple[Any, ...]]) -> float:
    with contextlib.closing(sqlite3.connect(settings.database)) as connection:
        began = time.perf_counter()
        connection.executemany("INSERT INTO picture_checks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        connection.commit()
        return time.perf_counter() - began


def _copied(settings: Settings, rows: Sequence[tuple[Any, ...]]) -> float:
    with psycopg.connect(settings.database_url or "") as connection:
        began = time.perf_counter()
        with connection.cursor().copy("COPY picture_checks FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        connection.commit()
        return time.perf_counter() - began


_RAW = {"sqlite": _executemany, "postgresql": _copied}

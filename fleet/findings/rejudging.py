"""The stored estate judged again by what is known now, without one packet to a camera.

A new rule, a new firmware catalogue or a list of weaknesses changes what old evidence means. What was seen, and when,
stays as it is; only what is said of it changes.
"""

import asyncio
import hashlib
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Row, delete, insert, select

from cameras.untrusted import clean_text
from fleet.findings import triage as findings
from fleet.scans import visits
from fleet.scans.visits import Key, Visit
from fleet.settings import Settings
from fleet.store import Store
from fleet.store import tables as t
from fleet.store.packing import unpack
from scanners import dossier as dossiers
from scanners.checks import CHECKS
from scanners.evaluate import evaluate
from scanners.knowledge import Knowledge, KnowledgeError, load_knowledge
from scanners.model import Severity
from scanners.score import score

BATCH = 200
_log = logging.getLogger(__name__)
_Said = tuple[str, Severity, str, str | None]
OnProgress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Rejudged:
    """`unreadable` cameras have evidence that another version of us wrote; they keep what was said of them."""

    cameras: int = 0
    changed: int = 0
    unreadable: int = 0
    opened: int = 0
    reopened: int = 0
    fixed: int = 0


def digest_of(knowledge: Knowledge) -> str:
    """Differs where a table or the list of checks does."""
    tables = (knowledge.firmware, knowledge.default_credentials, knowledge.ports, knowledge.policy)
    parts = [*(table.model_dump_json() for table in tables), *(check.id for check in CHECKS)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


async def rejudge(
    store: Store, knowledge: Knowledge, *, on_progress: OnProgress | None = None, stop: asyncio.Event | None = None
) -> Rejudged:
    """Every camera of the store, in batches; `on_progress` is told how many are done. Raises StoreUnavailable.

    Where `stop` is set meanwhile it ends early, and what it has not reached is judged the next time.
    """
    total, after = Rejudged(), ""
    while not (stop and stop.is_set()):
        rows = await _batch(store, after)
        if not rows:
            await _remember(store, digest_of(knowledge), total.cameras)
            break
        total = _sum(total, await _judge_batch(store, knowledge, rows))
        after = rows[-1].id
        if on_progress:
            on_progress(total.cameras)
    return total


@asynccontextmanager
async def catching_up(store: Store, settings: Settings) -> AsyncIterator[None]:
    """While the block runs, the estate is judged again in the background, if what is known has changed since."""
    stop = asyncio.Event()
    task = asyncio.create_task(_catch_up(store, settings, stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def _catch_up(store: Store, settings: Settings, stop: asyncio.Event) -> None:
    """The task's boundary: nothing is raised beyond it, and the next start is another try."""
    try:
        knowledge = await asyncio.to_thread(load_knowledge, settings.catalogue_file)
        async with store.read() as connection:
            before = await connection.scalar(select(t.JudgedBy.digest))
        if before != digest_of(knowledge):
            done = await rejudge(store, knowledge, stop=stop)
            _log.info("the estate was judged again by new knowledge", extra={"cameras": done.cameras})
    except KnowledgeError as error:
        _log.warning("the estate is not judged again", extra={"reason": str(error)})
    except Exception:  # noqa: BLE001 - the task's boundary
        _log.exception("the estate could not be judged again")


async def _batch(store: Store, after: str) -> Sequence[Row[str, str, datetime, bytes]]:
    query = (
        select(t.Camera.id, t.Camera.last_dossier, t.StoredDossier.at, t.StoredDossier.body)
        .join(t.StoredDossier, t.StoredDossier.id == t.Camera.last_dossier)
        .where(t.Camera.id > after)
        .order_by(t.Camera.id)
        .limit(BATCH)
    )
    async with store.read() as connection:
        return (await connection.execute(query)).all()


async def _judge_batch(store: Store, knowledge: Knowledge, rows: Sequence[Row[str, str, datetime, bytes]]) -> Rejudged:
    judged = await asyncio.to_thread(_judge, knowledge, rows)
    said = await _said(store, [row.id for row in rows])
    changed = {camera: this for camera, this in judged.items() if this and _saying(this) != said[camera]}
    total = Rejudged(cameras=len(rows), unreadable=sum(this is None for this in judged.values()))
    if not changed:
        return total
    await visits.keep_wording(store, [verdict for this in changed.values() for verdict in this.verdicts.values()])
    seen = {row.id: row.last_dossier for row in rows}
    async with store.write() as connection:
        newest = await connection.execute(
            select(t.Camera.id, t.Camera.last_dossier, t.Camera.site).where(t.Camera.id.in_(list(changed)))
        )
        for camera, dossier, site in newest.all():
            if dossier != seen[camera]:  # a scan was here meanwhile, and knows better
                continue
            done = await findings.record_again(connection, camera, changed[camera], store.now(), site)
            total = _sum(total, Rejudged(0, 1, 0, done.opened, done.reopened, done.fixed))
    return total


def _judge(knowledge: Knowledge, rows: Sequence[Row[str, str, datetime, bytes]]) -> dict[str, Visit | None]:
    return {row.id: _judge_one(knowledge, row.body, row.at) for row in rows}


def _judge_one(knowledge: Knowledge, body: bytes, at: datetime) -> Visit | None:
    try:
        dossier = dossiers.load(unpack(body))
    except ValueError:
        return None
    verdicts = evaluate(dossier, knowledge)
    return visits.judged(dossier, body, verdicts, score(verdicts), at)


def _saying(this: Visit) -> dict[Key, _Said]:
    return {
        key: (
            verdict.verdict.value,
            verdict.severity,
            clean_text(verdict.summary, visits.MOST_SUMMARY),
            verdict.reason and clean_text(verdict.reason),
        )
        for key, verdict in this.verdicts.items()
    }


async def _said(store: Store, cameras: Sequence[str]) -> Mapping[str, dict[Key, _Said]]:
    v = t.CurrentVerdict
    query = select(v.camera, v.check_id, v.subject, v.verdict, v.severity, v.summary, v.reason)
    said: dict[str, dict[Key, _Said]] = defaultdict(dict)
    async with store.read() as connection:
        for row in (await connection.execute(query.where(v.camera.in_(cameras)))).all():
            said[row.camera][row.check_id, row.subject] = (row.verdict, row.severity, row.summary, row.reason)
    return said


async def _remember(store: Store, digest: str, cameras: int) -> None:
    async with store.write() as connection:
        await connection.execute(delete(t.JudgedBy))
        row = {"digest": digest, "at": store.now(), "cameras": cameras}
        await connection.execute(insert(t.JudgedBy), [row])


def _sum(one: Rejudged, other: Rejudged) -> Rejudged:
    fields = ("cameras", "changed", "unreadable", "opened", "reopened", "fixed")
    return replace(one, **{name: getattr(one, name) + getattr(other, name) for name in fields})

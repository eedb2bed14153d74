"""What one visit leaves behind, findings apart: the camera's row, its dossier, its verdicts. Inside a transaction."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.untrusted import clean_text
from fleet import camera_events, sites
from fleet.camera_words import WORDS
from fleet.expected import rows as expected_rows
from fleet.pictures import rows as picture_rows
from fleet.scans import adoption, swaps
from fleet.scans.adoption import AnyRow
from fleet.schedules import due
from fleet.store import Store
from fleet.store import tables as t
from fleet.store.ids import new_id
from fleet.store.packing import cut, pack
from scanners import dossier as dossiers
from scanners.dossier import Dossier
from scanners.model import Outcome, Severity, Verdict

DOSSIERS_KEPT = 20
MOST_SUMMARY = 500
_CHANGE_CAMERA = update(t.Camera).where(t.Camera.id == bindparam("camera"))
_NEW_CAMERA = insert(t.Camera)
_NEW_DOSSIER = insert(t.StoredDossier)
_OLD_VERDICTS = delete(t.CurrentVerdict).where(t.CurrentVerdict.camera == bindparam("of"))
_NEW_VERDICTS = insert(t.CurrentVerdict)
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Visit:
    """One assessment, cut to size and ready to be stored. `verdicts` are by check and subject."""

    dossier: Dossier
    body: bytes
    verdicts: Mapping[Key, Verdict]
    score: int
    failed: int
    unknown: int
    at: datetime


def visit(dossier: Dossier, verdicts: Iterable[Verdict], score: int, at: datetime) -> Visit:
    return judged(dossier, pack(cut(dossiers.dump(dossier))), verdicts, score, at)


def judged(dossier: Dossier, body: bytes, verdicts: Iterable[Verdict], score: int, at: datetime) -> Visit:
    """Of evidence that is packed already."""
    distinct = _distinct(verdicts)
    counts = Counter(verdict.verdict for verdict in distinct.values())
    return Visit(
        dossier=dossier,
        body=body,
        verdicts=distinct,
        score=max(0, min(100, score)),
        failed=counts[Outcome.FAIL],
        unknown=counts[Outcome.UNKNOWN] + counts[Outcome.ERROR],
        at=at,
    )


def _distinct(verdicts: Iterable[Verdict]) -> dict[Key, Verdict]:
    """Where a hostile subject was cut to the same as another's, the failed one stands."""
    distinct: dict[Key, Verdict] = {}
    for verdict in verdicts:
        key = (verdict.check, clean_text(verdict.subject))
        if key not in distinct or verdict.verdict is Outcome.FAIL:
            distinct[key] = verdict
    return distinct


def saying(verdict: Verdict) -> dict[str, Any]:
    """The columns that a verdict and its finding share."""
    summary = clean_text(verdict.summary, MOST_SUMMARY)
    return {"severity": verdict.severity, "summary": summary, "evidence": cut(verdict.evidence)}


async def keep_camera(
    connection: AsyncConnection, seen: Visit, live: Mapping[Severity, int], before: AnyRow | None, camera: str
) -> str | None:
    """Its row, made or brought up to date, and the dossier of this visit; its site. `live` counts its live findings."""
    who = adoption.who(seen.dossier)
    who = replace(who, key=await adoption.free_key(connection, who, before))
    dossier = new_id()
    values = adoption.columns(seen.dossier, who, before, await expected_rows.name_for(connection, who))
    values |= {"last_seen": seen.at, "last_dossier": dossier, **_judged(seen, live)}
    values |= {"displaced_at": None, "displaced_by": None}
    site = values["site"] = sites.name_at(who.address, await sites.stored(connection))
    if before is None or before.search != values["search"]:
        values["worded"] = await WORDS.next_number(connection)
    if before:
        await connection.execute(_CHANGE_CAMERA, [{"camera": camera, **values}])
    else:
        await connection.execute(_NEW_CAMERA, [{"id": camera, "first_seen": seen.at, **values}])
        await picture_rows.watch_new(connection, [camera])
        await due.put(connection, due.PICTURES, camera, seen.at)
    await camera_events.note_visit(connection, camera, before, values, seen.at)
    await swaps.note_arrival(connection, camera, before, values, who)
    row = {"id": dossier, "camera": camera, "at": seen.at, "body": seen.body}
    row |= {"score": seen.score, "failed": seen.failed, "unknown": seen.unknown}
    await connection.execute(_NEW_DOSSIER, [row])
    return site


async def keep_judgement(connection: AsyncConnection, seen: Visit, live: Mapping[Severity, int], camera: str) -> None:
    """What was judged of it anew, on a row that is there."""
    await connection.execute(_CHANGE_CAMERA, [{"camera": camera, **_judged(seen, live)}])


def _judged(seen: Visit, live: Mapping[Severity, int]) -> dict[str, Any]:
    counts = {severity.value: live[severity] for severity in Severity}
    worst = next((severity for severity in Severity if live[severity]), None)
    return {"score": seen.score, "unknown": seen.unknown, "worst": worst, **counts}


async def keep_verdicts(connection: AsyncConnection, camera: str, verdicts: Mapping[Key, Verdict]) -> None:
    """In place of those of the visit before."""
    await connection.execute(_OLD_VERDICTS, {"of": camera})
    rows = [
        {"camera": camera, "check_id": check, "subject": subject, "verdict": verdict.verdict.value}
        | {"reason": verdict.reason and clean_text(verdict.reason), **saying(verdict)}
        for (check, subject), verdict in verdicts.items()
    ]
    if rows:
        await connection.execute(_NEW_VERDICTS, rows)


async def keep_wording(store: Store, verdicts: Iterable[Verdict]) -> None:
    """The text of each check, where it is new or has changed: mostly, nothing is to be done and nothing is asked."""
    wording = {
        verdict.check: {
            "id": verdict.check,
            "title": verdict.title,
            "severity": verdict.severity,
            "remediation": verdict.remediation,
            "references": list(verdict.references),
            "standards": {name: list(controls) for name, controls in verdict.standards.items()},
        }
        for verdict in verdicts
    }
    changed = {check: row for check, row in wording.items() if store.wording.get(check) != row}
    if changed:
        async with store.write() as connection:
            await connection.execute(delete(t.CheckText).where(t.CheckText.id.in_(list(changed))))
            await connection.execute(insert(t.CheckText), list(changed.values()))
        store.wording.update(changed)


async def addresses(store: Store) -> frozenset[str]:
    """Where every known camera was last seen."""
    async with store.read() as connection:
        return frozenset(await connection.scalars(select(t.Camera.address)))


async def prune(store: Store) -> int:
    """Forget all but the last visits of each camera and the last of each day; says how many.

    Once per scan is cheaper than at every visit. How long days are kept: `fleet.retention`.
    """
    d = t.StoredDossier
    age = func.row_number().over(partition_by=d.camera, order_by=d.id.desc()).label("age")
    of_day = func.row_number().over(partition_by=(d.camera, func.date(d.at)), order_by=d.id.desc()).label("of_day")
    aged = select(d.id, age, of_day).subquery()
    old = select(aged.c.id).where(aged.c.age > DOSSIERS_KEPT, aged.c.of_day > 1)
    async with store.write() as connection:
        return (await connection.execute(delete(t.StoredDossier).where(t.StoredDossier.id.in_(old)))).rowcount

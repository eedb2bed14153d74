"""What the service says of itself to a machine, in the format of Prometheus. Never a camera's name, an address or a
person: whoever may read numbers may not therefore read an estate.

Requests are counted as they end. Everything else is asked of the store when somebody reads it, at most every few
seconds: nothing else in the program knows that it is counted.
"""

import asyncio
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

from fleet.errors import FleetError
from fleet.paging import Query
from fleet.pictures.rollups import WORST_FIRST
from fleet.plans.states import PlanState
from fleet.store import Store
from fleet.store import accuracy_tables as a
from fleet.store import jobs_tables as j
from fleet.store import pictures_tables as p
from fleet.store import plans_tables as plans
from fleet.store import rollouts_tables as r
from fleet.store import tables as t
from fleet.store import vault_tables as v
from scanners.model import Severity

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FRESH_S = 10.0
WITHIN_S = 5.0
_LATELY = timedelta(hours=1)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SEVERITIES = (t.Camera.critical, t.Camera.high, t.Camera.medium, t.Camera.low)


class Metrics:
    """One per service, with a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._requests = Counter(
            "camwarden_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self._latency = Histogram(
            "camwarden_request_seconds", "How long answers took.", ("route",), buckets=_BUCKETS, registry=self.registry
        )
        self._up = self._gauge("camwarden_store_up", "Whether the database answers.")
        self._writes = self._gauge("camwarden_store_writes", "Transactions that wrote, since the start.")
        self._cameras = self._gauge("camwarden_cameras", "Cameras by their worst live finding.", "worst")
        self._findings = self._gauge("camwarden_findings_open", "Live findings.", "severity")
        self._unknown = self._gauge("camwarden_verdicts_unknown", "Verdicts that could not be told.")
        self._silent = self._gauge("camwarden_addresses_not_evaluated", "Addresses that told the last scan nothing.")
        self._work = self._gauge("camwarden_work", "Work that is not over.", "kind", "state")
        self._pictures = self._gauge(
            "camwarden_cameras_by_picture", "Cameras by the verdict on their picture.", "verdict"
        )
        self._incidents = self._gauge("camwarden_picture_incidents_open", "Open incidents of pictures.")
        self._looks = self._gauge("camwarden_picture_looks_last_hour", "Looks at pictures.", "verdict")
        self._sign_ins = self._gauge("camwarden_sign_ins_last_hour", "Tries to sign in.", "result")
        self._spent = self._gauge("camwarden_camera_logins_last_hour", "Logins spent on cameras.", "outcome")
        self._notices = self._gauge("camwarden_notices", "Notices by state.", "state")
        # Found by the labels themselves: the library's own look-up is the dearest part of counting.
        self._counted: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._read_at = -FRESH_S
        self._reading = asyncio.Lock()

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request. `route` is a row of the route table, never what somebody typed."""
        key = (method if method in _METHODS else "other", route, status)
        if key not in self._counted:
            self._counted[key] = (self._requests.labels(*map(str, key)), self._latency.labels(route))
        counter, histogram = self._counted[key]
        counter.inc()
        histogram.observe(seconds)

    async def text(self, store: Store) -> bytes:
        """All of it. A store that does not answer is said so, and nothing stale is said in its place."""
        async with self._reading:
            if time.monotonic() - self._read_at >= FRESH_S:
                await self._read(store)
                self._read_at = time.monotonic()
        return generate_latest(self.registry)

    async def _read(self, store: Store) -> None:
        self._writes.set(store.writes)
        try:
            async with asyncio.timeout(WITHIN_S), store.read() as connection:
                await self._cameras_and_findings(connection)
                await self._work_under_way(connection)
                await self._pictures_and_logins(connection, store)
        except (FleetError, TimeoutError):
            self._up.set(0)
            for gauge in (self._cameras, self._findings, self._work, self._pictures, self._looks, self._sign_ins):
                gauge.clear()
        else:
            self._up.set(1)

    async def _cameras_and_findings(self, connection: AsyncConnection) -> None:
        c = t.Camera
        worst = await _counts(connection, _by(c.worst))
        _fill(self._cameras, {str(s or "none"): worst.get(s, 0) for s in (*Severity, None)})
        sums = [func.coalesce(func.sum(column), 0) for column in (*_SEVERITIES, c.unknown)]
        *severities, unknown = (await connection.execute(select(*sums))).one()
        _fill(self._findings, dict(zip(map(str, Severity), severities, strict=True)))
        self._unknown.set(unknown)
        silent = select(func.count()).select_from(t.ScanNotEvaluated).where(t.ScanNotEvaluated.current)
        self._silent.set((await connection.execute(silent)).scalar_one())

    async def _work_under_way(self, connection: AsyncConnection) -> None:
        self._work.clear()
        at_work = [state.value for state in PlanState if state.at_work]
        queries = {
            "scan": _by(t.Scan.state).where(t.Scan.finished_at.is_(None)),
            "plan": _by(plans.Plan.state).where(plans.Plan.state.in_(at_work)),
            "rotation": _by(v.CameraRotation.state).where(v.CameraRotation.state.not_in(("current", "undone"))),
            "rollout": _by(r.Rollout.state).where(r.Rollout.finished_at.is_(None)),
            "job": _by(j.Job.state).where(j.IS_OPEN),
            "watch": _by(a.AccuracyWatch.state).where(a.AccuracyWatch.state.in_(("queued", "running"))),
        }
        for kind, query in queries.items():
            for state, count in (await _counts(connection, query)).items():
                self._work.labels(kind, str(state)).set(count)

    async def _pictures_and_logins(self, connection: AsyncConnection, store: Store) -> None:
        since = store.now() - _LATELY
        seen = await _counts(connection, _by(p.PictureWatch.verdict))
        _fill(self._pictures, {name or "none": count for name, count in seen.items()})
        still_open = select(func.count()).select_from(p.PictureIncident).where(p.PictureIncident.closed_at.is_(None))
        self._incidents.set((await connection.execute(still_open)).scalar_one())
        looks = await _counts(connection, _by(p.PictureCheck.verdict).where(p.PictureCheck.at >= since))
        _fill(self._looks, dict.fromkeys(WORST_FIRST, 0) | looks)
        tries = await _counts(connection, _by(t.LoginAttempt.worked).where(t.LoginAttempt.at >= since))
        _fill(self._sign_ins, {"worked": tries.get(True, 0), "refused": tries.get(False, 0)})
        spent = await _counts(connection, _by(t.SpentAttempt.outcome).where(t.SpentAttempt.at >= since))
        _fill(self._spent, {"wrong": 0, "locked": 0} | spent)
        _fill(self._notices, await _counts(connection, _by(p.Notice.state)))


def _by(column: ColumnElement[Any] | InstrumentedAttribute[Any]) -> Query:
    return select(column, func.count()).group_by(column)


async def _counts(connection: AsyncConnection, query: Query) -> dict[Any, int]:
    return {label: number for label, number, *_ in (await connection.execute(query)).all()}


def _fill(gauge: Gauge, values: Mapping[Any, int]) -> None:
    gauge.clear()
    for label, value in values.items():
        gauge.labels(str(label)).set(value)

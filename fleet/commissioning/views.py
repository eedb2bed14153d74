"""Commissionings as they are shown: what the machine saw and what people said, row by row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from fleet.commissioning.checklist import CLOSED, Automatic, Seen, State, automatic, progress
from fleet.commissioning.template import Row, Template
from fleet.errors import NotFound
from fleet.paging import newest
from fleet.people.scope import EVERYWHERE, Scope
from fleet.store import Store
from fleet.store import commissioning_tables as c
from fleet.store import tables as t
from fleet.views import Page
from scanners.model import Outcome


@dataclass(frozen=True, slots=True)
class RowView:
    """A row as it stands. `actor` and `at` are `None` while nobody and no machine has said anything."""

    row: Row
    state: State
    reason: str
    value: str
    evidence: tuple[str, ...]
    actor: str | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class CameraView:
    """A camera of a commissioning. `still` is the name of the newest still in the evidence store."""

    id: str
    name: str | None
    address: str
    model: str | None
    serial: str | None
    mac: str | None
    firmware: str | None
    last_seen: datetime | None
    still: str | None
    still_at: datetime | None
    rows: tuple[RowView, ...]

    @property
    def progress(self) -> tuple[int, int, int]:
        """Rows that are closed, that failed, and all of them."""
        return progress(row.state for row in self.rows)


@dataclass(frozen=True, slots=True)
class CommissioningView:
    id: str
    site: str
    template: Template
    state: str
    started_by: str
    started_at: datetime
    signed_by: str | None
    signed_at: datetime | None
    cameras: tuple[CameraView, ...]

    @property
    def progress(self) -> tuple[int, int, int]:
        return progress(row.state for camera in self.cameras for row in camera.rows)

    def camera(self, camera: str) -> CameraView:
        """Raises NotFound."""
        found = next((one for one in self.cameras if one.id == camera), None)
        if found is None:
            raise NotFound("this camera is not part of the commissioning")
        return found

    def after(self, camera: str) -> CameraView | None:
        """The next camera that has a row left to close, `None` where all are done."""
        order = [one.id for one in self.cameras]
        at = order.index(camera) + 1 if camera in order else 0
        ahead = [*self.cameras[at:], *self.cameras[:at]]
        return next((one for one in ahead if one.id != camera and one.progress[0] < one.progress[2]), None)


async def recent(store: Store, limit: int = 50, scope: Scope = EVERYWHERE) -> tuple[CommissioningView, ...]:
    """The newest first that have a camera in scope."""
    return (await listed(store, None, limit, scope)).items


async def listed(store: Store, after: str | None, limit: int, scope: Scope = EVERYWHERE) -> Page[CommissioningView]:
    """As `recent`, in pages. Raises Invalid for a cursor that no page gave."""
    ours = c.Commissioning.id.in_(
        select(c.CommissionedCamera.commissioning).where(scope.of(c.CommissionedCamera.camera))
    )
    found = select(c.Commissioning.id).where(true() if scope.everywhere else ours)
    async with store.read() as connection:
        rows, following, total = await newest(connection, found, c.Commissioning.id, after, limit)
        return Page(tuple([await view_of(connection, row.id, scope) for row in rows]), following, total)


async def get(store: Store, commissioning: str, scope: Scope = EVERYWHERE) -> CommissioningView:
    """With its cameras in scope. Raises NotFound."""
    async with store.read() as connection:
        return await view_of(connection, commissioning, scope)


def as_record(view: CommissioningView) -> dict[str, Any]:
    """All that was found, JSON-ready: what a signature covers."""
    return {
        "site": view.site,
        "template": {"id": view.template.id, "version": view.template.version, "title": view.template.title},
        "started_by": view.started_by,
        "started_at": view.started_at.isoformat(),
        "cameras": [
            {
                **{name: getattr(camera, name) for name in ("id", "name", "address", "model", "serial", "mac")},
                "firmware": camera.firmware,
                "still": camera.still,
                "still_at": camera.still_at and camera.still_at.isoformat(),
                "rows": [
                    {
                        "id": row.row.id,
                        "title": row.row.title,
                        "state": row.state.value,
                        "reason": row.reason,
                        "value": row.value,
                        "evidence": list(row.evidence),
                        "actor": row.actor,
                        "at": row.at and row.at.isoformat(),
                        "clauses": list(row.row.clauses),
                    }
                    for row in camera.rows
                ],
            }
            for camera in view.cameras
        ],
    }


async def view_of(connection: AsyncConnection, commissioning: str, scope: Scope = EVERYWHERE) -> CommissioningView:
    found = await connection.execute(select(c.Commissioning).where(c.Commissioning.id == commissioning))
    row = found.mappings().first()
    if row is None:
        raise NotFound("there is no such commissioning")
    chosen = Template.model_validate(row["template"])
    columns = (
        *(c.CommissionedCamera.camera, c.CommissionedCamera.still, c.CommissionedCamera.still_at),
        *(t.Camera.name, t.Camera.address, t.Camera.model, t.Camera.serial, t.Camera.mac, t.Camera.firmware),
        t.Camera.last_seen,
    )
    joined = (
        select(*columns)
        .join_from(c.CommissionedCamera, t.Camera, t.Camera.id == c.CommissionedCamera.camera, isouter=True)
        .where(c.CommissionedCamera.commissioning == commissioning, scope.of(c.CommissionedCamera.camera))
        .order_by(c.CommissionedCamera.place)
    )
    cameras = (await connection.execute(joined)).mappings().all()
    verdicts = await _verdicts(connection, [str(camera["camera"]) for camera in cameras])
    answers = await _answers(connection, commissioning)
    return CommissioningView(
        cameras=tuple(_camera(chosen, camera, verdicts, answers) for camera in cameras),
        template=chosen,
        **{name: row[name] for name in ("id", "site", "state", "started_by", "started_at", "signed_by", "signed_at")},
    )


async def _verdicts(connection: AsyncConnection, cameras: Sequence[str]) -> dict[str, list[Seen]]:
    v = t.CurrentVerdict
    found = await connection.execute(
        select(v.camera, v.check_id, v.verdict, v.summary).where(v.camera.in_(cameras)).order_by(v.check_id, v.subject)
    )
    seen: dict[str, list[Seen]] = {}
    for camera, check, verdict, summary in found.all():
        seen.setdefault(camera, []).append(Seen(check, Outcome(verdict), summary))
    return seen


async def _answers(connection: AsyncConnection, commissioning: str) -> dict[tuple[str, str], Mapping[str, Any]]:
    """The newest answer by camera and row."""
    every = select(c.RowAnswer).where(c.RowAnswer.commissioning == commissioning).order_by(c.RowAnswer.id)
    return {(row["camera"], row["row"]): dict(row) for row in (await connection.execute(every)).mappings()}


def _camera(
    chosen: Template,
    camera: Mapping[Any, Any],
    verdicts: Mapping[str, list[Seen]],
    answers: Mapping[tuple[str, str], Mapping[str, Any]],
) -> CameraView:
    id_ = str(camera["camera"])
    rows = tuple(
        _row(row, automatic(row, verdicts.get(id_, [])), answers.get((id_, row.id)), camera["last_seen"])
        for row in chosen.rows
    )
    names = ("name", "model", "serial", "mac", "firmware", "last_seen", "still", "still_at")
    return CameraView(id=id_, address=camera["address"] or "", rows=rows, **{name: camera[name] for name in names})


def _row(row: Row, machine: Automatic, said: Mapping[str, Any] | None, seen_at: datetime | None) -> RowView:
    """A person's word counts, except over a row that the machine has come to see as good."""
    if row.kind == "checks" and (said is None or machine.state is State.AUTO_PASS):
        judged = seen_at if machine.state in (State.AUTO_PASS, State.AUTO_FAIL) else None
        return RowView(row, machine.state, machine.reason, "", (), "the last visit" if judged else None, judged)
    if said is None:
        return RowView(row, State.NOT_STARTED, "", "", (), None, None)
    state = State(said["state"])
    reason = said["note"] if row.kind != "checks" or state in CLOSED else machine.reason
    return RowView(row, state, reason, said["value"], tuple(said["evidence"]), said["actor"], said["at"])

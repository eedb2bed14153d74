"""Plans as they are shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from fleet.errors import NotFound
from fleet.paging import newest
from fleet.people.scope import EVERYWHERE, IN_PARTS, Scope, holds_all
from fleet.plans.rows import PlanId
from fleet.plans.states import PlanState
from fleet.store import Store
from fleet.store import plans_tables as p
from fleet.store import tables as t
from fleet.views import Page
from hardening.lifecycle import CameraState, StepState


@dataclass(frozen=True, slots=True)
class PlanView:
    """One plan. `cameras` counts its cameras by state, `drifting` and `unknown` those with such a step."""

    id: PlanId
    state: PlanState
    baseline: str
    digest: str | None
    actor: str
    created_at: datetime
    expires_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    finished_at: datetime | None
    error: str | None
    cameras: Mapping[CameraState, int]
    drifting: int
    unknown: int

    @property
    def total(self) -> int:
        return sum(self.cameras.values())


@dataclass(frozen=True, slots=True)
class StepView:
    """One step. `order` is what planning found, `state` where it is now; `diff` are lines with - and +."""

    setting: str
    title: str
    order: str
    state: StepState
    reason: str
    risk: str
    diff: tuple[str, ...]
    undoable: bool


@dataclass(frozen=True, slots=True)
class PlanCameraView:
    """One camera of a plan. `proof` is what the assessment afterwards said, `None` before it."""

    camera: str
    address: str
    port: int
    name: str
    state: CameraState
    reason: str
    steps: tuple[StepView, ...]
    proof: str | None


@dataclass(frozen=True, slots=True)
class PlanEventView:
    """A line of a plan's history."""

    id: str
    at: datetime
    camera: str | None
    setting: str | None
    event: str
    state: str
    actor: str
    reason: str


async def load(store: Store, plan: PlanId, scope: Scope = EVERYWHERE) -> PlanView:
    """Raises NotFound."""
    async with store.read() as connection:
        if (view := (await _views(connection, [plan], scope)).get(plan)) is None:
            raise NotFound("there is no such plan")
        return view


async def listed(store: Store, after: str | None, limit: int, scope: Scope = EVERYWHERE) -> Page[PlanView]:
    """The newest first that have a camera in scope. Raises Invalid for a cursor that no page gave."""
    ours = p.Plan.id.in_(select(p.PlanCamera.plan).where(scope.of(p.PlanCamera.camera)))
    wanted = select(p.Plan.id).where(true() if scope.everywhere else ours)
    async with store.read() as connection:
        rows, following, total = await newest(connection, wanted, p.Plan.id, after, limit)
        views = await _views(connection, [row.id for row in rows], scope)
    return Page(tuple(views[PlanId(row.id)] for row in rows), following, total)


async def newest_of(store: Store, camera: str, limit: int, scope: Scope = EVERYWHERE) -> list[PlanView]:
    """Those that this camera is part of."""
    mine = select(p.PlanCamera.plan).where(p.PlanCamera.camera == camera).order_by(p.PlanCamera.plan.desc())
    async with store.read() as connection:
        ids = list(await connection.scalars(mine.limit(limit)))
        views = await _views(connection, ids, scope)
    return [views[PlanId(plan)] for plan in ids]


async def _views(connection: AsyncConnection, plans: Sequence[str], scope: Scope) -> dict[PlanId, PlanView]:
    """Of their cameras only those in scope count."""
    rows = (await connection.execute(select(p.Plan).where(p.Plan.id.in_(plans)))).all()
    by_state = select(p.PlanCamera.plan, p.PlanCamera.state, func.count().label("cameras"))
    ours = (p.PlanCamera.plan.in_(plans), scope.of(p.PlanCamera.camera))
    counted = await connection.execute(by_state.where(*ours).group_by(p.PlanCamera.plan, p.PlanCamera.state))
    cameras: dict[str, dict[CameraState, int]] = {}
    for row in counted:
        cameras.setdefault(row.plan, {})[CameraState(row.state)] = row.cameras
    settled = [StepState.IN_ORDER.value, StepState.UNKNOWN.value, StepState.NOT_APPLICABLE.value]
    here = scope.of(p.PlanStep.camera)
    whole = {row.id: await _is_whole(connection, row.id, scope) for row in rows}
    drifting = await _cameras_with(connection, plans, p.PlanStep.state.not_in(settled) & here)
    unknown = await _cameras_with(connection, plans, (p.PlanStep.state == StepState.UNKNOWN.value) & here)
    return {
        PlanId(row.id): PlanView(
            id=PlanId(row.id),
            state=PlanState(row.state),
            baseline=row.baseline["name"],
            digest=row.digest,
            actor=row.actor,
            created_at=row.created_at,
            expires_at=row.expires_at,
            approved_by=row.approved_by,
            approved_at=row.approved_at,
            finished_at=row.finished_at,
            error=row.error if whole[row.id] else row.error and IN_PARTS,
            cameras=cameras.get(row.id, {}),
            drifting=drifting.get(row.id, 0),
            unknown=unknown.get(row.id, 0),
        )
        for row in rows
    }


async def _is_whole(connection: AsyncConnection, plan: str, scope: Scope) -> bool:
    return await holds_all(connection, scope, p.PlanCamera.camera, p.PlanCamera.plan == plan)


async def _cameras_with(connection: AsyncConnection, plans: Sequence[str], condition: Any) -> dict[str, int]:  # noqa: ANN401 - a clause
    query = select(p.PlanStep.plan, func.count(p.PlanStep.camera.distinct()).label("cameras"))
    rows = await connection.execute(query.where(p.PlanStep.plan.in_(plans), condition).group_by(p.PlanStep.plan))
    return {row.plan: row.cameras for row in rows}


async def cameras(
    store: Store, plan: PlanId, *, from_position: int = 0, limit: int = 100, scope: Scope = EVERYWHERE
) -> list[PlanCameraView]:
    """The cameras of a plan with their steps, in order. Raises NotFound for no such plan."""
    await load(store, plan)
    query = (
        select(p.PlanCamera, t.Camera.address, t.Camera.port, t.Camera.name, t.Camera.manufacturer, t.Camera.model)
        .join(t.Camera, t.Camera.id == p.PlanCamera.camera, isouter=True)
        .where(p.PlanCamera.plan == plan, scope.of(p.PlanCamera.camera))
        .order_by(p.PlanCamera.position)
        .offset(from_position)
        .limit(limit)
    )
    async with store.read() as connection:
        rows = (await connection.execute(query)).all()
        here = (p.PlanStep.plan == plan, p.PlanStep.camera.in_([row.camera for row in rows]))
        steps = {(s.camera, s.setting): s for s in (await connection.execute(select(p.PlanStep).where(*here))).all()}
    return [_camera_view(row, steps) for row in rows]


def _camera_view(row: Any, steps: Mapping[tuple[str, str], Any]) -> PlanCameraView:  # noqa: ANN401 - rows
    body = row.body or {"address": "", "port": 0, "steps": []}
    address, port = (body["address"], body["port"]) if body["address"] else (row.address or "", row.port or 0)
    known = row.name or " ".join(word for word in (row.manufacturer, row.model) if word)
    return PlanCameraView(
        camera=row.camera,
        address=address,
        port=port,
        name=known or address,
        state=CameraState(row.state),
        reason=row.reason,
        steps=tuple(_step_view(one, steps[row.camera, one["setting"]]) for one in body["steps"]),
        proof=row.proof,
    )


def _step_view(planned: Mapping[str, Any], now: Any) -> StepView:  # noqa: ANN401 - a row
    return StepView(
        setting=planned["setting"],
        title=planned["title"],
        order=planned["order"],
        state=StepState(now.state),
        reason=now.reason,
        risk=planned["risk"],
        diff=tuple(planned["diff"]),
        undoable=planned["undoable"],
    )


async def history(
    store: Store, plan: PlanId, *, single: bool | None, limit: int, scope: Scope = EVERYWHERE
) -> list[PlanEventView]:
    """What happened to a plan, the newest first. Raises NotFound.

    `single`: only what happened to one of its cameras, or only what happened to it as a whole; `None`: both.
    """
    await load(store, plan)
    ours = p.PlanEvent.camera.is_(None) | scope.of(p.PlanEvent.camera)
    query = select(p.PlanEvent).where(p.PlanEvent.plan == plan, ours)
    if single is not None:
        query = query.where(p.PlanEvent.camera.is_not(None) if single else p.PlanEvent.camera.is_(None))
    async with store.read() as connection:
        rows = (await connection.execute(query.order_by(p.PlanEvent.id.desc()).limit(limit))).all()
        whole = await _is_whole(connection, plan, scope)
    return [_event_view(row, whole=whole) for row in rows]


def _event_view(row: Any, *, whole: bool) -> PlanEventView:  # noqa: ANN401 - a row
    values = {key: value for key, value in row._asdict().items() if key != "plan"}
    hidden = {} if whole or row.camera is not None or not row.reason else {"reason": IN_PARTS}
    return PlanEventView(**values | hidden)

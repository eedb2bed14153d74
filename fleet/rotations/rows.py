"""Rotations as they are stored, and as they are shown."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NewType, cast

from sqlalchemy import Row, func, insert, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.driver import AccountStore
from cameras.untrusted import clean_text
from fleet.audit.trail import Action, Entry, record
from fleet.errors import Busy, NotFound
from fleet.jobs.model import Job
from fleet.jobs.rows import job_of
from fleet.jobs.states import JobState
from fleet.paging import newest
from fleet.people.scope import EVERYWHERE, Scope
from fleet.store import Store
from fleet.store import jobs_tables as j
from fleet.store import tables as t
from fleet.store import vault_tables as v
from fleet.store.ids import new_id
from fleet.views import Page
from hardening.passwords import TRANSITIONS, Evidence, State

RotationId = NewType("RotationId", str)
KIND = "rotation"
_RESTING = tuple(state.value for state in State if state.resting)
_AT_WORK = frozenset({JobState.QUEUED, JobState.WAITING, JobState.RUNNING})
_FINAL = tuple(state.value for state in State if state.final)


@dataclass(frozen=True, slots=True)
class CameraRotationView:
    """One camera of a rotation. `wrong_tries` are those that were wrong or may have been."""

    id: str
    camera: str
    address: str
    port: int
    name: str | None
    account: str
    state: State
    new_version: int | None
    wrong_tries: int
    detail: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class RotationView:
    id: RotationId
    actor: str
    started_at: datetime
    cameras: tuple[CameraRotationView, ...]

    @property
    def states(self) -> Mapping[State, int]:
        return Counter(camera.state for camera in self.cameras)


@dataclass(frozen=True, slots=True)
class OpenRow:
    """What is needed to go on with one camera. `detail` is the reason of its end."""

    id: str
    rotation: RotationId
    camera: str
    account: str
    actor: str
    state: State
    old_version: int | None
    new_version: int | None
    evidence: Evidence
    detail: str


async def add(connection: AsyncConnection, store: Store, actor: str, accounts: Mapping[str, str]) -> RotationId:
    """A rotation with one planned row per camera. Raises Busy where one of the accounts is being changed already."""
    rotation, now = RotationId(new_id()), store.now()
    await _refuse_busy(connection, accounts)
    row: dict[str, Any] = {"id": rotation, "actor": clean_text(actor), "started_at": now}
    await connection.execute(insert(v.Rotation), [row])
    await connection.execute(
        insert(v.CameraRotation),
        [
            {"id": new_id(), "rotation": rotation, "camera": camera, "account": account}
            | {"state": State.PLANNED.value, "evidence": Evidence().as_json(), "wrong_tries": 0}
            | {"detail": "", "changed_at": now}
            for camera, account in accounts.items()
        ],
    )
    for camera in accounts:
        await _tell(connection, store, rotation, camera, state=State.PLANNED)
    said = {"cameras": len(accounts), "accounts": sorted(set(accounts.values()))}
    await record(connection, Entry(actor, Action.ROTATION_START, f"rotation:{rotation}", said))
    return rotation


async def _refuse_busy(connection: AsyncConnection, accounts: Mapping[str, str]) -> None:
    is_open = v.CameraRotation.state.not_in(_FINAL)
    columns = select(v.CameraRotation.camera, v.CameraRotation.account, v.CameraRotation.state)
    for camera, account, state in (await connection.execute(columns.where(is_open))).all():
        if accounts.get(camera) == account:
            how = "run `camwarden passwords reconcile` first" if state == State.UNCLEAR else "wait for it to end"
            raise Busy(f"the password of account {account!r} of a camera is being changed already ({camera}): {how}")


async def change(connection: AsyncConnection, store: Store, row: OpenRow, state: State, **values: object) -> None:
    """A step of the caller's transaction. Only what `TRANSITIONS` allows happens, from where the row stands now."""
    now = (await connection.execute(select(v.CameraRotation.state).where(v.CameraRotation.id == row.id))).scalar_one()
    if state != now and state not in TRANSITIONS[State(now)]:
        raise AssertionError(f"a password change that is {now} cannot become {state}")
    changed = {"state": state.value, "changed_at": store.now(), **values}
    await connection.execute(update(v.CameraRotation).where(v.CameraRotation.id == row.id).values(**changed))
    if state != now:
        detail = str(values.get("detail", ""))
        await _tell(connection, store, row.rotation, row.camera, state=state, detail=detail)


async def _tell(
    connection: AsyncConnection, store: Store, rotation: str, camera: str, *, state: State, detail: str = ""
) -> None:
    row = {"id": new_id(), "rotation": rotation, "camera": camera, "at": store.now()}
    await connection.execute(insert(v.RotationEvent), [{**row, "state": state.value, "detail": detail}])


async def unfinished(connection: AsyncConnection, rotation: RotationId | None = None) -> list[OpenRow]:
    """What has not come to rest, the oldest first."""
    wanted = v.CameraRotation.state.not_in(_RESTING)
    return await _rows(connection, wanted if rotation is None else wanted & (v.CameraRotation.rotation == rotation))


async def unclear(connection: AsyncConnection, cameras: Sequence[str]) -> list[OpenRow]:
    """Those of these cameras. Few are unclear, while the cameras may be more than a statement holds."""
    wanted = frozenset(cameras)
    rows = await _rows(connection, v.CameraRotation.state == State.UNCLEAR.value)
    return [row for row in rows if row.camera in wanted]


async def fresh(connection: AsyncConnection, row: str) -> OpenRow:
    """This row as it is now."""
    (found,) = await _rows(connection, v.CameraRotation.id == row)
    return found


async def states(connection: AsyncConnection, rotation: RotationId) -> Mapping[State, int]:
    """How many of its cameras are in which state. Raises NotFound."""
    wanted = select(v.CameraRotation.state, func.count()).where(v.CameraRotation.rotation == rotation)
    found = (await connection.execute(wanted.group_by(v.CameraRotation.state))).all()
    if not found:
        raise _no_such()
    return {State(state): count for state, count in found}


async def goes_on(connection: AsyncConnection, rotation: RotationId) -> bool:
    """Whether something is done for it by itself, here or elsewhere: a job that is paused does nothing.

    A row whose job has just been cancelled or given up comes to its end, or is given another one, in a moment.
    """
    wanted = select(j.Job.state, func.count()).where(j.Job.work == work_of(rotation)).group_by(j.Job.state)
    jobs = {JobState(state): count for state, count in (await connection.execute(wanted)).all()}
    left = sum(count for state, count in (await states(connection, rotation)).items() if not state.resting)
    return bool(jobs.keys() & _AT_WORK) or (bool(jobs) and left > jobs.get(JobState.PAUSED, 0))


async def newest_job(connection: AsyncConnection, row: OpenRow) -> Job | None:
    """What it was last asked for with, finished or not."""
    mine = select(j.Job).where(j.Job.camera == row.camera, j.Job.key == key_of(row))
    found = (await connection.execute(mine.order_by(j.Job.id.desc()).limit(1))).first()
    return job_of(found) if found else None


def work_of(rotation: RotationId) -> str:
    """What its jobs belong to."""
    return f"{KIND}:{rotation}"


def key_of(row: OpenRow) -> str:
    """What keeps its job from being twice."""
    return f"{KIND}:{row.id}"


async def open_for(connection: AsyncConnection, camera: str, account: str) -> OpenRow | None:
    """The change of this account's password that has not come to its end."""
    same = (v.CameraRotation.camera == camera) & (v.CameraRotation.account == account)
    found = await _rows(connection, same & v.CameraRotation.state.not_in(_FINAL))
    return found[0] if found else None


async def _rows(connection: AsyncConnection, condition: Any) -> list[OpenRow]:  # noqa: ANN401 - a comparison
    wanted = (
        select(*v.CameraRotation.__table__.columns, v.Rotation.actor)
        .join(v.Rotation, v.Rotation.id == v.CameraRotation.rotation)
        .where(condition)
        .order_by(v.CameraRotation.id)
    )
    return [_open_row(row) for row in (await connection.execute(wanted)).all()]


def _open_row(row: Row[*tuple[Any, ...]]) -> OpenRow:
    return OpenRow(
        id=row.id,
        rotation=RotationId(row.rotation),
        camera=row.camera,
        account=row.account,
        actor=row.actor,
        state=State(row.state),
        old_version=row.old_version,
        new_version=row.new_version,
        evidence=Evidence.from_json(row.evidence),
        detail=row.detail,
    )


async def known_stores(store: Store, row: OpenRow) -> tuple[AccountStore, ...]:
    """The only account store that an earlier rotation found, where it found only one: asking may cost a wrong try."""
    same = (v.CameraRotation.camera == row.camera, v.CameraRotation.account == row.account)
    earlier = select(v.CameraRotation.evidence).where(*same, v.CameraRotation.id < row.id)
    async with store.read() as connection:
        last = await connection.scalar(earlier.order_by(v.CameraRotation.id.desc()).limit(1))
    stores = tuple(cast("list[AccountStore]", (last or {}).get("stores", [])))
    return stores if len(stores) == 1 else ()


async def load(store: Store, rotation: RotationId, scope: Scope = EVERYWHERE) -> RotationView:
    """With its cameras in scope. Raises NotFound."""
    async with store.read() as connection:
        row = (await connection.execute(select(v.Rotation).where(v.Rotation.id == rotation))).first()
        if row is None:
            raise _no_such()
        return RotationView(rotation, row.actor, row.started_at, await _cameras(connection, rotation, scope))


def _no_such() -> NotFound:
    return NotFound("there is no such rotation")


async def listed(store: Store, after: str | None, limit: int, scope: Scope = EVERYWHERE) -> Page[RotationView]:
    """The newest first that have a camera in scope. Raises Invalid for a cursor that no page gave."""
    ours = v.Rotation.id.in_(select(v.CameraRotation.rotation).where(scope.of(v.CameraRotation.camera)))
    wanted = select(v.Rotation).where(true() if scope.everywhere else ours)
    async with store.read() as connection:
        rows, following, total = await newest(connection, wanted, v.Rotation.id, after, limit)
        found = [
            RotationView(RotationId(row.id), row.actor, row.started_at, await _cameras(connection, row.id, scope))
            for row in rows
        ]
    return Page(tuple(found), following, total)


async def newest_of(store: Store, camera: str, limit: int, scope: Scope = EVERYWHERE) -> list[RotationView]:
    """Those that this camera is part of, the newest first."""
    mine = select(v.CameraRotation.rotation).where(v.CameraRotation.camera == camera)
    async with store.read() as connection:
        ids = list(await connection.scalars(mine.distinct().order_by(v.CameraRotation.rotation.desc()).limit(limit)))
    return [await load(store, RotationId(rotation), scope) for rotation in ids]


async def _cameras(connection: AsyncConnection, rotation: str, scope: Scope) -> tuple[CameraRotationView, ...]:
    wanted = (
        select(*v.CameraRotation.__table__.columns, t.Camera.address, t.Camera.port, t.Camera.name)
        .outerjoin(t.Camera, t.Camera.id == v.CameraRotation.camera)
        .where(v.CameraRotation.rotation == rotation, scope.of(v.CameraRotation.camera))
        .order_by(v.CameraRotation.id)
    )
    return tuple(
        CameraRotationView(
            id=row.id,
            camera=row.camera,
            address=row.address or "",
            port=row.port or 0,
            name=row.name,
            account=row.account,
            state=State(row.state),
            new_version=row.new_version,
            wrong_tries=row.wrong_tries,
            detail=row.detail,
            changed_at=row.changed_at,
        )
        for row in (await connection.execute(wanted)).all()
    )

"""Plans as they are stored. As they are shown: `fleet.plans.views`."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NewType

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.place import Place
from cameras.untrusted import clean_text
from fleet.audit.trail import SERVICE, Action, Entry, record
from fleet.errors import ChangedMeanwhile, NotFound
from fleet.findings.ledger import Word
from fleet.jobs import rows as job_rows
from fleet.jobs.model import JobId
from fleet.people import second_person
from fleet.people.scope import EVERYWHERE, Scope, those_within
from fleet.plans.states import PlanEvent, PlanState, after
from fleet.store import Store
from fleet.store import plans_tables as p
from fleet.store.ids import new_id
from fleet.store.packing import cut
from hardening.apply import Progress
from hardening.baseline import Baseline, from_values
from hardening.lifecycle import CameraEvent, CameraState, StepEvent, StepState
from hardening.plan import CameraPlan, camera_values, digest, read_camera

PlanId = NewType("PlanId", str)
GOOD_FOR = timedelta(hours=24)
CLOCK = "clock"
_MOST_REASON = 500
# What is written together with a plan that goes to work: its job, ordered by that actor.
Beginning = Callable[[AsyncConnection, PlanId, str], Awaitable[None]]
# The others are what the service finds at work.
_ACTIONS: Mapping[PlanEvent, Action] = MappingProxyType(
    {
        PlanEvent.APPROVE: Action.PLAN_APPROVE,
        PlanEvent.START: Action.PLAN_START,
        PlanEvent.STOP: Action.PLAN_STOP,
        PlanEvent.UNDO: Action.PLAN_UNDO,
        PlanEvent.RENEW: Action.PLAN_RENEW,
    }
)


@dataclass(frozen=True, slots=True)
class Work:
    """One camera to work on. `plan` is `None` while it has not been observed; `reason` is the last word on it."""

    camera: str
    plan: CameraPlan | None
    progress: Progress | None
    proved: bool
    reason: str


async def make(
    store: Store,
    baseline: Baseline,
    cameras: Sequence[str],
    actor: str,
    beginning: Beginning,
    *,
    scope: Scope = EVERYWHERE,
) -> PlanId:
    """A draft, and its job. Raises NotFound for a camera that is not stored, or not in scope."""
    plan, now = PlanId(new_id()), store.now()
    async with store.write() as connection:
        known = await those_within(connection, scope, cameras)
        if missing := [camera for camera in cameras if camera not in known]:
            raise NotFound(f"there is no camera {clean_text(missing[0], 64)!r} (any more)")
        row = {"id": plan, "state": PlanState.DRAFT.value, "actor": actor, "created_at": now}
        row |= {"baseline": {"name": baseline.name, "settings": dict(baseline.settings)}, "expires_at": now + GOOD_FOR}
        row |= dict.fromkeys(("digest", "approved_by", "approved_at", "finished_at", "error"))
        await connection.execute(insert(p.Plan), [row])
        blank = {"state": CameraState.WAITING.value, "reason": "", "body": None, "place": None, "proof": None}
        rows = [{"plan": plan, "camera": camera, "position": n, **blank} for n, camera in enumerate(cameras)]
        await connection.execute(insert(p.PlanCamera), rows)
        await _note(connection, plan, now, event="made", state=PlanState.DRAFT, actor=actor)
        said = {"baseline": baseline.name, "cameras": len(cameras)}
        await record(connection, Entry(actor, Action.PLAN_CREATE, f"plan:{plan}", said))
        await beginning(connection, plan, actor)
    return plan


async def state_of(store: Store, plan: PlanId) -> PlanState:
    """Raises NotFound."""
    async with store.read() as connection:
        state = (await connection.execute(select(p.Plan.state).where(p.Plan.id == plan))).scalar_one_or_none()
    if state is None:
        raise NotFound("there is no such plan")
    return PlanState(state)


async def baseline_of(store: Store, plan: PlanId) -> Baseline:
    async with store.read() as connection:
        values = (await connection.execute(select(p.Plan.baseline).where(p.Plan.id == plan))).scalar_one()
    return from_values(values["name"], values["settings"])


async def move(store: Store, plan: PlanId, event: PlanEvent, actor: str, **changes: object) -> PlanState:
    """What happens to a plan, and who says so. Raises NotFound, Invalid where it cannot happen now."""
    async with store.write() as connection:
        return await _move(connection, plan, event, Word(actor, store.now()), changes)


async def begin(store: Store, plan: PlanId, event: PlanEvent, actor: str, beginning: Beginning) -> None:
    """From now on it is at work, and its job says so. Raises NotFound, Invalid where it cannot happen now."""
    async with store.write() as connection:
        await _move(connection, plan, event, Word(actor, store.now()), {"finished_at": None, "error": None})
        await beginning(connection, plan, actor)


async def rest(store: Store, plan: PlanId, event: PlanEvent, job: JobId, **changes: object) -> PlanState:
    """It is at work no more. Its job, which has yet to say so, gives its key back: the next order has one of its own.

    Raises Invalid.
    """
    async with store.write() as connection:
        await job_rows.change(connection, [job], {"key": None})
        return await _move(connection, plan, event, Word(SERVICE, store.now()), changes)


async def _move(
    connection: AsyncConnection, plan: PlanId, event: PlanEvent, by: Word, changes: Mapping[str, object]
) -> PlanState:
    state = (await connection.execute(select(p.Plan.state).where(p.Plan.id == plan))).scalar_one_or_none()
    if state is None:
        raise NotFound("there is no such plan")
    then = after(PlanState(state), event)
    await connection.execute(update(p.Plan).where(p.Plan.id == plan).values(state=then.value, **changes))
    reason = str(changes.get("error") or "")
    await _note(connection, plan, by.at, event=event.value, state=then, actor=by.actor, reason=reason)
    said = {"event": event.value, "was": state, "is": then.value} | ({"reason": reason} if reason else {})
    who = SERVICE if by.actor == CLOCK else by.actor
    await record(connection, Entry(who, _ACTIONS.get(event, Action.PLAN_STATE), f"plan:{plan}", said))
    return then


async def approve(store: Store, plan: PlanId, actor: str, digest: str | None, *, two_persons: bool) -> None:
    """Compared and approved in one transaction. Raises NotFound, Invalid, ChangedMeanwhile."""
    now = store.now()
    async with store.write() as connection:
        stored = (await connection.execute(select(p.Plan.digest, p.Plan.actor).where(p.Plan.id == plan))).first()
        if stored is not None and two_persons:
            await second_person.need(connection, stored.actor, actor)
        if digest is not None and stored is not None and stored.digest not in {None, digest}:
            raise ChangedMeanwhile("this plan was renewed since it was looked at; look at it again")
        by = {"approved_by": actor, "approved_at": now}
        await _move(connection, plan, PlanEvent.APPROVE, Word(actor, now), by)


async def renew(store: Store, plan: PlanId, actor: str, beginning: Beginning) -> None:
    """Back to a draft without evidence, good for another day, and its job. Raises NotFound, Invalid."""
    now = store.now()
    fresh = {"expires_at": now + GOOD_FOR, "digest": None, "approved_by": None, "approved_at": None}
    async with store.write() as connection:
        await _move(connection, plan, PlanEvent.RENEW, Word(actor, now), fresh)
        await connection.execute(delete(p.PlanStep).where(p.PlanStep.plan == plan))
        blank = {"state": CameraState.WAITING.value, "reason": "", "body": None, "place": None, "proof": None}
        await connection.execute(update(p.PlanCamera).where(p.PlanCamera.plan == plan).values(blank))
        await beginning(connection, plan, actor)


async def expire(store: Store) -> None:
    """Plans that nobody started in time."""
    waiting = (PlanState.AWAITING_APPROVAL.value, PlanState.APPROVED.value)
    due = select(p.Plan.id).where(p.Plan.state.in_(waiting), p.Plan.expires_at <= store.now())
    async with store.read() as connection:
        if (await connection.execute(due.limit(1))).first() is None:
            return
    async with store.write() as connection:
        for plan in list(await connection.scalars(due)):
            await _move(connection, PlanId(plan), PlanEvent.EXPIRE, Word(CLOCK, store.now()), {})


async def at_work(store: Store) -> dict[PlanId, str]:
    """What goes on or should, the oldest first, and who made it."""
    states = [state.value for state in PlanState if state.at_work]
    query = select(p.Plan.id, p.Plan.actor).where(p.Plan.state.in_(states)).order_by(p.Plan.id)
    async with store.read() as connection:
        return {PlanId(row.id): row.actor for row in await connection.execute(query)}


# --- cameras ---------------------------------------------------------------------------------------------------------


async def keep_observed(store: Store, plan: PlanId, camera: str, found: CameraPlan) -> None:
    """What was seen of a camera of a draft, and what follows from it."""
    body = camera_values(found)
    steps = [
        {"plan": plan, "camera": camera, "setting": step.name, "state": step.state.value}
        | {"reason": clean_text(step.reason, _MOST_REASON)}
        for step in found.steps
    ]
    mine = (p.PlanCamera.plan == plan, p.PlanCamera.camera == camera)
    async with store.write() as connection:
        await connection.execute(update(p.PlanCamera).where(*mine).values(body=cut(body)))
        await connection.execute(delete(p.PlanStep).where(p.PlanStep.plan == plan, p.PlanStep.camera == camera))
        await connection.execute(insert(p.PlanStep), steps)


async def digest_of(store: Store, plan: PlanId) -> str:
    """Of everything that is to be approved: the baseline, and every camera with its evidence and steps."""
    async with store.read() as connection:
        baseline = (await connection.execute(select(p.Plan.baseline).where(p.Plan.id == plan))).scalar_one()
        query = select(p.PlanCamera.camera, p.PlanCamera.body).where(p.PlanCamera.plan == plan)
        rows = (await connection.execute(query.order_by(p.PlanCamera.position))).all()
    return digest({"baseline": baseline, "cameras": [[row.camera, row.body] for row in rows]})


async def work_of(store: Store, plan: PlanId, camera: str | None = None) -> list[Work]:
    """Every camera of a plan, or this one, with its progress, in order."""
    query = select(p.PlanCamera).where(p.PlanCamera.plan == plan).order_by(p.PlanCamera.position)
    query_steps = select(p.PlanStep).where(p.PlanStep.plan == plan)
    if camera is not None:
        query, query_steps = query.where(p.PlanCamera.camera == camera), query_steps.where(p.PlanStep.camera == camera)
    async with store.read() as connection:
        cameras = (await connection.execute(query)).all()
        steps = (await connection.execute(query_steps)).all()
    states: dict[str, dict[str, StepState]] = {}
    for step in steps:
        states.setdefault(step.camera, {})[step.setting] = StepState(step.state)
    found = []
    for row in cameras:
        planned = read_camera(row.body) if row.body else None
        progress = None
        if planned is not None:
            place = Place(**row.place) if row.place else planned.place
            progress = Progress(CameraState(row.state), states.get(row.camera, {}), place)
        found.append(Work(row.camera, planned, progress, row.proof is not None, row.reason))
    return found


async def short_of_an_end(store: Store, plan: PlanId, states: Collection[CameraState]) -> set[str]:
    """Its cameras that are in one of these states; where none is named, those that were not observed."""
    query = select(p.PlanCamera.camera).where(p.PlanCamera.plan == plan)
    observed = select(p.PlanStep.camera).where(p.PlanStep.plan == plan)
    in_these = p.PlanCamera.state.in_([state.value for state in states])
    query = query.where(in_these if states else p.PlanCamera.camera.not_in(observed))
    async with store.read() as connection:
        return set(await connection.scalars(query))


async def last_failed(store: Store, plan: PlanId, many: int) -> bool:
    """Whether so many cameras in a row, the last ones that came to an end, failed."""
    ends = [event.value for event in (CameraEvent.FINISH, CameraEvent.FAIL, CameraEvent.STOP)]
    mine = (p.PlanEvent.plan == plan, p.PlanEvent.camera.is_not(None), p.PlanEvent.setting.is_(None))
    query = select(p.PlanEvent.event).where(*mine, p.PlanEvent.event.in_(ends))
    async with store.read() as connection:
        found = list(await connection.scalars(query.order_by(p.PlanEvent.id.desc()).limit(many)))
    return found == [CameraEvent.FAIL.value] * many


@dataclass(frozen=True, slots=True)
class Spot:
    """A camera of a plan."""

    plan: PlanId
    camera: str


async def keep_step(store: Store, spot: Spot, setting: str, event: StepEvent, now: tuple[StepState, str]) -> None:
    """`now` is the state that follows, and why."""
    plan, camera, state, reason = spot.plan, spot.camera, now[0], clean_text(now[1], _MOST_REASON)
    mine = (p.PlanStep.plan == plan, p.PlanStep.camera == camera, p.PlanStep.setting == setting)
    values = {"state": state.value} | ({"reason": reason} if reason else {})
    async with store.write() as connection:
        await connection.execute(update(p.PlanStep).where(*mine).values(values))
        await _note(connection, plan, store.now(), camera, setting, event=event.value, state=state.value, reason=reason)


async def keep_camera(store: Store, spot: Spot, event: CameraEvent, state: CameraState, reason: str) -> None:
    plan, camera, reason = spot.plan, spot.camera, clean_text(reason, _MOST_REASON)
    mine = (p.PlanCamera.plan == plan, p.PlanCamera.camera == camera)
    async with store.write() as connection:
        await connection.execute(update(p.PlanCamera).where(*mine).values(state=state.value, reason=reason))
        await _note(connection, plan, store.now(), camera, event=event.value, state=state.value, reason=reason)
        said = {"plan": plan, "event": event.value, "is": state.value}
        await record(connection, Entry(SERVICE, Action.PLAN_CHANGE_CAMERA, f"camera:{camera}", said))


async def keep_place(store: Store, spot: Spot, place: Place) -> None:
    mine = (p.PlanCamera.plan == spot.plan, p.PlanCamera.camera == spot.camera)
    async with store.write() as connection:
        await connection.execute(update(p.PlanCamera).where(*mine).values(place=asdict(place)))


async def keep_proof(store: Store, spot: Spot, proof: str) -> None:
    mine = (p.PlanCamera.plan == spot.plan, p.PlanCamera.camera == spot.camera)
    proof = clean_text(proof, _MOST_REASON)
    async with store.write() as connection:
        await connection.execute(update(p.PlanCamera).where(*mine).values(proof=proof))
        await _note(connection, spot.plan, store.now(), spot.camera, event="proof", state="", reason=proof)


async def _note(
    connection: AsyncConnection,
    plan: PlanId,
    at: datetime,
    camera: str | None = None,
    setting: str | None = None,
    *,
    event: str,
    state: str,
    actor: str = SERVICE,
    reason: str = "",
) -> None:
    row = {"id": new_id(), "plan": plan, "camera": camera, "setting": setting, "at": at}
    await connection.execute(
        insert(p.PlanEvent), [{**row, "event": event, "state": state, "actor": actor, "reason": reason}]
    )

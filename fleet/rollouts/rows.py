"""Rollouts as they are stored, and as they are shown. Every change of state goes through here and leaves history."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, NewType

from sqlalchemy import Row, delete, func, insert, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.untrusted import clean_text
from fleet.audit.trail import SERVICE, Action, Entry, record, record_all
from fleet.errors import Busy, Invalid, NotFound
from fleet.jobs.model import NewJob
from fleet.jobs.queue import Queue
from fleet.paging import newest
from fleet.people.scope import EVERYWHERE, IN_PARTS, Scope, holds_all
from fleet.store import Store
from fleet.store.ids import new_id
from fleet.store.rollouts_tables import Rollout, RolloutEvent, RolloutTarget
from fleet.store.tables import CameraLease
from fleet.views import Page
from hardening import rollout
from hardening.rollout import CampaignEvent, CampaignState, NotAllowed, Target, TargetEvent, TargetState
from hardening.rollout_rules import Errors, Rules
from hardening.windows import parse_window

RolloutId = NewType("RolloutId", str)
KIND = "rollout"
MOST_DETAIL = 1000
# Who writes the history of what no person asked for.
BY_ITSELF = "camwarden"
# The others are what the service finds at work.
_ACTIONS: Mapping[CampaignEvent, Action] = MappingProxyType(
    {
        CampaignEvent.APPROVE: Action.ROLLOUT_APPROVE,
        CampaignEvent.START: Action.ROLLOUT_START,
        CampaignEvent.PAUSE: Action.ROLLOUT_PAUSE,
        CampaignEvent.RESUME: Action.ROLLOUT_RESUME,
        CampaignEvent.STOP: Action.ROLLOUT_STOP,
        CampaignEvent.ABORT: Action.ROLLOUT_STOP,
        CampaignEvent.UNDO: Action.ROLLOUT_UNDO,
    }
)
# Of all that happens to one camera, what changes it, and how that ended.
_OF_A_CAMERA: Mapping[TargetEvent, Action] = MappingProxyType(
    {
        TargetEvent.RETRY: Action.ROLLOUT_RETRY,
        TargetEvent.SEND: Action.ROLLOUT_CHANGE_CAMERA,
        TargetEvent.PROVED: Action.ROLLOUT_CHANGE_CAMERA,
        TargetEvent.NOT_PROVED: Action.ROLLOUT_CHANGE_CAMERA,
        TargetEvent.UNDO: Action.ROLLOUT_CHANGE_CAMERA,
        TargetEvent.WENT_BACK: Action.ROLLOUT_CHANGE_CAMERA,
    }
)
# Still being prepared: nobody looks after it.
_PREPARED = [state.value for state in (CampaignState.DRAFT, CampaignState.AWAITING_APPROVAL, CampaignState.APPROVED)]


@dataclass(frozen=True, slots=True)
class RolloutView:
    """One rollout. `counts` says how many cameras are in which state; `reason` why it stopped, "" where it did not."""

    id: RolloutId
    name: str
    bundle: str
    state: CampaignState
    revision: int
    rules: Rules
    created_at: datetime
    created_by: str
    approved_at: datetime | None
    approved_by: str | None
    started_at: datetime | None
    finished_at: datetime | None
    reason: str
    counts: Mapping[TargetState, int]


@dataclass(frozen=True, slots=True)
class TargetRow:
    """One camera of a rollout; `sent` counts how often the image was sent. `window` is its site's, "" for none."""

    id: str
    rollout: RolloutId
    camera: str
    address: str
    group: int
    site: str
    zone: str
    window: str
    state: TargetState
    since: datetime
    not_before: datetime | None
    give_up_at: datetime | None
    before: Mapping[str, Any]
    backup: str | None
    sent: int
    detail: str

    @property
    def target(self) -> Target:
        return Target(
            self.id,
            self.group,
            self.site,
            self.zone,
            self.state,
            self.since,
            self.not_before,
            self.give_up_at,
            parse_window(self.window) if self.window else None,
        )


@dataclass(frozen=True, slots=True)
class GroupView:
    """How many cameras of one group are in which state."""

    number: int
    counts: Mapping[TargetState, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def of(self, states: Iterable[TargetState]) -> int:
        return sum(self.counts.get(state, 0) for state in states)


@dataclass(frozen=True, slots=True)
class EventView:
    """What happened to a rollout, or to one of its cameras (`target`), and by whom."""

    id: str
    target: str | None
    at: datetime
    event: str
    state: str
    actor: str
    detail: str


async def load(store: Store, rollout_id: RolloutId, scope: Scope = EVERYWHERE) -> RolloutView:
    """Its cameras in scope count. Raises NotFound."""
    async with store.read() as connection:
        row = (await connection.execute(select(Rollout).where(Rollout.id == rollout_id))).first()
        if row is None:
            raise NotFound("there is no such rollout")
        counts = await _counts(connection, [row.id], scope)
        return await _seen(connection, _view(row, counts.get(row.id, {})), scope)


async def listed(store: Store, after: str | None, limit: int, scope: Scope = EVERYWHERE) -> Page[RolloutView]:
    """The newest first that have a camera in scope. Raises Invalid for a cursor that no page gave."""
    ours = Rollout.id.in_(select(RolloutTarget.rollout).where(scope.of(RolloutTarget.camera)))
    wanted = select(Rollout).where(true() if scope.everywhere else ours)
    async with store.read() as connection:
        rows, following, total = await newest(connection, wanted, Rollout.id, after, limit)
        counts = await _counts(connection, [row.id for row in rows], scope)
        found = [await _seen(connection, _view(row, counts.get(row.id, {})), scope) for row in rows]
    return Page(tuple(found), following, total)


async def _seen(connection: AsyncConnection, view: RolloutView, scope: Scope) -> RolloutView:
    return view if not view.reason or await _is_whole(connection, view.id, scope) else replace(view, reason=IN_PARTS)


async def _is_whole(connection: AsyncConnection, rollout_id: str, scope: Scope) -> bool:
    return await holds_all(connection, scope, RolloutTarget.camera, RolloutTarget.rollout == rollout_id)


async def tended(store: Store) -> dict[RolloutId, str]:
    """Those that somebody must look after, and who made them."""
    unfinished = (Rollout.state.not_in(_PREPARED), Rollout.finished_at.is_(None))
    async with store.read() as connection:
        found = await connection.execute(select(Rollout.id, Rollout.created_by).where(*unfinished))
        return {RolloutId(row.id): row.created_by for row in found.all()}


async def standing(store: Store, rollout_id: RolloutId) -> tuple[CampaignState, int]:
    """State and revision, as they are now. Raises NotFound."""
    asked = select(Rollout.state, Rollout.revision).where(Rollout.id == rollout_id)
    async with store.read() as connection:
        row = (await connection.execute(asked)).first()
    if row is None:
        raise NotFound("there is no such rollout")
    return CampaignState(row.state), row.revision


async def targets(
    store: Store, rollout_id: RolloutId, *, after: str = "", limit: int | None = None, scope: Scope = EVERYWHERE
) -> list[TargetRow]:
    """By id, which is the order of the groups; `after` is the last one of the page before."""
    ours = (RolloutTarget.rollout == rollout_id, scope.of(RolloutTarget.camera))
    page = select(RolloutTarget).where(*ours, RolloutTarget.id > after)
    async with store.read() as connection:
        rows = (await connection.execute(page.order_by(RolloutTarget.id).limit(limit))).all()
    return [_target(row) for row in rows]


async def groups(store: Store, rollout_id: RolloutId, scope: Scope = EVERYWHERE) -> tuple[GroupView, ...]:
    """The groups in the order in which they go."""
    counted = (
        select(RolloutTarget.group, RolloutTarget.state, func.count())
        .where(RolloutTarget.rollout == rollout_id, scope.of(RolloutTarget.camera))
        .group_by(RolloutTarget.group, RolloutTarget.state)
    )
    found: dict[int, dict[TargetState, int]] = {}
    async with store.read() as connection:
        for group, state, number in (await connection.execute(counted)).all():
            found.setdefault(group, {})[TargetState(state)] = number
    return tuple(GroupView(group, found[group]) for group in sorted(found))


async def newest_of(store: Store, camera: str, limit: int, scope: Scope = EVERYWHERE) -> list[RolloutView]:
    """Those that this camera is part of, the newest first."""
    mine = select(RolloutTarget.rollout).where(RolloutTarget.camera == camera).order_by(RolloutTarget.rollout.desc())
    async with store.read() as connection:
        ids = list(await connection.scalars(mine.limit(limit)))
    return [await load(store, RolloutId(found), scope) for found in ids]


async def target(store: Store, target_id: str) -> TargetRow:
    async with store.read() as connection:
        return _target((await connection.execute(select(RolloutTarget).where(RolloutTarget.id == target_id))).one())


async def history(
    store: Store, rollout_id: RolloutId, *, single: bool | None, limit: int, scope: Scope = EVERYWHERE
) -> list[EventView]:
    """What happened to a rollout, the newest first.

    `single`: only what happened to one of its cameras, or only what happened to it as a whole; `None`: both.
    """
    page = select(RolloutEvent).where(RolloutEvent.rollout == rollout_id)
    if not scope.everywhere:
        ours = select(RolloutTarget.id).where(RolloutTarget.rollout == rollout_id, scope.of(RolloutTarget.camera))
        page = page.where(RolloutEvent.target.is_(None) | RolloutEvent.target.in_(ours))
    if single is not None:
        page = page.where(RolloutEvent.target.is_not(None) if single else RolloutEvent.target.is_(None))
    async with store.read() as connection:
        rows = (await connection.execute(page.order_by(RolloutEvent.id.desc()).limit(limit))).all()
        whole = await _is_whole(connection, rollout_id, scope)
    return [_event(row, whole=whole) for row in rows]


def _event(row: Row[*tuple[Any, ...]], *, whole: bool) -> EventView:
    detail = row.detail if whole or row.target is not None or not row.detail else IN_PARTS
    return EventView(row.id, row.target, row.at, row.event, row.state, row.actor, detail)


# --- changes ---------------------------------------------------------------------------------------------------------


async def add(store: Store, view: RolloutView, rows: Sequence[TargetRow]) -> None:
    values = {name: value for name, value in asdict(view).items() if name != "counts"}
    values |= {"state": view.state.value, "rules": rules_as_json(view.rules)}
    lines = [{**asdict(row), "state": row.state.value, "before": dict(row.before)} for row in rows]
    async with store.write() as connection:
        await connection.execute(insert(Rollout), [values])
        await connection.execute(insert(RolloutTarget), lines)
        await _tell(connection, store, view.id, [(None, "created", view.state.value, "")], view.created_by)
        said = {"name": view.name, "bundle": view.bundle, "cameras": len(rows)}
        await record(connection, Entry(view.created_by, Action.ROLLOUT_CREATE, f"rollout:{view.id}", said))


async def order(
    store: Store, rollout_id: RolloutId, event: CampaignEvent, actor: str, *, reason: str = "", **values: object
) -> CampaignState:
    """The campaign takes an event, and whoever looks after it hears of it: there is a job, and it is due.

    Raises Invalid where it cannot follow on what is now, NotFound.
    """
    async with store.write() as connection:
        asked = select(Rollout.state, Rollout.revision, Rollout.finished_at).where(Rollout.id == rollout_id)
        row = (await connection.execute(asked)).first()
        if row is None:
            raise NotFound("there is no such rollout")
        try:
            state = rollout.campaign_after(CampaignState(row.state), event)
        except NotAllowed as error:
            raise Invalid(str(error)) from error
        changed = {**values, "state": state.value, "revision": row.revision + 1}
        if reason:
            changed["reason"] = clean_text(reason, MOST_DETAIL)
        await connection.execute(update(Rollout).where(Rollout.id == rollout_id).values(changed))
        if state.value not in _PREPARED and changed.get("finished_at", row.finished_at) is None:
            await _look_after(connection, store, rollout_id, actor)
        await _tell(connection, store, rollout_id, [(None, event.value, state.value, reason)], actor)
        said = {"event": event.value, "was": row.state, "is": state.value} | ({"reason": reason} if reason else {})
        action = _ACTIONS.get(event, Action.ROLLOUT_STATE)
        await record(connection, Entry(_who(actor), action, f"rollout:{rollout_id}", said))
    return state


async def settle(store: Store, rollout_id: RolloutId) -> None:
    """Nothing of it is in flight any more."""
    async with store.write() as connection:
        done = update(Rollout).where(Rollout.id == rollout_id, Rollout.finished_at.is_(None))
        await connection.execute(done.values(finished_at=store.now()))


async def move_all(
    store: Store,
    rows: Sequence[TargetRow],
    event: TargetEvent,
    detail: str = "",
    *,
    actor: str = BY_ITSELF,
    values: Mapping[str, object] = MappingProxyType({}),
) -> list[TargetRow]:
    """Cameras of one rollout take the same event, all or none; `values` are columns that change with it.

    Raises Busy where one is no longer what its row says: somebody else moved it. `SEND` is taken only while the
    campaign runs, in one transaction with looking: Invalid where it does not. `RETRY` is by hand: whoever looks after
    the rollout looks again.
    """
    now, told = store.now(), clean_text(detail, MOST_DETAIL)
    moved: list[TargetRow] = []
    async with store.write() as connection:
        for row in rows:
            state = rollout.after(row.state, event)
            changed: dict[str, Any] = {"state": state.value, "since": now, "detail": told, **values}
            if event is TargetEvent.SEND:
                await _only_while_running(connection, row.rollout)
                changed["sent"] = row.sent + 1
            still = (RolloutTarget.id == row.id, RolloutTarget.state == row.state.value)
            done = await connection.execute(update(RolloutTarget).where(*still).values(changed))
            if not done.rowcount:
                raise Busy(f"{row.address}: somebody else is moving this camera along")
            moved.append(TargetRow(**{**_fields(row), **changed, "state": state}))
        lines = [(row.id, event.value, row.state.value, told) for row in moved]
        if moved and event is TargetEvent.RETRY:
            seen = update(Rollout).where(Rollout.id == moved[0].rollout)
            await connection.execute(seen.values(revision=Rollout.revision + 1))
            await _look_after(connection, store, moved[0].rollout, actor)
        if moved:
            await _tell(connection, store, moved[0].rollout, lines, actor)
        if action := _OF_A_CAMERA.get(event):
            said = {"event": event.value, **({"reason": told} if told else {})}
            await record_all(
                connection,
                [Entry(_who(actor), action, f"camera:{row.camera}", {"rollout": row.rollout, **said}) for row in moved],
            )
    return moved


async def note(store: Store, rollout_id: RolloutId, event: str, actor: str, detail: str) -> None:
    """A line of its history beside its states. Raises NotFound."""
    state, _ = await standing(store, rollout_id)
    async with store.write() as connection:
        await _tell(connection, store, rollout_id, [(None, event, state.value, detail)], actor)


async def let_go_of_landed(store: Store, rollout_id: RolloutId, holder: str) -> None:
    """A process that died may have left cameras in the hands of this rollout that are in flight no more."""
    in_flight = [state.value for state in TargetState if state.in_flight]
    flying = select(RolloutTarget.camera).where(RolloutTarget.rollout == rollout_id, RolloutTarget.state.in_(in_flight))
    async with store.write() as connection:
        left = delete(CameraLease).where(CameraLease.holder == holder, CameraLease.camera.not_in(flying))
        await connection.execute(left)


def work_of(rollout_id: RolloutId) -> str:
    """What its job belongs to."""
    return f"{KIND}:{rollout_id}"


def job_of(rollout_id: RolloutId, actor: str) -> NewJob:
    """For as long as somebody must look after it; there is one at a time."""
    return NewJob(KIND, actor, work=work_of(rollout_id), key=work_of(rollout_id))


async def _look_after(connection: AsyncConnection, store: Store, rollout_id: RolloutId, actor: str) -> None:
    """What the job itself decides needs no hurry."""
    queue = Queue(store)
    if actor == BY_ITSELF or not await queue.hurry_in(connection, work_of(rollout_id)):
        await queue.enqueue_in(connection, [job_of(rollout_id, clean_text(actor))])


def _who(actor: str) -> str:
    return SERVICE if actor == BY_ITSELF else actor


async def _only_while_running(connection: AsyncConnection, rollout_id: RolloutId) -> None:
    state = (await connection.execute(select(Rollout.state).where(Rollout.id == rollout_id))).scalar_one()
    if state != CampaignState.RUNNING:
        raise Invalid(f"the rollout is {state}: nothing is sent")


async def _tell(
    connection: AsyncConnection,
    store: Store,
    rollout_id: RolloutId,
    lines: Iterable[tuple[str | None, str, str, str]],
    actor: str,
) -> None:
    now, who = store.now(), clean_text(actor)
    await connection.execute(
        insert(RolloutEvent),
        [
            {"id": new_id(), "rollout": rollout_id, "target": target, "at": now, "event": event}
            | {"state": state, "actor": who, "detail": clean_text(detail, MOST_DETAIL)}
            for target, event, state, detail in lines
        ],
    )


async def _counts(connection: AsyncConnection, ids: Sequence[str], scope: Scope) -> dict[str, dict[TargetState, int]]:
    counted = (
        select(RolloutTarget.rollout, RolloutTarget.state, func.count())
        .where(RolloutTarget.rollout.in_(ids), scope.of(RolloutTarget.camera))
        .group_by(RolloutTarget.rollout, RolloutTarget.state)
    )
    found: dict[str, dict[TargetState, int]] = {}
    for of, state, number in (await connection.execute(counted)).all():
        found.setdefault(of, {})[TargetState(state)] = number
    return found


# --- rows as values --------------------------------------------------------------------------------------------------


def rules_as_json(rules: Rules) -> dict[str, Any]:
    """Durations as seconds, the window as it is written."""
    value = asdict(rules)
    value |= {name: None if value[name] is None else value[name].total_seconds() for name in _DURATIONS}
    return {**value, "window": rules.window and str(rules.window)}


def rules_from_json(value: Mapping[str, Any]) -> Rules:
    lengths = {name: None if value[name] is None else timedelta(seconds=value[name]) for name in _DURATIONS}
    window = value["window"] and parse_window(value["window"])
    return Rules(**{**value, **lengths, "errors": Errors(**value["errors"]), "window": window})


_DURATIONS = ("soak", "expected", "restart_most", "offline_most", "rollback_after")


def _fields(row: TargetRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in TargetRow.__slots__}


def _view(row: Row[*tuple[Any, ...]], counts: Mapping[TargetState, int]) -> RolloutView:
    values = row._asdict()
    values |= {"id": RolloutId(row.id), "state": CampaignState(row.state), "rules": rules_from_json(row.rules)}
    return RolloutView(**values, counts=counts)


def _target(row: Row[*tuple[Any, ...]]) -> TargetRow:
    values = row._asdict()
    return TargetRow(**{**values, "rollout": RolloutId(row.rollout), "state": TargetState(row.state)})

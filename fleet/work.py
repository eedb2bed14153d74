"""All work as one list: scans, plans, changes of passwords and rollouts, as far as a reader compares them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fleet.people.scope import EVERYWHERE, Scope
from fleet.plans.runner import PlanView
from fleet.rollouts.rows import RolloutView
from fleet.rotations.rows import RotationView
from fleet.scans.runner import ScanView
from fleet.service import Service
from fleet.views import Page
from hardening.lifecycle import CameraState
from hardening.passwords import State
from hardening.rollout import WINDING_UP, CampaignState


class Kind(StrEnum):
    SCAN = "scan"
    PLAN = "plan"
    ROTATION = "rotation"
    ROLLOUT = "rollout"


class RotationState(StrEnum):
    """Where a rotation is as a whole: its cameras each have a state of their own."""

    RUNNING = "running"
    UNCLEAR = "unclear"
    DONE = "done"
    PARTLY = "partly"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Job:
    """`state` is a word of its kind. `done` of `total` cameras (of a scan: of its phase) have come to an end.

    `going` says that something happens by itself now.
    """

    kind: Kind
    id: str
    title: str
    state: str
    actor: str
    at: datetime
    done: int
    total: int
    going: bool


_CAMERA_ENDS = (CameraState.DONE, CameraState.FAILED, CameraState.STOPPED, CameraState.UNDONE)
_NOT_BEGUN = (CampaignState.DRAFT, CampaignState.AWAITING_APPROVAL, CampaignState.APPROVED)


def of_scan(view: ScanView) -> Job:
    at = view.started_at or view.queued_at
    going = not view.state.final
    done, total = (view.done, view.total) if going else (view.cameras, view.cameras)
    return Job(Kind.SCAN, view.id, view.targets, view.state, view.actor, at, done, total, going)


def of_plan(view: PlanView) -> Job:
    done = sum(view.cameras.get(state, 0) for state in _CAMERA_ENDS)
    going = view.state.at_work
    return Job(Kind.PLAN, view.id, view.baseline, view.state, view.actor, view.created_at, done, view.total, going)


def of_rotation(view: RotationView) -> Job:
    accounts = ", ".join(sorted({camera.account for camera in view.cameras}))
    state, done = standing(view), sum(camera.state.resting for camera in view.cameras)
    going = state is RotationState.RUNNING
    return Job(Kind.ROTATION, view.id, accounts, state, view.actor, view.started_at, done, len(view.cameras), going)


def of_rollout(view: RolloutView) -> Job:
    done, total = sum(number for state, number in view.counts.items() if state.final), sum(view.counts.values())
    return Job(
        Kind.ROLLOUT, view.id, view.name, view.state, view.created_by, view.created_at, done, total, is_going(view)
    )


def is_going(view: RolloutView) -> bool:
    """Whether cameras may change by themselves now; a rollout that stopped lets those in flight come to their end."""
    ended = view.finished_at is not None or (view.state in WINDING_UP and view.started_at is None)
    return not ended and view.state not in _NOT_BEGUN


def standing(view: RotationView) -> RotationState:
    """The most urgent of what its cameras say."""
    states = {camera.state for camera in view.cameras}
    if not all(state.resting for state in states):
        return RotationState.RUNNING
    if State.UNCLEAR in states:
        return RotationState.UNCLEAR
    if states <= {State.CURRENT}:
        return RotationState.DONE
    return RotationState.PARTLY if State.CURRENT in states else RotationState.UNDONE


async def recent(
    service: Service, kind: Kind | None = None, limit: int = 50, scope: Scope = EVERYWHERE
) -> tuple[Job, ...]:
    """The newest first, of one kind or of all."""
    return newest_first((await listed(service, kind, None, limit, scope)).items)


async def listed(
    service: Service, kind: Kind | None, after: str | None, limit: int, scope: Scope = EVERYWHERE
) -> Page[Job]:
    """As `recent`, in pages and by when it was asked for. Raises Invalid for a cursor that no page gave."""
    found: list[Job] = []
    total, kinds = 0, tuple(Kind) if kind is None else (kind,)
    for one in kinds:
        some, count = await _of_kind(service, one, after, limit + 1, scope)
        found, total = [*found, *some], total + count
    items = sorted(found, key=lambda job: job.id, reverse=True)
    return Page(tuple(items[:limit]), items[limit - 1].id if len(items) > limit else None, total)


async def _of_kind(
    service: Service, kind: Kind, after: str | None, limit: int, scope: Scope
) -> tuple[Iterable[Job], int]:
    """So many of them, and how many there are in all."""
    if kind is Kind.SCAN:
        scans = await service.scans.listed(after, limit, scope)
        return map(of_scan, scans.items), scans.total
    if kind is Kind.PLAN:
        plans = await service.plans.listed(after, limit, scope)
        return map(of_plan, plans.items), plans.total
    if kind is Kind.ROTATION:
        rotations = await service.rotations.listed(after, limit, scope)
        return map(of_rotation, rotations.items), rotations.total
    rollouts = await service.rollouts.listed(after, limit, scope)
    return map(of_rollout, rollouts.items), rollouts.total


async def of_camera(service: Service, camera: str, scope: Scope = EVERYWHERE) -> tuple[Job, ...]:
    """The last plan, the last change of a password and the last rollout that this camera was part of."""
    plans = map(of_plan, await service.plans.of_camera(camera, scope=scope))
    rotations = map(of_rotation, await service.rotations.of_camera(camera, scope=scope))
    rollouts = map(of_rollout, await service.rollouts.of_camera(camera, scope=scope))
    return newest_first([*plans, *rotations, *rollouts])


def newest_first(jobs: Iterable[Job]) -> tuple[Job, ...]:
    return tuple(sorted(jobs, key=lambda job: job.at, reverse=True))

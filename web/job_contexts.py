"""What the pages of plans and jobs show: as in `web.contexts`, one frozen dataclass per template."""

from collections.abc import Mapping
from dataclasses import dataclass

from fleet.jobs.model import Job as StoredJob
from fleet.jobs.queue import JobFilter
from fleet.jobs.rows import JobEventView
from fleet.jobs.states import JobState
from fleet.plans.runner import PlanCameraView, PlanEventView, PlanView
from fleet.rollouts.bundles import BundleView
from fleet.rollouts.rows import EventView, GroupView, RolloutView, TargetRow
from fleet.rotations.runner import RotationView
from fleet.schedules.rows import NewSchedule, ScheduleView, What
from fleet.views import DeviceRow, Page
from fleet.work import Job


@dataclass(frozen=True, slots=True)
class Jobs:
    """All work in one list: the `recent` jobs of one `kind`, or of all where it is ""."""

    recent: tuple[Job, ...]
    kind: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Cameras to choose from: the `page` that fits `wanted`, or those that a link named.

    `chosen` are ids that are ticked; `kept` are the other words of the address, which a search must not lose, and
    `query` is all of it.
    """

    page: Page[DeviceRow]
    wanted: str
    chosen: frozenset[str]
    kept: tuple[tuple[str, str], ...]
    query: str


@dataclass(frozen=True, slots=True)
class BaselineChoice:
    """A baseline to choose: `id` is its value in the form, `name` what people read, `wants` its settings in words."""

    id: str
    name: str
    wants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NewPlan:
    """The form of a plan: `choice` of cameras and `baselines`; `picked` is the baseline that is ticked.

    `text` is a baseline as it was typed. `mistake` says what to correct.
    """

    choice: Choice
    baselines: tuple[BaselineChoice, ...]
    picked: str
    text: str
    mistake: str


@dataclass(frozen=True, slots=True)
class Plan:
    """One plan (`view`), and as a `job`; the `cameras` of this part of it, and the position where the next one begins.

    `following` is `None` on the last part. `offered` are the orders that may be given now; `needs_another` says that
    approving is not for this visitor, who made it. `history` is what happened to it as a whole and `steps` what
    happened to its cameras, the newest first, with `names` of the cameras. `mistake` says why an order was not taken.
    """

    view: PlanView
    job: Job
    cameras: tuple[PlanCameraView, ...]
    following: int | None
    offered: frozenset[str]
    needs_another: bool
    history: tuple[PlanEventView, ...]
    steps: tuple[PlanEventView, ...]
    names: Mapping[str, str]
    mistake: str


@dataclass(frozen=True, slots=True)
class NewRotation:
    """The form of a change of passwords: `choice` of cameras; `account` as it was typed, "" is our own.

    `known` where a finding of a default password led here: account and present password are its.
    `mistake` says what to correct.
    """

    choice: Choice
    account: str
    known: bool
    mistake: str


@dataclass(frozen=True, slots=True)
class Rotation:
    """One change of passwords (`view`), and as a `job`; `unclear` are the ids of cameras that may have either one."""

    view: RotationView
    job: Job
    unclear: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rollouts:
    """The imported `bundles`, and the `recent` rollouts as jobs."""

    bundles: tuple[BundleView, ...]
    recent: tuple[Job, ...]


@dataclass(frozen=True, slots=True)
class NewRollout:
    """The form of a rollout: `choice` of cameras and of `bundles`; `typed` are its fields by name.

    `mistake` says what to correct.
    """

    choice: Choice
    bundles: tuple[BundleView, ...]
    typed: Mapping[str, str]
    mistake: str


@dataclass(frozen=True, slots=True)
class Rollout:
    """One rollout (`view`) of a `bundle`, and as a `job`; its `groups`, and the `targets` of this part of the list.

    `following` is the cursor of the next part, `None` on the last. `bound` is how many cameras a bad image reaches at
    most. `offered` are the orders that may be given now, `retried` the ids of targets that may be tried again;
    `needs_another` says that approving is not for this visitor, who made it.
    `history` is what happened to it, the newest first. `mistake` says why an order was not taken.
    """

    view: RolloutView
    bundle: BundleView
    job: Job
    groups: tuple[GroupView, ...]
    targets: tuple[TargetRow, ...]
    following: str | None
    bound: int | None
    offered: frozenset[str]
    needs_another: bool
    retried: frozenset[str]
    history: tuple[EventView, ...]
    mistake: str


@dataclass(frozen=True, slots=True)
class Queue:
    """A `page` of stored jobs; `kinds`, `sites` and the `counts` of states to filter by, and what is `wanted` now.

    `query` are the words of the filter as an address has them; `going` says that something happens by itself.
    """

    page: Page[StoredJob]
    kinds: tuple[str, ...]
    sites: tuple[str, ...]
    counts: Mapping[JobState, int]
    wanted: JobFilter
    query: str
    going: bool


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """One `job` of the queue, its `history`, the newest first, and the `orders` that may be given now.

    `mistake` says why one was not taken.
    """

    job: StoredJob
    history: tuple[JobEventView, ...]
    orders: tuple[str, ...]
    mistake: str


@dataclass(frozen=True, slots=True)
class Timed:
    """A schedule (`view`) with its next times as the clock of its `view.zone` shows them (`shown`)."""

    view: ScheduleView
    shown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Schedules:
    """The `known` schedules by name, and the form: `typed` as it was, of a new one or in place of `before` ("" is new).

    `whats` is what can begin by itself, `sites` where. `mistake` says what to correct.
    """

    known: tuple[Timed, ...]
    typed: NewSchedule
    before: str
    whats: tuple[What, ...]
    sites: tuple[str, ...]
    mistake: str


PAGES: Mapping[type, str] = {
    Queue: "queue.html",
    QueuedJob: "queued_job.html",
    Schedules: "schedules.html",
    Jobs: "jobs.html",
    NewPlan: "new_plan.html",
    Plan: "plan.html",
    NewRotation: "new_rotation.html",
    Rotation: "rotation.html",
    Rollouts: "rollouts.html",
    NewRollout: "new_rollout.html",
    Rollout: "rollout.html",
}

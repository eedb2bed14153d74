"""What a job is, what its function may say, and what a runner needs to know of a kind."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any, NewType, Protocol

from fleet.jobs.states import JobState

JobId = NewType("JobId", str)
MOST_NOTE = 500
MOST_PAYLOAD = 8192


class Priority(IntEnum):
    """The smaller goes first; among equals the older."""

    ASKED = 10
    WORK = 50
    CLOCK = 90


class Asked(StrEnum):
    """What somebody wants of a job that runs; it happens at the end of its step. `HURRY`: that it goes on at once."""

    NOTHING = ""
    HURRY = "hurry"
    PAUSE = "pause"
    CANCEL = "cancel"

    @property
    def ends_it(self) -> bool:
        return self in {Asked.PAUSE, Asked.CANCEL}


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` (0: nobody knows), and what is being done."""

    done: int = 0
    total: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it is stored. `work` names what it belongs to, such as "scan:<id>"; `key` keeps it from being twice.

    `holder` has it until `lease_until`, while it runs. `tries` counts failures since it last went well, `losses`
    processes that ended while they had it. `payload` is small and without secrets.
    """

    id: JobId
    kind: str
    camera: str | None
    site: str | None
    work: str
    key: str | None
    state: JobState
    priority: int
    not_before: datetime
    tries: int
    losses: int
    holder: str | None
    lease_until: datetime | None
    asked: Asked
    actor: str
    payload: Mapping[str, Any]
    progress: Progress
    result: str
    reason: str
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewJob:
    """What is asked for. While a job with the same `key` is unfinished, there is no second one."""

    kind: str
    actor: str
    camera: str | None = None
    site: str | None = None
    work: str = ""
    key: str | None = None
    priority: Priority = Priority.WORK
    not_before: datetime | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)


# --- what a function says at the end of a step ---


@dataclass(frozen=True, slots=True)
class Done:
    result: str = ""


@dataclass(frozen=True, slots=True)
class Again:
    """This step is over, the job is not: call once more, not before `at` (`None`: at once). It keeps its camera."""

    at: datetime | None = None
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """`final`: another try would fail as well."""

    reason: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class PutBack:
    """The step was cut off: it goes on, or begins anew, here or elsewhere, and keeps its camera until then."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The step ended early because that was asked of it."""

    reason: str = ""


Next = Done | Again | Failed | PutBack | Stopped


class Turn(Protocol):
    """One call of a job's function: the job, and the two things that it may do meanwhile."""

    @property
    def job(self) -> Job: ...

    @property
    def asked(self) -> Asked:
        """What is wanted of it now. A long step may look, and end between two of its own steps."""

    @property
    def stopping(self) -> asyncio.Event:
        """Set once the service stops: a long step then ends between two of its own, and says that it was cut off."""

    def say(self, progress: Progress) -> None:
        """Where it is. Kept within a second or so; only the newest counts."""


Step = Callable[[Turn], Awaitable[Next]]


async def nothing_more(_job: Job) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the table of kinds: the function, and what the queue must know before it hands a job of it out.

    `changes_camera`: only one such job of any kind runs on a camera at any time. `at_once` and `per_site` bound how
    many run; `most_tries` how often a failure is tried again. `cut_short`: where it is stopped, or the service is, its
    step is cancelled; the steps of others come to their end. `ended` is told of a job that was cancelled, or given
    up, without a word of its function, where work has rows of its own. `kept` is how long a finished one is remembered.
    """

    name: str
    step: Step
    changes_camera: bool = False
    at_once: int = 8
    per_site: int | None = None
    most_tries: int = 5
    cut_short: bool = False
    pausable: bool = True
    ended: Callable[[Job], Awaitable[None]] = nothing_more
    kept: timedelta = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a step."""

    job: JobId
    next: Next | Progress


class Desk(Protocol):
    """Where a runner gets its jobs and hands in what became of them: the store of this service, or a network away."""

    async def claim(self, room: int) -> Sequence[Job]:
        """At most that many jobs, which are the caller's until their lease runs out."""

    async def renew(self, jobs: Sequence[JobId]) -> Mapping[JobId, Asked]:
        """Those that are still the caller's, and what is asked of each. Whichever is missing is lost: stop it."""

    async def report(self, reports: Sequence[Report]) -> None:
        """All of them or none. What comes of a job that is not the caller's any more counts for nothing."""

    async def heard(self, at_most_s: float) -> None:
        """Waits until there may be something new, and no longer than that."""

    def wake(self) -> None:
        """Ends `heard`."""

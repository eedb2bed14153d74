"""The life of a job: one table of what may follow what. Pure.

`python -m fleet.jobs.states` prints the diagram of docs/jobs.md.
"""

import sys
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class JobState(StrEnum):
    """`waiting` has a time before which it is not due; `paused` waits for a person."""

    QUEUED = "queued"
    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        return self in FINAL


class Move(StrEnum):
    """What happens to a job. Each is also the name of a line of its history."""

    CLAIM = "claim"
    DUE = "due"
    AGAIN = "again"
    RETRY = "retry"
    PUT_BACK = "put-back"
    FINISH = "finish"
    FAIL = "fail"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    RUN_AGAIN = "run-again"


FINAL = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED})
_QUEUED, _WAITING, _RUNNING, _PAUSED, _DONE, _FAILED, _CANCELLED = JobState

# What is not in the table does not happen. A step that runs is not cut off: pause and cancel wait for its end.
TRANSITIONS: Mapping[tuple[JobState, Move], JobState] = MappingProxyType(
    {
        (_QUEUED, Move.CLAIM): _RUNNING,
        (_QUEUED, Move.PAUSE): _PAUSED,
        (_QUEUED, Move.CANCEL): _CANCELLED,
        (_WAITING, Move.DUE): _QUEUED,
        (_WAITING, Move.PAUSE): _PAUSED,
        (_WAITING, Move.CANCEL): _CANCELLED,
        (_RUNNING, Move.AGAIN): _WAITING,
        (_RUNNING, Move.RETRY): _WAITING,
        (_RUNNING, Move.PUT_BACK): _QUEUED,
        (_RUNNING, Move.FINISH): _DONE,
        (_RUNNING, Move.FAIL): _FAILED,
        (_RUNNING, Move.PAUSE): _PAUSED,
        (_RUNNING, Move.CANCEL): _CANCELLED,
        (_PAUSED, Move.RESUME): _QUEUED,
        (_PAUSED, Move.CANCEL): _CANCELLED,
        (_FAILED, Move.RUN_AGAIN): _QUEUED,
        (_CANCELLED, Move.RUN_AGAIN): _QUEUED,
    }
)


def after(state: JobState, move: Move) -> JobState | None:
    """`None` where that does not happen."""
    return TRANSITIONS.get((state, move))


def diagram() -> str:
    """The table as a Mermaid diagram."""
    lines = ["stateDiagram-v2", "    [*] --> queued", "    [*] --> waiting"]
    lines += [f"    {state} --> {to}: {move}" for (state, move), to in TRANSITIONS.items()]
    lines += [f"    {state} --> [*]" for state in JobState if state.final]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(diagram())

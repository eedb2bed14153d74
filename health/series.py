"""Many judgements of one camera become few alarms: usual values, N of M, and a way back. Pure: state in, state out.

A fault counts in one check where it is more than just noticeable, and unusual for this camera in this light. It is
raised when it counted in three of the last four checks, and over when two checks in a row were clearly without it.
Weather lasts for hours, so textbook control charts (EWMA, CUSUM) would alarm with it.
"""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal

NEEDED, OF = 3, 4
CALM_NEEDED = 2
# The same fault again within a day is the same incident: it is opened again, and nobody is told twice.
REFRACTORY = timedelta(hours=24)
# What is only just noticeable is shown, but counts for nothing where weather, dusk and parked cars reach that far.
LEAST_LEVEL: Mapping[str, float] = MappingProxyType({"obstruction": 0.35, "dark": 0.25, "colour": 0.18})
UNUSUAL_Z = 4.0
LEAST_SPREAD = 0.1
ENOUGH_USUAL = 12
MOST_USUAL = 48
NO_PICTURE = "no-picture"
_MAD_TO_SD = 1.4826
ChangeKind = Literal["raised", "reopened", "cleared"]


@dataclass(frozen=True, slots=True)
class Reading:
    """One check. `levels`: fault to level, zero is noticeable; `shown`: the faults that stand in its judgement.

    A check without a judgement ("unknown") is not given to `follow` at all: silence proves nothing either way.
    """

    at: datetime
    condition: str
    levels: Mapping[str, float]
    shown: frozenset[str]


@dataclass(frozen=True, slots=True)
class Change:
    kind: ChangeKind
    fault: str
    at: datetime
    level: float


@dataclass(frozen=True, slots=True)
class Watch:
    """One fault of one camera: the last checks (newest last), since when it is raised, when it was last over."""

    counted: tuple[bool, ...] = ()
    calm: int = 0
    raised_at: datetime | None = None
    cleared_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """What is remembered of one camera. `usual`: levels of good checks by "condition/fault", newest last."""

    watches: Mapping[str, Watch] = field(default_factory=dict)
    usual: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @property
    def raised(self) -> frozenset[str]:
        return frozenset(fault for fault, watch in self.watches.items() if watch.raised_at)


def follow(series: Series, reading: Reading) -> tuple[Series, tuple[Change, ...]]:
    watches, changes = dict(series.watches), []
    for fault, level in reading.levels.items():
        least = threshold(fault, series.usual.get(f"{reading.condition}/{fault}", ()))
        counts = fault in reading.shown and level >= least
        watch, change = _watched(watches.get(fault, Watch()), reading.at, counts=counts, calm=level < 0)
        watches[fault] = watch
        if change:
            changes.append(Change(change, fault, reading.at, level))
    following = replace(series, watches=watches)
    if not reading.shown and not following.raised:  # the fault itself must never become usual
        following = replace(following, usual=_learnt(series.usual, reading))
    return following, tuple(changes)


def threshold(fault: str, usual: tuple[float, ...]) -> float:
    """From which level on a fault counts: by the fixed limit, and by its median and spread unusual for this camera."""
    least = LEAST_LEVEL.get(fault, 0.0)
    if len(usual) < ENOUGH_USUAL:
        return least
    middle = statistics.median(usual)
    spread = _MAD_TO_SD * statistics.median(abs(value - middle) for value in usual)
    return max(least, middle + UNUSUAL_Z * max(spread, LEAST_SPREAD))


def _watched(watch: Watch, at: datetime, *, counts: bool, calm: bool) -> tuple[Watch, ChangeKind | None]:
    counted = (*watch.counted, counts)[-OF:]
    calm_for = watch.calm + 1 if calm else 0
    watch = replace(watch, counted=counted, calm=calm_for)
    if watch.raised_at is None and sum(counted) >= NEEDED:
        again = watch.cleared_at is not None and at - watch.cleared_at < REFRACTORY
        return replace(watch, raised_at=at), "reopened" if again else "raised"
    if watch.raised_at is not None and calm_for >= CALM_NEEDED:
        return Watch(cleared_at=at), "cleared"
    return watch, None


def _learnt(usual: Mapping[str, tuple[float, ...]], reading: Reading) -> Mapping[str, tuple[float, ...]]:
    learnt = dict(usual)
    for fault, level in reading.levels.items():
        key = f"{reading.condition}/{fault}"
        learnt[key] = (*learnt.get(key, ()), round(level, 3))[-MOST_USUAL:]
    return learnt


def wants_a_second_look(series: Series) -> bool:
    """A fault counted in the newest check and is not raised yet: look again in minutes instead of an hour."""
    return any(watch.counted[-1:] == (True,) and watch.raised_at is None for watch in series.watches.values())


# --- as JSON ----------------------------------------------------------------------------------------------------------


def to_plain(series: Series) -> dict[str, Any]:
    return {
        "watches": {
            fault: {
                "counted": list(watch.counted),
                "calm": watch.calm,
                "raised_at": watch.raised_at and watch.raised_at.isoformat(),
                "cleared_at": watch.cleared_at and watch.cleared_at.isoformat(),
            }
            for fault, watch in series.watches.items()
        },
        "usual": {key: list(values) for key, values in series.usual.items()},
    }


def from_plain(plain: Mapping[str, Any]) -> Series:
    """What `to_plain` gave, from our own store. Raises KeyError, ValueError or TypeError for anything else."""
    return Series(
        watches={
            fault: Watch(
                counted=tuple(bool(one) for one in watch["counted"]),
                calm=int(watch["calm"]),
                raised_at=_moment(watch["raised_at"]),
                cleared_at=_moment(watch["cleared_at"]),
            )
            for fault, watch in plain["watches"].items()
        },
        usual={key: tuple(float(one) for one in values) for key, values in plain["usual"].items()},
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None

"""What many cameras of a site show at once has one cause: weather, power, a changed lamp. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

TOGETHER = timedelta(hours=2)
LEAST_CAMERAS = 3
LEAST_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Raised:
    """One camera's fault, as `health.series` raised it."""

    camera: str
    site: str
    fault: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Incident:
    """`cameras` in the order in which they showed it; `shared` where that many did at once that it is the site's."""

    site: str
    fault: str
    started_at: datetime
    cameras: tuple[str, ...]
    shared: bool


def gather(raised: Iterable[Raised], cameras_at: Mapping[str, int]) -> tuple[Incident, ...]:
    """One incident per camera and fault, or one for the site where at least three cameras and 30 % of them agree.

    `cameras_at`: how many cameras each site has.
    """
    incidents: list[Incident] = []
    by_kind: dict[tuple[str, str], list[Raised]] = {}
    for one in sorted(raised, key=lambda one: one.at):
        by_kind.setdefault((one.site, one.fault), []).append(one)
    for (site, fault), events in by_kind.items():
        for group in _together(events):
            cameras = tuple(dict.fromkeys(one.camera for one in group))
            if len(cameras) >= enough(cameras_at.get(site, 0)):
                incidents.append(Incident(site, fault, group[0].at, cameras, shared=True))
            else:
                incidents += [Incident(site, fault, one.at, (one.camera,), shared=False) for one in group]
    return tuple(sorted(incidents, key=lambda one: (one.started_at, one.cameras)))


def enough(cameras: int) -> int:
    """From how many cameras on a fault is the site's."""
    return max(LEAST_CAMERAS, math.ceil(LEAST_SHARE * cameras))


def _together(events: Sequence[Raised]) -> list[list[Raised]]:
    groups: list[list[Raised]] = []
    for one in events:
        if groups and one.at - groups[-1][0].at <= TOGETHER:
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups

"""Who is where at a moment. Any moment can be asked for: nothing is simulated forward."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from simulator.scenes.dice import chance, dice
from simulator.scenes.model import DAY_S, HOUR_S, Kind
from simulator.scenes.places import Bay, Path

SLOT_S = {"person": 3.0, "vehicle": 4.0}
PARKED_S = 3 * HOUR_S
STANDS_S = 20.0
MOST_COMERS = 2048
_TRACK_BITS = 32

WORKDAY = (2, 1, 1, 1, 3, 10, 30, 70, 90, 55, 50, 60, 85, 75, 55, 60, 80, 100, 75, 45, 30, 20, 12, 6)
DAY_OFF = (6, 4, 2, 1, 1, 3, 8, 15, 30, 50, 65, 70, 65, 65, 70, 65, 55, 45, 40, 35, 28, 22, 16, 10)
"""Traffic of each hour, in per cent of the busiest."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody at a moment: metres on the ground, the way it faces (radians from x towards z), metres walked."""

    kind: Kind
    track: int
    x: float
    z: float
    heading: float
    walked_m: float
    moves: bool
    looks: int


def busy(t_s: float) -> float:
    """How busy this moment of the week is, 0 to 1. The week begins at 0 s, on a Monday."""
    day = int(t_s // DAY_S) % 7
    hours = WORKDAY if day < 5 else DAY_OFF  # noqa: PLR2004 - Saturday
    hour = t_s % DAY_S / HOUR_S
    low = int(hour)
    return (hours[low] + (hours[(low + 1) % 24] - hours[low]) * (hour - low)) / 100


class Traffic:
    """All traffic of one place."""

    def __init__(self, seed: int, paths: Sequence[Path], bays: Sequence[Bay]) -> None:
        self._seed = seed
        self._paths = tuple(paths)
        self._bays = tuple(bays)
        self._lengths = tuple(sum(math.dist(a, b) for a, b in pairwise(path.points)) for path in paths)
        self._density = dice(seed * 31 + 5).uniform(0.5, 1.6)
        self._comers: dict[tuple[int, int], _Comer | None] = {}

    def at(self, t_s: float) -> Iterator[Actor]:
        for number, path in enumerate(self._paths):
            slot_s = SLOT_S[path.kind]
            longest_s = self._lengths[number] / (path.speed_m_s * 0.8) + STANDS_S
            for slot in range(int((t_s - longest_s) // slot_s), int(t_s // slot_s) + 1):
                comer = self._comer(number, slot)
                if comer is not None:
                    yield from self._where(number, comer, t_s)
        yield from self._parked(t_s)

    def newcomer(self, t_s: float, yaw: float) -> Actor | None:
        """A vehicle where none stood, as near to the middle of the picture as there is room: in a bay or on a lane."""
        taken = {(actor.x, actor.z) for actor in self._parked(t_s)}
        lanes = [path.points[0][1] for path in self._paths if path.kind == "vehicle" and path.points[0][0] < -50]  # noqa: PLR2004 - metres
        kerbs = [Bay(float(x), level - 0.6, 0) for level in lanes for x in range(-40, 41, 4)]
        room = [bay for bay in (*self._bays, *kerbs) if (bay.x, bay.z) not in taken]
        if not room:
            return None
        bay = min(room, key=lambda bay: abs(math.atan2(bay.x, bay.z) - yaw) + abs(math.hypot(bay.x, bay.z) - 16) / 60)
        track = (1 << 30) | (self._seed & 0xFFFF)
        return Actor("vehicle", track, bay.x, bay.z, bay.heading, 0, moves=False, looks=track)

    def _comer(self, number: int, slot: int) -> "_Comer | None":
        key = (number, slot)
        if key not in self._comers:
            if len(self._comers) >= MOST_COMERS:
                self._comers.clear()
            self._comers[key] = self._who_comes(number, slot)
        return self._comers[key]

    def _who_comes(self, number: int, slot: int) -> "_Comer | None":
        path = self._paths[number]
        slot_s = SLOT_S[path.kind]
        rng = dice((self._seed * 1_000_003 + number) * 1_000_000_007 + slot)
        if rng.random() >= path.per_hour * self._density * busy(slot * slot_s) * slot_s / HOUR_S:
            return None
        person = path.kind == "person"
        return _Comer(
            slot=slot,
            since_s=(slot + rng.random() * 0.7) * slot_s,
            speed_m_s=path.speed_m_s * (rng.uniform(0.8, 1.2) if person else 1.0),
            stray_m=rng.uniform(-path.stray_m, path.stray_m),
            stands_at=rng.uniform(0.3, 0.7),
            stands_s=rng.uniform(4, STANDS_S) if person and chance(rng, 0.2) else 0.0,
            companion=person and chance(rng, 0.22),
            looks=rng.getrandbits(30),
        )

    def _where(self, number: int, comer: "_Comer", t_s: float) -> Iterator[Actor]:
        path, length = self._paths[number], self._lengths[number]
        gone_s = t_s - comer.since_s
        stop_s = comer.stands_at * length / comer.speed_m_s
        stands = bool(comer.stands_s) and stop_s <= gone_s < stop_s + comer.stands_s
        walked = comer.speed_m_s * (gone_s if gone_s < stop_s else max(stop_s, gone_s - comer.stands_s))
        if not 0 <= walked <= length:
            return
        track = (number * 0x9E3779B1 + comer.slot * 2) % (1 << _TRACK_BITS)
        for member in range(2 if comer.companion else 1):
            x, z, heading = _along(path.points, walked - 0.25 * member, comer.stray_m + 0.75 * member)
            looks = comer.looks + 7919 * member
            walked_m = 0.0 if stands else walked + 0.6 * member
            yield Actor(path.kind, track + member, x, z, heading, walked_m, moves=not stands, looks=looks)

    def _parked(self, t_s: float) -> Iterator[Actor]:
        for number, bay in enumerate(self._bays):
            block = int((t_s + number * 1511) // PARKED_S)
            rng = dice((self._seed * 7_368_787 + number) * 1_000_000_007 + block)
            if chance(rng, 0.12) + 0.5 * busy(block * PARKED_S - number * 1511):
                track = (0x40000000 + number * 4096 + block % 4096) % (1 << _TRACK_BITS)
                looks = rng.getrandbits(30)
                yield Actor("vehicle", track, bay.x, bay.z, bay.heading, 0, moves=False, looks=looks)


@dataclass(frozen=True, slots=True)
class _Comer:
    slot: int
    since_s: float
    speed_m_s: float
    stray_m: float
    stands_at: float
    stands_s: float
    companion: bool
    looks: int


def _along(points: Sequence[tuple[float, float]], walked_m: float, stray_m: float) -> tuple[float, float, float]:
    """Where one is after so many metres, so far to the left of the line."""
    left_m = max(0.0, walked_m)
    for place, (start, end) in enumerate(pairwise(points)):
        length = math.dist(start, end)
        if left_m <= length or place == len(points) - 2:
            break
        left_m -= length
    share = left_m / length
    heading = math.atan2(end[1] - start[1], end[0] - start[0])
    x = start[0] + (end[0] - start[0]) * share - math.sin(heading) * stray_m
    return x, start[1] + (end[1] - start[1]) * share + math.cos(heading) * stray_m, heading

"""Is the judgement of pictures right? Cameras of rendered scenes over compressed days, and faults one after the other.

Each camera lives through days of hourly checks with weather, shadows, traffic and vibration: what is raised then is a
false alarm. Then, from what it remembers, it is struck by one fault at a time: was it raised, and by its name? The
pictures go straight to the judgement that the service uses; the coding of pictures is measured apart.
"""

import os
import random
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from cameras.decoding_child import reduction, resized
from health.checking import check
from health.conditions import Condition, plausible
from health.incidents import Raised, gather
from health.judge import judge
from health.looks import SIZE, Picture, at_size, look_at
from health.reference import Reference, build, of_picture
from health.series import Reading, Series, follow
from simulator.scenes import BENIGN, Benign, PictureFault, Scene

CAMERAS, DAYS = 60, 7
QUICK_CAMERAS, QUICK_DAYS = 4, 1
PER_SITE = 10
BURST, GAP_S = 3, 6.0
PROCESSES = 2
CHECKS_OF_A_FAULT = 6
START = datetime(2026, 5, 4, tzinfo=UTC)
HOUR_S = 3600
HOURS_A_YEAR = 8766

REFERENCE_HOURS: Mapping[Condition, tuple[float, ...]] = {
    Condition.DAY: (8, 10, 12, 14, 16, 17.5),
    Condition.DUSK: (6.3, 6.7, 18.3, 19),
    Condition.NIGHT_IR: (0, 2, 4, 20, 22, 23),
}
# By what name each rendered fault is right. Of a black picture a cover and no light look the same.
RIGHT: Mapping[str, frozenset[str]] = {
    "covered": frozenset({"obstruction"}),
    "moved": frozenset({"moved"}),
    "defocused": frozenset({"defocus"}),
    "dark": frozenset({"dark"}),
    "bright": frozenset({"bright"}),
    "ir-cut-stuck": frozenset({"colour"}),
    "colour-cast": frozenset({"colour"}),
    "frozen": frozenset({"frozen"}),
    "noise": frozenset({"noise"}),
    "no-picture": frozenset({"dark", "obstruction", "frozen"}),
}
# As strong as is worth a visit; weaker ones are within what the weather does.
SEVERITIES: Mapping[str, tuple[float, float]] = {
    "covered": (0.3, 1.0),
    "moved": (0.15, 1.0),
    "defocused": (0.3, 1.0),
    "dark": (0.75, 1.0),
    "bright": (0.6, 1.0),
    "ir-cut-stuck": (0.5, 1.0),
    "colour-cast": (0.5, 1.0),
    "frozen": (1.0, 1.0),
    "noise": (0.4, 1.0),
    "no-picture": (1.0, 1.0),
}
# By night there is no colour to be wrong.
BY_DAY_ONLY = frozenset({"ir-cut-stuck", "colour-cast"})
SHARED_WEATHER = ("clouds", "rain", "light")


@dataclass(frozen=True, slots=True)
class Life:
    """One camera's week and its faults. `raised` and `wrong` are of the days without a fault."""

    camera: int
    checks: int
    raised: tuple[tuple[str, float], ...]
    unknown: int
    struck: tuple[tuple[str, bool, bool], ...]
    judge_s: float


@dataclass(frozen=True, slots=True)
class Memory:
    series: Series
    good: tuple[tuple[datetime, Condition], ...]


def measure(*, quick: bool, sizes: tuple[int, ...] | None) -> dict[str, Any]:
    cameras = sizes[0] if sizes else QUICK_CAMERAS if quick else CAMERAS
    days = QUICK_DAYS if quick else DAYS
    started = time.monotonic()
    with ProcessPoolExecutor(PROCESSES, initializer=_modest) as pool:
        lives = list(pool.map(_live, range(cameras), [days] * cameras, [quick] * cameras))
    cost = cost_of_one_judgement()
    found = _summed(lives, cost)
    _show(lives, found, time.monotonic() - started)
    return found


def _modest() -> None:
    os.nice(10)
    cv2.setNumThreads(1)


def _live(camera: int, days: int, quick: bool) -> Life:  # noqa: FBT001 - a column of pool.map
    scene = Scene(camera)
    references = _references(scene, every=2 if quick else 1)
    hours = range(24, 24 * (days + 1), 2 if quick else 1)
    # Drawn by the hour of the day: a scene keeps what the sun lights at that hour, and the days share it.
    drawn = {
        hour: _burst(scene, _moment(camera, hour), (), _weather(camera, hour))
        for hour in sorted(hours, key=lambda hour: (hour % 24, hour))
    }
    memory, raised, unknown, spent = Memory(Series(), ()), list[tuple[str, float]](), 0, 0.0
    for hour in hours:
        before = time.process_time()
        memory, names, is_unknown = _checked(references, drawn.pop(hour), _moment(camera, hour), memory)
        spent += time.process_time() - before
        unknown += is_unknown
        raised += [(name, _moment(camera, hour)) for name in names]
    struck = _struck(scene, references, memory, camera, 3 if quick else 5, days)
    return Life(camera, len(hours), tuple(raised), unknown, struck, spent)


def _moment(camera: int, hour: int) -> float:
    return hour * HOUR_S + random.Random(f"{camera}/{hour}").uniform(0, 600)  # noqa: S311 - jitter


def _references(scene: Scene, *, every: int) -> Mapping[Condition, Reference]:
    """Approved on the day before."""
    return {
        condition: build(
            [_burst(scene, hour * HOUR_S, (), ()) for hour in hours[::every]],
            condition=condition,
            approved_by="bench",
            approved_at=START,
        )
        for condition, hours in REFERENCE_HOURS.items()
    }


def _burst(scene: Scene, t_s: float, faults: Sequence[PictureFault], benign: Sequence[Benign]) -> list[Picture]:
    """At the size that is judged, and no larger: a week of them is held."""
    return [at_size(scene.view(t_s + i * GAP_S, faults=faults, benign=benign).picture) for i in range(BURST)]


def _weather(camera: int, hour: int) -> list[Benign]:
    """Some things happen to all cameras of a site for some hours, others to one camera for an hour."""
    happening = []
    for name in BENIGN:
        shared = name in SHARED_WEATHER
        where = f"site {camera // PER_SITE}" if shared else f"camera {camera}"
        chance = random.Random(f"{where}/{name}/{hour // (3 if shared else 1)}")  # noqa: S311 - repeatable
        if chance.random() < (0.08 if name == "light" else 0.2):
            happening.append(Benign(name, chance.uniform(0.2, 1.0)))
    return happening


def _checked(
    references: Mapping[Condition, Reference], burst: list[Picture], t_s: float, memory: Memory
) -> tuple[Memory, list[str], bool]:
    at = START + timedelta(seconds=t_s)
    likely = plausible(memory.good, at)
    result = check(references, burst, spans_s=GAP_S * (BURST - 1), plausible=likely)
    good = (*memory.good, (at, result.condition)) if result.verdict.value == "ok" else memory.good
    reading: Reading | None = result.reading(at)
    if reading is None:
        return Memory(memory.series, good), [], True
    series, changes = follow(memory.series, reading)
    return Memory(series, good), [change.fault for change in changes if change.kind != "cleared"], False


def _struck(  # noqa: PLR0917 - the faults of one camera
    scene: Scene, references: Mapping[Condition, Reference], memory: Memory, camera: int, count: int, days: int
) -> tuple[tuple[str, bool, bool], ...]:
    """Each fault by itself: its name, whether it was raised within six hourly checks, and whether by its name.

    Half of them begin at nine in the morning, half at nine in the evening.
    """
    names = [sorted(RIGHT)[(camera * 5 + number) % len(RIGHT)] for number in range(count)]
    memories = dict.fromkeys(names, memory)
    told: dict[str, set[str]] = {name: set() for name in names}
    for first_hour in (9, 21):
        chosen = [name for name in names if (first_hour == 9) is _by_day(camera, name)]  # noqa: PLR2004 - as above
        for hour in range(24 * (days + 1) + first_hour, 24 * (days + 1) + first_hour + CHECKS_OF_A_FAULT):
            for name in chosen:
                burst = _burst(scene, hour * HOUR_S, (_fault(camera, name),), _weather(camera, hour))
                memories[name], raised, _ = _checked(references, burst, hour * HOUR_S, memories[name])
                told[name] |= set(raised)
    return tuple((name, bool(told[name]), bool(told[name] & RIGHT[name])) for name in names)


def _by_day(camera: int, name: str) -> bool:
    return name in BY_DAY_ONLY or bool(random.Random(f"{camera}/{name}/when").getrandbits(1))  # noqa: S311 - repeatable


def _fault(camera: int, name: str) -> PictureFault:
    severity = random.Random(f"{camera}/{name}").uniform(*SEVERITIES[name])  # noqa: S311 - repeatable
    return PictureFault(name, severity, since_s=HOUR_S if name == "frozen" else None)


# --- cost -------------------------------------------------------------------------------------------------------------


def cost_of_one_judgement(times: int = 40) -> tuple[float, float, float]:
    """Seconds of CPU, median: to read and judge one 1080p JPEG; for OpenCV to decode it whole; for us to read it."""
    cv2.setNumThreads(1)
    # With the noise of a sensor a coded picture is as large as that of a camera, about 350 KiB.
    noise = np.random.default_rng(5).normal(0, 5, (1080, 1920, 3))
    picture = np.clip(Scene(3).view(12 * HOUR_S, size=(1920, 1080)).picture + noise, 0, 255).astype(np.uint8)
    coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    view = of_picture(picture, condition=Condition.DAY, approved_by="bench", approved_at=START)
    flag = reduction(1920, 1080, *SIZE)

    def read() -> Picture:
        return resized(np.asarray(cv2.imdecode(coded, flag), np.uint8), *SIZE)

    def ours() -> None:
        judge(view, look_at(read()))

    def whole() -> None:
        cv2.imdecode(coded, cv2.IMREAD_COLOR)

    ours()
    rounds = [(_cpu_s(ours), _cpu_s(whole), _cpu_s(read)) for _ in range(times)]
    first, second, third = (statistics.median(column) for column in zip(*rounds, strict=True))
    return first, second, third


def _cpu_s(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


# --- what came of it --------------------------------------------------------------------------------------------------


def _summed(lives: Sequence[Life], cost: tuple[float, float, float]) -> dict[str, Any]:
    years = sum(life.checks for life in lives) / HOURS_A_YEAR
    false = _false_alarms(lives)
    hits: dict[str, list[bool]] = defaultdict(list)
    named = []
    for name, raised, right in (one for life in lives for one in life.struck):
        hits[name].append(raised)
        if raised:
            named.append(right)
    ours, whole, reading_s = cost
    judged_s = sum(life.judge_s for life in lives) / sum(life.checks for life in lives)
    return {
        "camera_years": round(years, 3),
        "false_per_camera_year": round(false / years, 2),
        "recall_by_fault": {name: round(float(np.mean(hits[name])), 3) for name in sorted(hits)},
        "named_rightly": round(float(np.mean(named)), 3) if named else None,
        "cost_ratio": round(ours / whole, 3),
        "checks_per_core_hour": int(3600 / (judged_s + BURST * reading_s)),
        "judgement_ms": round(1000 * ours, 2),
        "decode_ms": round(1000 * whole, 2),
        "unknown_share": round(sum(life.unknown for life in lives) / sum(life.checks for life in lives), 4),
        "false_by_fault": dict(Counter(name for life in lives for name, _ in life.raised)),
    }


def _false_alarms(lives: Sequence[Life]) -> int:
    """As incidents: what a site's cameras show together is one."""
    events = [
        Raised(str(life.camera), str(life.camera // PER_SITE), name, START + timedelta(seconds=t_s))
        for life in lives
        for name, t_s in life.raised
    ]
    sizes = Counter(str(life.camera // PER_SITE) for life in lives)
    return len(gather(events, sizes))


def _show(lives: Sequence[Life], found: Mapping[str, Any], seconds: float) -> None:
    table = Table(
        title=f"{len(lives)} cameras, hourly checks of {BURST} pictures, {seconds:.0f} s", title_justify="left"
    )
    for heading in ("fault", "struck", "raised", "by its name"):
        table.add_column(heading)
    struck = [one for life in lives for one in life.struck]
    for name in sorted(RIGHT):
        these = [one for one in struck if one[0] == name]
        if these:
            raised, right = sum(one[1] for one in these), sum(one[2] for one in these)
            table.add_row(name, str(len(these)), str(raised), str(right))
    console = Console(width=150)
    console.print(table)
    console.print(
        f"{found['camera_years']} camera-years without a fault: {found['false_per_camera_year']} false alarms a year; "
        f"one judgement {found['judgement_ms']} ms CPU, decoding the same picture whole {found['decode_ms']} ms"
    )

"""What a rollout is held to. Parsed once, when it is created: what cannot be understood then is refused. Pure."""

import math
import re
from dataclasses import dataclass
from datetime import timedelta

from hardening.windows import Window

MOST_GROUPS = 500
_COUNT = re.compile(r"[0-9]{1,6}", re.ASCII)
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,2})?) ?%", re.ASCII)
_ALL = 100


class RuleError(ValueError):
    """A rule that cannot be used. The text says what to write."""


@dataclass(frozen=True, slots=True)
class Errors:
    """The rollout stops when so many cameras failed in all, or so many percent of one group. One of them is given."""

    count: int | None
    percent: float | None

    def __str__(self) -> str:
        count = [] if self.count is None else [str(self.count)]
        percent = [] if self.percent is None else [f"{self.percent:g}%"]
        return ",".join(count + percent)


@dataclass(frozen=True, slots=True)
class Rules:
    """`canary` is the size of the first group, `growth` how much larger each next one is.

    `expected` is how long one camera takes from its first question to its proof: that long before its end a window
    lets nobody begin. `restart_most` is when a camera that does not come back is given up. `rollback_after` asks the
    cameras that can to go back by themselves, `None` not to. `backup_required`: a camera that gives no backup is left
    alone.
    """

    canary: int
    growth: float
    success_percent: float
    errors: Errors
    in_flight: int
    in_flight_per_site: int
    soak: timedelta
    window: Window | None
    expected: timedelta
    restart_most: timedelta
    offline_most: timedelta
    rollback_after: timedelta | None
    backup_required: bool


def parse_errors(text: str) -> Errors:
    """Of "3", "5%" or "3,5%". Raises RuleError: a threshold that nobody understands must not let a rollout run."""
    count: int | None = None
    percent: float | None = None
    for part in (word.strip() for word in text.split(",")):
        if _COUNT.fullmatch(part) and count is None and int(part) > 0:
            count = int(part)
        elif (found := _PERCENT.fullmatch(part)) and percent is None and 0 < float(found[1]) <= _ALL:
            percent = float(found[1])
        else:
            raise RuleError(f"{text!r} is no error threshold; write a number from 1 on, a percentage, or both: 3,5%")
    return Errors(count, percent)


def parse_percent(text: str) -> float:
    """Of "95%" or "95". Raises RuleError."""
    found = _PERCENT.fullmatch(text.strip()) or _PERCENT.fullmatch(f"{text.strip()}%")
    if found is None or not 0 < float(found[1]) <= _ALL:
        raise RuleError(f"{text!r} is no success threshold; write a percentage above 0 up to 100")
    return float(found[1])


def check(rules: Rules) -> Rules:
    """The same rules. Raises RuleError where they cannot be kept."""
    numbers = {"canary": rules.canary, "in flight": rules.in_flight, "in flight per site": rules.in_flight_per_site}
    for name, number in numbers.items():
        if number < 1:
            raise RuleError(f"{name}: write at least 1")
    if not (math.isfinite(rules.growth) and rules.growth >= 1):
        raise RuleError("growth: write 1 or more; the groups must not shrink")
    if not 0 < rules.success_percent <= _ALL:
        raise RuleError("the success threshold is a percentage above 0 up to 100")
    if rules.errors.count is None and rules.errors.percent is None:
        raise RuleError("give an error threshold: a rollout without one would never stop itself")
    for name, length in {"expected": rules.expected, "restart": rules.restart_most}.items():
        if length <= timedelta(0):
            raise RuleError(f"{name}: write a duration above zero")
    if rules.soak < timedelta(0) or rules.offline_most < timedelta(0):
        raise RuleError("soak and the wait for offline cameras cannot be negative")
    if rules.window is not None and rules.window.length < rules.expected:
        raise RuleError("the window is shorter than one camera is expected to take: nothing would ever begin")
    if rules.rollback_after is not None and rules.rollback_after <= rules.restart_most:
        raise RuleError("the cameras' own way back must come later than the longest restart: the proof takes time too")
    return rules


def group_sizes(cameras: int, canary: int, growth: float) -> list[int]:
    """How the cameras are divided: the first group small, each next one larger. Raises RuleError."""
    sizes: list[int] = []
    size = float(canary)
    while (left := cameras - sum(sizes)) > 0:
        sizes.append(min(left, math.ceil(size)))
        size = min(size * growth, cameras)
        if len(sizes) > MOST_GROUPS:
            raise RuleError(f"that makes more than {MOST_GROUPS} groups; write a larger first group or more growth")
    return sizes


def most_harmed(rules: Rules) -> int | None:
    """How many cameras a bad image can reach at most before the rollout stops; `None` without an absolute threshold."""
    return None if rules.errors.count is None else rules.canary + rules.errors.count + rules.in_flight

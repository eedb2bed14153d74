"""One check: a burst against the reference views that may apply at this hour. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from health.conditions import Condition, condition_of
from health.judge import Found, Health, Judgement, judge, judge_alone, mildest
from health.looks import Look, Picture, look_at_burst
from health.reference import Reference
from health.series import Reading
from health.stream import stillness
from health.visit import FROZEN_AFTER_S

ALL = frozenset(Condition)


@dataclass(frozen=True, slots=True)
class Checked:
    """`condition`: of the reference that explains the picture best; without one, what the picture itself looks like.

    `judgement` is `None` where there was no reference to compare with.
    """

    condition: Condition
    verdict: Health
    faults: tuple[Found, ...]
    reason: str | None
    judgement: Judgement | None

    def reading(self, at: datetime) -> Reading | None:
        """For the series; `None` where nothing was judged."""
        if self.judgement is None or self.judgement.verdict is Health.UNKNOWN:
            return None
        levels = {fault.value: level for fault, level in self.judgement.levels.items()}
        return Reading(at, self.condition.value, levels, frozenset(found.fault.value for found in self.faults))


def check(
    references: Mapping[Condition, Reference],
    burst: Sequence[Picture],
    *,
    spans_s: float,
    plausible: Collection[Condition] = ALL,
) -> Checked:
    """`spans_s`: from the first picture of the burst to the last. `plausible`: see `health.conditions.plausible`."""
    now = look_at_burst(burst)
    still = stillness(burst) if spans_s >= FROZEN_AFTER_S else None
    own = condition_of(now)
    judged: dict[Condition, Judgement] = {}
    for condition in sorted(plausible, key=lambda one: one is not own):
        if condition in references:
            judged[condition] = judge(references[condition], now, still)
            if judged[condition].verdict is Health.OK:
                break
    if not judged:
        return _alone(own, now, still)
    best = mildest(list(judged.values()))
    if best.verdict is not Health.OK and own in plausible and own not in references:
        return _alone(own, now, still)  # another light without a reference view of its own is no fault
    condition = next(one for one, judgement in judged.items() if judgement is best)
    return Checked(condition, best.verdict, best.faults, best.reason, best)


def _alone(own: Condition, now: Look, still: float | None) -> Checked:
    verdict, faults, reason = judge_alone(now, still)
    return Checked(own, verdict, faults, f"{reason} ({own.value})" if reason else None, None)

"""One check: a burst against the reference views that may apply at this hour. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from health.conditions import Condition, condition_of
from health.judge import NOT_AT_ALL, Fault, Found, Health, Judgement, blank, judge, judge_alone, mildest
from health.looks import Look, Picture, look_at_burst
from health.reference import Reference, textured
from health.series import Reading
from health.stream import stillness
from health.visit import FROZEN_AFTER_S

ALL = frozenset(Condition)
_LEAST_LEFT = 0.25


@dataclass(frozen=True, slots=True)
class Checked:
    """`condition`: of the reference that explains the picture best; without one, what the picture itself looks like.

    `judgement` is `None` where there was no reference to compare with; `levels` then has only what can be seen alone.
    """

    condition: Condition
    verdict: Health
    faults: tuple[Found, ...]
    reason: str | None
    judgement: Judgement | None
    levels: Mapping[Fault, float]

    def reading(self, at: datetime) -> Reading | None:
        """For the series; `None` where nothing was judged, which says nothing either way."""
        if not self.levels or (self.verdict is Health.UNKNOWN and self.judgement is not None):
            return None
        levels = {fault.value: level for fault, level in self.levels.items()}
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
    for condition in _may_explain(own, plausible):
        if condition in references:
            judged[condition] = judge(references[condition], now, still)
            if judged[condition].verdict is Health.OK:
                break
    if not judged:
        return _alone(own, now, still, references)
    best = mildest(list(judged.values()))
    if own in plausible and own not in references and _excused(own, best):
        return _alone(own, now, still, references)
    condition = next(one for one, judgement in judged.items() if judgement is best)
    return Checked(condition, best.verdict, best.faults, best.reason, best, best.levels)


def _may_explain(own: Condition, plausible: Collection[Condition]) -> list[Condition]:
    """What the picture looks like, and the lights that a fault could have made it of: faults take light and colour.

    Where none of those can be at this hour, whatever can be.
    """
    from_own_on = list(Condition)[: list(Condition).index(own) + 1][::-1]
    return [one for one in from_own_on if one in plausible] or [one for one in Condition if one in plausible]


def _excused(own: Condition, judgement: Judgement) -> bool:
    """Another light that has no reference view of its own is no fault: at night all may look different, at dusk light.

    A cover that makes the picture dark looks like dusk too, but hides more than light.
    """
    found = {one.fault for one in judgement.faults}
    return bool(found) and (own is not Condition.DUSK or found <= {Fault.DARK, Fault.COLOUR, Fault.NOISE})


def _alone(own: Condition, now: Look, still: float | None, references: Mapping[Condition, Reference]) -> Checked:
    """What can be said without the right reference. What others found, this picture must not call over."""
    verdict, faults, reason = judge_alone(now, still)
    there = max((reference.assessable_share for reference in references.values()), default=0.0)
    if not faults and textured(now).mean() < _LEAST_LEFT * there:
        # However dark the night: where a view has texture by day, nearly none of it is a cover.
        verdict, faults, reason = Health.FAILED, (blank(now),), None
    levels = {} if references else dict.fromkeys((Fault.DARK, Fault.BRIGHT, Fault.OBSTRUCTION), NOT_AT_ALL)
    if still is not None and not references:
        levels[Fault.FROZEN] = NOT_AT_ALL
    levels |= {found.fault: found.level for found in faults}
    return Checked(own, verdict, faults, f"{reason} ({own.value})" if reason else None, None, levels)

"""The model gate of a rollout: may a camera keep its new model. Pure; what is not known fails."""

from collections.abc import Sequence
from dataclasses import dataclass

from analytics_qa.accuracy import Accuracy
from analytics_qa.intervals import Share, fall_between

# A fall that no proof may overlook, as a share: see `accuracy_ok`.
UNSEEN = 0.5


@dataclass(frozen=True, slots=True)
class Limits:
    """`least_recall`, `least_precision`: what the measured value must reach. `most_fall`: beside the earlier model.

    `least_n`: fewer true objects (for recall) or claims (for precision) prove nothing.
    """

    least_recall: float = 0.80
    least_precision: float = 0.80
    most_fall: float = 0.05
    least_n: int = 30

    def __post_init__(self) -> None:
        """A limit that cannot be meant must not become "no limit". Raises ValueError."""
        if not all(0 <= one <= 1 for one in (self.least_recall, self.least_precision, self.most_fall)):
            raise ValueError("a limit of accuracy is a number from 0 to 1")
        if not self.least_n >= 1:
            raise ValueError("least_n is a whole number from 1")


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """`reasons`: everything that speaks against it, one sentence each; what was measured where nothing does."""

    ok: bool
    reasons: tuple[str, ...]


def accuracy_ok(
    before: Accuracy | None, after: Accuracy | None, limits: Limits | None = None, *, same_pictures: bool = True
) -> GateVerdict:
    """`before` of the earlier model, `None` where it was never measured: then only the absolute limits hold.

    Without `same_pictures` the two saw different objects, and a fall that chance explains is none. Where so little was
    seen that a fall of `UNSEEN` could have hidden, nothing is proved.
    """
    limits = limits or Limits()
    if after is None:
        return GateVerdict(ok=False, reasons=("the new model was not measured",))
    if before is not None and before.condition != after.condition:
        return GateVerdict(
            ok=False, reasons=(f"measured under {before.condition} before and {after.condition} after: not comparable",)
        )
    against = [
        *_against("recall", after.recall, limits.least_recall, limits.least_n),
        *_against("precision", after.precision, limits.least_precision, limits.least_n),
    ]
    if before is not None and not against:
        fallen = _fallen if same_pictures else _fallen_beyond_chance
        against = [
            *fallen("recall", before.recall, after.recall, limits.most_fall),
            *fallen("precision", before.precision, after.precision, limits.most_fall),
        ]
    if against:
        return GateVerdict(ok=False, reasons=tuple(against))
    return GateVerdict(ok=True, reasons=(_words("recall", after.recall), _words("precision", after.precision)))


def _against(what: str, after: Share, least: float, least_n: int) -> Sequence[str]:
    if after.value is None or after.n < least_n:
        return [f"{what}: only {after.n} of at least {least_n} objects"]
    return [f"{_words(what, after)}, below {least:.2f}"] if after.value < least else []


def _fallen(what: str, before: Share, after: Share, most: float) -> Sequence[str]:
    if before.value is None or after.value is None or after.value >= before.value - most:
        return []
    return [f"{_words(what, after)}, fell from {before.value:.2f}"]


def _fallen_beyond_chance(what: str, before: Share, after: Share, most: float) -> Sequence[str]:
    """A fall is shown or it is not; but where even a large one could not have been seen, nothing was proved."""
    least, worst = fall_between(before, after)
    if least > 0:
        return _fallen(what, before, after, most)
    if worst > UNSEEN:
        return [f"{_words(what, after)}: too little was seen to rule out a fall of {UNSEEN:g}"]
    return []


def _words(what: str, share: Share) -> str:
    value = 0.0 if share.value is None else share.value
    return f"{what} {value:.2f} ({share.low:.2f} to {share.high:.2f}, n={share.n})"

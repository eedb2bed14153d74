"""What a bundle promises of its app's accuracy, and whether one camera keeps it. Pure.

Measured beside the reference detector, before and after, on the same camera: what the reference gets wrong it gets
wrong both times, so that a fall is the new model's. Labels of people would say more, but nobody labels a thousand
cameras in the night of a rollout.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from analytics_qa.accuracy import Accuracy, Measured, accuracy
from analytics_qa.gate import Limits, accuracy_ok
from analytics_qa.matching import Tally

SECONDS = 120.0
# A picture every two seconds; the same objects stay in view for about ten.
_PICTURES_OF_ONE_CLUSTER = 5
_USUAL = Limits()


@dataclass(frozen=True, slots=True)
class Measurement:
    """`compared`: of every picture, the camera's objects beside the reference's."""

    condition: str
    day: date
    compared: tuple[Tally, ...]

    def plain(self) -> dict[str, Any]:
        compared = [[one.hits, one.false, one.missed] for one in self.compared]
        return {"condition": self.condition, "day": self.day.isoformat(), "compared": compared}

    @classmethod
    def from_plain(cls, value: Mapping[str, Any]) -> "Measurement":
        compared = tuple(Tally(*one) for one in value["compared"])
        return cls(value["condition"], date.fromisoformat(value["day"]), compared)

    @property
    def accuracy(self) -> Accuracy | None:
        """`None` where no picture could be compared."""
        pictures = (
            Measured(self.condition, str(place // _PICTURES_OF_ONE_CLUSTER), self.day, one)
            for place, one in enumerate(self.compared)
        )
        return next(iter(accuracy(pictures)), None)


def seconds(promised: Mapping[str, float]) -> float:
    """How long each measurement watches."""
    return promised.get("seconds", SECONDS)


def too_little(promised: Mapping[str, float], before: Measurement) -> str | None:
    """Why a proof could not come of it, known before anything is sent: the scene is too empty."""
    least, there = _limits(promised).least_n, sum(one.there for one in before.compared)
    if there >= least:
        return None
    return f"its accuracy cannot be proved now: {there} of at least {least} objects in {seconds(promised):.0f} s"


def unkept(promised: Mapping[str, float], before: Measurement | None, after: Measurement) -> list[str]:
    """What speaks against keeping the new model; empty where nothing does. What is not known speaks against it."""
    earlier = before.accuracy if before else None
    verdict = accuracy_ok(earlier, after.accuracy, _limits(promised), same_pictures=False)
    return [] if verdict.ok else [f"accuracy: {reason}" for reason in verdict.reasons]


def _limits(promised: Mapping[str, float]) -> Limits:
    """Beside a reference, an absolute limit holds only where somebody named one for this app."""
    return Limits(
        least_recall=promised.get("least_recall", 0.0),
        least_precision=promised.get("least_precision", 0.0),
        most_fall=promised.get("most_fall", _USUAL.most_fall),
        least_n=int(promised.get("least_n", _USUAL.least_n)),
    )

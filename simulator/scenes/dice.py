"""Chance that is always the same: everything in a scene follows from its seed."""

from random import Random
from typing import Protocol


class _Die(Protocol):
    def random(self) -> float: ...


def dice(number: int) -> Random:
    return Random(number)  # noqa: S311 - reproducible on purpose


def chance(rng: _Die, share: float) -> bool:
    """True in this share of cases."""
    return rng.random() < share

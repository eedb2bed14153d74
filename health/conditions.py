"""In which light a picture was taken: each condition has a reference view of its own. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from health.looks import Look

# A camera in night mode switches its colour off: what is left is the coding's own.
_GREY_CHROMA = 2.5
_DAY_MEAN = 55.0
_DUSK_MEAN = 25.0
_SAME_TIME_OF_DAY = timedelta(minutes=90)
_REMEMBERED = timedelta(days=14)
_ENOUGH = 3


class Condition(StrEnum):
    """From the most light and colour to the least."""

    DAY = "day"
    DUSK = "dusk"
    NIGHT_COLOUR = "night-colour"
    NIGHT_IR = "night-ir"


def condition_of(look: Look) -> Condition:
    """By colour first: without colour it is infrared, however bright; with it, darkness decides."""
    if look.colour.chroma < _GREY_CHROMA:
        return Condition.NIGHT_IR
    if look.light.mean >= _DAY_MEAN:
        return Condition.DAY
    return Condition.DUSK if look.light.mean >= _DUSK_MEAN else Condition.NIGHT_COLOUR


def plausible(good: Iterable[tuple[datetime, Condition]], at: datetime) -> frozenset[Condition]:
    """Conditions that good pictures had at this time of day lately; all of them while too little is known.

    A fault may look like another condition: a black cover like night, an open infrared filter like none.
    """
    day = timedelta(days=1)
    seen = []
    for when, condition in good:
        apart = abs(at - when)
        if apart <= _REMEMBERED and min(apart % day, day - apart % day) <= _SAME_TIME_OF_DAY:
            seen.append(condition)
    return frozenset(seen) if len(seen) >= _ENOUGH else frozenset(Condition)

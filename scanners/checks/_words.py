"""How checks put what they saw into words."""

from collections.abc import Sequence

MOST_LISTED = 5

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def listed(things: Sequence[object]) -> str:
    """The first few, and how many more there are: a camera decides how long its lists are."""
    shown = ", ".join(str(thing) for thing in things[:MOST_LISTED])
    return shown if len(things) <= MOST_LISTED else f"{shown} and {len(things) - MOST_LISTED} more"


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def duration(seconds: float) -> str:
    """The two largest units: "2 h 59 min", "45 s", "2920 d"."""
    rest = round(abs(seconds))
    parts: list[str] = []
    for size, unit in _UNITS:
        amount, rest = divmod(rest, size)
        if amount:
            parts.append(f"{amount} {unit}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0 s"

"""Which of two firmware versions is older, by the vendor's own way of counting.

A version is (family, numbers, build). Numbers compare as integers, so 9.80.132 is newer than 9.80.3.11. Only versions
of one family compare: an OEM tag, a test build or a development snapshot is a family of its own, because its fixes are
counted separately. A build date decides between equal numbers and never alone. Where the text does not say enough, the
answer is unknown.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from itertools import zip_longest

LONGEST_TEXT = 120

_NUMBERS = r"(?P<numbers>[0-9]{1,9}(?:\.[0-9]{1,9}){1,4})"
_DATE = r"(?P<built>[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}|[0-9]{6})"

# What each vendor writes. Axis: "9.80.3.11", in development "12.6+snapshot-20250722". Hikvision: "V5.7.3 build 220112".
# Dahua: "2.820.0000000.48.R, Build Date 2022-06-14", for an OEM "1.000.HW00.21.20190812". Hanwha: date and rebuild, as
# in 1.41.18_20231115_R455. Everyone else: plain numbers.
_PATTERNS: Mapping[str, re.Pattern[str]] = {
    name: re.compile(pattern, re.IGNORECASE | re.ASCII)
    for name, pattern in {
        "axis": rf"{_NUMBERS}(?:\+(?P<line>[a-z]+)-{_DATE})?",
        "hikvision": rf"V?{_NUMBERS}(?:[ _,]+build[ _:]*{_DATE})?",
        "dahua": (
            r"V?(?P<major>[0-9]{1,9})\.(?P<sub>[0-9]{1,9})\.(?P<tag>[0-9a-z]{4,10})\.(?P<minor>[0-9]{1,9})"
            rf"(?:\.(?P<line>[a-z]{{1,2}}))?(?:(?:\.|[ ,]+build(?: date)?:? ?){_DATE})?"
        ),
        "hanwha": rf"{_NUMBERS}(?:_{_DATE})?(?:_R(?P<rebuild>[0-9]{{1,9}}))?",
        "dotted": _NUMBERS,
    }.items()
}
SCHEMES = tuple(_PATTERNS)

# What a vendor writes in the place of a tag or a release letter on its plain releases.
_PLAIN = frozenset({"0000000", "R"})


class Order(StrEnum):
    """How the first version stands to the second."""

    OLDER = "older"
    SAME = "same"
    NEWER = "newer"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Version:
    """A firmware version. `built` and `rebuild` are `None` where the text does not give them."""

    family: str
    numbers: tuple[int, ...]
    built: date | None = None
    rebuild: int | None = None


@lru_cache(maxsize=4096)
def parse(scheme: str, text: str) -> Version | None:
    """The version that the text spells, `None` where it does not follow the scheme. KeyError for an unknown scheme."""
    pattern = _PATTERNS[scheme]
    match = pattern.fullmatch(text.strip()) if len(text) <= LONGEST_TEXT else None
    if match is None:
        return None
    part = match.groupdict()
    numbers = part.get("numbers") or f"{part['major']}.{part['sub']}.{part['minor']}"
    marks = (mark.upper() for mark in (part.get("tag"), part.get("line")) if mark)
    family = "/".join([scheme, *(mark for mark in marks if mark not in _PLAIN)])
    rebuild = part.get("rebuild")
    try:
        built = _day(part["built"]) if part.get("built") else None
    except ValueError:  # "build 229999": a text that lies about its date is not trusted about its numbers
        return None
    return Version(family, tuple(map(int, numbers.split("."))), built, int(rebuild) if rebuild else None)


def compare(one: Version, other: Version) -> Order:
    """Three-valued: a difference that the texts do not settle is `Order.UNKNOWN`."""
    if one.family != other.family:
        return Order.UNKNOWN
    for mine, theirs in zip_longest(one.numbers, other.numbers, fillvalue=0):
        if mine != theirs:
            return Order.OLDER if mine < theirs else Order.NEWER
    for mark, its in ((_ordinal(one.built), _ordinal(other.built)), (one.rebuild, other.rebuild)):
        if mark == its:
            continue
        if mark is None or its is None:
            return Order.UNKNOWN
        return Order.OLDER if mark < its else Order.NEWER
    return Order.SAME


def _ordinal(day: date | None) -> int | None:
    return None if day is None else day.toordinal()


def _day(text: str) -> date:
    """Of YYYY-MM-DD, YYYYMMDD or YYMMDD; ValueError for a day that no calendar has."""
    digits = text.replace("-", "")
    full = digits if len(digits) == len("YYYYMMDD") else f"20{digits}"
    return date(int(full[:4]), int(full[4:6]), int(full[6:]))

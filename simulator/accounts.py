"""What a camera accepts as an account: the vendors' rules, the same whichever API asks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

MOST_ACCOUNTS = 20
LONGEST_NAME = 32
_CLASSES = tuple(re.compile(kind) for kind in ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]"))


@dataclass(frozen=True, slots=True)
class PasswordRule:
    """Characters, and how many of the four classes (lower, upper, digit, other) there must be at least."""

    shortest: int
    longest: int
    classes: int

    def too_weak(self, password: str) -> bool:
        found = sum(kind.search(password) is not None for kind in _CLASSES)
        return len(password) < self.shortest or found < self.classes

    def too_long(self, password: str) -> bool:
        return len(password) > self.longest


RULES: Mapping[str, PasswordRule] = MappingProxyType(
    {
        "axis": PasswordRule(1, 64, 1),
        "hikvision": PasswordRule(8, 16, 2),
        "dahua": PasswordRule(8, 32, 2),
        "hanwha": PasswordRule(8, 64, 2),
        "onvif": PasswordRule(8, 32, 1),
    }
)

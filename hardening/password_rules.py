"""New passwords that cameras take, and take whole.

Some cameras cut a password in silence and then know only its beginning. So the length stays within what every family
is known to keep: twelve random characters of four kinds are some 70 bits, far more than a login that locks after a few
tries can give away, and a longer one would only be one more character to cut.
"""

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

from cameras.secret import Secret

USUAL_LENGTH = 12
# Easily taken for one another by somebody who has to type one at the camera.
_LOOK_ALIKE = frozenset("0O1Il")
# Others get lost on their way: in XML, in a URL, in a shell, or in a camera's own form.
SPECIALS = "-_."
CLASSES = tuple(
    "".join(c for c in kind if c not in _LOOK_ALIKE)
    for kind in (string.ascii_lowercase, string.ascii_uppercase, string.digits, SPECIALS)
)
_ALPHABET = "".join(CLASSES)
_MOST_DRAWS = 1000
_SHORTEST_NAME = 3


@dataclass(frozen=True, slots=True)
class PasswordRule:
    """How many characters a family takes."""

    shortest: int
    longest: int

    @property
    def length(self) -> int:
        return max(self.shortest, min(USUAL_LENGTH, self.longest))


# Axis: pwdgrp.cgi with strict_pwd, 64; its policy "complex" wants 12 and all four classes. Hikvision:
# LoginPasswordLenLimit 8-16, two classes. Dahua: 8-32, two classes. Hanwha: 10-15 characters need two classes and no
# four in sequence or alike.
RULES: Mapping[str, PasswordRule] = MappingProxyType(
    {
        "axis": PasswordRule(1, 64),
        "hikvision": PasswordRule(8, 16),
        "dahua": PasswordRule(8, 32),
        "hanwha": PasswordRule(8, 64),
    }
)
ANY_FAMILY = PasswordRule(8, USUAL_LENGTH)


def rule_for(manufacturer: str | None) -> PasswordRule:
    name = (manufacturer or "").casefold()
    return next((rule for family, rule in RULES.items() if name.startswith(family)), ANY_FAMILY)


def new_password(rule: PasswordRule, account: str) -> Secret:
    """Random, of all four classes, without the account's name and without three alike or in sequence."""
    for _ in range(_MOST_DRAWS):
        text = "".join(secrets.choice(_ALPHABET) for _ in range(rule.length))
        if _fits(text, account):
            return Secret(text)
    raise AssertionError("no random password fits the rule")


def _fits(text: str, account: str) -> bool:
    named = len(account) >= _SHORTEST_NAME and account.casefold() in text.casefold()
    # A dash or a dot in front is taken for an option, or for a hidden file, by whatever it is pasted into.
    return not named and text[0] not in SPECIALS and all(_has(text, kind) for kind in CLASSES) and not _runs(text)


def _has(text: str, kind: str) -> bool:
    return any(character in kind for character in text)


def _runs(text: str) -> bool:
    steps = [ord(after) - ord(before) for before, after in pairwise(text)]
    return any(step in (-1, 0, 1) and following == step for step, following in pairwise(steps))

"""Passwords of people: what we refuse, and how they are hashed (Argon2id)."""

import asyncio
import hashlib
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from fleet.errors import Invalid, TooManyAtOnce

P = ParamSpec("P")
T = TypeVar("T")

# What stands where a hash would, of machines and of people who come by single sign-on only.
NO_PASSWORD = "!"  # noqa: S105 - there is none
SHORTEST = 12
RECOMMENDED = 15
_LONGEST_BYTES = 1024
_FEWEST_DIFFERENT = 5
_LONGEST_PERIOD = 5
_MOST_TOKEN = 256

# What is left of the passwords that everybody tries first, once digits and signs at both ends are taken off.
_COMMON = frozenset(Path(__file__).with_name("common_passwords.txt").read_text(encoding="utf-8").split())
_EDGES = re.compile(r"^[\W\d_]+|[\W\d_]+$")

# At most two at once: each hash takes 64 MiB. Whoever comes when so many wait already is sent away at once.
_HASHING = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")
MOST_WAITING = 32
_waiting = 0
_hasher = PasswordHasher()


def refuse_weak(password: str, name: str) -> None:
    """Raises Invalid, which says why and never quotes."""
    if len(password) < SHORTEST:
        raise Invalid(f"the password needs at least {SHORTEST} characters; {RECOMMENDED} or more are better")
    if len(password.encode("utf-8", "replace")) > _LONGEST_BYTES:
        raise Invalid(f"the password is longer than {_LONGEST_BYTES} bytes")
    folded = password.casefold()
    core = _EDGES.sub("", folded)
    if core in _COMMON or core == name.casefold() or folded.replace(name.casefold(), "") == "":
        raise Invalid("the password is one of those that everybody tries first, or the name itself")
    if len(set(folded)) < _FEWEST_DIFFERENT or _repeats(folded) or _counts(folded):
        raise Invalid("the password repeats or counts: choose one that cannot be continued after a few characters")


def _repeats(text: str) -> bool:
    """One short piece, again and again."""
    return any(text == (text[:period] * len(text))[: len(text)] for period in range(1, _LONGEST_PERIOD + 1))


def _counts(text: str) -> bool:
    """Each character follows the one before, up or down: 123456789012, abcdefghijkl."""
    around = 10 if text.isdecimal() else 0x110000
    return len({(ord(after) - ord(before)) % around for before, after in pairwise(text)}) == 1


async def hashed(password: str) -> str:
    """The Argon2id hash in its usual text form, parameters and salt included. Raises TooManyAtOnce."""
    return await _in_turn(_hasher.hash, _bytes(password))


async def matches(stored: str | None, password: str) -> bool:
    """Does the password belong to that hash? `None` (an unknown name) costs the same and is never true.

    The same goes for who has no password. Raises TooManyAtOnce.
    """
    return await _in_turn(_matches, stored, password)


async def _in_turn(work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    global _waiting  # noqa: PLW0603 - there is one pool, and this counts who stands before it
    if _waiting >= MOST_WAITING:
        raise TooManyAtOnce
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_HASHING, partial(work, *given, **named))
    finally:
        _waiting -= 1


def outdated(stored: str) -> bool:
    """Was it made with other parameters than we use now?"""
    return _hasher.check_needs_rehash(stored)


def token_hash(token: str) -> str:
    """Of something that we drew ourselves: random, so a plain hash suffices. A longer text is none of ours."""
    return hashlib.sha256(token[:_MOST_TOKEN].encode("utf-8", "replace")).hexdigest()


def _matches(stored: str | None, password: str) -> bool:
    decoy = _decoy()
    known = stored is not None and stored != NO_PASSWORD
    try:
        _hasher.verify(stored if stored is not None and known else decoy, _bytes(password))
    except (VerificationError, InvalidHashError):
        return False
    return known


def _bytes(password: str) -> bytes:
    """Half a character in it (a lone surrogate) makes it wrong, not us."""
    return password.encode("utf-8", "surrogatepass")


@cache
def _decoy() -> str:
    """Made at the first sign-in, whoever it is, so that it tells nothing."""
    return _hasher.hash("nobody has this password")

"""How cameras say that they count wrong passwords, or have stopped listening."""

import re

from cameras.untrusted import clean_text

# Seen: Hikvision "The device is locked because of entering wrong username/password many times.Please try it after 30
# minutes!", Reolink "...try it after 5 minutes!", Dahua "Invalid username or password! You still have 3 attempt(s).",
# Hikvision's userCheck XML with <lockStatus>lock</lockStatus>, Hanwha "account is locked" and "Account Blocked".
# ISAPI says with every wrong password how many tries are left: the last one is not for us.
_HINTS = re.compile(
    rb"(?:is|been|was)\s+(?:temporarily\s+)?(?:locked|blocked)"
    rb"|account\s+(?:locked|blocked)"
    rb"|lockstatus>\s*lock"
    rb"|retrylogintime>\s*[01]\s*<"
    rb"|try\s+(?:it\s+)?(?:again\s+)?after\s+\d+\s*(?:minute|second|hour)"
    rb"|\d+\s+attempt\(?s?\)?"
    rb"|too\s+many\s+(?:failed\s+)?(?:log-?in|attempts|failures)"
)
_LOOK_AT_BYTES = 4096


_LEFT = re.compile(r"(\d{1,4})\s+attempt", re.IGNORECASE)
# One to be wrong by mistake, and one to keep.
_MUST_BE_LEFT = 2


def allows_more(words: str) -> bool:
    """Whether a camera that counts aloud says that more than one further try is left.

    Where a refusal is looked for (has this store our account? has it the new password?) it is an answer then, and no
    reason to leave the camera alone.
    """
    found = _LEFT.search(words)
    return found is not None and int(found[1]) >= _MUST_BE_LEFT


def lock_hint(body: bytes) -> str | None:
    """The words that speak of a lock-out or of counted attempts, or `None`. Any such hint means: stop trying."""
    found = _HINTS.search(body[:_LOOK_AT_BYTES].lower())  # an expression that ignores case is ten times slower
    if found is None:
        return None
    around = body[max(0, found.start() - 60) : found.end() + 40]
    return clean_text(re.sub(rb"<[^>]*>", b" ", around), 160)

"""One number for a camera: 100 less the weight of each failed check, and a quarter of it where we could not tell.

A check counts once however many of its subjects failed, so ten open ports weigh as much as one. Unknown is not a
pass: a camera that nobody could look into must not stand beside one that was found in order.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from scanners.model import Outcome, Severity, Verdict

BEST = 100
WEIGHTS: Mapping[Severity, int] = MappingProxyType(
    {Severity.CRITICAL: 40, Severity.HIGH: 20, Severity.MEDIUM: 8, Severity.LOW: 3}
)


_SHARES: Mapping[Outcome, float] = MappingProxyType(
    {Outcome.FAIL: 1, Outcome.UNKNOWN: 0.25, Outcome.ERROR: 0.25, Outcome.PASS: 0, Outcome.NOT_APPLICABLE: 0}
)


def score(verdicts: Iterable[Verdict]) -> int:
    """0 to 100, 100 where every check passed or does not apply."""
    lost: dict[str, float] = {}
    for verdict in verdicts:
        lost[verdict.check] = max(lost.get(verdict.check, 0), WEIGHTS[verdict.severity] * _SHARES[verdict.verdict])
    return max(0, round(BEST - sum(lost.values())))

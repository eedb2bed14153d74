"""One number for a camera: 100 less the weight of every check that failed.

A check counts once however many of its subjects failed, so ten open ports weigh as much as one. Unknown verdicts cost
nothing and earn nothing: the score speaks of what was seen, and the number of unknowns belongs beside it.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from scanners.model import Outcome, Severity, Verdict

BEST = 100
WEIGHTS: Mapping[Severity, int] = MappingProxyType(
    {Severity.CRITICAL: 40, Severity.HIGH: 20, Severity.MEDIUM: 8, Severity.LOW: 3}
)


def score(verdicts: Iterable[Verdict]) -> int:
    """0 to 100, 100 where nothing failed."""
    failed = {verdict.check: verdict.severity for verdict in verdicts if verdict.verdict is Outcome.FAIL}
    return max(0, BEST - sum(WEIGHTS[severity] for severity in failed.values()))

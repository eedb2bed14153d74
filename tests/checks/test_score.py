"""From verdicts to a number."""

import pytest

from scanners.evaluate import evaluate
from scanners.model import Outcome, Severity, Verdict
from scanners.score import score
from tests.checks.evidence import DOSSIER, KNOWLEDGE


def verdict(check: str, severity: str, outcome: str = "fail", subject: str = "") -> Verdict:
    return Verdict(check, Outcome(outcome), Severity(severity), "", subject, "", {}, "", (), {}, None)


ROWS = {
    "nothing judged": ([], 100),
    "a critical failure": ([verdict("a", "critical")], 60),
    "a high failure": ([verdict("a", "high")], 80),
    "a medium failure": ([verdict("a", "medium")], 92),
    "a low failure": ([verdict("a", "low")], 97),
    "one of each": ([verdict(word, word) for word in ("critical", "high", "medium", "low")], 29),
    "one check failed on three subjects": ([verdict("a", "high", subject=f"tcp/{port}") for port in (1, 2, 3)], 80),
    "one check failed on one subject of two": ([verdict("a", "high"), verdict("a", "high", "pass", "tcp/2")], 80),
    "nothing but unknown": ([verdict("a", "critical", "unknown"), verdict("b", "high", "error")], 85),
    "failed on one subject, unknown on another": ([verdict("a", "high"), verdict("a", "high", "unknown", "x")], 80),
    "nothing to judge": ([verdict("a", "critical", "not-applicable"), verdict("b", "high", "pass")], 100),
    "more than there is to lose": ([verdict(str(number), "critical") for number in range(3)], 0),
}


@pytest.mark.parametrize(("verdicts", "expected"), ROWS.values(), ids=ROWS)
def test_score(verdicts: list[Verdict], expected: int) -> None:
    assert score(verdicts) == expected


def test_it_takes_any_iterable() -> None:
    assert score(iter(evaluate(DOSSIER, KNOWLEDGE))) == 100

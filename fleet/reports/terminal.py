"""An assessment for a person at a terminal: the worst first, then what to fix first, then what nobody could tell."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cameras.untrusted import clean_text
from fleet.reports.assessment import WORST_FIRST, AssessedCamera, Assessment, asked_place
from fleet.reports.ranking import weaknesses
from scanners.assessment import NotEvaluated
from scanners.identify import NO_ANSWER
from scanners.model import Outcome, Severity, Verdict

MOST_WEAKNESSES = 10
MOST_ADDRESSES_PER_REASON = 8

_STYLES: Mapping[Severity, str] = MappingProxyType(
    {
        Severity.CRITICAL: "bold red",
        Severity.HIGH: "red",
        Severity.MEDIUM: "yellow",
        Severity.LOW: "cyan",
    }
)


def summary(assessment: Assessment) -> RenderableType:
    """All of it. What a camera said is cleaned once more: it may come from a file."""
    parts: list[RenderableType] = []
    if assessment.cameras:
        parts.append(_cameras(assessment.worst_first()))
    parts.append(Text(_headline(assessment), style="bold"))
    parts.extend(_first(assessment))
    parts.extend(_untold(assessment.cameras))
    parts.extend(_not_evaluated([one for one in assessment.not_evaluated if one.reason != NO_ANSWER]))
    return Group(*parts)


def _headline(assessment: Assessment) -> str:
    failed = assessment.count(Outcome.FAIL)
    words = [f"{failed[severity]} {severity.value}" for severity in WORST_FIRST if failed[severity]]
    findings = _many(failed.total(), "finding") + (f" ({', '.join(words)})" if words else "")
    parts = [_many(len(assessment.cameras), "camera"), findings]
    if unknown := assessment.count(Outcome.UNKNOWN).total():
        parts.append(f"{unknown} unknown")
    if errors := assessment.count(Outcome.ERROR).total():
        parts.append(f"{_many(errors, 'error')} of ours")
    missing = sum(one.reason != NO_ANSWER for one in assessment.not_evaluated)
    if missing:
        parts.append(f"{_many(missing, 'target')} not evaluated")
    if empty := len(assessment.not_evaluated) - missing:
        parts.append(f"nothing at {_many(empty, 'searched address')}")
    return f"\n{', '.join(parts)}."


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 'es' if noun.endswith('s') else 's'}"


def _cameras(cameras: Iterable[AssessedCamera]) -> Table:
    table = Table("Score", "Camera", "Model and firmware", "What fails", "Unknown", box=None, pad_edge=False)
    table.columns[0].justify = table.columns[4].justify = "right"
    table.columns[1].overflow = "fold"
    for camera in cameras:
        unknown = len(camera.having(Outcome.UNKNOWN, Outcome.ERROR))
        table.add_row(
            Text(str(camera.score)),
            Text(clean_text(camera.place)),
            Text(_what(camera)),
            Text("\n").join(map(_line, camera.having(Outcome.FAIL)))
            if camera.having(Outcome.FAIL)
            else Text("nothing"),
            Text(str(unknown or "")),
        )
    return table


def _what(camera: AssessedCamera) -> str:
    services = [f"{port}: {clean_text(name)}" for port, name in camera.services.items()]
    return "\n".join([clean_text(f"{camera.name} {camera.identity.firmware or ''}"), *services])


def _line(verdict: Verdict) -> Text:
    text = Text.assemble((f"{verdict.severity.value:<8} ", _STYLES[verdict.severity]), clean_text(verdict.check))
    return text.append(f" {clean_text(verdict.subject)}") if verdict.subject else text


def _first(assessment: Assessment) -> Iterator[RenderableType]:
    found = weaknesses(assessment.cameras)
    if not found:
        return
    yield Text("\nWhat to fix first", style="bold")
    steps = Table.grid(padding=(0, 1))
    for number, weakness in enumerate(found[:MOST_WEAKNESSES], 1):
        where = f"{clean_text(weakness.check)} on {_many(len(weakness.cameras), 'camera')}"
        severity = (f"{weakness.severity.value} ", _STYLES[weakness.severity])
        what = Text.assemble(severity, where, f": {clean_text(weakness.remediation, 1000)}")
        steps.add_row(Text(f"{number:>2}."), what)
    yield steps
    if len(found) > MOST_WEAKNESSES:
        yield Text(f"    and {len(found) - MOST_WEAKNESSES} more; --html or --json shows all")


def _untold(cameras: Iterable[AssessedCamera]) -> Iterator[Text]:
    """Unknown is not a pass: what is missing, and for how many."""
    reasons = Counter(
        (clean_text(verdict.check), clean_text(verdict.reason or "undecided"))
        for camera in cameras
        for verdict in camera.having(Outcome.UNKNOWN, Outcome.ERROR)
    )
    if reasons:
        yield Text("\nCould not tell", style="bold")
    for (check, reason), count in sorted(reasons.items(), key=lambda item: (-item[1], item[0])):
        yield Text(f"  {check} ({reason}): {count}")


def _not_evaluated(entries: Sequence[NotEvaluated]) -> Iterator[Text]:
    if entries:
        yield Text("\nNot evaluated", style="bold")
    for reason in dict.fromkeys(one.reason for one in entries):
        same = [one for one in entries if one.reason == reason]
        yield Text(f"  {clean_text(reason)}: {len(same)}")
        for one in same[:MOST_ADDRESSES_PER_REASON]:
            yield Text(f"    {clean_text(asked_place(one))}  {clean_text(one.detail, 300)}")
        if len(same) > MOST_ADDRESSES_PER_REASON:
            yield Text(f"    and {len(same) - MOST_ADDRESSES_PER_REASON} more; --json lists all")


def explained(verdict: Verdict, where: str, rationale: str) -> RenderableType:
    """One verdict with all that stands behind it. `rationale` is "" where this version does not know the check."""
    subject = f" ({clean_text(verdict.subject)})" if verdict.subject else ""
    parts = [
        Text.assemble(
            (f"{clean_text(where)}: {clean_text(verdict.check)}{subject}: ", "bold"),
            (verdict.verdict.value, _STYLES[verdict.severity] if verdict.verdict is Outcome.FAIL else "bold"),
        ),
        Text(f"{clean_text(verdict.summary, 1000)}" + (f" [{clean_text(verdict.reason)}]" if verdict.reason else "")),
        Text(f"\nSeverity    {verdict.severity.value}"),
        Text(f"Good is     {clean_text(verdict.title)}"),
    ]
    if rationale:
        parts.append(Text(f"Why         {clean_text(rationale, 2000)}"))
    # JSON's own escapes keep what a camera said from reaching the terminal as an escape sequence.
    parts.append(Text("Seen"))
    parts += [Text(f"  {line}") for line in json.dumps(dict(verdict.evidence), indent=2).splitlines()]
    parts.append(Text(f"How to fix  {clean_text(verdict.remediation, 2000)}"))
    parts += [Text(f"See         {clean_text(reference, 500)}") for reference in verdict.references]
    for standard, controls in verdict.standards.items():
        parts.append(Text(f"Standard    {clean_text(standard)}: {clean_text(', '.join(controls), 500)}"))
    return Group(*parts, Text(""))

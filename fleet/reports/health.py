"""Pictures and what was found in them, as JSON (`camwarden/health/1`) and as a table."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cameras.untrusted import clean_text
from health.judge import Found, Health, Judgement
from health.stream import StreamFigures

FORMAT = "camwarden/health/1"
_WORDS: Mapping[str, str] = {
    "obstruction": "something covers the view or stands before it: a sticker, a plant, a spider, a person",
    "moved": "it looks elsewhere than it did: turn it back, or approve the new view",
    "defocus": "the picture is not sharp: clean the glass, focus again",
    "dark": "far darker than it should be: lights, exposure, or a tight cover",
    "bright": "washed out: exposure, a light into the lens, the sun",
    "colour": "wrong colours: the infrared filter or the day/night switch is stuck",
    "noise": "far noisier than it should be: gain, a failing sensor, a bad cable",
    "frozen": "the same picture again and again: restart the camera",
}


@dataclass(frozen=True, slots=True)
class ShownFault:
    fault: str
    confidence: float
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Judged:
    """One picture file or one camera. `name` is what the operator called it; `reason` says why it is unknown."""

    name: str
    verdict: Health
    faults: tuple[Found | ShownFault, ...]
    reason: str | None
    figures: StreamFigures | None = None


def judged(name: str, judgement: Judgement) -> Judged:
    return Judged(name, judgement.verdict, judgement.faults, judgement.reason)


def to_json(key: str, results: Sequence[Judged]) -> str:
    """`key` is "pictures" or "cameras"; each entry then has a "file" or an "address"."""
    named = {"pictures": "file", "cameras": "address"}[key]
    return json.dumps({"format": FORMAT, key: [_entry(named, one) for one in results]}, indent=1)


def _entry(named: str, one: Judged) -> dict[str, Any]:
    faults = [
        {"fault": str(found.fault), "confidence": found.confidence, "evidence": dict(found.evidence)}
        for found in one.faults
    ]
    entry: dict[str, Any] = {named: one.name, "verdict": one.verdict.value, "faults": faults, "reason": one.reason}
    if one.figures is not None:
        entry["stream"] = {
            name: round(value, 3) if isinstance(value, float) else value for name, value in asdict(one.figures).items()
        }
    return entry


def to_terminal(results: Sequence[Judged]) -> RenderableType:
    table = Table("picture", "verdict", "what to look at")
    for one in results:
        found = [f"{each.fault} ({each.confidence:.0%}): {_WORDS[str(each.fault)]}" for each in one.faults]
        said = "\n".join(found) or one.reason or ""
        table.add_row(Text(clean_text(one.name)), one.verdict.value, Text(said))
    bad = sum(one.verdict in {Health.DEGRADED, Health.FAILED} for one in results)
    unknown = sum(one.verdict is Health.UNKNOWN for one in results)
    return Group(table, Text(f"{len(results)} looked at, {bad} with a fault, {unknown} unknown"))

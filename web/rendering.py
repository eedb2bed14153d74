"""Templates: autoescaped, strict about missing names, and safe against what a camera calls itself."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from analytics_qa.drift import ALARM
from web import words
from web.measures import measured

MOST_COLUMNS = 4

# Control characters do nothing good in a page, and direction overrides make a name read as another one.
_HIDDEN = (*range(0x09), 0x0B, *range(0x0E, 0x20), *range(0x7F, 0xA0))
_REORDERING = (0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_INVISIBLE = dict.fromkeys((*_HIDDEN, *_REORDERING), "\N{REPLACEMENT CHARACTER}")


def visible(text: str) -> str:
    """The same text with everything that hides or reorders made visible."""
    return text.translate(_INVISIBLE)


def _shown(value: object) -> object:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def plural(count: int, one: str, many: str = "") -> str:
    """`3 cameras`, with thousands apart."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def moment(value: datetime | str | None) -> datetime | None:
    """A time as an aware datetime in UTC; text that is none gives None."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if value is None:
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def when(value: datetime | str | None, missing: str = "never") -> Markup | str:
    """A time that a person reads in UTC, and that the script turns into "3 minutes ago"."""
    at = moment(value)
    if at is None:
        return missing
    return Markup('<time datetime="{}" data-relative>{} UTC</time>').format(
        at.isoformat(timespec="seconds"), at.strftime("%Y-%m-%d %H:%M")
    )


def duration(start: datetime | str | None, end: datetime | str | None) -> str:
    """How long something took, in the two units that matter."""
    first, last = moment(start), moment(end)
    if first is None or last is None:
        return "not yet known"
    minutes, seconds = divmod(max(0, int((last - first).total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def sentence(text: str) -> str:
    """Half a sentence, as errors and judgements are, as a whole one."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}" if text else text


def json_text(value: object) -> str:
    return json.dumps(plain(value), indent=2, ensure_ascii=False, sort_keys=True, default=str)


def plain(value: object) -> object:
    """Dataclasses and other mappings as dicts, so that evidence of any making renders the same way."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [plain(item) for item in value]
    return value


def is_flat(value: object) -> bool:
    """Whether a list can stand on one line."""
    return isinstance(value, list) and all(not isinstance(item, dict | list) for item in value)


def is_rows(value: object) -> bool:
    """Whether a list reads best as a table: two or more small mappings of the same plain fields."""
    if not isinstance(value, list) or len(value) < 2 or not all(isinstance(item, dict) for item in value):  # noqa: PLR2004
        return False
    first = value[0].keys()
    return 0 < len(first) <= MOST_COLUMNS and all(item.keys() == first and is_flat([*item.values()]) for item in value)


_OF_JOBS = (
    *("JOBS", "JOB_STATES", "PLAN_STATES", "PLAN_CAMERA_STATES", "STEP_STATES", "RISKS", "ROTATION_CAMERA_STATES"),
    *("QUEUE_STATES", "QUEUE_KINDS", "QUEUE_EVENTS", "QUEUE_ORDERS", "WORK_PAGES", "SCHEDULED"),
    *("ROTATION_STATES", "ROLLOUT_STATES", "TARGET_STATES", "BUNDLE_KINDS", "EVENTS"),
)


@cache
def environment() -> Environment:
    env = Environment(
        loader=PackageLoader("web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= {
        "plural": plural,
        "when": when,
        "json_text": json_text,
        "plain": plain,
        "sentence": sentence,
        "field_name": words.field_name,
        "weakness": words.weakness,
    }
    env.tests |= {"flat": is_flat, "rows": is_rows}
    env.globals |= {
        "word": words.word,
        "SECTIONS": words.SECTIONS,
        "FIRST_STEPS": words.FIRST_STEPS,
        "STANDINGS": words.STANDINGS,
        "SEVERITIES": words.SEVERITIES,
        "VERDICTS": words.VERDICTS,
        "STATES": words.STATES,
        "SCAN_STATES": words.SCAN_STATES,
        "CAMERA_EVENTS": words.CAMERA_EVENTS,
        "EXPECTED": words.EXPECTED,
        "SEARCH_KINDS": words.SEARCH_KINDS,
        "PHASES": words.PHASES,
        "ROW_STATES": words.ROW_STATES,
        "PICTURE_VERDICTS": words.PICTURE_VERDICTS,
        "PICTURE_FAULTS": words.PICTURE_FAULTS,
        "LIGHTS": words.LIGHTS,
        "AGES": words.AGES,
        "INCIDENTS": words.INCIDENTS,
        "CAUSES": words.CAUSES,
        "GATES": words.GATES,
        "LABELS": words.LABELS,
        "measured": measured,
        "DRIFT_ALARM": ALARM,
        "DRIFTS": words.DRIFTS,
        "WATCH_STATES": words.WATCH_STATES,
        "COMMISSIONING_STATES": words.COMMISSIONING_STATES,
        "REASONS": words.REASONS,
        "FACTS": words.FACTS,
        "ROLES": words.ROLES,
        "duration": duration,
        **{name: getattr(words, name) for name in _OF_JOBS},
    }
    return env

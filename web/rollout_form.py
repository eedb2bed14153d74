"""The form of a rollout as rules: plain numbers, each with a careful default."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

from fleet.errors import Invalid
from fleet.rollouts.orders import careful_rules
from hardening.rollout_rules import Errors, Rules
from hardening.windows import WindowError, parse_window

_CAREFUL = careful_rules()
FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "bundle": "",
        "name": "",
        "first": "",
        "canary": str(_CAREFUL.canary),
        "growth": f"{_CAREFUL.growth:g}",
        "failures": str(_CAREFUL.errors.count),
        "percent": f"{_CAREFUL.errors.percent:g}",
        "success": f"{_CAREFUL.success_percent:g}",
        "at_once": str(_CAREFUL.in_flight),
        "per_site": str(_CAREFUL.in_flight_per_site),
        "soak": str(int(_CAREFUL.soak.total_seconds()) // 60),
        "window": "",
        "zone": "UTC",
        "need_backup": "",
    }
)
_MOST = 1_000_000
_LONGEST = 200


def typed(form: Mapping[str, str]) -> Mapping[str, str]:
    """The fields as somebody typed them; of those that a form does not have, the default."""
    return {name: form.get(name, default).strip()[:_LONGEST] for name, default in FIELDS.items()}


def rules_of(fields: Mapping[str, str]) -> Rules:
    """Raises Invalid, in words for whoever typed it."""
    if not fields["bundle"]:
        raise Invalid("choose a bundle")
    try:
        window = parse_window(fields["window"]) if fields["window"] else None
    except WindowError as error:
        raise Invalid(str(error)) from error
    percent = _number(fields, "percent", "failures in percent of a group") if fields["percent"] else None
    return replace(
        _CAREFUL,
        canary=_count(fields, "canary", "size of the first group"),
        growth=_number(fields, "growth", "growth of the groups"),
        errors=Errors(_count(fields, "failures", "failures in all"), percent),
        success_percent=_number(fields, "success", "proved cameras in percent"),
        in_flight=_count(fields, "at_once", "cameras at the same time"),
        in_flight_per_site=_count(fields, "per_site", "cameras of one site at the same time"),
        soak=timedelta(minutes=_number(fields, "soak", "wait between groups", least=0)),
        window=window,
        backup_required=bool(fields["need_backup"]),
    )


def _count(fields: Mapping[str, str], name: str, words: str) -> int:
    text = fields[name]
    if not (text.isascii() and text.isdecimal()) or not 0 < int(text) <= _MOST:
        raise Invalid(f"{words}: write a whole number from 1 on")
    return int(text)


def _number(fields: Mapping[str, str], name: str, words: str, least: float = 0.01) -> float:
    try:
        number = float(fields[name].replace(",", "."))
    except ValueError:
        raise Invalid(f"{words}: write a number") from None
    if not least <= number <= _MOST:  # not for "nan" either
        raise Invalid(f"{words}: write a number from {least:g} on")
    return number

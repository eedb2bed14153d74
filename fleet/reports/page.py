"""One HTML file that needs nothing else: no script, nothing loaded from elsewhere; for light, dark and paper."""

import json
from collections.abc import Mapping
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from fleet.reports.assessment import WORST_FIRST, Assessment, asked_place
from fleet.reports.plain import plain
from fleet.reports.ranking import weaknesses
from scanners.model import Outcome


def to_html(assessment: Assessment) -> str:
    failed = assessment.count(Outcome.FAIL)
    return (
        _environment()
        .get_template("assessment.html")
        .render(
            assessment=assessment,
            cameras=assessment.worst_first(),
            weaknesses=weaknesses(assessment.cameras),
            failed=[(severity, failed[severity]) for severity in WORST_FIRST],
            unknown=assessment.count(Outcome.UNKNOWN).total(),
            errors=assessment.count(Outcome.ERROR).total(),
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("fleet.reports"),
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["evidence"] = _evidence
    environment.tests["web"] = _is_web
    environment.globals.update(outcomes=Outcome, asked_place=asked_place)
    return environment


def _visible(value: object) -> object:
    return plain(value) if isinstance(value, str) else value


def _evidence(evidence: Mapping[str, object]) -> str:
    return json.dumps(dict(evidence), indent=2, ensure_ascii=False)


def _is_web(reference: str) -> bool:
    """A reference may come from a file: what is not plainly a page (javascript:, data:) stays text."""
    return reference.startswith(("https://", "http://"))

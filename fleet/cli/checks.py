"""`camwarden checks`: the catalogue of what is looked for."""

import json as json_module
import sys
from difflib import get_close_matches
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from fleet.cli import screen
from fleet.cli.outcomes import WrongUse
from fleet.reports.assessment import WORST_FIRST
from scanners.checks import CHECKS
from scanners.model import Check

EPILOG = """
Example: camwarden checks

Example: camwarden checks telnet-open

Example: camwarden checks --json
"""


def checks(
    check_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="One check only.", show_default=False)] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print only JSON (camwarden/checks/1) on stdout.")] = False,
) -> None:
    """List every check, or show one with why it matters, how to fix it and where that is written."""
    chosen = [find(check_id)] if check_id else sorted(CHECKS, key=lambda check: WORST_FIRST.index(check.severity))
    if json:
        catalogue = {"format": "camwarden/checks/1", "checks": [as_values(check) for check in chosen]}
        sys.stdout.write(f"{json_module.dumps(catalogue, indent=1)}\n")
    elif check_id:
        screen.console().print(_page(chosen[0]))
    else:
        screen.console().print(_table(chosen))


def find(check_id: str) -> Check:
    """Raises WrongUse with the nearest names."""
    by_id = {check.id: check for check in CHECKS}
    if check_id in by_id:
        return by_id[check_id]
    near = get_close_matches(check_id, by_id, cutoff=0.4) or list(by_id)
    raise WrongUse(f"there is no such check; did you mean {', '.join(near)}?")


def as_values(check: Check) -> dict[str, object]:
    return {
        "id": check.id,
        "title": check.title,
        "severity": check.severity.value,
        "rationale": check.rationale,
        "remediation": check.remediation,
        "references": list(check.references),
        "standards": {standard: list(controls) for standard, controls in check.standards.items()},
        "needs": [need.__name__ for need in check.needs],
    }


def _table(chosen: list[Check]) -> Table:
    table = Table("Check", "Severity", "Good is", box=None, pad_edge=False)
    for check in chosen:
        table.add_row(Text(check.id), Text(check.severity.value), Text(check.title))
    return table


def _page(check: Check) -> Text:
    rows = [
        ("Severity", check.severity.value),
        ("Good is", check.title),
        ("Why", check.rationale),
        ("How to fix", check.remediation),
        *(("See", reference) for reference in check.references),
        *(("Standard", f"{standard}: {', '.join(controls)}") for standard, controls in check.standards.items()),
        ("Looks at", ", ".join(need.__name__ for need in check.needs)),
    ]
    return Text("\n".join([check.id, "", *(f"{label:<11} {text}" for label, text in rows)]))

"""The page docs/checks.md, written from the checks themselves."""

from collections.abc import Sequence

from scanners.knowledge import PortTable
from scanners.model import Check
from scanners.score import BEST, WEIGHTS

_HEAD = """\
# What is checked

This page is written by `python -m scanners.checks > docs/checks.md`; change the checks, not the page.

A check reads the evidence of one visit and says one of five things about the camera, or about each of its parts (the
*subject*, such as `tcp/443` or an account):

| verdict | meaning |
|---|---|
| pass | the good state was seen |
| fail | the weakness was seen; the evidence quotes it, so that you can repeat the observation by hand |
| unknown | the evidence is missing or does not decide; the reason says which. Unknown is never a pass |
| not-applicable | the camera has nothing that this check could be about |
| error | the check itself failed, which is a fault of Camwarden |

Reasons of an unknown: `undecided` (the evidence does not say), `unreachable`, `unauthorized`, `locked-out`,
`clock-skewed`, `unsupported`, `refused`, `garbled`, `not-asked`.

## The score

"""

_CATALOGUE = """
## Your firmware catalogue

Which firmware is the newest, nobody publishes in one place, so `firmware-outdated` compares with a file. The bundled
one is an illustration with a date. Keep your own and name it in the settings; it replaces the bundled one as a whole:

```yaml
format: camwarden/firmware/1
dated: 2026-11-21
expires: 2027-02-01        # optional; later verdicts say that the catalogue had expired
sources: ["Release notes read by hand"]
vendors:
  - manufacturers: [AXIS]  # as the camera says it over ONVIF, whatever the case
    scheme: axis           # axis, hikvision, dahua, hanwha or dotted: how versions are written
    models:
      - {model: P3265-V, newest: "12.11.77"}
      - {model: P3265-V, newest: "11.11.181", track: LTS 2024, train: "11.11"}
```

A camera is compared with the row whose `train` its version begins with, else with the row of its model that has none.
Versions are written in quotes: `12.10` without quotes is the number 12.1.
"""


def page(checks: Sequence[Check], ports: PortTable) -> str:
    return "".join((_HEAD, _score(), _table(checks), *map(_chapter, checks), _ports(ports), _CATALOGUE))


def _score() -> str:
    weights = ", ".join(f"{severity} {weight}" for severity, weight in WEIGHTS.items())
    return (
        f"A camera starts at {BEST} and loses a weight for each check that failed ({weights}), however\n"
        "many of its subjects failed; it never falls below 0. A check that could not tell costs a quarter of its\n"
        "weight: unknown is not a pass.\n"
    )


def _table(checks: Sequence[Check]) -> str:
    rows = "\n".join(f"| [{c.id}](#{c.id}) | {c.severity} | {c.title} |" for c in checks)
    return f"\n## All {len(checks)} checks\n\n| check | severity | the good state |\n|---|---|---|\n{rows}\n"


def _ports(table: PortTable) -> str:
    rows = "\n".join(f"| {p.port} | {p.name} | {p.risk} | {p.close} |" for p in table.ports)
    head = "| TCP port | usually | risk | how to close it |\n|---|---|---|---|"
    return f"\n## The ports that are tried\n\nAn open port is no weakness by itself.\n\n{head}\n{rows}\n"


def _chapter(check: Check) -> str:
    needs = ", ".join(f"`{need.__name__}`" for need in check.needs)
    standards = "; ".join(f"{name} {', '.join(clauses)}" for name, clauses in check.standards.items())
    references = "\n".join(f"- <{url}>" for url in check.references)
    return f"""
### {check.id}

**{check.title}.** Severity: {check.severity}. Reads {needs}.

{check.rationale}

*What to do:* {check.remediation}

*Standards:* {standards}

{references}
"""

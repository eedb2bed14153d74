"""`camwarden assess`: what is wrong with these cameras, without a store or a server."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import ExitStack, aclosing
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, cast

import typer

from fleet.cli import screen
from fleet.cli.outcomes import ExitCode, WrongUse
from fleet.reports.assessment import WORST_FIRST, Assessment, assessed, to_json, with_services, with_the_missing
from fleet.reports.junit import to_junit
from fleet.reports.output import ReportFile
from fleet.reports.page import to_html
from fleet.reports.sarif import to_sarif
from fleet.reports.spreadsheet import to_csv
from fleet.reports.terminal import summary
from scanners.assessment import CameraAssessment, NotEvaluated, Options, Progress
from scanners.assessment import assess as look_at
from scanners.credentials import load_credentials
from scanners.discovery import nmap as fingerprints
from scanners.identify import NO_ANSWER
from scanners.knowledge import load_knowledge
from scanners.model import Outcome, Severity
from scanners.targets import MOST_TARGETS_EVER, Target, TooManyTargets, parse_targets

EPILOG = """
Example: camwarden assess 10.0.0.0/24 --credentials cameras.yaml

Example: camwarden assess 10.0.0.5 10.0.0.9:8080 --json > today.json

Example, in CI: camwarden assess 10.0.0.0/24 --credentials cameras.yaml --fail-on high --junit cameras.xml
"""

LABELS = {"sweep": "Looking for cameras", "assess": "Examining cameras"}
HIGHEST_PORT = 65535
CONNECT_TIMEOUT_S = 2.0

Results = list[CameraAssessment | NotEvaluated]


def assess(
    target: Annotated[
        list[str], typer.Argument(help="Addresses, networks, ranges, host names or URLs.", show_default=False)
    ],
    *,
    credentials: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="YAML list of match, username and password.", show_default=False),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print only JSON (camwarden/assessment/1) on stdout.")] = False,
    sarif: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write SARIF 2.1.0 for code hosts.", show_default=False)
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write JUnit XML for CI.", show_default=False)
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write one page for people.", show_default=False)
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a row per verdict.", show_default=False)
    ] = None,
    fail_on: Annotated[
        Severity | None, typer.Option(help="Exit with 1 for a finding this bad or worse.", show_default=False)
    ] = None,
    no_default_credentials: Annotated[
        bool, typer.Option("--no-default-credentials", help="Try no documented default password.")
    ] = False,
    catalogue: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Firmware catalogue instead of the bundled one.", show_default=False),
    ] = None,
    ports: Annotated[
        str | None,
        typer.Option(metavar="LIST", help="TCP ports to try, such as 80,443,8000-8010.", show_default=False),
    ] = None,
    timeout: Annotated[float, typer.Option(metavar="S", min=0.1, max=300, help="Seconds to wait for an answer.")] = 8.0,
    at_once: Annotated[int, typer.Option(metavar="N", min=1, max=1024, help="Cameras examined side by side.")] = 128,
    nmap: Annotated[bool, typer.Option("--nmap", help="Also name the services behind the open ports.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before looking at more than 4096 addresses.")] = False,
) -> None:
    """Examine cameras and say what is wrong, how bad it is and how to put it right.

    Only reads. Needs neither a store nor a server, and sends nothing anywhere but to the cameras. Exit code: 0 good, 1
    findings at or above --fail-on, 2 wrong use, 3 something could not be evaluated, 4 our fault.
    """
    if nmap and shutil.which("nmap") is None:
        raise fingerprints.NmapMissing("nmap is not installed: apt-get install nmap, or leave out --nmap")
    options = Options(
        credentials=load_credentials(credentials) if credentials else (),
        default_credentials=not no_default_credentials,
        ports=parse_ports(ports) if ports is not None else None,
        cameras_at_once=at_once,
        connect_timeout_s=min(timeout, CONNECT_TIMEOUT_S),
        request_timeout_s=timeout,
        knowledge=load_knowledge(catalogue),
    )
    targets = chosen_targets(target, confirmed=yes)
    formats: list[tuple[Path | None, Callable[[Assessment], str]]] = [
        (sarif, to_sarif),
        (junit, to_junit),
        (html, to_html),
        (csv, to_csv),
    ]
    with ExitStack() as stack:
        files = _open_reports(stack, formats)
        assessment, interrupted = examine(targets, options, with_nmap=nmap)
        for file, write in files:
            file.write(write(assessment))
    if json:
        sys.stdout.write(f"{to_json(assessment)}\n")
    else:
        screen.console().print(summary(assessment))
    raise typer.Exit(ExitCode.INTERRUPTED if interrupted else assessment_exit(assessment, fail_on))


def assessment_exit(assessment: Assessment, fail_on: Severity | None) -> ExitCode:
    """Unknown verdicts alone are no failure: they are the camera's or the credential's, and the report shows them.

    Nor is an empty address of a network that was searched.
    """
    failed = assessment.count(Outcome.FAIL)
    if fail_on is not None and any(failed[severity] for severity in WORST_FIRST[: WORST_FIRST.index(fail_on) + 1]):
        return ExitCode.FINDINGS
    missing = [one for one in assessment.not_evaluated if one.reason != NO_ANSWER]
    if missing or assessment.count(Outcome.ERROR).total():
        return ExitCode.NOT_EVALUATED
    return ExitCode.GOOD


def parse_ports(text: str) -> tuple[int, ...]:
    """ "80,443,8000-8010" as numbers, each once. Raises WrongUse."""
    found: dict[int, None] = {}
    for word in text.split(","):
        first, dash, last = word.strip().partition("-")
        edges = [first, last if dash else first]
        if not all(edge.isascii() and edge.isdigit() and 1 <= int(edge[:6]) <= HIGHEST_PORT for edge in edges):
            raise WrongUse("--ports: write numbers from 1 to 65535, such as 80,443,8000-8010")
        found.update(dict.fromkeys(range(int(edges[0]), int(edges[1]) + 1)))
    if not found:
        raise WrongUse("--ports: a range runs backwards; write the lower port first")
    return tuple(found)


def chosen_targets(words: Sequence[str], *, confirmed: bool) -> list[Target]:
    """The targets. Very many need a person's yes, or `--yes`. Raises TargetError, WrongUse."""
    if confirmed:
        return parse_targets(words, most=None)
    try:
        return parse_targets(words)
    except TooManyTargets as error:
        if error.count > MOST_TARGETS_EVER:
            raise TooManyTargets(error.count, MOST_TARGETS_EVER) from None
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise WrongUse(f"{error.count} addresses are a lot; add --yes if they are yours to examine") from None
        if not typer.confirm(f"{error.count} addresses: are all of them yours to examine?", err=True):
            raise WrongUse("nothing was examined") from None
        return parse_targets(words, most=None)


def examine(targets: Sequence[Target], options: Options, *, with_nmap: bool) -> tuple[Assessment, bool]:
    """The assessment, and whether somebody stopped it half-way. Blocks."""
    results: Results = []
    services: dict[str, dict[int, str]] = {}
    started, interrupted = _now(), False
    # A CI service that loses patience sends SIGTERM: it then gets what there is, as a person does with Ctrl-C. In a
    # shell's background Python ignores Ctrl-C unless it is asked not to.
    earlier = {
        signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler),
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT)),
    }
    try:
        asyncio.run(_examine(targets, options, results, services, with_nmap=with_nmap))
        reason, detail = "error", "the assessment ended without a word about it: a fault of ours, please report it"
    except KeyboardInterrupt:
        interrupted = True
        reason, detail = "interrupted", "the assessment was stopped before this address was finished"
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
    complete = with_the_missing(targets, results, reason, detail)
    return with_services(assessed(version("camwarden"), started, _now(), complete), services), interrupted


async def _examine(
    targets: Sequence[Target],
    options: Options,
    results: Results,
    services: dict[str, dict[int, str]],
    *,
    with_nmap: bool,
) -> None:
    with screen.progress(LABELS) as advance:

        def on_progress(progress: Progress) -> None:
            advance(progress.phase, progress.done, progress.total)

        running = cast("AsyncGenerator[CameraAssessment | NotEvaluated]", look_at(targets, options, on_progress))
        async with aclosing(running) as found:
            async for result in found:
                results.append(result)
    if with_nmap:
        services.update(await _fingerprints(results))


async def _fingerprints(results: Results) -> dict[str, dict[int, str]]:
    """nmap knows only one list of ports for all addresses, so it gets those that are open anywhere."""
    opened = {
        result.dossier.address: result.dossier.open_ports.open
        for result in results
        if isinstance(result, CameraAssessment) and not hasattr(result.dossier.open_ports, "gap")
    }
    return await fingerprints.fingerprint(opened, {port for ports in opened.values() for port in ports})


def _open_reports(
    stack: ExitStack, formats: Sequence[tuple[Path | None, Callable[[Assessment], str]]]
) -> list[tuple[ReportFile, Callable[[Assessment], str]]]:
    """Before the first packet: hours of work must not end in "no such directory"."""
    paths = [path for path, _ in formats if path is not None]
    if len({os.path.realpath(path) for path in paths}) != len(paths):
        raise WrongUse("two reports would be written to the same file; give each its own")
    return [(stack.enter_context(ReportFile(path)), write) for path, write in formats if path is not None]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

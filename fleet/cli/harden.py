"""`camwarden harden`: put cameras right by a baseline, without a store or a server."""

import asyncio
import json as json_module
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from cameras.secret import Secret
from fleet.cli import screen
from fleet.cli.assess import chosen_targets
from fleet.cli.one_shot import Look, Options, Run, load_plan
from fleet.cli.outcomes import ExitCode, WrongUse
from fleet.cli.stored import changing_store
from fleet.reports import hardening as report
from fleet.settings import load_settings
from hardening.baseline import load_baseline
from hardening.lifecycle import StepState
from hardening.plan import CameraPlan
from scanners.credentials import load_credentials
from scanners.identify import NO_ANSWER, NotEvaluated

app = typer.Typer(
    no_args_is_help=True,
    help="Put cameras right by a baseline: see the difference, change by steps, prove each step.",
    epilog="Example: camwarden harden plan 10.0.0.0/24 --baseline essential --credentials cameras.yaml\n\n"
    "Example: camwarden harden apply 10.0.0.5 --baseline strict --credentials cameras.yaml",
)

PLAN_EPILOG = """
Example: camwarden harden plan 10.0.0.0/24 --baseline essential --credentials cameras.yaml

Example: camwarden harden plan 10.0.0.5 --baseline ours.yaml --site-overrides depot.yaml --json > plan.json
"""
APPLY_EPILOG = """
Example: camwarden harden apply 10.0.0.5 --baseline strict --credentials cameras.yaml

Example: camwarden harden apply --plan plan.json --credentials cameras.yaml --yes
"""
LARGEST_PASSWORD_BYTES = 1024

TargetArgument = Annotated[
    list[str] | None,
    typer.Argument(help="Addresses, networks, ranges, host names or URLs.", show_default=False),
]
BaselineOption = Annotated[
    str | None,
    typer.Option(metavar="NAME|FILE", help="essential, strict, or a file of your own.", show_default=False),
]
OverridesOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="What differs at this site, laid over the baseline.", show_default=False),
]
CredentialsOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="YAML list of match, username and password.", show_default=False)
]
TimeoutOption = Annotated[float, typer.Option(metavar="S", min=0.1, max=300, help="Seconds to wait for an answer.")]
AtOnceOption = Annotated[int, typer.Option(metavar="N", min=1, max=256, help="Cameras worked on side by side.")]


@app.command(epilog=PLAN_EPILOG)
def plan(
    target: TargetArgument = None,
    *,
    baseline: BaselineOption = None,
    site_overrides: OverridesOption = None,
    credentials: CredentialsOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print only JSON (camwarden/plan/1) on stdout.")] = False,
    timeout: TimeoutOption = 8.0,
    at_once: AtOnceOption = 16,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before looking at more than 4096 addresses.")] = False,
) -> None:
    """Show what would be changed on each camera. Changes nothing.

    Exit code: 0 in order, 1 something differs from the baseline, 2 wrong use, 3 something could not be evaluated, 4 our
    fault.
    """
    options = Options(_rules(credentials), timeout_s=timeout, at_once=at_once)
    look = _look(target, baseline, site_overrides, options, confirmed=yes)
    values = look.document()
    if json:
        _print_json({**values, "not_evaluated": report.missing_values(look.missing)})
    else:
        _print_plans(look.plans, look.missing)
    raise typer.Exit(_exit(any(one.drifts for one in look.plans), look.plans, look.missing))


@app.command(epilog=APPLY_EPILOG)
def apply(
    target: TargetArgument = None,
    *,
    baseline: BaselineOption = None,
    site_overrides: OverridesOption = None,
    plan: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="What `harden plan --json` printed, instead of targets and a baseline.",
            show_default=False,
        ),
    ] = None,
    credentials: CredentialsOption = None,
    account_password_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Password for the service account that is wanted.", show_default=False),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print only JSON (camwarden/hardening/1) on stdout.")] = False,
    timeout: TimeoutOption = 8.0,
    at_once: AtOnceOption = 16,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before changing anything.")] = False,
) -> None:
    """Show the difference, ask, then change each camera step by step and prove each step over a fresh connection.

    A step that cannot be proved is undone, and the camera is left alone from then on. Exit code: 0 everything is as
    wanted, 1 something is not, 2 wrong use, 3 something could not be evaluated, 4 our fault.
    """
    password = _password(account_password_file)
    options = Options(_rules(credentials), timeout_s=timeout, at_once=at_once, account_password=password)
    if plan is not None:
        if target or baseline or site_overrides:
            raise WrongUse("--plan holds the targets and the baseline; leave out TARGET, --baseline, --site-overrides")
        look = load_plan(plan, options)
    else:
        look = _look(target, baseline, site_overrides, options, confirmed=yes)
    drifting = [one for one in look.plans if one.drifts]
    if not json:
        _print_plans(look.plans, look.missing)
    if (changing := sum(bool(one.having(StepState.WAITING)) for one in look.plans)) and not yes:
        _confirm(changing)
    if changing:
        asyncio.run(_write_down(look.plans))
    run = Run(look)
    interrupted = run.apply()
    if json:
        _print_json(report.result_values(look.document(), run.ended, look.missing))
    elif drifting:
        screen.console().print(
            "\n".join(line for one in run.ended if one.plan.drifts for line in report.ended_lines(one))
        )
    if interrupted:
        raise typer.Exit(ExitCode.INTERRUPTED)
    raise typer.Exit(_exit(any(one.is_short and one.plan.drifts for one in run.ended), look.plans, look.missing))


async def _write_down(plans: Sequence[CameraPlan]) -> None:
    """In the store of this machine, whoever the cameras belong to: no entry, no change."""
    drifting = [f"{one.place.address}:{one.place.port}" for one in plans if one.drifts]
    async with changing_store(load_settings(), "harden apply", {"addresses": drifting}):
        pass


def _rules(credentials: Path | None) -> Any:  # noqa: ANN401 - a list of rules
    return load_credentials(credentials) if credentials else ()


def _look(
    target: Sequence[str] | None, baseline: str | None, overrides: Path | None, options: Options, *, confirmed: bool
) -> Look:
    if not target:
        raise WrongUse("say which cameras: an address, a network such as 10.0.0.0/24, or a URL")
    if baseline is None:
        raise WrongUse("say what you want of them: --baseline essential, --baseline strict, or --baseline FILE")
    wanted = load_baseline(baseline, overrides)
    look = Look(wanted, options)
    look.at(chosen_targets(target, confirmed=confirmed))
    return look


def _password(file: Path | None) -> Secret | None:
    if file is None:
        return None
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST_PASSWORD_BYTES + 1)
        text = content.decode().removesuffix("\n").removesuffix("\r")
    except (OSError, ValueError) as error:
        raise WrongUse(f"--account-password-file {file}: it cannot be read ({type(error).__name__})") from None
    if not text or len(content) > LARGEST_PASSWORD_BYTES:
        raise WrongUse(f"--account-password-file {file}: write the password alone into it, on one line")
    return Secret(text)


def _confirm(cameras: int) -> None:
    """Raises WrongUse where the answer is no, or nobody can be asked."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise WrongUse("nothing was changed: there is nobody to ask; add --yes if this is what you want")
    if not typer.confirm(f"Change {cameras} {'camera' if cameras == 1 else 'cameras'} as shown?", err=True):
        raise WrongUse("nothing was changed")


def _exit(short: bool, plans: Sequence[CameraPlan], missing: Sequence[NotEvaluated]) -> ExitCode:  # noqa: FBT001
    """Drift wins over what could not be evaluated, as findings do in `assess`."""
    if short:
        return ExitCode.FINDINGS
    if any(one.unknown for one in plans) or any(one.reason != NO_ANSWER for one in missing):
        return ExitCode.NOT_EVALUATED
    return ExitCode.GOOD


def _print_plans(plans: Iterable[CameraPlan], missing: Sequence[NotEvaluated]) -> None:
    lines = [line for one in plans for line in report.plan_lines(one)]
    lines += report.missing_lines([one for one in missing if one.reason != NO_ANSWER])
    screen.console().print("\n".join(lines) or "no camera answered", soft_wrap=True)


def _print_json(values: dict[str, Any]) -> None:
    sys.stdout.write(f"{json_module.dumps(values, indent=1)}\n")

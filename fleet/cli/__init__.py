"""The command `camwarden`: one module per noun, put together here."""

import logging
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from fleet.cli import (
    analytics,
    assess,
    bundle,
    checks,
    commission,
    db,
    demo,
    discover,
    doctor,
    explain,
    harden,
    health,
    passwords,
    rollout,
    schedule,
    screen,
    serve,
    simulate,
    site,
    token,
    user,
)
from fleet.cli.outcomes import Boundary

__all__ = ["app", "main"]

app = typer.Typer(
    name="camwarden",
    cls=Boundary,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: camwarden demo\n\nExample: camwarden assess 10.0.0.0/24 --credentials cameras.yaml",
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it with the flag
    if wanted:
        sys.stdout.write(f"camwarden {version('camwarden')}\n")
        raise typer.Exit


@app.callback()
def _root(
    *,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of a fault of ours.")] = False,
    shown: Annotated[  # noqa: ARG001 - the callback answers it
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Find every IP camera of an estate, see what is wrong with each, and how to put it right."""
    screen.start_logging(logging.DEBUG if debug else logging.WARNING)


app.command(epilog=demo.EPILOG)(demo.demo)
app.command(epilog=simulate.EPILOG, context_settings=simulate.CONTEXT)(simulate.simulate)
app.command(epilog=discover.EPILOG)(discover.discover)
app.command(epilog=assess.EPILOG)(assess.assess)
app.command(epilog=checks.EPILOG)(checks.checks)
app.command(epilog=explain.EPILOG)(explain.explain)
app.command(epilog=serve.EPILOG)(serve.serve)
app.command(epilog=doctor.EPILOG)(doctor.doctor)
app.add_typer(analytics.app, name="analytics")
app.add_typer(bundle.app, name="bundle")
app.add_typer(commission.app, name="commission")
app.add_typer(db.app, name="db")
app.add_typer(harden.app, name="harden")
app.add_typer(health.app, name="health")
app.add_typer(passwords.app, name="passwords")
app.add_typer(rollout.app, name="rollout")
app.add_typer(schedule.app, name="schedule")
app.add_typer(site.app, name="site")
app.add_typer(token.app, name="token")
app.add_typer(user.app, name="user")


def main() -> None:
    """The entry point. A name that the terminal cannot show must not end a scan."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    app()

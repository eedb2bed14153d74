"""The command `camwarden`: one module per noun, put together here."""

import logging
import sys
from collections.abc import Mapping
from importlib.metadata import version
from types import MappingProxyType
from typing import Annotated

import typer

from fleet.cli import screen
from fleet.cli.lazy import Listed, group_of

__all__ = ["COMMANDS", "app", "main"]

# What each says of itself stands in its module too: a test compares them.
COMMANDS: Mapping[str, Listed] = MappingProxyType(
    {
        "demo": Listed(
            "Simulate an estate, scan it and show it in the console. Nothing outside this machine is touched.", "demo"
        ),
        "simulate": Listed("Serve an estate of simulated cameras on loopback until stopped.", "simulate"),
        "discover": Listed(
            "Find cameras: by asking the local networks in every way that cameras answer, and knocking at addresses.",
            "discover",
        ),
        "assess": Listed("Examine cameras and say what is wrong, how bad it is and how to put it right.", "assess"),
        "checks": Listed(
            "List every check, or show one with why it matters, how to fix it and where that is written.", "checks"
        ),
        "explain": Listed(
            "Show what one check said of one camera: what was seen, why it matters and how to fix it.", "explain"
        ),
        "rejudge": Listed(
            "Judge every stored camera again by what is known now. No camera is asked anything.", "again"
        ),
        "serve": Listed("Serve the console until stopped.", "serve"),
        "doctor": Listed(
            "Examine this machine. Each line is ok, warn (some part will not work) or fail, with what to do.", "doctor"
        ),
        "analytics": Listed("Is a camera's own AI still right; what does a detector find."),
        "audit": Listed("Who did what, and the proof that nobody changed the record of it."),
        "bundle": Listed("Signed bundles of firmware or analytics apps."),
        "commission": Listed("Checklists that machine and person fill in together, and the handover package."),
        "db": Listed("The store: bring its schema up to date, back it up, bring it back."),
        "expected": Listed("Cameras that were imported, and which of them no scan has found."),
        "harden": Listed("Put cameras right by a baseline: see the difference, change by steps, prove each step."),
        "health": Listed("Is the picture still good?"),
        "import": Listed(
            "Expect the cameras of a list, and compare it with what scans found. No camera is asked anything.",
            "bring_in",
        ),
        "passwords": Listed("The cameras' own passwords: change them, see who changed them, look one up."),
        "retention": Listed(
            "Cut history to what the settings keep. The service does so by itself once a day.", "retention"
        ),
        "rollout": Listed("Roll a bundle out over many cameras, the first group small."),
        "schedule": Listed("What the service begins by itself. A running service notices changes within a moment."),
        "site": Listed(
            "Places with networks, a clock and a maintenance window. A camera belongs to the smallest network it is in."
        ),
        "token": Listed("Keys for machines that use the REST API."),
        "user": Listed("Who may use the console, and who may do what, where."),
        "vault": Listed("The key that the passwords of cameras are sealed with."),
    }
)

app = typer.Typer(
    name="camwarden",
    cls=group_of(COMMANDS),
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


def main() -> None:
    """The entry point. A name that the terminal cannot show must not end a scan."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    app()

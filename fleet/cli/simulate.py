"""`camwarden simulate`: an estate of made-up cameras to try everything on. The one module that knows the simulator."""

import asyncio

import typer

from fleet.cli.outcomes import ExitCode
from simulator import OptionsError, run
from simulator.options import from_words

EPILOG = """
Example: camwarden simulate --cameras 24 --manifest truth.json --credentials-out logins.yaml

Example: camwarden simulate --fault telnet-open=2 --fault default-credentials=1

Every option: camwarden simulate -- --help
"""

# The simulator has options of its own and reads them itself: two lists would drift apart.
CONTEXT = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": ["-h", "--help"]}


def simulate(context: typer.Context) -> None:
    """Serve an estate of simulated cameras on loopback until stopped.

    Real servers with ONVIF, web pages, RTSP and the weaknesses asked for. --manifest writes the ground truth, and
    --credentials-out the logins for `camwarden assess`. Prints `ready: ...` when everything listens.
    """
    try:
        asyncio.run(run(from_words(context.args)))
    except OptionsError as problem:
        typer.echo(f"camwarden simulate: {problem}", err=True)
        raise typer.Exit(ExitCode.WRONG_USE) from None

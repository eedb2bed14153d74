"""`camwarden demo`: the console over simulated cameras, in one command."""

import asyncio
import os
import signal
import socket
import sys
import tempfile
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from fleet.cli import screen
from fleet.cli.assess import LABELS
from fleet.cli.outcomes import ExitCode, WrongUse
from fleet.cli.service import Console, listen
from fleet.demo import INTEGRATOR, Comparison, Ready, Wishes, run_demo
from fleet.scans.runner import ScanProgress, ScanState
from fleet.settings import Settings

EPILOG = """
Example: camwarden demo

Example: camwarden demo --cameras 100 --port 9000 --no-browser

Example, as a test of an installation: camwarden demo --no-browser --exit-after-check
"""

LOOPBACK = "127.0.0.1"
PORTS_TRIED = 20
MOST_DIFFERENCES = 20


def demo(
    *,
    cameras: Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="How many to simulate.")] = 24,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of the console; the next free one if it is taken.")
    ] = 8080,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser.")] = False,
    exit_after_check: Annotated[
        bool, typer.Option("--exit-after-check", help="Compare the first scan with the truth, then end: 0 or 4.")
    ] = False,
) -> None:
    """Simulate an estate, scan it and show it in the console. Nothing outside this machine is touched.

    Everything is temporary and ends with Ctrl-C.
    """
    with free_port(port) as listening, tempfile.TemporaryDirectory(prefix="camwarden-demo-") as folder:
        if port and listening.getsockname()[1] != port:
            screen.note(f"Port {port} is taken; using {listening.getsockname()[1]}.")
        settings = Settings(
            home=Path(folder),
            host=LOOPBACK,
            port=listening.getsockname()[1],
            credentials_file=Path(folder) / "credentials.yaml",
            catalogue_file=None,
            secure_cookies=False,
            two_persons=False,  # the story is told by one
        )
        browse = not no_browser and not exit_after_check
        comparison = asyncio.run(_until_stopped(settings, listening, cameras, browse=browse, check=exit_after_check))
    if exit_after_check:
        raise typer.Exit(_report(comparison))
    screen.note("The demo has ended; nothing of it is left.")


def free_port(wanted: int) -> socket.socket:
    """The port that was asked for, or the next one that is free."""
    for port in range(wanted, min(wanted + PORTS_TRIED, 65535) + 1):
        try:
            return listen(LOOPBACK, port)
        except WrongUse:
            continue
    return listen(LOOPBACK, 0)


async def _until_stopped(
    settings: Settings, listening: socket.socket, cameras: int, *, browse: bool, check: bool
) -> Comparison | None:
    """Ctrl-C and SIGTERM end it in order: the console, the store, then the simulator."""
    screen.note(f"Starting {cameras} simulated cameras ...")
    with screen.progress(LABELS) as advance:

        def on_progress(progress: ScanProgress) -> None:
            if progress.phase:
                advance(progress.phase, progress.done, progress.total)
            if progress.state.final:
                screen.note(_scan_words(progress))

        def on_ready(ready: Ready) -> None:
            _greet(ready)
            if browse:
                _open_browser(ready.url)

        running = asyncio.ensure_future(
            run_demo(settings.home, settings, listening, Console, Wishes(cameras, check, on_ready, on_progress, _story))
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, running.cancel)
        try:
            return await running
        except asyncio.CancelledError:
            return None


def _story(part: str) -> None:
    screen.note(f"  {part}" if part else "The story is told; look around. Ctrl-C ends everything.")


def _greet(ready: Ready) -> None:
    sys.stdout.write(f"\n  Console    {ready.url}\n  Name       {ready.name}\n  Password   {ready.password}\n")
    sys.stdout.write(f"  Or as      {INTEGRATOR}, who works at one of the two sites, by the same password\n\n")
    sys.stdout.write(f"A first scan of {ready.targets} is running: watch it there. Ctrl-C ends everything.\n\n")
    sys.stdout.flush()


def _open_browser(url: str) -> None:
    """Only where there is a screen: elsewhere Python would start a browser in this terminal."""
    if sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        asyncio.get_running_loop().run_in_executor(None, webbrowser.open, url)


def _scan_words(progress: ScanProgress) -> str:
    return (
        f"The scan has {'finished' if progress.state is ScanState.DONE else progress.state.value}: "
        f"{progress.cameras} cameras, {progress.failed_verdicts} findings, {progress.not_evaluated} not evaluated."
    )


def _report(comparison: Comparison | None) -> ExitCode:
    if comparison is None:
        screen.note("Stopped before the check.")
        return ExitCode.INTERRUPTED
    for line in comparison.differences[:MOST_DIFFERENCES]:
        sys.stdout.write(f"  {line}\n")
    if len(comparison.differences) > MOST_DIFFERENCES:
        sys.stdout.write(f"  and {len(comparison.differences) - MOST_DIFFERENCES} more\n")
    word = "as expected" if not comparison.differences else f"{len(comparison.differences)} differences"
    sys.stdout.write(f"Check: {comparison.cameras} cameras, {comparison.verdicts} verdicts: {word}.\n")
    return ExitCode.OUR_FAULT if comparison.differences else ExitCode.GOOD

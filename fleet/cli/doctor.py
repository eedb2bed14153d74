"""`camwarden doctor`: is this machine fit for the work, and what to do where it is not."""

import asyncio
import json as json_module
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from cameras import soap
from fleet.cli import doctor_service, screen
from fleet.cli.doctor_service import Line
from fleet.cli.outcomes import ExitCode
from fleet.errors import FleetError
from fleet.settings import Settings, load_settings
from fleet.store import is_made, open_store, where
from scanners.discovery import interfaces
from scanners.knowledge import load_knowledge

EPILOG = """
Example: camwarden doctor

Example: camwarden doctor --json
"""

OLDEST_PYTHON = (3, 11)
LIBRARIES = (
    "apscheduler",
    "cryptography",
    "fastapi",
    "httpx",
    "lxml",
    "onvif-zeep-async",
    "pydantic",
    "sqlalchemy",
    "uvicorn",
    "zeep",
    "zeroconf",
)
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LOW_PORTS = (80, 443, 554)
WS_DISCOVERY_PORT = 3702
SYNCHRONISED = (Path("/run/systemd/timesync/synchronized"), Path("/run/chrony"), Path("/run/chronyd.pid"))


def doctor(
    *,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="camwarden.toml to examine with.", show_default=False)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print only JSON (camwarden/doctor/1) on stdout.")] = False,
) -> None:
    """Examine this machine. Each line is ok, warn (some part will not work) or fail, with what to do.

    Exit code: 0 without a fail, 3 with one. Touches no camera.
    """
    lines = examined(config)
    if json:
        report = {"format": "camwarden/doctor/1", "lines": [asdict(line) for line in lines]}
        sys.stdout.write(f"{json_module.dumps(report, indent=1)}\n")
    else:
        table = Table("", "", "Found", "What to do", box=None, pad_edge=False, show_header=False)
        for line in lines:
            table.add_row(Text(line.state), Text(line.what), Text(line.found), Text(line.advice))
        screen.console().print(table)
    if any(line.state == "fail" for line in lines):
        raise typer.Exit(ExitCode.NOT_EVALUATED)


def examined(config: Path | None) -> list[Line]:
    """Every line, whatever happens to the others."""
    lines = [
        line for look in (_python, _libraries, _programs, _descriptions, _ports, _interfaces, _clock) for line in look()
    ]
    try:
        settings = load_settings(config)
    except FleetError as error:
        return [*lines, Line("settings", "fail", str(error), "correct camwarden.toml or the CAMWARDEN_* variable")]
    return [
        *lines,
        Line("settings", "ok", "can be read"),
        *_home(settings),
        *_store(settings),
        *doctor_service.lines(settings),
    ]


def _python() -> Iterator[Line]:
    found = ".".join(map(str, sys.version_info[:3]))
    fit = sys.version_info[:2] >= OLDEST_PYTHON
    yield Line("python", "ok" if fit else "fail", found, "" if fit else "install Python 3.11 or newer")


def _libraries() -> Iterator[Line]:
    for name in LIBRARIES:
        try:
            yield Line(f"library {name}", "ok", version(name))
        except PackageNotFoundError:
            yield Line(f"library {name}", "fail", "missing", "install camwarden again, with its dependencies")


def _programs() -> Iterator[Line]:
    yield _program("nmap", ("nmap",), "apt-get install nmap, for `assess --nmap`")
    yield _program("chromium", CHROMIUM, "apt-get install chromium, for the tests of the console")


def _program(what: str, names: tuple[str, ...], advice: str) -> Line:
    found = next((path for name in names if (path := shutil.which(name))), None)
    return Line(what, "ok", found) if found else Line(what, "warn", "not installed", advice)


def _descriptions() -> Iterator[Line]:
    try:
        yield Line("ONVIF service descriptions", "ok", f"{len(soap.descriptions())} services")
    except Exception as error:  # noqa: BLE001 - a broken file can fail in any way, and each is one line here
        advice = "install camwarden again: files of it or of onvif-zeep-async are missing"
        yield Line("ONVIF service descriptions", "fail", type(error).__name__, advice)


def _ports() -> Iterator[Line]:
    for port in LOW_PORTS:
        yield _bindable(f"port {port}/tcp", socket.SOCK_STREAM, port)
    yield _bindable(f"port {WS_DISCOVERY_PORT}/udp", socket.SOCK_DGRAM, WS_DISCOVERY_PORT)


def _bindable(what: str, kind: socket.SocketKind, port: int) -> Line:
    """Only the simulator listens there, on loopback, and it can use others."""
    with socket.socket(socket.AF_INET, kind) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError as error:
            advice = "`simulate` and `demo` use high ports, or do without being discovered"
            return Line(what, "warn", error.strerror or "cannot be bound", advice)
    return Line(what, "ok", "free for the simulator")


def _interfaces() -> Iterator[Line]:
    try:
        found = interfaces.addresses(None)
    except (OSError, ValueError) as error:
        yield Line("multicast", "warn", str(error), "give `discover` addresses, or --interface")
        return
    if found:
        yield Line("multicast", "ok", ", ".join(found))
    else:
        yield Line("multicast", "warn", "no interface can send multicast", "give `discover` the addresses to try")


def _clock() -> Iterator[Line]:
    now = datetime.now(UTC)
    found = now.isoformat(timespec="seconds")
    if now.date() < _newest_knowledge():
        yield Line("clock", "fail", found, "set this clock: it is earlier than the data we came with")
    elif any(path.exists() for path in SYNCHRONISED):
        yield Line("clock", "ok", f"{found}, set over the network")
    else:
        yield Line("clock", "warn", found, "use NTP here: clocks and certificates of cameras are judged by this clock")


def _newest_knowledge() -> date:
    knowledge = load_knowledge()
    return max(
        table.dated for table in (knowledge.firmware, knowledge.default_credentials, knowledge.ports, knowledge.policy)
    )


def _home(settings: Settings) -> Iterator[Line]:
    """A look makes nothing: where there is no home yet, the folder that it would be made in is tried."""
    try:
        folder = next(folder for folder in (settings.home, *settings.home.absolute().parents) if folder.exists())
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        advice = "make the folder and give it to this user, or set CAMWARDEN_HOME"
        yield Line("home", "fail", f"{settings.home}: {error.strerror}", advice)
        return
    yield Line("home", "ok", f"{settings.home} can be written")


def _store(settings: Settings) -> Iterator[Line]:
    if is_made(settings):
        yield _opens(settings, where(settings))
        return
    with tempfile.TemporaryDirectory() as folder:
        yield _opens(settings.model_copy(update={"home": Path(folder)}), "will be made by the first `camwarden serve`")


def _opens(settings: Settings, found: str) -> Line:
    async def try_it() -> None:
        async with await open_store(settings):
            pass

    try:
        asyncio.run(try_it())
    except FleetError as error:
        return Line(
            "store",
            "fail",
            str(error),
            "put that right, or bring back a backup: `camwarden db restore`",
        )
    return Line("store", "ok", found)

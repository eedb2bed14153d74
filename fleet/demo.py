"""Everything at once on made-up cameras: a simulated estate, the service with its console, a first scan.

The simulator is another process, started by name: the product never imports it. Everything lives in a temporary folder
that goes away at the end.
"""

import asyncio
import ipaddress
import json
import os
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Protocol

import httpx

from fleet import demo_story, sites
from fleet.errors import FleetError
from fleet.people import accounts as people
from fleet.people.permissions import Role
from fleet.scans.runner import ScanProgress
from fleet.service import Service, open_service
from fleet.settings import Settings
from fleet.sites import Site
from fleet.store import Store

NAME = "demo"
# Reads, scans and commissions at one of the two sites, by the same password.
INTEGRATOR = "integrator"
SEED = 457
DECOYS = 3
# The story approves what cameras show before some of them are covered. Streams are slow, to be kind to small machines.
COVERED, COVERED_AFTER_S = 3, 45
STREAM_FPS = 5
BASES = tuple(f"127.{number}.0.1" for number in range(20, 25))
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0
REQUEST_TIMEOUT_S = 30.0
PAGE = 500
PAGES = ("/", "/devices", "/findings", "/scans", "/checks")


class DemoFailed(FleetError):
    """The demonstration cannot start here. The text says why."""


class Console(Protocol):
    """The console as the demonstration sees it: it serves until it is stopped."""

    async def run(self) -> None: ...

    def stop(self) -> None: ...


MakeConsole = Callable[[Service, socket.socket], Console]


@dataclass(frozen=True, slots=True)
class Ready:
    """Where the console is, and how to sign in."""

    url: str
    name: str
    password: str
    targets: str


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line asks for, and whom to tell. `on_story` hears each part of the story, then "" at its end."""

    cameras: int
    check: bool
    on_ready: Callable[[Ready], None]
    on_progress: Callable[[ScanProgress], None]
    on_story: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the console says beside what is true; `differences` is empty where they agree."""

    cameras: int
    verdicts: int
    differences: tuple[str, ...]


async def run_demo(
    home: Path, settings: Settings, listening: socket.socket, make_console: MakeConsole, wishes: Wishes
) -> Comparison | None:
    """Runs until it is cancelled, or, where a check is wished for, until the scan has been compared with the truth."""
    async with (
        _simulator(home, wishes.cameras) as manifest,
        open_service(settings) as service,
        _serving(make_console(service, listening)),
    ):
        ready = await _first_administrator(service.store, listening, manifest)
        await _two_sites(service.store, manifest)
        await _somebody_of_one_site(service.store, ready.password)
        scan = await service.scans.start(ready.targets, NAME)
        wishes.on_ready(ready)
        async for progress in service.scans.events(scan):
            wishes.on_progress(progress)
        if wishes.check:
            return await check(ready, manifest)
        await demo_story.tell(service, manifest, home, wishes.on_story)
        wishes.on_story("")
        await asyncio.Event().wait()
    return None


async def _somebody_of_one_site(store: Store, password: str) -> None:
    """So that the console can be seen as somebody sees it who comes for one site only."""
    await people.add_user(store, INTEGRATOR, password, Role.INTEGRATOR, sites=(demo_story.SITE,), actor=NAME)


async def _first_administrator(store: Store, listening: socket.socket, manifest: Mapping[str, Any]) -> Ready:
    password = secrets.token_urlsafe(12)
    await people.add_user(store, NAME, password, Role.ADMINISTRATOR)
    port = listening.getsockname()[1]
    return Ready(f"http://127.0.0.1:{port}", NAME, password, targets_of(manifest))


async def _two_sites(store: Store, manifest: Mapping[str, Any]) -> None:
    """Half of the addresses each; one site where all cameras share an address."""
    addresses = sorted({ipaddress.IPv4Address(one["address"]) for one in manifest["cameras"]})
    middle = (len(addresses) + 1) // 2
    for name, zone, some in (
        (demo_story.SITE, "Europe/Berlin", addresses[:middle]),
        ("Depot", "Europe/Madrid", addresses[middle:]),
    ):
        if some:
            networks = ipaddress.summarize_address_range(some[0], some[-1])
            await sites.put(store, Site(name, tuple(map(str, networks)), zone), NAME)


@asynccontextmanager
async def _serving(console: Console) -> AsyncIterator[None]:
    serving = asyncio.create_task(console.run())
    try:
        yield
    finally:
        console.stop()
        await serving


# --- the simulated estate ---------------------------------------------------------------------------------------------


@asynccontextmanager
async def _simulator(home: Path, cameras: int) -> AsyncIterator[Mapping[str, Any]]:
    """The manifest of an estate that answers. Other simulators may hold the first addresses already."""
    words: list[str] = []
    for base in BASES:
        process = await _start(home, cameras, base)
        try:
            if await _is_ready(process):
                draining = asyncio.create_task(_drain(process))
                try:
                    yield json.loads((home / "manifest.json").read_text())
                finally:
                    draining.cancel()
                return
        finally:
            await _stop(process)
        words = (home / "simulator.log").read_text(errors="replace").splitlines() or ["it ended without a word"]
    raise DemoFailed(f"the simulated cameras do not start: {words[-1]}")


async def _start(home: Path, cameras: int, base: str) -> asyncio.subprocess.Process:
    options = [f"--cameras={cameras}", f"--base={base}", f"--seed={SEED}", f"--decoys={DECOYS}"]
    options += [
        f"--picture-fault=covered={min(COVERED, cameras)}",
        f"--picture-fault-after={COVERED_AFTER_S}",
        f"--stream-fps={STREAM_FPS}",
    ]
    files = [f"--manifest={home / 'manifest.json'}", f"--credentials-out={home / 'credentials.yaml'}"]
    # Our own copy of the simulator, whatever lies in the working directory. A session of its own: Ctrl-C is for us.
    with (home / "simulator.log").open("w") as log:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "simulator", *options, *files),
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )


async def _is_ready(process: asyncio.subprocess.Process) -> bool:
    output = process.stdout
    async with asyncio.timeout(START_TIMEOUT_S):
        while output and (line := await output.readline()):
            if line.startswith(b"ready:"):
                return True
    return False


async def _drain(process: asyncio.subprocess.Process) -> None:
    """A pipe that nobody reads fills up and then stops whoever writes."""
    while process.stdout and await process.stdout.read(65536):
        pass


async def _stop(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def targets_of(manifest: Mapping[str, Any]) -> str:
    """What to scan, decoys too: ranges of addresses, or each with its port where cameras share an address."""
    places = [(entry["address"], entry["port"]) for entry in (*manifest["cameras"], *manifest["decoys"])]
    addresses = [address for address, _ in places]
    if len(set(addresses)) != len(addresses):
        return " ".join(f"{address}:{port}" for address, port in places)
    return " ".join(_ranges(int(ipaddress.IPv4Address(address)) for address in addresses))


def _ranges(numbers: Iterable[int]) -> list[str]:
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    edges = [(ipaddress.IPv4Address(first), ipaddress.IPv4Address(last)) for first, last in runs]
    return [str(first) if first == last else f"{first}-{last}" for first, last in edges]


# --- the check: what a signed-in person sees, beside the truth --------------------------------------------------------


async def check(ready: Ready, manifest: Mapping[str, Any]) -> Comparison:
    """Signs in as a browser would and reads everything back through the pages and the REST API."""
    async with httpx.AsyncClient(base_url=ready.url, timeout=REQUEST_TIMEOUT_S, trust_env=False) as browser:
        await _sign_in(browser, ready)
        faults = [
            f"page {page}: HTTP {answer.status_code}" for page in PAGES if (answer := await browser.get(page)).is_error
        ]
        seen = await _cameras(browser)
    found = compare(manifest["cameras"], seen)
    return Comparison(len(seen), sum(map(len, seen.values())), (*faults, *found))


Place = tuple[str, int]
Verdicts = Mapping[tuple[str, str], str]


def compare(true: Sequence[Mapping[str, Any]], seen: Mapping[Place, Verdicts]) -> list[str]:
    """Every way in which what was seen is not what is true, one line each."""
    expected = {(one["address"], one["port"]): _expected(one) for one in true}
    lines = [f"{address}:{port}: the camera is missing" for address, port in sorted(expected.keys() - seen.keys())]
    lines += [f"{address}:{port}: there is no such camera" for address, port in sorted(seen.keys() - expected.keys())]
    for address, port in sorted(expected.keys() & seen.keys()):
        theirs, ours = expected[address, port], seen[address, port]
        for check_id, subject in sorted(theirs.keys() | ours.keys()):
            wanted, said = theirs.get((check_id, subject), "nothing"), ours.get((check_id, subject), "nothing")
            if wanted != said:
                what = f"{check_id} {subject}".rstrip()
                lines.append(f"{address}:{port}: {what}: expected {wanted}, found {said}")
    return lines


def _expected(camera: Mapping[str, Any]) -> Verdicts:
    return {(one["check"], one["subject"]): one["verdict"] for one in camera["expected"]}


async def _sign_in(browser: httpx.AsyncClient, ready: Ready) -> None:
    form = _Fields()
    form.feed((await browser.get("/sign-in")).text)
    fields = {**form.hidden, "name": ready.name, "password": ready.password}
    answer = await browser.post("/sign-in", data=fields)
    if answer.status_code != httpx.codes.SEE_OTHER:
        raise DemoFailed(f"the console does not let the demo person in: HTTP {answer.status_code}")


class _Fields(HTMLParser):
    """The hidden fields of the forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("type") == "hidden":
            self.hidden.setdefault(given.get("name") or "", given.get("value") or "")


async def _cameras(browser: httpx.AsyncClient) -> dict[Place, Verdicts]:
    seen: dict[Place, Verdicts] = {}
    after: str | None = ""
    while after is not None:
        page = await _get(browser, "/api/v1/cameras", {"limit": str(PAGE), **({"after": after} if after else {})})
        for row in page["items"]:
            camera = await _get(browser, f"/api/v1/cameras/{row['id']}")
            seen[row["address"], row["port"]] = {
                (verdict["check"], verdict["subject"]): verdict["verdict"] for verdict in camera["verdicts"]
            }
        after = page["after"]
    return seen


async def _get(browser: httpx.AsyncClient, path: str, query: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401
    answer = await browser.get(path, params=query)
    answer.raise_for_status()
    return answer.json()

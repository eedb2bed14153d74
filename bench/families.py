"""What it costs to speak to every brand in its own words, beside ONVIF alone on the same cameras.

Part one counts what one visit asks a camera of each family: requests, and bytes both ways (heads and bodies of HTTP,
without TLS). Part two is the wall time of a mixed estate's full dossier; `mixed_ratio` is how many times longer it
takes than with the vendors' APIs left alone (1.5 is the most that is allowed).
"""

import asyncio
import sys
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.estate import estate
from bench.process import run
from bench.table import Row, ratio, row_of, show
from cameras import families
from cameras.secret import Credential, Secret
from scanners.assessment import Options as Asking
from scanners.assessment import assess
from scanners.credentials import CredentialRule
from scanners.targets import Target
from simulator import Estate
from simulator.camera import Camera
from simulator.http import Reply, Request
from simulator.options import Options

CAMERAS, QUICK_CAMERAS = 1000, 60
MOST_RATIO = 1.5
NAMES = ("axis", "hikvision", "dahua", "hanwha", "onvif")
ROUNDS = 3
_LIMIT_S = 900.0
_ONVIF_ALONE = "from cameras import families; families.FAMILIES = ()"
_MAIN = "from fleet.cli import main; main()"


@dataclass
class Traffic:
    """What reached a camera's web server and what it said."""

    requests: int = 0
    bytes_in: int = 0
    bytes_out: int = 0


def measure(*, quick: bool, sizes: tuple[int, ...] | None) -> dict[str, Any]:
    found: dict[str, Any] = {"most_ratio": MOST_RATIO}
    found["per_camera"] = asyncio.run(_all_families())
    _show(found["per_camera"])
    cameras = max(sizes) if sizes else QUICK_CAMERAS if quick else CAMERAS
    rows: list[Row] = []
    best: dict[str, float] = {}
    for _ in range(1 if quick else ROUNDS):
        for tool, before in (("vendors' own and ONVIF", ""), ("ONVIF alone", _ONVIF_ALONE)):
            with estate(cameras, "--clean") as servers:
                words = ["assess", servers.target(), "--credentials", str(servers.credentials), "--json"]
                took = run([sys.executable, "-c", f"{before}\n{_MAIN}", *words], limit_s=_LIMIT_S)
            rows.append(row_of("a mixed estate, full dossier", tool, cameras, took))
            best[tool] = min(best.get(tool, took.seconds), took.seconds)
    show("the vendors' own words beside ONVIF alone", rows, ("The best of each is compared.",))
    found |= {"cameras": cameras, "mixed_ratio": ratio(*best.values())}
    return found


async def _all_families() -> dict[str, dict[str, dict[str, int]]]:
    """By family, then by whether the vendor's API is used, what one visit takes."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    known = families.FAMILIES
    for name in NAMES:
        found[name] = {}
        for way, used in (("own", known), ("onvif", ())):
            families.FAMILIES = used
            try:
                found[name][way] = vars(await _visited(name))
            finally:
                families.FAMILIES = known
    return found


async def _visited(family: str) -> Traffic:
    options = Options(cameras=1, mix={family: 1}, faults={}, base="127.63.0.1", discovery=False, low_ports=False)
    async with Estate(options) as running:
        (camera,) = running.cameras
        traffic = _counted(camera)
        login = camera.plan.login
        if login is None:
            raise RuntimeError("a clean camera has a login")
        rule = CredentialRule("*", Credential(login.name, Secret(login.password)))
        target = Target(camera.plan.address, camera.plan.port, camera.plan.scheme, None, shared=False)
        how = Asking(credentials=[rule], default_credentials=False)
        async for _ in assess([target], how):
            pass
    return traffic


def _counted(camera: Camera) -> Traffic:
    traffic, handle = Traffic(), camera.handle

    def counting(request: Request) -> Reply:
        reply = handle(request)
        traffic.requests += 1
        traffic.bytes_in += len(request.head) + 4 + len(request.body)
        traffic.bytes_out += len(reply.data)
        return reply

    camera.handle = counting  # type: ignore[method-assign] # the web server asks the camera that it has
    return traffic


def _show(found: dict[str, dict[str, dict[str, int]]]) -> None:
    table = Table(title="one visit to one clean camera", title_justify="left")
    table.add_column("family")
    for heading in ("requests", "KiB to it", "KiB from it"):
        table.add_column(heading, justify="right")
        table.add_column(f"{heading}, ONVIF alone", justify="right")
    for family, ways in found.items():
        cells = []
        for field in ("requests", "bytes_in", "bytes_out"):
            for way in ("own", "onvif"):
                value = ways[way][field]
                cells.append(str(value) if field == "requests" else f"{value / 1024:.1f}")
        table.add_row(family, *cells)
    Console().print(table)

"""One SOAP call over `cameras.http` beside a bare aiohttp session: its cost, many cameras at once."""

from typing import Any

from bench.estate import Estate, estate
from bench.process import run_module
from bench.table import Row, ratio, show

CAMERAS, QUICK_CAMERAS = 500, 200
CALLS = 6
_LIMIT_S = 120.0


def measure(*, quick: bool, sizes: tuple[int, ...] | None) -> dict[str, Any]:
    cameras = sizes[0] if sizes else QUICK_CAMERAS if quick else CAMERAS
    with estate(cameras, "--clean") as servers:
        rows, found = compare(servers)
    show(f"One SOAP call, {cameras} cameras at once, {CALLS} calls each", rows, FOOTNOTES)
    return {"cameras": cameras, **found}


FOOTNOTES = (
    "Ours: one connection per camera, so that no camera can harm another's connections. aiohttp: one session for all.",
    "CPU is the client's alone, start and imports left out; connecting is included. aiohttp_ratio compares it.",
)


def compare(servers: Estate) -> tuple[list[Row], dict[str, Any]]:
    """Rows per tool and `aiohttp_ratio` (above 1: ours is cheaper), over the cameras that speak plain HTTP."""
    jobs = [{"address": c["address"], "port": c["port"]} for c in servers.cameras if c["scheme"] == "http"]
    rows, cost = [], {}
    for tool, module in (("ours", "bench.ours.soap_calls"), ("aiohttp", "bench.peers.aiohttp_calls")):
        run = run_module(module, str(CALLS), limit_s=_LIMIT_S, job=jobs)
        answer = run.answer() or {}
        answered = int(answer.get("answered", 0))
        cost[tool] = float(answer["cpu_s"]) / answered if answered else None
        note = f"{answered} of {len(jobs) * CALLS} calls answered"
        if (each := cost[tool]) is not None:
            note += f", {each * 1000:.2f} ms CPU per call"
        rows.append(Row("SOAP calls", tool, len(jobs), answer.get("seconds"), answer.get("cpu_s"), run.peak_mib, note))
    found = {
        "aiohttp_ratio": ratio(cost["aiohttp"], cost["ours"]),
        "cpu_ms_per_call": _ms(cost["ours"]),
        "aiohttp_cpu_ms_per_call": _ms(cost["aiohttp"]),
    }
    return rows, found


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)

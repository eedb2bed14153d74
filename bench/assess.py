"""A whole assessment, and its parts, each beside the tool that one would use instead.

Ratios are how many times less wall time we need than the peer for the same cameras (above 1 is good); `growth_*` is the
CPU time of a camera among 1000 divided by that of one among 100 (near 1 is good).
"""

import sys
from dataclasses import dataclass
from typing import Any

from bench import http, install, tools
from bench.estate import Estate, estate, login_of
from bench.process import Run, run, run_module
from bench.table import Row, ratio, row_of, show
from scanners.knowledge import load_knowledge

_LIMIT_S = 900.0
# A vendor whose web server demands a login by Digest and that has more than one documented pair.
_VENDOR = "dahua"


@dataclass(frozen=True, slots=True)
class Plan:
    """How many cameras each part gets, and how long the slow peers may take."""

    sizes: tuple[int, ...]
    nmap: int
    nmap_limit_s: float
    identity: tuple[int, ...]
    onvif_zeep: int
    hydra: int
    growth: tuple[int, int]
    http: int
    estate: tuple[str, ...] = ()


FULL = Plan(
    sizes=(200, 1000),
    nmap=200,
    nmap_limit_s=600,
    identity=(200, 1000),
    onvif_zeep=200,
    hydra=100,
    growth=(100, 1000),
    http=500,
)
QUICK = Plan(
    sizes=(24,),
    nmap=6,
    nmap_limit_s=10,
    identity=(24,),
    onvif_zeep=4,
    hydra=12,
    growth=(128, 256),  # not fewer than are examined side by side
    http=100,
    estate=("--clean",),
)


def measure(*, quick: bool, sizes: tuple[int, ...] | None) -> dict[str, Any]:
    plan = QUICK if quick else FULL
    rows: list[Row] = []
    found: dict[str, Any] = {"cameras": max(sizes or plan.sizes), "quick": quick}
    for size in sizes or plan.sizes:
        found |= _whole(rows, plan, size)
    found |= _beside_nmap(rows, plan)
    found |= _identities(rows, plan)
    found |= _default_credentials(rows, plan)
    found |= _growth(rows, plan)
    with estate(plan.http, "--clean") as servers:
        more, calls = http.compare(servers)
        rows += more
        found |= calls
    show("camwarden assess beside its peers", rows, (*_footnotes(plan, quick=quick), *http.FOOTNOTES))
    return found


def _footnotes(plan: Plan, *, quick: bool) -> list[str]:
    notes = [
        "Wall, CPU and peak memory are each tool's own; the simulated cameras share the machine and slow all tools.",
        "identity, default credentials: our wall time is the work, descriptions parsed within it, imports left out.",
        "bare streams: the limit. It parses nothing and judges nothing, so its ratio is below 1.",
    ]
    if quick:
        notes.append(
            "--quick: clean cameras only; a faulty one that keeps a port silent holds its own visit up for seconds."
        )
        notes.append(
            f"--quick: nmap had {plan.nmap_limit_s:g} s for {plan.nmap} hosts; cut off, its ratio is a lower bound. "
            f"growth_100_to_1000 and kib_per_camera are from {plan.growth[0]} and {plan.growth[1]} cameras."
        )
    return notes


def _assess(servers: Estate) -> Run:
    words = ["assess", servers.target(), "--credentials", str(servers.credentials), "--json"]
    command = [sys.executable, "-c", "from fleet.cli import main; main()", *words]
    return run(command, limit_s=_LIMIT_S)


def _assess_row(cameras: int, run: Run) -> Row:
    answer = tools.json_of(run.output)
    if answer is None:
        return row_of("whole assessment", "ours", cameras, run, note="no answer")
    note = f"{len(answer['cameras'])} judged, {len(answer['not_evaluated'])} not evaluated"
    return Row("whole assessment", "ours", cameras, run.seconds, run.cpu_s, run.peak_mib, note)


def _whole(rows: list[Row], plan: Plan, size: int) -> dict[str, Any]:
    """Ours beside the fewest bytes that could do it."""
    with estate(size, *plan.estate) as servers:
        ours = _assess(servers)
    with estate(size, *plan.estate) as servers:
        bare = run_module("bench.peers.bare_probe", limit_s=_LIMIT_S, job=servers.addresses())
    answer = bare.answer() or {}
    rows.append(_assess_row(size, ours))
    note = f"{answer.get('read')} of {size} answered"
    rows.append(row_of("fewest bytes", "bare streams", size, bare, note=note))
    return {
        "bare_probe_ratio": ratio(bare.seconds, ours.seconds),
        "seconds_per_camera": round(ours.seconds / size, 4),
        "cpu_s_per_camera": round(ours.cpu_s / size, 4),
    }


def _beside_nmap(rows: list[Row], plan: Plan) -> dict[str, Any]:
    """The same hosts for both: nmap works on many hosts at once, so its time must not be scaled by the host."""
    with estate(plan.nmap, *plan.estate) as servers:
        nmap = tools.nmap(servers.addresses(), plan.nmap_limit_s)
    with estate(plan.nmap, *plan.estate) as servers:
        ours = _assess(servers)
    rows.append(_assess_row(plan.nmap, ours))
    if nmap is None:
        rows.append(Row("whole assessment", "nmap", plan.nmap, None, None, None, tools.NMAP_MISSING))
        return {"nmap_ratio": None}
    reported, accounts = tools.nmap_found(nmap.output)
    note = f"-sV, http-default-accounts; {reported} hosts reported, {accounts} with a default account"
    if nmap.cut_off:
        note = f"cut off after {plan.nmap_limit_s:g} s, a lower bound"
    rows.append(row_of("versions and default accounts", "nmap", plan.nmap, nmap, note=note))
    return {"nmap_ratio": ratio(nmap.seconds, ours.seconds), "nmap_hosts": plan.nmap, "nmap_cut_off": nmap.cut_off}


def _identities(rows: list[Row], plan: Plan) -> dict[str, Any]:
    """Only cameras that every tool can read: plain HTTP, and WS-Security or no login."""
    found: dict[str, Any] = {}
    ours = None
    with estate(2 * max(plan.identity) + 400, "--clean") as servers:
        logins = login_of(servers)
        every = [_job(camera, logins) for camera in servers.cameras if camera["scheme"] == "http"]
        common = [job for job in every if "wsse" in job["auth"] or job["auth"] == "none"]
        for size in plan.identity:
            # The keys without a number are those of the largest estate.
            ours, ratios = _identity_beside_async(rows, common[:size])
            found |= ratios | {f"{name}_{size}": value for name, value in ratios.items()}
        few = common[: plan.onvif_zeep]
        if (peer := install.place(install.ONVIF_ZEEP)) is None:
            rows.append(Row("identity", "onvif-zeep", len(few), None, None, None, f"missing: {install.HOW_TO}"))
            zeep = None
        else:
            run = run_module("bench.peers.onvif_zeep", limit_s=_LIMIT_S, job=few, python_path=peer)
            zeep = _identity_row(rows, "onvif-zeep", few, run)
        largest = common[: max(plan.identity)]
        held = [_held(module, largest) for module in ("bench.ours.held", "bench.peers.onvif_zeep_async_held")]
        all_of_them = run_module("bench.ours.identity", limit_s=_LIMIT_S, job=every)
        _identity_row(rows, "ours, every login style", every, all_of_them)
    return found | {
        "onvif_zeep_ratio": ratio(zeep, ours),
        "identity_cameras": len(largest),
        "held_kib_per_camera": held[0],
        "onvif_zeep_async_held_kib_per_camera": held[1],
        "onvif_zeep_async_memory_ratio": ratio(held[1], held[0]),
    }


def _identity_beside_async(rows: list[Row], jobs: list[dict[str, Any]]) -> tuple[float | None, dict[str, float | None]]:
    """Our seconds per camera, and the peer's divided by them."""
    module = "bench.peers.onvif_zeep_async"
    ours = _identity(rows, "ours", jobs, "bench.ours.identity")
    documented = _identity(rows, "onvif-zeep-async", jobs, module, "documented")
    shortest = _identity(rows, "onvif-zeep-async, no set-up", jobs, module, "shortest")
    return ours, {
        "onvif_zeep_async_ratio": ratio(documented, ours),
        "onvif_zeep_async_shortest_ratio": ratio(shortest, ours),
    }


def _held(module: str, jobs: list[dict[str, Any]]) -> float | None:
    """KiB that one more camera takes while its connection and login stay open; needs more than the ten that warm up."""
    answer = run_module(module, limit_s=_LIMIT_S, job=jobs).answer() or {}
    return round(float(answer["kib_per_camera"]), 1) if answer.get("read") == len(jobs) else None


def _job(camera: dict[str, Any], logins: dict[str, tuple[str, str]]) -> dict[str, Any]:
    username, password = logins.get(str(camera["address"]), ("", ""))
    return {**{key: camera[key] for key in ("address", "port", "auth")}, "username": username, "password": password}


def _identity(rows: list[Row], tool: str, jobs: list[dict[str, Any]], module: str, *words: str) -> float | None:
    return _identity_row(rows, tool, jobs, run_module(module, *words, limit_s=_LIMIT_S, job=jobs))


def _identity_row(rows: list[Row], tool: str, jobs: list[dict[str, Any]], run: Run) -> float | None:
    """Seconds per camera that was read."""
    answer = run.answer() or {}
    read, seconds = int(answer.get("read", 0)), answer.get("seconds")
    note = f"{read} of {len(jobs)} read"
    rows.append(row_of("identity", tool, len(jobs), run, seconds=seconds, note=note))
    return float(seconds) / read if seconds is not None and read else None


def _growth(rows: list[Row], plan: Plan) -> dict[str, Any]:
    """A fresh process for each size; the estate's own memory is in another process."""
    peak, cpu, wall = [], [], []
    for size in plan.growth:
        with estate(size, *plan.estate) as servers:
            job = {"credentials": str(servers.credentials), "target": servers.target()}
            run = run_module("bench.ours.in_process", limit_s=_LIMIT_S, job=job)
        answer = run.answer()
        note = f"{answer['judged']} judged" if answer else "no answer"
        rows.append(row_of("one process", "ours", size, run, seconds=(answer or {}).get("seconds"), note=note))
        if answer is None:
            return {"kib_per_camera": None, "growth_100_to_1000": None, "growth_cameras": plan.growth}
        peak.append(float(answer["peak_kib"]))
        cpu.append(float(answer["cpu_s"]) / size)
        wall.append(float(answer["seconds"]) / size)
    small, large = plan.growth
    return {
        "kib_per_camera": round((peak[1] - peak[0]) / (large - small), 2),
        "growth_100_to_1000": ratio(cpu[1], cpu[0]),
        "wall_growth_100_to_1000": ratio(wall[1], wall[0]),
        "growth_cameras": plan.growth,
    }


def _default_credentials(rows: list[Row], plan: Plan) -> dict[str, Any]:
    """The same tries for both: a made-up account, then the vendor's documented pairs, over HTTP Digest."""
    vendor = load_knowledge().default_credentials.for_manufacturer(_VENDOR)
    if vendor is None:
        return {"hydra_ratio": None}
    pairs = [("cw-made-up", "cw-made-up"), *((pair.account, pair.password.reveal()) for pair in vendor.pairs)]
    words = ("--mix", f"{_VENDOR}=1", "--fault", f"default-credentials={plan.hydra // 2}")
    with estate(plan.hydra, *words) as servers:
        jobs = [{"address": camera["address"], "port": camera["port"]} for camera in servers.cameras]
        there = sum("default-credentials" in camera["faults"] for camera in servers.cameras)
        ours = run_module("bench.ours.default_credentials", _VENDOR, limit_s=_LIMIT_S, job=jobs)
    with estate(plan.hydra, *words) as servers:
        hydra = tools.hydra(servers.addresses(), pairs, vendor.login_path, _LIMIT_S)
    answer = ours.answer() or {}
    note = f"{answer.get('read')} found of {there}, {len(pairs)} tries each, successes confirmed"
    rows.append(row_of("default credentials", "ours", plan.hydra, ours, seconds=answer.get("seconds"), note=note))
    if hydra is None:
        rows.append(Row("default credentials", "hydra", plan.hydra, None, None, None, tools.HYDRA_MISSING))
        return {"hydra_ratio": None}
    # Its exit status says nothing: its children get in each other's way, and it ends with 255 after a finished run.
    note = f"{tools.hydra_found(hydra.output)} named, {there} are there, {len(pairs)} tries each"
    rows.append(Row("default credentials", "hydra", plan.hydra, hydra.seconds, hydra.cpu_s, hydra.peak_mib, note))
    return {"hydra_ratio": ratio(hydra.seconds, answer.get("seconds"))}

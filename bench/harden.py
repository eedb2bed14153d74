"""Hardening an estate by the strict baseline, beside the limit: as many requests without thought or proof.

`requests_per_camera` counts what reached the web servers of the cameras: finding the door, looking, changing, proving
each step over a fresh connection, and the last look. `reboot_share` is the part of the cameras that had to restart.
`limit_ratio` is the limit's time divided by ours (1 would be the limit itself).
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import tools
from bench.estate import Estate, estate
from bench.process import Run, run, run_module
from bench.table import Row, ratio, row_of, show

_LIMIT_S = 900.0
_SIZES, _QUICK = (200,), (24,)
_DRIFT = ("discovery-left-on", "http-cleartext-management", "ntp-not-configured")


def measure(*, quick: bool, sizes: tuple[int, ...] | None) -> dict[str, Any]:
    rows: list[Row] = []
    found: dict[str, Any] = {}
    for size in sizes or (_QUICK if quick else _SIZES):
        found = _harden(rows, size)
    show(
        "camwarden harden apply --baseline strict",
        rows,
        (
            "Every camera drifts in three settings and more; each step is proved over a fresh, mostly TLS, connection.",
            "bare requests: the limit. One plain connection per camera, no login, no TLS, nothing parsed.",
        ),
    )
    return {**found, "quick": quick}


def _harden(rows: list[Row], size: int) -> dict[str, Any]:
    words = [word for fault in _DRIFT for word in ("--fault", f"{fault}={size}")]
    with tempfile.TemporaryDirectory(prefix="camwarden-bench-") as folder:
        stats = Path(folder) / "stats.json"
        with estate(size, *words, "--stats", str(stats)) as servers:
            ours = _camwarden(servers, "apply", "--yes")
        told = json.loads(stats.read_text())["cameras"]
    answer = tools.json_of(ours.output) or {"cameras": []}
    done = sum(camera["state"] == "done" for camera in answer["cameras"])
    changed = [step for camera in answer["cameras"] for step in camera["steps"] if step["state"] == "done"]
    # Exit code 3 is right here: ONVIF has no word for some of the settings, so that they stay unknown.
    note = f"{done} done, {len(changed)} steps proved"
    rows.append(Row("strict baseline", "ours", size, ours.seconds, ours.cpu_s, ours.peak_mib, note))
    limit = _limit(size, told)
    answered = limit.answer() or {}
    rows.append(
        row_of("as many requests", "bare requests", size, limit, seconds=answered.get("seconds"), note="the limit")
    )
    return {
        "cameras": size,
        "done": done,
        "steps": len(changed),
        "seconds": round(ours.seconds, 3),
        "seconds_per_camera": round(ours.seconds / size, 4),
        "cpu_s_per_camera": round(ours.cpu_s / size, 4),
        "requests_per_camera": round(sum(camera["requests"] for camera in told) / size, 1),
        "reboot_share": round(sum(camera["boots"] > 1 for camera in told) / size, 3),
        "limit_ratio": ratio(answered.get("seconds"), ours.seconds),
    }


def _camwarden(servers: Estate, *more: str) -> Run:
    words = ["harden", *more[:1], servers.target(), "--baseline", "strict", "--credentials", str(servers.credentials)]
    command = [sys.executable, "-c", "from fleet.cli import main; main()", *words, "--json", *more[1:]]
    return run(command, limit_s=_LIMIT_S)


def _limit(size: int, told: Sequence[dict[str, Any]]) -> Run:
    """The same estate again, as it was before the change."""
    with estate(size, "--clean") as servers:
        needed = [camera["requests"] for camera in told]
        pairs = zip(servers.cameras, needed, strict=True)
        job = [
            {"address": camera["address"], "port": camera["port"], "requests": requests}
            for camera, requests in pairs
            if camera["scheme"] == "http"
        ]
        return run_module("bench.peers.bare_requests", limit_s=_LIMIT_S, job=job)

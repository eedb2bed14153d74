"""The files beside an estate: its ground truth, its logins, and what was tried at its doors."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from simulator.camera import Camera
from simulator.decoys import Decoy
from simulator.pictures import manifest_entries, manifest_week
from simulator.plan import CameraPlan, DecoyPlan, EstatePlan
from simulator.truth import Expected, expected


def manifest(plan: EstatePlan) -> dict[str, object]:
    """The truth about every camera and decoy, for an assessment made with the credentials file."""
    return {
        "format": "camwarden/manifest/1",
        "seed": plan.seed,
        **manifest_week(plan),
        "cameras": [_camera(camera, plan) for camera in plan.cameras],
        "decoys": [
            {"address": d.address, "port": d.port, "kind": d.kind, "expected_reason": d.expected_reason}
            for d in plan.decoys
        ],
    }


def _camera(camera: CameraPlan, plan: EstatePlan) -> dict[str, object]:
    return {
        "address": camera.address,
        "port": camera.port,
        "scheme": camera.scheme,
        "kind": "camera",
        "vendor": camera.vendor,
        "model": camera.model,
        "firmware": camera.firmware,
        "serial": camera.serial,
        "mac": camera.mac,
        "auth": camera.auth,
        "faults": list(camera.faults),
        **manifest_entries(camera),
        "expected": [_entry(e) for e in expected(camera, ports_probed=plan.ports_probed)],
    }


def _entry(entry: Expected) -> dict[str, str]:
    """`reason` stands only where an unknown can have one reason alone."""
    plain = {"check": entry.check, "subject": entry.subject, "verdict": entry.verdict}
    return plain if entry.reason is None else {**plain, "reason": entry.reason}


def credentials(plan: EstatePlan) -> str:
    """A credentials file. JSON strings are YAML strings, whatever a password holds."""
    logins = {c.address: c.login for c in plan.cameras if c.login is not None}
    if not logins:
        return "[]\n"
    return "".join(
        f"- match: {json.dumps(address)}\n"
        f"  username: {json.dumps(login.name)}\n"
        f"  password: {json.dumps(login.password)}\n"
        for address, login in logins.items()
    )


def stats(cameras: Sequence[Camera], decoys: Mapping[DecoyPlan, Decoy]) -> dict[str, object]:
    """What was tried at the doors: who was locked, the wrong tries at each account, and what was changed how often."""
    return {
        "format": "camwarden/simulator-stats/1",
        "cameras": [
            {
                "address": camera.plan.address,
                "port": camera.plan.port,
                "ever_locked": camera.guard.times_locked > 0,
                "times_locked": camera.guard.times_locked,
                "lock_after": camera.plan.lock_after,
                "wrong_tries": dict(camera.guard.wrong_tries),
                "most_in_a_row": camera.guard.most_in_a_row,
                "granted": camera.guard.granted,
                "requests": camera.requests,
                "boots": camera.boots,
                "bricked": camera.bricked,
                "flashed": list(camera.flashed),
                "password_requests": camera.password_requests,
                "password_changes": camera.password_changes,
            }
            for camera in cameras
        ],
        "decoys": [
            {"address": plan.address, "port": plan.port, "kind": plan.kind, "requests": d.requests, "logins": d.logins}
            for plan, d in decoys.items()
        ],
    }


def write_json(path: Path, values: Mapping[str, object]) -> None:
    path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def write_private(path: Path, text: str) -> None:
    """Readable by its owner only, from the first byte on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)

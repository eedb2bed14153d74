"""An estate of simulated cameras for one measurement.

Every tool that tries logins gets a fresh one: what an earlier tool tried may have locked a camera.
"""

import ipaddress
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bench.process import ROOT

_START_LIMIT_S = 60.0
_STOP_LIMIT_S = 10.0
_RANGES = 3


@dataclass(frozen=True, slots=True)
class Estate:
    """`cameras` are the manifest's entries; `credentials` is a file as `camwarden assess --credentials` takes it."""

    cameras: list[dict[str, Any]]
    credentials: Path

    def addresses(self) -> list[str]:
        return [str(camera["address"]) for camera in self.cameras]

    def target(self) -> str:
        """The whole estate as one range."""
        addresses = sorted(self.addresses(), key=ipaddress.IPv4Address)
        return f"{addresses[0]}-{addresses[-1]}"


@contextmanager
def estate(cameras: int, *words: str) -> Iterator[Estate]:
    """Real servers until the block is left. `words` are further words for the simulator."""
    with tempfile.TemporaryDirectory(prefix="camwarden-bench-") as name:
        folder = Path(name)
        manifest, credentials = folder / "manifest.json", folder / "credentials.yaml"
        given = ["--cameras", str(cameras), "--no-discovery", *words]
        given += ["--manifest", str(manifest), "--credentials-out", str(credentials)]
        process = _started(given, folder)
        try:
            yield Estate(json.loads(manifest.read_text())["cameras"], credentials)
        finally:
            _stop(process)


def _started(words: Sequence[str], folder: Path) -> subprocess.Popen[bytes]:
    """The simulator, all its servers listening; on a range of its own, another one where that is taken."""
    said, errors = folder / "said", folder / "errors"
    for attempt in range(_RANGES):
        base = f"127.{64 + (os.getpid() + attempt) % 128}.0.1"
        command = [sys.executable, "-u", "-m", "simulator", "--base", base, *words]
        with said.open("wb") as output, errors.open("wb") as complaints:
            process = subprocess.Popen(command, stdout=output, stderr=complaints, cwd=ROOT)
        try:
            if _is_ready(said, process):
                return process
        except BaseException:
            _stop(process)
            raise
    raise RuntimeError(f"the simulator does not start: {errors.read_text()[-500:]}")


def _is_ready(said: Path, process: subprocess.Popen[bytes]) -> bool:
    """False where it ended at once."""
    deadline = time.monotonic() + _START_LIMIT_S
    while process.poll() is None:
        # It says where it is when every server listens and every file is written.
        if said.read_bytes().endswith(b"\n"):
            return True
        if time.monotonic() > deadline:
            raise RuntimeError(f"the simulator was not ready within {_START_LIMIT_S:g} s")
        time.sleep(0.05)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def login_of(estate: Estate) -> dict[str, tuple[str, str]]:
    """User name and password by address, from the credentials file."""
    rules: Sequence[dict[str, str]] = yaml.safe_load(estate.credentials.read_text())
    return {rule["match"]: (rule["username"], rule["password"]) for rule in rules if "password" in rule}

"""A simulated estate in a process of its own, for tests of the whole path."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

READY_S = 60


@dataclass(frozen=True)
class RunningEstate:
    """`manifest` is the truth, `credentials` the file of logins; `stats` may be read once the estate has stopped."""

    manifest: dict[str, Any]
    credentials: Path
    stats_file: Path

    @property
    def addresses(self) -> list[str]:
        return [entry["address"] for entry in (*self.manifest["cameras"], *self.manifest["decoys"])]

    def stats(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.stats_file.read_text())
        return found


@asynccontextmanager
async def running_estate(folder: Path, *words: str) -> AsyncIterator[RunningEstate]:
    """Starts `python -m simulator` with these words, and stops it by its own process."""
    manifest, credentials, stats = (folder / name for name in ("manifest.json", "credentials.yaml", "stats.json"))
    files = ("--manifest", manifest, "--credentials-out", credentials, "--stats", stats)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulator", *words, *map(str, files), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), READY_S)
        assert line.startswith(b"ready:"), line
        yield RunningEstate(json.loads(manifest.read_text()), credentials, stats)
    finally:
        process.terminate()
        await process.communicate()


Row = tuple[str, str, str, str]


def expected_rows(manifest: dict[str, Any]) -> set[Row]:
    """(address:port, check, subject, verdict) of every camera."""
    return {
        (f"{camera['address']}:{camera['port']}", entry["check"], entry["subject"], entry["verdict"])
        for camera in manifest["cameras"]
        for entry in camera["expected"]
    }


def explained(rows: Iterable[Row], manifest: dict[str, Any]) -> list[str]:
    """Rows with what is wrong with their camera, for a failing test's message."""
    faults = {
        f"{camera['address']}:{camera['port']}": f"{camera['vendor']} {camera['faults']}"
        for camera in manifest["cameras"]
    }
    return sorted(f"{' '.join(row)} ({faults.get(row[0], 'no such camera')})" for row in rows)

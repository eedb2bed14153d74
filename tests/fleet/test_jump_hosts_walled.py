"""Cameras in a network of their own, which this machine cannot reach: found through the SSH server that stands in both.

A network namespace needs rights that not every machine gives. Where none can be made, this module has no test, rather
than one that is always skipped: test_jump_hosts.py proves the same but for the wall.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from scanners.assessment import CameraAssessment, NotEvaluated, Options, assess
from scanners.targets import parse_targets
from tests.fleet.jump_server import JumpServer, laid, new_server

BASE = "127.77.0.1"
NETWORK = "127.77.0.0/29"
UNSHARED = ("unshare", "--user", "--map-root-user", "--net")


def _can_be_walled() -> bool:
    try:
        return subprocess.run([*UNSHARED, "true"], capture_output=True, timeout=10, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@asynccontextmanager
async def walled(folder: Path) -> AsyncIterator[tuple[JumpServer, dict[str, Any]]]:
    """Cameras behind the wall, their truth, and the server; what went through it is read when it has ended."""
    server = new_server()
    texts = {name: getattr(server, name).export_private_key().decode() for name in ("host_key", "taken")}
    texts |= {"base": BASE, "manifest": str(folder / "truth.json"), "told": str(folder / "told.json")}
    with socket.create_server(("127.0.0.1", 0)) as door:
        server.port = door.getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            *UNSHARED,
            *(sys.executable, "-m", "tests.fleet.behind_a_wall", str(door.fileno())),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=[door.fileno()],
            env={**os.environ, "PYTHONPATH": "."},
        )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(texts).encode() + b"\n")
        assert await asyncio.wait_for(process.stdout.readline(), 60) == b"ready\n"
        truth = json.loads(await asyncio.to_thread(Path(texts["manifest"]).read_text))
        yield server, truth
        process.stdin.write(b"enough\n")
        await asyncio.wait_for(process.wait(), 30)
        server.connections, server.forwarded = json.loads(await asyncio.to_thread(Path(texts["told"]).read_text))
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def seen(ports: tuple[int, ...]) -> dict[str, CameraAssessment | NotEvaluated]:
    options = Options(ports=ports, default_credentials=False)
    found = [one async for one in assess(parse_targets([NETWORK]), options)]
    return {one.address if isinstance(one, NotEvaluated) else one.dossier.address: one for one in found}


if _can_be_walled():

    @pytest.mark.timeout(180)
    async def test_cameras_behind_a_wall_are_found_through_it_and_not_without(tmp_path: Path) -> None:
        async with walled(tmp_path) as (server, truth):
            cameras = {camera["address"]: camera["port"] for camera in truth["cameras"]}
            ports = tuple({*cameras.values(), 8443, 8554})
            without = await seen(ports)
            async with laid(server.jump_host(), NETWORK):
                through = await seen(ports)
            straight_again = await seen(ports)
        assert len(cameras) == 2
        for nothing in (without, straight_again):
            assert all(isinstance(one, NotEvaluated) for one in nothing.values())
        found = {one.dossier.address for one in through.values() if isinstance(one, CameraAssessment)}
        assert found == cameras.keys()
        assert server.connections == 1
        assert len(server.forwarded) > 10

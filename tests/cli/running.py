"""The command `camwarden` as a process, as a person or a script starts it."""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

PATIENCE_S = 50


Command = Callable[..., "Ended"]


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said on each stream."""

    code: int
    out: str
    err: str


def environment(home: Path) -> dict[str, str]:
    """Nothing of ours from outside: no settings, no colours, no width."""
    ours = ("CAMWARDEN_", "FORCE_COLOR", "NO_COLOR", "COLUMNS", "GITHUB_ACTIONS", "PY_COLORS", "TERM")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "CAMWARDEN_HOME": str(home), "TERM": "dumb", "PYTHONWARNINGS": "error"}


async def started(
    home: Path,
    *words: object,
    stdin: int = asyncio.subprocess.DEVNULL,
    stdout: int = asyncio.subprocess.PIPE,
    stderr: int = asyncio.subprocess.PIPE,
    more: Mapping[str, str] = MappingProxyType({}),
    code: str = "from fleet.cli import main; main()",
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, *map(str, words)),
        env={**environment(home), "PYTHONPATH": str(Path(__file__).parents[2]), **more},
        cwd=home,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
    )


async def camwarden(home: Path, *words: object, stdin: bytes | None = None) -> Ended:
    process = await started(home, *words, stdin=asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL)
    return await ended(process, stdin)


async def ended(process: asyncio.subprocess.Process, stdin: bytes | None = None) -> Ended:
    try:
        out, err = await asyncio.wait_for(process.communicate(stdin), PATIENCE_S)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    return Ended(process.returncode, (out or b"").decode(), err.decode())

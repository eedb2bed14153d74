"""The command `camwarden` as a process, as a person or a script starts it."""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from types import MappingProxyType
from typing import IO

from tests.frame.forking import ROOT, Forks

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


def _variables(home: Path, more: Mapping[str, str]) -> dict[str, str]:
    return {**environment(home), "PYTHONPATH": str(ROOT), **more}


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
        env=_variables(home, more),
        cwd=home,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
    )


async def camwarden(
    home: Path,
    *words: object,
    stdin: bytes = b"",
    patience_s: float = PATIENCE_S,
    more: Mapping[str, str] = MappingProxyType({}),
) -> Ended:
    """To its end, forked from a process that has read the program already: needs the fixture `forks`."""
    assert Forks.current is not None
    with TemporaryFile() as given, TemporaryFile() as out, TemporaryFile() as err:
        given.write(stdin)
        given.seek(0)
        code = await Forks.current.ask(
            [*map(str, words)],
            cwd=home,
            env=_variables(home, more),
            streams=[file.fileno() for file in (given, out, err)],
            patience_s=patience_s,
        )
        return Ended(code, _text(out), _text(err))


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


async def ended(process: asyncio.subprocess.Process, stdin: bytes | None = None) -> Ended:
    try:
        out, err = await asyncio.wait_for(process.communicate(stdin), PATIENCE_S)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    return Ended(process.returncode, (out or b"").decode(), err.decode())

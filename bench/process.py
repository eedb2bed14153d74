"""Run a program and say what it cost: its own wall time, CPU time and peak memory, whatever else this machine does."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Run:
    """`cut_off` says that the time limit ended it; `output` is then what it had printed so far."""

    seconds: float
    cpu_s: float
    peak_mib: float
    exit_code: int
    cut_off: bool
    output: str
    errors: str

    def answer(self) -> dict[str, Any] | None:
        """The JSON object of the last line, `None` where there is none."""
        lines = self.output.strip().splitlines()
        try:
            found = json.loads(lines[-1]) if lines else None
        except ValueError:
            return None
        return found if isinstance(found, dict) else None


def run(
    command: Sequence[str], *, limit_s: float, job: object = None, python_path: Path | None = None, cwd: Path = ROOT
) -> Run:
    """Run to the end or to the limit. `job` is its standard input as JSON: secrets stay out of the process list."""
    paths = [str(path) for path in (python_path, ROOT) if path is not None]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        given.write(json.dumps(job).encode())
        given.seek(0)
        started = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=given, stdout=output, stderr=errors, env=environment, cwd=cwd, start_new_session=True
        )
        overdue = threading.Event()
        timer = threading.Timer(limit_s, _end, (process.pid, overdue))
        timer.start()
        peaks, ended = [0.0], threading.Event()
        watch = threading.Thread(target=_watch_memory, args=(process.pid, peaks, ended))
        watch.start()
        # wait4 and not Popen.wait: it alone tells the cost of this one child, its own children included.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        timer.cancel()
        ended.set()
        watch.join()
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        return Run(
            seconds=seconds,
            cpu_s=usage.ru_utime + usage.ru_stime,
            peak_mib=peaks[0],
            exit_code=process.returncode,
            cut_off=overdue.is_set(),
            output=output.read().decode(errors="replace"),
            errors=errors.read().decode(errors="replace"),
        )


def run_module(name: str, *words: str, limit_s: float, job: object = None, python_path: Path | None = None) -> Run:
    """`python -m name` in our own environment; `python_path` comes before it."""
    return run([sys.executable, "-m", name, *words], limit_s=limit_s, job=job, python_path=python_path)


def resident_kib(pid: int | None = None) -> int:
    """What a process holds in memory now; without one, this process."""
    status = Path(f"/proc/{pid or 'self'}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


def _watch_memory(pid: int, peaks: list[float], ended: threading.Event) -> None:
    """The kernel's own high-water mark of the process, read 20 times a second.

    Not the `ru_maxrss` of wait4: that begins at what this process had when it started the child.
    """
    while not ended.wait(0.05):
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return
        kib = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)
        peaks[0] = max(peaks[0], kib / 1024)


def _end(group: int, overdue: threading.Event) -> None:
    overdue.set()
    os.killpg(group, signal.SIGKILL)

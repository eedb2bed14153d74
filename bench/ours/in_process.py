"""A full assessment inside one process, results dropped as they come, as the service does it."""

import asyncio
import json
import sys
import time
from pathlib import Path

from cameras import soap
from scanners.assessment import CameraAssessment, Options, Progress, assess
from scanners.credentials import load_credentials
from scanners.targets import parse_targets


def peak_kib() -> int:
    """The kernel's high-water mark of this process. `ru_maxrss` would begin at what our parent had at our start."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))


def ignore(_progress: Progress) -> None:
    """Nobody watches."""


async def main() -> None:
    job = json.load(sys.stdin)
    options = Options(credentials=load_credentials(Path(job["credentials"])))
    targets = parse_targets([job["target"]])
    # What every process pays once belongs to no camera.
    await asyncio.to_thread(soap.descriptions)
    started, cpu = time.perf_counter(), time.process_time()
    judged = 0
    async for result in assess(targets, options, ignore):
        judged += isinstance(result, CameraAssessment)
    found = {
        "seconds": time.perf_counter() - started,
        "cpu_s": time.process_time() - cpu,
        "judged": judged,
        "peak_kib": peak_kib(),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main())

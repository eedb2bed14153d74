"""nmap and hydra as programs: their words, and what they found."""

import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.process import Run, run

PORTS = "22,23,80,81,443,554,3702,8000,8080,8554"
NMAP_MISSING = "nmap is not installed: apt install nmap"
HYDRA_MISSING = "hydra is not installed: apt install hydra"


def nmap(addresses: Sequence[str], limit_s: float) -> Run | None:
    """Versions and default accounts. `None` where nmap is missing."""
    program = shutil.which("nmap")
    if program is None:
        return None
    words = ["-n", "-Pn", "-T4", "-sV", "--script", "http-default-accounts", "-p", PORTS, *addresses]
    return run([program, *words], limit_s=limit_s)


def hydra(addresses: Sequence[str], pairs: Sequence[tuple[str, str]], path: str, limit_s: float) -> Run | None:
    """Each pair once on each host, over HTTP Digest. Pairs go by file: they never stand in the process list."""
    program = shutil.which("hydra")
    if program is None:
        return None
    with tempfile.TemporaryDirectory(prefix="camwarden-bench-") as name:
        folder = Path(name)
        (folder / "pairs").write_text("".join(f"{account}:{password}\n" for account, password in pairs))
        (folder / "hosts").write_text("\n".join(addresses) + "\n")
        words = ["-I", "-f", "-T", "32", "-t", "4", "-C", "pairs", "-M", "hosts", "http-get", path]
        return run([program, *words], limit_s=limit_s, cwd=folder)


def hydra_found(output: str) -> int:
    """Hosts with a hit; a host may be named twice."""
    return len(set(re.findall(r"^\[\d+\]\[http-get\] host: (\S+)", output, re.MULTILINE)))


def nmap_found(output: str) -> tuple[int, int]:
    """Hosts it reported on, and hosts where it names a default account."""
    return output.count("Nmap scan report for"), output.count("http-default-accounts:")


def json_of(output: str) -> dict[str, Any] | None:
    try:
        found = json.loads(output)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None

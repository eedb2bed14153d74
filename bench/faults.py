"""What becomes of work whose process is killed in the middle: one module per kind of work, each with its own estate."""

import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

PARTS: Mapping[str, str] = MappingProxyType(
    {"jobs": "bench.faults_jobs", "passwords": "bench.faults_passwords", "rollouts": "bench.faults_rollouts"}
)


def measure(part: str, *, quick: bool) -> dict[str, Any]:
    """Each part gives at least `runs, lost, doubled, locked_out, wrong_tries_max, unrecovered`.

    Imported only when asked for: each part brings a large piece of the product with it.
    """
    found: dict[str, Any] = importlib.import_module(PARTS[part]).measure(quick=quick)
    return found

"""`python -m bench NAME [--quick]`: a table for people, and as the last line one JSON object for scripts."""

import argparse
import importlib
import json
import sys

from bench import faults, install

# Each is a module of this package with `measure(*, quick, sizes)`, imported only when it is asked for.
BENCHMARKS = ("analytics", "ansible", "assess", "families", "harden", "health", "http", "jobs", "rollout", "store")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "name",
        nargs="?",
        default="assess",
        choices=[*BENCHMARKS, "faults", "install"],
        help="'install' fetches the peers into .bench/",
    )
    parser.add_argument("--quick", action="store_true", help="a smaller estate, within 50 s on 2 cores")
    parser.add_argument("--part", default="passwords", choices=faults.PARTS, help="of 'faults': which work is killed")
    parser.add_argument("--cameras", type=_sizes, default=None, metavar="N[,N...]", help="sizes of the estate")
    given = parser.parse_args()
    if given.name == "install":
        return install.peers()
    if given.name == "faults":
        found = faults.measure(given.part, quick=given.quick)
    else:
        found = importlib.import_module(f"bench.{given.name}").measure(quick=given.quick, sizes=given.cameras)
    print(json.dumps(found))
    return 0


def _sizes(word: str) -> tuple[int, ...]:
    return tuple(int(part) for part in word.split(","))


if __name__ == "__main__":
    sys.exit(main())

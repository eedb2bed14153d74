"""`python -m bench NAME [--quick]`: a table for people, and as the last line one JSON object for scripts."""

import argparse
import json
import sys

from bench import analytics, assess, http, install

BENCHMARKS = {"analytics": analytics.measure, "assess": assess.measure, "http": http.measure}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "name",
        nargs="?",
        default="assess",
        choices=[*BENCHMARKS, "install"],
        help="'install' fetches the peers into .bench/",
    )
    parser.add_argument("--quick", action="store_true", help="a smaller estate, within 50 s on 2 cores")
    parser.add_argument("--cameras", type=_sizes, default=None, metavar="N[,N...]", help="sizes of the estate")
    given = parser.parse_args()
    if given.name == "install":
        return install.peers()
    found = BENCHMARKS[given.name](quick=given.quick, sizes=given.cameras)
    print(json.dumps(found))
    return 0


def _sizes(word: str) -> tuple[int, ...]:
    return tuple(int(part) for part in word.split(","))


if __name__ == "__main__":
    sys.exit(main())

"""`python -m simulator --cameras 24 --manifest truth.json --credentials-out logins.yaml`."""

import asyncio
import sys

from simulator.estate import run
from simulator.options import OptionsError, from_words


def main() -> int:
    try:
        asyncio.run(run(from_words(sys.argv[1:])))
    except OptionsError as problem:
        sys.stderr.write(f"simulator: {problem}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

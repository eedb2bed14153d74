"""The default-password part of an assessment alone: a made-up account, then each documented pair."""

import asyncio
import json
import sys
import time

from cameras.budget import AttemptBudget
from cameras.http import DeviceHttp
from cameras.onvif_session import OnvifSession
from scanners.default_credentials import try_pairs
from scanners.knowledge import VendorDefaults, load_knowledge

AT_ONCE = 64


async def trial(
    address: str, port: int, vendor: VendorDefaults | None, budget: AttemptBudget, places: asyncio.Semaphore
) -> bool:
    async with places, DeviceHttp(address, port, "http") as http:
        session = OnvifSession(http, address, budget)
        found = await try_pairs(session, http, address, vendor, budget=budget)
        return any(trial.outcome == "accepted" for trial in found.trials)


async def main() -> None:
    jobs = json.load(sys.stdin)
    vendor = load_knowledge().default_credentials.for_manufacturer(sys.argv[1])
    places, budget = asyncio.Semaphore(AT_ONCE), AttemptBudget()
    started = time.perf_counter()
    done = await asyncio.gather(*(trial(job["address"], job["port"], vendor, budget, places) for job in jobs))
    print(json.dumps({"seconds": time.perf_counter() - started, "read": sum(done)}))


if __name__ == "__main__":
    asyncio.run(main())

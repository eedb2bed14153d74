"""Read who each camera is, with its credential: which login it wants, its clock if signing needs it, login, answer."""

import asyncio
import json
import sys
import time
from contextlib import suppress
from typing import Any

from cameras import soap
from cameras.budget import AttemptBudget
from cameras.drivers.onvif import OnvifDriver
from cameras.errors import DeviceError, Unsupported
from cameras.http import DeviceHttp
from cameras.onvif_session import OnvifSession
from cameras.secret import Credential, Secret

AT_ONCE = 64


async def read(job: dict[str, Any], budget: AttemptBudget, places: asyncio.Semaphore) -> bool:
    async with places, DeviceHttp(job["address"], job["port"], "http") as http:
        session = OnvifSession(http, job["address"], budget)
        try:
            await session.try_anonymously(["GetDeviceInformation"])
            # Unsupported: nothing on this camera asks for a login.
            with suppress(Unsupported):
                await session.log_in(Credential(job["username"], Secret(job["password"])))
            identity = await OnvifDriver(session).identity()
        except DeviceError:
            return False
        return bool(identity.serial)


async def main() -> None:
    jobs = json.load(sys.stdin)
    places, budget = asyncio.Semaphore(AT_ONCE), AttemptBudget()
    started, cpu = time.perf_counter(), time.process_time()
    await asyncio.to_thread(soap.descriptions, [soap.DEVICE])
    done = await asyncio.gather(*(read(job, budget, places) for job in jobs))
    took = {"seconds": time.perf_counter() - started, "cpu_s": time.process_time() - cpu}
    print(json.dumps({**took, "read": sum(done)}))


if __name__ == "__main__":
    asyncio.run(main())

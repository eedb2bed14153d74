"""What one more camera costs while we keep talking to it: connection, session and login of each stay open."""

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from typing import Any

from bench.process import resident_kib
from cameras import soap
from cameras.budget import AttemptBudget
from cameras.drivers.onvif import OnvifDriver
from cameras.http import DeviceHttp
from cameras.onvif_session import OnvifSession
from cameras.secret import Credential, Secret


async def hold(stack: AsyncExitStack, job: dict[str, Any], budget: AttemptBudget) -> OnvifDriver:
    http = await stack.enter_async_context(DeviceHttp(job["address"], job["port"], "http"))
    session = OnvifSession(http, job["address"], budget)
    await session.try_anonymously(["GetDeviceInformation"])
    if session.login_operation is not None:
        await session.log_in(Credential(job["username"], Secret(job["password"])))
    driver = OnvifDriver(session)
    await driver.identity()
    return driver


async def main() -> None:
    jobs = json.load(sys.stdin)
    soap.descriptions([soap.DEVICE])
    budget = AttemptBudget()
    async with AsyncExitStack() as stack:
        held = [await hold(stack, job, budget) for job in jobs[:10]]  # what is paid once
        before = resident_kib()
        held += [await hold(stack, job, budget) for job in jobs[10:]]
        print(json.dumps({"kib_per_camera": (resident_kib() - before) / (len(held) - 10), "read": len(held)}))


if __name__ == "__main__":
    asyncio.run(main())

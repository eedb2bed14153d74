"""The same with onvif-zeep-async: one camera object and its device service each, kept."""

import asyncio
import json
import sys
from typing import Any

from onvif import ONVIFCamera

from bench.process import resident_kib


async def hold(job: dict[str, Any]) -> Any:  # noqa: ANN401 - the peer has no types
    camera = ONVIFCamera(job["address"], job["port"], job["username"], job["password"])
    await camera.update_xaddrs()
    device = await camera.create_devicemgmt_service()
    await device.GetDeviceInformation()
    return camera


async def main() -> None:
    jobs = json.load(sys.stdin)
    held = [await hold(job) for job in jobs[:10]]  # what is paid once
    before = resident_kib()
    held += [await hold(job) for job in jobs[10:]]
    print(json.dumps({"kib_per_camera": (resident_kib() - before) / (len(held) - 10), "read": len(held)}))
    for camera in held:
        await camera.close()


if __name__ == "__main__":
    asyncio.run(main())

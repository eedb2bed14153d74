"""Read who each camera is with onvif-zeep-async: `documented` updates the addresses first, `shortest` does not."""

import asyncio
import json
import sys
import time
from typing import Any

from onvif import ONVIFCamera

AT_ONCE = 64


async def read(job: dict[str, Any], *, documented: bool, places: asyncio.Semaphore) -> bool:
    async with places:
        camera = ONVIFCamera(job["address"], job["port"], job["username"], job["password"])
        try:
            if documented:
                await camera.update_xaddrs()
            device = await camera.create_devicemgmt_service()
            identity = await device.GetDeviceInformation()
        except Exception:  # noqa: BLE001 - any failure of the peer counts as a camera that it could not read
            return False
        finally:
            await camera.close()
        return bool(identity.SerialNumber)


async def main() -> None:
    jobs = json.load(sys.stdin)
    places = asyncio.Semaphore(AT_ONCE)
    started, cpu = time.perf_counter(), time.process_time()
    documented = sys.argv[1] == "documented"
    # The first camera alone: it fills the library's cache of descriptions, which all at once would each miss.
    done = [await read(job, documented=documented, places=places) for job in jobs[:1]]
    done += await asyncio.gather(*(read(job, documented=documented, places=places) for job in jobs[1:]))
    took = {"seconds": time.perf_counter() - started, "cpu_s": time.process_time() - cpu}
    print(json.dumps({**took, "read": sum(done)}))


if __name__ == "__main__":
    asyncio.run(main())

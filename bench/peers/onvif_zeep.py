"""Read who each camera is with onvif-zeep: one client per camera as its documentation shows, in several threads."""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import onvif
import onvif.client

THREADS = 8

# With today's zeep its time stamps end in +00:00, which Hikvision and our simulated cameras refuse.
onvif.client.UsernameDigestTokenDtDiff = partial(onvif.client.UsernameDigestTokenDtDiff, zulu_timestamp=True)


def read(job: dict[str, Any]) -> bool:
    # The wheel puts the descriptions beside the package, where the library itself does not look.
    descriptions = Path(onvif.__file__).parent.parent / "wsdl"
    try:
        camera = onvif.ONVIFCamera(job["address"], job["port"], job["username"], job["password"], str(descriptions))
        identity = camera.devicemgmt.GetDeviceInformation()
    except Exception:  # noqa: BLE001 - any failure of the peer counts as a camera that it could not read
        return False
    return bool(identity.SerialNumber)


def main() -> None:
    jobs = json.load(sys.stdin)
    started = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        done = sum(pool.map(read, jobs))
    print(json.dumps({"seconds": time.perf_counter() - started, "read": done}))


if __name__ == "__main__":
    main()

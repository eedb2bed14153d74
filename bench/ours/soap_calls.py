"""The same SOAP question to many cameras at once through our HTTP connection, one per camera."""

import asyncio
import json
import sys
import time

from bench.question import BODY, HEADERS, PATH
from cameras.http import DeviceHttp


async def ask(address: str, port: int, calls: int) -> int:
    async with DeviceHttp(address, port, "http") as http:
        url = http.base.copy_with(raw_path=PATH.encode())
        good = 0
        for _ in range(calls):
            reply = await http.request("POST", url, content=BODY, headers=HEADERS)
            good += b"UTCDateTime" in reply.body
        return good


async def main() -> None:
    jobs, calls = json.load(sys.stdin), int(sys.argv[1])
    started, cpu = time.perf_counter(), time.process_time()
    answers = await asyncio.gather(*(ask(job["address"], job["port"], calls) for job in jobs))
    found = {"seconds": time.perf_counter() - started, "cpu_s": time.process_time() - cpu, "answered": sum(answers)}
    print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main())

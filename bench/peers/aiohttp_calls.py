"""The same SOAP question to many cameras at once through one bare aiohttp session."""

import asyncio
import json
import sys
import time

import aiohttp

from bench.question import BODY, HEADERS, PATH


async def ask(session: aiohttp.ClientSession, address: str, port: int, calls: int) -> int:
    good = 0
    for _ in range(calls):
        async with session.post(f"http://{address}:{port}{PATH}", data=BODY, headers=HEADERS) as reply:
            good += b"UTCDateTime" in await reply.read()
    return good


async def main() -> None:
    jobs, calls = json.load(sys.stdin), int(sys.argv[1])
    started, cpu = time.perf_counter(), time.process_time()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=30)) as session:
        answers = await asyncio.gather(*(ask(session, job["address"], job["port"], calls) for job in jobs))
    found = {"seconds": time.perf_counter() - started, "cpu_s": time.process_time() - cpu, "answered": sum(answers)}
    print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main())

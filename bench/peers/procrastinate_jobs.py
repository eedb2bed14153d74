"""As many jobs that do nothing through procrastinate's own queue and worker, on the same PostgreSQL server."""

import asyncio
import json
import sys
import time
from typing import Any

import procrastinate

BATCH = 10_000
# Its own default is 4; more than ours has, so that connections are not what it waits for.
MOST_CONNECTIONS = 16


async def measure(job: dict[str, Any]) -> dict[str, float]:
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=job["url"], max_size=MOST_CONNECTIONS))

    async def nothing() -> None:
        pass

    task = app.task(name="nothing")(nothing)
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        count, began = job["count"], time.perf_counter()
        for begin in range(0, count, BATCH):
            await task.batch_defer_async(*[{}] * min(BATCH, count - begin))
        asked = time.perf_counter()
        await app.run_worker_async(concurrency=job["at_once"], wait=False, install_signal_handlers=False)
        done = time.perf_counter()
        row = await app.connector.execute_query_one_async(
            "SELECT count(*) AS done FROM procrastinate_jobs WHERE status = 'succeeded'"
        )
    return {"asked_s": asked - began, "done_s": done - asked, "done": row["done"]}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(json.load(sys.stdin)))))

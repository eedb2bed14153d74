"""`python -m bench.ours.ansible_service FOLDER CAMERAS`: the real console over drifting cameras in memory.

Prints one line of JSON once a plan for all of them awaits approval; the token lies in FOLDER/token.
"""

import asyncio
import json
import sys
from contextlib import AsyncExitStack, aclosing
from pathlib import Path

from bench.rollout_estate import known
from cameras.place import Place
from cameras.secret import Credential, Secret
from fleet.cli.service import Console, address_of, listen
from fleet.people import tokens
from fleet.people.tokens import Scope
from fleet.plans.reach import Reached
from fleet.plans.runner import PlanId, Plans
from fleet.service import open_service
from fleet.settings import Settings
from fleet.store import open_store
from hardening.baseline import load_baseline
from tests.hardening.pretend import PretendCamera


async def planned(settings: Settings, count: int) -> PlanId:
    """Before the service is there, which would ask cameras that answer."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(await open_store(settings))
        places = [(f"10.{n // 65536}.{n // 256 % 256}.{n % 256}", 80, "Paper", "P1") for n in range(1, count + 1)]
        rows = await known(store, places)
        at = dict(zip(rows, (place[0] for place in places), strict=True))

        async def reach(camera: str) -> Reached:
            login = Credential("bench", Secret("none"))
            return Reached(Place(at[camera], 80, "http"), login, PretendCamera().open)

        async def prove(_place: Place, _credential: Credential) -> str:
            return "nothing"

        plans = await stack.enter_async_context(Plans(store, reach, prove))
        plan = await plans.create(await asyncio.to_thread(load_baseline, "strict"), rows, "bench")
        async with aclosing(plans.events(plan)) as events:
            async for _ in events:
                pass
        return plan


async def serve(folder: Path, count: int) -> None:
    settings = Settings(home=folder / "service")
    plan = await planned(settings, count)
    async with open_service(settings) as service:
        _, token = await tokens.create(service.store, "bench", [Scope.READ, Scope.PLAN], "bench", days=1)
        (folder / "token").touch(0o600)
        (folder / "token").write_text(token.reveal())
        with listen("127.0.0.1", 0) as listening:
            print(json.dumps({"url": address_of(listening, tls=False), "plan": plan}), flush=True)
            await Console(service, listening).run()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))

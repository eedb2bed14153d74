"""A console that listens, in a thread with a loop of its own, and pages that may ask nobody but it."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any, TypeVar

import uvicorn
from playwright.sync_api import Browser, Page

from fleet import estate
from fleet.people import accounts as people
from fleet.settings import Settings
from tests.web.conftest import House, open_house

T = TypeVar("T")
START_S = 20
# Called in the console's loop before it listens; gives paths by what they show. What it opens ends with the console.
Furnish = Callable[[AsyncExitStack, House], Awaitable[dict[str, str]]]


class Console:
    """A console that listens on loopback until `close`. `token` is that of the set-up, until somebody is set up."""

    def __init__(self, settings: Settings, furnish: Furnish) -> None:
        self.origin = ""
        self.token: str | None = None
        self.paths: dict[str, str] = {}
        self._settings = settings
        self._furnish = furnish
        self._up = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: uvicorn.Server | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="console")
        self._thread.start()
        assert self._up.wait(START_S), "the console did not start"

    def close(self) -> None:
        if self._server:
            self._server.should_exit = True
        self._thread.join()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """In the console's loop, as another person's order that comes meanwhile."""
        assert self._loop
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(START_S)

    async def _serve(self) -> None:
        try:
            async with AsyncExitStack() as stack:
                self._loop = asyncio.get_running_loop()
                house = await open_house(stack, self._settings)
                # Each connection of the pool is opened now, so that none counts as left open by the test that met it.
                await asyncio.gather(*(estate.overview(house.store) for _ in range(8)))
                self.token = await people.setup_token(house.store)
                self.paths = await self._furnish(stack, house)
                config = uvicorn.Config(
                    house.app, port=0, lifespan="off", ws="none", log_level="warning", timeout_graceful_shutdown=1
                )
                self._server = uvicorn.Server(config)
                serving = asyncio.create_task(self._server.serve())
                while not self._server.started:  # noqa: ASYNC110 - uvicorn offers no event for it
                    await asyncio.sleep(0.01)
                self.origin = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"
                self._up.set()
                await serving
        finally:
            self._up.set()


@contextmanager
def watched(browser: Browser, console: Console, token: str | None, **options: object) -> Iterator[Page]:
    """A page that may ask nobody but the console, and whose console must stay silent."""
    context = browser.new_context(base_url=console.origin, **options)  # type: ignore[arg-type]
    if token:
        context.add_cookies([{"name": "session", "value": token, "url": console.origin}])
    page = context.new_page()
    foreign: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: None if request.url.startswith(console.origin) else foreign.append(request.url))
    page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        yield page
    finally:
        context.close()
    assert not foreign
    assert not [said for said in complaints if "404 (Not Found)" not in said]

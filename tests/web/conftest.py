"""A furnished console: one store with an estate and one person per role, made once and copied for each test."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import update

from fleet.findings import triage as findings
from fleet.people import accounts as people
from fleet.people.permissions import Role
from fleet.plans.runner import Plans
from fleet.scans.runner import Scans
from fleet.service import Service, open_service
from fleet.settings import Settings
from fleet.signing_in import steps as signing_in
from fleet.store import Store, open_store, tables
from scanners.assessment import CameraAssessment
from scanners.evaluate import evaluate
from scanners.knowledge import load_knowledge
from scanners.score import score
from tests.frame.sqlite import new_database
from tests.web.console_estate import estate
from web.app import create_app

if TYPE_CHECKING:
    from tests.web.two_sites import Made

PASSWORD = "correct horse battery staple"
ADDRESS = "http://127.0.0.1:8080"
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Furnished:
    """A folder with a database, and a session token per role."""

    home: Path
    tokens: dict[str, str]


@dataclass(frozen=True, slots=True)
class House:
    """The parts of a running console, for tests that look behind the pages."""

    home: Path
    service: Service
    app: Any

    @property
    def store(self) -> Store:
        return self.service.store

    @property
    def scans(self) -> Scans:
        return self.service.scans

    @property
    def plans(self) -> Plans:
        return self.service.plans


class Visitor:
    """A browser without a screen: keeps cookies, follows nothing, knows how to fill in a form of ours."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers=headers)

    async def csrf(self, path: str = "/checks") -> str:
        found = _CSRF.search((await self.client.get(path)).text)
        assert found, f"{path} has no form"
        return found[1]

    async def post(self, path: str, fields: dict[str, Any], *, form: str = "/checks") -> httpx.Response:
        return await self.client.post(path, data={"csrf": await self.csrf(form), **fields})


async def furnish(store: Store) -> None:
    knowledge = load_knowledge()
    for dossier in estate():
        verdicts = evaluate(dossier, knowledge)
        await findings.record(store, CameraAssessment(dossier, verdicts, score(verdicts)))


async def _furnished(home: Path) -> Furnished:
    async with await open_store(Settings(home=home)) as store:
        await furnish(store)
        tokens = {}
        for role in (role for role in Role if role is not Role.SERVICE):
            await people.add_user(store, str(role), PASSWORD, role)
            tokens[str(role)] = (await signing_in.sign_in(store, str(role), PASSWORD, "127.0.0.1")).token.reveal()
    return Furnished(home, tokens)


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Furnished:
    return asyncio.run(_furnished(tmp_path_factory.mktemp("furnished")))


@pytest.fixture
async def house(request: pytest.FixtureRequest, furnished: Furnished, tmp_path: Path) -> AsyncIterator[House]:
    """Given as an indirect parameter: further settings. Nothing begins by itself."""
    home = tmp_path / "home"
    shutil.copytree(furnished.home, home)
    async with AsyncExitStack() as stack:
        opened = await open_house(stack, Settings(home=home, **{"picture_minutes": 0, **getattr(request, "param", {})}))
        await proved_now(opened.store)
        yield opened


async def proved_now(store: Store) -> None:
    """Everybody has just shown who they are, however long ago the console was furnished."""
    async with store.write() as connection:
        await connection.execute(update(tables.Session).values(proved_at=store.now()))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> "Made":
    """An estate of two sites, with one of everything; made once and copied."""
    from tests.web.two_sites import make  # noqa: PLC0415 - it knows this module

    return asyncio.run(make(tmp_path_factory.mktemp("two-sites")))


@pytest.fixture
async def empty_house(tmp_path: Path) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        yield await open_house(stack, Settings(home=tmp_path / "home"))


async def open_house(stack: AsyncExitStack, settings: Settings) -> House:
    await new_database(settings)
    service = await stack.enter_async_context(open_service(settings))
    return House(settings.home, service, create_app(service))


@pytest.fixture(scope="module", name="browser")
def _started_browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


Visit = Callable[[str], Visitor]


@pytest.fixture
async def visit(house: House, furnished: Furnished) -> AsyncIterator[Visit]:
    """`visit("operator")` is that role's browser; "stranger" has no session."""
    clients: list[httpx.AsyncClient] = []

    def arrive(role: str) -> Visitor:
        client = browser(house.app)
        clients.append(client)
        if role in furnished.tokens:
            client.cookies.set("session", furnished.tokens[role])
        return Visitor(client)

    yield arrive
    for client in clients:
        await client.aclose()


def browser(app: Any) -> httpx.AsyncClient:  # noqa: ANN401 - an ASGI application has no better name
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("127.0.0.1", 50000))
    return httpx.AsyncClient(transport=transport, base_url=ADDRESS)

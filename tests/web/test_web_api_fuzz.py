"""The API against its own description: generated requests, right and wrong ones, to a console that listens.

Whatever differs from the description, is no problem document, or breaks the service fails here. The requests follow
from the seed. Nothing leaves the machine: a scan is held to sites that no generated address is in, and no camera has a
login.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from fleet.people import tokens
from fleet.people.permissions import ESTATE_WIDE, OF_TOKENS
from fleet.people.tokens import Limits, Scope
from fleet.settings import Settings
from fleet.signing_in import sessions
from tests.web.conftest import House
from tests.web.consoles import Console
from tests.web.two_sites import BOTH, HERE, THERE, Made
from web.api_routes import API
from web.route import Route

CONFIG = Path(__file__).with_name("schemathesis.toml")
SEED = "20261127"
# They end the session, or the right, by which the run itself asks.
ENDS_THE_RUN = {
    ("DELETE", "/api/v1/people/{person}/sessions"),
    ("POST", "/api/v1/people/{person}/disable"),
    ("POST", "/api/v1/people/{person}/grants/{grant}/end"),
}


def only_by_session(route: Route) -> bool:
    """Whatever is about the whole estate, too: the token is held to sites."""
    return route.person or route.permission in ESTATE_WIDE or route.permission not in OF_TOKENS


@pytest.fixture(scope="module")
def console(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, dict[str, str]]]]:
    """Its address, and what each visitor sends to be known."""
    home = tmp_path_factory.mktemp("fuzz") / "home"
    shutil.copytree(made.home, home)
    session = made.cookies["administrator"][BOTH]
    headers = {"administrator": {"Cookie": f"session={session}", "X-CSRF-Token": sessions.csrf_of(session)}}

    async def furnish(_stack: AsyncExitStack, house: House) -> dict[str, str]:
        for name, scopes in {"machine": list(Scope), "viewer": [Scope.READ]}.items():
            limits = Limits(sites=(HERE, THERE))
            _, text = await tokens.create(house.store, name, scopes, "anna", days=1, limits=limits)
            headers[name] = {"Authorization": f"Bearer {text.reveal()}"}
        return {}

    console = Console(Settings(home=home, picture_minutes=0), furnish)
    yield console.origin, headers
    console.close()


# Who asks, of what, and how much is tried.
RUNS: dict[str, tuple[str, Callable[[Route], bool], str, str]] = {
    "a token with every scope": ("machine", lambda route: not only_by_session(route), "coverage", "1"),
    "an administrator who is signed in": ("administrator", only_by_session, "coverage,stateful", "2"),
    "a token that may only read": ("viewer", lambda route: route.method != "GET", "fuzzing", "1"),
}


@pytest.mark.parametrize("run", RUNS)
def test_the_api_is_what_its_description_says(
    run: str, console: tuple[str, dict[str, dict[str, str]]], tmp_path: Path
) -> None:
    (origin, headers), (who, asked, phase, most) = console, RUNS[run]
    chosen = [one for one in API if asked(one) and (one.method, one.path) not in ENDS_THE_RUN]
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run"]
    command += [f"{origin}/api/v1/openapi.json", "--checks", "all", "--phases", phase, "--max-examples", most]
    command += ["--seed", SEED, "--workers", "1", "--no-color", "--no-shrink"]
    if who == "administrator":
        # The session is a cookie that stays where the tool takes its own away.
        command += ["--exclude-checks", "ignored_auth"]
    for name, value in headers[who].items():
        command += ["--header", f"{name}: {value}"]
    for one in chosen:
        command += ["--include-name", f"{one.method} {one.path}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]

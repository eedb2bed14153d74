"""Two controllers by mistake: the second is refused and told who is there, and a crash of the first frees its place."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from fleet.errors import Busy
from fleet.settings import Settings
from fleet.store import Store
from fleet.store.controller import sole_controller
from tests.frame.postgresql import Server

ROOT = Path(__file__).parents[2]
HOLDS = """
import asyncio, sys
from pathlib import Path
from fleet.settings import Settings
from fleet.store.controller import sole_controller

async def main():
    async with sole_controller(Settings(home=Path(sys.argv[1]), database_url=sys.argv[2] or None)):
        print("holds", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def another(settings: Settings) -> asyncio.subprocess.Process:
    """A process that is the controller, when this returns."""
    words = (str(settings.home), settings.database_url or "")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDS, *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"holds\n"
    return process


async def test_a_second_one_is_refused_and_told_who_is_there(settings: Settings) -> None:
    process = await another(settings)
    with pytest.raises(Busy, match=rf"another Camwarden serves .*{process.pid}.*stop it first"):
        async with sole_controller(settings):
            pass
    process.terminate()
    await process.wait()


async def test_a_crash_frees_its_place_at_once(settings: Settings) -> None:
    process = await another(settings)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    async with sole_controller(settings):
        pass


async def test_it_is_free_again_after_an_orderly_end(settings: Settings) -> None:
    for _ in range(2):
        async with sole_controller(settings):
            pass


async def test_commands_beside_it_work(settings: Settings, store: Store) -> None:
    async with sole_controller(settings), store.write() as connection:
        assert (await connection.exec_driver_sql("SELECT 1")).scalar() == 1


async def test_two_homes_on_one_database_are_one_controller_too_many(tmp_path: Path, postgresql: Server) -> None:
    name = postgresql.migrated_database()
    here, there = (Settings(home=tmp_path / word, database_url=postgresql.url(name)) for word in ("here", "there"))
    async with sole_controller(here):
        with pytest.raises(Busy, match=rf"serves this database already: camwarden serve {os.getpid()} on"):
            async with sole_controller(there):
                pass
    async with sole_controller(there):
        pass
    await asyncio.to_thread(postgresql.drop, name)


async def test_whoever_lost_its_place_while_the_database_was_gone_is_told(tmp_path: Path, postgresql: Server) -> None:
    name = postgresql.migrated_database()
    settings = Settings(home=tmp_path / "here", database_url=postgresql.url(name))
    other = settings.model_copy(update={"home": tmp_path / "there"})
    async with sole_controller(settings) as controller:
        await asyncio.to_thread(_end_sessions, postgresql, name)
        async with sole_controller(other), asyncio.timeout(30):
            await controller.displaced.wait()
    await asyncio.to_thread(postgresql.drop, name)


def _end_sessions(server: Server, database: str) -> None:
    server.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()", database)

"""A database that is gone for a while, a disk that is full, a clock that steps back: said clearly, and got over."""

import asyncio
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from cameras.budget import AttemptBudget
from cameras.errors import LockedOut
from fleet import estate, leases
from fleet.errors import Busy, StoreUnavailable
from fleet.findings import triage as findings
from fleet.jobs.desk import LocalDesk
from fleet.jobs.queue import Queue
from fleet.jobs.runner import Runner
from fleet.kept_budget import kept_budget
from fleet.notices.outbox import Outbox
from fleet.notices.outgoing import Outgoing
from fleet.people import accounts as people
from fleet.people.permissions import Role
from fleet.scans.runner import Scans, ScanState, work_of
from fleet.settings import Settings
from fleet.signing_in import sessions
from fleet.signing_in import steps as signing_in
from fleet.store import Store, attempts, open_store
from fleet.store import tables as t
from fleet.store.ids import new_id
from fleet.store.outages import outlast_outages
from fleet.store.pictures_tables import Notice
from tests.fleet.jobs_samples import Steady
from tests.fleet.samples import FAIL, NOON, Clock, assessed
from tests.fleet.test_scans import Estate, ended, found, reached
from tests.frame.postgresql import Server

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def on(server: Server, tmp_path: Path, clock: Clock) -> AsyncIterator[Store]:
    settings = Settings(home=tmp_path / "home", database_url=server.url(server.migrated_database()))
    async with await open_store(settings, clock) as store:
        yield store


async def add(store: Store, word: str) -> None:
    async with store.write() as connection:
        await connection.execute(insert(t.SetupToken), [{"token_hash": word, "created_at": NOON}])


async def count(store: Store) -> int:
    async with store.read() as connection:
        return (await connection.execute(select(func.count()).select_from(t.SetupToken))).scalar_one()


async def until(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110 - a condition
            await asyncio.sleep(0.02)


async def until_it_answers(store: Store) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                await count(store)
            except StoreUnavailable:
                await asyncio.sleep(0.02)
            else:
                return


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])
async def test_a_server_that_was_away_is_used_again_without_a_restart(
    own_postgresql: Server, tmp_path: Path, clock: Clock, how: signal.Signals
) -> None:
    async with on(own_postgresql, tmp_path, clock) as store:
        await add(store, "before")
        await asyncio.to_thread(own_postgresql.stop, how)
        for _ in range(3):
            with pytest.raises(StoreUnavailable, match="the database cannot be"):
                await count(store)
            with pytest.raises(StoreUnavailable, match="the database cannot be"):
                await add(store, "meanwhile")
        await asyncio.to_thread(own_postgresql.start)
        # Every connection of the pool was lost: none of them is given to anybody.
        await asyncio.gather(*(count(store) for _ in range(20)))
        await add(store, "after")
        assert await count(store) >= (2 if how is signal.SIGINT else 1)


async def test_background_work_waits_for_the_database_and_goes_on(
    own_postgresql: Server, tmp_path: Path, clock: Clock
) -> None:
    async def work(store: Store, word: str) -> None:
        outlast_outages()
        await add(store, word)

    async with on(own_postgresql, tmp_path, clock) as store:
        await asyncio.to_thread(own_postgresql.stop)
        waiting = [asyncio.create_task(work(store, f"{number}")) for number in range(5)]
        with pytest.raises(StoreUnavailable):  # whoever looks at a page is not kept waiting
            await count(store)
        assert not any(task.done() for task in waiting)
        await asyncio.to_thread(own_postgresql.start)
        await asyncio.gather(*waiting)
        assert await count(store) == 5


async def test_work_that_waits_ends_when_the_process_does(own_postgresql: Server, tmp_path: Path, clock: Clock) -> None:
    async def work(store: Store) -> None:
        outlast_outages()
        await add(store, "never")

    async with on(own_postgresql, tmp_path, clock) as store:
        await asyncio.to_thread(own_postgresql.stop)
        waiting = asyncio.create_task(work(store))
        await asyncio.sleep(0.05)
        store.stop_waiting()
        with pytest.raises(StoreUnavailable):
            await waiting


async def test_a_transaction_that_is_cut_off_keeps_nothing(
    own_postgresql: Server, tmp_path: Path, clock: Clock
) -> None:
    async def cut_off(store: Store) -> None:
        async with store.write() as connection:
            await connection.execute(insert(t.SetupToken), [{"token_hash": "half", "created_at": NOON}])
            await asyncio.to_thread(own_postgresql.stop)
            await connection.execute(insert(t.SetupToken), [{"token_hash": "whole", "created_at": NOON}])

    async with on(own_postgresql, tmp_path, clock) as store:
        with pytest.raises(StoreUnavailable):
            await cut_off(store)
        await asyncio.to_thread(own_postgresql.start)
        await until_it_answers(store)
        assert await count(store) == 0


async def test_a_scan_outlasts_a_database_that_is_gone_for_longer_than_a_lease(
    own_postgresql: Server, tmp_path: Path, clock: Clock
) -> None:
    network, steady = Estate(*map(found, (1, 2, 3)), gate=asyncio.Semaphore(1)), Steady()
    async with on(own_postgresql, tmp_path, clock) as store:
        queue, settings = Queue(store), Settings(home=tmp_path / "home")
        async with Scans(store, settings, assess=network, queue=queue) as scans:
            desk = LocalDesk(queue, [scans.kind], steady=steady)
            async with desk.attended(), Runner(desk, [scans.kind], steady=steady, begins=outlast_outages):
                scan = await scans.start("10.0.0.1-3", "anna")
                await reached(scans, scan, lambda now: now.cameras == 1)
                await asyncio.to_thread(own_postgresql.stop, signal.SIGQUIT)
                network.gate.release()
                for _ in range(20):
                    steady.at += 10
                    desk.wake()
                    await asyncio.sleep(0.02)
                assert [(view.state, view.cameras) for view in [await scans.get(scan)]] == [(ScanState.RUNNING, 1)]
                await asyncio.to_thread(own_postgresql.start)
                for _ in range(2):
                    network.gate.release()
                view = await ended(scans, scan)
                job = await queue.of_work(work_of(scan))
        assert (await estate.overview(store)).cameras == 3
    assert (view.state, view.cameras, view.error, len(network.asked)) == (ScanState.DONE, 3, None, 1)
    assert job is not None
    assert (job.losses, job.tries) == (0, 0)


class _Postbox:
    name = "mail"

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, notice: Outgoing) -> None:
        self.sent.append(notice.id)


async def test_a_notice_is_sent_once_the_database_is_back(own_postgresql: Server, tmp_path: Path, clock: Clock) -> None:
    postbox = _Postbox()
    row = {"about": "incident:1", "kind": "outage", "channel": "mail", "state": "pending", "tries": 0}
    row |= {
        "id": new_id(),
        "created_at": NOON,
        "next_at": NOON + timedelta(hours=1),
        "sent_at": None,
        "content": {},
        "error": None,
    }
    async with on(own_postgresql, tmp_path, clock) as store:
        async with store.write() as connection:
            await connection.execute(insert(Notice), [row])
        async with Outbox(store, [postbox]):
            await asyncio.to_thread(own_postgresql.stop)
            clock.forward(hours=2)
            with pytest.raises(StoreUnavailable):
                await count(store)
            await asyncio.to_thread(own_postgresql.start)
            await until(lambda: postbox.sent)
    assert postbox.sent == [row["id"]]


async def _try_wrongly(budget: AttemptBudget) -> None:
    async with budget.trial("cam-1", "root"):
        pass


async def test_logins_are_not_tried_while_they_cannot_be_counted_and_then_are_again(
    own_postgresql: Server, tmp_path: Path, clock: Clock
) -> None:
    async with on(own_postgresql, tmp_path, clock) as store, kept_budget(store) as budget:
        await asyncio.to_thread(own_postgresql.stop)
        await _try_wrongly(budget)
        await until(lambda: not budget.remaining("cam-2", "root"))
        with pytest.raises(LockedOut, match="database"):
            budget.need_one("cam-2", "root")
        await asyncio.to_thread(own_postgresql.start)
        await until(lambda: budget.remaining("cam-2", "root"))
        assert [one.camera for one in await attempts.load(store)] == ["cam-1"]


# --- a disk that is full ---


async def test_a_full_database_is_said_so_keeps_no_half_and_recovers(store: Store, settings: Settings) -> None:
    async def fill(rows: int) -> None:
        row = {"created_at": NOON, "used_at": None}
        async with store.write() as connection:
            for _ in range(rows):
                await connection.execute(insert(t.SetupToken), [{"token_hash": new_id() + "x" * 4000, **row}])

    async def most_pages(number: int) -> None:
        """Of the connection that writes: SQLite's own limit, which fails as a full disk does."""
        async with store.write() as connection:
            await connection.exec_driver_sql(f"PRAGMA max_page_count = {number}")

    await fill(1)
    pages = await asyncio.to_thread(_pages, settings.database)
    await most_pages(pages + 5)
    with pytest.raises(StoreUnavailable, match="full"):
        await fill(100)
    assert await count(store) == 1
    await most_pages(2**30)
    await fill(100)
    assert await count(store) == 101


def _pages(database: Path) -> int:
    connection = sqlite3.connect(database)
    found = int(connection.execute("PRAGMA page_count").fetchone()[0])
    connection.close()
    return found


LIMITED = """
import asyncio, resource, signal, sys
from pathlib import Path
from fleet.errors import StoreUnavailable
from fleet.settings import Settings
from fleet.store import open_store
from tests.fleet.test_outages import add, count

async def main():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    async with await open_store(Settings(home=Path(sys.argv[1]))) as store:
        await add(store, "before")
        size = (Path(sys.argv[1]) / "camwarden.db-wal").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 8192, resource.RLIM_INFINITY))
        failed = 0
        for number in range(50):
            try:
                await add(store, f"{number}" + "x" * 4000)
            except StoreUnavailable as error:
                failed += 1
                said = str(error)
        kept = await count(store)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await add(store, "after")
        print(failed, kept, await count(store), said, sep="|")

asyncio.run(main())
"""


async def test_a_file_that_may_not_grow_is_said_so_and_the_store_recovers(settings: Settings) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", LIMITED, str(settings.home), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    failed, kept, in_the_end, said = out.decode().strip().split("|")
    assert process.returncode == 0
    assert int(failed) > 0
    assert int(kept) == 51 - int(failed)
    assert int(in_the_end) == int(kept) + 1
    assert said.startswith("the database cannot be written: ")


# --- a clock that steps back ---


async def test_a_lease_is_held_by_one_also_when_the_clock_steps_back(store: Store, clock: Clock) -> None:
    camera = (await findings.record(store, assessed({("telnet-open", ""): FAIL}))).camera
    async with leases.hold(store, camera, "plan:1"):
        clock.forward(hours=-1)
        with pytest.raises(Busy):
            async with leases.hold(store, camera, "plan:2"):
                pass
        assert await leases.holder_of(store, camera) == "plan:1"
    async with leases.hold(store, camera, "plan:2"):
        assert await leases.holder_of(store, camera) == "plan:2"


async def test_a_session_lives_on_when_the_clock_steps_back_and_still_ends(store: Store, clock: Clock) -> None:
    await people.add_user(store, "Anna", "correct horse battery staple", Role.OPERATOR)
    token = (await signing_in.sign_in(store, "Anna", "correct horse battery staple", "127.0.0.1")).token.reveal()
    clock.forward(hours=-1)
    assert await sessions.session(store, token) is not None
    clock.forward(days=60)
    assert await sessions.session(store, token) is None


async def test_spent_logins_count_on_when_the_clock_steps_back(store: Store, clock: Clock) -> None:
    """Better an hour too long than a camera that locks."""
    async with kept_budget(store) as budget:
        await _try_wrongly(budget)
        clock.forward(hours=-1)
        assert budget.remaining("cam-1", "root") == 1
    async with kept_budget(store) as budget:
        assert budget.remaining("cam-1", "root") == 1


def test_ids_go_on_in_order_when_the_clock_steps_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = new_id()
    moment = time.time_ns() - timedelta(hours=1) // timedelta(microseconds=1) * 1000
    monkeypatch.setattr(time, "time_ns", lambda: moment)
    made = [new_id() for _ in range(1000)]
    assert [before, *made] == sorted({before, *made})

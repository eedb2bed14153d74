"""Scans in the background: their states, what they leave behind, and what a restart in the middle does to them."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from fleet import estate, sites
from fleet.errors import Invalid, NeedsConfirmation, NotFound
from fleet.jobs.alone import running
from fleet.jobs.desk import LocalDesk
from fleet.jobs.outcomes import MOST_LOSSES
from fleet.jobs.queue import Queue
from fleet.jobs.states import JobState
from fleet.people.scope import Scope
from fleet.scans import rows as scan_rows
from fleet.scans.runner import MOST_WAITING, ScanId, ScanProgress, Scans, ScanState, ScanView, work_of
from fleet.settings import Settings
from fleet.sites import Site
from fleet.store import Store, open_store
from fleet.store import tables as t
from fleet.store.jobs_tables import Job
from scanners.assessment import CameraAssessment, NotEvaluated, Options, Progress
from scanners.targets import Target
from tests.fleet.samples import FAIL, PASS, Clock, assessed, camera, dossier

Result = CameraAssessment | NotEvaluated
SILENT = NotEvaluated("10.0.0.9", "unreachable", "nothing answers")


def found(number: int) -> CameraAssessment:
    return assessed(
        {("telnet-open", ""): FAIL, ("ftp-open", ""): PASS}, dossier(f"10.0.0.{number}", identity=camera(number))
    )


class Estate:
    """In place of the network: yields these results, each when the gate lets it."""

    def __init__(self, *results: Result | Exception, gate: asyncio.Semaphore | None = None) -> None:
        self.results = results
        self.gate = gate or asyncio.Semaphore(1_000_000)
        self.asked: list[tuple[Sequence[Target], Options]] = []
        self.closed = 0

    async def __call__(
        self, targets: Sequence[Target], options: Options, on_progress: Callable[[Progress], None]
    ) -> AsyncIterator[Result]:
        self.asked.append((targets, options))
        on_progress(Progress("sweep", len(targets), len(targets)))
        try:
            for done, result in enumerate(self.results, start=1):
                await self.gate.acquire()
                if isinstance(result, Exception):
                    raise result
                yield result
                on_progress(Progress("assess", done, len(self.results)))
            await self.gate.acquire()
        finally:
            self.closed += 1


async def ended(scans: Scans, scan: ScanId) -> ScanView:
    async with aclosing(scans.events(scan)) as events:
        async for _ in events:
            pass
    return await scans.get(scan)


async def reached(scans: Scans, scan: ScanId, is_there: Callable[[ScanProgress], bool]) -> ScanProgress:
    async with aclosing(scans.events(scan)) as events:
        async for progress in events:
            if is_there(progress):
                return progress
    raise AssertionError("the scan ended first")


async def test_a_scan_records_what_it_finds(store: Store, settings: Settings) -> None:
    network = Estate(found(1), SILENT, found(2))
    async with Scans(store, settings, assess=network) as scans:
        view = await ended(scans, await scans.start("10.0.0.0/29", "anna", default_credentials=False))
    assert (view.state, view.phase, view.done, view.total) == (ScanState.DONE, "assess", 3, 3)
    assert (view.cameras, view.failed_verdicts, view.not_evaluated, view.error) == (2, 2, 1, None)
    assert (view.targets, view.actor, view.default_credentials) == ("10.0.0.0/29", "anna", False)
    ((targets, options),) = network.asked
    assert (len(targets), options.default_credentials, network.closed) == (6, False, 1)
    overview = await estate.overview(store)
    assert (overview.cameras, overview.not_evaluated, overview.last_scan) == (2, 1, view)


async def test_scans_run_one_after_the_other(store: Store, settings: Settings) -> None:
    network = Estate(found(1), gate=asyncio.Semaphore(0))
    async with Scans(store, settings, assess=network) as scans:
        first = await scans.start("10.0.0.1", "anna")
        second = await scans.start("10.0.0.2", "anna")
        await reached(scans, first, lambda now: now.phase == "sweep")
        assert [view.state for view in await scans.recent()] == [ScanState.QUEUED, ScanState.RUNNING]
        for _ in range(4):
            network.gate.release()
        assert (await ended(scans, first)).state is ScanState.DONE
        assert (await ended(scans, second)).state is ScanState.DONE
    assert [targets[0].address for targets, _ in network.asked] == ["10.0.0.1", "10.0.0.2"]


async def test_a_new_listener_hears_first_where_the_scan_is(store: Store, settings: Settings) -> None:
    network = Estate(found(1), found(2), gate=asyncio.Semaphore(1))
    async with Scans(store, settings, assess=network) as scans:
        scan = await scans.start("10.0.0.1-2", "anna")
        await reached(scans, scan, lambda now: now.cameras == 1)
        async with aclosing(scans.events(scan)) as events:
            assert (await anext(events)).cameras == 1
            network.gate.release()
            network.gate.release()
            last = [progress async for progress in events][-1]
        assert (last.state, last.cameras) == (ScanState.DONE, 2)
        assert [progress async for progress in scans.events(scan)] == [last]


async def test_a_listener_that_never_reads_costs_nothing(store: Store, settings: Settings) -> None:
    async with Scans(store, settings, assess=Estate(*map(found, range(1, 40)))) as scans:
        scan = await scans.start("10.0.0.0/26", "anna")
        async with aclosing(scans.events(scan)) as idle:
            await anext(idle)
            await ended(scans, scan)
            assert [progress.state async for progress in idle] == [ScanState.DONE]


async def test_a_stopped_scan_keeps_what_it_found(store: Store, settings: Settings) -> None:
    network = Estate(found(1), SILENT, found(2), gate=asyncio.Semaphore(2))
    async with Scans(store, settings, assess=network) as scans:
        scan = await scans.start("10.0.0.1", "anna")
        await reached(scans, scan, lambda now: now.not_evaluated == 1)
        await scans.stop(scan)
        view = await scans.get(scan)
        await scans.stop(scan)  # twice is no error
    assert (view.state, view.cameras, view.not_evaluated, network.closed) == (ScanState.STOPPED, 1, 1, 1)
    assert view.finished_at is not None
    overview = await estate.overview(store)
    assert (overview.cameras, overview.not_evaluated) == (1, 1)


async def test_a_queued_scan_can_be_stopped_before_it_runs(store: Store, settings: Settings) -> None:
    network = Estate(found(1), gate=asyncio.Semaphore(0))
    async with Scans(store, settings, assess=network) as scans:
        first = await scans.start("10.0.0.1", "anna")
        second = await scans.start("10.0.0.2", "anna")
        await scans.stop(second)
        assert [(await scans.get(scan)).state for scan in (first, second)] == [ScanState.RUNNING, ScanState.STOPPED]
        await scans.stop(first)
    assert [targets[0].address for targets, _ in network.asked] in ([], ["10.0.0.1"])


async def _followed(scans: Scans, scan: ScanId) -> list[ScanState]:
    return [progress.state async for progress in scans.events(scan)]


async def test_a_scan_that_the_service_going_down_cut_off_begins_anew_by_itself(
    store: Store, settings: Settings
) -> None:
    network = Estate(found(1), SILENT, gate=asyncio.Semaphore(2))
    async with Scans(store, settings, assess=network) as scans:
        running = await scans.start("10.0.0.1", "anna", default_credentials=False)
        queued = await scans.start("10.0.0.2", "anna")
        await reached(scans, running, lambda now: now.not_evaluated == 1)
        following = asyncio.create_task(_followed(scans, queued))
        await asyncio.sleep(0)
    assert await following == [ScanState.QUEUED], "nothing more comes, and that is told"
    left = [await scan_rows.load(store, scan) for scan in (running, queued)]
    assert [(view.state, view.cameras, view.started_at) for view in left] == [(ScanState.QUEUED, 0, None)] * 2
    again = Estate(found(1))
    async with Scans(store, settings, assess=again) as scans:
        views = [await ended(scans, scan) for scan in (running, queued)]
    assert [(view.state, view.cameras, view.error) for view in views] == [(ScanState.DONE, 1, None)] * 2
    assert [[target.address for target in targets] for targets, _ in again.asked] == [["10.0.0.1"], ["10.0.0.2"]]
    assert [options.default_credentials for _, options in again.asked] == [False, True]
    assert (await estate.overview(store)).cameras == 1


KILLED = """
import asyncio, os, sys
from pathlib import Path
from fleet.scans.runner import Scans
from fleet.settings import Settings
from fleet.store import open_store
from tests.fleet.test_scans import Estate, found, reached

async def main():
    settings = Settings(home=Path(sys.argv[1]), database_url=sys.argv[2] or None)
    async with await open_store(settings) as store:
        async with Scans(store, settings, assess=Estate(found(1), found(2), gate=asyncio.Semaphore(1))) as scans:
            await reached(scans, await scans.start("10.0.0.1-2", "anna"), lambda now: now.cameras == 1)
            os._exit(9)

asyncio.run(main())
"""


async def test_a_restart_in_the_middle_of_a_scan(settings: Settings) -> None:
    root = Path(__file__).parents[2]
    where = (str(settings.home), settings.database_url or "")
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, *where, cwd=root)
    assert await process.wait() == 9
    async with await open_store(settings) as store:
        before = (await estate.overview(store)).last_scan
        assert before is not None
        queue, network = Queue(store), Estate(found(1), found(2))
        async with Scans(store, settings, assess=network) as scans:
            again = await ended(scans, before.id)
        overview = await estate.overview(store)
        job = await queue.of_work(work_of(before.id))
        assert job is not None
        history = [line.event for line in await queue.history(job.id)]
    assert (before.state, again.state, again.started_at != before.started_at) == (
        ScanState.RUNNING,
        ScanState.DONE,
        True,
    )
    assert (again.cameras, overview.cameras, overview.findings.total) == (2, 2, 2)
    assert history == ["finish", "put-back"]


async def _unfinished(store: Store, settings: Settings, targets: str = "10.0.0.1") -> ScanId:
    """As a process leaves it that is stopped before it begins."""
    async with Scans(store, settings, assess=Estate(), queue=Queue(store)) as scans:
        return await scans.start(targets, "anna")


# What a process that was killed had written of a scan and of its job, and what becomes of the scan.
LEFT = {
    "no job": (None, ScanState.QUEUED, ScanState.DONE, None),
    "its job was cancelled": (JobState.CANCELLED, ScanState.QUEUED, ScanState.STOPPED, None),
    "its job was given up": (JobState.FAILED, ScanState.RUNNING, ScanState.FAILED, "5 processes ended"),
    "its end was stored": (JobState.QUEUED, ScanState.DONE, ScanState.DONE, None),
    "it was stopped": (JobState.QUEUED, ScanState.STOPPED, ScanState.STOPPED, None),
}


@pytest.mark.parametrize(("job", "scan", "becomes", "said"), LEFT.values(), ids=LEFT)
async def test_what_a_killed_process_left_of_a_scan_comes_to_an_end(
    store: Store, settings: Settings, job: JobState | None, scan: ScanState, becomes: ScanState, said: str | None
) -> None:
    unfinished = await _unfinished(store, settings)
    async with store.write() as connection:
        await connection.execute(update(t.Scan).values(state=scan.value))
        if job is None:
            await connection.execute(delete(Job))
        else:
            await connection.execute(update(Job).values(state=job.value, reason=said or ""))
    network = Estate(found(1))
    async with Scans(store, settings, assess=network) as scans:
        view = await ended(scans, unfinished)
        while await Queue(store).unfinished("scan"):  # noqa: ASYNC110 - a condition
            await asyncio.sleep(0.01)
    assert (view.state, view.error) == (becomes, said)
    assert len(network.asked) == (job is None), "what has come to its end is not looked at again"


async def test_a_scan_that_ends_every_process_is_given_up_and_says_so(store: Store, settings: Settings) -> None:
    queue = Queue(store)
    async with Scans(store, settings, assess=Estate(), queue=queue) as scans:
        scan = await scans.start("10.0.0.1", "anna")
        for _ in range(MOST_LOSSES):
            async with LocalDesk(queue, [scans.kind], folder=settings.home / "locks").attended() as desk:
                assert await desk.claim(1)
        async with running(queue, [scans.kind], folder=settings.home / "locks"):
            view = await ended(scans, scan)
    assert (view.state, view.error) == (ScanState.FAILED, "5 processes ended while they were at it")


async def test_a_scan_of_all_that_begins_anew_looks_no_further_than_it_was_allowed_to(
    store: Store, settings: Settings
) -> None:
    for name, network in (("North", "10.0.0.0/30"), ("South", "10.0.0.4/30")):
        await sites.put(store, Site(name, (network,)), "anna")
    async with Scans(store, settings, assess=Estate(found(1), found(5))) as scans:
        await ended(scans, await scans.start("10.0.0.0/29", "anna"))
    async with Scans(store, settings, assess=Estate(), queue=Queue(store)) as scans:
        scan = await scans.start("@all", "ben", scope=Scope(frozenset({"North"})))
    network_asked = Estate()
    async with Scans(store, settings, assess=network_asked) as scans:
        assert (await ended(scans, scan)).state is ScanState.DONE
    ((targets, _),) = network_asked.asked
    assert [target.address for target in targets] == ["10.0.0.1"]


async def test_a_fault_of_ours_fails_the_scan_and_is_logged(
    store: Store, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    network = Estate(found(1), ValueError("hunter2"))
    async with Scans(store, settings, assess=network) as scans:
        with caplog.at_level(logging.ERROR):
            view = await ended(scans, await scans.start("10.0.0.1", "anna"))
        network.results = (found(2),)
        assert (await ended(scans, await scans.start("10.0.0.2", "anna"))).state is ScanState.DONE
    assert (view.state, view.error, view.cameras) == (ScanState.FAILED, "a fault of ours (ValueError); see the log", 1)
    assert "Traceback" in caplog.text


BAD_FILES = {
    "credentials that cannot be read": ("credentials_file", "- match: 300.0.0.1\n", "1"),
    "a catalogue that cannot be read": ("catalogue_file", "firmware: [", "file"),
}


@pytest.mark.parametrize(("setting", "text", "said"), BAD_FILES.values(), ids=BAD_FILES)
async def test_a_file_of_the_operator_that_is_wrong(
    store: Store, settings: Settings, tmp_path: Path, setting: str, text: str, said: str
) -> None:
    path = tmp_path / "file.yaml"
    path.write_text(text)
    path.chmod(0o600)
    async with Scans(store, settings.model_copy(update={setting: path}), assess=Estate()) as scans:
        view = await ended(scans, await scans.start("10.0.0.1", "anna"))
    assert view.state is ScanState.FAILED
    assert view.error is not None
    assert said in view.error
    assert "fault of ours" not in view.error


async def test_a_store_that_fails_fails_the_scan(store: Store, settings: Settings) -> None:
    async with store.write() as connection:
        await connection.exec_driver_sql("DROP TABLE dossiers")
        await connection.exec_driver_sql("CREATE TABLE dossiers (id TEXT, camera TEXT)")
    async with Scans(store, settings, assess=Estate(found(1), found(2))) as scans:
        view = await ended(scans, await scans.start("10.0.0.1", "anna"))
    assert (view.state, view.cameras) == (ScanState.FAILED, 0)
    assert view.error is not None
    assert view.error.startswith("the database cannot be written")
    assert (await estate.overview(store)).cameras == 0


TARGETS = {
    "nothing": ("  \n ", "at least one address"),
    "a typing error": ("10.0.0.1 10.0.0.256", "10.0.0.256"),
    "a password in an address": ("http://root:hunter2@10.0.0.1/", "credentials file"),
    "a book": ("10.0.0.1 " * 10_000, "at most 64 KiB"),
    "more than anybody has": ("10.0.0.0/8", "16777214"),
}


@pytest.mark.parametrize(("text", "said"), TARGETS.values(), ids=TARGETS)
async def test_targets_that_cannot_be_used(store: Store, settings: Settings, text: str, said: str) -> None:
    async with Scans(store, settings, assess=Estate()) as scans:
        with pytest.raises(Invalid, match=said) as caught:
            await scans.start(text, "anna", confirmed=True)
        assert await scans.recent() == []
    assert "hunter2" not in str(caught.value)


async def test_many_targets_want_a_second_yes(store: Store, settings: Settings) -> None:
    network = Estate()
    async with Scans(store, settings, assess=network) as scans:
        with pytest.raises(NeedsConfirmation, match="8190 addresses") as caught:
            await scans.start("10.0.0.0/19", "anna")
        view = await ended(scans, await scans.start("10.0.0.0/19", "anna", confirmed=True))
    assert (caught.value.count, view.state, len(network.asked[0][0])) == (8190, ScanState.DONE, 8190)


async def test_the_queue_is_not_endless(store: Store, settings: Settings) -> None:
    async with Scans(store, settings, assess=Estate(gate=asyncio.Semaphore(0))) as scans:
        for _ in range(MOST_WAITING + 1):
            await scans.start("10.0.0.1", "anna")
        with pytest.raises(Invalid, match="waiting already"):
            await scans.start("10.0.0.1", "anna")


async def test_no_such_scan(store: Store, settings: Settings) -> None:
    nothing = ScanId("nothing")
    async with Scans(store, settings, assess=Estate()) as scans:
        with pytest.raises(NotFound):
            await scans.get(nothing)
        with pytest.raises(NotFound):
            await scans.stop(nothing)
        with pytest.raises(NotFound):
            await anext(scans.events(nothing))


async def test_what_a_scan_could_not_tell_is_settled_by_the_next_that_can(store: Store, settings: Settings) -> None:
    network = Estate(SILENT, NotEvaluated("10.0.0.8", "garbled", "x" * 10_000), found(1))
    async with Scans(store, settings, assess=network) as scans:
        first = await ended(scans, await scans.start("10.0.0.1-9", "anna"))
        page = await estate.not_evaluated(store)
        assert [(row.address, row.reason) for row in page.items] == [
            ("10.0.0.8", "garbled"),
            ("10.0.0.9", "unreachable"),
        ]
        assert (len(page.items[0].detail), page.items[0].scan, page.items[0].camera) == (500, first.id, None)
        network.results = (found(9), NotEvaluated("10.0.0.1", "unreachable", "nothing answers"))
        await ended(scans, await scans.start("10.0.0.1 10.0.0.9", "anna"))
    page = await estate.not_evaluated(store)
    assert [(row.address, row.camera is not None) for row in page.items] == [("10.0.0.1", True), ("10.0.0.8", False)]


async def test_all_stored_cameras_are_a_target_beside_others(store: Store, settings: Settings) -> None:
    network = Estate(found(1), found(2))
    async with Scans(store, settings, assess=network) as scans:
        with pytest.raises(Invalid, match="no camera is stored yet"):
            await scans.start("@all", "anna")
        await ended(scans, await scans.start("10.0.0.1-2", "anna"))
        view = await ended(scans, await scans.start("@all 10.0.0.7", "anna"))
        with pytest.raises(Invalid, match="no stored cameras are known here"):
            await scans.start("@gate", "anna")
    assert (view.targets, view.total) == ("@all 10.0.0.7", 2)
    assert sorted(target.address for target in network.asked[-1][0]) == ["10.0.0.1", "10.0.0.2", "10.0.0.7"]


async def test_an_empty_place_in_a_network_is_no_gap_unless_a_camera_was_there(
    store: Store, settings: Settings
) -> None:
    empty = [NotEvaluated(f"10.0.0.{number}", "no-answer", "nothing answers") for number in (1, 2)]
    network = Estate(found(1), empty[1])
    async with Scans(store, settings, assess=network) as scans:
        assert (await ended(scans, await scans.start("10.0.0.0/24", "anna"))).not_evaluated == 0
        network.results = (empty[0], empty[1])
        assert (await ended(scans, await scans.start("10.0.0.0/24", "anna"))).not_evaluated == 1
    assert [row.address for row in (await estate.not_evaluated(store)).items] == ["10.0.0.1"]


async def test_one_port_of_an_address_that_is_silent_is_not_hidden_by_another(store: Store, settings: Settings) -> None:
    for results in ((SILENT, found(9)), (found(9), SILENT)):
        async with Scans(store, settings, assess=Estate(*results)) as scans:
            await ended(scans, await scans.start("10.0.0.9:8001 10.0.0.9:8002", "anna"))
        assert [row.address for row in (await estate.not_evaluated(store)).items] == ["10.0.0.9"]


class Guessing(Estate):
    """Spends one wrong login on a camera."""

    async def __call__(
        self, targets: Sequence[Target], options: Options, on_progress: Callable[[Progress], None]
    ) -> AsyncIterator[Result]:
        async with options.budget.trial("cam-1", "root"):
            pass
        async for result in super().__call__(targets, options, on_progress):
            yield result


async def test_spent_logins_count_after_a_restart(settings: Settings, clock: Clock) -> None:
    left = []
    for _ in range(2):
        network = Guessing()
        async with await open_store(settings, clock) as store, Scans(store, settings, assess=network) as scans:
            await ended(scans, await scans.start("10.0.0.1", "anna"))
        left.append(network.asked[0][1].budget.remaining("cam-1", "root"))
    assert left == [1, 0]


async def test_whenever_a_scan_is_cut_short_each_camera_is_stored_whole_or_not_at_all(
    store: Store, settings: Settings
) -> None:
    """It begins anew each time that the service does, and in the end it is done."""
    network = Estate(*map(found, range(1, 25)))
    async with Scans(store, settings, assess=network) as scans:
        scan = await scans.start("10.0.0.0/27", "anna")
    for number in range(1, 25):
        async with Scans(store, settings, assess=network):
            await asyncio.sleep(number / 1000)
    async with Scans(store, settings, assess=network) as scans:
        assert (await ended(scans, scan)).state is ScanState.DONE
    page = await estate.devices(store)
    verdicts = [len((await estate.device(store, row.id)).verdicts) for row in page.items]
    assert verdicts == [2] * 24
    assert (await estate.overview(store)).findings.total == page.total

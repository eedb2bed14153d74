"""Scans: assessments that the service runs in the background, one at a time: each is one job of the queue."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Protocol, Self

from structlog.contextvars import bind_contextvars, get_contextvars

from cameras.budget import Attempt, AttemptBudget
from cameras.untrusted import clean_text
from fleet import lookup, sites, standing
from fleet.audit.trail import Action, Entry, acting
from fleet.errors import FleetError, Invalid, StoreUnavailable
from fleet.expected import rows as expected_rows
from fleet.findings import triage as findings
from fleet.jobs.alone import running
from fleet.jobs.model import Asked, Done, Failed, Job, Kind, NewJob, Next, Priority, PutBack, Stopped, Turn
from fleet.jobs.model import Progress as JobProgress
from fleet.jobs.queue import Queue
from fleet.jobs.states import JobState
from fleet.paging import newest
from fleet.people.scope import EVERYWHERE, Scope
from fleet.scans import asked, visits
from fleet.scans import rows as scan_rows
from fleet.scans.live import Ending, Live, ScanProgress, progress_of
from fleet.scans.rows import ScanId, ScanState, ScanView
from fleet.settings import Settings
from fleet.store import Store, attempts
from fleet.store.tables import Scan
from fleet.unbroken import to_the_end
from fleet.views import Page
from scanners import assessment
from scanners.assessment import CameraAssessment, NotEvaluated, Options, Progress
from scanners.credentials import CredentialRule, CredentialsError
from scanners.identify import NO_ANSWER
from scanners.knowledge import KnowledgeError
from scanners.model import Outcome
from scanners.targets import MOST_TARGETS, Target

__all__ = ["ScanId", "ScanProgress", "ScanState", "ScanView", "Scans"]

TICK_S = 0.5
MOST_WAITING = 10
KIND = "scan"
_WORK = "scan:"
_URGENT = Priority.ASKED
_CUT_OFF = "it was cut off, and begins anew"
_MOST_SILENT_AT_ONCE = 200
# Words for many targets, and what is said where there are none.
_MEANING: Mapping[str, tuple[Callable[[Store, Scope], Awaitable[list[str]]], str]] = {
    lookup.EVERY: (lookup.targets, "no camera is stored yet: write at least one address, such as 192.168.1.0/24"),
    expected_rows.EXPECTED: (expected_rows.targets, "every expected camera was found, or none was imported"),
}
_log = logging.getLogger(__name__)


class Assess(Protocol):
    """`scanners.assessment.assess`, or in a test whatever yields the same."""

    def __call__(
        self, targets: Sequence[Target], options: Options, on_progress: Callable[[Progress], None]
    ) -> AsyncIterator[CameraAssessment | NotEvaluated]: ...


Logins = Callable[[], Awaitable[Sequence[CredentialRule]]]


async def no_logins() -> Sequence[CredentialRule]:
    return ()


class Scans:
    """`async with Scans(store, settings) as scans`.

    A scan only looks: what an earlier process left unfinished, however that ended, is begun anew by itself, with the
    same id; what still runs on exit waits for the next process. One that ended five processes in a row has failed.
    `budget` is the one that everything in this process shares; without it, one is made of what the store knows.
    `logins` gives rules that go before those of the credentials file: what the vault holds. Whoever gives a `queue`
    runs the jobs of `kind` and is closed before this is; otherwise they run here.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        assess: Assess = assessment.assess,
        budget: AttemptBudget | None = None,
        logins: Logins = no_logins,
        queue: Queue | None = None,
    ) -> None:
        self._store = store
        self._settings = settings
        self._assess = assess
        self._group = asyncio.TaskGroup()
        self._queue = queue or Queue(store)
        self._is_alone = queue is None
        self._running = AsyncExitStack()
        self.kind = Kind(
            KIND, self._step, at_once=1, most_tries=1, cut_short=True, pausable=False, ended=self._ended_without_us
        )
        self._live: dict[ScanId, Live] = {}
        self._spent: asyncio.Queue[Attempt | None] = asyncio.Queue()
        self._shared_budget = budget
        self._budget = budget or AttemptBudget()
        self._logins = logins

    async def __aenter__(self) -> Self:
        await self._take_up()
        if self._shared_budget is None:
            earlier = await attempts.load(self._store)
            self._budget = AttemptBudget(earlier=earlier, on_spent=self._spent.put_nowait, now=self._store.now)
        await self._group.__aenter__()
        self._group.create_task(self._keep_attempts())
        if self._is_alone:
            folder = self._settings.home / "locks"  # where the next process sees that this one has ended
            await self._running.enter_async_context(running(self._queue, [self.kind], folder=folder))
        return self

    def under_way(self) -> int:
        """How much of it this process is at work on."""
        return len(self._live)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._running.aclose()
        for live in self._live.values():
            live.leave()
        self._spent.put_nowait(None)
        await self._group.__aexit__(None, None, None)

    async def _take_up(self) -> None:
        """What is unfinished has a job, which a process that was killed may have ended and not told of."""
        known = await self._queue.unfinished(KIND)
        for view in await scan_rows.unfinished(self._store):
            self._live[view.id] = Live(view)
            if work_of(view.id) in known:
                continue
            job = await self._queue.of_work(work_of(view.id))
            if job and job.state in {JobState.CANCELLED, JobState.FAILED}:
                await self._ended_without_us(job)
            else:
                await self._queue.enqueue(_job(view))

    async def start(
        self,
        targets_text: str,
        actor: str,
        *,
        default_credentials: bool = True,
        looks_only: bool = False,
        confirmed: bool = False,
        scope: Scope = EVERYWHERE,
    ) -> ScanId:
        """Queue a scan. Raises Invalid, also for addresses out of scope, and NeedsConfirmation beyond 4096 addresses.

        Among the targets, `@all` is every camera in scope that is looked after when the scan is asked for, `@expected`
        where cameras of imported lists are expected and were not found. With `looks_only` no login is sent anywhere,
        neither ours nor a default one.
        """
        words = asked.words(targets_text)
        spelled_out = await self._spelled_out(words, scope)
        targets = await asyncio.to_thread(asked.targets, spelled_out, None if confirmed else MOST_TARGETS)
        places = await self._places(targets, scope)
        if len(self._live) > MOST_WAITING:
            raise Invalid(f"{MOST_WAITING} scans are waiting already; stop one or wait")
        default_credentials = default_credentials and not looks_only
        view = asked.queued(
            " ".join(words), actor, self._store.now(), default_credentials=default_credentials, looks_only=looks_only
        )
        live = Live(view, targets)
        scan = live.view.id
        said = {"targets": live.view.targets, "addresses": len(targets), "default_credentials": default_credentials}
        said |= {"looks_only": looks_only}
        begun = Entry(live.view.actor, Action.SCAN_START, f"scan:{scan}", said)
        self._live[scan] = live  # before the job: it may begin at once
        try:
            async with self._store.write() as connection:
                await scan_rows.add(connection, live.view, places, begun)
                await self._queue.enqueue_in(connection, [_job(live.view)])
        except BaseException:
            self._live.pop(scan, None)
            raise
        self._queue.ring()
        return scan

    async def _places(self, targets: Sequence[Target], scope: Scope) -> frozenset[str | None]:
        """The sites of these addresses. Raises Invalid where one of them is out of scope."""
        async with self._store.read() as connection:
            known = await sites.stored(connection)
        return await asyncio.to_thread(asked.placed, targets, known, scope)

    async def _spelled_out(self, words: Sequence[str], scope: Scope) -> list[str]:
        spelled_out = [word for word in words if word not in _MEANING]
        for word, (find, none) in _MEANING.items():
            if word in words:
                if not (meant := await find(self._store, scope)):
                    raise Invalid(none)
                spelled_out += meant
        return spelled_out

    async def get(self, scan: ScanId) -> ScanView:
        """Raises NotFound."""
        live = self._live.get(scan)
        return live.view if live else await scan_rows.load(self._store, scan)

    async def recent(self, limit: int = 20, scope: Scope = EVERYWHERE) -> list[ScanView]:
        """The newest first; only those that looked at nothing out of scope."""
        return list((await self.listed(None, limit, scope)).items)

    async def listed(self, after: str | None, limit: int, scope: Scope = EVERYWHERE) -> Page[ScanView]:
        """As `recent`, in pages. Raises Invalid for a cursor that no page gave."""
        async with self._store.read() as connection:
            rows, following, total = await newest(connection, scan_rows.seen(scope), Scan.id, after, limit)
        stored = map(scan_rows.view_of, rows)
        return Page(
            tuple(self._live[view.id].view if view.id in self._live else view for view in stored), following, total
        )

    async def events(self, scan: ScanId) -> AsyncGenerator[ScanProgress, None]:
        """Where the scan is now, then each change, at least the newest; ends after a final state. Raises NotFound."""
        live = self._live.get(scan)
        if live is None:
            yield progress_of(await scan_rows.load(self._store, scan))
            return
        async with aclosing(live.listen()) as heard:
            async for progress in heard:
                yield progress

    async def stop(self, scan: ScanId) -> None:
        """Stop a queued or running scan and wait until it has; what it found is kept. Raises NotFound."""
        live = self._live.get(scan)
        if live is None:
            await scan_rows.load(self._store, scan)
            return
        live.ending = (ScanState.STOPPED, None)
        if job := await self._queue.of_work(work_of(scan)):
            await self._queue.cancel(job.id, acting().actor)
        live.end(ScanState.STOPPED, None)
        await live.over.wait()

    async def _ended_without_us(self, job: Job) -> None:
        """A job that never began, or does not go on, leaves its scan to be closed here."""
        live = self._live.get(_scan_of(job))
        if live and live.task is None:
            given_up = job.state is JobState.FAILED
            await self._close(
                live, ScanState.FAILED if given_up else ScanState.STOPPED, job.reason if given_up else None
            )

    async def _step(self, turn: Turn) -> Next:
        """A scan from its beginning to its end."""
        live = self._live.get(_scan_of(turn.job))
        if live is None:  # the job's end was not written down any more, or somebody wants it to run again
            view = await scan_rows.load(self._store, _scan_of(turn.job))
            over = Failed("this scan is over; start a new one", final=True)
            return _done(view) if view.state is ScanState.DONE else over
        live.task = asyncio.current_task()
        bind_contextvars(**{**live.asked_by, **get_contextvars()})
        ending = await self._run(live, turn)
        if ending is None:
            await to_the_end(self._put_back(live))
            return PutBack(_CUT_OFF)
        state, error = ending
        await to_the_end(self._close(live, state, error))
        if state is ScanState.DONE:
            return _done(live.view)
        return Stopped() if state is ScanState.STOPPED else Failed(error or "", final=True)

    async def _run(self, live: Live, turn: Turn) -> Ending | None:
        """How it ended: nothing is raised beyond it. `None` where it was cut off."""
        try:
            await self._judge(live, turn)
        except asyncio.CancelledError:
            return (ScanState.STOPPED, None) if turn.asked is Asked.CANCEL else live.ending
        except (FleetError, CredentialsError, KnowledgeError) as error:
            return ScanState.FAILED, clean_text(str(error), 500)
        except Exception as error:  # noqa: BLE001 - a scan that fails is told, whatever it failed of
            _log.exception("a scan failed", extra={"scan": live.view.id})
            return ScanState.FAILED, f"a fault of ours ({type(error).__name__}); see the log"
        return ScanState.DONE, None

    async def _put_back(self, live: Live) -> None:
        """It waits to begin anew, in this process or the next; what it found until now is kept."""
        live.task = None
        try:
            await self._flush(live)
            live.view = await scan_rows.put_back(self._store, live.view)
        except StoreUnavailable:
            _log.exception("a scan that was cut off could not be stored", extra={"scan": live.view.id})
        live.tell()

    async def _close(self, live: Live, state: ScanState, error: str | None) -> None:
        ended = replace(live.view, state=state, error=error, finished_at=self._store.now())
        try:
            # The rows first: whoever reads "finished" must find all of them.
            await self._flush(live)
            await scan_rows.save(self._store, ended)
        except StoreUnavailable:
            _log.exception("the end of a scan could not be stored", extra={"scan": ended.id})
        live.view = ended
        live.tell()
        self._live.pop(live.view.id, None)
        live.over.set()

    async def _judge(self, live: Live, turn: Turn) -> None:
        targets = live.targets or await self._targets_again(live.view)
        begun = scan_rows.blank(live.view)
        live.view = replace(begun, state=ScanState.RUNNING, started_at=self._store.now(), total=len(targets))
        await scan_rows.save(self._store, live.view)
        await scan_rows.forget_silence(self._store)
        await visits.prune(self._store)
        live.known = await visits.addresses(self._store)
        logins = [] if live.view.looks_only else await self._logins()
        options = await asyncio.to_thread(asked.options, self._settings, self._budget, live.view, logins)
        options = replace(options, without_login=await standing.without_login(self._store))
        saving = asyncio.create_task(self._save_often(live, turn))
        results = self._assess(targets, options, live.progress)
        try:
            async for result in results:
                await to_the_end(self._keep(live, result))
        finally:
            saving.cancel()
            await asyncio.gather(saving, return_exceptions=True)
            if close := getattr(results, "aclose", None):
                await close()

    async def _targets_again(self, view: ScanView) -> Sequence[Target]:
        """Of a scan that was asked for in an earlier process: no further than it was allowed to look then."""
        places = await scan_rows.places(self._store, view.id)
        scope = EVERYWHERE if None in places else Scope(frozenset(filter(None, places)))
        words = await self._spelled_out(view.targets.split(), scope)
        return await asyncio.to_thread(asked.targets, words, None)

    async def _keep(self, live: Live, result: CameraAssessment | NotEvaluated) -> None:
        if isinstance(result, NotEvaluated):
            if result.reason == NO_ANSWER and result.address not in live.known:
                return  # an empty place in a network; silence where a camera was is another matter
            live.silent.append(result)
            live.view = replace(live.view, not_evaluated=live.view.not_evaluated + 1)
            if len(live.silent) >= _MOST_SILENT_AT_ONCE:
                await _again_once(partial(self._flush, live))
            return
        await _again_once(partial(findings.record, self._store, result))
        live.heard.append(clean_text(result.dossier.address))
        failed = sum(verdict.verdict is Outcome.FAIL for verdict in result.verdicts)
        cameras, failures = live.view.cameras + 1, live.view.failed_verdicts + failed
        live.view = replace(live.view, cameras=cameras, failed_verdicts=failures)

    async def _flush(self, live: Live) -> None:
        silent, live.silent = live.silent, []
        heard, live.heard = live.heard, []
        try:
            if silent or heard:
                await scan_rows.keep_silent(self._store, live.view.id, silent, heard)
        except StoreUnavailable:
            live.silent, live.heard = silent + live.silent, heard + live.heard
            raise

    async def _save_often(self, live: Live, turn: Turn) -> None:
        while True:
            if live.tell():
                turn.say(JobProgress(live.view.done, live.view.total, live.view.phase))
                await to_the_end(self._save(live))
            await asyncio.sleep(TICK_S)

    async def _save(self, live: Live) -> None:
        try:
            await _again_once(partial(self._flush, live))
            await _again_once(partial(scan_rows.save, self._store, live.view))
        except StoreUnavailable as error:
            live.end(ScanState.FAILED, str(error))

    async def _keep_attempts(self) -> None:
        """Spent logins on their way to the store. Where they cannot be kept, nothing more is spent."""
        while (attempt := await self._spent.get()) is not None:
            try:
                await attempts.record(self._store, attempt)
            except StoreUnavailable as error:
                _log.exception("a spent login could not be stored")
                for live in self._live.values():
                    live.end(ScanState.FAILED, str(error))


def work_of(scan: ScanId) -> str:
    """What its job belongs to."""
    return f"{_WORK}{scan}"


async def _again_once(work: Callable[[], Awaitable[object]]) -> None:
    """Nothing is kept of a transaction that is cut off because the database went away; the next one waits for it."""
    try:
        await work()
    except StoreUnavailable as error:
        _log.warning("a scan writes again what could not be kept", extra={"reason": str(error)})
        await work()


def _scan_of(job: Job) -> ScanId:
    return ScanId(job.work.removeprefix(_WORK))


def _job(view: ScanView) -> NewJob:
    return NewJob(KIND, view.actor, work=work_of(view.id), key=work_of(view.id), priority=_URGENT)


def _done(view: ScanView) -> Done:
    return Done(f"{view.cameras} cameras")

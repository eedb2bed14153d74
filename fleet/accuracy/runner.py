"""Is the AI of the cameras still right: watches that run in the background, labels of people, and the card of a camera.

A watch is one job of the queue, and is kept whole or not at all. What a process that died left unfinished is begun
again by the next one, a few times at most.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from analytics_qa.detector import OUR_MODEL, Detector
from analytics_qa.drift import Picture, State
from analytics_qa.errors import AnalyticsError
from analytics_qa.golden import GoldenResult
from analytics_qa.matching import NONE_SEEN
from cameras.decoding import Decoder
from cameras.errors import DeviceError
from cameras.untrusted import clean_text
from fleet import camera_events
from fleet.accuracy import rows as accuracy_rows
from fleet.accuracy.card import AccuracyCard, card
from fleet.accuracy.model_gate import Measurement
from fleet.accuracy.rows import Baseline, Golden, Hour, Label, WatchId, WatchState, WatchView
from fleet.accuracy.sight import OpenSight
from fleet.accuracy.watching import PICTURE_EVERY_S, Seen, watch
from fleet.audit.trail import SCHEDULE, Action, Entry, acting, record
from fleet.errors import FleetError, Invalid, NotFound, StoreUnavailable
from fleet.jobs.alone import running
from fleet.jobs.model import Asked, Done, Failed, Job, Kind, NewJob, Next, Priority, Turn
from fleet.jobs.queue import Queue
from fleet.jobs.states import JobState
from fleet.store import Store
from fleet.store.ids import new_id

__all__ = ["Accuracy", "AccuracyCard", "Label", "WatchId", "WatchState", "WatchView", "picture_unknown"]

KIND = "accuracy"
_WORK = "watch:"
MOST_SECONDS = 3600
MOST_WAITING = 1000
AT_ONCE = 4
MOST_STARTS = 3
_log = logging.getLogger(__name__)

PictureVerdict = Callable[[str], Awaitable[Picture]]


async def picture_unknown(_camera: str) -> Picture:
    """Where nobody judges pictures, nothing is said about drift either."""
    return "unknown"


class Accuracy:
    """`async with Accuracy(store, open_sight) as accuracy`.

    `open_sight` opens a camera by its id; `picture_verdict` is what health says of its picture now: it gates
    everything that is said about drift. `model` is the reference detector. Whoever gives a `queue` runs the jobs of
    `kind` and is closed before this is; otherwise they run here.
    """

    def __init__(
        self,
        store: Store,
        open_sight: OpenSight,
        *,
        picture_verdict: PictureVerdict = picture_unknown,
        model: Path = OUR_MODEL,
        picture_every_s: float = PICTURE_EVERY_S,
        queue: Queue | None = None,
    ) -> None:
        self._store = store
        self._open_sight = open_sight
        self._picture_verdict = picture_verdict
        self._model = model
        self._picture_every_s = picture_every_s
        self._places = asyncio.Semaphore(AT_ONCE)
        self._queue = queue or Queue(store)
        self._is_alone = queue is None
        self._running = AsyncExitStack()
        self.kind = Kind(
            KIND,
            self._step,
            at_once=AT_ONCE,
            most_tries=1,
            cut_short=True,
            pausable=False,
            ended=self._ended_without_us,
        )

    async def __aenter__(self) -> Self:
        known = await self._queue.unfinished(KIND)
        left = [view for view in await accuracy_rows.unfinished(self._store) if work_of(view.id) not in known]
        if left:
            await self._queue.enqueue_many([_job(view) for view in left])
        if self._is_alone:
            await self._running.enter_async_context(running(self._queue, [self.kind]))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """What runs is left for the next process."""
        await self._running.aclose()

    # --- watching ---

    async def start(self, camera: str, actor: str, *, seconds: int = 60) -> WatchId:
        """Queue a watch; needs the operator role. Raises Invalid, NotFound."""
        if not 1 <= seconds <= MOST_SECONDS:
            raise Invalid(f"a watch lasts 1 to {MOST_SECONDS} seconds")
        if len(await self._queue.unfinished(KIND)) >= MOST_WAITING:
            raise Invalid(f"{MOST_WAITING} watches are waiting already; wait for them")
        await accuracy_rows.need_camera(self._store, camera)
        view = _queued(camera, clean_text(actor), seconds, self._store)
        begun = Entry(view.actor, Action.ACCURACY_WATCH, f"camera:{camera}", {"watch": view.id, "seconds": seconds})
        async with self._store.write() as connection:
            await accuracy_rows.save_in(connection, view)
            await self._queue.enqueue_in(connection, [_job(view)])
            await record(connection, begun)
        self._queue.ring()
        return view.id

    async def get(self, watch_id: WatchId) -> WatchView:
        """Raises NotFound."""
        return await accuracy_rows.load(self._store, watch_id)

    async def recent(self, camera: str | None = None, limit: int = 20) -> list[WatchView]:
        """The newest first, of one camera or of all."""
        return await accuracy_rows.newest(self._store, camera, limit)

    async def finished(self, watch_id: WatchId) -> WatchView:
        """Waits until it has ended. Raises NotFound."""
        if job := await self._queue.of_work(work_of(watch_id)):
            await self._queue.ended(job.id)
        return await self.get(watch_id)

    async def stop(self, watch_id: WatchId) -> None:
        """Ends it; nothing of it is kept. Raises NotFound."""
        view = await self.get(watch_id)
        job = await self._queue.of_work(work_of(watch_id))
        if job and not view.state.final:
            await self._queue.cancel(job.id, acting().actor)
            await self._queue.ended(job.id)

    # --- what people say ---

    async def label(self, camera: str, labels: Sequence[Label]) -> None:
        """Truth by a person; needs the operator role. Raises Invalid, NotFound."""
        if any(min(one.hits, one.false, one.missed) < 0 for one in labels):
            raise Invalid("a label counts objects: nothing below 0")
        await accuracy_rows.need_camera(self._store, camera)
        cleaned = [replace(one, condition=clean_text(one.condition), actor=clean_text(one.actor)) for one in labels]
        await accuracy_rows.add_labels(self._store, camera, cleaned)

    async def accept(self, camera: str, actor: str) -> None:
        """From now on this is how it should be: counts are learned anew. Needs the operator role. Raises NotFound."""
        history = await accuracy_rows.history(self._store, camera)
        done = [one for one in history.watches if one.state is WatchState.DONE]
        baseline = Baseline(self._store.now(), done[-1].version if done else None, clean_text(actor))
        await accuracy_rows.add_baseline(self._store, camera, baseline)

    async def measure(self, camera: str, seconds: float) -> Measurement:
        """Watch it now, beside the reference. Nothing is kept. Raises `cameras.errors`, FleetError, AnalyticsError."""
        async with self._places:
            seen = await self._watched(camera, seconds, await self._reference())
        return Measurement(seen.condition or "unknown", self._store.now().date(), seen.compared)

    async def record_golden(self, camera: str, version: str | None, result: GoldenResult) -> None:
        """How a golden clip came out. Raises NotFound."""
        await accuracy_rows.need_camera(self._store, camera)
        figures = {"ap50": dict(result.ap50), "missing": result.missing, "reasons": list(result.verdict.reasons)}
        row = Golden(self._store.now(), version, result.digest, result.verdict.ok, figures)
        await accuracy_rows.add_golden(self._store, camera, row)

    async def card(self, camera: str) -> AccuracyCard:
        """All that is known of one camera's AI. Raises NotFound."""
        history = await accuracy_rows.history(self._store, camera)
        verdict = await self._picture_verdict(camera)
        return await asyncio.to_thread(card, camera, history, verdict, self._store.now())

    async def hours(self, camera: str, since: datetime) -> tuple[Hour, ...]:
        """What it counted, oldest first. Raises NotFound."""
        kept = (await accuracy_rows.history(self._store, camera)).hours
        return tuple(one for one in kept if one.hour >= since)

    # --- the work ---

    async def _step(self, turn: Turn) -> Next:
        """A watch from its beginning to its end."""
        view = await accuracy_rows.load(self._store, _watch_of(turn.job))
        if view.state.final:
            return Failed("this watch is over; start a new one", final=True)
        try:
            await self._carry_out(view)
        except asyncio.CancelledError:
            if turn.asked is Asked.CANCEL:
                await self._end(view, WatchState.STOPPED, None)
            raise
        except (DeviceError, AnalyticsError, FleetError) as error:
            why = clean_text(str(error), 500)
        except Exception as error:  # noqa: BLE001 - a watch that fails is told, whatever it failed of
            _log.exception("a watch failed", extra={"watch": view.id})
            why = f"a fault of ours ({type(error).__name__}); see the log"
        else:
            return Done()
        await self._end(view, WatchState.FAILED, why)
        return Failed(why, final=True)

    async def _ended_without_us(self, job: Job) -> None:
        """A job that never began, or was given up, leaves its watch to be ended here."""
        state, why = (WatchState.FAILED, job.reason) if job.state is JobState.FAILED else (WatchState.STOPPED, None)
        with suppress(NotFound):
            view = await accuracy_rows.load(self._store, _watch_of(job))
            if not view.state.final:
                await self._end(view, state, why)

    async def _carry_out(self, queued: WatchView) -> None:
        if queued.starts >= MOST_STARTS:
            raise Invalid(f"it was begun {MOST_STARTS} times and never came to its end")
        async with self._places:
            began = replace(queued, state=WatchState.RUNNING, started_at=self._store.now(), starts=queued.starts + 1)
            await accuracy_rows.save(self._store, began)
            detector = await self._reference()
            seen = await self._watched(began.camera, began.seconds, detector)
            picture = await self._picture_verdict(began.camera)
        in_all = sum(seen.compared, NONE_SEEN)
        ended = replace(
            began,
            state=WatchState.DONE,
            finished_at=self._store.now(),
            version=seen.version,
            condition=seen.condition,
            picture=picture,
            frames=seen.frames,
            unreadable=seen.unreadable,
            lost=seen.lost,
            counted=seen.counted,
            pictures=len(seen.compared),
            reference=f"{detector.name} {detector.digest[:8]}",
            reference_seen=in_all.there,
            agreed=in_all.hits,
            claimed=in_all.claimed,
        )
        await accuracy_rows.save_result(self._store, ended, _hour(ended, seen))
        said = (await self.card(ended.camera)).drift
        if said.state in {State.DRIFTED, State.STEADY}:
            drifted = said.state is State.DRIFTED
            await camera_events.note_drift(self._store, ended.camera, drifted=drifted, detail=said.reason)

    async def _reference(self) -> Detector:
        return await asyncio.to_thread(Detector.load, self._model)

    async def _watched(self, camera: str, seconds: float, detector: Detector) -> Seen:
        async with Decoder() as decoder, self._open_sight(camera) as sight:
            return await watch(sight, detector, decoder, seconds, picture_every_s=self._picture_every_s)

    async def _end(self, view: WatchView, state: WatchState, error: str | None) -> None:
        now = self._store.now()
        try:
            current = await accuracy_rows.load(self._store, view.id)
            await accuracy_rows.save(self._store, replace(current, state=state, error=error, finished_at=now))
        except StoreUnavailable:
            _log.exception("the end of a watch could not be stored", extra={"watch": view.id})


def work_of(watch_id: WatchId) -> str:
    """What its job belongs to."""
    return f"{_WORK}{watch_id}"


def _watch_of(job: Job) -> WatchId:
    return WatchId(job.work.removeprefix(_WORK))


def _job(view: WatchView) -> NewJob:
    priority = Priority.CLOCK if view.actor == SCHEDULE else Priority.ASKED
    return NewJob(KIND, view.actor, camera=view.camera, work=work_of(view.id), priority=priority)


def _hour(view: WatchView, seen: Seen) -> Hour:
    at = view.started_at or view.queued_at
    hour = at.replace(minute=0, second=0, microsecond=0)
    return Hour(hour, view.picture, seen.version, seen.counted, seen.watched_s)


def _queued(camera: str, actor: str, seconds: int, store: Store) -> WatchView:
    return WatchView(
        id=WatchId(new_id()),
        camera=camera,
        state=WatchState.QUEUED,
        actor=actor,
        seconds=seconds,
        queued_at=store.now(),
        started_at=None,
        finished_at=None,
        starts=0,
        version=None,
        condition=None,
        picture="unknown",
        frames=0,
        unreadable=0,
        lost=0,
        counted=0,
        pictures=0,
        reference=None,
        reference_seen=0,
        agreed=0,
        claimed=0,
        error=None,
    )

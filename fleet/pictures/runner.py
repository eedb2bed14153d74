"""Pictures: the look of every stored camera. One check is one job; `fleet.schedules.clock` says when there is one."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.decoding import Decoder, Picture
from cameras.errors import DeviceError
from cameras.untrusted import clean_text
from fleet.audit.trail import SCHEDULE, SERVICE
from fleet.errors import FleetError, Invalid, NotFound
from fleet.evidence import EvidenceFolder
from fleet.jobs.alone import running
from fleet.jobs.model import Done, Failed, Kind, NewJob, Next, Priority, Turn
from fleet.jobs.queue import Queue
from fleet.people.scope import EVERYWHERE, Scope
from fleet.pictures import incidents as picture_incidents
from fleet.pictures import rollups as picture_rollups
from fleet.pictures import rows as picture_rows
from fleet.pictures.incidents import Where
from fleet.pictures.rollups import Rollup
from fleet.pictures.views import CheckView, Comparison, IncidentView, PictureSummary, Tile
from fleet.pictures.wall import MOST_AT_ONCE, WallFilter, page_of
from fleet.schedules import due
from fleet.settings import Settings
from fleet.store import Store
from fleet.store.ids import new_id
from fleet.store.pictures_tables import ReferenceView
from fleet.views import Page
from health import series
from health.checking import Checked, check
from health.conditions import Condition, condition_of, plausible
from health.judge import Health
from health.looks import look_at, median_of
from health.reference import Reference, build, from_bytes, to_bytes
from health.visit import Access, Pace, Taken, take

AccessTo = Callable[[picture_rows.AnyRow], Awaitable[Access]]

KIND = "pictures"
MOST_DUE_AT_ONCE = 500
SECOND_LOOK = timedelta(minutes=5)
_HISTORY = timedelta(days=14)
# The checks themselves are kept for much longer; their jobs would only fill the list.
_JOBS_KEPT = timedelta(hours=2)
_MOST_PICTURES_KEPT = 200_000
_MOST_REFERENCES_HELD = 512
MOST_QUEUED = 500
_QUALITY = 80


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one visit gave: a burst, or why there is none. `tried`: the camera was asked, and what it gave counts."""

    taken: Taken | None
    checked: Checked | None
    reason: str | None
    coded: bytes | None
    tried: bool = True


class Pictures:
    """`async with Pictures(store, settings, access_to) as pictures`.

    `access_to` says how a stored camera is reached; it raises FleetError where nobody gave a login for it.
    `channels` are the names of the outbox's ways. What a check found is stored whole or not at all; an interrupted one
    begins anew. Whoever gives a `queue` runs the jobs of `kind` and is closed before this is; otherwise they run here.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        access_to: AccessTo,
        *,
        channels: Sequence[str] = (),
        pace: Pace | None = None,
        chance: random.Random | None = None,
        queue: Queue | None = None,
    ) -> None:
        self._store = store
        self._settings = settings
        self._access_to = access_to
        self._channels = tuple(channels)
        self._pace = pace or Pace()
        self._chance = chance or random.Random()  # noqa: S311 - spreads checks over time, guards nothing
        self._evidence = EvidenceFolder(settings.evidence)
        self._decoder = Decoder()
        self._places = asyncio.Semaphore(settings.pictures_at_once)
        self._turns: dict[str, asyncio.Lock] = {}
        self._held: dict[str, Reference] = {}
        self._queue = queue or Queue(store)
        self._is_alone = queue is None
        self._running = AsyncExitStack()
        self.kind = Kind(
            KIND, self._step, at_once=settings.pictures_at_once, most_tries=1, cut_short=True, kept=_JOBS_KEPT
        )

    async def __aenter__(self) -> Self:
        await self._decoder.__aenter__()
        if self._is_alone:
            await self._running.enter_async_context(running(self._queue, [self.kind]))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._running.aclose()
        await self._decoder.__aexit__(None, None, None)

    # --- asked for ---

    async def check_now(self, camera: str) -> CheckView:
        """Look at one camera now; needs the operator role. Raises NotFound, StoreUnavailable."""
        await picture_rows.camera(self._store, camera)
        return await self._check_in_turn(camera, counts=True)

    async def _check_in_turn(self, camera: str, *, counts: bool) -> CheckView:
        async with self._turns.setdefault(camera, asyncio.Lock()), self._places:
            return await self._check(camera, counts=counts)

    async def faults_now(self, camera: str) -> list[str] | None:
        """The faults that a look at it finds now; `None` where nothing can be said. Raises NotFound, StoreUnavailable.

        That is so where no view was approved, or none for the light of now. The look is kept, but raises nothing: who
        asks is in the middle of work on the camera, and asks again until it shows a picture.
        """
        if not await picture_rows.references(self._store, camera):
            return None
        checked = await self._check_in_turn(camera, counts=False)
        return None if checked.verdict == Health.UNKNOWN.value else sorted(checked.faults)

    async def queue(self, cameras: Sequence[str], actor: str = SERVICE, scope: Scope = EVERYWHERE) -> int:
        """Look at those of these that are in scope soon, as places come free; how many. Raises Invalid."""
        if len(cameras) > MOST_QUEUED:
            raise Invalid(f"at most {MOST_QUEUED} cameras can be asked for at once")
        async with self._store.write() as connection:
            found = await picture_rows.sites_of(connection, list(dict.fromkeys(cameras)), scope)
            count = await self._ask_for(connection, found, actor, Priority.ASKED)
        self._queue.ring()
        return count

    async def _ask_for(
        self, connection: AsyncConnection, found: Mapping[str, str | None], actor: str, priority: Priority
    ) -> int:
        """A job for each of these cameras, with its site, that has none."""
        jobs = [
            NewJob(KIND, actor, camera=camera, site=site, key=f"{KIND}:{camera}", priority=priority)
            for camera, site in found.items()
        ]
        return len(await self._queue.enqueue_in(connection, jobs))

    async def approve(
        self, camera: str, actor: str, *, condition: Condition | None = None, picture: str | None = None
    ) -> Condition:
        """Say that a camera looks right; needs the operator role. The light it is approved for.

        `picture` is the digest of the one that was seen; without it a new burst is taken. Raises NotFound, Invalid for
        a view that has nothing to compare, and `cameras.errors`.
        """
        row = await picture_rows.camera(self._store, camera)
        name = clean_text(actor, 80)
        if not name:
            raise Invalid("a reference view is approved by a named person")
        if picture is None:
            taken = await take(await self._access_to(row), self._decoder, self._pace)
            burst, stream = taken.burst, taken.stream
        else:
            burst, stream = (await self._decoder.picture(await self.picture(picture)),), ""
        now = self._store.now()
        view = await asyncio.to_thread(
            lambda: build(
                [burst],
                condition=condition or condition_of(look_at(median_of(burst))),
                approved_by=name,
                approved_at=now,
                camera=camera,
                stream=stream,
            )
        )
        if not view.is_assessable:
            raise Invalid(
                f"only {view.assessable_share:.0%} of this view has enough texture to be compared; turn the camera to "
                "something with edges, or add light"
            )
        await self._keep_reference(view, now)
        return view.condition

    async def mute(self, camera: str, until: datetime | None, reason: str) -> None:
        """Planned work: until then nothing is raised for this camera; `None` ends it. Needs the operator role."""
        await picture_rows.camera(self._store, camera)
        values = {"muted_until": until, "mute_reason": clean_text(reason, 300) or None}
        async with self._store.write() as connection:
            await picture_rows.change_watch(connection, camera, values)

    async def wall(
        self,
        wanted: WallFilter | None = None,
        after: str | None = None,
        limit: int = MOST_AT_ONCE,
        scope: Scope = EVERYWHERE,
    ) -> Page[Tile]:
        """The newest picture of each camera with its age; those with a fault first."""
        return await page_of(self._store, wanted, after, limit, scope)

    async def names(self, cameras: Collection[str]) -> dict[str, str]:
        """What these are called, or their address."""
        return await picture_rows.names(self._store, cameras)

    async def summary(self, scope: Scope = EVERYWHERE) -> PictureSummary:
        return await picture_rows.summary(self._store, scope)

    async def tile(self, camera: str) -> Tile:
        """Raises NotFound."""
        return (await self.compare(camera)).tile

    async def compare(self, camera: str) -> Comparison:
        """A camera's newest picture beside its approved views. Raises NotFound."""
        tile = await picture_rows.tile(self._store, camera)
        if tile is None:
            raise NotFound("there is no such camera")
        rows = await picture_rows.references(self._store, camera)
        views = [picture_rows.reference_view(row) for row in rows.values()]
        return Comparison(tile, tuple(sorted(views, key=lambda view: view.condition != tile.condition)))

    async def picture(self, digest: str) -> bytes:
        """A kept picture, JPEG. Raises NotFound."""
        return await asyncio.to_thread(self._evidence.read, digest)

    async def history(self, camera: str, *, limit: int = 50, after: str | None = None) -> list[CheckView]:
        """The newest first."""
        return await picture_rows.history(self._store, camera, max(1, min(limit, 500)), after)

    async def earlier(self, camera: str, *, limit: int = 50) -> tuple[Rollup, ...]:
        """What is left of looks that are not kept one by one any more, the newest first."""
        return await picture_rollups.of_camera(self._store, camera, max(1, min(limit, 500)))

    async def incidents(
        self, *, open_only: bool = True, limit: int = 100, scope: Scope = EVERYWHERE
    ) -> list[IncidentView]:
        most = max(1, min(limit, 500))
        return await picture_incidents.listed(self._store, open_only=open_only, limit=most, scope=scope)

    # --- by the clock ---

    async def ask_for_due(self, limit: int = MOST_DUE_AT_ONCE) -> int:
        """Make jobs of the checks that are due by now; how many. Cameras that are new are due at once."""
        new = await picture_rows.watch_new_cameras(self._store)
        now = self._store.now()
        if not new and await due.nothing(self._store, due.PICTURES, now):
            return 0
        async with self._store.write() as connection:
            cameras = [*new, *await due.take(connection, due.PICTURES, now, limit)]
            found = await picture_rows.sites_of(connection, list(dict.fromkeys(cameras)))
            count = await self._ask_for(connection, found, SCHEDULE, Priority.CLOCK)
        self._queue.ring()
        return count

    async def prune(self) -> int:
        """Forget pictures that were kept for long enough; how many."""
        kept = timedelta(days=self._settings.picture_days)
        digests = await picture_rows.forget_old_evidence(self._store, kept, _MOST_PICTURES_KEPT)
        for digest in digests:
            await asyncio.to_thread(self._evidence.drop, digest)
        return len(digests)

    async def _step(self, turn: Turn) -> Next:
        if turn.job.camera is None:
            return Failed("it names no camera", final=True)
        view = await self._check_in_turn(turn.job.camera, counts=True)
        return Done(", ".join((view.verdict, *view.faults)))

    # --- one check ---

    async def _check(self, camera: str, *, counts: bool) -> CheckView:
        row = await picture_rows.camera(self._store, camera)
        seen = await self._look(row)
        digest = await asyncio.to_thread(self._evidence.keep, seen.coded) if seen.coded else None
        now = self._store.now()
        values = _check_values(camera, now, seen, digest)
        async with self._store.write() as connection:
            before = await picture_rows.watch(connection, camera)
            followed, changes = _follow(before, seen, now, counts=counts)
            if digest and seen.coded:
                await picture_rows.remember_evidence(connection, digest, "picture", now, len(seen.coded))
            await picture_rows.add_check(connection, values)
            await picture_rows.change_watch(connection, camera, _watch_values(values, followed))
            if before is None or before.checked_at is None:  # it was due for being new
                await due.forget(connection, due.PICTURES, camera)
            if series.wants_a_second_look(followed):
                soon = now + SECOND_LOOK * self._chance.uniform(0.9, 1.1)
                await due.put(connection, due.PICTURES, camera, soon)
            where = Where(camera, row.name or row.address, picture_incidents.place_of(row.site, row.address))
            await picture_incidents.apply(connection, where, changes, self._channels, now)
        return CheckView(**values)

    async def _look(self, row: picture_rows.AnyRow) -> _Seen:
        try:
            access = await self._access_to(row)
        except FleetError as error:  # nobody gave a login, or its password is just being changed
            return _Seen(None, None, clean_text(str(error), 300), None, tried=False)
        try:
            taken = await take(access, self._decoder, self._pace)
        except DeviceError as error:
            return _Seen(None, None, f"{type(error).__name__}: {clean_text(str(error), 300)}", None)
        now = self._store.now()
        references = await self._references(row.id)
        good = await picture_rows.good_conditions(self._store, row.id, now - _HISTORY)
        likely = plausible(good, now)
        checked, coded = await asyncio.to_thread(_judged, references, taken, likely)
        return _Seen(taken, checked, checked.reason, coded)

    async def _references(self, camera: str) -> Mapping[Condition, Reference]:
        found = {}
        for condition, row in (await picture_rows.references(self._store, camera)).items():
            if row.evidence not in self._held:
                if len(self._held) >= _MOST_REFERENCES_HELD:
                    self._held.pop(next(iter(self._held)))
                body = await asyncio.to_thread(self._evidence.read, row.evidence)
                self._held[row.evidence] = await asyncio.to_thread(from_bytes, body)
            found[condition] = self._held[row.evidence]
        return found

    async def _keep_reference(self, view: Reference, now: datetime) -> None:
        body, picture = await asyncio.to_thread(lambda: (to_bytes(view), _jpeg(view.picture)))
        digest = await asyncio.to_thread(self._evidence.keep, body)
        shown = await asyncio.to_thread(self._evidence.keep, picture)
        row: dict[str, Any] = {"id": new_id(), "camera": view.camera, "condition": view.condition.value}
        row |= {"evidence": digest, "picture": shown, "approved_by": view.approved_by, "approved_at": now}
        async with self._store.write() as connection:
            await picture_rows.remember_evidence(connection, digest, "reference", now, len(body))
            await picture_rows.remember_evidence(connection, shown, "reference", now, len(picture))
            await connection.execute(insert(ReferenceView), [row])
            # What was usual against the old view says nothing of the new one.
            before = await picture_rows.watch(connection, view.camera)
            if before is not None:
                kept = replace(series.from_plain(before.series), usual={})
                await picture_rows.change_watch(connection, view.camera, {"series": series.to_plain(kept)})
                await due.put(connection, due.PICTURES, view.camera, now)


def _judged(
    references: Mapping[Condition, Reference], taken: Taken, likely: frozenset[Condition]
) -> tuple[Checked, bytes]:
    """And the picture that is kept: at the working size, the last of the burst. Blocks."""
    checked = check(references, taken.burst, spans_s=taken.spans_s, plausible=likely)
    return checked, _jpeg(taken.burst[-1])


def _jpeg(picture: Picture) -> bytes:
    _, coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return np.asarray(coded, np.uint8).tobytes()


def _check_values(camera: str, now: datetime, seen: _Seen, digest: str | None) -> dict[str, Any]:
    checked = seen.checked
    faults = {
        found.fault.value: {"confidence": found.confidence, "evidence": dict(found.evidence)}
        for found in (checked.faults if checked else ())
    }
    figures = seen.taken.figures if seen.taken else None
    return {
        "id": new_id(),
        "camera": camera,
        "at": now,
        "verdict": (checked.verdict if checked else Health.UNKNOWN).value,
        "condition": checked.condition.value if checked else None,
        "faults": faults,
        "reason": seen.reason,
        "picture": digest,
        "stream": asdict(figures) if figures else {},
    }


def _watch_values(values: Mapping[str, Any], followed: series.Series) -> dict[str, Any]:
    """What the wall shows. A camera that gave no picture keeps its last one, with its age."""
    shown = {name: values[name] for name in ("verdict", "condition", "reason")}
    shown |= {"series": series.to_plain(followed), "checked_at": values["at"], "faults": sorted(values["faults"])}
    if values["picture"]:
        shown |= {"picture": values["picture"], "picture_at": values["at"]}
    return shown


def _follow(
    before: picture_rows.AnyRow | None, seen: _Seen, now: datetime, *, counts: bool
) -> tuple[series.Series, Sequence[series.Change]]:
    """While work is planned, nothing is counted either way. No picture at all is a fault of its own."""
    followed = series.from_plain(before.series) if before is not None else series.Series()
    muted = before is not None and before.muted_until is not None and before.muted_until > now
    if muted or not counts or not seen.tried:
        return followed, ()
    reading = seen.checked.reading(now) if seen.checked else None
    if reading is None:
        silent = seen.taken is None
        shown = frozenset({series.NO_PICTURE}) if silent else frozenset[str]()
        reading = series.Reading(now, "any", {series.NO_PICTURE: 1.0 if silent else -1.0}, shown)
    else:
        reading = replace(reading, levels={**reading.levels, series.NO_PICTURE: -1.0})
    return series.follow(followed, reading)

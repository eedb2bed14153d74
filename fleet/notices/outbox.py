"""The outbox: written down with what it tells of, sent later, at least once, and never forgotten by a crash.

    pending ──► sending ──► sent
       ▲           │
       └───────────┴─► failed (after the last try)        pending ──► withdrawn (nobody needs it any more)

A process that dies while it sends leaves "sending" behind: nobody knows whether it arrived, so it is sent again, with
the same id. A recovery is sent only after its outage was.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.untrusted import clean_text
from fleet.errors import StoreUnavailable
from fleet.notices.outgoing import Channel, Kind, NotSent, Outgoing
from fleet.store import Store
from fleet.store.ids import new_id
from fleet.store.outages import outlast_outages
from fleet.store.pictures_tables import Notice

TICK_S = 1.0
MOST_TRIES = 8
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
_AT_ONCE = 50
_log = logging.getLogger(__name__)
AnyRow = Row[*tuple[Any, ...]]


async def tell(
    connection: AsyncConnection,
    about: str,
    kind: Kind,
    content: Mapping[str, str],
    *,
    channels: Sequence[str],
    now: datetime,
    after: timedelta = timedelta(0),
) -> None:
    """Write a notice down, one row for each channel, inside the transaction of what it tells of."""
    rows = [
        {"id": new_id(), "about": about, "kind": kind, "channel": channel, "state": "pending", "tries": 0}
        | {"created_at": now, "next_at": now + after, "sent_at": None, "content": dict(content), "error": None}
        for channel in channels
    ]
    if rows:
        await connection.execute(insert(Notice), rows)


async def tell_recovery(connection: AsyncConnection, about: str, content: Mapping[str, str], now: datetime) -> None:
    """It is over. Whoever was told of it is told; an outage that nobody was told of yet is taken back instead."""
    outages = (Notice.about == about, Notice.kind == "outage")
    never_tried = (Notice.state == "pending", Notice.tries == 0)
    await connection.execute(update(Notice).where(*outages, *never_tried).values(state="withdrawn"))
    maybe_told = Notice.state.in_(("sent", "sending", "pending"))
    told = (await connection.execute(select(Notice.channel).where(*outages, maybe_told))).scalars().all()
    await tell(connection, about, "recovery", content, channels=sorted(set(told)), now=now)


async def withdraw(connection: AsyncConnection, abouts: Sequence[str]) -> None:
    """Take back what has not been tried yet: another notice says it."""
    waiting = (Notice.about.in_(abouts), Notice.state == "pending", Notice.tries == 0)
    await connection.execute(update(Notice).where(*waiting).values(state="withdrawn"))


class Outbox:
    """`async with Outbox(store, channels) as outbox`: sends in the background what is due."""

    def __init__(self, store: Store, channels: Sequence[Channel]) -> None:
        self._store = store
        self._channels = {channel.name: channel for channel in channels}
        self._task: asyncio.Task[None] | None = None

    @property
    def channels(self) -> tuple[str, ...]:
        return tuple(self._channels)

    async def __aenter__(self) -> Self:
        async with self._store.write() as connection:
            left = update(Notice).where(Notice.state == "sending")
            await connection.execute(left.values(state="pending", next_at=self._store.now()))
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        outlast_outages()
        while True:
            try:
                await self.send_due()
            except StoreUnavailable:
                _log.exception("the outbox cannot be read or written")
            await asyncio.sleep(TICK_S)

    async def send_due(self) -> int:
        """Send what is due, one after the other; how many were taken by the other side."""
        due = (Notice.state == "pending", Notice.next_at <= self._store.now())
        async with self._store.read() as connection:
            query = select(Notice).where(*due).order_by(Notice.id).limit(_AT_ONCE)
            rows = (await connection.execute(query)).all()
        return sum([await self._send(row) for row in rows])

    async def _send(self, row: AnyRow) -> bool:
        channel = self._channels.get(row.channel)
        if channel is None:
            await self._note(row, state="failed", error="this way of sending is not configured any more")
            return False
        if row.kind == "recovery" and not await self._outage_was_sent(row):
            return False
        await self._note(row, state="sending", tries=row.tries + 1)
        try:
            await channel.send(Outgoing(row.id, row.kind, row.created_at, row.content))
        except NotSent as error:
            await self._not_sent(row, clean_text(str(error), 500))
            return False
        except Exception as error:  # noqa: BLE001 - the boundary of one notice: the others must still leave
            _log.exception("a notice could not be sent", extra={"notice": row.id, "channel": row.channel})
            await self._not_sent(row, f"a fault of ours ({type(error).__name__}); see the log")
            return False
        await self._note(row, state="sent", sent_at=self._store.now(), error=None)
        return True

    async def _outage_was_sent(self, row: AnyRow) -> bool:
        """Where that is still open, the recovery waits for it; where it failed, nobody needs to be told."""
        outage = (Notice.about == row.about, Notice.kind == "outage", Notice.channel == row.channel)
        async with self._store.read() as connection:
            query = select(Notice.state).where(*outage).order_by(Notice.id.desc()).limit(1)
            state = (await connection.execute(query)).scalar_one_or_none()
        if state in {"pending", "sending"}:
            await self._note(row, next_at=self._store.now() + FIRST_WAIT)
        elif state != "sent":
            await self._note(row, state="withdrawn")
        return state == "sent"

    async def _not_sent(self, row: AnyRow, why: str) -> None:
        if row.tries + 1 >= MOST_TRIES:
            await self._note(row, state="failed", error=why)
            return
        wait = min(FIRST_WAIT * 2**row.tries, LONGEST_WAIT)
        await self._note(row, state="pending", next_at=self._store.now() + wait, error=why)

    async def _note(self, row: AnyRow, **values: object) -> None:
        async with self._store.write() as connection:
            await connection.execute(update(Notice).where(Notice.id == row.id).values(**values))

"""Is the audit trail whole? Every entry follows on the one before, and what checkpoints saw is still there."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select

from fleet.audit.chain import FIRST_PREVIOUS, ChainKey, Row
from fleet.audit.checkpoints import Checkpoint
from fleet.audit.keys import keys
from fleet.audit.views import one_entry, trail
from fleet.errors import Invalid
from fleet.store import Store
from fleet.store.audit_tables import AuditRow


@dataclass(frozen=True, slots=True)
class Fault:
    """The first entry that is wrong, and what is wrong there."""

    seq: int
    what: str


@dataclass(frozen=True, slots=True)
class Checked:
    """`beyond` entries are younger than the newest checkpoint: nothing but the chain speaks for them."""

    entries: int
    checkpoints: int
    beyond: int
    fault: Fault | None

    @property
    def whole(self) -> bool:
        return self.fault is None


@dataclass(slots=True)
class Follower:
    """Goes along the chain, one entry after the other, and stops at the first fault. Pure."""

    keys: Mapping[str, ChainKey]
    known: Mapping[int, Sequence[Checkpoint]] = field(default_factory=dict)
    seq: int = 0
    mac: str = FIRST_PREVIOUS

    def follow(self, rows: Sequence[Row]) -> Fault | None:
        return next((fault for row in rows if (fault := self._next(row))), None)

    def _next(self, row: Row) -> Fault | None:
        expected = self.seq + 1
        if row.seq < expected:
            return Fault(row.seq, "it was put in: the trail begins with 1")
        if row.seq > expected:
            which = f"entry {expected} is" if row.seq == expected + 1 else f"entries {expected} to {row.seq - 1} are"
            return Fault(expected, f"{which} missing: taken out, or moved")
        if (key := self.keys.get(row.key_id)) is None:
            return Fault(row.seq, f"it was made with a key that is not known here ({row.key_id[:16]})")
        if not key.fits(row):
            return Fault(row.seq, "it is not as it was written: edited, moved, or put in")
        if row.previous != self.mac:
            return Fault(row.seq, "it does not follow on the entry before, which was written anew")
        self.seq, self.mac = row.seq, row.mac
        return next((fault for one in self.known.get(row.seq, ()) if (fault := _against(row, one))), None)

    def at_the_end(self) -> Fault | None:
        beyond = sorted(seq for seq in self.known if seq > self.seq)
        if not beyond:
            return None
        first = self.known[beyond[-1]][0]
        return Fault(self.seq + 1, f"the end was cut off: a checkpoint of {first.at} knows entries up to {first.seq}")


def _against(row: Row, checkpoint: Checkpoint) -> Fault | None:
    if row.mac == checkpoint.mac:
        return None
    return Fault(row.seq, f"a checkpoint of {checkpoint.at} saw another entry there: up to it the trail was rewritten")


async def check(
    store: Store,
    checkpoints: Sequence[Checkpoint] = (),
    *,
    trusted: frozenset[str] = frozenset(),
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Checked:
    """From the first entry to the newest; the memory does not grow with the trail. Others go on writing meanwhile.

    `trusted` are the fingerprints whose checkpoints count. Raises StoreUnavailable, VaultUnavailable, and Invalid for a
    checkpoint that is none.
    """
    known = await asyncio.to_thread(_usable, checkpoints, trusted)
    async with store.read() as connection:
        chain_keys = await keys(connection)
        total = int(await connection.scalar(select(func.count()).select_from(AuditRow)) or 0)
    follower = Follower(chain_keys, known)
    fault = None
    async for rows, broken in _read(store):
        fault = await asyncio.to_thread(follower.follow, rows) or broken
        progress(follower.seq, total)
        if fault:
            break
    fault = fault or follower.at_the_end()
    beyond = follower.seq - max((seq for seq in known if seq <= follower.seq), default=0)
    return Checked(follower.seq, len(checkpoints), beyond, fault)


async def _read(store: Store) -> AsyncIterator[tuple[Sequence[Row], Fault | None]]:
    """Some entries at a time. Where some cannot even be read, those before, and the first that cannot."""
    last = 0
    try:
        async for rows in trail(store):
            yield rows, None
            last = rows[-1].seq
    except (ValueError, TypeError):
        while True:
            last += 1
            try:
                row = await one_entry(store, last)
            except (ValueError, TypeError):
                yield (), Fault(last, "it is not as it was written: it cannot even be read")
                return
            if row is None:
                return
            yield (row,), None


def _usable(checkpoints: Sequence[Checkpoint], trusted: frozenset[str]) -> dict[int, list[Checkpoint]]:
    known: dict[int, list[Checkpoint]] = defaultdict(list)
    for one in checkpoints:
        try:
            one.check(trusted)
        except Invalid as error:
            raise Invalid(f"the checkpoint of entry {one.seq} cannot be used: {error}") from None
        known[one.seq].append(one)
    return dict(known)

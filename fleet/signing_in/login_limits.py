"""How often somebody may try to prove who they are: per name and per source, counted in the store, which must answer.

The password and the second step are counted apart: whoever knows the one is not let through to guess the other.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

from cameras.untrusted import clean_text
from fleet.errors import TooManyTries
from fleet.store import Store
from fleet.store import tables as t
from fleet.store.ids import new_id

WINDOW = timedelta(minutes=15)
PER_NAME = 10
PER_SOURCE = 30
# A code has six digits only, and few are wrong by accident.
PER_SECOND_STEP = 5
_KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Try:
    """One try, counted as wrong until `worked` is called."""

    name_hash: str
    source: str


async def spend_second_step(store: Store, person: str, source: str) -> Try:
    """As `spend`, for a second factor of that person. No name that is typed begins with the end of a line."""
    return await spend(store, f"\nsecond step of {person}", source, per_name=PER_SECOND_STEP)


async def spend(store: Store, name: str, source: str, *, per_name: int = PER_NAME) -> Try:
    """Count a try before it is made. Raises TooManyTries, or StoreUnavailable: no count, no try."""
    now = store.now()
    this = Try(hashlib.sha256(name.encode("utf-8", "replace")).hexdigest(), _place(source))
    limits = ((t.LoginAttempt.name_hash, this.name_hash, per_name), (t.LoginAttempt.source, this.source, PER_SOURCE))
    async with store.write() as connection:
        for column, value, most in limits:
            if wait := await _wait_s(connection, column, value, most, now):
                raise TooManyTries(wait)
        row = {"id": new_id(), "name_hash": this.name_hash, "source": this.source, "at": now, "worked": False}
        await connection.execute(delete(t.LoginAttempt).where(t.LoginAttempt.at < now - _KEPT))
        await connection.execute(insert(t.LoginAttempt), [row])
    return this


async def worked(connection: AsyncConnection, this: Try) -> None:
    """The password was right: the tries from there for that name no longer count. Those from elsewhere still do."""
    same = (t.LoginAttempt.name_hash == this.name_hash, t.LoginAttempt.source == this.source)
    await connection.execute(update(t.LoginAttempt).where(*same).values(worked=True))


async def _wait_s(
    connection: AsyncConnection, column: InstrumentedAttribute[str], value: str, most: int, now: datetime
) -> int:
    """Seconds until the limit allows another try, 0 when it does now."""
    recent = (column == value, t.LoginAttempt.worked.is_(False), t.LoginAttempt.at > now - WINDOW)
    newest_that_count = select(t.LoginAttempt.at).where(*recent).order_by(t.LoginAttempt.at.desc()).limit(most)
    tries = (await connection.execute(newest_that_count)).scalars().all()
    return 0 if len(tries) < most else max(1, int((tries[-1] + WINDOW - now).total_seconds()))


def _place(source: str) -> str:
    """The address; of IPv6 the network of 64 bits, since whoever has one address there has them all."""
    try:
        address = ip_address(source)
    except ValueError:
        return clean_text(source, 64)
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or IPv6Address(int(address) >> 64 << 64)
    return str(address)

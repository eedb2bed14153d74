"""A request that starts work and is sent twice starts it once (`Idempotency-Key`)."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlalchemy import delete, insert, select, update

from fleet.errors import Busy, Invalid
from fleet.store import Store
from fleet.store import access_tables as t

KEPT = timedelta(days=1)
MOST_KEY = 200


async def once(store: Store, actor: str, key: str, request: bytes, start: Callable[[], Awaitable[str]]) -> str:
    """The id of what `start` made, or made when the same request came with the same key before.

    Kept for a day. Raises Invalid where the key came with another request, Busy while the first one is under way.
    """
    if len(key) > MOST_KEY or not key.isprintable():
        raise Invalid(f"an Idempotency-Key has at most {MOST_KEY} printable characters")
    digest = hashlib.sha256(request).hexdigest()
    earlier = await _claim(store, actor, key, digest)
    if earlier is not None:
        return earlier
    mine = (t.IdempotencyKey.actor == actor, t.IdempotencyKey.key == key)
    try:
        made = await start()
    except BaseException:
        async with store.write() as connection:
            await connection.execute(delete(t.IdempotencyKey).where(*mine))
        raise
    async with store.write() as connection:
        await connection.execute(update(t.IdempotencyKey).where(*mine).values(made=made))
    return made


async def _claim(store: Store, actor: str, key: str, digest: str) -> str | None:
    """What an earlier request made; `None` where this is the first, which then is written down."""
    now = store.now()
    row = {"actor": actor, "key": key, "request_hash": digest, "made": None, "at": now}
    async with store.write() as connection:
        await connection.execute(delete(t.IdempotencyKey).where(t.IdempotencyKey.at < now - KEPT))
        known = select(t.IdempotencyKey.request_hash, t.IdempotencyKey.made).where(
            t.IdempotencyKey.actor == actor, t.IdempotencyKey.key == key
        )
        found = (await connection.execute(known)).first()
        if found is None:
            await connection.execute(insert(t.IdempotencyKey).values(row))
            return None
    if found.request_hash != digest:
        raise Invalid("this Idempotency-Key came with another request before; take a new one")
    if found.made is None:
        raise Busy("the first request with this Idempotency-Key is still under way; ask again in a moment")
    return str(found.made)

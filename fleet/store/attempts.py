"""The attempt budget outlives the process: a restart must not give a camera's lock-out counter new tries."""

from datetime import timedelta
from typing import Literal, cast

from sqlalchemy import delete, insert, select

from cameras.budget import WINDOW, Attempt
from cameras.untrusted import clean_text
from fleet.store import tables as t
from fleet.store.engine import Store
from fleet.store.ids import new_id

KEPT = timedelta(days=1)


async def load(store: Store) -> list[Attempt]:
    """What was spent within the budget's window, for `AttemptBudget(earlier=...)`."""
    since = store.now() - WINDOW
    columns = (t.SpentAttempt.camera, t.SpentAttempt.account, t.SpentAttempt.at, t.SpentAttempt.outcome)
    async with store.read() as connection:
        rows = (await connection.execute(select(*columns).where(t.SpentAttempt.at > since))).all()
    return [
        Attempt(camera, account, at, cast("Literal['wrong', 'locked']", outcome))
        for camera, account, at, outcome in rows
    ]


async def record(store: Store, attempt: Attempt) -> None:
    """Keep one spent try; those of yesterday are forgotten. Raises StoreUnavailable."""
    row = {"id": new_id(), "camera": clean_text(attempt.camera), "account": clean_text(attempt.account)}
    async with store.write() as connection:
        await connection.execute(insert(t.SpentAttempt), [row | {"at": attempt.at, "outcome": attempt.outcome}])
        await connection.execute(delete(t.SpentAttempt).where(t.SpentAttempt.at < store.now() - KEPT))

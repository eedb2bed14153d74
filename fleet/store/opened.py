"""What an opened database is to the store, whichever engine keeps it."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncEngine

from fleet.errors import FleetError

# How a transaction writes, as an execution option: what to write to disk before it counts as kept.
WRITING = "camwarden_writing"


class Closing(Protocol):
    """A connection of the driver."""

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Opened:
    """Engines over one pool: each begins its transactions in its own way.

    `claiming` writes without waiting for other writers; `None` where there is one writer anyway. `connections` are
    all that are open, also those that the pool has forgotten.
    """

    reading: AsyncEngine
    writing: AsyncEngine
    durable: AsyncEngine
    claiming: AsyncEngine | None
    connections: AbstractSet[Closing]
    explain: Callable[[str, Exception], FleetError]

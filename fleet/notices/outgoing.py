"""A notice as it leaves, whatever way it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

# An alert is over when it was said: no recovery follows it.
Kind = Literal["outage", "recovery", "alert"]


class NotSent(Exception):
    """The other side did not take it. The text is fit to be shown and carries no secret."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """`id` is the same each time it is sent: what arrives twice can be told by it."""

    id: str
    kind: Kind
    created_at: datetime
    content: Mapping[str, str]


class Channel(Protocol):
    """One way out. `send` returns when the other side has taken the notice, and raises NotSent otherwise."""

    @property
    def name(self) -> str: ...

    async def send(self, notice: Outgoing) -> None: ...

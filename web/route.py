"""A row of the table of addresses, and what each says of itself."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fleet.audit.trail import Action
from fleet.people.permissions import Permission

JSON = "application/json"
EVENTS = "text/event-stream"
Handler = Callable[..., Any]


class Proof(StrEnum):
    """Where a changing request carries the token that shows it was meant."""

    FIELD = "csrf"
    HEADER = "x-csrf-token"


@dataclass(frozen=True, slots=True)
class Route:
    """`proof` and `action` are `None` only where the method changes nothing. `takes_photo` lets a larger body in.

    `action` is what the audit trail calls it.
    `whole`: it reads what cannot be shown in part, so that all cameras in it must be the visitor's.
    `proved`: a person must have shown within ten minutes who they are; a machine's token is enough.

    Of the API alone: `status` is that of an answer that went well, `once` that an `Idempotency-Key` is heeded, `media`
    what it answers with, and `person` that it is about who asks, which a machine cannot.
    """

    path: str
    method: str
    handler: Handler
    permission: Permission
    proof: Proof | None = None
    action: Action | None = None
    takes_photo: bool = False
    whole: bool = False
    proved: bool = False
    status: int = 200
    once: bool = False
    media: tuple[str, ...] = (JSON,)
    person: bool = False

    @property
    def is_api(self) -> bool:
        return self.path.startswith("/api/")

"""The vault by the REST API: which passwords it holds; one of them, once, for somebody who says why."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from fleet import paging
from fleet.people.permissions import Permission
from fleet.vault.views import AccountView, accounts, versions
from fleet.views import Page
from web.api_words import After, Body, Limit
from web.visit import Visited


class Why(Body):
    """`reason` goes into the audit trail and to whoever is told."""

    account: Annotated[str, Field(min_length=1, max_length=200)]
    version: Annotated[int, Field(ge=1, le=1_000_000_000)]
    reason: Annotated[str, Field(max_length=500)]


@dataclass(frozen=True, slots=True)
class Revealed:
    """The one answer that holds a password; nothing on its way keeps it."""

    camera: str
    account: str
    version: int
    password: str


async def listed(visit: Visited, *, after: After = None, limit: Limit = 50) -> Page[AccountView]:
    """Accounts with a present password, by camera; never a password."""
    return await accounts(visit.store, after=after, limit=limit, scope=visit.scope(Permission.REVEAL))


async def of_camera(visit: Visited, camera: str, *, after: After = None, limit: Limit = 50) -> Page[AccountView]:
    """All versions that are kept of one camera, by account, the newest first; never a password."""
    return paging.in_order(await versions(visit.store, camera), after, limit)


async def reveal(visit: Visited, camera: str, why: Why) -> Revealed:
    """First it is written down who asked and why, and told; no line, no password. A token reveals nothing."""
    channels = visit.service.outbox.channels
    secret = await visit.service.vault.reveal(
        camera, why.account, why.version, visit.name, why.reason, channels=channels
    )
    return Revealed(camera, why.account, why.version, secret.reveal())

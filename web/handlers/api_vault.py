"""The vault by the REST API: which passwords it holds; one of them, once, for somebody who says why."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from cameras.secret import Credential, Secret
from fleet import paging
from fleet.people.permissions import Permission
from fleet.vault import logins
from fleet.vault.logins import Wanting
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


class NewLogin(Body):
    """`then`: which of the cameras without a login are asked next, by jobs: those of the same make, all, or none."""

    account: Annotated[str, Field(min_length=1, max_length=200)]
    password: Annotated[str, Field(max_length=1000)]
    then: Literal["make", "all", "none"] = "none"


@dataclass(frozen=True, slots=True)
class Tried:
    """`offered`: how many others are asked, by jobs of the kind "login"."""

    camera: str
    account: str
    offered: int


async def listed(visit: Visited, *, after: After = None, limit: Limit = 50) -> Page[AccountView]:
    """Accounts with a present password, by camera; never a password."""
    return await accounts(visit.store, after=after, limit=limit, scope=visit.scope(Permission.REVEAL))


async def of_camera(visit: Visited, camera: str, *, after: After = None, limit: Limit = 50) -> Page[AccountView]:
    """All versions that are kept of one camera, by account, the newest first; never a password."""
    return paging.in_order(await versions(visit.store, camera), after, limit)


async def wanting(visit: Visited, *, after: After = None, limit: Limit = 50) -> Page[Wanting]:
    """Adopted cameras for which the vault holds no login, by make and address."""
    return paging.in_order(await logins.wanting(visit.store, visit.scope(Permission.ADMINISTER)), after, limit)


async def try_login(visit: Visited, camera: str, new: NewLogin) -> Tried:
    """One try on this camera, now; where it is let in, the vault keeps the login and it is ours from then on.

    What is refused is kept nowhere, and no other camera is asked.
    """
    scope = visit.scope(Permission.ADMINISTER)
    credential = Credential(new.account.strip(), Secret(new.password))
    await visit.service.logins.try_first(camera, credential, visit.name, scope)
    if new.then == "none":
        return Tried(camera, credential.username, 0)
    others = await logins.wanting(visit.store, scope, like=camera if new.then == "make" else None)
    wanted = [one.camera for one in others]
    return Tried(
        camera, credential.username, await visit.service.logins.offer(camera, credential.username, wanted, visit.name)
    )


async def reveal(visit: Visited, camera: str, why: Why) -> Revealed:
    """First it is written down who asked and why, and told; no line, no password. A token reveals nothing."""
    channels = visit.service.outbox.channels
    secret = await visit.service.vault.reveal(
        camera, why.account, why.version, visit.name, why.reason, channels=channels
    )
    return Revealed(camera, why.account, why.version, secret.reveal())

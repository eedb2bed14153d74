"""Between two steps of a proof: a random token for one purpose and a few minutes, which is no session."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.secret import Secret
from fleet.errors import BeginAgain
from fleet.people.passwords import token_hash
from fleet.store.factor_tables import PendingStep

_TOKEN_BYTES = 32
# Strangers may begin a single sign-on: so many at most are remembered.
MOST_OF_STRANGERS = 1000


class Purpose(StrEnum):
    """What the next step is, and nothing else."""

    SECOND_STEP = "second step"
    ENROL = "enrol"
    NEW_KEY = "new key"
    USE_KEY = "use key"
    SINGLE_SIGN_ON = "single sign-on"


LASTS: Mapping[Purpose, timedelta] = MappingProxyType(
    {
        Purpose.SECOND_STEP: timedelta(minutes=5),
        Purpose.ENROL: timedelta(minutes=15),
        Purpose.NEW_KEY: timedelta(minutes=5),
        Purpose.USE_KEY: timedelta(minutes=5),
        Purpose.SINGLE_SIGN_ON: timedelta(minutes=10),
    }
)


@dataclass(frozen=True, slots=True)
class Step:
    """`person` is "" where nobody is known yet."""

    person: str
    content: Mapping[str, Any]


async def begin(
    connection: AsyncConnection,
    purpose: Purpose,
    now: datetime,
    person: str = "",
    content: Mapping[str, Any] = MappingProxyType({}),
) -> Secret:
    """The token that carries on. Old ones of everybody are forgotten."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    await connection.execute(delete(PendingStep).where(PendingStep.made_at <= now - max(LASTS.values())))
    if not person:
        newest = select(PendingStep.token_hash).where(PendingStep.person.is_(None))
        kept = newest.order_by(PendingStep.made_at.desc()).limit(MOST_OF_STRANGERS - 1)
        of_strangers = (PendingStep.person.is_(None), PendingStep.token_hash.not_in(kept))
        await connection.execute(delete(PendingStep).where(*of_strangers))
    row = {"token_hash": token_hash(token), "purpose": purpose.value, "person": person or None}
    await connection.execute(insert(PendingStep), [row | {"content": dict(content), "made_at": now}])
    return Secret(token)


async def look(connection: AsyncConnection, token: str, purpose: Purpose, now: datetime) -> Step:
    """What stands behind that token, which stays. Raises BeginAgain: too late, done already, or for another purpose."""
    wanted = (PendingStep.token_hash == token_hash(token), PendingStep.purpose == purpose.value)
    row = (await connection.execute(select(PendingStep).where(*wanted))).first()
    if row is None or now >= row.made_at + LASTS[purpose]:
        raise BeginAgain
    return Step(row.person or "", row.content)


async def take(connection: AsyncConnection, token: str, purpose: Purpose, now: datetime) -> Step:
    """As `look`, and it is used up."""
    step = await look(connection, token, purpose, now)
    await connection.execute(delete(PendingStep).where(PendingStep.token_hash == token_hash(token)))
    return step


async def forget(connection: AsyncConnection, person: str) -> None:
    """Whatever that person has begun is over."""
    await connection.execute(delete(PendingStep).where(PendingStep.person == person))

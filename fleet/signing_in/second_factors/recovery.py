"""Ten codes for the day on which every other factor is lost. Shown once; each works once."""

import re
import secrets
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.secret import Secret
from fleet.people.passwords import token_hash
from fleet.store.factor_tables import RecoveryCode

MANY = 10
_GROUPS, _IN_A_GROUP = 4, 4
# Without what is mistaken for something else on paper: 32 signs, so 80 bits in all.
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_FORM = re.compile(rf"[{_ALPHABET}]{{{_GROUPS * _IN_A_GROUP}}}")


async def renew(connection: AsyncConnection, person: str) -> tuple[Secret, ...]:
    """Ten new codes; those before no longer work."""
    codes = tuple(_drawn() for _ in range(MANY))
    await connection.execute(delete(RecoveryCode).where(RecoveryCode.person == person))
    rows = [{"code_hash": _hash(code), "person": person, "used_at": None} for code in codes]
    await connection.execute(insert(RecoveryCode), rows)
    return tuple(Secret(code) for code in codes)


async def left(connection: AsyncConnection, person: str) -> int:
    """How many still work."""
    unused = select(func.count()).select_from(RecoveryCode)
    return (
        await connection.execute(unused.where(RecoveryCode.person == person, RecoveryCode.used_at.is_(None)))
    ).scalar_one()


async def right(connection: AsyncConnection, person: str, code: str, now: datetime) -> bool:
    """Is it one that was not used? It then is."""
    mine = (RecoveryCode.code_hash == _hash(code), RecoveryCode.person == person, RecoveryCode.used_at.is_(None))
    return bool((await connection.execute(update(RecoveryCode).where(*mine).values(used_at=now))).rowcount)


def looks_like_one(text: str) -> bool:
    return _FORM.fullmatch(_bare(text)) is not None


def _drawn() -> str:
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_IN_A_GROUP)) for _ in range(_GROUPS))


def _hash(code: str) -> str:
    return token_hash(_bare(code))


def _bare(text: str) -> str:
    return re.sub(r"[\s-]", "", text[:64]).lower()

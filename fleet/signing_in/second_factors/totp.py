"""Codes of an authenticator app (RFC 6238: six digits, SHA-1, half minutes). The shared secret is sealed in the vault.

A secret counts once a right code has shown that the app has it. No code works twice, nor an older one after it.
"""

import hmac
from datetime import datetime

import pyotp
from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.secret import Secret
from fleet.errors import Invalid, VaultUnavailable
from fleet.store.engine import place_of
from fleet.store.factor_tables import AppSecret
from fleet.store.ids import new_id
from fleet.vault.master_key import master_key_within
from fleet.vault.sealing import Damaged, Envelope, Owner

ISSUER = "Camwarden"
STEP_S = 30
DIGITS = 6
# Clocks of phones are a little off, and people type slowly.
_STEPS_AROUND = 1
_NEVER = -1


async def propose(connection: AsyncConnection, person: str, now: datetime) -> None:
    """A new secret, which counts for nothing yet. Raises Invalid where an app is in use: it is removed first."""
    row = await _row(connection, person)
    if row is not None and row.confirmed_at is not None:
        raise Invalid("an app is set up already; remove it first")
    key = await master_key_within(connection, place_of(connection).settings)
    record = new_id()
    envelope = key.seal_factor(Secret(pyotp.random_base32()), owner_of_secret(record, person))
    values = {"record": record, "key_id": key.id, "wrapped_key": envelope.wrapped_key, "sealed": envelope.sealed}
    await connection.execute(delete(AppSecret).where(AppSecret.person == person))
    more = {"person": person, "last_counter": _NEVER, "made_at": now, "confirmed_at": None}
    await connection.execute(insert(AppSecret), [values | more])


async def proposed(connection: AsyncConnection, person: str) -> Secret | None:
    """The secret that waits for its first code."""
    row = await _row(connection, person)
    return None if row is None or row.confirmed_at is not None else await _opened(connection, row)


def address_of(secret: Secret, name: str) -> Secret:
    """What an app reads from the picture: `otpauth://totp/…`."""
    return Secret(pyotp.TOTP(secret.reveal()).provisioning_uri(name=name, issuer_name=ISSUER))


async def confirm(connection: AsyncConnection, person: str, code: str, now: datetime) -> bool:
    """Was that the first right code? From then on the app is a factor."""
    row = await _row(connection, person)
    if row is None or row.confirmed_at is not None:
        return False
    return await _taken(connection, row, code, now, confirmed_at=now)


async def right(connection: AsyncConnection, person: str, code: str, now: datetime) -> bool:
    """Is it a code of this moment that was not used before? It then is."""
    row = await _row(connection, person)
    return row is not None and row.confirmed_at is not None and await _taken(connection, row, code, now)


async def _taken(
    connection: AsyncConnection, row: Row[*tuple[object, ...]], code: str, now: datetime, **more: object
) -> bool:
    totp = pyotp.TOTP((await _opened(connection, row)).reveal(), digits=DIGITS, interval=STEP_S)
    present, typed = int(now.timestamp()) // STEP_S, code.encode("utf-8", "replace")
    for counter in range(present - _STEPS_AROUND, present + _STEPS_AROUND + 1):
        if counter > row.last_counter and hmac.compare_digest(totp.generate_otp(counter).encode(), typed):
            mine = update(AppSecret).where(AppSecret.person == row.person)
            await connection.execute(mine.values(last_counter=counter, **more))
            return True
    return False


async def _row(connection: AsyncConnection, person: str) -> Row[*tuple[object, ...]] | None:
    return (await connection.execute(select(AppSecret).where(AppSecret.person == person))).first()


async def _opened(connection: AsyncConnection, row: Row[*tuple[object, ...]]) -> Secret:
    key = (await master_key_within(connection, place_of(connection).settings)).of(str(row.key_id))
    if key is not None:
        try:
            return key.unseal_factor(Envelope(row.wrapped_key, row.sealed), owner_of_secret(row.record, row.person))
        except Damaged:
            pass  # the same is to be done about it
    raise VaultUnavailable(
        "the secret of an authenticator app does not open with the key in use: put back the `key` file that belongs to "
        "this database, or take the factor away with `camwarden user reset-factors`"
    )


def owner_of_secret(record: str, person: str) -> Owner:
    return Owner(record, person, "app")

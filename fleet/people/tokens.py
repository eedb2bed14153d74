"""Keys for machines: `cw_<key>.<secret>`, each with the permissions it names, where it may use them, and an end.

The key finds the row, the secret proves the holder; only its hash is kept, and 32 random bytes need no slow hash.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from sqlalchemy import insert, select, update

from cameras.secret import Secret
from cameras.untrusted import clean_text
from fleet.audit.trail import Action, Entry, acting, record
from fleet.errors import Invalid, NotFound
from fleet.people import grants
from fleet.people import scope as places
from fleet.people.grants import Rights
from fleet.people.permissions import ESTATE_WIDE, Permission
from fleet.store import Store
from fleet.store import access_tables as t
from fleet.store.ids import new_id

MOST_DAYS = 366
# After the name of a system account that acts by `camwarden`.
AT_THE_COMMAND_LINE = " (command line)"
_MOST_NAME = 64
_MOST_ADDRESSES = 50
_FORM = re.compile(r"cw_(?P<key>[a-z0-9]{12})\.(?P<secret>[A-Za-z0-9_-]{43})")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_NOTED_EVERY = timedelta(minutes=1)


class Scope(StrEnum):
    """What a token may do; each is a permission of the same name (`fleet.people.permissions.OF_TOKENS`)."""

    READ = "read"
    SCAN = "scan"
    TRIAGE = "triage"
    PLAN = "plan"
    APPROVE = "approve"
    CHANGE = "change"
    COMMISSION = "commission"
    AUDIT = "audit"


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it may be shown.

    It is worth no more than what `person` may at the moment of use; `None` was made at the command line, for nobody.
    `sites` are names, `None` is everywhere; `addresses` are networks that it is taken from, none is any.
    """

    id: str
    key: str
    name: str
    scopes: tuple[Scope, ...]
    created_by: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None
    person: str | None
    sites: tuple[str, ...] | None
    addresses: tuple[str, ...]

    @property
    def scope(self) -> places.Scope:
        return places.EVERYWHERE if self.sites is None else places.Scope(frozenset(self.sites))


@dataclass(frozen=True, slots=True)
class Limits:
    """What holds a token down beside its scopes; as in `Token`."""

    person: str | None = None
    sites: tuple[str, ...] | None = None
    addresses: tuple[str, ...] = ()


NO_LIMITS = Limits()


def actor_of(name: str) -> str:
    """Who acts, as it is written into histories, where it is the token of that name."""
    return f"token {name}"


_COLUMNS = (
    *(t.ApiToken.id, t.ApiToken.key, t.ApiToken.name, t.ApiToken.scopes, t.ApiToken.created_by),
    *(t.ApiToken.created_at, t.ApiToken.expires_at, t.ApiToken.used_at, t.ApiToken.revoked_at),
    *(t.ApiToken.person, t.ApiToken.everywhere, t.ApiToken.sites, t.ApiToken.addresses),
)


async def create(
    store: Store, name: str, scopes: Sequence[Scope], actor: str, *, days: int, limits: Limits = NO_LIMITS
) -> tuple[Token, Secret]:
    """A new token and its text, which is shown once and cannot be had again. Raises Invalid."""
    shown = clean_text(name.strip(), _MOST_NAME)
    if not shown:
        raise Invalid("give the token a name that says who uses it")
    if not scopes:
        raise Invalid(f"name at least one scope: {', '.join(Scope)}")
    if not 1 <= days <= MOST_DAYS:
        raise Invalid(f"a token lasts from 1 to {MOST_DAYS} days")
    key = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    secret = secrets.token_urlsafe(32)
    now = store.now()
    token = Token(
        id=new_id(),
        key=key,
        name=shown,
        scopes=tuple(scope for scope in Scope if scope in scopes),
        created_by=clean_text(actor),
        created_at=now,
        expires_at=now + timedelta(days=days),
        used_at=None,
        revoked_at=None,
        person=limits.person,
        sites=None if limits.sites is None else tuple(sorted(set(limits.sites))),
        addresses=_networks(limits.addresses),
    )
    row = {
        **{column.name: getattr(token, column.name) for column in _COLUMNS if column.name != "everywhere"},
        "scopes": [str(scope) for scope in token.scopes],
        "everywhere": token.sites is None,
        "sites": list(token.sites or ()),
        "addresses": list(token.addresses),
        "secret_hash": _digest(secret),
    }
    made = {"name": shown, "scopes": row["scopes"], "days": days, "person": token.person}
    made |= {"sites": "everywhere" if token.sites is None else list(token.sites), "addresses": row["addresses"]}
    async with store.write() as connection:
        if token.sites is not None:
            await grants.known_sites(connection, token.sites)
        await connection.execute(insert(t.ApiToken), [row])
        await record(connection, Entry(token.created_by, Action.TOKEN_CREATE, f"token:{token.id}", made))
    return token, Secret(f"cw_{key}.{secret}")


def _networks(words: Sequence[str]) -> tuple[str, ...]:
    """In their shortest form. Raises Invalid."""
    if len(words) > _MOST_ADDRESSES:
        raise Invalid(f"at most {_MOST_ADDRESSES} addresses or networks for one token")
    try:
        return tuple(dict.fromkeys(str(ip_network(word.strip())) for word in words))
    except ValueError:
        raise Invalid("addresses are written as 10.1.4.7 or 10.1.0.0/16") from None


def _comes_from(source: str, networks: Sequence[str]) -> bool:
    """An IPv4 address that a socket of both kinds gives as IPv6 is that IPv4 address."""
    try:
        there = ip_address(source.partition("%")[0])
    except ValueError:
        return False
    there = (there.ipv4_mapped or there) if isinstance(there, IPv6Address) else there
    known = map(ip_network, networks)
    return any(there.version == network.version and there in network for network in known)


async def check(store: Store, text: str, source: str = "") -> Token | None:
    """The live token of that text, `None` for one that is wrong, ended, revoked, or not taken from where it is used
    (`source`): which of them is never said.
    """
    form = _FORM.fullmatch(text)
    if form is None:
        return None
    async with store.read() as connection:
        found = select(*_COLUMNS, t.ApiToken.secret_hash).where(t.ApiToken.key == form["key"])
        row = (await connection.execute(found)).first()
    stored = row.secret_hash if row else _digest("")
    if not hmac.compare_digest(stored, _digest(form["secret"])) or row is None:
        return None
    token, now = _token(row), store.now()
    if token.revoked_at is not None or token.expires_at <= now:
        return None
    if token.addresses and not _comes_from(source, token.addresses):
        return None
    if token.used_at is None or token.used_at <= now - _NOTED_EVERY:
        async with store.write() as connection:
            await connection.execute(update(t.ApiToken).where(t.ApiToken.id == token.id).values(used_at=now))
    return token


async def rights(store: Store, token: Token) -> Rights:
    """What it may now, where: what it names, as far as whoever it is worth still may that themselves."""
    held = None if token.person is None else await grants.rights_of(store, token.person, machine=True)
    named = [Permission(scope.value) for scope in token.scopes]
    if not token.scope.everywhere:
        named = [permission for permission in named if permission not in ESTATE_WIDE]
    theirs = {permission: held.scope(permission) if held else places.EVERYWHERE for permission in named}
    return Rights({permission: token.scope & scope for permission, scope in theirs.items()})


async def tokens(store: Store) -> tuple[Token, ...]:
    """All that were ever made, the newest first."""
    async with store.read() as connection:
        rows = (await connection.execute(select(*_COLUMNS).order_by(t.ApiToken.id.desc()))).all()
    return tuple(_token(row) for row in rows)


async def find(store: Store, token: str) -> Token:
    """Raises NotFound."""
    async with store.read() as connection:
        row = (await connection.execute(select(*_COLUMNS).where(t.ApiToken.id == token))).first()
    if row is None:
        raise NotFound("there is no such token")
    return _token(row)


async def revoke(store: Store, token: str) -> None:
    """From now on it opens nothing. Raises NotFound."""
    mine = (t.ApiToken.id == token, t.ApiToken.revoked_at.is_(None))
    async with store.write() as connection:
        done = await connection.execute(update(t.ApiToken).where(*mine).values(revoked_at=store.now()))
        if not done.rowcount:
            raise NotFound("there is no such token, or it is revoked already")
        name = await connection.scalar(select(t.ApiToken.name).where(t.ApiToken.id == token))
        await record(connection, Entry(acting().actor, Action.TOKEN_REVOKE, f"token:{token}", {"name": name}))


def _token(row: Any) -> Token:  # noqa: ANN401 - a row of `_COLUMNS` and perhaps more
    plain = {column.name: getattr(row, column.name) for column in _COLUMNS}
    plain |= {"scopes": tuple(scope for scope in Scope if scope.value in plain["scopes"])}
    plain |= {"sites": None if plain.pop("everywhere") else tuple(row.sites), "addresses": tuple(row.addresses)}
    return Token(**plain)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

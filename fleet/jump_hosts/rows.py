"""Jump hosts as they are stored: one for a site, with our private key sealed in the vault."""

from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network

import asyncssh
from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.secret import Secret
from cameras.untrusted import clean_text
from fleet.audit.trail import Action, Entry, record
from fleet.errors import Invalid, NotFound, VaultUnavailable
from fleet.jump_hosts.host_keys import Door, HostKey, new_key, sealed_text, written
from fleet.store import Store
from fleet.store.engine import place_of
from fleet.store.ids import new_id
from fleet.store.sites_tables import JumpHost, Site
from fleet.vault.master_key import master_key_within
from fleet.vault.sealing import Damaged, Envelope, Owner

# sshd compares single addresses; more of them in one line are no help to anybody.
MOST_PERMITTED = 64


@dataclass(frozen=True, slots=True)
class Stored:
    """The jump host of a site. `public_key` is the half of ours that its authorized_keys must have."""

    site: str
    door: Door
    host_key: HostKey
    public_key: str
    changed_by: str
    changed_at: datetime
    record: str


@dataclass(frozen=True, slots=True)
class Laid:
    """What decides which way leads where: all jump hosts, and the networks of all sites by their names."""

    jump_hosts: tuple[Stored, ...] = ()
    networks: tuple[tuple[str, tuple[str, ...]], ...] = ()


async def put(
    store: Store,
    site: str,
    door: Door,
    host_key: HostKey,
    actor: str,
    *,
    private_key: asyncssh.SSHKey | None = None,
    renew: bool = False,
) -> Stored:
    """From now on the site is reached by it. Needs the administrator role.

    Without a `private_key` the one that the site has is kept, unless it is to be `renew`ed; where it has none, one is
    made. Raises NotFound, Invalid where the site has no networks, VaultUnavailable.
    """
    async with store.write() as connection:
        networks = await connection.scalar(select(Site.networks).where(Site.name == site))
        if networks is None:
            raise NotFound(f"there is no site {clean_text(site, 80)!r}")
        if not networks:
            raise Invalid("the site has no networks: say first which addresses are reached through it")
        before = await _row(connection, site)
        values: dict[str, object] = {
            "login": door.user,
            "host": door.host,
            "port": door.port,
            "host_key": host_key.text,
        }
        if before is None or private_key is not None or renew:
            values |= await _sealed(connection, private_key or new_key())
        values |= {"changed_by": clean_text(actor), "changed_at": store.now()}
        if before is None:
            await connection.execute(insert(JumpHost).values(site=site, **values))
        else:
            await connection.execute(update(JumpHost).where(JumpHost.site == site).values(**values))
        said: dict[str, object] = {"was": None if before is None else str(_view(before).door), "is": str(door)}
        said |= {"host_key": host_key.fingerprint, "new_key": "sealed" in values}
        await record(connection, Entry(actor, Action.SITE_JUMP_SET, f"site:{site}", said))
        after = await _row(connection, site)
    assert after is not None  # it was just written  # noqa: S101
    return _view(after)


async def remove(store: Store, site: str, actor: str) -> None:
    """The site is reached straight again, and our key for it is gone. Raises NotFound."""
    async with store.write() as connection:
        row = await _row(connection, site)
        if row is None:
            raise _none(site)
        await connection.execute(delete(JumpHost).where(JumpHost.site == site))
        said = {"was": str(_view(row).door)}
        await record(connection, Entry(actor, Action.SITE_JUMP_REMOVE, f"site:{site}", said))


async def find(store: Store, site: str) -> Stored:
    """Raises NotFound."""
    async with store.read() as connection:
        row = await _row(connection, site)
    if row is None:
        raise _none(site)
    return _view(row)


async def everything(store: Store) -> Laid:
    """Where there is no jump host, nothing else matters and sites are not read."""
    async with store.read() as connection:
        rows = (await connection.execute(select(JumpHost).order_by(JumpHost.site))).all()
        if not rows:
            return Laid()
        sites = (await connection.execute(select(Site.name, Site.networks).order_by(Site.name))).all()
    return Laid(tuple(map(_view, rows)), tuple((site.name, tuple(site.networks)) for site in sites))


async def private_key(store: Store, site: str) -> Secret:
    """Raises NotFound, VaultUnavailable."""
    async with store.read() as connection:
        row = await _row(connection, site)
        if row is None:
            raise _none(site)
        key = (await master_key_within(connection, place_of(connection).settings)).of(str(row.key_id))
    if key is not None:
        try:
            return key.unseal_login_key(Envelope(row.wrapped_key, row.sealed), owner_of_login_key(row.record))
        except Damaged:
            pass  # the same is to be done about it
    raise VaultUnavailable(
        "our key for this jump host does not open with the key in use: put back the `key` file that belongs to this "
        "database, or make a new one with `camwarden site jump set --new-key`"
    )


def owner_of_login_key(record_id: str) -> Owner:
    return Owner(record_id, "jump host", "")


def authorized_line(public_key: str, networks: tuple[str, ...]) -> str:
    """The line for authorized_keys there: nothing but forwarding, and to the site's addresses where sshd can say so.

    sshd compares addresses letter by letter and knows no networks: from `MOST_PERMITTED` addresses on, a firewall there
    must hold the rest.
    """
    known = [ip_network(text) for text in networks]
    only = ["restrict", "port-forwarding"]
    if sum(network.num_addresses for network in known) <= MOST_PERMITTED:
        addresses = [str(address) for network in known for address in network]
        only += [f'permitopen="{f"[{one}]" if ":" in one else one}:*"' for one in addresses]
    return f"{','.join(only)} {public_key} camwarden"


async def _sealed(connection: AsyncConnection, key: asyncssh.SSHKey) -> dict[str, object]:
    master = await master_key_within(connection, place_of(connection).settings)
    record_id = new_id()
    envelope = master.seal_login_key(sealed_text(key), owner_of_login_key(record_id))
    return {
        "public_key": written(key.convert_to_public()),
        "record": record_id,
        "key_id": master.id,
        "wrapped_key": envelope.wrapped_key,
        "sealed": envelope.sealed,
    }


async def _row(connection: AsyncConnection, site: str) -> Row[*tuple[object, ...]] | None:
    return (await connection.execute(select(JumpHost).where(JumpHost.site == site))).first()


def _view(row: Row[*tuple[object, ...]]) -> Stored:
    door = Door(row.login, row.host, row.port)
    return Stored(row.site, door, HostKey(row.host_key), row.public_key, row.changed_by, row.changed_at, row.record)


def _none(site: str) -> NotFound:
    return NotFound(f"the site {clean_text(site, 80)!r} has no jump host")

"""By the REST API: how a site is reached."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Response
from pydantic import Field

from fleet import sites
from fleet.jump_hosts import rows
from fleet.jump_hosts.host_keys import MOST_KEY_CHARACTERS, read_door, read_host_key
from fleet.jump_hosts.rows import authorized_line
from web.api_words import MOST_TEXT, Body
from web.handlers.jump_hosts import stored
from web.visit import Visit, Visited


class NewJumpHost(Body):
    """`host` as user@host or user@host:22. `host_key` is the key that it must show: a public key in one line, or its
    fingerprint (SHA256:…). Our private key is made here and stays here; `new_key` makes another.
    """

    host: Annotated[str, Field(max_length=MOST_TEXT)]
    host_key: Annotated[str, Field(max_length=MOST_KEY_CHARACTERS)]
    new_key: bool = False


@dataclass(frozen=True, slots=True)
class JumpHost:
    """How a `site` is reached: straight, where `host` is null, else by this SSH server, whose key has the fingerprint
    `host_key`.

    `authorized_keys` is the line that belongs there. `is_up` says that its connection stands, `since` when, with so
    many `open` through it; else `trouble` says what went wrong, "" where it was not needed yet.
    """

    site: str
    host: str | None
    host_key: str | None
    authorized_keys: str | None
    is_up: bool
    since: datetime | None
    trouble: str
    open: int


async def get(visit: Visited, site: str) -> JumpHost:
    """How it is reached."""
    return await _view(visit, site)


async def put(visit: Visited, site: str, new: NewJumpHost) -> JumpHost:
    """It is reached by this SSH server from now on."""
    door, host_key = read_door(new.host), read_host_key(new.host_key)
    await rows.put(visit.store, site, door, host_key, visit.name, renew=new.new_key)
    await visit.service.jump_hosts.look()
    return await _view(visit, site)


async def prove(visit: Visited, site: str) -> JumpHost:
    """Logs in there now."""
    await visit.service.jump_hosts.prove(site)
    return await _view(visit, site)


async def remove(visit: Visited, site: str) -> Response:
    """It is reached straight again, and our key for the jump host is forgotten."""
    await rows.remove(visit.store, site, visit.name)
    await visit.service.jump_hosts.look()
    return Response(status_code=204)


async def _view(visit: Visit, name: str) -> JumpHost:
    site, known = await sites.find(visit.store, name), await stored(visit, name)
    state = visit.service.jump_hosts.state(name)
    said = (state.is_up, state.since, state.trouble, state.open)
    if known is None:
        return JumpHost(name, None, None, None, *said)
    line = authorized_line(known.public_key, site.networks)
    return JumpHost(name, str(known.door), known.host_key.fingerprint, line, *said)

"""The ways of this process: laid from what is stored, and laid anew where that changes, whoever changes it."""

import asyncio
import logging
from contextlib import suppress
from functools import partial
from ipaddress import ip_network
from types import TracebackType
from typing import Self

from cameras import ways
from fleet.errors import FleetError, NotFound
from fleet.jump_hosts import rows
from fleet.jump_hosts.connection import JumpHost, State
from fleet.jump_hosts.rows import Laid, Stored
from fleet.store import Store

LOOK_S = 5.0
_log = logging.getLogger(__name__)


class JumpHosts:
    """`async with JumpHosts(store) as jump_hosts`. While it is open, addresses of sites that have one go through it."""

    def __init__(self, store: Store, *, look_s: float = LOOK_S) -> None:
        self._store, self._look_s = store, look_s
        self._laid = Laid()
        self._known: dict[str, tuple[Stored, JumpHost]] = {}
        self._looking = asyncio.Lock()
        self._watch: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.look()
        self._watch = asyncio.create_task(self._go_on())
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
        if self._known:
            ways.lay(())
        known, self._known = self._known, {}
        await asyncio.gather(*(jump_host.close() for _, jump_host in known.values()))

    async def look(self) -> None:
        """At what is stored, now. Raises StoreUnavailable."""
        async with self._looking:
            wanted = await rows.everything(self._store)
            if wanted != self._laid:
                await self._lay(wanted)
                self._laid = wanted

    def state(self, site: str) -> State:
        found = self._known.get(site)
        return found[1].state() if found else State(is_up=False, since=None, trouble="", open=0)

    async def prove(self, site: str) -> None:
        """It answers, shows its key and takes ours, now. Raises NotFound, StoreUnavailable, Unreachable."""
        await self.look()
        if site not in self._known:
            raise NotFound("the site has no jump host")
        await self._known[site][1].prove()

    async def _lay(self, wanted: Laid) -> None:
        before, self._known = self._known, {}
        for one in wanted.jump_hosts:
            old = before.get(one.site)
            if old and old[0] == one:
                self._known[one.site] = before.pop(one.site)
            else:
                self._known[one.site] = one, self._made(one)
        ways.lay((ip_network(text), self._way_of(site)) for site, networks in wanted.networks for text in networks)
        await asyncio.gather(*(jump_host.close() for _, jump_host in before.values()))

    def _made(self, one: Stored) -> JumpHost:
        name = f"the jump host of site {one.site}"
        return JumpHost(name, one.door, one.host_key, partial(rows.private_key, self._store, one.site))

    def _way_of(self, site: str) -> JumpHost | None:
        found = self._known.get(site)
        return found[1] if found else None

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(self._look_s)
            try:
                await self.look()
            except FleetError as error:  # the ways stay as they were
                _log.warning("jump hosts could not be looked up", extra={"reason": str(error)})

"""One login for many simulated cameras: one is asked first, and the others only as long as it makes sense."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from cameras.errors import Unauthorized
from cameras.secret import Credential, Secret
from fleet import estate, lookup, standing
from fleet.errors import Busy, Invalid, NotFound
from fleet.jobs.alone import running
from fleet.jobs.queue import Queue
from fleet.kept_budget import kept_budget
from fleet.leases import hold
from fleet.people.scope import Scope
from fleet.scans.runner import Scans
from fleet.settings import Settings
from fleet.standing import Standing
from fleet.store import Store
from fleet.vault.logins import AT_ONCE, MOST_REFUSED, Logins, number_known, wanting
from fleet.vault.passwords import Vault, open_vault
from simulator import Estate
from tests.fleet.test_scans import ended
from tests.simulator.asking import estate as simulated

CAMERAS = 7


@dataclass(frozen=True, slots=True)
class Scene:
    """Adopted cameras by their ids, in the order of their addresses, and what tries logins on them."""

    logins: Logins
    vault: Vault
    store: Store
    running: Estate
    ids: list[str]

    def credential(self, number: int = 0) -> Credential:
        login = self.running.plan.cameras[number].login
        assert login
        return Credential(login.name, Secret(login.password))

    def wrong_tries(self) -> int:
        return sum(sum(camera.guard.wrong_tries.values()) for camera in self.running.cameras)

    async def to_the_end(self) -> None:
        for job in (await self.logins._queue.unfinished("login")).values():  # noqa: SLF001 - all of one work
            await self.logins._queue.ended(job)  # noqa: SLF001


@asynccontextmanager
async def scene(store: Store, settings: Settings, *, one_login: bool = False) -> AsyncIterator[Scene]:
    async with simulated(cameras=CAMERAS, mix={"hikvision": 1, "axis": 1}, one_login=one_login) as cameras:
        where = " ".join(f"http://{one.address}:{one.http_port}" for one in cameras.plan.cameras)
        async with Scans(store, settings) as scans:
            await ended(scans, await scans.start(where, "anna", looks_only=True))
        ids = [await lookup.camera(store, plan.address) for plan in cameras.plan.cameras]
        await standing.decide(store, dict.fromkeys(ids, Standing.ADOPTED), "anna")
        vault, queue = await open_vault(store, settings), Queue(store)
        async with kept_budget(store) as budget:
            logins = Logins(store, vault, budget, queue)
            async with running(queue, [logins.kind]):
                yield Scene(logins, vault, store, cameras, ids)


async def test_a_login_that_the_first_camera_takes_goes_to_the_others(store: Store, settings: Settings) -> None:
    async with scene(store, settings, one_login=True) as here:
        login, (first, *others) = here.credential(), here.ids
        assert await here.logins.offered() is None
        await here.logins.try_first(first, login, "anna")
        assert await here.vault.login(first) == login
        assert {one.camera for one in await wanting(store)} == set(others)
        assert await here.logins.offer(first, login.username, [first, *others], "anna") == len(others)
        await here.to_the_end()
        told = await here.logins.offered()
        assert told
        assert (told.taken, told.refused, told.failed, told.spared, told.waiting) == (len(others), 0, 0, 0, 0)
        assert (here.wrong_tries(), await number_known(store), await wanting(store)) == (0, CAMERAS, [])


async def test_a_login_that_is_meant_for_others_ends_by_itself(store: Store, settings: Settings) -> None:
    async with scene(store, settings) as here:
        login, (first, *others) = here.credential(), here.ids
        await here.logins.try_first(first, login, "anna")
        await here.logins.offer(first, login.username, others, "anna")
        await here.to_the_end()
        told = await here.logins.offered()
        assert told
        assert MOST_REFUSED <= told.refused < MOST_REFUSED + AT_ONCE
        assert (told.taken, told.spared) == (0, len(others) - told.refused)
        assert here.wrong_tries() == told.refused
        assert await number_known(store) == 1


async def test_a_login_that_the_first_camera_refuses_costs_one_try_and_is_not_kept(
    store: Store, settings: Settings
) -> None:
    async with scene(store, settings, one_login=True) as here:
        wrong = Credential(here.credential().username, Secret("mistyped"))
        for left in ("one more try is ours", "0 more tries are ours"):
            with pytest.raises(Unauthorized, match=f"refuses this login; {left}"):
                await here.logins.try_first(here.ids[0], wrong, "anna")
        assert here.wrong_tries() == 2
        with pytest.raises(Exception, match="limit of login attempts"):
            await here.logins.try_first(here.ids[0], here.credential(), "anna")
        assert (here.wrong_tries(), await number_known(store)) == (2, 0)
        second = here.ids[1]
        with pytest.raises(Invalid, match="printable"):
            await here.logins.try_first(second, Credential("", Secret("x")), "anna")
        with pytest.raises(NotFound):
            await here.logins.try_first(second, wrong, "anna", Scope(frozenset({"elsewhere"})))
        async with hold(store, second, "plan:1"):
            with pytest.raises(Busy):
                await here.logins.try_first(second, wrong, "anna")
        await standing.decide(store, {second: Standing.QUARANTINED}, "anna")
        with pytest.raises(Invalid, match="quarantine"):
            await here.logins.try_first(second, wrong, "anna")
        assert here.wrong_tries() == 2
        assert {one.camera for one in await wanting(store)} == set(here.ids) - {second}
        makes = {row.id: row.manufacturer for row in (await estate.devices(store)).items}
        alike = {one.camera for one in await wanting(store, like=here.ids[0])}
        assert alike == {camera for camera in here.ids if makes[camera] == makes[here.ids[0]]} - {second}
        assert len(set(makes.values())) == 2

"""What the tests of the master key share: something sealed everywhere, and a process that dies between two steps."""

from cameras.secret import Secret
from fleet import sites
from fleet.audit.check import check
from fleet.audit.trail import Action, Entry, record_first
from fleet.jump_hosts import rows as jump_hosts
from fleet.jump_hosts.host_keys import Door, HostKey, new_key, read_private_key, written
from fleet.rollouts import backups
from fleet.settings import Settings
from fleet.sites import Site
from fleet.store import Store, open_store
from fleet.vault.passwords import open_vault
from tests.fleet.samples import Clock

COUNT = 7
DOOR = Door("camwarden", "gate.example.com")
BACKUP = b"the camera's configuration" * 1000


class Killed(BaseException):
    """Nobody catches it, and nothing is put right behind it: as if the process had ended."""


class DiesAt:
    def __init__(self, number: int) -> None:
        self.left, self.names = number, list[str]()

    def __call__(self, name: str) -> None:
        self.names.append(name)
        self.left -= 1
        if self.left == 0:
            raise Killed


async def fill(store: Store, settings: Settings) -> str:
    """What is sealed; the digest of the backup."""
    vault = await open_vault(store, settings)
    for number in range(COUNT):
        await vault.put(f"cam-{number}", "root", Secret(f"password-{number}"), "anna")
    await sites.put(store, Site("Hof", ("10.0.0.0/8",)), "anna")
    await jump_hosts.put(store, "Hof", DOOR, HostKey(written(new_key())), "anna")
    return await backups.keep(store, settings, "cam-0", BACKUP)


async def all_can_be_read(settings: Settings, clock: Clock, digest: str) -> None:
    async with await open_store(settings, clock) as store:
        vault = await open_vault(store, settings)
        for number in range(COUNT):
            assert await vault.current(f"cam-{number}", "root") == Secret(f"password-{number}")
        read_private_key(await jump_hosts.private_key(store, "Hof"))
        assert await backups.opened(store, settings, "cam-0", digest) == BACKUP
        await record_first(store, Entry("anna", Action.SITE_CHANGE))
        assert (await check(store)).fault is None

"""The passwords of accounts that plans make: in the vault before any camera is told, and the same ones ever after."""

import pytest

from cameras.secret import Secret
from fleet.errors import StoreUnavailable
from fleet.plans.service_passwords import service_password
from fleet.settings import Settings
from fleet.store import Store
from fleet.vault.passwords import Vault, open_vault
from hardening.password_rules import rule_for
from tests.fleet.rollout_samples import known
from tests.fleet.samples import camera

ACCOUNT = "camwarden"


@pytest.fixture
async def vault(store: Store, settings: Settings) -> Vault:
    return await open_vault(store, settings)


@pytest.fixture
async def camera_id(store: Store) -> str:
    return await known(store, "10.0.0.1", 80, camera(1))


async def test_a_new_one_is_in_the_vault_before_it_is_given(store: Store, vault: Vault, camera_id: str) -> None:
    made = await service_password(store, vault, camera_id, ACCOUNT)
    assert await vault.current(camera_id, ACCOUNT) == made
    (record,) = await vault.history(camera_id, ACCOUNT)
    assert (record.version, record.state, record.made_by) == (1, "current", "plan")
    assert await vault.login(camera_id) is None, "it is not what we log in with"


async def test_asked_again_it_is_the_same_after_a_restart_too(
    store: Store, settings: Settings, vault: Vault, camera_id: str
) -> None:
    made = await service_password(store, vault, camera_id, ACCOUNT)
    assert await service_password(store, await open_vault(store, settings), camera_id, ACCOUNT) == made
    assert len(await vault.history(camera_id)) == 1


async def test_one_that_somebody_set_is_used_and_kept(store: Store, vault: Vault, camera_id: str) -> None:
    await vault.put(camera_id, ACCOUNT, Secret("set by hand"), "anna")
    assert await service_password(store, vault, camera_id, ACCOUNT) == Secret("set by hand")
    assert [one.made_by for one in await vault.history(camera_id)] == ["anna"]


async def test_no_two_accounts_and_no_two_cameras_share_one(store: Store, vault: Vault, camera_id: str) -> None:
    other = await known(store, "10.0.0.2", 80, camera(2))
    spots = [(camera_id, ACCOUNT), (camera_id, "recorder"), (other, ACCOUNT)]
    assert len({(await service_password(store, vault, *spot)).reveal() for spot in spots}) == len(spots)


MAKERS = {"of AXIS": "AXIS", "of Hikvision": "HIKVISION", "of nobody we know": "Nobody's Cameras"}


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
async def test_no_camera_of_its_maker_cuts_it(maker: str, store: Store, vault: Vault) -> None:
    made = await service_password(store, vault, await known(store, "10.0.0.3", 80, camera(3, maker)), ACCOUNT)
    rule = rule_for(maker)
    assert rule.shortest <= len(made.reveal()) <= rule.longest


async def test_a_vault_that_cannot_be_written_gives_none(store: Store, vault: Vault, camera_id: str) -> None:
    """Told to a camera and then lost, it would lock everybody out."""
    async with store.write() as connection:
        await connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON vault_passwords BEGIN SELECT RAISE(FAIL, 'full'); END"
        )
    with pytest.raises(StoreUnavailable):
        await service_password(store, vault, camera_id, ACCOUNT)

"""How a stored camera is reached when its picture is looked at."""

from collections.abc import Awaitable, Callable

from cameras.budget import AttemptBudget
from cameras.opening import open_camera
from cameras.place import Place
from cameras.secret import Credential
from fleet.pictures.rows import AnyRow
from fleet.reach import place_and_credential
from fleet.settings import Settings
from fleet.store import Store
from fleet.vault.passwords import Vault
from health.visit import Access

TIMEOUT_S = 8.0


def reached(place: Place, credential: Credential, budget: AttemptBudget, timeout_s: float = TIMEOUT_S) -> Access:
    """Each look is a fresh connection."""
    return Access(lambda: open_camera(place, credential, budget, timeout_s=timeout_s), place, credential, budget)


def looking(
    store: Store, vault: Vault, settings: Settings, budget: AttemptBudget
) -> Callable[[AnyRow], Awaitable[Access]]:
    """`access_to` of `fleet.pictures.runner.Pictures`, by the logins of the vault and of the credentials file."""

    async def access_to(row: AnyRow) -> Access:
        return reached(*await place_and_credential(store, vault, settings, row.id), budget)

    return access_to

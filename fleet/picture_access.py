"""How a stored camera is reached when its picture is looked at: by the login that the credentials file has for it."""

import asyncio
from typing import Literal

from cameras.budget import AttemptBudget
from cameras.errors import Unauthorized
from cameras.opening import open_camera
from cameras.place import Place
from cameras.secret import Credential
from fleet.picture_rows import AnyRow
from fleet.settings import Settings
from health.visit import Access
from scanners.credentials import CredentialRule, for_address, load_credentials

TIMEOUT_S = 8.0


def reached(place: Place, credential: Credential, budget: AttemptBudget, timeout_s: float = TIMEOUT_S) -> Access:
    """Each look is a fresh connection."""
    return Access(lambda: open_camera(place, credential, budget, timeout_s=timeout_s), place, credential, budget)


class ByCredentialsFile:
    """`access_to` of `fleet.pictures.Pictures`. The file is read once, when it is first needed."""

    def __init__(self, settings: Settings, budget: AttemptBudget) -> None:
        self._settings = settings
        self._budget = budget
        self._rules: list[CredentialRule] | None = None

    async def __call__(self, row: AnyRow) -> Access:
        """Raises Unauthorized where the file has no login for it, CredentialsError where it cannot be used."""
        if self._rules is None:
            path = self._settings.credentials_file
            self._rules = await asyncio.to_thread(load_credentials, path) if path else []
        found = for_address(self._rules, row.address)
        if not found:
            raise Unauthorized("nobody gave a login for it: set credentials_file")
        scheme: Literal["http", "https"] = "https" if row.scheme == "https" else "http"
        return reached(Place(row.address, row.port, scheme), found[0], self._budget)

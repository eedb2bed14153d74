"""What the pages of the audit trail and of the vault show: see `web.contexts`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fleet.audit.chain import Row
from fleet.audit.trail import Action
from fleet.audit.views import Wanted
from fleet.audit.watch import CheckView
from fleet.vault.views import AccountView
from fleet.views import Page


@dataclass(frozen=True, slots=True)
class Audit:
    """One `page` of entries, newest first, under the filter `wanted`, written again in `query`; `first` says which.

    `nouns` can be filtered by. `since` is the day of the filter as it was typed, `mistake` says what to correct in it.
    `check` is the check of the chain that runs, or the last one since the service was started.
    """

    page: Page[Row]
    wanted: Wanted
    query: str
    first: bool
    nouns: tuple[str, ...]
    since: str
    mistake: str
    check: CheckView | None


@dataclass(frozen=True, slots=True)
class Vault:
    """One `page` of accounts whose passwords the vault holds; `first` says which. Their age is told from `now`."""

    page: Page[AccountView]
    now: datetime
    first: bool


@dataclass(frozen=True, slots=True)
class VaultOfCamera:
    """What the vault keeps of one `camera` (its id), by `versions`; ages from `now`. `mistake` says what to correct."""

    camera: str
    versions: tuple[AccountView, ...]
    now: datetime
    mistake: str


@dataclass(frozen=True, slots=True)
class Revealed:
    """The password itself (`text`) of that `version` of the `account` of the `camera`: shown this once."""

    camera: str
    account: str
    version: int
    text: str


PAGES: Mapping[type, str] = {
    Audit: "audit.html",
    Vault: "vault.html",
    VaultOfCamera: "vault_of_camera.html",
    Revealed: "revealed.html",
}
NOUNS = tuple(dict.fromkeys(action.value.partition(".")[0] for action in Action))

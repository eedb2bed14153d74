"""What the pages of the audit trail and of the vault show: see `web.contexts`."""

from collections.abc import Mapping
from dataclasses import dataclass

from fleet.audit import Action
from fleet.audit_chain import Row
from fleet.audit_views import Wanted
from fleet.audit_watch import CheckView
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


PAGES: Mapping[type, str] = {Audit: "audit.html"}
NOUNS = tuple(dict.fromkeys(action.value.partition(".")[0] for action in Action))

"""What the page of people and machines shows: as in `web.contexts`, one frozen dataclass per template."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fleet.people.members import Member
from fleet.people.permissions import Role
from fleet.people.tokens import Scope, Token


@dataclass(frozen=True, slots=True)
class People:
    """`everybody` with what they hold, the `machines` among them that tokens can be made for, and the `keys` of tokens.

    `roles`, `places` (names of sites) and `scopes` are what there is to choose; `now` tells ended ones. `names` are
    those of people by id. `made` is the text of a token that was just made, the only time; `mistake` says what to
    correct.
    """

    everybody: tuple[Member, ...]
    machines: tuple[Member, ...]
    keys: tuple[Token, ...]
    roles: tuple[Role, ...]
    places: tuple[str, ...]
    scopes: tuple[Scope, ...]
    names: Mapping[str, str]
    now: datetime
    made: str
    mistake: str


PAGES: Mapping[type, str] = {People: "people.html"}

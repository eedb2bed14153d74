"""What the pages of the first steps show: as in `web.contexts`, one frozen dataclass per template."""

from collections.abc import Mapping
from dataclasses import dataclass

from fleet.scans.runner import ScanView
from fleet.sites import Site
from fleet.vault.logins import Offered, Wanting
from fleet.views import CheckRow, DeviceRow, FindingView
from web.remedies import Remedy


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody is: `at` the name of a step ("" behind the last), and the names of those that are `done`."""

    at: str
    done: frozenset[str]


@dataclass(frozen=True, slots=True)
class FirstAccount:
    """The first of the steps (`place`): a second factor for whoever is here. `has` one already; `keys` says whether
    security keys work here.
    """

    place: Place
    has: bool
    keys: bool


@dataclass(frozen=True, slots=True)
class FirstSite:
    """The step (`place`) of the site: the form shows `typed`, which changes the site `before` ("" adds one), and its
    `mistake`. `others` counts further sites; `here` are the networks that this machine is in, `zones` the known zones.
    """

    place: Place
    typed: Site
    before: str
    others: int
    here: tuple[str, ...]
    zones: tuple[str, ...]
    mistake: str


@dataclass(frozen=True, slots=True)
class FirstFind:
    """The step (`place`) that looks for cameras in the `networks` of all sites: `addresses` in number.

    `scan` is the newest that only looked, `None` before it; `found` are devices of it, `cameras` all that are known.
    `confirm` counts addresses that want a confirmation, and `mistake` says what to correct.
    """

    place: Place
    networks: tuple[str, ...]
    addresses: int
    scan: ScanView | None
    found: tuple[DeviceRow, ...]
    cameras: int
    confirm: int
    mistake: str


@dataclass(frozen=True, slots=True)
class Make:
    """The devices of one manufacturer (`name`, "" where it is not known) on which nobody has decided: `count`, of which
    `rows` are shown. `proposed` is what is ticked.
    """

    name: str
    count: int
    rows: tuple[DeviceRow, ...]
    proposed: str


@dataclass(frozen=True, slots=True)
class FirstAdopt:
    """The step (`place`) of deciding: the `makes` of what was found, and how many devices have which standing already
    (`counts`). `mistake` says what to correct.
    """

    place: Place
    makes: tuple[Make, ...]
    counts: Mapping[str, int]
    mistake: str


@dataclass(frozen=True, slots=True)
class FirstLogin:
    """The step (`place`) of the login: the cameras that have none (`wanting`, by make), how many have one (`known`).

    `account`, `first` (a camera's id) and `then` (make, all, none) are as they were typed, never a password.
    `offered` is how the last login fares, `None` before one; `file` says that a credentials file names some.
    `mistake` says what to correct, or why the first camera did not take it.
    """

    place: Place
    wanting: Mapping[str, tuple[Wanting, ...]]
    known: int
    account: str
    first: str
    then: str
    offered: Offered | None
    file: bool
    mistake: str


@dataclass(frozen=True, slots=True)
class FirstAssess:
    """The step (`place`) that examines the adopted `cameras`, for `known` of which there is a login.

    `scan` is the newest that used them, `None` before it. `mistake` says what to correct.
    """

    place: Place
    cameras: int
    known: int
    scan: ScanView | None
    mistake: str


@dataclass(frozen=True, slots=True)
class FirstFindings:
    """The end of the steps (`place`): the `worst` finding with its `rationale` and `remedy`, and the `checks` to begin
    with. `total` counts open findings, `unknown` what could not be told; `cameras` are all.
    """

    place: Place
    worst: FindingView | None
    rationale: str
    remedy: Remedy | None
    checks: tuple[CheckRow, ...]
    total: int
    unknown: int
    cameras: int


PAGES: Mapping[type, str] = {
    FirstAccount: "first_account.html",
    FirstSite: "first_site.html",
    FirstFind: "first_find.html",
    FirstAdopt: "first_adopt.html",
    FirstLogin: "first_login.html",
    FirstAssess: "first_assess.html",
    FirstFindings: "first_findings.html",
}

"""What each page shows: one frozen dataclass per template, and nothing reaches a template any other way.

`PAGES` is the list of all pages; a test compares each class with the names that its template reads. Every page also
gets `frame`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from fleet.accuracy.card import AccuracyCard
from fleet.audit.chain import Row
from fleet.camera_events import CameraEvent
from fleet.commissioning.views import CameraView, CommissioningView
from fleet.expected.rows import ExpectedRow, Import, Known
from fleet.findings.triage import Refusal
from fleet.first_steps import Way
from fleet.jump_hosts.connection import State as JumpHostState
from fleet.jump_hosts.rows import Stored as StoredJumpHost
from fleet.pictures.views import PictureSummary, Tile
from fleet.pictures.wall import Age
from fleet.scans.runner import ScanView
from fleet.schedules.rows import ScheduleView
from fleet.search import Hit
from fleet.sites import Site, SiteView
from fleet.views import (
    DeviceFilter,
    DeviceRow,
    DeviceView,
    FindingFilter,
    FindingRow,
    FindingView,
    NotEvaluatedRow,
    OverviewView,
    Page,
)
from fleet.work import Job
from scanners.model import Check, Verdict
from web import account_contexts, audit_contexts, first_contexts, job_contexts, people_contexts, picture_contexts
from web.changed import ChangeLine
from web.remedies import Remedy


@dataclass(frozen=True, slots=True)
class Frame:
    """What surrounds every page.

    `path` is where the visitor is, with its query; `section` the part of the side bar that lights up. `name` and
    `roles` are empty for a stranger. `csrf` goes into every form ("" draws no form at all). `theme` is light, dark
    or system. `may` names what the visitor may do here: to what the page is about, or anywhere where it is about no
    single thing. `assets` maps a static file to its address with a version.
    """

    path: str
    section: str
    name: str
    roles: tuple[str, ...]
    csrf: str
    theme: str
    may: frozenset[str]
    assets: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ScanForm:
    """A start form as it was typed: `targets` and whether to try `default_credentials`.

    `mistake` says what to correct; `confirm` counts addresses that want a confirmation.
    """

    targets: str = ""
    default_credentials: bool = True
    mistake: str = ""
    confirm: int = 0


@dataclass(frozen=True, slots=True)
class SetUp:
    """The first administrator. `token` and `name` are kept from a failed try; `mistake` says what to correct."""

    token: str
    name: str
    mistake: str


@dataclass(frozen=True, slots=True)
class SignIn:
    """`name` is kept from a failed try, `mistake` says why it failed, `target` is the path to go to afterwards.

    `provider` is what single sign-on is called ("" for none), and `only` says that passwords are for one account.
    """

    name: str
    mistake: str
    target: str
    provider: str
    only: bool


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the bar that spreads the cameras: `count` of them have `state` as their worst finding.

    "unknown" has no finding but verdicts that we could not tell, "none" has neither.

    `x` and `width` are hundredths of the bar.
    """

    state: str
    count: int
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Overview:
    """`view` is the estate in numbers; `headline` the one sentence about it. `spread` draws its cameras by worst
    finding.

    `unjudged` are the first addresses that told us nothing; `rationales` says why each check matters. `pictures` are
    the numbers of the pictures, `places` the sites, those with the most urgent cameras first. `changed` is what is
    otherwise than `days` ago, out of `choices`. `form` is the start form of an estate that is still empty, and `steps`
    says how far the first steps have come, `None` where nobody is led.
    """

    view: OverviewView
    headline: str
    spread: tuple[Slice, ...]
    unjudged: Page[NotEvaluatedRow]
    rationales: Mapping[str, str]
    pictures: PictureSummary
    places: tuple[SiteView, ...]
    changed: tuple[ChangeLine, ...]
    days: int
    choices: tuple[int, ...]
    form: ScanForm
    steps: Way | None


@dataclass(frozen=True, slots=True)
class SearchGroup:
    """`hits` of one `kind`, each with its page; `everything` is the list of all of them, "" where these are all."""

    kind: str
    hits: tuple[tuple[str, Hit], ...]
    everything: str


@dataclass(frozen=True, slots=True)
class Search:
    """What was found for `text`, in `groups`."""

    text: str
    groups: tuple[SearchGroup, ...]


@dataclass(frozen=True, slots=True)
class Devices:
    """`page` of cameras under `wanted`; `makers` are the choices of the filter with their counts, `places` the
    sites. `checks` names the checks.

    `query` is the filter as a query string without a cursor, `first` says that this is the first page. `new` counts
    devices on which nobody has decided.
    """

    page: Page[DeviceRow]
    wanted: DeviceFilter
    makers: tuple[tuple[str, int], ...]
    places: tuple[str, ...]
    checks: tuple[Check, ...]
    query: str
    first: bool
    new: int


@dataclass(frozen=True, slots=True)
class VerdictGroup:
    """The `verdicts` of one kind (`verdict`), in the order in which they are read."""

    verdict: str
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Device:
    """`view` is everything about the camera, `groups` its verdicts, failing first. `rationales` says why each check
    matters.

    `facts` are the answers and gaps of its dossier by field, `links` the findings by check and subject. `jobs` is the
    last work of each kind that changed it, or was to. `tile` is its newest picture, `age` how old that is in a word,
    and `card` what is known of its own AI. `history` is what the audit trail tells of it,
    and `events` what happened to the camera itself, the newest first.
    """

    view: DeviceView
    groups: tuple[VerdictGroup, ...]
    rationales: Mapping[str, str]
    facts: Mapping[str, Mapping[str, object]]
    links: Mapping[tuple[str, str], FindingRow]
    jobs: tuple[Job, ...]
    tile: Tile
    age: Age
    card: AccuracyCard
    history: tuple[Row, ...]
    events: tuple[CameraEvent, ...]


@dataclass(frozen=True, slots=True)
class CheckGroup:
    """How many findings (`count`) a `check` has under the filter."""

    check: Check
    count: int


@dataclass(frozen=True, slots=True)
class Sites:
    """`known` sites; the form shows `typed`, which changes the site `before` ("" adds one), and its `mistake`."""

    known: tuple[SiteView, ...]
    typed: Site
    before: str
    mistake: str


@dataclass(frozen=True, slots=True)
class Expected:
    """`page` of expected cameras: those that were not found, or `every` one; `numbers` counts all by how they stand.

    `first` says that this is the first page. `done` is what became, or would become, of a list that was just given, and
    `mistake` why it could not be read at all.
    """

    page: Page[ExpectedRow]
    numbers: Mapping[Known, int]
    every: bool
    first: bool
    done: Import | None
    mistake: str


@dataclass(frozen=True, slots=True)
class JumpHost:
    """How the `site` is reached: by its jump host `stored` (`None`: straight), which is in a `state`.

    `line` belongs into authorized_keys there. The form shows the `host` and the `host_key` that were typed; `shown` is
    the fingerprint of the key that the host shows now, to be compared, and `mistake` what to correct. `worked` says
    that it was just tried and let us in.
    """

    site: Site
    stored: StoredJumpHost | None
    state: JumpHostState
    line: str
    host: str
    host_key: str
    shown: str
    mistake: str
    worked: bool


@dataclass(frozen=True, slots=True)
class Findings:
    """`page` of findings under `wanted`; `everything` counts all findings. `checks` and `places` (sites) are the
    choices of the filter.

    `query` is the filter as a query string without a cursor and `first` says that this is the first page. `soon` is
    the date that the form proposes for accepting a risk, `latest` the last that it takes. `mistake` says what was
    wrong with the form.
    """

    page: Page[FindingRow]
    wanted: FindingFilter
    everything: int
    checks: tuple[Check, ...]
    places: tuple[str, ...]
    query: str
    first: bool
    soon: date
    latest: date
    mistake: str


@dataclass(frozen=True, slots=True)
class FindingsByCheck:
    """`groups` are the checks that have findings under `wanted`, worst first, `total` their findings.

    `checks` and `places` (sites) are the choices of the filter, and `query` is the filter as a query string.
    """

    groups: tuple[CheckGroup, ...]
    total: int
    wanted: FindingFilter
    checks: tuple[Check, ...]
    places: tuple[str, ...]
    query: str


@dataclass(frozen=True, slots=True)
class TriageResult:
    """What a form changed: `changed` rows as they are now, `refused` with their reasons, `rows` of the refused by
    id.

    `action` is what was asked. `target` is the list to go back to.
    """

    action: str
    changed: tuple[FindingRow, ...]
    refused: tuple[Refusal, ...]
    rows: Mapping[str, FindingRow]
    target: str


@dataclass(frozen=True, slots=True)
class Finding:
    """`view` is one finding with its history, `rationale` why its check matters, `remedy` what the console can do.

    `soon` and `latest` as in `Findings`; `history` is what the audit trail tells of it.
    """

    view: FindingView
    rationale: str
    remedy: Remedy | None
    history: tuple[Row, ...]
    soon: date
    latest: date


@dataclass(frozen=True, slots=True)
class Scans:
    """The start `form` and the `recent` scans, newest first."""

    form: ScanForm
    recent: tuple[ScanView, ...]


@dataclass(frozen=True, slots=True)
class Scan:
    """One `scan`; `running` says that it moves. `unjudged` are the addresses that told it nothing."""

    scan: ScanView
    running: bool
    unjudged: tuple[NotEvaluatedRow, ...]


@dataclass(frozen=True, slots=True)
class Checks:
    """The catalogue: `checks`, worst first."""

    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Commissionings:
    """The `recent` commissionings, and a form with the `page` of cameras that fit `wanted`; `mistake` says what to
    correct in it.
    """

    recent: tuple[CommissioningView, ...]
    page: Page[DeviceRow]
    wanted: str
    mistake: str


@dataclass(frozen=True, slots=True)
class Commissioning:
    """One commissioning (`view`); `mistake` says what was wrong with a label or a signature."""

    view: CommissioningView
    mistake: str


@dataclass(frozen=True, slots=True)
class CommissionedCamera:
    """One `camera` of a commissioning (`view`), and the `following` one that has work left.

    `top` is the first mark of a measurement, a row of the still. `mistake` says what to correct.
    """

    view: CommissioningView
    camera: CameraView
    following: CameraView | None
    top: int | None
    mistake: str


@dataclass(frozen=True, slots=True)
class Reports:
    """What can be downloaded; `signed` are the commissionings that have a handover package."""

    signed: tuple[CommissioningView, ...]


@dataclass(frozen=True, slots=True)
class Telling:
    """Who hears of a fault, never with a secret: the addresses that get `mail` through `mail_host`, the machine that
    the webhook calls (`webhook_host`, "" for none). Pictures are looked at every `picture_minutes` (0: when asked) and
    kept for `picture_days`.
    """

    mail: tuple[str, ...]
    mail_host: str
    webhook_host: str
    picture_minutes: int
    picture_days: int


@dataclass(frozen=True, slots=True)
class Settings:
    """`telling` says where notices go, `scheduled` what begins by itself."""

    telling: Telling
    scheduled: tuple[ScheduleView, ...]


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """`status` and its `title`; `detail` says what to do. `number` is that of the request: the log has it too."""

    status: int
    title: str
    detail: str
    number: str


PAGES: Mapping[type, str] = {
    **account_contexts.PAGES,
    **job_contexts.PAGES,
    **people_contexts.PAGES,
    **picture_contexts.PAGES,
    **audit_contexts.PAGES,
    **first_contexts.PAGES,
    SetUp: "set_up.html",
    SignIn: "sign_in.html",
    Overview: "overview.html",
    Search: "search.html",
    Devices: "devices.html",
    Sites: "sites.html",
    Expected: "expected.html",
    JumpHost: "jump_host.html",
    Device: "device.html",
    Findings: "findings.html",
    FindingsByCheck: "findings_by_check.html",
    TriageResult: "triage_result.html",
    Finding: "finding.html",
    Scans: "scans.html",
    Scan: "scan.html",
    Checks: "checks.html",
    Reports: "reports.html",
    Settings: "settings.html",
    Commissionings: "commissionings.html",
    Commissioning: "commissioning.html",
    CommissionedCamera: "commissioned_camera.html",
    ErrorPage: "error.html",
}

"""What the console is shown: frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from fleet.camera_events import EarlierPlace
from fleet.findings.lifecycle import FindingState
from fleet.scans.rows import ScanView
from scanners.dossier import Dossier
from scanners.model import Severity, Verdict

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """`after` is the cursor of the next page, `None` on the last; `total` counts all pages under the same filter."""

    items: tuple[Item, ...]
    after: str | None
    total: int


@dataclass(frozen=True, slots=True)
class Part(Generic[Item]):
    """A page of what is long and is not counted."""

    items: tuple[Item, ...]
    after: str | None


@dataclass(frozen=True, slots=True)
class SeverityCounts:
    critical: int = 0
    high: int = 0
    medium: int = 0
    low: int = 0

    @property
    def total(self) -> int:
        return self.critical + self.high + self.medium + self.low


@dataclass(frozen=True, slots=True)
class DeviceFilter:
    """`text`: every word stands in name, address, manufacturer, model, serial or MAC.

    `vendor` is a manufacturer in any case. `severity` and `check`: the camera has a live finding (open or
    acknowledged) of it. `site` is a site's name, "" for cameras of none. `event` happened to the camera, or "gone" to
    its answers, at or after `since`. `standing` is one of `fleet.standing`, or "new" where nobody has decided yet;
    `None` is all that are not ignored.
    """

    text: str = ""
    vendor: str | None = None
    severity: Severity | None = None
    check: str | None = None
    site: str | None = None
    event: str | None = None
    since: datetime | None = None
    standing: str | None = None


@dataclass(frozen=True, slots=True)
class FindingFilter:
    """`state=None` is every state. `camera` is a camera's id. `text` as for devices, and in summary or subject.

    `site` as for devices. `event` happened to the finding at or after `since`.
    """

    state: FindingState | None = FindingState.OPEN
    severity: Severity | None = None
    check: str | None = None
    camera: str | None = None
    text: str = ""
    site: str | None = None
    event: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One camera now. `worst` is the worst severity of its live findings; `unknown` counts what we could not tell.

    `standing` is adopted, quarantined or ignored, `None` until somebody has decided. Where `displaced_at` is given,
    another camera (`displaced_by`, its id) has answered at `address` since then, and where this one is, is not known.
    """

    id: str
    name: str | None
    address: str
    port: int
    scheme: str
    manufacturer: str | None
    model: str | None
    firmware: str | None
    serial: str | None
    mac: str | None
    site: str | None
    standing: str | None
    displaced_at: datetime | None
    displaced_by: str | None
    score: int
    worst: Severity | None
    findings: SeverityCounts
    unknown: int
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class FindingRow:
    """`camera` is the camera's id. `reason` is the word of whoever triaged it last."""

    id: str
    camera: str
    camera_name: str | None
    address: str
    port: int
    manufacturer: str | None
    model: str | None
    check: str
    title: str
    subject: str
    severity: Severity
    state: FindingState
    summary: str
    first_seen: datetime
    last_seen: datetime
    fixed_at: datetime | None
    accepted_until: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class FindingEvent:
    """`event` is opened, reopened, fixed, acknowledged or accepted; `actor` a person's name, "scan" or "clock"."""

    at: datetime
    event: str
    actor: str
    reason: str | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class FindingView:
    """`evidence` is what was seen when it last failed; `events` the newest last."""

    row: FindingRow
    evidence: Mapping[str, object]
    remediation: str
    references: tuple[str, ...]
    standards: Mapping[str, tuple[str, ...]]
    events: tuple[FindingEvent, ...]


@dataclass(frozen=True, slots=True)
class ScorePoint:
    """One visit of the history."""

    at: datetime
    score: int
    failed: int
    unknown: int


@dataclass(frozen=True, slots=True)
class DeviceView:
    """Everything about one camera. `verdicts` are of the last visit; `findings` all, worst first, fixed ones last.

    `dossier` is `None` only where this version cannot read what an earlier one stored. `history`: the newest last;
    `places` where it was seen before, the newest first. `mac_maker`: to whom the block of its MAC is assigned.
    """

    row: DeviceRow
    hardware: str | None
    mac_maker: str | None
    driver: str | None
    verdicts: tuple[Verdict, ...]
    findings: tuple[FindingRow, ...]
    dossier: Dossier | None
    history: tuple[ScorePoint, ...]
    places: tuple[EarlierPlace, ...]


@dataclass(frozen=True, slots=True)
class NotEvaluatedRow:
    """An address whose newest scan told us nothing. `camera` is the id of a camera that was seen there earlier."""

    address: str
    reason: str
    detail: str
    at: datetime
    scan: str
    camera: str | None


@dataclass(frozen=True, slots=True)
class CheckRow:
    """Live findings of one check, and on how many cameras."""

    check: str
    title: str
    severity: Severity
    cameras: int
    findings: int


@dataclass(frozen=True, slots=True)
class ScoreBucket:
    """How many cameras score between `low` and `high`, both included."""

    low: int
    high: int
    cameras: int


@dataclass(frozen=True, slots=True)
class OverviewView:
    """`by_worst`: cameras by their worst live finding, worst first, `None` for those without one. `unclear`: how many
    of the latter have verdicts that we could not tell.

    `findings` are live ones. `checks`: the ten to fix first, worst first, then most frequent. `unknown`:
    verdicts that we could not tell. `scores`: ten buckets from 0 to 100.
    """

    cameras: int
    by_worst: tuple[tuple[Severity | None, int], ...]
    unclear: int
    findings: SeverityCounts
    checks: tuple[CheckRow, ...]
    last_scan: ScanView | None
    not_evaluated: int
    unknown: int
    scores: tuple[ScoreBucket, ...]

"""The tables: what is true now beside what happened (append-only, without foreign keys).

Keys are made by us (`fleet.store.ids`): SQLite then inserts nine times faster, and id order is time order.
"""

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    ColumnElement,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    literal_column,
    or_,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from scanners.model import Severity

LIVE = ("open", "acknowledged")
RANKS = {Severity.LOW: 1, Severity.MEDIUM: 2, Severity.HIGH: 3, Severity.CRITICAL: 4}
BY_RANK = {rank: severity for severity, rank in RANKS.items()}


class Utc(TypeDecorator[datetime]):
    """A moment. Stored without a zone, always in UTC, so that text order is time order in SQLite."""

    impl = DateTime
    cache_ok = True

    @staticmethod
    def stored(value: datetime) -> datetime:
        return (value if value.tzinfo is UTC else value.astimezone(UTC)).replace(tzinfo=None)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return value and self.stored(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return value and value.replace(tzinfo=UTC)


class Rank(TypeDecorator[Severity]):
    """A severity as a number, 4 the worst, so that an index orders it."""

    impl = SmallInteger
    cache_ok = True

    def process_bind_param(self, value: Severity | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else RANKS[value]

    def process_result_value(self, value: int | None, dialect: Dialect) -> Severity | None:  # noqa: ARG002
        return None if value is None else BY_RANK[value]


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: String,
        int: Integer,
        bool: Boolean,
        bytes: LargeBinary,
        datetime: Utc,
        Severity: Rank,
        dict[str, Any]: JSON,
        list[str]: JSON,
    }


def only(condition: str, *, postgresql: str = "") -> dict[str, Any]:
    """For an index of some rows: the condition, and PostgreSQL's own words for it where they differ."""
    return {"sqlite_where": text(condition), "postgresql_where": text(postgresql or condition)}


def _written(*values: str) -> list[ColumnElement[str]]:
    """Written into the statement, not bound: SQLite uses a partial index only where it can read the condition."""
    return [literal_column(f"'{value}'", String) for value in values]


class Camera(Base):
    """A camera as the last visit saw it. The four counts are of live findings; `unknown` is of verdicts.

    `site` is the name of the one whose network holds its address. `standing` says whether it is looked after
    (`fleet.standing`), `None` until somebody has decided. Another unit (`displaced_by`, a camera's id) has answered at
    its address since `displaced_at`, if that stands, and nobody knows where it is (`fleet.scans.swaps`). `worded` is
    higher than that of every row whose `search` was written before (`fleet.words`).
    """

    __tablename__ = "cameras"
    __table_args__ = (
        Index(None, "score", "id"),
        Index(None, "vendor", "score", "id"),
        Index(None, "address", "port"),
        Index(None, "mac"),
        Index(None, "site", "score", "id"),
        Index(None, "serial"),
        Index(None, "name"),
        Index(None, "worded"),
        Index(None, "standing", "score", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str | None]
    address: Mapped[str]
    port: Mapped[int]
    scheme: Mapped[str]
    manufacturer: Mapped[str | None]
    vendor: Mapped[str | None]
    model: Mapped[str | None]
    firmware: Mapped[str | None]
    serial: Mapped[str | None]
    hardware: Mapped[str | None]
    mac: Mapped[str | None]
    driver: Mapped[str | None]
    site: Mapped[str | None]
    standing: Mapped[str | None]
    displaced_at: Mapped[datetime | None]
    displaced_by: Mapped[str | None]
    search: Mapped[str] = mapped_column(Text)
    worded: Mapped[int] = mapped_column(server_default="0")
    score: Mapped[int]
    worst: Mapped[Severity | None]
    critical: Mapped[int]
    high: Mapped[int]
    medium: Mapped[int]
    low: Mapped[int]
    unknown: Mapped[int]
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    last_dossier: Mapped[str]


class StoredDossier(Base):
    """History: the last visits of each camera. `body` is what `fleet.store.packing.pack` made."""

    __tablename__ = "dossiers"
    __table_args__ = (Index(None, "camera", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    camera: Mapped[str]
    at: Mapped[datetime]
    score: Mapped[int]
    failed: Mapped[int]
    unknown: Mapped[int]
    body: Mapped[bytes]


class CameraEvent(Base):
    """History: what happened to a camera itself (`fleet.camera_events`)."""

    __tablename__ = "camera_events"
    __table_args__ = (Index(None, "camera", "id"), Index(None, "at", "event"))

    id: Mapped[str] = mapped_column(primary_key=True)
    camera: Mapped[str]
    at: Mapped[datetime]
    event: Mapped[str]
    detail: Mapped[str] = mapped_column(Text)


class CheckText(Base):
    """The wording of a check, once instead of on every verdict."""

    __tablename__ = "checks"

    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    severity: Mapped[Severity]
    remediation: Mapped[str] = mapped_column(Text)
    references: Mapped[list[str]]
    standards: Mapped[dict[str, Any]]


class CurrentVerdict(Base):
    """What the last visit said."""

    __tablename__ = "verdicts_current"

    camera: Mapped[str] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"), primary_key=True)
    check_id: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    verdict: Mapped[str]
    severity: Mapped[Severity]
    summary: Mapped[str] = mapped_column(Text)
    evidence: Mapped[dict[str, Any]]
    reason: Mapped[str | None]


class JudgedBy(Base):
    """One row: the knowledge that the whole estate was judged by last."""

    __tablename__ = "judged_by"

    digest: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    cameras: Mapped[int]


class Finding(Base):
    """A failed verdict with a life. `site` is that of its camera, `said` the number of its text."""

    __tablename__ = "findings"
    __table_args__ = (
        UniqueConstraint("camera", "check_id", "subject"),
        Index(None, "severity", "id"),
        Index(None, "state", "severity", "id"),
        Index(None, "check_id", "state", "severity", "id"),
        Index(None, "site", "severity", "id"),
        Index(None, "said"),
        Index("ix_findings_live", "check_id", "severity", "camera", **only("state IN ('open', 'acknowledged')")),
        # With the state, though it is one: SQLite would rather take an index of all states that begins with it.
        Index("ix_findings_accepted", "state", "accepted_until", **only("state = 'risk-accepted'")),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    camera: Mapped[str] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"))
    check_id: Mapped[str]
    subject: Mapped[str]
    state: Mapped[str]
    severity: Mapped[Severity]
    summary: Mapped[str] = mapped_column(Text)
    evidence: Mapped[dict[str, Any]]
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    fixed_at: Mapped[datetime | None]
    accepted_until: Mapped[datetime | None]
    reason: Mapped[str | None]
    site: Mapped[str | None]
    said: Mapped[int] = mapped_column(BigInteger)


class FindingText(Base):
    """What one or many findings say. `worded` is higher than that of every text that was written before."""

    __tablename__ = "finding_texts"
    __table_args__ = (Index(None, "worded"),)

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    text: Mapped[str] = mapped_column(Text)
    worded: Mapped[int]


# Conditions that meet the partial indexes above.
IS_LIVE = Finding.state.in_(_written(*LIVE))
IS_ACCEPTED = Finding.state == _written("risk-accepted")[0]


class FindingEvent(Base):
    """History: who or what changed a finding, when and why."""

    __tablename__ = "finding_events"
    __table_args__ = (Index(None, "finding", "id"), Index(None, "event", "at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    finding: Mapped[str]
    at: Mapped[datetime]
    event: Mapped[str]
    actor: Mapped[str]
    reason: Mapped[str | None]
    until: Mapped[datetime | None]


class Scan(Base):
    __tablename__ = "scans"
    __table_args__ = (Index(None, "finished_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    targets: Mapped[str] = mapped_column(Text)
    actor: Mapped[str]
    default_credentials: Mapped[bool]
    looks_only: Mapped[bool]
    queued_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    phase: Mapped[str]
    done: Mapped[int]
    total: Mapped[int]
    cameras: Mapped[int]
    failed_verdicts: Mapped[int]
    not_evaluated: Mapped[int]
    error: Mapped[str | None]


class ScanNotEvaluated(Base):
    """History: an address that a scan learned nothing about. `current` until a newer scan says more.

    `site` is the name of the one whose network holds the address.
    """

    __tablename__ = "scan_not_evaluated"
    __table_args__ = (
        Index(None, "scan"),
        Index("ix_scan_not_evaluated_current", "address", "id", **only("current = 1", postgresql="current")),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    scan: Mapped[str]
    address: Mapped[str]
    reason: Mapped[str]
    detail: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    current: Mapped[bool]
    site: Mapped[str | None]


class Person(Base):
    __tablename__ = "people"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class Session(Base):
    """A signed-in browser. Only the SHA-256 of its token is kept, and that changes with every new proof.

    `proof` is what was shown last ("password, app"), and `proved_at` when.
    """

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "person"), Index(None, "created_at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    person: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    source: Mapped[str]
    browser: Mapped[str]
    proof: Mapped[str]
    proved_at: Mapped[datetime]
    created_at: Mapped[datetime]
    used_at: Mapped[datetime]


class SetupToken(Base):
    __tablename__ = "setup_tokens"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class LoginAttempt(Base):
    """A try to sign in. The name is kept as a hash: people type their password into the wrong field."""

    __tablename__ = "login_attempts"
    __table_args__ = (Index(None, "name_hash", "at"), Index(None, "source", "at"), Index(None, "at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    name_hash: Mapped[str]
    source: Mapped[str]
    at: Mapped[datetime]
    worked: Mapped[bool]


class SpentAttempt(Base):
    """A login that we spent on a camera (`cameras.budget.Attempt`)."""

    __tablename__ = "attempt_budget"
    __table_args__ = (Index(None, "at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    camera: Mapped[str]
    account: Mapped[str]
    at: Mapped[datetime]
    outcome: Mapped[str]


class CameraLease(Base):
    """Who may change a camera just now: one row per camera, so that there is one writer.

    What a job holds ("job:<id>") ends with the job, and `until` says nothing of it: a clock that jumps takes no camera
    from anybody.
    """

    __tablename__ = "camera_leases"

    camera: Mapped[str] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"), primary_key=True)
    holder: Mapped[str]
    until: Mapped[datetime]


def in_force(now: datetime) -> ColumnElement[bool]:
    """The condition on a lease: it has not run out."""
    return or_(CameraLease.until > now, CameraLease.holder.startswith("job:"))

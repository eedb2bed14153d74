"""The audit trail: who did what, when, from where. Rows are added within the change that they tell of.

`record` runs inside the caller's own transaction: without the row nothing happens, and what was undone is not told.
Where there is no change to be part of (a scan begins, a page is asked to do something) the row is written first.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.untrusted import clean_text
from fleet.audit.chain import FIRST_PREVIOUS, canonical
from fleet.audit.keys import present_key
from fleet.store import Store
from fleet.store.audit_tables import AuditRow
from fleet.store.engine import place_of
from fleet.store.ids import new_id

# Who acts where no person does; nobody may be called so.
SERVICE = "service"
SCHEDULE = "schedule"
RESERVED = frozenset({SERVICE, SCHEDULE, "stranger"})
_MOST_WORD = 200


class Action(StrEnum):
    """What was done: a noun and a verb."""

    ACCURACY_ACCEPT = "accuracy.accept"
    ACCURACY_WATCH = "accuracy.watch"
    AUDIT_CHECK = "audit.check"
    AUDIT_CHECKPOINT = "audit.checkpoint"
    AUDIT_EXPORT = "audit.export"
    BACKUP_OPEN = "backup.open"
    BUNDLE_ADD = "bundle.add"
    BUNDLE_REMOVE = "bundle.remove"
    CAMERA_DECIDE = "camera.decide"
    COMMISSIONING_ANSWER = "commissioning.answer"
    COMMISSIONING_SIGN = "commissioning.sign"
    COMMISSIONING_START = "commissioning.start"
    COMMISSIONING_STILL = "commissioning.still"
    COMMISSIONING_HAND_OVER = "commissioning.hand-over"
    EXPECTED_FORGET = "expected.forget"
    EXPECTED_IMPORT = "expected.import"
    FACTOR_ADD = "factor.add"
    FACTOR_REMOVE = "factor.remove"
    FACTOR_RENEW_CODES = "factor.renew-codes"
    FACTOR_RESET = "factor.reset"
    FINDING_REJUDGE = "finding.rejudge"
    FINDING_TRIAGE = "finding.triage"
    FIRST_STEPS_DISMISS = "first-steps.dismiss"
    GRANT_END = "grant.end"
    GRANT_GIVE = "grant.give"
    HARDENING_APPLY = "hardening.apply"
    JOB_CANCEL = "job.cancel"
    JOB_ORDER = "job.order"
    JOB_PAUSE = "job.pause"
    JOB_RESUME = "job.resume"
    JOB_RUN_AGAIN = "job.run-again"
    NOTICES_SET = "notices.set"
    NOTICES_TRY = "notices.try"
    PERSON_ADD = "person.add"
    PERSON_CHANGE = "person.change"
    PERSON_DISABLE = "person.disable"
    PERSON_ENABLE = "person.enable"
    PERSON_LINK = "person.link"
    PERSON_PASSWORD = "person.password"  # noqa: S105 - the name of an action
    PERSON_REMOVE = "person.remove"
    PERSON_SET_UP = "person.set-up"
    PICTURE_APPROVE = "picture.approve"
    PICTURE_CHECK = "picture.check"
    PICTURE_MUTE = "picture.mute"
    PLAN_APPROVE = "plan.approve"
    PLAN_CHANGE_CAMERA = "plan.change-camera"
    PLAN_CREATE = "plan.create"
    PLAN_ORDER = "plan.order"
    PLAN_RENEW = "plan.renew"
    PLAN_START = "plan.start"
    PLAN_STATE = "plan.state"
    PLAN_STOP = "plan.stop"
    PLAN_UNDO = "plan.undo"
    ROLLOUT_APPROVE = "rollout.approve"
    ROLLOUT_CHANGE_CAMERA = "rollout.change-camera"
    ROLLOUT_CREATE = "rollout.create"
    ROLLOUT_ORDER = "rollout.order"
    ROLLOUT_PAUSE = "rollout.pause"
    ROLLOUT_RESUME = "rollout.resume"
    ROLLOUT_RETRY = "rollout.retry"
    ROLLOUT_START = "rollout.start"
    ROLLOUT_STATE = "rollout.state"
    ROLLOUT_STOP = "rollout.stop"
    ROLLOUT_UNDO = "rollout.undo"
    ROTATION_RECONCILE = "rotation.reconcile"
    ROTATION_START = "rotation.start"
    SCAN_START = "scan.start"
    SCAN_STOP = "scan.stop"
    SCHEDULE_ORDER = "schedule.order"
    SCHEDULE_PUT = "schedule.put"
    SCHEDULE_REMOVE = "schedule.remove"
    SCHEDULE_RUN = "schedule.run"
    SCHEDULE_SWITCH = "schedule.switch"
    SERVICE_START = "service.start"
    SERVICE_STOP = "service.stop"
    SESSION_BREAK_GLASS = "session.break-glass"
    SESSION_END = "session.end"
    SESSION_LIMITED = "session.limited"
    SESSION_PROVE = "session.prove"
    SESSION_REFUSED = "session.refused"
    SESSION_SIGN_IN = "session.sign-in"
    SESSION_SIGN_OUT = "session.sign-out"
    SITE_CHANGE = "site.change"
    SITE_JUMP_REMOVE = "site.jump-remove"
    SITE_JUMP_SET = "site.jump-set"
    SITE_JUMP_TEST = "site.jump-test"
    SITE_REMOVE = "site.remove"
    THEME_CHOOSE = "theme.choose"
    TOKEN_CREATE = "token.create"  # noqa: S105 - the name of an action
    TOKEN_REVOKE = "token.revoke"  # noqa: S105 - the name of an action
    VAULT_MOVE_KEY = "vault.move-key"
    VAULT_PUT = "vault.put"
    VAULT_REVEAL = "vault.reveal"
    VAULT_REWRAP = "vault.rewrap"
    VAULT_ROTATE_KEY = "vault.rotate-key"


@dataclass(frozen=True, slots=True)
class Entry:
    """`about` names the object ("camera:<id>", "person:<name>"); `detail` is small, and holds no secret.

    An empty `source` or `request` is filled in from whoever acts now (`acting`).
    """

    actor: str
    action: Action
    about: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""
    request: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """On whose behalf code runs now, and where they asked from."""

    actor: str = SERVICE
    source: str = ""
    request: str = ""


_BY_ITSELF = Origin()
_origin: ContextVar[Origin | None] = ContextVar("camwarden_origin", default=None)


def acting() -> Origin:
    """Whoever acts now: a person or token in a request, who typed a command, else the service itself."""
    return _origin.get() or _BY_ITSELF


@contextmanager
def on_behalf(origin: Origin) -> Iterator[None]:
    """While the block runs (and in tasks that it starts) they act."""
    token = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(token)


async def record(connection: AsyncConnection, entry: Entry) -> None:
    """Add the entry to the chain, in the caller's own write. Raises StoreUnavailable, VaultUnavailable."""
    await record_all(connection, [entry])


async def record_all(connection: AsyncConnection, entries: Sequence[Entry]) -> None:
    """The same for many at once."""
    if not entries:
        return
    newest = select(AuditRow.seq, AuditRow.mac, AuditRow.key_id).order_by(AuditRow.seq.desc()).limit(1)
    last = (await connection.execute(newest)).first()
    key = await present_key(connection, last.key_id if last else None)
    at, before, previous = place_of(connection).now(), last.seq if last else 0, last.mac if last else FIRST_PREVIOUS
    rows = []
    for seq, entry in enumerate(entries, start=before + 1):
        row = {"seq": seq, "id": new_id(), "at": at, **_said(entry), "key_id": key.id, "previous": previous}
        previous = key.mac(row)
        rows.append({**row, "mac": previous})
    await connection.execute(insert(AuditRow), rows)


def _said(entry: Entry) -> dict[str, str]:
    now = acting()
    return {
        "actor": clean_text(entry.actor, _MOST_WORD),
        "action": entry.action.value,
        "about": clean_text(entry.about, _MOST_WORD),
        "detail": canonical(entry.detail),
        "source": clean_text(entry.source or now.source, _MOST_WORD),
        "request": clean_text(entry.request or now.request, _MOST_WORD),
    }


async def record_first(store: Store, entry: Entry) -> None:
    """An entry of its own, before what it tells of. Raises StoreUnavailable, VaultUnavailable: then do not do it."""
    async with store.write() as connection:
        await record(connection, entry)

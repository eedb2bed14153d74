"""What people do to rollouts: plan, approve, start, pause, stop, undo. Written down here; the service does it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from cameras.untrusted import clean_text
from fleet import sites
from fleet.audit.trail import Action, Entry, record_first
from fleet.errors import Invalid
from fleet.people import second_person
from fleet.people.scope import EVERYWHERE, Scope
from fleet.rollouts import backups, bundles
from fleet.rollouts import rows as rollout_rows
from fleet.rollouts.rows import RolloutId, RolloutView, TargetRow
from fleet.settings import Settings
from fleet.sites import Site
from fleet.store import Store
from fleet.store import tables as t
from fleet.store.ids import new_id
from fleet.store.rollouts_tables import Rollout, RolloutTarget
from hardening import windows
from hardening.rollout import CampaignEvent, CampaignState, NotAllowed, TargetEvent, TargetState, after
from hardening.rollout_rules import Errors, RuleError, Rules, check, group_sizes
from hardening.windows import WindowError, next_start, parse_window

MOST_CAMERAS = 100_000
_AT_ONCE = 500
_CAREFUL = Rules(
    canary=3,
    growth=4,
    success_percent=95,
    errors=Errors(count=3, percent=10),
    in_flight=20,
    in_flight_per_site=5,
    soak=timedelta(hours=1),
    window=None,
    expected=timedelta(minutes=15),
    restart_most=timedelta(minutes=10),
    offline_most=timedelta(days=7),
    rollback_after=timedelta(minutes=30),
    backup_required=False,
)
_OVER = [CampaignState.DONE.value, CampaignState.UNDONE.value, CampaignState.ABORTED.value, CampaignState.STOPPED.value]
MAY_RETRY = (CampaignState.RUNNING, CampaignState.PAUSED)


def careful_rules() -> Rules:
    """What is used where nothing is said."""
    return _CAREFUL


async def create(
    store: Store,
    bundle: str,
    cameras: Sequence[str],
    actor: str,
    *,
    name: str = "",
    rules: Rules = _CAREFUL,
    canaries: Sequence[str] = (),
    zone: str = "UTC",
    scope: Scope = EVERYWHERE,
) -> RolloutId:
    """Plan a rollout over these cameras (ids); it waits for approval. `canaries` go first.

    Windows count by the clock of a camera's site, for a camera of no site by that of `zone`. Where no canaries are
    named, the first group has as many different models as it can. Raises Invalid, NotFound.
    """
    try:
        check(rules)
        windows.zone(zone)
        found = await bundles.find(store, bundle)
        known = await _cameras(store, list(dict.fromkeys([*canaries, *cameras])), zone, scope)
        _refuse_windows_apart(rules, {camera.site for camera in known.values()}, store.now())
        sizes = group_sizes(len(known), rules.canary, rules.growth)
    except (RuleError, WindowError) as error:
        raise Invalid(str(error)) from error
    now = store.now()
    rollout_id = RolloutId(new_id())
    groups = [group for group, size in enumerate(sizes, start=1) for _ in range(size)]
    in_order = _order(known, canaries)
    rows = [
        _row(rollout_id, camera, known[camera], group=group, now=now)
        for camera, group in zip(in_order, groups, strict=True)
    ]
    manifest = found.manifest
    title = clean_text(name) or f"{manifest.app.id if manifest.app else manifest.vendor} {manifest.version}"
    view = RolloutView(
        rollout_id,
        title,
        found.id,
        CampaignState.DRAFT,
        0,
        rules,
        now,
        clean_text(actor),
        None,
        None,
        None,
        None,
        "",
        {},
    )
    await rollout_rows.add(store, view, rows)
    await rollout_rows.order(store, rollout_id, CampaignEvent.SUBMIT, actor)
    return rollout_id


async def approve(store: Store, rollout_id: RolloutId, actor: str, *, two_persons: bool) -> None:
    """Needs the right to approve. Who and when is kept. `two_persons`: whoever made it is refused.

    Raises Invalid, NotFound.
    """
    who = clean_text(actor)
    if not who:
        raise Invalid("say who approves")
    if two_persons:
        made_by = (await rollout_rows.load(store, rollout_id)).created_by
        async with store.read() as connection:
            await second_person.need(connection, made_by, who)
    await rollout_rows.order(store, rollout_id, CampaignEvent.APPROVE, who, approved_by=who, approved_at=store.now())


async def start(store: Store, rollout_id: RolloutId, actor: str) -> None:
    await rollout_rows.order(store, rollout_id, CampaignEvent.START, actor, started_at=store.now())


async def pause(store: Store, rollout_id: RolloutId, actor: str) -> None:
    """No camera is begun any more, and none that has not been sent the image yet goes on."""
    await rollout_rows.order(store, rollout_id, CampaignEvent.PAUSE, actor)


async def resume(store: Store, rollout_id: RolloutId, actor: str) -> None:
    await rollout_rows.order(store, rollout_id, CampaignEvent.RESUME, actor)


async def abort(store: Store, rollout_id: RolloutId, actor: str, reason: str = "") -> None:
    """For good. A camera that was sent the image comes to its end; nothing is cut off in the middle."""
    await rollout_rows.order(store, rollout_id, CampaignEvent.ABORT, actor, reason=reason or "aborted by hand")


async def undo(store: Store, rollout_id: RolloutId, actor: str) -> None:
    """Take the succeeded cameras back where that is possible. Raises Invalid while anything is in flight."""
    view = await rollout_rows.load(store, rollout_id)
    if view.state is not CampaignState.UNDOING and view.finished_at is None:
        raise Invalid("cameras are still in flight; wait until the rollout has come to its end, or abort it")
    await rollout_rows.order(store, rollout_id, CampaignEvent.UNDO, actor, finished_at=None)


async def retry(store: Store, rollout_id: RolloutId, camera: str, actor: str) -> None:
    """Look at one camera anew, and send the image where it is not there: only a person decides this. Raises Invalid."""
    state, _ = await rollout_rows.standing(store, rollout_id)
    if state not in MAY_RETRY:
        raise Invalid(f"the rollout is {state}; only while it runs or is paused a camera can be tried again")
    row = await _row_of(store, rollout_id, camera)
    try:
        after(row.state, TargetEvent.RETRY)
    except NotAllowed as error:
        raise Invalid(str(error)) from error
    anew = {"not_before": None, "give_up_at": None}
    await rollout_rows.move_all(store, [row], TargetEvent.RETRY, "tried again by hand", actor=actor, values=anew)


async def take_backup(
    store: Store, settings: Settings, rollout_id: RolloutId, camera: str, *, actor: str, reason: str
) -> bytes:
    """The configuration that a camera had before, for a person's hands; secrets are in it.

    First it is written down who took it and why: no line, no backup. Raises Invalid, NotFound, VaultUnavailable.
    """
    why, who = clean_text(reason, 500).strip(), clean_text(actor)
    if not why or not who:
        raise Invalid("say who takes the backup, and why: it is written down")
    await rollout_rows.standing(store, rollout_id)
    row = await _row_of(store, rollout_id, camera)
    if row.backup is None:
        raise Invalid(f"there is no backup of {row.address}: {row.before.get('backup', 'none was made yet')}")
    said = {"rollout": rollout_id, "reason": why}
    await record_first(store, Entry(who, Action.BACKUP_OPEN, f"camera:{row.camera}", said))
    content = await backups.opened(store, settings, row.camera, row.backup)
    await rollout_rows.note(store, rollout_id, "take-backup", who, f"{row.address}: {why}")
    return content


async def _row_of(store: Store, rollout_id: RolloutId, camera: str) -> TargetRow:
    """The camera of this id or address with its port. Raises Invalid."""
    rows = await rollout_rows.targets(store, rollout_id)
    row = next((row for row in rows if camera in (row.camera, row.address, row.id)), None)
    if row is None:
        raise Invalid("this camera is not part of the rollout")
    return row


@dataclass(frozen=True, slots=True)
class _Known:
    model: str
    address: str
    site: Site


def _refuse_windows_apart(rules: Rules, places: Iterable[Site], now: datetime) -> None:
    for site in places:
        both = (rules.window, parse_window(site.window) if site.window else None)
        if next_start(both, site.zone, now, rules.expected) is None:
            minutes = rules.expected.total_seconds() / 60
            raise Invalid(
                f"the site {site.name or 'of these cameras'} may be changed {site.window or 'at any time'}, and the "
                f"window of the rollout leaves no {minutes:g} minutes of it: choose another window, or leave it out"
            )


async def _cameras(store: Store, ids: Sequence[str], zone: str, scope: Scope) -> dict[str, _Known]:
    """Raises Invalid for none, too many, those that are unknown or out of scope, and those of another rollout."""
    if not ids:
        raise Invalid("name at least one camera")
    if len(ids) > MOST_CAMERAS:
        raise Invalid(f"{len(ids)} cameras are too many for one rollout; at most {MOST_CAMERAS}")
    found: dict[str, _Known] = {}
    nowhere = Site("", zone=zone)
    busy = (
        select(RolloutTarget.address)
        .join(Rollout, Rollout.id == RolloutTarget.rollout)
        .where(Rollout.finished_at.is_(None), Rollout.state.not_in(_OVER))
    )
    columns = (t.Camera.id, t.Camera.model, t.Camera.address, t.Camera.port, t.Camera.site)
    async with store.read() as connection:
        known = {site.name: site for site in await sites.stored(connection)}
        for begin in range(0, len(ids), _AT_ONCE):
            some = ids[begin : begin + _AT_ONCE]
            ours = select(*columns).where(t.Camera.id.in_(some), scope.at(t.Camera.site))
            for row in (await connection.execute(ours)).all():
                site = known.get(row.site or "", nowhere)
                found[row.id] = _Known(row.model or "", f"{row.address}:{row.port}", site)
            begun = (RolloutTarget.camera.in_(some), scope.of(RolloutTarget.camera))
            taken = (await connection.execute(busy.where(*begun).limit(1))).scalar()
            if taken:
                raise Invalid(f"{taken} is part of another rollout that is not over")
    if missing := [camera for camera in ids if camera not in found]:
        raise Invalid(f"{len(missing)} of these cameras are not known; the first is {clean_text(missing[0])}")
    return {camera: found[camera] for camera in ids}


def _order(known: Mapping[str, _Known], canaries: Sequence[str]) -> list[str]:
    """Canaries first, then the first camera of every model, then the second of every model, and so on."""
    rank: Counter[str] = Counter()
    place: dict[str, tuple[bool, int]] = {}
    for camera, it in known.items():
        place[camera] = (camera not in canaries, 0 if camera in canaries else rank[it.model])
        rank[it.model] += camera not in canaries
    return sorted(known, key=place.__getitem__)


def _row(rollout_id: RolloutId, camera: str, known: _Known, *, group: int, now: datetime) -> TargetRow:
    return TargetRow(
        id=new_id(),
        rollout=rollout_id,
        camera=camera,
        address=known.address,
        group=group,
        site=known.site.name,
        zone=known.site.zone,
        window=known.site.window,
        state=TargetState.WAITING,
        since=now,
        not_before=None,
        give_up_at=None,
        before={},
        backup=None,
        sent=0,
        detail="",
    )

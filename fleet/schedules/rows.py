"""Schedules as they are stored: what begins by itself, of which cameras, and when.

What `camwarden.toml` sets is written here at every start and changed nowhere else. What it does not set has a default
that people may change or turn off; everything else is theirs.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NewType

from apscheduler.triggers.base import BaseTrigger
from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.untrusted import clean_text
from fleet import sites
from fleet.audit.trail import SERVICE, Action, Entry, record
from fleet.errors import Invalid, NotFound
from fleet.schedules import cadences
from fleet.settings import Settings
from fleet.store import Store
from fleet.store.ids import new_id
from fleet.store.jobs_tables import Schedule
from hardening.windows import WindowError, zone

ScheduleId = NewType("ScheduleId", str)
MOST_SCHEDULES = 500
_MOST_NAME = 80
# What people type.
_TYPED = ("name", "what", "cadence", "site", "zone", "enabled")
DEFAULT = "default"
# The outcome of what somebody wants to begin, until it has.
ASKED = "asked for"


class What(StrEnum):
    SCAN = "scan"
    PICTURES = "pictures"
    ACCURACY = "accuracy"
    RETENTION = "retention"

    @property
    def of_a_site(self) -> bool:
        """Whether it may be of one site only."""
        return self is not What.RETENTION


@dataclass(frozen=True, slots=True)
class NewSchedule:
    """`site` is `None` for the whole estate; `zone` is "" for the clock of the site, or of the settings."""

    name: str
    what: What
    cadence: str
    site: str | None = None
    zone: str = ""
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """A schedule. `setting` names the setting that it comes from, "" where people made it.

    `zone` is the clock that counts; `next_at` are the next times, `outcome` is what came of the last one. `mistake`
    says why it does not begin any more, such as a site that is gone.
    """

    id: ScheduleId
    name: str
    what: What
    site: str | None
    cadence: str
    zone: str
    enabled: bool
    setting: str
    last_at: datetime | None
    due_at: datetime | None
    outcome: str
    changed_by: str
    changed_at: datetime
    next_at: tuple[datetime, ...]
    mistake: str

    @property
    def is_fixed(self) -> bool:
        """It is changed in the file of settings."""
        return self.setting not in {"", DEFAULT}


@dataclass(frozen=True, slots=True)
class Clocked:
    """A schedule with its trigger, `None` where it does not begin. Whoever has another `key` begins otherwise."""

    view: ScheduleView
    trigger: BaseTrigger | None
    key: tuple[object, ...]


# --- looked at ---


async def all_of(store: Store, settings: Settings, now: datetime) -> list[Clocked]:
    """By name, with when they begin."""
    async with store.read() as connection:
        rows = (await connection.execute(select(Schedule).order_by(Schedule.name))).all()
        places = {site.name: site for site in await sites.stored(connection)}
    return [_clocked(row, places, settings, now) for row in rows]


async def listed(store: Store, settings: Settings, now: datetime) -> list[ScheduleView]:
    return [one.view for one in await all_of(store, settings, now)]


async def find(store: Store, name_or_id: str) -> ScheduleId:
    """Raises NotFound."""
    async with store.read() as connection:
        row = await _row(connection, name_or_id)
    return ScheduleId(row.id)


def _clocked(
    row: Row[*tuple[Any, ...]], places: Mapping[str, sites.Site], settings: Settings, now: datetime
) -> Clocked:
    place = places.get(row.site) if row.site is not None else None
    here = row.zone or (place.zone if place else settings.schedule_zone)
    mistake, trigger = "", None
    try:
        cadence = cadences.parse(row.cadence)
        trigger = cadences.trigger(cadence, here, place.window if place else "", row.due_at or row.changed_at)
    except Invalid as error:
        mistake = str(error)
    if row.site is not None and place is None:
        mistake, trigger = "its site is gone", None
    begins = trigger if row.enabled else None
    view = ScheduleView(
        id=ScheduleId(row.id),
        name=row.name,
        what=What(row.what),
        site=row.site,
        cadence=row.cadence,
        zone=here,
        enabled=row.enabled,
        setting=row.setting,
        last_at=row.last_at,
        due_at=row.due_at,
        outcome=row.outcome,
        changed_by=row.changed_by,
        changed_at=row.changed_at,
        next_at=cadences.upcoming(begins, now) if begins else (),
        mistake=mistake,
    )
    window = place.window if place else ""
    asked = row.outcome == ASKED
    return Clocked(view, begins, (row.what, row.site, row.cadence, here, window, row.enabled, asked))


async def pulse(store: Store) -> tuple[Any, ...]:
    """Something else whenever schedules or sites were changed, by whomever."""
    changed = select(func.count(), func.max(Schedule.changed_at))
    async with store.read() as connection:
        row = (await connection.execute(changed)).one()
        places = [(site.name, site.zone, site.window) for site in await sites.stored(connection)]
    return (*row, tuple(places))


# --- changed ---


async def add(store: Store, new: NewSchedule, actor: str) -> ScheduleId:
    """Needs the right to change what runs. Raises Invalid."""
    async with store.write() as connection:
        values = await _checked(connection, new)
        if (await connection.scalar(select(func.count()).select_from(Schedule)) or 0) >= MOST_SCHEDULES:
            raise Invalid(f"there are {MOST_SCHEDULES} schedules already; remove one first")
        await _need_free_name(connection, values["name"], None)
        made = await _insert(connection, values, "", actor, store.now())
        await record(connection, Entry(actor, Action.SCHEDULE_PUT, f"schedule:{made}", {"is": values}))
        return made


async def change(store: Store, schedule: str, new: NewSchedule, actor: str) -> None:
    """Raises NotFound, Invalid, which also is for what the settings say."""
    async with store.write() as connection:
        row = await _row(connection, schedule)
        _need_ours(row)
        values = await _checked(connection, new)
        await _need_free_name(connection, values["name"], row.id)
        said = {"was": {name: getattr(row, name) for name in values}, "is": values}
        await record(connection, Entry(actor, Action.SCHEDULE_PUT, f"schedule:{row.id}", said))
        changed = values | {"changed_by": clean_text(actor), "changed_at": store.now(), "due_at": None}
        await connection.execute(update(Schedule).where(Schedule.id == row.id).values(**changed))


async def switch(store: Store, schedule: str, actor: str, *, on: bool) -> None:
    """Raises NotFound, Invalid for what the settings say."""
    async with store.write() as connection:
        row = await _row(connection, schedule)
        _need_ours(row)
        said = {"name": row.name, "was": row.enabled, "is": on}
        await record(connection, Entry(actor, Action.SCHEDULE_SWITCH, f"schedule:{row.id}", said))
        changed = {"enabled": on, "due_at": None, "changed_by": clean_text(actor), "changed_at": store.now()}
        await connection.execute(update(Schedule).where(Schedule.id == row.id).values(**changed))


async def remove(store: Store, schedule: str, actor: str) -> None:
    """Raises NotFound, Invalid for what the settings say, and for a default, which is turned off instead."""
    async with store.write() as connection:
        row = await _row(connection, schedule)
        _need_ours(row)
        if row.setting == DEFAULT:
            raise Invalid("this one comes with every installation: turn it off instead")
        was = {name: getattr(row, name) for name in _TYPED}
        await record(connection, Entry(actor, Action.SCHEDULE_REMOVE, f"schedule:{row.id}", {"was": was}))
        await connection.execute(delete(Schedule).where(Schedule.id == row.id))


async def ask_for(store: Store, schedule: str, actor: str) -> None:
    """The service begins it within a moment. Raises NotFound."""
    async with store.write() as connection:
        row = await _row(connection, schedule)
        await record(connection, _run_entry(row, actor))
        asked = {"changed_at": store.now(), "outcome": ASKED}
        await connection.execute(update(Schedule).where(Schedule.id == row.id).values(**asked))


async def told_to_run(store: Store, schedule: str, actor: str) -> None:
    """Written down before it is begun here and now. Raises NotFound."""
    async with store.write() as connection:
        await record(connection, _run_entry(await _row(connection, schedule), actor))


def _run_entry(row: Row[*tuple[Any, ...]], actor: str) -> Entry:
    return Entry(actor, Action.SCHEDULE_RUN, f"schedule:{row.id}", {"name": row.name, "what": row.what})


async def note(store: Store, schedule: str, **values: Any) -> None:  # noqa: ANN401 - columns
    async with store.write() as connection:
        await connection.execute(update(Schedule).where(Schedule.id == schedule).values(**values))


async def _row(connection: AsyncConnection, name_or_id: str) -> Row[*tuple[Any, ...]]:
    query = select(Schedule).where((Schedule.id == name_or_id) | (Schedule.name == name_or_id))
    row = (await connection.execute(query)).first()
    if row is None:
        raise NotFound(f"there is no schedule {clean_text(name_or_id, _MOST_NAME)!r}")
    return row


def _need_ours(row: Row[*tuple[Any, ...]]) -> None:
    if row.setting not in {"", DEFAULT}:
        raise Invalid(f"this one is set by {row.setting}: change it there, and start the service again")


async def _need_free_name(connection: AsyncConnection, name: str, but: str | None) -> None:
    found = await connection.scalar(select(Schedule.id).where(Schedule.name == name))
    if found is not None and found != but:
        raise Invalid("another schedule is called that")


async def _checked(connection: AsyncConnection, new: NewSchedule) -> dict[str, Any]:
    name = clean_text(new.name, _MOST_NAME)
    if not name:
        raise Invalid("a schedule has a name")
    cadence = cadences.parse(new.cadence)
    places = {site.name: site for site in await sites.stored(connection)}
    if new.site is not None and new.site not in places:
        raise Invalid("there is no such site")
    if new.site is not None and not new.what.of_a_site:
        raise Invalid(f"{new.what} is always of the whole estate")
    try:
        zone(new.zone or "UTC")
    except WindowError:
        raise Invalid("no time zone; write one such as Europe/Berlin") from None
    place = places.get(new.site) if new.site is not None else None
    cadences.trigger(cadence, new.zone or "UTC", place.window if place else "")
    values = asdict(replace(new, name=name, cadence=cadence.text))
    return {**values, "what": new.what.value}


async def _insert(
    connection: AsyncConnection, values: Mapping[str, Any], setting: str, actor: str, now: datetime
) -> ScheduleId:
    schedule = ScheduleId(new_id())
    row = {**values, "id": schedule, "setting": setting, "last_at": None, "due_at": None, "outcome": ""}
    await connection.execute(insert(Schedule), [{**row, "changed_by": clean_text(actor), "changed_at": now}])
    return schedule


# --- what the settings say ---

_NAMES: Mapping[str, tuple[str, What]] = MappingProxyType(
    {
        "scan_schedule": ("Scan of every camera", What.SCAN),
        "accuracy_schedule": ("Watch of the cameras' own AI", What.ACCURACY),
        "picture_minutes": ("Picture checks", What.PICTURES),
    }
)
_DEFAULTS = (
    NewSchedule("Picture checks", What.PICTURES, "every 60 minutes"),
    NewSchedule("Retention", What.RETENTION, "every 360 minutes"),
)


def wanted(settings: Settings) -> dict[str, NewSchedule | None]:
    """By the setting that says so; `None` where it says nothing. An interval of 0 is a schedule that is off."""
    said: dict[str, NewSchedule | None] = {}
    for setting, (name, what) in _NAMES.items():
        value = getattr(settings, setting)
        if what is not What.PICTURES:
            said[setting] = NewSchedule(name, what, value, zone=settings.schedule_zone) if value else None
        elif setting in settings.model_fields_set:
            said[setting] = NewSchedule(name, what, f"every {value or 60} minutes", enabled=value > 0)
        else:
            said[setting] = None
    return said


async def write_down(store: Store, settings: Settings) -> None:
    """What the settings say becomes rows, what they say no longer becomes a default or goes."""
    async with store.write() as connection:
        for new in _DEFAULTS:
            await _give(connection, new, DEFAULT, store.now())
        for setting, said in wanted(settings).items():
            if said:
                await _give(connection, said, setting, store.now())
                continue
            mine = Schedule.setting == setting
            if setting == "picture_minutes":
                await connection.execute(update(Schedule).where(mine).values(setting=DEFAULT))
            else:
                await connection.execute(delete(Schedule).where(mine))


async def _give(connection: AsyncConnection, new: NewSchedule, setting: str, now: datetime) -> None:
    """A default is made once, whatever people call it then; what a setting says is written each time."""
    same_work = select(Schedule).where(Schedule.what == new.what.value)
    row = (await connection.execute(same_work.where(Schedule.setting.in_([setting, DEFAULT])))).first()
    if row is None and setting == DEFAULT:
        row = (await connection.execute(same_work.where(Schedule.setting != ""))).first()
    if row is not None and setting == DEFAULT:
        return
    taken = await connection.scalar(select(Schedule.id).where(Schedule.name == new.name))
    name = f"{new.name} ({setting})" if taken is not None and taken != (row.id if row else None) else new.name
    values: dict[str, Any] = {**asdict(new), "name": name, "what": new.what.value}
    values["cadence"] = cadences.parse(new.cadence).text
    if row is None:
        await _insert(connection, values, setting, SERVICE, now)
    elif row.setting != setting or any(getattr(row, key) != value for key, value in values.items()):
        changed = values | {"setting": setting, "due_at": None, "changed_by": SERVICE, "changed_at": now}
        await connection.execute(update(Schedule).where(Schedule.id == row.id).values(**changed))


def after_every(view: ScheduleView) -> timedelta | None:
    """The length of an interval."""
    return cadences.parse(view.cadence).every

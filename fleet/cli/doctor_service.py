"""What `doctor` says of the service itself: its certificate, disk, database, key, schedules and notices."""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from fleet import readiness
from fleet import tls as certificates
from fleet.errors import FleetError
from fleet.notices.configured import channels
from fleet.schedules import cadences
from fleet.schedules import rows as schedule_rows
from fleet.settings import Settings
from fleet.tls import CertificateUnusable
from fleet.vault.key_moves import Where, key_place

State = Literal["ok", "warn", "fail"]
_SOON = timedelta(days=14)
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Line:
    """`advice` is what to do, "" where nothing is."""

    what: str
    state: State
    found: str
    advice: str = ""


def lines(settings: Settings) -> Iterator[Line]:
    """Every line, whatever happens to the others. A look makes nothing."""
    for look in (_disk, _database, _key, _tls, _schedules, _notices, _retention):
        yield look(settings)


def _disk(settings: Settings) -> Line:
    folder = next(folder for folder in (settings.home, *settings.home.absolute().parents) if folder.exists())
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Line("disk", "fail", error.strerror or "cannot be looked at", "look at the disk that holds the home")
    least, found = readiness.LEAST_FREE_BYTES, f"{free // _MIB:,} MiB free"
    if free < least:
        return Line(
            "disk", "fail", found, f"make room: below {least // _MIB} MiB the service says that it is not ready"
        )
    if free < 10 * least:
        return Line("disk", "warn", found, "make room soon, or keep history for fewer days (keep_raw_days)")
    return Line("disk", "ok", found)


def _database(settings: Settings) -> Line:
    head = readiness.head()
    if settings.database_url:
        return Line("database", "ok", f"PostgreSQL; this program works with revision {head}")
    if not settings.database.exists():
        return Line("database", "ok", f"SQLite, not made yet; this program works with revision {head}")
    return Line("database", "ok", f"SQLite, revision {head}, {settings.database.stat().st_size // _MIB:,} MiB")


def _key(settings: Settings) -> Line:
    try:
        place = asyncio.run(key_place(settings))
    except OSError as error:
        return Line("key", "fail", error.strerror or "cannot be looked at", f"give {settings.home} to this user")
    if place.why:
        return Line("key", "fail", place.why, "put that right before the next start: without it nothing starts")
    where, path = place.where, place.path
    if where is Where.NOWHERE:
        return Line("key", "ok", "not made yet")
    if where is Where.TRANSIT:
        found = f"{path}, wrapped by version {place.version} of transit key {settings.transit_key}, which opens it"
        return Line("key", "ok", f"{found}; are both in your backups?")
    if settings.transit_url:
        found = f"{path} is not wrapped by the transit engine of the settings"
        return Line("key", "warn", found, "run `camwarden vault to-transit`, or take transit_url out")
    return Line("key", "ok", f"{path}, for this user alone; is it in your backup?")


def _tls(settings: Settings) -> Line:
    tls = certificates.own_files(settings.home)
    if not tls.certificate.exists():
        return Line("certificate", "ok", "none made here; `serve` makes one where others reach it and you give none")
    try:
        said = certificates.facts(certificates.given(tls.certificate, tls.key).certificate)
    except CertificateUnusable as error:
        return Line("certificate", "warn", str(error), "the next `camwarden serve` makes another one")
    found = f"until {said.ends:%Y-%m-%d}, SHA-256 {said.fingerprint}"
    if said.ends - _SOON < datetime.now(UTC):
        return Line("certificate", "warn", found, "start the service: it is made anew, with another fingerprint")
    return Line("certificate", "ok", found)


def _schedules(settings: Settings) -> Line:
    now = datetime.now(UTC)
    due = {
        new.what.value: cadences.trigger(cadences.parse(new.cadence), new.zone or settings.schedule_zone)
        for new in schedule_rows.wanted(settings).values()
        if new and new.enabled
    }
    times = {name: trigger.get_next_fire_time(None, now) for name, trigger in due.items()}
    told = ", ".join(f"{name} at {at:%Y-%m-%d %H:%M %Z}" for name, at in times.items() if at)
    return Line(
        "schedules", "ok", f"next {told}" if told else "none by the settings; `camwarden schedule list` has all"
    )


def _notices(settings: Settings) -> Line:
    try:
        ways = [channel.name for channel in channels(settings)]
    except FleetError as error:
        return Line("notices", "fail", str(error), "correct the setting, or make the file readable by this user")
    if ways:
        return Line("notices", "ok", f"by {', '.join(ways)}")
    return Line("notices", "warn", "nobody is told of incidents", "set mail_to or webhook_url")


def _retention(settings: Settings) -> Line:
    raw, hourly = settings.keep_raw_days, settings.keep_hourly_days
    if hourly < raw:
        found = f"keep_hourly_days ({hourly}) ends before keep_raw_days ({raw})"
        return Line("history", "warn", found, "hours are kept as long as whole history is; set keep_hourly_days higher")
    return Line("history", "ok", f"whole for {raw} days, by the hour for {hourly}, then by the day")

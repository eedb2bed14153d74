"""Replies of Dahua's HTTP API as facts. Pure: what the camera sent goes in, a frozen value comes out.

An answer is `name=value` lines, `OK`, or `Error` and a line that says why, under HTTP 400 or under 200. A name that it
does not know looks on newer firmware as if the account lacked a right. A missing field is `None` ("it did not say").
"""

import re
from collections.abc import Iterable, Mapping
from typing import Literal

import httpx

from cameras.errors import DeviceError, Garbled, LockedOut, Refused, Unsupported
from cameras.facts import (
    Account,
    Accounts,
    ClockSource,
    DeviceLog,
    FirmwareState,
    Identity,
    IpFilter,
    Lockout,
    NetworkService,
    NetworkServices,
    Switch,
)
from cameras.http import Reply, refusal
from cameras.lockout import lock_hint
from cameras.onvif_replies import normal_mac
from cameras.untrusted import clean_text

MOST_LINES = 4096
MOST_ENTRIES = 64
Table = Mapping[str, str]

# --- the envelope ----------------------------------------------------------------------------------------------------

_ERROR = re.compile(r"\s*error\b[\s:]*(.*)", re.IGNORECASE | re.DOTALL)
_UNKNOWN = ("bad request", "not implemented", "not supported")


def complaint(reply: Reply, question: str, unknown: type[DeviceError]) -> DeviceError | None:
    """What the answer says against the question; `None` where it is no refusal.

    `unknown` is raised for what it may not know: it says the same to a bad name, a bad value and a lack of rights.
    """
    if reply.status == httpx.codes.UNAUTHORIZED:
        return refusal(reply, question)
    text = reply.body[:2000].decode("utf-8", "replace")
    said = _ERROR.match(text)
    if said is not None:
        if hint := lock_hint(reply.body):
            return LockedOut(f"{question}: {hint}")
        words = clean_text(said[1], 80)
        kind = unknown if not words or words.lower().startswith(_UNKNOWN) else Refused
        return kind(f"{question}: it says {words!r}")
    if reply.status == httpx.codes.FORBIDDEN and "authority" in text.lower():
        return unknown(f"{question}: it does not know this, or this account has no right to it")
    return refusal(reply, question)


def decode_table(reply: Reply, question: str, unknown: type[DeviceError] = Unsupported) -> Table:
    """Its lines by name. Text that runs over several lines keeps its first. Garbled where there is no such line."""
    if error := complaint(reply, question, unknown):
        raise error
    lines = reply.body.decode("utf-8", "replace").splitlines()
    if len(lines) > MOST_LINES:
        raise Garbled(f"{question}: more than {MOST_LINES} lines")
    pairs = (line.partition("=") for line in lines if _NAME.match(line))
    table = {name.strip(): value.strip() for name, _, value in pairs}
    if not table:
        raise Garbled(f"{question}: {clean_text(reply.body, 80)!r}")
    return table


_NAME = re.compile(r"\s*[A-Za-z][A-Za-z0-9_.\[\]-]*\s*=")


def expect_ok(reply: Reply, question: str, unknown: type[DeviceError] = Refused) -> None:
    """Refused where it says no, Garbled where it says anything else than OK."""
    if error := complaint(reply, question, unknown):
        raise error
    if reply.body.strip().upper() != b"OK":
        raise Garbled(f"{question}: {clean_text(reply.body, 80)!r}")


# --- who it is -------------------------------------------------------------------------------------------------------

_SOFTWARE = re.compile(r"(?P<version>[^,]+),\s*build\s*:?\s*(?P<built>\d{4}-\d\d-\d\d)\s*", re.IGNORECASE)


def decode_firmware(table: Table) -> str | None:
    """`version=2.820.0000000.48.R,build:2022-06-14`, in the words that ONVIF has for the same on these cameras."""
    said = text_of(table, "version")
    found = _SOFTWARE.fullmatch(said or "")
    return f"{found['version'].strip()}, Build Date {found['built']}" if found else said


def decode_firmware_state(table: Table) -> FirmwareState:
    version = decode_firmware(table)
    if version is None:
        raise Garbled("getSoftwareVersion: it names no version")
    return FirmwareState(version=version, committed=None, previous=None, rollback_in_s=None, boot_id=None)


def identity_of(vendor: Table, system: Table, software: Table, network: Table) -> Identity:
    """`vendor` is the label: Dahua's own name, or that of a company which sells its cameras."""
    interface = network.get("Network.DefaultInterface", "eth0")
    return Identity(
        manufacturer=text_of(vendor, "vendor"),
        model=text_of(system, "deviceType") or text_of(system, "type"),
        firmware=decode_firmware(software),
        serial=text_of(system, "serialNumber"),
        hardware=text_of(system, "hardwareVersion"),
        mac=normal_mac(network.get(f"Network.{interface}.PhysicalAddress")),
        driver="dahua",
    )


# --- accounts --------------------------------------------------------------------------------------------------------

# Rights of somebody who works with the camera; whoever has none of them may only look. All others manage it.
_OPERATES = re.compile(r"Auth(?:ManuCtr|PTZ|Backup|EventCfg|AVParam|Display)(?:_\d+)?")
_LOOKS = re.compile(r"(?:Monitor|Replay)_\d+")
_FIELD = re.compile(r"users\[(\d+)\]\.(Name|Group)")
_RIGHT = re.compile(r"users\[(\d+)\]\.AuthorityList\[\d+\]")


def decode_accounts(table: Table) -> Accounts:
    """getUserInfoAll. Group admin is an administrator; in group user the single rights tell an operator from a viewer,
    and on firmware that lists none everybody there is a viewer.
    """
    names, groups = _fields(table)
    if not names:
        raise Garbled("getUserInfoAll: it names no account")
    rights = _rights(table)
    rows = (Account(name, _role(groups.get(n), rights.get(n, ()))) for n, name in names.items())
    return Accounts(tuple(rows)[:MOST_ENTRIES])


def rights_for(table: Table, *, operator: bool) -> tuple[str, ...]:
    """Of the rights that this camera's accounts have, those of an operator or of a viewer, in its own order.

    Empty where it lists none.
    """
    known = dict.fromkeys(right for own in _rights(table).values() for right in own)
    return tuple(r for r in known if _LOOKS.fullmatch(r) or (operator and _OPERATES.fullmatch(r)))[:MOST_ENTRIES]


def tells_operators_apart(rights: Iterable[str]) -> bool:
    return any(_OPERATES.fullmatch(right) for right in rights)


def _fields(table: Table) -> tuple[dict[str, str], dict[str, str]]:
    found: dict[str, dict[str, str]] = {"Name": {}, "Group": {}}
    for name, value in table.items():
        if match := _FIELD.fullmatch(name):
            found[match[2]][match[1]] = clean_text(value)
    return {n: name for n, name in found["Name"].items() if name}, found["Group"]


def _rights(table: Table) -> dict[str, list[str]]:
    rights: dict[str, list[str]] = {}
    for name, value in table.items():
        if match := _RIGHT.fullmatch(name):
            rights.setdefault(match[1], []).append(clean_text(value, 60))
    return rights


def _role(group: str | None, rights: Iterable[str]) -> str:
    if group == "admin":
        return "Administrator"
    if group != "user":
        return "Extended"  # a group that its owner made
    return "Operator" if tells_operators_apart(rights) else "User"


# --- settings --------------------------------------------------------------------------------------------------------


def clock_source_of(table: Table) -> ClockSource:
    """Table NTP, which knows nothing of DHCP. Newer firmware has a list of servers beside the first one."""
    on = flag_of(table, "NTP.Enable")
    if on is False:
        return ClockSource(from_dhcp=False, servers=())
    names = ["NTP.Address", *(name for name in table if _SERVER.fullmatch(name) and _is_used(table, name))]
    servers = dict.fromkeys(text for name in names[:MOST_ENTRIES] if (text := text_of(table, name)))
    return ClockSource(from_dhcp=None if on is None else False, servers=tuple(servers))


_SERVER = re.compile(r"NTP\.ServerList\[\d+\]\.Address")


def _is_used(table: Table, name: str) -> bool:
    return flag_of(table, name.replace(".Address", ".Enable")) is not False


def network_services_of(rtsp: Table, https: Table, web: Table) -> NetworkServices:
    """For cameras whose ONVIF does not tell. The web server itself is never off."""
    rows = (
        NetworkService("HTTP", enabled=True if web else None, ports=ports_of(web, "Web.Port")),
        NetworkService("HTTPS", flag_of(https, "Https.Enable"), ports_of(https, "Https.Port")),
        NetworkService("RTSP", flag_of(rtsp, "RTSP.Enable"), ports_of(rtsp, "RTSP.Port")),
    )
    return NetworkServices(tuple(row for row in rows if row.enabled is not None or row.ports))


def lockout_of(table: Table) -> Lockout:
    """Table General. The time is in seconds."""
    if "General.LockLoginEnable" not in table:
        raise Unsupported("General: it has no settings for wrong passwords")
    lock_s = _number(table.get("General.LoginFailLockTime"))
    return Lockout(
        enabled=flag_of(table, "General.LockLoginEnable"),
        tries=_number(table.get("General.LockLoginTimes")),
        lock_s=None if lock_s is None else float(lock_s),
    )


_MODES: Mapping[str, Literal["allow", "deny"]] = {
    "TrustList": "allow",
    "WhiteList": "allow",
    "BannedList": "deny",
    "BlackList": "deny",
}


def ip_filter_of(table: Table) -> IpFilter:
    """Table AccessFilter: a list of who may come in or one of who may not; `Type` says which is used."""
    on, kind = flag_of(table, "AccessFilter.Enable"), table.get("AccessFilter.Type", "")
    if on is None:
        raise Garbled("AccessFilter: it does not say whether it is on")
    if not on:
        return IpFilter(mode="off", addresses=())
    listed = [value for name, value in table.items() if name.startswith(f"AccessFilter.{kind}[") and value]
    return IpFilter(mode=_MODES.get(kind), addresses=tuple(clean_text(value) for value in listed[:MOST_ENTRIES]))


SNMP_VERSIONS = ("SNMP.V1Enable", "SNMP.V2Enable")


def snmp_of(table: Table) -> Switch:
    """The versions that know no password. Where it does not tell versions apart, all of them."""
    on = flag_of(table, "SNMP.Enable")
    versions = [flag_of(table, name) for name in SNMP_VERSIONS if name in table]
    return Switch("snmp-v1-v2c", on if not versions or on is None else on and any(versions))


# --- firmware and log ------------------------------------------------------------------------------------------------

_FAILED = re.compile(r"fail|error|invalid", re.IGNORECASE)


def upgrade_failed(table: Table) -> str | None:
    """What getState says of an image that it will not run, `None` where it says nothing against it."""
    state = text_of(table, "state.State") or text_of(table, "State")
    return state if state and _FAILED.search(state) else None


_ITEM = re.compile(r"items\[(\d{1,6})\]\.(Time|Type|User|Detail)")
_ISO = re.compile(r"(\d{4})-(\d\d?)-(\d\d?) (.*)")
_EUROPEAN = re.compile(r"(\d\d?)-(\d\d?)-(\d{4}) (.*)")


def decode_log_page(table: Table) -> list[str]:
    """doFind: one line for each entry, its time as YYYY-MM-DD first. Some firmware writes the day first."""
    items: dict[int, dict[str, str]] = {}
    for name, value in table.items():
        if match := _ITEM.fullmatch(name):
            items.setdefault(int(match[1]), {})[match[2]] = clean_text(value)
    fields = ("Time", "User", "Type", "Detail")
    return [
        " ".join(_dated(item[name]) if name == "Time" else item[name] for name in fields if item.get(name))
        for _, item in sorted(items.items())
    ]


def _dated(stamp: str) -> str:
    if day_first := _EUROPEAN.fullmatch(stamp):
        day, month, year, rest = day_first.groups()
        return f"{year}-{int(month):02}-{int(day):02} {rest}"
    if year_first := _ISO.fullmatch(stamp):
        year, month, day, rest = year_first.groups()
        return f"{year}-{int(month):02}-{int(day):02} {rest}"
    return stamp


def log_of(lines: list[str], most: int) -> DeviceLog:
    """The end of it, oldest line first, whichever way round the camera told it."""
    return DeviceLog(tuple(sorted(lines, key=lambda line: line[:19])[-most:]))


# --- reading loosely typed values ------------------------------------------------------------------------------------


def text_of(table: Table, name: str) -> str | None:
    return clean_text(table.get(name, "")) or None


def flag_of(table: Table, name: str) -> bool | None:
    return {"true": True, "false": False}.get(table.get(name, "").lower())


def ports_of(table: Table, name: str) -> tuple[int, ...]:
    number = _number(table.get(name))
    return (number,) if number and number < 65536 else ()  # noqa: PLR2004 - the range of ports


def _number(value: str | None) -> int | None:
    return int(value) if value is not None and re.fullmatch(r"[0-9]{1,9}", value) else None

"""ISAPI documents as facts. Pure: what the camera sent goes in, a frozen value comes out; a field report becomes a row.

A missing element is `None` ("it did not say"), a list that is none is Garbled.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cameras.driver import Role
from cameras.errors import Garbled, Unsupported
from cameras.facts import (
    Account,
    Accounts,
    App,
    Apps,
    Certificate,
    Certificates,
    ClockSource,
    FirmwareState,
    Identity,
    IpFilter,
    Lockout,
    NetworkService,
    NetworkServices,
    SyslogTarget,
)
from cameras.http import Reply
from cameras.isapi_documents import (
    MOST_ENTRIES,
    Node,
    children,
    document,
    error_of,
    find,
    flag,
    local_name,
    number,
    port,
    text,
)
from cameras.onvif_replies import normal_mac
from cameras.untrusted import clean_text

NOBODY = "0.0.0.0"  # noqa: S104 - an address that means "none" here

# --- who it is -------------------------------------------------------------------------------------------------------


def decode_identity(info: Node, manufacturer: str | None) -> Identity:
    """deviceInfo, which on most cameras does not name who sells it."""
    return Identity(
        manufacturer=text(info, "manufacturer") or manufacturer,
        model=text(info, "model"),
        firmware=_firmware(info),
        serial=text(info, "serialNumber"),
        hardware=text(info, "hardwareVersion"),
        mac=normal_mac(text(info, "macAddress")),
        driver="hikvision",
    )


def decode_firmware_state(info: Node) -> FirmwareState:
    """deviceInfo: what runs, which stays."""
    version = _firmware(info)
    if version is None:
        raise Garbled("deviceInfo: it names no firmware")
    return FirmwareState(version=version, committed=None, previous=None, rollback_in_s=None, boot_id=None)


def _firmware(info: Node) -> str | None:
    """ "V5.7.3" and "build 220112" stand apart; together they are what ONVIF says. Some write both into the first."""
    version, build = text(info, "firmwareVersion"), text(info, "firmwareReleasedDate")
    if version is None or build is None or build.lower() in version.lower() or not build.lower().startswith("build"):
        return version
    return f"{version} {build}"


# --- accounts --------------------------------------------------------------------------------------------------------

ROLES: Mapping[str, str] = {"administrator": "Administrator", "operator": "Operator", "viewer": "User"}
LEVELS: Mapping[Role, str] = {"Administrator": "Administrator", "Operator": "Operator", "User": "Viewer"}


def decode_accounts(users: Node) -> Accounts:
    """Security/users."""
    rows = children(users, "User")
    levels = [(text(row, "userName") or "", (text(row, "userLevel") or "").lower()) for row in rows]
    return Accounts(tuple(Account(name, ROLES.get(level, "Extended")) for name, level in levels))


# --- services --------------------------------------------------------------------------------------------------------


def accesses(listed: Node) -> Mapping[str, Node]:
    """adminAccesses by protocol. Unsupported where it lists none: we came in by one of them."""
    found = {(text(row, "protocol") or "").upper(): row for row in children(listed, "AdminAccessProtocol")}
    if not found:
        raise Unsupported("adminAccesses: it lists no protocol")
    return found


def decode_network_services(listed: Node) -> NetworkServices:
    """adminAccesses. The SDK's port and others of the vendor are left out."""
    rows = accesses(listed)
    return NetworkServices(
        tuple(
            NetworkService(name, flag(rows[name], "enabled"), _ports(rows[name]))
            for name in ("HTTP", "HTTPS", "RTSP")
            if name in rows
        )
    )


def _ports(row: Node) -> tuple[int, ...]:
    at = port(row, "portNo")
    return () if at is None else (at,)


def decode_clock_source(clock: Node, listed: Node | None) -> ClockSource:
    """time and time/ntpServers. ISAPI knows servers that were set by hand only; by its own clock there are none."""
    mode = (text(clock, "timeMode") or "").upper()
    if not mode:
        raise Garbled("time: it does not say what its clock follows")
    if mode != "NTP" or listed is None:
        return ClockSource(from_dhcp=False, servers=())
    hosts = (host_of(row) for row in children(listed, "NTPServer"))
    return ClockSource(from_dhcp=False, servers=tuple(host for host in hosts if host))


def host_of(node: Node) -> str | None:
    """The host that an element with an `addressingFormatType` means; `None` for none."""
    by_name = (text(node, "addressingFormatType") or "").lower() == "hostname"
    order = ("hostName", "ipAddress") if by_name else ("ipAddress", "ipv6Address", "hostName")
    found = (said for name in order if (said := text(node, name)) and said not in (NOBODY, "::"))
    return next(found, None)


def decode_syslog_target(server: Node) -> SyslogTarget:
    """logServer. How it sends what is not encrypted is not said anywhere."""
    enabled, host = flag(server, "enabled"), host_of(server)
    if enabled is None and find(server, "portNo") is None:
        raise Garbled("logServer: it says nothing of a server")
    return SyslogTarget(
        enabled=enabled,
        server=host or "",
        port=port(server, "portNo"),
        protocol="tls" if flag(server, "transmissionEncryption") else None,
    )


def decode_lockout(lock: Node) -> Lockout:
    """illegalLoginLock."""
    seconds = number(lock, "maxIllegalLoginLockTime")
    return Lockout(
        enabled=flag(lock, "enabled"),
        tries=number(lock, "maxIllegalLoginTimes"),
        lock_s=None if seconds is None else float(seconds),
    )


def decode_ip_filter(said: Node) -> IpFilter:
    """ipFilter. Older documents write the address without an AddressMask around it."""
    on, kind = flag(said, "enabled"), (text(said, "permissionType") or "").lower()
    listed = find(said, "IPFilterAddressList")
    rows = [] if listed is None else children(listed, "IPFilterAddress")
    found = (text(row, "AddressMask/ipAddress") or text(row, "ipAddress") for row in rows)
    addresses = tuple(address for address in found if address)
    if on is None or (on and kind not in ("allow", "deny")):
        return IpFilter(mode=None, addresses=addresses)
    return IpFilter(mode="off" if not on else "allow" if kind == "allow" else "deny", addresses=addresses)


# --- certificates ----------------------------------------------------------------------------------------------------


def decode_certificates(reply: Reply) -> Certificates:
    """serverCertificate/certificates, in JSON. An end that names no time zone is taken for UTC."""
    if error := error_of(reply, "certificates"):
        raise error
    if reply.body.lstrip()[:1] == b"<":
        document(reply, "", "certificates")
    try:
        said = json.loads(reply.body)
    except (ValueError, RecursionError) as error:
        raise Garbled(f"certificates: not JSON: {clean_text(reply.body, 80)!r}") from error
    rows = said.get("CertificateInfo") if isinstance(said, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Garbled("certificates: a list that is none")
    return Certificates(tuple(_certificate(row) for row in rows[:MOST_ENTRIES]))


def _certificate(row: Mapping[str, Any]) -> Certificate:
    words = {key: clean_text(value) or None for key, value in row.items() if isinstance(value, str)}
    kind = words.get("type")
    return Certificate(
        id=words.get("customID") or "",
        subject=words.get("subjectDN"),
        issuer=words.get("issuerDN"),
        not_after=_utc(words.get("endDate")),
        serves=None if kind is None else "HTTPS" in kind.upper(),
    )


def _utc(said: str | None) -> str | None:
    try:
        when = datetime.fromisoformat(said or "")
    except ValueError:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


# --- firmware and applications ---------------------------------------------------------------------------------------


def decode_backup(reply: Reply) -> bytes:
    """configurationData: a file, and never a document."""
    if error := error_of(reply, "configurationData"):
        raise error
    if not reply.body:
        raise Garbled("configurationData: it is empty")
    if reply.body.lstrip()[:1] == b"<":
        document(reply, "configurationData", "configurationData")
        raise Garbled("configurationData: a document in place of a file")
    return reply.body


def decode_apps(listed: Node) -> Apps:
    """Custom/OpenPlatform/App. Nobody showed a version in it yet."""
    return Apps(
        tuple(
            App(
                id=text(row, "id") or "",
                name=text(row, "packageName"),
                version=text(row, "version") or text(row, "packageVersion"),
                running=flag(row, "runStatus"),
            )
            for row in children(listed, "App")
        )
    )


def is_activate_status(root: Node) -> bool:
    """activateStatus, which a camera answers to anybody: whatever label it has, it is one of this family."""
    return local_name(root) == "ActivateStatus" and flag(root, "Activated") is not None

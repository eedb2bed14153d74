"""ONVIF operations that change the camera, by the Core specification: who may, what is refused, what is answered.

All of them need an administrator (access classes WRITE_SYSTEM and UNRECOVERABLE). Each function reads the message,
changes the device and returns the body of the answer, or raises `Refusal` with the specification's fault codes.
"""

import ipaddress
import re
import secrets
import time
from calendar import timegm
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import cast, get_args

from lxml import etree

from simulator.accounts import LONGEST_NAME, MOST_ACCOUNTS, RULES
from simulator.device import Device
from simulator.onvif import xaddr
from simulator.plan import Account, CameraPlan, Role
from simulator.vendors import VENDORS

UPLOAD_DELAY_S = 0.05
SERVER_FROM_DHCP = "192.0.2.123"
BACKUP_PATH, UPGRADE_PATH, RESTORE_PATH = "/onvif/system/backup", "/onvif/upload/upgrade-", "/onvif/upload/restore-"
_HOST_NAME = re.compile(
    r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*"
)
_TIME_ZONE = re.compile(r"(<[+\-A-Za-z0-9]{3,}>|[A-Za-z]{3,})[+-]?\d{1,2}(:\d\d){0,2}.{0,60}")


class Refusal(Exception):
    """A fault: Sender or Receiver, the ONVIF subcodes from outer to inner, and the text."""

    def __init__(self, side: str, codes: tuple[str, ...], text: str) -> None:
        super().__init__(text)
        self.side = side
        self.codes = codes
        self.text = text


def _bad_value(code: str, text: str) -> Refusal:
    return Refusal("Sender", ("InvalidArgVal", code), text)


def _prohibited(code: str, text: str) -> Refusal:
    return Refusal("Sender", ("OperationProhibited", code), text)


@dataclass(frozen=True, slots=True)
class Part:
    """An element of the message, its children found by local name."""

    element: etree._Element

    def __iter__(self) -> Iterator["Part"]:
        return (Part(child) for child in self.element.iterchildren(tag=etree.Element))

    @property
    def name(self) -> str:
        return etree.QName(self.element).localname

    @property
    def text(self) -> str:
        return (self.element.text or "").strip()

    def all(self, name: str) -> list["Part"]:
        return [part for part in self if part.name == name]

    def get(self, name: str) -> "Part | None":
        return next((part for part in self if part.name == name), None)

    def said(self, name: str) -> str | None:
        part = self.get(name)
        return None if part is None else part.text

    def need(self, name: str) -> str:
        """Raises Refusal where the schema demands what is missing."""
        text = self.said(name)
        if text is None:
            raise Refusal("Sender", ("InvalidArgs",), f"{name} is missing")
        return text


def operation(message: bytes) -> Part:
    """The element inside the body. Raises Refusal for what is no XML."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        body = Part(etree.fromstring(message, parser)).get("Body")
    except etree.XMLSyntaxError:
        body = None
    asked = next(iter(body), None) if body is not None else None
    if asked is None:
        raise Refusal("Sender", ("WellFormed",), "Well-formed Error")
    return asked


# --- settings ---


def _set_ntp(device: Device, asked: Part) -> str:
    from_dhcp = _flag(asked.need("FromDHCP"))
    servers = tuple(_server(part) for part in asked.all("NTPManual"))
    if from_dhcp:
        servers = (SERVER_FROM_DHCP,)
    synced = device.plan.clock_source == "NTP" and servers
    offset = 0 if synced else device.plan.clock_offset_s
    device.change(ntp_from_dhcp=from_dhcp, ntp_servers=servers, clock_offset_s=offset)
    return ""


def _server(part: Part) -> str:
    kind = part.need("Type")
    if kind == "DNS":
        name = part.said("DNSname") or ""
        if not _HOST_NAME.fullmatch(name.lower()):
            raise _bad_value("InvalidDnsName", "The DNS name is not valid")
        return name
    address = part.said(f"{kind}Address") or ""
    try:
        return str(ipaddress.IPv4Address(address) if kind == "IPv4" else ipaddress.IPv6Address(address))
    except ValueError:
        raise _bad_value(f"Invalid{kind}Address", "The suggested address is not valid") from None


def _set_clock(device: Device, asked: Part) -> str:
    plan = device.plan
    kind = asked.need("DateTimeType")
    zone_part = asked.get("TimeZone")
    zone = plan.timezone if zone_part is None else zone_part.need("TZ")
    if not _TIME_ZONE.fullmatch(zone):
        raise _bad_value("InvalidTimeZone", "An invalid time zone was specified")
    if kind == "NTP":
        if not plan.ntp_servers:
            raise _bad_value("NtpServerUndefined", "Cannot switch DateTimeType to NTP because no NTP server is defined")
        device.change(clock_source="NTP", timezone=zone, clock_offset_s=0)
        return ""
    if kind != "Manual":
        raise _bad_value("InvalidDateTime", "No such DateTimeType")
    given = asked.get("UTCDateTime")
    offset = plan.clock_offset_s if given is None else round(_stamp(given) - time.time())
    device.change(clock_source="Manual", timezone=zone, clock_offset_s=offset)
    return ""


def _stamp(given: Part) -> int:
    day, clock = given.get("Date"), given.get("Time")
    if day is None or clock is None:
        raise _bad_value("InvalidDateTime", "An invalid date or time was specified")
    words = [*(day.need(n) for n in ("Year", "Month", "Day")), *(clock.need(n) for n in ("Hour", "Minute", "Second"))]
    text = "-".join(words)
    try:
        return timegm(time.strptime(text, "%Y-%m-%d-%H-%M-%S"))
    except ValueError:
        raise _bad_value("InvalidDateTime", "An invalid date or time was specified") from None


def _set_discovery_mode(device: Device, asked: Part) -> str:
    mode = asked.need("DiscoveryMode")
    if mode not in ("Discoverable", "NonDiscoverable"):
        raise Refusal("Sender", ("InvalidArgVal",), "No such discovery mode")
    device.change(discoverable=mode == "Discoverable")
    return ""


def _set_protocols(device: Device, asked: Part) -> str:
    plan = device.plan
    ports: dict[str, int | None] = {
        "HTTP": plan.http_port,
        "HTTPS": plan.https_port,
        "RTSP": plan.rtsp_port if plan.rtsp_on else None,
    }
    usual = dict(zip(ports, plan.usual_ports, strict=True))
    for part in asked.all("NetworkProtocols"):
        name = part.need("Name")
        if name not in ports:
            raise _bad_value("ServiceNotSupported", "The supplied network service is not supported")
        on = _flag(part.need("Enabled"))
        given = part.said("Port")
        usual[name] = _port(given) if given and on else usual[name]
        ports[name] = usual[name] if on else None
    _refuse_clash(device, ports)
    device.change(
        http_port=ports["HTTP"],
        https_port=ports["HTTPS"],
        rtsp_port=usual["RTSP"],
        rtsp_on=ports["RTSP"] is not None,
        usual_ports=(usual["HTTP"], usual["HTTPS"], usual["RTSP"]),
    )
    return ""


def _refuse_clash(device: Device, ports: Mapping[str, int | None]) -> None:
    if ports["HTTP"] is None and ports["HTTPS"] is None:
        raise _bad_value("ServiceNotSupported", "HTTP and HTTPS cannot both be disabled")
    taken = [*(p for p in ports.values() if p), *(extra.port for extra in device.plan.extra_ports)]
    if len(taken) != len(set(taken)):
        raise _bad_value("PortAlreadyInUse", "The selected port is already in use")


def _port(text: str) -> int:
    if not (text.isdigit() and 0 < int(text) < 65536):  # noqa: PLR2004 - the range of ports
        raise Refusal("Sender", ("InvalidArgVal",), "No such port")
    return int(text)


def _flag(text: str) -> bool:
    if text not in ("true", "false", "1", "0"):
        raise Refusal("Sender", ("InvalidArgVal",), "Not a boolean")
    return text in ("true", "1")


# --- accounts ---


def _create_users(device: Device, asked: Part) -> str:
    accounts = [_new_account(device, part) for part in asked.all("User")]
    names = [*(a.name for a in device.plan.accounts), *(a.name for a in accounts)]
    if not accounts:
        raise Refusal("Sender", ("InvalidArgs",), "User is missing")
    if len(names) != len(set(names)):
        raise _prohibited("UsernameClash", "Username already exists")
    if len(names) > MOST_ACCOUNTS:
        raise Refusal("Receiver", ("Action", "TooManyUsers"), "Maximum number of supported users exceeded")
    device.create_accounts("onvif", accounts)
    return ""


def _new_account(device: Device, part: Part) -> Account:
    name, password, level = part.need("Username"), part.said("Password") or "", part.need("UserLevel")
    if not name:
        raise _prohibited("UsernameTooShort", "The username is too short")
    if len(name) > LONGEST_NAME:
        raise _prohibited("UsernameTooLong", "The username is too long")
    _refuse_password(device, password)
    return Account(name, password, _role(level))


def _refuse_password(device: Device, password: str) -> None:
    rule = RULES[device.plan.vendor]
    if rule.too_long(password):
        raise _prohibited("PasswordTooLong", "The password is too long")
    if rule.too_weak(password):
        raise _prohibited("PasswordTooWeak", "Too weak password")


def _role(level: str) -> Role:
    if level not in get_args(Role):
        raise Refusal("Sender", ("InvalidArgVal",), "The user level is not supported")
    return cast("Role", level)


def _set_user(device: Device, asked: Part) -> str:
    """All or nothing: everything is checked before the first change."""
    known = {account.name: account for account in device.plan.accounts}
    changes: list[tuple[str, str | None, Role]] = []
    for part in asked.all("User"):
        name, password, role = part.need("Username"), part.said("Password"), _role(part.need("UserLevel"))
        if name not in known:
            raise _bad_value("UsernameMissing", "Username not recognized")
        if password is not None:
            _refuse_password(device, password)
        if name == VENDORS[device.plan.vendor].admin and role != known[name].role:
            raise _bad_value("FixedUser", "This user's level may not be changed")
        changes.append((name, password, role))
    for name, password, role in changes:
        device.modify_account("onvif", name, password=password, role=role if role != known[name].role else None)
    return ""


def _delete_users(device: Device, asked: Part) -> str:
    names = [part.text for part in asked.all("Username")]
    known = [account.name for account in device.plan.accounts]
    for name in names:
        if name not in known:
            raise _bad_value("UsernameMissing", "Username not recognized")
        if name == VENDORS[device.plan.vendor].admin:
            raise _bad_value("FixedUser", "Username may not be deleted")
    device.remove_accounts("onvif", names)
    return ""


# --- restarts, backups, firmware ---


def _reboot(device: Device, _asked: Part) -> str:
    device.restart()
    return "<tds:Message>Rebooting</tds:Message>"


def _system_uris(device: Device, _asked: Part) -> str:
    _refuse_without_transfers(device)
    return f"<tds:SystemBackupUri>{xaddr(device.plan)}{BACKUP_PATH}</tds:SystemBackupUri>"


def _start_upgrade(device: Device, _asked: Part) -> str:
    return _upload(device, UPGRADE_PATH, f"<tds:UploadDelay>PT{UPLOAD_DELAY_S}S</tds:UploadDelay>")


def _start_restore(device: Device, _asked: Part) -> str:
    return _upload(device, RESTORE_PATH, "")


def _upload(device: Device, path: str, delay: str) -> str:
    """An address that takes one file; a later request makes the earlier address invalid."""
    _refuse_without_transfers(device)
    device.upload_token = secrets.token_hex(8)
    device.upload_opens_at = time.monotonic() + (UPLOAD_DELAY_S if delay else 0)
    uri = f"<tds:UploadUri>{xaddr(device.plan)}{path}{device.upload_token}</tds:UploadUri>"
    return f"{uri}{delay}<tds:ExpectedDownTime>PT{device.plan.reboot_s}S</tds:ExpectedDownTime>"


def _refuse_without_transfers(device: Device) -> None:
    if not has_transfers(device.plan):
        raise Refusal("Receiver", ("ActionNotSupported",), "Optional Action Not Implemented")


def has_transfers(plan: CameraPlan) -> bool:
    """Axis keeps firmware and settings to its own API, older cameras to files inside messages; capabilities say so."""
    return plan.vendor != "axis" and "mtom" not in plan.quirks


WRITES: Mapping[str, Callable[[Device, Part], str]] = MappingProxyType(
    {
        "SetNTP": _set_ntp,
        "SetSystemDateAndTime": _set_clock,
        "SetDiscoveryMode": _set_discovery_mode,
        "SetNetworkProtocols": _set_protocols,
        "CreateUsers": _create_users,
        "SetUser": _set_user,
        "DeleteUsers": _delete_users,
        "SystemReboot": _reboot,
        "GetSystemUris": _system_uris,
        "StartFirmwareUpgrade": _start_upgrade,
        "StartSystemRestore": _start_restore,
    }
)
"""Operations of the device service; the answer's element is the operation's name and "Response"."""

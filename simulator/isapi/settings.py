"""Documents that are read and written whole: what is at which path, and what a change of it does.

`/ISAPI/System/Network/…`, the clock, the log server, the lock. Only SNMP says that it wants a restart, and means it no
more than cameras do: what was told is in force at once.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from ipaddress import ip_address
from types import MappingProxyType

from simulator.api import Answer, Call, Group, Page
from simulator.isapi.documents import (
    BAD_METHOD,
    BAD_PARAMETERS,
    NOT_SUPPORTED,
    OK,
    REBOOT,
    Element,
    Fields,
    Given,
    Told,
    answer,
    complete,
    element,
    given,
    reading,
    said,
    word,
)
from simulator.isapi.state import keep, kept
from simulator.plan import NEVER_LOCKS, CameraPlan, ExtraPort, SyslogServer
from simulator.vapix.parameters import shell, with_service
from simulator.vendors import VENDORS

NOBODY = "0.0.0.0"  # noqa: S104 - an address that means "none" here
MOST_TIME_SERVERS = 1
MOST_ADDRESSES = 48
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}")
_ZONE = re.compile(r"[A-Za-z<>+-]+?([+-]?\d{1,2})(?::(\d\d))?(?::\d\d)?(?:[A-Za-z,].*)?")
_LOW = 1024


@dataclass(frozen=True, slots=True)
class Document:
    """`write` None: it is only read. It raises Told for nonsense."""

    read: Callable[[CameraPlan], Element]
    write: Callable[[CameraPlan, Given], Fields] | None = None
    wants_restart: bool = False

    def page(self) -> Page:
        return Page(by_method, reading(self._answer))

    def _answer(self, call: Call) -> Answer:
        device, method = call.device, call.request.method
        like = self.read(device.plan)
        if method == "GET":
            return answer(call, like)
        if method != "PUT":
            return said(call, BAD_METHOD)
        if self.write is None:
            return said(call, NOT_SUPPORTED)
        found = given(device.plan, call.request.body, like.name)
        complete(found, like)
        device.change(**self.write(device.plan, found))
        return said(call, REBOOT if self.wants_restart else OK)


def by_method(call: Call) -> Group:
    return "operator" if call.request.method == "GET" else "admin"


# --- services ---


def _port(name: str, usual: Callable[[CameraPlan], ExtraPort]) -> Document:
    def read(plan: CameraPlan) -> Element:
        return element(name, enabled=word(any(port.service == usual(plan).service for port in plan.extra_ports)))

    return Document(read, lambda plan, said: with_service(plan, usual(plan), on=said.flag("enabled")))


def _telnet(plan: CameraPlan) -> ExtraPort:
    return ExtraPort(23 if plan.rtsp_port < _LOW else 2323, "telnet")


def _remembered(name: str, *more: Element) -> Document:
    """A document with a switch of its own, `more` beside it."""

    def read(plan: CameraPlan) -> Element:
        return element(name, *more, enabled=kept(plan, f"{name}/enabled"))

    return Document(read, lambda plan, said: keep(plan, **{f"{name}__enabled": word(said.flag("enabled"))}))


def _snmp(plan: CameraPlan) -> Element:
    def version(name: str, *more: Element) -> Element:
        return element(name, *more, enabled=kept(plan, f"SNMP/{name}/enabled"))

    community = (Element("writeCommunity", "private"), Element("readCommunity", "public"))
    return element(
        "SNMP",
        version("SNMPv1c", *community),
        version("SNMPv2c", *community),
        version("SNMPAdvanced", Element("localEngineID", "0x0000")),
        Element("listenPort", "161"),
    )


def _set_snmp(plan: CameraPlan, given: Given) -> Fields:
    versions = ("SNMPv1c", "SNMPv2c", "SNMPAdvanced")
    return keep(plan, **{f"SNMP__{name}__enabled": word(given.flag(f"{name}/enabled")) for name in versions})


def _integrate(plan: CameraPlan) -> Element:
    onvif = element("ONVIF", enable=kept(plan, "Integrate/ONVIF/enable"), certificateType="digest/wsse")
    return element(
        "Integrate", onvif, element("CGI", enable=kept(plan, "Integrate/CGI/enable"), certificateType="digest")
    )


def _set_integrate(plan: CameraPlan, given: Given) -> Fields:
    return keep(plan, **{f"Integrate__{name}__enable": word(given.flag(f"{name}/enable")) for name in ("ONVIF", "CGI")})


# --- the clock ---


def _zone(plan: CameraPlan) -> timezone:
    """POSIX: what is east of Greenwich is written with a minus. Summer time is left to the camera's calendar."""
    found = _ZONE.fullmatch(plan.timezone)
    return timezone(timedelta(hours=-int(found[1]) if found else 0))


def _time(plan: CameraPlan) -> Element:
    local = datetime.fromtimestamp(time.time() + plan.clock_offset_s, UTC).astimezone(_zone(plan))
    mode = "NTP" if plan.clock_source == "NTP" else "manual"
    return element("Time", timeMode=mode, localTime=local.isoformat(timespec="seconds"), timeZone=plan.timezone)


def _set_time(plan: CameraPlan, given: Given) -> Fields:
    zone = given.need("timeZone")
    if _ZONE.fullmatch(zone) is None:
        raise Told(BAD_PARAMETERS)
    mode = given.need("timeMode")
    if mode == "NTP":
        offset = 0 if plan.ntp_servers else plan.clock_offset_s
        return {"clock_source": "NTP", "timezone": zone, "clock_offset_s": offset}
    if mode != "manual":
        raise Told(BAD_PARAMETERS)
    try:
        local = datetime.fromisoformat(given.need("localTime"))
    except ValueError:
        raise Told(BAD_PARAMETERS) from None
    local = local if local.tzinfo else local.replace(tzinfo=_zone(plan))
    return {"clock_source": "Manual", "timezone": zone, "clock_offset_s": round(local.timestamp() - time.time())}


def address(host: str) -> tuple[Element, ...]:
    kind, name = ("ipaddress", "ipAddress") if _is_address(host) else ("hostname", "hostName")
    return Element("addressingFormatType", kind), Element(name, host)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def addressed(given: Given) -> str:
    """The host that is meant, "" for none. Raises Told."""
    kind = given.need("addressingFormatType")
    host = given.need("hostName" if kind == "hostname" else "ipAddress")
    if kind not in ("hostname", "ipaddress") or _HOST.fullmatch(host) is None:
        raise Told(BAD_PARAMETERS)
    if kind == "ipaddress" and not _is_address(host):
        raise Told(BAD_PARAMETERS)
    return "" if host == NOBODY else host


def _time_servers(plan: CameraPlan) -> Element:
    servers = plan.ntp_servers or (NOBODY,)
    return element("NTPServerList", *(_time_server(n, server) for n, server in enumerate(servers, 1)))


def _time_server(number: int, server: str) -> Element:
    rest = (Element("portNo", "123"), Element("synchronizeInterval", "1440"))
    return element("NTPServer", Element("id", str(number)), *address(server), *rest)


def _set_time_servers(plan: CameraPlan, given: Given) -> Fields:
    servers = tuple(server for entry in given.all("NTPServer") if (server := addressed(entry)))
    if len(given.all("NTPServer")) > max(MOST_TIME_SERVERS, len(plan.ntp_servers)):
        raise Told(BAD_PARAMETERS)
    offset = 0 if servers and plan.clock_source == "NTP" else plan.clock_offset_s
    return {"ntp_from_dhcp": False, "ntp_servers": servers, "clock_offset_s": offset}


# --- the log server ---


def _log_server(plan: CameraPlan) -> Element:
    first = plan.syslog[0] if plan.syslog else SyslogServer(NOBODY, 514, "UDP", "info")
    return element(
        "LogServer",
        Element("enabled", word(plan.syslog_on)),
        *address(first.address),
        Element("portNo", str(first.port)),
        Element("uploadInterval", "1"),
        Element("transmissionEncryption", word(first.protocol == "TLS")),
    )


def _set_log_server(_plan: CameraPlan, given: Given) -> Fields:
    host, on = addressed(given), given.flag("enabled")
    if on and not host:
        raise Told(BAD_PARAMETERS)
    protocol = "TLS" if given.flag("transmissionEncryption") else "UDP"
    server = SyslogServer(host, given.number("portNo", 1, 65535), protocol, "info")  # type: ignore[arg-type] # one of two
    return {"syslog": (server,) if host else (), "syslog_on": on}


# --- who may come in ---


def _lock(plan: CameraPlan) -> Element:
    on = plan.lock_after != NEVER_LOCKS
    tries = str(plan.lock_after) if on else kept(plan, "IllegalLoginLock/maxIllegalLoginTimes")
    return element(
        "IllegalLoginLock",
        enabled=word(on),
        maxIllegalLoginTimes=tries or str(VENDORS[plan.vendor].lock_after),
        maxIllegalLoginLockTime=str(round(plan.lock_s)),
    )


def _set_lock(plan: CameraPlan, given: Given) -> Fields:
    tries = given.number("maxIllegalLoginTimes", 3, 20)
    seconds = given.number("maxIllegalLoginLockTime", 60, 86400)
    on = given.flag("enabled")
    memory = keep(plan, IllegalLoginLock__maxIllegalLoginTimes=str(tries))
    return {**memory, "lock_after": tries if on else NEVER_LOCKS, "lock_s": float(seconds)}


def _ip_filter(plan: CameraPlan) -> Element:
    mode = kept(plan, "IPFilter/permissionType")
    listed = [a for a in kept(plan, "IPFilter/addresses").split(",") if a]
    rows = (
        element(
            "IPFilterAddress",
            element("AddressMask", ipAddress=one),
            id=str(number),
            permissionType=mode,
            addressFilterType="mask",
        )
        for number, one in enumerate(listed, 1)
    )
    return element(
        "IPFilter",
        Element("enabled", kept(plan, "IPFilter/enabled")),
        Element("permissionType", mode),
        Element("IPFilterAddressList", tuple(rows), f' size="{MOST_ADDRESSES}"'),
    )


def _set_ip_filter(plan: CameraPlan, given: Given) -> Fields:
    mode, rows = given.need("permissionType"), given.find("IPFilterAddressList")
    listed = [row.need("AddressMask/ipAddress") for row in rows or ()]
    if mode not in ("allow", "deny") or len(listed) > MOST_ADDRESSES or not all(map(_is_address, listed)):
        raise Told(BAD_PARAMETERS)
    values = {"enabled": word(given.flag("enabled")), "permissionType": mode, "addresses": ",".join(listed)}
    return keep(plan, **{f"IPFilter__{name}": value for name, value in values.items()})


NETWORK = "/ISAPI/System/Network"
DOCUMENTS: Mapping[str, Document] = MappingProxyType(
    {
        f"{NETWORK}/ssh": _port("SSH", shell),
        f"{NETWORK}/telnetd": _port("Telnetd", _telnet),
        f"{NETWORK}/UPnP": _remembered("UPnP", Element("name", "IP CAMERA")),
        f"{NETWORK}/Bonjour": _remembered("Bonjour", Element("name", "IP CAMERA")),
        f"{NETWORK}/SNMP": Document(_snmp, _set_snmp, wants_restart=True),
        f"{NETWORK}/EZVIZ": _remembered("EZVIZ", Element("registerStatus", "false")),
        f"{NETWORK}/Integrate": Document(_integrate, _set_integrate),
        f"{NETWORK}/ipFilter": Document(_ip_filter, _set_ip_filter),
        "/ISAPI/System/time": Document(_time, _set_time),
        "/ISAPI/System/time/ntpServers": Document(_time_servers, _set_time_servers),
        "/ISAPI/System/logServer": Document(_log_server, _set_log_server),
        "/ISAPI/Security/illegalLoginLock": Document(_lock, _set_lock),
    }
)

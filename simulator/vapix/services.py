"""ntp.cgi, ssh.cgi, mdnssd.cgi and remotesyslog.cgi."""

import re
from typing import Any

from simulator.device import Device
from simulator.plan import SyslogServer
from simulator.vapix.json_api import Failure, JsonApi, Params
from simulator.vapix.parameters import remembered, set_value, shell, value_of, with_service

MOST_SERVERS, LONGEST_NAME = 2, 48
BAD_PARAMETER = 4002
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]{0,252}")


def _bad(what: str) -> Failure:
    return Failure(BAD_PARAMETER, f"Invalid parameter: {what}")


def _flag(params: Params, name: str, *, now: bool) -> bool:
    value = params.get(name, now)
    if not isinstance(value, bool):
        raise _bad(name)
    return value


# --- time ---


def _ntp_info(device: Device, _params: Params) -> Params:
    plan = device.plan
    source = "DHCP" if plan.ntp_from_dhcp else "static"
    client: dict[str, Any] = {
        "enabled": plan.clock_source == "NTP",
        "NTSEnabled": False,
        "serversSource": source,
        "staticServers": [] if plan.ntp_from_dhcp else list(plan.ntp_servers),
        "maxSupportedStaticServers": MOST_SERVERS,
        "advertisedServers": list(plan.ntp_servers) if plan.ntp_from_dhcp else [],
        "staticNTSKEServers": [],
        "synced": plan.clock_source == "NTP" and bool(plan.ntp_servers) and plan.clock_offset_s == 0,
        "timeOffset": plan.clock_offset_s * 1000,
        "timeToNextSync": 40,
        "minpoll": 6,
        "maxpoll": 10,
    }
    return {"client": client, "server": {"enabled": False}}


def _set_ntp_client(device: Device, params: Params) -> Params:
    plan = device.plan
    source = params.get("serversSource", "DHCP" if plan.ntp_from_dhcp else "static")
    servers = params.get("staticServers", [] if plan.ntp_from_dhcp else list(plan.ntp_servers))
    if source not in ("DHCP", "static"):
        raise _bad("serversSource")
    if not isinstance(servers, list) or len(servers) > MOST_SERVERS or not all(map(_is_host, servers)):
        raise _bad("staticServers")
    from_dhcp = source == "DHCP"
    on = _flag(params, "enabled", now=plan.clock_source == "NTP")
    used = ("192.0.2.123",) if from_dhcp else tuple(servers)
    device.change(
        clock_source="NTP" if on else "Manual",
        ntp_from_dhcp=from_dhcp,
        ntp_servers=used,
        clock_offset_s=0 if on and used else plan.clock_offset_s,
    )
    return {}


def _is_host(value: object) -> bool:
    return isinstance(value, str) and _HOST.fullmatch(value) is not None


# --- remote shell, local names ---


def _ssh_info(device: Device, _params: Params) -> Params:
    return {"enabled": value_of(device.plan, "Network.SSH.Enabled") == "yes"}


def _set_ssh(device: Device, params: Params) -> Params:
    if "enabled" not in params:
        raise _bad("enabled")
    device.change(**with_service(device.plan, shell(device.plan), on=_flag(params, "enabled", now=False)))
    return {}


def _mdns_info(device: Device, _params: Params) -> Params:
    return {
        "enabled": value_of(device.plan, "Network.Bonjour.Enabled") == "yes",
        "friendlyName": value_of(device.plan, "Network.Bonjour.FriendlyName"),
    }


def _set_mdns(device: Device, params: Params) -> Params:
    name = params.get("friendlyName")
    if name is not None and (not isinstance(name, str) or not 0 < len(name.encode()) <= LONGEST_NAME):
        raise _bad("friendlyName")
    on = _flag(params, "enabled", now=bool(_mdns_info(device, {})["enabled"]))
    set_value(device, "Network.Bonjour.Enabled", "yes" if on else "no")
    if name is not None:
        device.change(**remembered(device.plan, "Network.Bonjour.FriendlyName", name))
    return {}


# --- remote log ---


def _syslog_status(device: Device, _params: Params) -> Params:
    plan = device.plan
    rows = [
        {
            "address": server.address,
            "port": server.port,
            "protocol": server.protocol,
            "severity": server.severity,
            "syslogFormat": "RFC5424",
        }
        for server in plan.syslog
    ]
    return {"enabled": plan.syslog_on, "servers": rows}


def _setup_syslog(device: Device, params: Params) -> Params:
    rows = params.get("servers")
    if not isinstance(rows, list) or not 0 < len(rows) <= MOST_SERVERS:
        raise _bad("servers")
    device.change(syslog=tuple(_syslog_server(row) for row in rows))
    return {}


def _syslog_server(row: object) -> SyslogServer:
    said = row if isinstance(row, dict) else {}
    address, port, protocol = said.get("address"), said.get("port"), said.get("protocol", "UDP")
    severity = said.get("severity", "info")
    if not _is_host(address):
        raise _bad("address")
    if protocol not in ("UDP", "TCP", "TLS"):
        raise _bad("protocol")
    usual = {"UDP": 514, "TCP": 601, "TLS": 6514}[protocol]
    return SyslogServer(str(address), port if isinstance(port, int) else usual, protocol, str(severity))


def _enable_syslog(device: Device, _params: Params) -> Params:
    if not device.plan.syslog:
        raise Failure(2100, "No server is set up")
    device.change(syslog_on=True)
    return {}


def _disable_syslog(device: Device, _params: Params) -> Params:
    device.change(syslog_on=False)
    return {}


def _test_syslog(device: Device, _params: Params) -> Params:
    if not device.plan.syslog_on:
        raise Failure(2101, "Remote syslog is not enabled")
    return {}


NTP = JsonApi("1.2", {"getNTPInfo": _ntp_info, "setNTPClientConfiguration": _set_ntp_client}).page("admin")
SSH = JsonApi("1.1", {"getSshInfo": _ssh_info, "setSshConfiguration": _set_ssh}).page("admin")
MDNS = JsonApi("1.0", {"getMdnssdInfo": _mdns_info, "setMdnssdConfiguration": _set_mdns}).page("admin")
REMOTE_SYSLOG = JsonApi(
    "1.1",
    {
        "status": _syslog_status,
        "setup": _setup_syslog,
        "enable": _enable_syslog,
        "disable": _disable_syslog,
        "test": _test_syslog,
    },
).page("admin")

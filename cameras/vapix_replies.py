"""VAPIX replies as facts. Pure: what the camera sent goes in, a frozen value comes out; a field report becomes a row.

A missing field is `None` ("it did not say"), a refusal inside HTTP 200 is Refused, another shape is Garbled.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from cameras.errors import Garbled, Refused, Unsupported
from cameras.facts import (
    Account,
    Accounts,
    AnonymousViewer,
    ClockSource,
    FirmwareState,
    Identity,
    NetworkService,
    NetworkServices,
    SyslogTarget,
)
from cameras.http import Reply, refusal
from cameras.onvif_replies import normal_mac
from cameras.untrusted import clean_text

MOST_ENTRIES = 64
Parameters = Mapping[str, str]
Data = Mapping[str, Any]

# --- the envelopes ---------------------------------------------------------------------------------------------------

# "Method not supported" and "version not supported", in the two numberings that VAPIX has.
_UNSUPPORTED_CODES = frozenset({2003, 2004, 405, 417})


def decode_json(reply: Reply, method: str) -> Data:
    """The `data` of a JSON answer, empty where a success carries none. Its charset is read from its bytes: the header
    says `utf8`, which is no charset.
    """
    if error := refusal(reply, method):
        raise error
    try:
        said = json.loads(reply.body)
    except (ValueError, RecursionError) as error:
        raise Garbled(f"{method}: not JSON: {clean_text(reply.body, 80)!r}") from error
    if not isinstance(said, dict):
        raise Garbled(f"{method}: JSON of another shape")
    if isinstance(said.get("error"), dict):
        raise _json_error(said["error"], method)
    data = said.get("data", {})
    if not isinstance(data, dict) or not ("data" in said or "apiVersion" in said):
        raise Garbled(f"{method}: JSON of another shape")
    return data


def _json_error(error: Data, method: str) -> Refused | Unsupported:
    code = error.get("code")
    kind = Unsupported if code in _UNSUPPORTED_CODES else Refused
    return kind(f"{method}: {clean_text(str(code), 20)} {clean_text(str(error.get('message', '')))}")


_TAG = re.compile(r"<[^>]*>")
_ERROR_LINE = re.compile(r"^\s*(?:#\s*)?Error:\s*(.*)$", re.MULTILINE | re.IGNORECASE)


def decode_words(reply: Reply, question: str) -> str:
    """The words of an answer, without the HTML around them. Refused where a line says `Error:`."""
    if error := refusal(reply, question):
        raise error
    text = _TAG.sub("\n", reply.body.decode("utf-8", "replace")).strip()
    if found := _ERROR_LINE.search(text):
        raise Refused(f"{question}: {clean_text(found[0])}")
    return text


def expect(text: str, words: str, question: str) -> None:
    """Garbled unless the camera used these words: only they mean that it did what it was told."""
    if all(line.strip() != words for line in text.splitlines()):
        raise Garbled(f"{question}: answered {clean_text(text, 80)!r} instead of {words!r}")


_PARAMETER = re.compile(r"^(?:root\.)?([A-Za-z0-9_]+(?:\.[A-Za-z0-9_-]+)+)=(.*)$")
_NO_SUCH_PARAMETER = re.compile(r"^#\s*Error:.*getting param in group", re.IGNORECASE)


def decode_parameters(reply: Reply) -> Parameters:
    """param.cgi's list: names without `root.`, which AXIS OS 12.11 leaves out behind a line about a missing group."""
    if error := refusal(reply, "param.cgi"):
        raise error
    found: dict[str, str] = {}
    lines = [line.strip() for line in reply.body.decode("utf-8", "replace").splitlines() if line.strip()]
    for line in lines:
        if named := _PARAMETER.match(line):
            found[named[1]] = named[2]
        elif line.startswith("#") and not _NO_SUCH_PARAMETER.match(line):
            raise Refused(f"param.cgi: {clean_text(line)}")
        elif not line.startswith("#"):
            raise Garbled(f"param.cgi: {clean_text(line, 80)!r}")
    if not lines:
        raise Garbled("param.cgi: answered with nothing")
    return found


# --- who it is -------------------------------------------------------------------------------------------------------


def decode_identity(data: Data) -> Identity:
    """basicdeviceinfo.cgi."""
    said = data.get("propertyList")
    if not isinstance(said, dict):
        raise Garbled("basicdeviceinfo.cgi: it lists no properties")
    return _identity([said.get(name) for name in ("Brand", "ProdNbr", "Version", "SerialNumber", "HardwareID")])


IDENTITY_PARAMETERS = (
    "Brand.Brand",
    "Brand.ProdNbr",
    "Properties.Firmware.Version",
    "Properties.System.SerialNumber",
    "Properties.System.HardwareID",
)


def identity_of(parameters: Parameters) -> Identity:
    """For firmware older than basicdeviceinfo.cgi."""
    if not parameters:
        raise Unsupported("param.cgi: it has none of the parameters that say who it is")
    return _identity([parameters.get(name) for name in IDENTITY_PARAMETERS])


def _identity(said: Sequence[object]) -> Identity:
    manufacturer, model, firmware, serial, hardware = (_text(value) for value in said)
    # An Axis serial number is its MAC address.
    return Identity(manufacturer, model, firmware, serial, hardware, mac=normal_mac(serial), driver="axis")


def decode_boot_id(data: Data) -> str | None:
    """systemready.cgi."""
    return _text(data.get("bootid"))


# --- accounts --------------------------------------------------------------------------------------------------------

_ROLES = (
    ("admin", "Administrator"),
    ("operator", "Operator"),
    ("viewer", "User"),
    ("digusers", "Extended"),
    ("users", "Extended"),
)
_GROUP = re.compile(r'^\s*(\w+)\s*=\s*"?([^"]*)"?\s*$')


def decode_accounts(text: str) -> Accounts:
    """pwdgrp.cgi's `get`: a line for each group, `digusers` with every account. An account has its highest role."""
    lines = (_GROUP.match(line) for line in text.splitlines())
    groups = {found[1].lower(): found[2] for found in lines if found}
    if "admin" not in groups:
        raise Garbled(f"pwdgrp.cgi: {clean_text(text, 80)!r}")
    roles: dict[str, str] = {}
    for group, role in _ROLES:
        for name in groups.get(group, "").split(","):
            if name.strip():
                roles.setdefault(clean_text(name), role)
    return Accounts(tuple(Account(name, role) for name, role in list(roles.items())[:MOST_ENTRIES]))


# --- services, time, log, strangers ----------------------------------------------------------------------------------

POLICY = "System.BoaGroupPolicy"
NETWORK_PARAMETERS = (
    POLICY,
    "System.BoaPort",
    "HTTPS.Enabled",
    "HTTPS.Port",
    "Network.RTSP.Enabled",
    "Network.RTSP.Port",
)


def policies(parameters: Parameters) -> Parameters:
    """By which of http, https and both each group of accounts may come in. Unsupported where it does not say."""
    found = {name: value for name, value in parameters.items() if name.startswith(f"{POLICY}.")}
    if not found:
        raise Unsupported(f"param.cgi: it has no {POLICY}")
    return found


def network_services_of(parameters: Parameters) -> NetworkServices:
    """HTTP is on where any group may come by it: the web server itself is never switched off."""
    allowed = set(policies(parameters).values())
    https = bool(allowed & {"https", "both"}) and _yes(parameters.get("HTTPS.Enabled")) is not False
    rows = (
        ("HTTP", bool(allowed & {"http", "both"}), "System.BoaPort"),
        ("HTTPS", https, "HTTPS.Port"),
        ("RTSP", _yes(parameters.get("Network.RTSP.Enabled")), "Network.RTSP.Port"),
    )
    return NetworkServices(
        tuple(NetworkService(name, enabled, _ports(parameters.get(port))) for name, enabled, port in rows)
    )


def decode_clock_source(data: Data) -> ClockSource:
    """ntp.cgi's getNTPInfo. A client that is switched off has no servers, whatever is kept for it."""
    client = data.get("client")
    if not isinstance(client, dict):
        raise Garbled("getNTPInfo: it says nothing of a client")
    if client.get("enabled") is False:
        return ClockSource(from_dhcp=False, servers=())
    source = client.get("serversSource")
    from_dhcp = None if not isinstance(source, str) else source.upper() == "DHCP"
    servers = client.get("advertisedServers" if from_dhcp else "staticServers")
    return ClockSource(from_dhcp=from_dhcp, servers=_texts(servers))


TIME_PARAMETERS = ("Time.SyncSource", "Time.ObtainFromDHCP", "Time.NTP.Server")


def clock_source_of(parameters: Parameters) -> ClockSource:
    """For firmware older than ntp.cgi."""
    if "Time.SyncSource" not in parameters:
        raise Unsupported("param.cgi: it has no parameters for its clock")
    if parameters["Time.SyncSource"] != "NTP":
        return ClockSource(from_dhcp=False, servers=())
    server = clean_text(parameters.get("Time.NTP.Server", ""))
    named = (server,) if server and server != "0.0.0.0" else ()  # noqa: S104 - Axis' way to say "none"
    return ClockSource(from_dhcp=_yes(parameters.get("Time.ObtainFromDHCP")), servers=named)


_PROTOCOLS: Mapping[object, Literal["udp", "tcp", "tls"]] = {"UDP": "udp", "TCP": "tcp", "TLS": "tls"}


def decode_syslog_target(data: Data) -> SyslogTarget:
    """remotesyslog.cgi's status: its first server."""
    if not {"enabled", "servers"} & data.keys():
        raise Garbled("remotesyslog.cgi: it says nothing of syslog")
    enabled = data.get("enabled")
    servers = syslog_servers(data)
    first = servers[0] if servers else {}
    port = first.get("port")
    nowhere = "servers" in data and not servers
    return SyslogTarget(
        enabled=enabled if isinstance(enabled, bool) else None,
        server="" if nowhere else _text(first.get("address")),
        port=port if isinstance(port, int) else None,
        protocol=_PROTOCOLS.get(first.get("protocol")),
    )


def syslog_servers(data: Data) -> list[Data]:
    servers = data.get("servers", [])
    if not isinstance(servers, list) or not all(isinstance(server, dict) for server in servers):
        raise Garbled("remotesyslog.cgi: a list of servers that is none")
    return servers[:MOST_ENTRIES]


VIEWER_PARAMETERS = ("System.BoaProtViewer", "Network.RTSP.ProtViewer")


def anonymous_viewer_of(parameters: Parameters) -> AnonymousViewer:
    """An account without enough rights is shown asterisks: that says nothing."""
    known = {value for name in VIEWER_PARAMETERS if (value := parameters.get(name)) in ("anonymous", "password")}
    if not any(name in parameters for name in VIEWER_PARAMETERS):
        raise Unsupported("param.cgi: it has no parameters for anonymous viewers")
    return AnonymousViewer(allowed=None if not known else "anonymous" in known)


def decode_enabled(data: Data) -> bool | None:
    """ssh.cgi and mdnssd.cgi."""
    enabled = data.get("enabled")
    return enabled if isinstance(enabled, bool) else None


# --- firmware and applications ---------------------------------------------------------------------------------------


def decode_firmware_state(data: Data, boot_id: str | None) -> FirmwareState:
    """firmwaremanagement.cgi's status. `isCommited` is spelled so, and is left out where there is no other image."""
    version = _text(data.get("activeFirmwareVersion"))
    if version is None:
        raise Garbled("firmwaremanagement.cgi: it names no running firmware")
    previous, left = _text(data.get("inactiveFirmwareVersion")), data.get("timeToRollback")
    committed = data.get("isCommited")
    if not isinstance(committed, bool):
        nothing_to_go_back_to = "inactiveFirmwareVersion" not in data and "pendingCommit" not in data
        committed = True if nothing_to_go_back_to else None
    return FirmwareState(
        version=version,
        committed=committed,
        previous=None if previous == "UNKNOWN" else previous,
        rollback_in_s=_seconds(left),
        boot_id=boot_id,
    )


# --- reading loosely typed values ------------------------------------------------------------------------------------


def _text(value: object) -> str | None:
    return clean_text(value) or None if isinstance(value, str) else None


def _texts(value: object) -> tuple[str, ...]:
    entries = value[:MOST_ENTRIES] if isinstance(value, list) else ()
    return tuple(text for entry in entries if (text := _text(entry)))


def _yes(value: str | None) -> bool | None:
    return {"yes": True, "no": False}.get((value or "").lower())


def _ports(value: str | None) -> tuple[int, ...]:
    text = value or ""
    return (int(text),) if re.fullmatch(r"[1-9][0-9]{0,4}", text) and int(text) < 65536 else ()  # noqa: PLR2004


def _seconds(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None

"""configManager.cgi: tables of settings by name.

What other parts of the camera know too is read from them and written to them; the rest is only remembered. A change
names all that it wants at once, and either all of it is taken or nothing.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from simulator.api import Answer, Call, Group, Page
from simulator.dahua_cgi.words import OK, asked, bad, flag, lines, unknown_name, word
from simulator.plan import NEVER_LOCKS, CameraPlan, ExtraPort
from simulator.vapix.parameters import Fields, remembered, shell, with_service

MOST_TRIES, LONGEST_LOCK_S = 30, 24 * 3600
MOST_ADDRESSES = 8
_LOW = 1024
_ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]{0,252}")
_LISTED = re.compile(r"AccessFilter\.(TrustList|BannedList)\[([0-9])\]")


@dataclass(frozen=True, slots=True)
class Live:
    """A setting that the rest of the camera knows. `write` raises KeyError or ValueError for what it does not take."""

    read: Callable[[CameraPlan], str]
    write: Callable[[CameraPlan, str], Fields] | None = None


def _service(usual: Callable[[CameraPlan], ExtraPort]) -> Live:
    def read(plan: CameraPlan) -> str:
        return word(any(port.service == usual(plan).service for port in plan.extra_ports))

    return Live(read, lambda plan, text: with_service(plan, usual(plan), on=flag(text)))


def _telnet(plan: CameraPlan) -> ExtraPort:
    return ExtraPort(23 if plan.rtsp_port < _LOW else 2323, "telnet")


def _time_server(plan: CameraPlan, text: str) -> Fields:
    if not _ADDRESS.fullmatch(text):
        raise ValueError(text)
    offset = 0 if plan.clock_source == "NTP" else plan.clock_offset_s
    return {"ntp_servers": (text, *plan.ntp_servers[1:]), "ntp_from_dhcp": False, "clock_offset_s": offset}


def _clock_source(plan: CameraPlan, text: str) -> Fields:
    by_ntp = flag(text)
    offset = 0 if by_ntp and plan.ntp_servers else plan.clock_offset_s
    return {"clock_source": "NTP" if by_ntp else "Manual", "clock_offset_s": offset}


def _onvif_login(plan: CameraPlan, text: str) -> Fields:
    return {"anonymous": plan.anonymous - {"onvif"} if flag(text) else plan.anonymous | {"onvif"}}


def _https(plan: CameraPlan, text: str) -> Fields:
    on = flag(text)
    if not on and plan.http_port is None:
        raise ValueError(text)
    return {"https_port": plan.usual_ports[1] if on else None}


# --- the lock: off is a number of tries that nobody reaches ---


def _tries(plan: CameraPlan) -> str:
    return dict(plan.parameters).get("General.LockLoginTimes") or str(min(plan.lock_after, MOST_TRIES))


def _lock_on(plan: CameraPlan, text: str) -> Fields:
    known = remembered(plan, "General.LockLoginTimes", _tries(plan))
    return {**known, "lock_after": int(_tries(plan)) if flag(text) else NEVER_LOCKS}


def _lock_tries(plan: CameraPlan, text: str) -> Fields:
    if not 0 < int(text) <= MOST_TRIES:
        raise ValueError(text)
    known = remembered(plan, "General.LockLoginTimes", text)
    return known if plan.lock_after == NEVER_LOCKS else {**known, "lock_after": int(text)}


LIVE: Mapping[str, Live] = MappingProxyType(
    {
        "Bonjour.ServiceName": Live(lambda p: p.serial),
        "General.LockLoginEnable": Live(lambda p: word(p.lock_after < NEVER_LOCKS), _lock_on),
        "General.LockLoginTimes": Live(_tries, _lock_tries),
        "General.MachineName": Live(lambda p: p.serial),
        "Https.Enable": Live(lambda p: word(p.https_port is not None), _https),
        "Https.Port": Live(lambda p: str(p.https_port or p.usual_ports[1])),
        "NTP.Address": Live(lambda p: (p.ntp_servers or ("",))[0], _time_server),
        "NTP.Enable": Live(lambda p: word(p.clock_source == "NTP"), _clock_source),
        "Network.DefaultInterface": Live(lambda _: "eth0"),
        "Network.Domain": Live(lambda _: ""),
        "Network.Hostname": Live(lambda p: p.hostname),
        "Network.eth0.DhcpEnable": Live(lambda _: "false"),
        "Network.eth0.IPAddress": Live(lambda p: p.address),
        "Network.eth0.PhysicalAddress": Live(lambda p: p.mac),
        "Network.eth0.SubnetMask": Live(lambda _: "255.0.0.0"),
        "RTSP.Enable": Live(lambda p: word(p.rtsp_on), lambda _, text: {"rtsp_on": flag(text)}),
        "RTSP.Port": Live(lambda p: str(p.rtsp_port)),
        "SSHD.Enable": _service(shell),
        "Telnet.Enable": _service(_telnet),
        "UserGlobal.OnvifLoginCheck": Live(lambda p: word("onvif" not in p.anonymous), _onvif_login),
        "Web.Port": Live(lambda p: str(p.http_port or p.usual_ports[0])),
    }
)

PLAIN: Mapping[str, str] = MappingProxyType(
    {
        "AccessFilter.Enable": "false",
        "AccessFilter.Type": "TrustList",
        "Bonjour.Enable": "true",
        "DVRIP.TCPPort": "37777",
        "DVRIP.UDPPort": "37778",
        "General.LocalNo": "8",
        "General.LoginFailLockTime": "1800",
        "General.MaxOnlineTime": "3600",
        "Locales.DSTEnable": "false",
        "Locales.TimeFormat": "yyyy-MM-dd HH:mm:ss",
        "LoginFailureAlarm.Enable": "false",
        "NTP.Port": "123",
        "NTP.TimeZone": "1",
        "NTP.TimeZoneDesc": "Berlin",
        "NTP.UpdatePeriod": "60",
        "RTSP.RTP.EndPort": "40000",
        "RTSP.RTP.StartPort": "20000",
        "SNMP.Enable": "false",
        "SNMP.Port": "161",
        "SNMP.ReadCommon": "public",
        "SNMP.V1Enable": "false",
        "SNMP.V2Enable": "false",
        "SNMP.V3Enable": "false",
        "SNMP.WriteCommon": "private",
        "T2UServer[0].Enable": "false",
        "UPnP.Enable": "false",
        "UPnP.MapTable[0].Enable": "true",
        "UPnP.MapTable[0].InnerPort": "80",
        "UPnP.MapTable[0].OuterPort": "8080",
        "UPnP.MapTable[0].Protocol": "TCP",
        "UPnP.MapTable[0].ServiceName": "HTTP",
    }
)
"""Settings that are only remembered, with the factory's values."""

_KINDS: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {
        "AccessFilter.Type": lambda text: text in ("TrustList", "BannedList"),
        "General.LoginFailLockTime": lambda text: text.isdigit() and 0 < int(text) <= LONGEST_LOCK_S,
    }
)


def values_of(plan: CameraPlan) -> dict[str, str]:
    """Every setting of this camera."""
    kept = dict(plan.parameters)
    lists = {name: kept[name] for name in kept if _LISTED.fullmatch(name) and kept[name]}
    plain = {name: kept.get(name, usual) for name, usual in PLAIN.items()}
    return dict(sorted({**plain, **lists, **{name: live.read(plan) for name, live in LIVE.items()}}.items()))


def changed(plan: CameraPlan, name: str, text: str) -> CameraPlan:
    """The plan with this setting. Raises KeyError or ValueError where the camera does not take it."""
    live = LIVE.get(name)
    if live is not None:
        if live.write is None:
            raise KeyError(name)
        return replace(plan, **live.write(plan, text))  # type: ignore[arg-type]
    listed = _LISTED.fullmatch(name)
    if listed:
        if int(listed[2]) >= MOST_ADDRESSES or not (text == "" or _ADDRESS.fullmatch(text)):
            raise ValueError(text)
    elif PLAIN[name] in ("true", "false"):
        flag(text)
    elif name in _KINDS and not _KINDS[name](text):
        raise ValueError(text)
    return replace(plan, **remembered(plan, name, text))  # type: ignore[arg-type]


def _get(call: Call) -> Answer:
    wanted = dict(asked(call)).get("name", "")
    found = [
        (f"table.{name}", value)
        for name, value in values_of(call.device.plan).items()
        if name == wanted or name.startswith((f"{wanted}.", f"{wanted}["))
    ]
    return lines(found) if wanted and found else unknown_name(call)


def _set(call: Call) -> Answer:
    """Names are told apart by their capitals; one that it does not know spoils the whole change."""
    before = plan = call.device.plan
    wanted = [(name, text) for name, text in asked(call) if name != "action"]
    try:
        for name, text in wanted:
            plan = changed(plan, name, text)
    except (KeyError, ValueError):
        return bad(call)
    if not wanted:
        return bad(call)
    names = type(plan).__dataclass_fields__
    call.device.change(**{n: getattr(plan, n) for n in names if getattr(plan, n) != getattr(before, n)})
    return OK


def _config_manager(call: Call) -> Answer:
    action = dict(asked(call)).get("action", "")
    return {"getConfig": _get, "setConfig": _set}.get(action, bad)(call)


def _group(call: Call) -> Group:
    return "operator" if dict(asked(call)).get("action") == "getConfig" else "admin"


CONFIG_MANAGER = Page(_group, _config_manager)

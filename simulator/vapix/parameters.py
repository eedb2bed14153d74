"""param.cgi: the settings by name. Some show what other APIs change too; the rest are remembered as they are written.

`Network.Telnet.Enabled` is made up: firmware that had Telnet offered no parameter for it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from simulator.api import Answer, Call, Group, Page
from simulator.device import Device
from simulator.plan import CameraPlan, ExtraPort

Fields = Mapping[str, object]
_LOW = 1024
_NOT_ROOTED = "HTTPS."
"""Groups that are listed without the leading `root.`: seen."""


@dataclass(frozen=True, slots=True)
class Live:
    """A parameter that is a view of the camera's state. `write` None: read only; it raises ValueError for nonsense."""

    read: Callable[[CameraPlan], str]
    write: Callable[[CameraPlan, str], Fields] | None = None


def _yes(value: bool) -> str:  # noqa: FBT001 - the parameter's word for it
    return "yes" if value else "no"


def _flag(value: str) -> bool:
    return {"yes": True, "no": False}[value.lower()]


def _door(name: str) -> Live:
    """Whether a viewer needs a password at that door."""

    def write(plan: CameraPlan, value: str) -> Fields:
        closed = {"password": True, "anonymous": False}[value]
        return {"anonymous": plan.anonymous - {name} if closed else plan.anonymous | {name}}

    return Live(lambda plan: "anonymous" if name in plan.anonymous else "password", write)


def with_service(plan: CameraPlan, extra: ExtraPort, *, on: bool) -> Fields:
    """The ports of a plan in which this service is on, or off."""
    others = tuple(port for port in plan.extra_ports if port.service != extra.service)
    present = next((port for port in plan.extra_ports if port.service == extra.service), extra)
    return {"extra_ports": (*others, present) if on else others}


def shell(plan: CameraPlan) -> ExtraPort:
    return ExtraPort(22 if plan.rtsp_port < _LOW else 2222, "ssh")


def _service(usual: Callable[[CameraPlan], ExtraPort]) -> Live:
    def read(plan: CameraPlan) -> str:
        return _yes(any(port.service == usual(plan).service for port in plan.extra_ports))

    return Live(read, lambda plan, value: with_service(plan, usual(plan), on=_flag(value)))


def _https(plan: CameraPlan, value: str) -> Fields:
    return {"https_port": plan.usual_ports[1] if _flag(value) else None}


def _policy() -> Live:
    """All three groups move together here: HTTPS only, or both."""

    def write(plan: CameraPlan, value: str) -> Fields:
        wanted = {"https": True, "both": False, "http": False}[value]
        if wanted and plan.https_port is None:
            raise ValueError(value)
        return {"redirects_to_https": wanted}

    return Live(lambda plan: "https" if plan.redirects_to_https else "both", write)


def _authentication(_plan: CameraPlan, value: str) -> Fields:
    if value not in ("basic", "digest", "basic_digest", "recommended"):
        raise ValueError(value)
    return {"basic_on_http": value.startswith("basic")}


def _time_servers(plan: CameraPlan, value: str) -> Fields:
    servers = tuple(word for word in value.split(",") if word and word != "0.0.0.0")  # noqa: S104 - "none" here
    return {"ntp_servers": servers, "clock_offset_s": 0 if servers else plan.clock_offset_s}


def _clock_source(plan: CameraPlan, value: str) -> Fields:
    source = {"NTP": "NTP", "None": "Manual", "PC": "Manual"}[value]
    return {"clock_source": source, "clock_offset_s": 0 if source == "NTP" else plan.clock_offset_s}


LIVE: Mapping[str, Live] = MappingProxyType(
    {
        "Brand.Brand": Live(lambda _: "AXIS"),
        "Brand.ProdFullName": Live(lambda p: f"AXIS {p.model} Network Camera"),
        "Brand.ProdNbr": Live(lambda p: p.model),
        "Brand.ProdShortName": Live(lambda p: f"AXIS {p.model}"),
        "Brand.ProdType": Live(lambda _: "Network Camera"),
        "Brand.ProdVariant": Live(lambda _: ""),
        "Brand.WebURL": Live(lambda _: "http://www.axis.com"),
        "Properties.API.HTTP.Version": Live(lambda _: "3"),
        "Properties.API.Metadata.Metadata": Live(lambda _: "yes"),
        "Properties.API.Metadata.Version": Live(lambda _: "1.0"),
        "Properties.EmbeddedDevelopment.Version": Live(lambda _: "2.16"),
        "Properties.Firmware.Version": Live(lambda p: p.firmware),
        "Properties.Firmware.BuildDate": Live(lambda _: "Jul 08 2026 12:25"),
        "Properties.Firmware.BuildNumber": Live(lambda _: "1"),
        "Properties.System.Architecture": Live(lambda _: "aarch64"),
        "Properties.System.SerialNumber": Live(lambda p: p.serial),
        "HTTPS.Enabled": Live(lambda p: _yes(p.https_port is not None), _https),
        "HTTPS.Port": Live(lambda p: str(p.https_port or p.usual_ports[1])),
        "Network.Bonjour.Enabled": Live(
            lambda p: dict(p.parameters).get("Network.Bonjour.Enabled", "yes"),
            lambda p, v: remembered(p, "Network.Bonjour.Enabled", _yes(_flag(v))),
        ),
        "Network.FTP.Enabled": _service(lambda p: ExtraPort(21 if p.rtsp_port < _LOW else 2121, "ftp")),
        "Network.HTTP.AuthenticationPolicy": Live(
            lambda p: dict(p.parameters).get(
                "Network.HTTP.AuthenticationPolicy", "basic_digest" if p.basic_on_http else "recommended"
            ),
            lambda p, v: {**remembered(p, "Network.HTTP.AuthenticationPolicy", v), **_authentication(p, v)},
        ),
        "Network.RTSP.Enabled": Live(lambda p: _yes(p.rtsp_on), lambda _, v: {"rtsp_on": _flag(v)}),
        "Network.RTSP.Port": Live(lambda p: str(p.rtsp_port)),
        "Network.RTSP.ProtViewer": _door("rtsp"),
        "Network.SSH.Enabled": _service(shell),
        "Network.Telnet.Enabled": _service(lambda p: ExtraPort(23 if p.rtsp_port < _LOW else 2323, "telnet")),
        "System.BoaGroupPolicy.admin": _policy(),
        "System.BoaGroupPolicy.operator": _policy(),
        "System.BoaGroupPolicy.viewer": _policy(),
        "System.BoaProtViewer": _door("snapshot"),
        "Time.NTP.Server": Live(lambda p: ",".join(p.ntp_servers) or "0.0.0.0", _time_servers),  # noqa: S104 - "none"
        "Time.ObtainFromDHCP": Live(lambda p: _yes(p.ntp_from_dhcp), lambda _, v: {"ntp_from_dhcp": _flag(v)}),
        "Time.SyncSource": Live(lambda p: "NTP" if p.clock_source == "NTP" else "None", _clock_source),
        "WebService.DiscoveryMode.Discoverable": Live(
            lambda p: _yes(p.discoverable), lambda _, v: {"discoverable": _flag(v)}
        ),
    }
)

PLAIN: Mapping[str, str] = MappingProxyType(
    {
        "Network.Bonjour.FriendlyName": "AXIS",
        "Network.Filter.Enabled": "no",
        "Network.Filter.Input.AcceptAddresses": "",
        "Network.Filter.Input.Policy": "allow",
        "Network.Filter.Log.Enabled": "no",
        "Network.HTTP.AuthenticationWithQop": "yes",
        "Network.RTSP.AuthenticateOverHTTP": "no",
        "Network.RTSP.Timeout": "60",
        "Network.UPnP.Enabled": "yes",
        "Network.UPnP.FriendlyName": "AXIS",
        "Network.UPnP.NATTraversal.Enabled": "no",
        "Network.ZeroConf.Enabled": "yes",
        "RemoteService.Enabled": "no",
        "SNMP.DSCP": "0",
        "SNMP.Enabled": "no",
        "SNMP.TransportProtocol": "udp",
        "SNMP.V1": "no",
        "SNMP.V1ReadCommunity": "public",
        "SNMP.V1WriteCommunity": "write",
        "SNMP.V2c": "no",
        "SNMP.V3": "no",
        "System.PreventDoSAttack.ActivatePasswordThrottling": "On",
        "System.PreventDoSAttack.DoSBlockingPeriod": "10",
        "System.PreventDoSAttack.DoSPageCount": "20",
        "System.PreventDoSAttack.DoSPageInterval": "1",
        "System.PreventDoSAttack.DoSSiteCount": "50",
        "System.PreventDoSAttack.DoSSiteInterval": "1",
    }
)
"""Parameters that are only remembered, with the factory's values."""

_WORDS: Mapping[str, tuple[str, ...]] = {
    "Network.Filter.Input.Policy": ("allow", "deny"),
    "System.PreventDoSAttack.ActivatePasswordThrottling": ("On", "Off"),
}
_LONGEST_BLOCK_S = 1000
GONE_FROM: Mapping[str, int] = {"Network.Filter.": 12, "SNMP.": 13}
"""Groups that a release took away: REST has what they were for."""


def release(firmware: str) -> tuple[int, ...]:
    return tuple(int(word) for word in firmware.split(".")[:2] if word.isdigit())


def is_there(plan: CameraPlan, name: str) -> bool:
    return not any(name.startswith(group) and release(plan.firmware) >= (since,) for group, since in GONE_FROM.items())


def _is_taken(name: str, value: str) -> bool:
    if name in _FLAGS:
        return value in ("yes", "no")
    if name.startswith("System.PreventDoSAttack.DoS"):
        return value.isdecimal() and int(value) <= _LONGEST_BLOCK_S
    return name not in _WORDS or value in _WORDS[name]


_FLAGS = frozenset(name for name, value in PLAIN.items() if value in ("yes", "no"))


def remembered(plan: CameraPlan, name: str, value: str) -> Fields:
    return {"parameters": tuple(sorted({**dict(plan.parameters), name: value}.items()))}


def value_of(plan: CameraPlan, name: str) -> str:
    live = LIVE.get(name)
    return live.read(plan) if live else dict(plan.parameters).get(name, PLAIN[name])


def set_value(device: Device, name: str, value: str) -> bool:
    """Whether the camera took it."""
    live = LIVE.get(name)
    try:
        if live is None:
            if name not in PLAIN or not is_there(device.plan, name) or not _is_taken(name, value):
                return False
            fields: Fields = remembered(device.plan, name, value)
        elif live.write is None:
            return False
        else:
            fields = live.write(device.plan, value)
    except (KeyError, ValueError):
        return False
    device.change(**fields)
    return True


def _list(call: Call) -> str:
    plan = call.device.plan
    names = sorted(name for name in (*LIVE, *PLAIN) if is_there(plan, name))
    lines: list[str] = []
    for wanted in (call.form.get("group") or "").split(",") or [""]:
        group = wanted.removeprefix("root.").removesuffix(".*").removesuffix("*")
        found = [name for name in names if group in ("", "root", name) or name.startswith(group.rstrip(".") + ".")]
        if not found:
            lines.append(f"# Error: Error -1 getting param in group '{wanted}'")
        lines += [f"{'' if name.startswith(_NOT_ROOTED) else 'root.'}{name}={value_of(plan, name)}" for name in found]
    return "".join(f"{line}\n" for line in lines)


def _update(call: Call) -> str:
    """Each by itself, in the order given: what came before a refused one is done."""
    for name, value in call.form.items():
        plain = name.removeprefix("root.")
        if name not in ("action", "responseformat", "usergroup") and not set_value(call.device, plain, value):
            return f"# Error: Error setting '{name}' to '{value}'!\n"
    return "OK\n"


def _param(call: Call) -> Answer:
    action = call.form.get("action", "")
    if action == "list":
        return Answer(_list(call))
    if action == "update":
        return Answer(_update(call))
    return Answer("# Error: Unknown action\n")


def _group(call: Call) -> Group | None:
    return "operator" if call.form.get("action") == "list" else "admin"


PARAM = Page(_group, _param)

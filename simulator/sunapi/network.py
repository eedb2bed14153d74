"""network.cgi: ports, and services that announce the camera or tell of it."""

from simulator.api import Call
from simulator.plan import CameraPlan
from simulator.sunapi.dialect import Command, NotGood, Shown, asked, flag, need, show, word

_FACTORY = {
    "upnpdiscovery.Enable": "True",
    "bonjour.Enable": "True",
    "snmp.Version1": "False",
    "snmp.Version2": "False",
    "snmp.Version3": "False",
}
INTERFACE = "Network1"


def kept(plan: CameraPlan, name: str) -> bool:
    return flag(dict(plan.parameters).get(f"sunapi.{name}", _FACTORY[name]))


def keep(call: Call, **values: bool) -> None:
    plan = call.device.plan
    said = {f"sunapi.{name.replace('__', '.')}": word(value) for name, value in values.items()}
    call.device.change(parameters=tuple(sorted({**dict(plan.parameters), **said}.items())))


def _ports(call: Call) -> Shown:
    plan = call.device.plan
    return show(
        FixedPorts=[3702, 49152],
        UsedPorts=[],
        HTTPPort=plan.http_port or plan.usual_ports[0],
        HTTPSPort=plan.https_port or plan.usual_ports[1],
        WebSessionTimeout=10,
        RTSPPort=plan.rtsp_port,
        RTSPTimeout="60s",
    )


def _interface(call: Call) -> Shown:
    plan = call.device.plan
    values = {"LinkStatus": "Connected", "IPv4Address": plan.address, "MACAddress": plan.mac.upper()}
    lines = [f"{INTERFACE}.{name}={value}" for name, value in values.items()]
    return Shown(lines, {"NetworkInterfaces": [{"InterfaceName": INTERFACE, **values}]})


def _upnp(call: Call) -> Shown:
    values = {"Enable": kept(call.device.plan, "upnpdiscovery.Enable"), "FriendlyName": call.device.plan.model}
    lines = [f"InterfaceName={INTERFACE}", *show(**values).lines]
    return Shown(lines, {"UpnpDiscovery": [{"InterfaceName": INTERFACE, **values}]})


def _bonjour(call: Call) -> Shown:
    return show(Enable=kept(call.device.plan, "bonjour.Enable"), FriendlyName=call.device.plan.model)


def _snmp(call: Call) -> Shown:
    versions = {f"Version{n}": kept(call.device.plan, f"snmp.Version{n}") for n in (1, 2, 3)}
    return show(**versions, ReadCommunity="public", WriteCommunity="write", UserPassword="")


def _set_upnp(call: Call) -> None:
    keep(call, upnpdiscovery__Enable=flag(need(asked(call), "Enable")))


def _set_bonjour(call: Call) -> None:
    keep(call, bonjour__Enable=flag(need(asked(call), "Enable")))


def _set_snmp(call: Call) -> None:
    said = asked(call)
    wanted = {f"snmp__Version{n}": flag(said[f"Version{n}"]) for n in (1, 2, 3) if f"Version{n}" in said}
    if not wanted:
        raise NotGood(602, "Invalid Parameter(s)")
    keep(call, **wanted)


NETWORK = {
    ("portconf", "view"): Command("admin", _ports),
    ("interface", "view"): Command("viewer", _interface),
    ("upnpdiscovery", "view"): Command("admin", _upnp),
    ("upnpdiscovery", "set"): Command("admin", _set_upnp),
    ("bonjour", "view"): Command("admin", _bonjour),
    ("bonjour", "set"): Command("admin", _set_bonjour),
    ("snmp", "view"): Command("admin", _snmp),
    ("snmp", "set"): Command("admin", _set_snmp),
}

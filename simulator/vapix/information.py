"""What the camera says about itself: basicdeviceinfo, apidiscovery, systemready."""

from collections.abc import Mapping
from types import MappingProxyType

from simulator.api import Call, Group
from simulator.device import Device
from simulator.vapix.json_api import Failure, JsonApi, Params, method_of

APIS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "api-discovery": ("1.0", "API Discovery Service"),
        "basic-device-info": ("1.3", "Basic Device Information"),
        "fwmgr": ("1.4", "Firmware Management"),
        "mdnssd": ("1.0", "Zeroconf"),
        "ntp": ("1.2", "NTP"),
        "packagemanager": ("1.4", "Package Manager"),
        "param-cgi": ("1.0", "Legacy Parameter Handling"),
        "remote-syslog": ("1.1", "Remote Syslog"),
        "ssh": ("1.1", "SSH"),
        "systemready": ("1.4", "Systemready"),
        "user-management": ("1.1", "User Management"),
    }
)
_CLOSED_DISCOVERY = ("9.80.", "10.12.")
"""Releases that ask for a login before they list their APIs."""


def _unrestricted(device: Device, _params: Params) -> Params:
    plan = device.plan
    kind = "Fixed Box Camera" if plan.model.startswith("P1") else "Dome Camera"
    return {
        "propertyList": {
            "Brand": "AXIS",
            "BuildDate": "Jul 08 2026 12:25",
            "HardwareID": plan.serial[:3] + ".1",
            "ProdFullName": f"AXIS {plan.model} {kind}",
            "ProdNbr": plan.model,
            "ProdShortName": f"AXIS {plan.model}",
            "ProdType": kind,
            "ProdVariant": "",
            "SerialNumber": plan.serial,
            "Version": plan.firmware,
            "WebURL": "http://www.axis.com",
        }
    }


def _all(device: Device, params: Params) -> Params:
    known = dict(_unrestricted(device, params)["propertyList"])
    soc = {"Architecture": "aarch64", "Soc": "Axis Artpec-8", "SocSerialNumber": f"00000000-{device.plan.serial}"}
    return {"propertyList": {**soc, **known}}


def _some(device: Device, params: Params) -> Params:
    known = _all(device, params)["propertyList"]
    wanted = params.get("propertyList")
    if not isinstance(wanted, list) or not all(name in known for name in wanted):
        raise Failure(4002, "Invalid parameter")
    return {"propertyList": {name: known[name] for name in wanted}}


def _info_group(call: Call) -> Group | None:
    return None if method_of(call) in ("getAllUnrestrictedProperties", "getSupportedVersions") else "operator"


def _api_list(_device: Device, params: Params) -> Params:
    wanted = params.get("id", "*")
    rows = [
        {
            "id": name,
            "version": version,
            "status": "official",
            "docLink": f"https://www.axis.com/vapix-library/{name}",
            "name": title,
        }
        for name, (version, title) in APIS.items()
        if wanted in ("*", name)
    ]
    return {"apiList": rows}


def _discovery_group(call: Call) -> Group | None:
    return "viewer" if call.device.plan.firmware.startswith(_CLOSED_DISCOVERY) else None


def _ready(device: Device, _params: Params) -> Params:
    return {
        "systemready": "yes",
        "needsetup": "no" if device.plan.setup_done else "yes",
        "uptime": str(device.uptime_s),
        "bootid": device.boot_id,
    }


_BASIC = {"getAllProperties": _all, "getAllUnrestrictedProperties": _unrestricted, "getProperties": _some}
BASIC_DEVICE_INFO = JsonApi("1.3", _BASIC, echoes_method=False).page(_info_group)
API_DISCOVERY = JsonApi("1.0", {"getApiList": _api_list}).page(_discovery_group)
SYSTEM_READY = JsonApi("1.4", {"systemready": _ready}).page(None)

"""/config/rest: the firewall, certificates and SNMP of newer firmware. A refusal has an HTTP status of its own here."""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType

from cryptography.hazmat.primitives import serialization

from simulator.api import Answer, Call, Group, Page
from simulator.device import Device
from simulator.vapix import firewall
from simulator.vapix.failures import Failure
from simulator.vapix.parameters import release, remembered, value_of

ROOT = "/config/rest/"
JSON = b"application/json"
SINCE: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"cert/v1": (11, 11), "firewall/v1": (12, 0), "snmp/v1": (12, 0)}
)
"""The release that brought each of them."""


# --- certificates ----------------------------------------------------------------------------------------------------


def _certificates(device: Device) -> object:
    pem = device.keystore.chain.certificates[0].public_bytes(serialization.Encoding.PEM)
    return [{"alias": "Default HTTPS", "certificate": pem.decode(), "keystore": "SE0"}]


# --- SNMP ------------------------------------------------------------------------------------------------------------


def _snmp(device: Device) -> object:
    on = {name: value_of(device.plan, f"SNMP.{name}") == "yes" for name in ("Enabled", "V1", "V2c", "V3")}
    return {
        "enabled": on["Enabled"],
        "engineBoots": device.boots,
        "transportProtocol": "udp",
        "snmpV1": {"enabled": on["V1"]},
        "snmpV2": {"enabled": on["V2c"]},
        "snmpV3": {"enabled": on["V3"]},
    }


def _set_snmp(name: str) -> Callable[[Device, object], None]:
    def write(device: Device, data: object) -> None:
        device.change(**remembered(device.plan, f"SNMP.{name}", "yes" if _flag(data) else "no"))

    return write


# --- the framework ---------------------------------------------------------------------------------------------------

READ: Mapping[str, Callable[[Device], object]] = MappingProxyType(
    {
        "firewall/v1": firewall.shown,
        "firewall/v1/activated": lambda device: firewall.rules_of(device.plan)["activated"],
        "cert/v1/certificates": _certificates,
        "snmp/v1": _snmp,
    }
)
WRITE: Mapping[tuple[str, str], Callable[[Device, object], None]] = MappingProxyType(
    {
        ("PATCH", "firewall/v1/activated"): firewall.activate,
        ("POST", "firewall/v1/conf/setRules"): firewall.set_rules,
        ("POST", "firewall/v1/conf/confirmRules"): firewall.confirm,
        ("POST", "firewall/v1/conf/clearPendingRules"): firewall.clear_pending,
        ("PATCH", "snmp/v1/enabled"): _set_snmp("Enabled"),
        ("PATCH", "snmp/v1/snmpV1/enabled"): _set_snmp("V1"),
        ("PATCH", "snmp/v1/snmpV2/enabled"): _set_snmp("V2c"),
        ("PATCH", "snmp/v1/snmpV3/enabled"): _set_snmp("V3"),
    }
)


def _flag(data: object) -> bool:
    if not isinstance(data, bool):
        raise Failure(101, "A boolean is expected")
    return data


def _group(call: Call) -> Group | None:
    """Certificates are shown to everybody who has an account."""
    reads_certificates = call.request.method == "GET" and call.request.path.startswith(f"{ROOT}cert/")
    return "viewer" if reads_certificates else "admin"


def _answer(call: Call) -> Answer:
    try:
        data = _data(call)
    except Failure as failure:
        error = {"code": failure.code, "message": failure.message}
        return Answer(json.dumps({"status": "error", "error": error}), JSON, failure.status)
    return Answer(json.dumps({"status": "success"} if data is None else {"status": "success", "data": data}), JSON)


def _data(call: Call) -> object:
    request, path = call.request, call.request.path.removeprefix(ROOT)
    api = "/".join(path.split("/")[:2])
    if api not in SINCE or release(call.device.plan.firmware) < SINCE[api]:
        raise Failure(4, "Not found", 404)
    if request.method == "GET" and path in READ:
        return READ[path](call.device)
    write = WRITE.get((request.method, path))
    if write is None:
        known = path in READ or any(path == at for _, at in WRITE)
        raise Failure(5, "Method not allowed", 405) if known else Failure(4, "Not found", 404)
    try:
        said = json.loads(request.body)
    except ValueError:
        said = None
    if not isinstance(said, dict) or "data" not in said:
        raise Failure(1, "Invalid JSON")
    write(call.device, said["data"])
    return None


REST = Page(_group, _answer)

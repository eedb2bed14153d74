"""/config/rest: the firewall, certificates and SNMP of newer firmware. A refusal has an HTTP status of its own here.

Rules of the firewall may come into force on trial: nobody who confirms them within `fallbackTime`, and the earlier ones
are back.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from types import MappingProxyType

from cryptography.hazmat.primitives import serialization

from simulator.api import Answer, Call, Group, Page
from simulator.device import Device
from simulator.plan import CameraPlan
from simulator.vapix.parameters import release, remembered, value_of

ROOT = "/config/rest/"
JSON = b"application/json"
_FIREWALL = "firewall.conf"
SINCE: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"cert/v1": (11, 11), "firewall/v1": (12, 0), "snmp/v1": (12, 0)}
)
"""The release that brought each of them."""


class Failure(Exception):
    """An error with its number."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


# --- firewall --------------------------------------------------------------------------------------------------------


def _rules(plan: CameraPlan) -> dict[str, object]:
    kept = json.loads(dict(plan.parameters).get(_FIREWALL, "{}"))
    return {"activated": False, "activeRules": [], "activeDefaultPolicy": "ACCEPT", **kept}


def _firewall(device: Device) -> object:
    said = _rules(device.plan)
    before = said.get("before")
    pending: dict[str, object] = {"pendingRules": [], "pendingDefaultPolicy": None, "testTimeLeft": _left(device)}
    if isinstance(before, dict):  # what waits to come back, should nobody confirm
        pending |= {"pendingRules": before["activeRules"], "pendingDefaultPolicy": before["activeDefaultPolicy"]}
    rules = {name: said[name] for name in ("activeRules", "activeDefaultPolicy")}
    return {"activated": said["activated"], "conf": {"rules": {**rules, **pending}}}


def _left(device: Device) -> int:
    if device.fallback is None:
        return 0
    left = device.fallback.when() - asyncio.get_running_loop().time()
    return max(0, round(left * 60 / device.plan.minute_s))


def _keep(device: Device, **values: object) -> None:
    device.change(**remembered(device.plan, _FIREWALL, json.dumps({**_rules(device.plan), **values})))


def _activate(device: Device, data: object) -> None:
    _keep(device, activated=_flag(data))


def _set_rules(device: Device, data: object) -> None:
    said = data if isinstance(data, dict) else {}
    rules, policy, trial_s = said.get("rules"), said.get("defaultPolicy"), said.get("fallbackTime", 0)
    if not isinstance(rules, list) or policy not in ("ACCEPT", "DROP") or not isinstance(trial_s, int):
        raise Failure(100, "Invalid rules")
    now = _rules(device.plan)
    if trial_s and not now["activated"]:
        raise Failure(103, "Rules cannot be tried while the firewall is inactive")
    _confirm(device, None)
    before = {name: now[name] for name in ("activeRules", "activeDefaultPolicy")} if trial_s else None
    _keep(device, activeRules=rules, activeDefaultPolicy=policy, before=before)
    if trial_s:
        device.fallback = device.later(trial_s, lambda: _take_back(device, None))


def _confirm(device: Device, _data: object) -> None:
    if device.fallback is not None:
        device.fallback.cancel()
        device.fallback = None
    if _rules(device.plan).get("before") is not None:
        _keep(device, before=None)


def _take_back(device: Device, _data: object) -> None:
    before = _rules(device.plan).get("before")
    _confirm(device, None)
    if isinstance(before, dict):
        _keep(device, **before)


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
        "firewall/v1": _firewall,
        "firewall/v1/activated": lambda device: _rules(device.plan)["activated"],
        "cert/v1/certificates": _certificates,
        "snmp/v1": _snmp,
    }
)
WRITE: Mapping[tuple[str, str], Callable[[Device, object], None]] = MappingProxyType(
    {
        ("PATCH", "firewall/v1/activated"): _activate,
        ("POST", "firewall/v1/conf/setRules"): _set_rules,
        ("POST", "firewall/v1/conf/confirmRules"): _confirm,
        ("POST", "firewall/v1/conf/clearPendingRules"): _take_back,
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

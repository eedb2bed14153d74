"""/config/rest: the firewall, certificates and SNMP of newer firmware, and /config/discover, which lists them.

A refusal has an HTTP status of its own here.
"""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType

from cryptography.hazmat.primitives import serialization

from simulator.api import Answer, Call, Group, Page, needs
from simulator.device import Device
from simulator.vapix import firewall
from simulator.vapix.failures import Failure
from simulator.vapix.parameters import release, remembered, value_of

ROOT, DISCOVERY = "/config/rest/", "/config/discover"
JSON = b"application/json"
SINCE: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"cert/v1beta": (11, 6), "cert/v1": (11, 11), "firewall/v1": (12, 0), "snmp/v1": (12, 0)}
)
"""The release that brought each of them, as it stands in an address. A released one is answered as a beta too: seen."""
DISCOVERED_SINCE = (11, 8)
FULL_VERSIONS = {"v1": "1.0.0", "v1beta": "1.0.0-beta.1"}


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
    path = path.replace("/v1beta", "/v1", 1)
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


# --- what there is ---------------------------------------------------------------------------------------------------


def _listed(now: tuple[int, ...]) -> dict[str, dict[str, dict[str, str]]]:
    """By API and number: a beta has the number that it is to have, and an address that says what it is."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for at, since in SINCE.items():
        if now >= since:
            api, stage = at.split("/")
            number = stage.removesuffix("beta")
            found.setdefault(api, {})[number] = _described(api, number, stage)
    return found


def _described(api: str, number: str, stage: str) -> dict[str, str]:
    here = f"{DISCOVERY}/apis/{api}/{number}"
    return {
        "doc": f"{here}/doc.md",
        "doc_html": f"/config/web-ui/cu-doc.html?md-doc-loc={here}/doc.md",
        "model": f"{here}/model.json",
        "rest_api": f"{ROOT}{api}/{stage}",
        "rest_openapi": f"{here}/openapi.json",
        "rest_ui": f"/config/web-ui/swagger-ui/?url={here}/openapi.json",
        "state": "beta" if stage.endswith("beta") else "released",
        "version": FULL_VERSIONS[stage],
    }


def _discover(call: Call) -> Answer:
    """All of it, the APIs, one of them (under its name), one version of it: as it is documented."""
    now, names = release(call.device.plan.firmware), call.request.path.strip("/").split("/")[2:]
    found: object = {"framework_version": "1.0.0", "apis": _listed(now)} if now >= DISCOVERED_SINCE else None
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        error = {"code": 1, "message": "Resource not found"}
        return Answer(json.dumps({"status": "error", "error": error}), JSON, 404)
    return Answer(json.dumps({names[1]: found} if names[1:] and not names[2:] else found), JSON)


REST = Page(_group, _answer)
DISCOVER = Page(needs("viewer"), _discover)

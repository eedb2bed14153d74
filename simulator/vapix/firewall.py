"""The firewall of AXIS OS 12: its rules, their trial, and whom they let in.

Rules come into force on trial where `fallbackTime` is given: nobody who confirms them in time, and the earlier ones are
back, while those that were tried stay listed as pending. Rules are gone through in their order and the first one that
fits decides; limits of a rate let everybody through.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from ipaddress import ip_address, ip_network
from math import ceil
from types import MappingProxyType

from simulator.device import Device
from simulator.plan import CameraPlan
from simulator.vapix.failures import Failure
from simulator.vapix.parameters import remembered

_KEPT_AT = "firewall.conf"


def rules_of(plan: CameraPlan) -> dict[str, object]:
    kept = json.loads(dict(plan.parameters).get(_KEPT_AT, "{}"))
    factory = {"activated": False, "activeRules": [], "activeDefaultPolicy": "ACCEPT"}
    return {**factory, "pendingRules": [], "pendingDefaultPolicy": None, **kept}


def shown(device: Device) -> object:
    said = rules_of(device.plan)
    names = ("activeRules", "activeDefaultPolicy", "pendingRules", "pendingDefaultPolicy")
    rules = {name: said[name] for name in names}
    return {"activated": said["activated"], "conf": {"rules": {**rules, "testTimeLeft": _left(device)}}}


def _left(device: Device) -> int:
    if device.fallback is None:
        return 0
    left = device.fallback.when() - asyncio.get_running_loop().time()
    return max(1, ceil(left * 60 / device.plan.minute_s))


def _keep(device: Device, **values: object) -> None:
    device.change(**remembered(device.plan, _KEPT_AT, json.dumps({**rules_of(device.plan), **values})))


def activate(device: Device, data: object) -> None:
    if not isinstance(data, bool):
        raise Failure(101, "A boolean is expected")
    _keep(device, activated=data)


def set_rules(device: Device, data: object) -> None:
    """The rules that were tried before, should there be some, are what this trial would go back to."""
    said = data if isinstance(data, dict) else {}
    rules, policy, trial_s = said.get("rules"), said.get("defaultPolicy"), said.get("fallbackTime", 0)
    if not isinstance(rules, list) or policy not in ("ACCEPT", "DROP") or not isinstance(trial_s, int):
        raise Failure(100, "Invalid rules")
    if not all(isinstance(rule, dict) and _is_valid(rule) for rule in rules):
        raise Failure(100, "Invalid IP address")
    now = rules_of(device.plan)
    if trial_s and not now["activated"]:
        raise Failure(103, "Invalid request.")
    confirm(device, None)
    before = {name: now[name] for name in ("activeRules", "activeDefaultPolicy")} if trial_s else None
    pending = {"pendingRules": rules, "pendingDefaultPolicy": policy} if trial_s else {}
    _keep(device, activeRules=rules, activeDefaultPolicy=policy, before=before, **pending)
    if trial_s:
        device.fallback = device.later(trial_s, lambda: take_back(device))


def confirm(device: Device, _data: object) -> None:
    _end_trial(device)
    if rules_of(device.plan)["pendingDefaultPolicy"] is not None:
        _keep(device, before=None, pendingRules=[], pendingDefaultPolicy=None)


def clear_pending(device: Device, _data: object) -> None:
    take_back(device)
    _keep(device, pendingRules=[], pendingDefaultPolicy=None)


def take_back(device: Device) -> None:
    """What happens when the time of a trial is over, or sooner."""
    before = rules_of(device.plan).get("before")
    _end_trial(device)
    if isinstance(before, dict):
        _keep(device, **before, before=None)


def _end_trial(device: Device) -> None:
    if device.fallback is not None:
        device.fallback.cancel()
        device.fallback = None


# --- who comes in ----------------------------------------------------------------------------------------------------


def lets_in(plan: CameraPlan, address: str, port: int) -> bool:
    """A new TCP connection from there to this port. Those that stand already go on."""
    if not any(name == _KEPT_AT for name, _ in plan.parameters):
        return True
    said = rules_of(plan)
    rules = said["activeRules"]
    if not said["activated"] or not isinstance(rules, list):
        return True
    for rule in rules:
        if rule.get("ruleType") == "FILTER" and _fits(rule, address, port):
            return bool(rule["filter"]["policy"] == "ACCEPT")
    return said["activeDefaultPolicy"] == "ACCEPT"


def _fits(rule: Mapping[str, object], address: str, port: int) -> bool:
    if any(rule.get(name) is not None for name in ("mac", "pktType", "udpPort")):
        return False  # on loopback there are no MACs, and a connection is TCP
    return all(fits(rule[name], address, port) for name, fits in _FITS.items() if rule.get(name) is not None)


def _between(said: object, address: str, _port: int) -> bool:
    bounds = said if isinstance(said, dict) else {}
    first, last = (ip_address(str(bounds.get(name))) for name in ("start", "end"))
    here = ip_address(address)
    return first.version == here.version and int(first) <= int(here) <= int(last)


def _port_of(said: object, _address: str, port: int) -> bool:
    named = said if isinstance(said, dict) else {"portNum": said}
    first, last = named.get("start", named.get("portNum")), named.get("end", named.get("portNum"))
    is_tcp = named.get("portType", "TCP") in ("TCP", "BOTH")
    return is_tcp and isinstance(first, int) and isinstance(last, int) and first <= port <= last


_FITS: Mapping[str, Callable[[object, str, int], bool]] = MappingProxyType(
    {
        "ip": lambda said, address, _port: ip_address(address) in ip_network(str(said), strict=False),
        "ipRange": _between,
        "tcpPort": _port_of,
        "port": _port_of,
        "portRange": _port_of,
    }
)


def _is_valid(rule: Mapping[str, object]) -> bool:
    try:
        _fits(rule, "192.0.2.1", 1)
    except ValueError:
        return False
    return True

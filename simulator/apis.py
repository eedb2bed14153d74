"""The APIs of the vendors, and the weaknesses that only they show."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from simulator import dahua_cgi, isapi, sunapi, vapix
from simulator.api import Api
from simulator.faults import SNMP_SWITCHES, THROTTLING
from simulator.plan import NEVER_LOCKS, CameraPlan

APIS: Mapping[str, Api] = MappingProxyType(
    {"axis": vapix.API, "hikvision": isapi.API, "dahua": dahua_cgi.API, "hanwha": sunapi.API}
)


def _has_no_lock(plan: CameraPlan) -> bool:
    if plan.vendor == "axis":
        return vapix.value_of(plan, THROTTLING) == "Off"
    return plan.lock_after == NEVER_LOCKS


def _speaks_snmp(plan: CameraPlan) -> bool:
    return set(SNMP_SWITCHES[plan.vendor]) <= set(plan.parameters)


SHOWN: Mapping[str, tuple[frozenset[str], Callable[[CameraPlan], bool]]] = MappingProxyType(
    {
        "lockout-off": (frozenset({"axis", "hikvision", "dahua"}), _has_no_lock),
        "snmp-v1-v2c": (frozenset(SNMP_SWITCHES), _speaks_snmp),
    }
)
"""By check: the vendors whose API tells, and whether a camera of theirs has the weakness."""

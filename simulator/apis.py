"""The APIs of the vendors, and the weaknesses that only they show."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from simulator import dahua_cgi, isapi, sunapi, vapix
from simulator.api import Api
from simulator.faults import SNMP_SWITCHES, THROTTLING
from simulator.plan import NEVER_LOCKS, CameraPlan
from simulator.snmp import versions_on

APIS: Mapping[str, Api] = MappingProxyType(
    {"axis": vapix.API, "hikvision": isapi.API, "dahua": dahua_cgi.API, "hanwha": sunapi.API}
)


def _has_no_lock(plan: CameraPlan) -> bool:
    if plan.vendor == "axis":
        return vapix.value_of(plan, THROTTLING) == "Off"
    return plan.lock_after == NEVER_LOCKS


SHOWN: Mapping[str, tuple[frozenset[str], Callable[[CameraPlan], bool]]] = MappingProxyType(
    {
        "lockout-off": (frozenset({"axis", "hikvision", "dahua"}), _has_no_lock),
        "snmp-v1-v2c": (frozenset(SNMP_SWITCHES), lambda plan: bool(versions_on(plan))),
    }
)
"""By check: the vendors whose API tells, and whether a camera of theirs has the weakness."""

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


def _has_no_lock(plan: CameraPlan) -> bool | None:
    if plan.vendor == "axis":
        return vapix.value_of(plan, THROTTLING) == "Off"
    return plan.lock_after == NEVER_LOCKS if plan.vendor in ("hikvision", "dahua") else None


def _speaks_snmp(plan: CameraPlan) -> bool | None:
    return bool(versions_on(plan)) if plan.vendor in SNMP_SWITCHES else None


def _takes_unsigned_apps(plan: CameraPlan) -> bool | None:
    return vapix.takes_unsigned(plan) if plan.vendor == "axis" else None


SHOWN: Mapping[str, Callable[[CameraPlan], bool | None]] = MappingProxyType(
    {"lockout-off": _has_no_lock, "snmp-v1-v2c": _speaks_snmp, "unsigned-apps": _takes_unsigned_apps}
)
"""By check: whether a camera has the weakness; `None` where its API has no word for it."""

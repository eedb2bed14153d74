"""What the console can do about a finding: a plan for one setting, another password, another firmware."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from urllib.parse import urlencode

from fleet.people.permissions import Permission
from hardening.baseline import BUNDLED, Baseline, from_values, load_baseline
from hardening.settings import BY_NAME

# The setting that puts right what a check found.
SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "anonymous-rtsp": "anonymous-viewer",
        "anonymous-snapshot": "anonymous-viewer",
        "clock-skew": "ntp",
        "discovery-left-on": "discovery-mode",
        "snmp-public": "snmp-v1-v2c",
        "snmp-v1-v2c": "snmp-v1-v2c",
        "ftp-open": "telnet-ftp",
        "http-basic-cleartext": "http",
        "http-cleartext-management": "http",
        "ntp-not-configured": "ntp",
        "telnet-open": "telnet-ftp",
        "unsigned-apps": "unsigned-apps",
    }
)
# What is wanted of a setting that no bundled baseline names.
_NOT_BUNDLED: Mapping[str, object] = MappingProxyType({"unsigned-apps": False})
# What must be wanted beside a setting: plain HTTP goes only where HTTPS is there.
_BESIDE: Mapping[str, tuple[str, ...]] = MappingProxyType({"http": ("https",)})


@dataclass(frozen=True, slots=True)
class Remedy:
    """A link, its words, and who may follow it."""

    path: str
    words: str
    permission: Permission


def remedy(check: str, camera: str, finding: str) -> Remedy | None:
    """`None` where only hands at the camera, or on the network, put it right."""
    here = {"camera": camera}
    if check == "default-credentials":
        known = urlencode({**here, "finding": finding})
        return Remedy(f"/rotations/new?{known}", "Change the password", Permission.CHANGE)
    if check == "firmware-outdated":
        return Remedy(f"/rollouts/new?{urlencode(here)}", "Roll out a firmware", Permission.CHANGE)
    if (setting := SETTINGS.get(check)) is None:
        return None
    asked = urlencode({**here, "setting": setting})
    return Remedy(f"/plans/new?{asked}", "Put it right", Permission.PLAN)


@cache
def bundled() -> Mapping[str, Baseline]:
    """Blocks the first time."""
    return MappingProxyType({name: load_baseline(name) for name in BUNDLED})


def only(setting: str) -> Baseline | None:
    """A baseline that wants this setting, as the strict one does where it names it, and nothing more. Blocks as
    `bundled`.
    """
    wanted = {**_NOT_BUNDLED, **bundled()["strict"].settings}
    if setting not in wanted:
        return None
    names = (setting, *_BESIDE.get(setting, ()))
    return from_values(f"only {setting}", {name: wanted[name] for name in names})


def titles(baseline: Baseline) -> tuple[str, ...]:
    """What it wants, in the order of changing."""
    return tuple(BY_NAME[name].title for name in baseline.settings)

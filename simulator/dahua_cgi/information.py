"""magicBox.cgi, global.cgi and netApp.cgi: who the camera is, what time it is, and its restart."""

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

from simulator.api import Answer, Call, Group, Page, needs
from simulator.dahua_cgi.words import OK, asked, bad, lines
from simulator.plan import CameraPlan
from simulator.vendors import VENDORS

HARDWARE, PROCESSOR = "1.00", "SSC339G"
Rows = tuple[tuple[str, str], ...]


def vendor_of(plan: CameraPlan) -> str:
    """The company whose label is on it."""
    return plan.oem_label or VENDORS[plan.vendor].manufacturer


def software_of(plan: CameraPlan) -> str:
    """`2.820.0000000.48.R,build:2022-06-14`, which ONVIF writes with "Build Date"."""
    return plan.firmware.replace(", Build Date ", ",build:")


def _system(plan: CameraPlan) -> Rows:
    return (
        ("appAutoStart", "true"),
        ("deviceType", plan.model),
        ("hardwareVersion", HARDWARE),
        ("processor", PROCESSOR),
        ("serialNumber", plan.serial),
        ("updateSerial", plan.model),
    )


_BOX: Mapping[str, Callable[[CameraPlan], Rows]] = MappingProxyType(
    {
        "getDeviceType": lambda p: (("type", p.model),),
        "getSystemInfo": _system,
        "getSerialNo": lambda p: (("sn", p.serial),),
        "getHardwareVersion": lambda _: (("version", HARDWARE),),
        "getSoftwareVersion": lambda p: (("version", software_of(p)),),
        "getMachineName": lambda p: (("name", p.serial),),
        "getVendor": lambda p: (("vendor", vendor_of(p)),),
        "getDeviceClass": lambda _: (("class", "IPC"),),
    }
)


def _magic_box(call: Call) -> Answer:
    action = dict(asked(call)).get("action", "")
    if action == "reboot":
        call.device.restart()
        return OK
    rows = _BOX.get(action)
    return lines(rows(call.device.plan)) if rows else bad(call)


def _box_group(call: Call) -> Group:
    return "admin" if dict(asked(call)).get("action") in ("reboot", "shutdown") else "viewer"


def _global(call: Call) -> Answer:
    """Its clock, in no zone that it would name."""
    if dict(asked(call)).get("action") != "getCurrentTime":
        return bad(call)
    now = time.gmtime(time.time() + call.device.plan.clock_offset_s)
    return lines([("result", time.strftime("%Y-%m-%d %H:%M:%S", now))])


def _net_app(call: Call) -> Answer:
    if dict(asked(call)).get("action") != "getInterfaces":
        return bad(call)
    return lines([("netInterface[0].Name", "eth0"), ("netInterface[0].Type", "Normal")])


MAGIC_BOX = Page(_box_group, _magic_box)
GLOBAL = Page(needs("viewer"), _global)
NET_APP = Page(needs("operator"), _net_app)

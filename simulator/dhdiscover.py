"""Dahua's DHDiscover, with the fields that a device was seen to send. Some write JSON that is none."""

import json
import struct
from collections.abc import Iterable

from simulator.announcing import Announcement, Endpoint
from simulator.plan import CameraPlan

GROUP, PORT = "239.255.255.251", 37810
HEADER = struct.Struct("<I4sIIIIII")
SET_UP, NEW = 0b10010110, 0b10010101


def answers(plan: CameraPlan, question: bytes, asker: Endpoint, _number: int) -> Iterable[tuple[bytes, Endpoint]]:
    if len(question) < HEADER.size or question[4:8] != b"DHIP":
        return
    try:
        asked = json.loads(question[HEADER.size :].strip(b"\0\n "))
    except ValueError:
        return
    if isinstance(asked, dict) and asked.get("method") == "DHDiscover.search":
        body = json.dumps(_told(plan), separators=(",", ":"), sort_keys=True)
        if "dhdiscover-unquoted" in plan.quirks:
            body = body.replace('"Vendor":"Dahua"', '"Vendor":"Dahua', 1)
        said = body.encode() + b"\n\0"
        yield HEADER.pack(HEADER.size, b"DHIP", 0, 0, len(said), 0, len(said), 0) + said, asker


def _told(plan: CameraPlan) -> dict[str, object]:
    return {
        "mac": plan.mac,
        "method": "client.notifyDevInfo",
        "params": {
            "deviceInfo": {
                "AlarmInputChannels": 0,
                "AlarmOutputChannels": 0,
                "DeviceClass": "IPC",
                "DeviceType": plan.model,
                "Find": "BD",
                "HttpPort": plan.http_port or plan.usual_ports[0],
                "IPv4Address": {
                    "DefaultGateway": "0.0.0.0",  # noqa: S104 - none
                    "DhcpEnable": False,
                    "IPAddress": plan.address,
                    "SubnetMask": "255.255.255.0",
                },
                "Init": SET_UP if plan.setup_done else NEW,
                "MachineName": plan.serial,
                "Manufacturer": "Private",
                "Port": 37777,
                "RemoteVideoInputChannels": 0,
                "SerialNo": plan.serial,
                "Vendor": plan.oem_label or "Dahua",
                "Version": plan.firmware.partition(",")[0],
                "VideoInputChannels": 1,
                "VideoOutputChannels": 0,
            }
        },
    }


DHDISCOVER = Announcement(GROUP, PORT, lambda plan: plan.vendor == "dahua" and plan.discoverable, answers)

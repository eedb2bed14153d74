"""Hikvision's SADP, as tools that speak it show it. A camera answers the asker, older ones the whole group."""

import re
from collections.abc import Iterable
from xml.sax.saxutils import escape

from simulator.announcing import Announcement, Endpoint
from simulator.plan import CameraPlan

GROUP, PORT = "239.255.255.250", 37020
_UUID = re.compile(rb"<Uuid>([^<]{1,100})</Uuid>")
_MATCH = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<ProbeMatch>\n<Uuid>{uuid}</Uuid>\n<Types>inquiry</Types>\n'
    "<DeviceType>138</DeviceType>\n<DeviceDescription>{model}</DeviceDescription>\n<DeviceSN>{serial}</DeviceSN>\n"
    "<CommandPort>8000</CommandPort>\n<HttpPort>{http_port}</HttpPort>\n<MAC>{mac}</MAC>\n"
    "<IPv4Address>{address}</IPv4Address>\n<IPv4SubnetMask>255.255.255.0</IPv4SubnetMask>\n"
    "<IPv4Gateway>0.0.0.0</IPv4Gateway>\n<IPv6Address>::</IPv6Address>\n<IPv6Gateway>::</IPv6Gateway>\n"
    "<IPv6MaskLen>64</IPv6MaskLen>\n<DHCP>false</DHCP>\n<AnalogChannelNum>0</AnalogChannelNum>\n"
    "<DigitalChannelNum>1</DigitalChannelNum>\n<SoftwareVersion>{firmware}</SoftwareVersion>\n"
    "<DSPVersion>V7.3 build 220112</DSPVersion>\n<BootTime>2026-07-19 06:14:02</BootTime>\n"
    "<ResetAbility>false</ResetAbility>\n<DiskNumber>0</DiskNumber>\n<Activated>{activated}</Activated>\n"
    "<PasswordResetAbility>true</PasswordResetAbility>\n</ProbeMatch>\n"
)


def answers(plan: CameraPlan, question: bytes, asker: Endpoint, _number: int) -> Iterable[tuple[bytes, Endpoint]]:
    uuid = _UUID.search(question)
    if uuid is None or b"<Probe>" not in question or b"<Types>inquiry</Types>" not in question:
        return
    typo = "sadp-typo" in plan.quirks
    match = _MATCH.format(
        uuid=uuid[1].decode("latin-1"),
        model=escape(plan.model),
        serial=escape(plan.serial),
        http_port=plan.http_port or plan.usual_ports[0],
        mac=plan.mac.replace(":", "-"),
        address=plan.address,
        firmware=escape(plan.firmware.replace(" build", "build")),
        activated="true" if plan.setup_done else "flase" if typo else "false",
    )
    yield match.encode(), (GROUP, PORT) if "sadp-to-all" in plan.quirks else asker


SADP = Announcement(GROUP, PORT, lambda plan: plan.vendor == "hikvision" and plan.discoverable, answers)

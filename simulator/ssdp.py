"""SSDP and the description behind it, in the words of Axis cameras. Others could too; here only these do.

A real one serves its description at a port of its own (49152 and others); this one at that of its web pages.
"""

import re
from collections.abc import Iterable
from email.utils import formatdate
from xml.sax.saxutils import escape

from simulator.announcing import Announcement, Endpoint
from simulator.plan import CameraPlan
from simulator.vapix.parameters import value_of

GROUP, PORT = "239.255.255.250", 1900
PATH = "/rootdesc1.xml"
_SERVICE = "urn:axis-com:service:BasicService:1"
_DEVICE = "urn:schemas-upnp-org:device:Basic:1"
_TARGET = re.compile(rb"^ST:[ \t]*([^\r\n]*?)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


def is_on(plan: CameraPlan) -> bool:
    return plan.vendor == "axis" and value_of(plan, "Network.UPnP.Enabled") == "yes"


def answers(plan: CameraPlan, question: bytes, asker: Endpoint, _number: int) -> Iterable[tuple[bytes, Endpoint]]:
    """One for each target that was asked for: the root device, the device by its number and kind, its service."""
    asked = _TARGET.search(question)
    if asked is None or not question.startswith(b"M-SEARCH * HTTP/1.1\r\n") or b'"ssdp:discover"' not in question:
        return
    target = asked[1].decode("latin-1")
    for own in ("upnp:rootdevice", udn(plan), _DEVICE, _SERVICE):
        if target in (own, "ssdp:all"):
            usn = own if own == udn(plan) else f"{udn(plan)}::{own}"
            yield (
                (
                    "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=1800\r\n"
                    f"DATE: {formatdate(usegmt=True)}\r\nEXT:\r\n"
                    f"LOCATION: http://{plan.address}:{plan.http_port or plan.usual_ports[0]}{PATH}\r\n"
                    'OPT: "http://schemas.upnp.org/upnp/1/0/"; ns=01\r\n'
                    "01-NLS: 8fb2638a-1dd2-11b2-a915-c89968cce2ca\r\n"
                    "SERVER: Linux/2.6.35, UPnP/1.0, Portable SDK for UPnP devices/1.6.18\r\n"
                    f"X-User-Agent: redsonic\r\nST: {own}\r\nUSN: {usn}\r\n\r\n"
                ).encode(),
                asker,
            )


def udn(plan: CameraPlan) -> str:
    return f"uuid:Upnp-BasicDevice-1_0-{plan.serial}"


def description(plan: CameraPlan) -> str:
    model = escape(plan.model)
    here = f"http://{plan.address}:{plan.http_port}/"
    return (
        '<?xml version="1.0"?>\n<root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major>'
        f"<minor>0</minor></specVersion><device><deviceType>{_DEVICE}</deviceType>"
        f"<friendlyName>AXIS {model} - {plan.serial}</friendlyName><manufacturer>AXIS</manufacturer>"
        "<manufacturerURL>http://www.axis.com/</manufacturerURL>"
        f"<modelDescription>AXIS {model} Network Camera</modelDescription><modelName>AXIS {model}</modelName>"
        f"<modelNumber>{model}</modelNumber><modelURL>http://www.axis.com/</modelURL>"
        f"<serialNumber>{plan.serial}</serialNumber><UDN>{udn(plan)}</UDN><serviceList>"
        f'<service xmlns="urn:schemas-upnp-org:service-1-0"><serviceType>{_SERVICE}</serviceType>'
        "<serviceId>urn:axis-com:serviceId:BasicServiceId</serviceId>"
        "<controlURL>/upnp/control/BasicServiceId</controlURL><eventSubURL>/upnp/event/BasicServiceId</eventSubURL>"
        f"<SCPDURL>/scpd_basic.xml</SCPDURL></service></serviceList><presentationURL>{here}</presentationURL></device>"
        f"<URLBase>{here}</URLBase></root>\n"
    )


SSDP = Announcement(GROUP, PORT, is_on, answers)

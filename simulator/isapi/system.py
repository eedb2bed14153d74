"""Who the camera is, whether it was set up, its restarts, its configuration in one file, its log, its certificates."""

import json
import time
from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_OID, uuid5

from simulator import onvif, transfers
from simulator.api import BINARY, Answer, Call, Page, needs
from simulator.isapi.documents import (
    BAD_METHOD,
    BAD_PARAMETERS,
    BAD_XML,
    OK,
    REBOOT,
    Element,
    Told,
    answer,
    element,
    given,
    reading,
    said,
    word,
)
from simulator.isapi.firmware import finish
from simulator.plan import CameraPlan
from simulator.tls import VALIDITY
from simulator.vendors import VENDORS

JSON = b'application/json; charset="UTF-8"'
MOST_RESULTS = 64


def _device_info(call: Call) -> Answer:
    """As cameras from V5.4 to V5.7 answered it. None of them named its maker."""
    if call.request.method != "GET":
        return said(call, BAD_METHOD)
    plan = call.device.plan
    version, _, build = plan.firmware.partition(" build ")
    fields = {
        "deviceName": plan.name,
        "deviceID": str(uuid5(NAMESPACE_OID, plan.serial)),
        "deviceDescription": "IPCamera",
        "deviceLocation": "hangzhou",
        "systemContact": "Hikvision.China",
        "model": plan.model,
        "serialNumber": plan.serial,
        "macAddress": plan.mac,
        "firmwareVersion": version,
        "firmwareReleasedDate": f"build {build}" if build else "",
        "encoderVersion": "V7.3",
        "encoderReleasedDate": "build 210301",
        "bootVersion": "V1.3.4",
        "bootReleasedDate": "100316",
        "hardwareVersion": "0x0",
        "deviceType": "IPCamera",
        "telecontrolID": "88",
        "supportBeep": "false",
        "supportVideoLoss": "false",
    }
    return answer(call, element("DeviceInfo", **fields))


def _status(call: Call) -> Answer:
    up = str(call.device.uptime_s)
    now = datetime.fromtimestamp(time.time() + call.device.plan.clock_offset_s, UTC)
    fields = {"currentDeviceTime": now.isoformat(timespec="seconds"), "deviceUpTime": up, "openFileHandles": "50"}
    return answer(call, element("DeviceStatus", **fields))


def _activate_status(call: Call) -> Answer:
    return answer(call, element("ActivateStatus", Activated=word(call.device.plan.setup_done)))


def _security_capabilities(call: Call) -> Answer:
    root = element(
        "SecurityCap",
        Element("supportUserNums", "32"),
        Element("issupIllegalLoginLock", "true"),
        Element("isSupportUserCheck", "true"),
        Element("securityVersion", "", ' opt="1"'),
        Element("keyIterateNum", "100"),
        Element("isSupportONVIFUserManagement", "true"),
        Element("isSupportConfigFileImport", "true"),
        Element("isSupportConfigFileExport", "true"),
        element("SecurityLimits", Element("LoginPasswordLenLimit", "8", ' min="8" max="16"')),
        Element("cfgFileSecretKeyLenLimit", "", ' min="0" max="32"'),
    )
    return answer(call, root)


def _interfaces(call: Call) -> Answer:
    plan = call.device.plan
    address = element(
        "IPAddress",
        ipVersion="dual",
        addressingType="static",
        ipAddress=plan.address,
        subnetMask="255.0.0.0",
    )
    link = element("Link", MACAddress=plan.mac, autoNegotiation="true", speed="100", duplex="full", MTU="1500")
    one = element("NetworkInterface", Element("id", "1"), address, link)
    return answer(call, element("NetworkInterfaceList", one))


def _channels(call: Call) -> Answer:
    """The main stream and the sub stream. Rates are in hundredths of a picture."""
    return answer(call, element("StreamingChannelList", *(_channel(*profile) for profile in onvif.PROFILES)))


def _channel(number: int, width: int, height: int, rate: int) -> Element:
    video = element(
        "Video",
        enabled="true",
        videoInputChannelID="1",
        videoCodecType="H.264",
        videoResolutionWidth=str(width),
        videoResolutionHeight=str(height),
        maxFrameRate=str(rate * 100),
    )
    return element("StreamingChannel", video, id=f"10{number}", channelName="Camera 01", enabled="true")


# --- restarts, and the configuration ---


def _reboot(call: Call) -> Answer:
    if call.request.method != "PUT":
        return said(call, BAD_METHOD)
    if not finish(call.device):
        call.device.restart()
    return said(call, OK)


def _configuration(call: Call) -> Answer:
    """Without a key: cameras that insist on one were not looked at. What is put in counts from the next restart on."""
    if call.request.method == "GET":
        return Answer(transfers.backup(call.device), BINARY)
    if call.request.method != "PUT":
        return said(call, BAD_METHOD)
    if not transfers.take_in(call.device, call.request.body):
        return said(call, BAD_PARAMETERS)
    return said(call, REBOOT)


# --- the log ---


def _log(call: Call) -> list[tuple[str, datetime]]:
    """Oldest first."""
    device = call.device
    now = datetime.fromtimestamp(time.time() + device.plan.clock_offset_s, UTC)
    booted = now - timedelta(seconds=device.uptime_s)
    return [
        ("Information/powerOn", booted),
        ("Operation/remoteLogin", now - timedelta(seconds=1)),
        ("Operation/remoteGetParam", now),
    ]


def _log_search(call: Call) -> Answer:
    """`searchResultPostion` is spelled so."""
    if call.request.method != "POST":
        return said(call, BAD_METHOD)
    asked = given(call.device.plan, call.request.body, "CMSearchDescription")
    if not asked.need("metaId").startswith(("log.std-cgi.com", "log.hikvision.com")):
        raise Told(BAD_XML)
    spans = [(_stamp(s.need("startTime")), _stamp(s.need("endTime"))) for s in asked.find("timeSpanList") or ()]
    first = asked.number("searchResultPostion", 0, 10**6)
    most = min(MOST_RESULTS, asked.number("maxResults", 1, 10**6))
    found = [row for row in _log(call) if any(start <= row[1] <= end for start, end in spans)]
    shown = found[first : first + most]
    status = "NO MATCHES" if not found else "MORE" if first + most < len(found) else "OK"
    head = {
        "searchID": asked.need("searchID"),
        "responseStatus": "true",
        "responseStatusStrg": status,
        "numOfMatches": str(len(shown)),
    }
    rows = (element("searchMatchItem", _descriptor(call.device.plan, *row)) for row in shown)
    return answer(call, element("CMSearchResult", element("matchList", *rows), **head))


def _stamp(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Told(BAD_PARAMETERS) from None


def _descriptor(plan: CameraPlan, what: str, when: datetime) -> Element:
    return element(
        "logDescriptor",
        metaId=f"log.hikvision.com/{what}",
        StartDateTime=when.strftime("%Y-%m-%dT%H:%M:%SZ"),
        userName=VENDORS[plan.vendor].admin,
        ipAddress="192.0.2.10",
        additionInformation="",
    )


# --- certificates ---


def _certificates(call: Call) -> Answer:
    plan = call.device.plan
    start, end = VALIDITY[plan.certificate]
    now = datetime.now(UTC)
    issuer = plan.hostname if plan.certificate == "self-signed" else "Simulated Estate CA"
    row = {
        "customID": "default",
        "issuerDN": issuer,
        "subjectDN": plan.hostname,
        "startDate": (now + start).strftime("%Y-%m-%dT%H:%M:%S"),
        "endDate": (now + end).strftime("%Y-%m-%dT%H:%M:%S"),
        "type": "HTTPS",
        "status": "normal",
    }
    return Answer(json.dumps({"CertificateInfo": [row] if plan.https_port else []}), JSON)


DEVICE_INFO = Page(needs("viewer"), _device_info)
STATUS = Page(needs("viewer"), _status)
ACTIVATE_STATUS = Page(lambda _call: None, _activate_status)
SECURITY_CAPABILITIES = Page(needs("operator"), _security_capabilities)
INTERFACES = Page(needs("operator"), _interfaces)
CHANNELS = Page(needs("viewer"), _channels)
REBOOTING = Page(needs("admin"), _reboot)
CONFIGURATION = Page(needs("admin"), _configuration)
LOG_SEARCH = Page(needs("admin"), reading(_log_search))
CERTIFICATES = Page(needs("admin"), _certificates)

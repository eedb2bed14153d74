"""system.cgi: who it is, its clock, its logs, its configuration, its firmware."""

import base64
import binascii
import time
from urllib.parse import unquote_to_bytes

from simulator import transfers
from simulator.api import BINARY, Answer, Call
from simulator.firmware import BadFile, read_image
from simulator.sunapi.dialect import Command, NotGood, Shown, asked, need, show
from simulator.vapix.forms import parts

BOUNDARY = "SamsungTechwin"
MODULES = ("Kernel", "App", "Web", "ISP")
MOST_NTP_SERVERS = 5


def _device_info(call: Call) -> Shown:
    plan = call.device.plan
    return show(
        Model=plan.model,
        SerialNumber=plan.serial,
        FirmwareVersion=plan.firmware,
        BuildDate="2023.11.15",
        WebURL="http://www.hanwhavision.com/",
        DeviceType="NWC",
        ConnectedMACAddress=plan.mac.upper(),
        CGIVersion="2.6.3",
        ONVIFVersion="20.12",
        DeviceName="Camera",
        DeviceLocation=plan.location,
        Language="English",
        PasswordStrength="Strong",
        FirmwareGroup=plan.model,
    )


# --- time ---


def _date(call: Call) -> Shown:
    plan = call.device.plan
    now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + plan.clock_offset_s))
    return show(
        LocalTime=now,
        UTCTime=now,
        SyncType=plan.clock_source,
        DSTEnable=False,
        TimeZoneIndex=33,
        POSIXTimeZone=plan.timezone,
        NTPURLList=list(plan.ntp_servers),
    )


def _set_date(call: Call) -> None:
    """The list as a whole; it takes effect where the clock goes by it."""
    said, device = asked(call), call.device
    source = said.get("SyncType", device.plan.clock_source)
    servers = tuple(name for name in said.get("NTPURLList", ",".join(device.plan.ntp_servers)).split(",") if name)
    if source not in ("NTP", "Manual") or len(servers) > MOST_NTP_SERVERS or (source == "NTP" and not servers):
        raise NotGood(602, "Invalid Parameter(s)")
    synced = source == "NTP"
    device.change(
        clock_source=source,
        ntp_servers=servers,
        ntp_from_dhcp=device.plan.ntp_from_dhcp and "NTPURLList" not in said,
        clock_offset_s=0 if synced else device.plan.clock_offset_s,
    )


# --- logs ---


def _log(name: str, rows: tuple[tuple[str, str], ...]) -> Command:
    """Newest first. In text the fields of an entry stand apart by spaces, as far as is known."""

    def view(_call: Call) -> Shown:
        entries = [
            {"Date": f"2026-07-0{9 - n} 10:00:00", "Type": kind, "Description": words}
            for n, (kind, words) in enumerate(rows)
        ]
        return Shown([" ".join(entry.values()) for entry in entries], {name: entries})

    return Command("admin", view)


# --- configuration ---


def _backup(call: Call) -> Answer:
    return Answer(transfers.backup(call.device), BINARY)


def _restore(call: Call) -> None:
    """Base64, as it is or percent-encoded. A form with parts is refused."""
    request = call.request
    if not (request.header(b"Content-Type") or "").lower().startswith("application/x-www-form-urlencoded"):
        raise NotGood(607, "Upload Failed")
    body = unquote_to_bytes(request.body) if b"%" in request.body else request.body
    try:
        data = base64.b64decode(b"".join(body.split()), validate=True)
    except (binascii.Error, ValueError):
        raise NotGood(607, "Upload Failed") from None
    if transfers.restore(call.device, data) != 200:  # noqa: PLR2004 - OK
        raise NotGood(604, "Invalid File")


def _power(call: Call) -> None:
    if asked(call).get("Type") != "Reboot":
        raise NotGood(602, "Invalid Parameter(s)")
    call.device.restart()


# --- firmware ---


def _update_firmware(call: Call) -> Answer:
    """A stream of what it does with the file, part by part; then it restarts."""
    if need(asked(call), "Type") != "Normal":
        raise NotGood(602, "Invalid Input Value")
    form = parts(call.request)
    if not form:
        raise NotGood(607, "Upload Failed")
    try:
        image = read_image(form[0].data)
    except BadFile:
        raise NotGood(604, "Invalid File") from None
    device = call.device
    if not image.fits(device.plan):
        return _stream(("DownloadAck", ""), ("DownloadFail", ""))
    received = (("DownloadAck", ""), ("DownloadOK", ""), ("Start", ""))
    if image.version == device.plan.firmware:
        return _stream(*received, *(("Skip", module) for module in MODULES), ("End", ""))
    device.flash(image)
    return _stream(*received, *(("OK", module) for module in MODULES[:-1]), ("UpdatingISP", "ISP"), ("End", ""))


def _stream(*steps: tuple[str, str]) -> Answer:
    said = ""
    for status, module in steps:
        named = f"FirmwareModule={module}\r\n" if module else ""
        said += f"--{BOUNDARY}\r\nContent-Type: text/plain\r\n\r\n{named}Status={status}\r\nProgress=100\r\n\r\n"
    return Answer(said, f"multipart/x-mixed-replace; boundary={BOUNDARY}".encode())


SYSTEM = {
    ("deviceinfo", "view"): Command("viewer", _device_info),
    ("date", "view"): Command("viewer", _date),
    ("date", "set"): Command("admin", _set_date),
    ("systemlog", "view"): _log("SystemLog", (("Reboot", "System started"), ("ConfigChange", "Network"))),
    ("accesslog", "view"): _log("AccessLog", (("Login", "admin(192.0.2.7)"), ("LoginFail", "admin(192.0.2.66)"))),
    ("configbackup", "control"): Command("admin", _backup),
    ("configrestore", "control"): Command("admin", _restore),
    ("power", "control"): Command("admin", _power),
    ("firmwareupdate", "control"): Command("admin", _update_firmware),
}

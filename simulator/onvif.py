"""The ONVIF services of one camera: which operation a body asks for, whether one must log in, and the answer.

Access classes and faults follow the Core specification. Answers are templates in `templates/`, filled per request: that
costs a few microseconds and no memory per camera.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote
from xml.sax.saxutils import escape

from simulator.accounts import LONGEST_NAME, MOST_ACCOUNTS, RULES
from simulator.faults import METADATA_HOST, NAT_HOST
from simulator.plan import CameraPlan
from simulator.vendors import VENDORS

TEMPLATES = Path(__file__).parent / "templates"
NAMESPACES = MappingProxyType(
    {
        "http://www.onvif.org/ver10/device/wsdl": "device",
        "http://www.onvif.org/ver10/media/wsdl": "media",
        "http://www.onvif.org/ver20/media/wsdl": "media2",
        "http://www.onvif.org/ver10/advancedsecurity/wsdl": "advancedsecurity",
        "http://www.onvif.org/ver10/appmgmt/wsdl": "appmgmt",
    }
)
BEYOND = MappingProxyType({"onvif": ("advancedsecurity", "appmgmt")})
"""Services that a vendor's cameras have besides device and media."""
PATHS = MappingProxyType({f"/onvif/{service}_service": service for service in NAMESPACES.values()})
PRE_AUTH = frozenset(
    ("device", name)
    for name in (
        "GetWsdlUrl",
        "GetServices",
        "GetServiceCapabilities",
        "GetCapabilities",
        "GetHostname",
        "GetSystemDateAndTime",
        "GetEndpointReference",
    )
) | {("media", "GetServiceCapabilities"), ("media2", "GetServiceCapabilities"), ("appmgmt", "GetServiceCapabilities")}
PROFILES = ((1, 1920, 1080, 25), (2, 640, 360, 15))

_ENVELOPE = re.compile(rb"<(?:[\w.-]+:)?Envelope\b([^>]*)>")
_BODY = re.compile(rb"<(?:[\w.-]+:)?Body\b([^>]*)>\s*<(?:([\w.-]+):)?([\w.-]+)([^>]*)>")
_TOKEN = re.compile(rb"<(?:[\w.-]+:)?ProfileToken\b[^>]*>\s*([^<]*?)\s*</")


@dataclass(frozen=True, slots=True)
class Question:
    """An operation asked for. `head` is the message up to its body, where the WS-Security header lies."""

    service: str
    operation: str
    head: bytes
    message: bytes


def question(message: bytes) -> Question | None:
    """What this SOAP message asks for; None where it is none."""
    envelope, body = _ENVELOPE.search(message), _BODY.search(message)
    if envelope is None or body is None:
        return None
    prefix = body[2]
    declared = re.compile(rb"\bxmlns%s\s*=\s*[\"']([^\"']*)" % (b":" + re.escape(prefix) if prefix else b""))
    found = declared.search(body[4]) or declared.search(body[1]) or declared.search(envelope[1])
    namespace = found[1].decode("latin-1") if found else ""
    service = NAMESPACES.get(namespace, "")
    return Question(service, body[3].decode("latin-1"), message[: body.start()], message)


def answer(plan: CameraPlan, values: Mapping[str, str], asked: Question) -> str | None:
    """The body of the answer; None where this camera has no such operation."""
    template = _operations().get((asked.service, asked.operation))
    if template is None or asked.service not in services_of(plan):
        return None
    if asked.operation == "GetSystemDateAndTime":
        return template.format_map({**values, **_clock(plan)})
    if asked.operation in ("GetStreamUri", "GetSnapshotUri"):
        chosen = _chosen_profile(asked)
        return None if chosen is None else template.format_map(_profile_values(plan, values, chosen))
    if asked.operation == "GetProfiles":
        row = _template(f"{asked.service}/profile")
        return template.format_map(
            {"profiles": "".join(row.format_map(_profile_values(plan, values, p)) for p in PROFILES)}
        )
    return template.format_map(values)


def services_of(plan: CameraPlan) -> tuple[str, ...]:
    return ("device", *plan.media, *BEYOND.get(plan.vendor, ()))


def wants_unknown_profile(asked: Question) -> bool:
    return asked.operation in ("GetStreamUri", "GetSnapshotUri") and _chosen_profile(asked) is None


def fault(values: Mapping[str, str], side: str, codes: tuple[str, ...], text: str) -> str:
    """A SOAP 1.2 fault; `side` is Sender or Receiver, `codes` the ONVIF subcodes from outer to inner."""
    e = values["e"]
    inner = "".join(f"<{e}:Subcode><{e}:Value>ter:{code}</{e}:Value></{e}:Subcode>" for code in codes[1:])
    return _template("fault").format(e=e, side=side, code=codes[0], inner=inner, text=escape(text))


def envelope(values: Mapping[str, str], body: str) -> bytes:
    return _template("envelope").format(e=values["e"], body=body).encode()


@cache
def _template(name: str) -> str:
    return (TEMPLATES / f"{name}.xml").read_text(encoding="utf-8").strip()


@cache
def _operations() -> Mapping[tuple[str, str], str]:
    """All operations that have a template: a file name in capitals is one."""
    return {
        (service, file.stem): _template(f"{service}/{file.stem}")
        for service in NAMESPACES.values()
        for file in (TEMPLATES / service).glob("*.xml")
        if file.stem[0].isupper()
    }


# --- values ---


def values_of(plan: CameraPlan) -> Mapping[str, str]:
    """Everything that the templates may name and that never changes for this camera, escaped."""
    vendor = VENDORS[plan.vendor]
    plain = {
        "e": vendor.prefix,
        "address": plan.address,
        "clock_source": plan.clock_source,
        "discovery_mode": "Discoverable" if plan.discoverable else "NonDiscoverable",
        "epr": plan.epr,
        "firmware": plan.firmware,
        "hardware": plan.serial[:4],
        "hostname": plan.hostname,
        "httpdigest": _word("digest" in plan.auth),
        "mac": plan.mac.replace(":", "-" if plan.vendor == "hikvision" else ":").upper(),
        "manufacturer": plan.oem_label or vendor.manufacturer,
        "model": plan.model,
        "ntp_from_dhcp": _word(plan.ntp_from_dhcp),
        "serial": plan.serial,
        "timezone": plan.timezone,
        "transfers": _word(plan.vendor != "axis" and "mtom" not in plan.quirks),
        "by_message": _word("mtom" in plan.quirks),
        "longest_password": str(RULES[plan.vendor].longest),
        "longest_name": str(LONGEST_NAME),
        "most_accounts": str(MOST_ACCOUNTS),
        "usernametoken": _word("wsse" in plan.auth),
        "xaddr": xaddr(plan),
    }
    return {key: escape(text) for key, text in plain.items()} | {
        "media_capabilities": _media_capabilities(plan),
        "ntp_servers": _ntp_servers(plan),
        "protocols": _protocols(plan),
        "scopes": "".join(
            f"<tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef><tt:ScopeItem>{escape(scope)}</tt:ScopeItem></tds:Scopes>"
            for scope in scopes(plan)
        ),
        "services": "".join(_service_rows(plan)),
        "users": "".join(
            f"<tds:User><tt:Username>{escape(a.name)}</tt:Username><tt:UserLevel>{a.role}</tt:UserLevel></tds:User>"
            for a in plan.accounts
        ),
    }


def host(plan: CameraPlan) -> str:
    """The host that this camera believes to have."""
    if "nat-xaddr" in plan.quirks:
        return NAT_HOST
    return METADATA_HOST if "metadata-xaddr" in plan.quirks else plan.address


def xaddr(plan: CameraPlan) -> str:
    """Scheme, host and port of the addresses that it announces."""
    if "http-xaddr" in plan.quirks:
        return f"http://{host(plan)}"
    usual = {"http": 80, "https": 443}[plan.scheme]
    return f"{plan.scheme}://{host(plan)}" + ("" if plan.port == usual else f":{plan.port}")


def scopes(plan: CameraPlan) -> tuple[str, ...]:
    state = "Operational" if plan.setup_done else "FactoryDefault"
    profiles = [*(["Streaming"] if "media" in plan.media else []), *(["T"] if "media2" in plan.media else [])]
    return (
        "onvif://www.onvif.org/type/video_encoder",
        *(f"onvif://www.onvif.org/Profile/{profile}" for profile in profiles),
        f"onvif://www.onvif.org/Profile/Q/{state}",
        f"onvif://www.onvif.org/hardware/{quote(plan.model, safe='')}",
        f"onvif://www.onvif.org/name/{quote(plan.name, safe='')}",
        f"onvif://www.onvif.org/location/{quote(plan.location)}",
    )


def stream_path(plan: CameraPlan, profile: int) -> str:
    return VENDORS[plan.vendor].rtsp_path.format(profile=profile, index=profile - 1)


def snapshot_target(plan: CameraPlan, profile: int) -> str:
    _, width, height, _ = PROFILES[profile - 1]
    return VENDORS[plan.vendor].snapshot_path.format(profile=profile, index=profile - 1, width=width, height=height)


def size_of(plan: CameraPlan, target: str) -> tuple[int, int]:
    """Of the picture that is asked for by this target; a target that says nothing means the large one."""
    for profile, width, height, _ in reversed(PROFILES):
        if target == snapshot_target(plan, profile):
            return width, height
    return PROFILES[0][1:3]


def _word(value: bool) -> str:  # noqa: FBT001 - XML's boolean
    return "true" if value else "false"


def _service_rows(plan: CameraPlan) -> list[str]:
    return [
        f"<tds:Service><tds:Namespace>{namespace}</tds:Namespace>"
        f"<tds:XAddr>{escape(xaddr(plan))}/onvif/{service}_service</tds:XAddr>"
        "<tds:Version><tt:Major>20</tt:Major><tt:Minor>12</tt:Minor></tds:Version></tds:Service>"
        for namespace, service in NAMESPACES.items()
        if service in services_of(plan)
    ]


def _media_capabilities(plan: CameraPlan) -> str:
    if "media" not in plan.media:
        return ""
    return (
        f"<tt:Media><tt:XAddr>{escape(xaddr(plan))}/onvif/media_service</tt:XAddr><tt:StreamingCapabilities>"
        "<tt:RTPMulticast>false</tt:RTPMulticast><tt:RTP_TCP>true</tt:RTP_TCP><tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP>"
        "</tt:StreamingCapabilities></tt:Media>"
    )


def _ntp_servers(plan: CameraPlan) -> str:
    element = "NTPFromDHCP" if plan.ntp_from_dhcp else "NTPManual"
    rows = []
    for server in plan.ntp_servers:
        kind, field = ("IPv4", "IPv4Address") if server[0].isdigit() else ("DNS", "DNSname")
        rows.append(f"<tt:{element}><tt:Type>{kind}</tt:Type><tt:{field}>{escape(server)}</tt:{field}></tt:{element}>")
    return "".join(rows)


def _protocols(plan: CameraPlan) -> str:
    ports = {"HTTP": plan.http_port, "HTTPS": plan.https_port, "RTSP": plan.rtsp_port if plan.rtsp_on else None}
    usual = dict(zip(ports, plan.usual_ports, strict=True))
    return "".join(
        f"<tds:NetworkProtocols><tt:Name>{name}</tt:Name><tt:Enabled>{_word(port is not None)}</tt:Enabled>"
        f"<tt:Port>{port or usual[name]}</tt:Port></tds:NetworkProtocols>"
        for name, port in ports.items()
    )


def _clock(plan: CameraPlan) -> dict[str, int]:
    now = time.gmtime(time.time() + plan.clock_offset_s)
    hour, minute = (0, 61) if "bad-time" in plan.quirks else (now.tm_hour, now.tm_min)
    return {
        "hour": hour,
        "minute": minute,
        "second": now.tm_sec,
        "year": now.tm_year,
        "month": now.tm_mon,
        "day": now.tm_mday,
    }


def _chosen_profile(asked: Question) -> tuple[int, int, int, int] | None:
    token = _TOKEN.search(asked.message)
    return next((p for p in PROFILES if token and token[1] == b"profile_%d" % p[0]), None)


def _profile_values(
    plan: CameraPlan, values: Mapping[str, str], chosen: tuple[int, int, int, int]
) -> Mapping[str, object]:
    profile, width, height, rate = chosen
    return {
        "token": f"profile_{profile}",
        "profile": profile,
        "profile_name": f"{values['manufacturer']} {'main' if profile == 1 else 'sub'}",
        "width": width,
        "height": height,
        "rate": rate,
        "stream_uri": escape(f"rtsp://{host(plan)}:{plan.rtsp_port}{stream_path(plan, profile)}"),
        "snapshot_uri": escape(xaddr(plan) + snapshot_target(plan, profile)),
    }

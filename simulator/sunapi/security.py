"""security.cgi beside the accounts: HTTPS and its certificates, strangers, addresses."""

import ipaddress
import json
from datetime import UTC, datetime

from simulator.api import Call
from simulator.plan import CameraPlan
from simulator.sunapi.accounts import USERS
from simulator.sunapi.dialect import Command, NotGood, Shown, asked, flag, need, show, word
from simulator.tls import VALIDITY

POLICIES = ("HTTP", "HTTPSProprietary", "HTTPSPublic", "HTTPandHTTPSProprietary", "HTTPandHTTPSPublic")
OWN = "HTW_default"


# --- HTTPS ---


def _policy(plan: CameraPlan) -> str:
    if plan.https_port is None:
        return "HTTP"
    return "HTTPSProprietary" if plan.redirects_to_https else "HTTPandHTTPSProprietary"


def _certificates(plan: CameraPlan) -> list[dict[str, object]]:
    start, end = (f"{datetime.now(UTC) + span:%b %d %H:%M:%S %Y} GMT" for span in VALIDITY[plan.certificate])
    issuer = "/CN=Simulated Estate CA" if plan.certificate != "self-signed" else f"/CN={plan.hostname}"
    return [
        {
            "CertificateName": OWN,
            "Type": "SelfSigned" if plan.certificate == "self-signed" else "Unique",
            "Subject": f"/C=KR/O=Hanwha Vision/CN={plan.hostname}",
            "SubjectAlternativeName": plan.hostname,
            "Issuer": issuer,
            "IssueDate": start,
            "ExpiryDate": end,
            "Version": "V3",
            "IsRemovable": False,
            "IsEncrypted": False,
        }
    ]


def _ssl(call: Call) -> Shown:
    plan = call.device.plan
    certificates = _certificates(plan)
    first = show(
        Policy=_policy(plan),
        PublicCertificateInstalled=False,
        SelfSignedCertificateInstalled=True,
        PublicCertificateName="",
        UpdateDeviceHostname=False,
        CertificateInUse=OWN,
        ClientCertificateAuthenticationEnable=False,
    )
    rows = [f"Certificate.{n}.{line}" for n, row in enumerate(certificates, 1) for line in show(**row).lines]
    data = first.data if isinstance(first.data, dict) else {}
    return Shown([*first.lines, *rows], {**data, "Certificates": certificates})


def _set_ssl(call: Call) -> None:
    """`Public` means a certificate that was installed, and here none is."""
    policy, device = need(asked(call), "Policy"), call.device
    if policy not in POLICIES or policy.endswith("Public"):
        raise NotGood(602, "Invalid Parameter(s)")
    device.change(
        https_port=None if policy == "HTTP" else device.plan.usual_ports[1],
        redirects_to_https=policy.startswith("HTTPS"),
    )


# --- strangers ---


def _guest(call: Call) -> Shown:
    return show(Enable="snapshot" in call.device.plan.anonymous)


def _set_guest(call: Call) -> None:
    _open(call, "snapshot", wanted=flag(need(asked(call), "Enable")))


def _rtsp(call: Call) -> Shown:
    return show(RTSPAuthentication="Anonymous" if "rtsp" in call.device.plan.anonymous else "Protected")


def _set_rtsp(call: Call) -> None:
    said = need(asked(call), "RTSPAuthentication")
    if said not in ("Anonymous", "Protected"):
        raise NotGood(602, "Invalid Parameter(s)")
    _open(call, "rtsp", wanted=said == "Anonymous")


def _open(call: Call, door: str, *, wanted: bool) -> None:
    now = call.device.plan.anonymous
    call.device.change(anonymous=now | {door} if wanted else now - {door})


# --- addresses ---


def _filter(plan: CameraPlan) -> dict[str, object]:
    kept = json.loads(dict(plan.parameters).get("sunapi.ipfilter", '{"type": "Deny", "rows": {}}'))
    return dict(kept)


def _keep_filter(call: Call, **values: object) -> None:
    plan = call.device.plan
    said = json.dumps({**_filter(plan), **values})
    call.device.change(parameters=tuple(sorted({**dict(plan.parameters), "sunapi.ipfilter": said}.items())))


def _rows(plan: CameraPlan) -> dict[str, list[object]]:
    rows = _filter(plan)["rows"]
    return dict(rows) if isinstance(rows, dict) else {}


def _ip_filter(call: Call) -> Shown:
    plan = call.device.plan
    access = str(_filter(plan)["type"])
    lines = ['"ipfilter.IPType.IPIndex=Address/Mask/Enable"', f"AccessType={access}"]
    kinds: dict[str, list[object]] = {"IPv4": [], "IPv6": []}
    for place, (address, mask, enable) in _rows(plan).items():
        kind, _, index = place.partition(".")
        lines.append(f"ipfilter.{place}={address}/{mask}/{word(bool(enable))}")
        kinds[kind].append({"IPIndex": int(index), "Address": address, "Mask": mask, "Enable": enable})
    data = [{"IPType": kind, "Filters": rows} for kind, rows in kinds.items()]
    return Shown(lines, {"AccessType": access, "IPFilters": data})


def _set_filter(call: Call) -> None:
    access = need(asked(call), "AccessType")
    if access not in ("Allow", "Deny"):
        raise NotGood(602, "Invalid Parameter(s)")
    _keep_filter(call, type=access)


def _put_filter(call: Call) -> None:
    said, rows = asked(call), _rows(call.device.plan)
    kind, enable = need(said, "IPType"), flag(need(said, "Enable"))
    index = said.get("IPIndex") if said["action"] == "update" else str(len(rows) + 1)
    before = rows.get(f"{kind}.{index}", [None, 32])
    try:
        address = str(ipaddress.ip_address(said.get("Address", str(before[0]))))
        mask = int(said.get("Mask", str(before[1])))
    except ValueError:
        raise NotGood(602, "Invalid Parameter(s)") from None
    if kind not in ("IPv4", "IPv6"):
        raise NotGood(602, "Invalid Parameter(s)")
    _keep_filter(call, rows={**rows, f"{kind}.{index}": [address, mask, enable]})


def _drop_filter(call: Call) -> None:
    said, rows = asked(call), _rows(call.device.plan)
    place = f"{need(said, 'IPType')}.{need(said, 'IPIndex')}"
    if place not in rows:
        raise NotGood(602, "Invalid Parameter(s)")
    _keep_filter(call, rows={name: row for name, row in rows.items() if name != place})


SECURITY = {
    **USERS,
    ("ssl", "view"): Command("admin", _ssl),
    ("ssl", "set"): Command("admin", _set_ssl),
    ("guest", "view"): Command("admin", _guest),
    ("guest", "set"): Command("admin", _set_guest),
    ("rtsp", "view"): Command("admin", _rtsp),
    ("rtsp", "set"): Command("admin", _set_rtsp),
    ("ipfilter", "view"): Command("admin", _ip_filter),
    ("ipfilter", "set"): Command("admin", _set_filter),
    ("ipfilter", "add"): Command("admin", _put_filter),
    ("ipfilter", "update"): Command("admin", _put_filter),
    ("ipfilter", "remove"): Command("admin", _drop_filter),
}

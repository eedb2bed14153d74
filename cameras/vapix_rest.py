"""What guards an Axis camera, as facts: its REST replies, and the parameters that came before them. Pure.

The REST framework says `status` and `data`, and refuses with an HTTP status of its own and an `error` beside. What it
lists of its APIs has no such envelope (VAPIX, Device Configuration APIs: Discovery).
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from cryptography import x509

from cameras.errors import Garbled, Refused, Unsupported
from cameras.facts import Certificate, Certificates, DeviceLog, IpFilter, Lockout
from cameras.http import Reply, refusal
from cameras.untrusted import clean_text
from cameras.vapix_replies import MOST_ENTRIES, Parameters

MOST_LOG_LINES = 500
THROTTLING = "System.PreventDoSAttack"
FILTER = "Network.Filter"
LONGEST_BLOCK_S = 1000
ROOT, DISCOVERY = "/config/rest/", "/config/discover/apis"
Listed = Mapping[str, Mapping[str, Any]]
"""REST APIs by their id, and of each its major versions: `{"cert": {"v1": {"rest_api": …, "version": …}}}`."""


def decode_rest(reply: Reply, question: str) -> Any:  # noqa: ANN401 - JSON of any shape
    """The `data` of a REST answer; `None` where a success carries none."""
    if error := refusal(reply, question):
        raise error
    try:
        said = json.loads(reply.body)
    except (ValueError, RecursionError) as error:
        raise Garbled(f"{question}: not JSON: {clean_text(reply.body, 80)!r}") from error
    status = said.get("status") if isinstance(said, dict) else None
    if status == "error":
        why = said.get("error")
        words = why.get("message") if isinstance(why, dict) else ""
        raise Refused(f"{question}: {clean_text(str(words))}")
    if status != "success":
        raise Garbled(f"{question}: JSON of another shape")
    return said.get("data")


def as_object(data: object, question: str) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise Garbled(f"{question}: it is no object")
    return data


def decode_listed(reply: Reply) -> Listed:
    """Garbled where it lists nothing at all: a camera that lets us ask has at least one."""
    if error := refusal(reply, DISCOVERY):
        raise error
    try:
        said = json.loads(reply.body)
    except (ValueError, RecursionError) as error:
        raise Garbled(f"{DISCOVERY}: not JSON: {clean_text(reply.body, 80)!r}") from error
    listed = {api: versions for api, versions in as_object(said, DISCOVERY).items() if _are_versions(versions)}
    if not listed:
        raise Garbled(f"{DISCOVERY}: JSON of another shape")
    return listed


def _are_versions(said: object) -> bool:
    return isinstance(said, dict) and bool(said) and all(re.fullmatch(r"v[0-9]+[a-z0-9]*", name) for name in said)


def others_than(listed: Listed, path: str) -> tuple[str, ...] | None:
    """`None` where this path is of an API that is listed, in this version; else the versions of it that are."""
    api, ours = path.split("/")[:2]
    versions = [(_where(name, about), about) for name, about in listed.get(api, {}).items()]
    if any(where == ours for where, _ in versions):
        return None
    return tuple(_version(where, about) for where, about in versions[:MOST_ENTRIES])


def _where(name: str, about: object) -> str:
    """A beta is listed under the number that it is to have; where it is says what it is: `/config/rest/cert/v1beta`."""
    path = about.get("rest_api") if isinstance(about, dict) else None
    return path.rstrip("/").rpartition("/")[2] if isinstance(path, str) else name


def _version(where: str, about: object) -> str:
    full = about.get("version") if isinstance(about, dict) else None
    return clean_text(f"{where} ({full})" if isinstance(full, str) else where, 40)


# --- who may come in: the firewall has a module of its own -----------------------------------------------------------


def ip_filter_of(parameters: Parameters) -> IpFilter:
    """For firmware older than the firewall (12)."""
    enabled, policy = parameters.get(f"{FILTER}.Enabled"), parameters.get(f"{FILTER}.Input.Policy")
    if enabled is None:
        raise Unsupported("param.cgi: it has no filter by address")
    if enabled.lower() != "yes":
        return IpFilter("off", ())
    addresses = re.split(r"[\s,]+", parameters.get(f"{FILTER}.Input.AcceptAddresses", "").strip())
    known = tuple(clean_text(address) for address in addresses[:MOST_ENTRIES] if address)
    if policy == "allow":
        return IpFilter("allow", known)
    return IpFilter("deny" if policy == "deny" else None, known)


# --- wrong passwords -------------------------------------------------------------------------------------------------


def lockout_of(parameters: Parameters) -> Lockout:
    """So many requests for one page within `DoSPageInterval` block their address, for the blocking period."""
    throttling = parameters.get(f"{THROTTLING}.ActivatePasswordThrottling")
    if throttling is None:
        raise Unsupported("param.cgi: it says nothing of wrong passwords")
    enabled = {"on": True, "yes": True, "off": False, "no": False}.get(throttling.lower())
    tries, block = (_number(parameters.get(f"{THROTTLING}.{name}")) for name in ("DoSPageCount", "DoSBlockingPeriod"))
    return Lockout(enabled, tries, None if block is None else float(block))


def throttling_for(present: Parameters, *, tries: int, lock_s: float) -> Mapping[str, str]:
    """Refused where it cannot block for that long: a shorter time would not be what was asked for."""
    lockout_of(present)
    if lock_s > LONGEST_BLOCK_S:
        raise Refused(f"it blocks for {LONGEST_BLOCK_S} s at most")
    wanted = {
        f"{THROTTLING}.ActivatePasswordThrottling": "On",
        f"{THROTTLING}.DoSBlockingPeriod": str(int(-(-lock_s // 1))),
        f"{THROTTLING}.DoSPageCount": str(tries),
    }
    return {name: value for name, value in wanted.items() if name in present}


def _number(value: str | None) -> int | None:
    return int(value) if value is not None and re.fullmatch(r"[0-9]{1,9}", value) else None


# --- certificates, SNMP, log -----------------------------------------------------------------------------------------


def decode_certificates(data: object) -> Certificates:
    """The certificates that have a key. Which of them serves HTTPS is not said here."""
    if not isinstance(data, list):
        raise Garbled("cert: it lists no certificates")
    return Certificates(tuple(_certificate(row) for row in data[:MOST_ENTRIES] if isinstance(row, dict)))


def _certificate(row: Mapping[str, Any]) -> Certificate:
    name = clean_text(str(row.get("alias", "")))
    try:
        read = x509.load_pem_x509_certificate(str(row.get("certificate", "")).encode())
        subject, issuer = (clean_text(who.rfc4514_string()) for who in (read.subject, read.issuer))
        until = read.not_valid_after_utc.astimezone(UTC).isoformat()
    except (ValueError, x509.InvalidVersion):
        return Certificate(name, None, None, None, None)
    return Certificate(name, subject or None, issuer or None, until, None)


def decode_snmp(data: object) -> bool | None:
    """Whether it speaks the versions that know no password."""
    said = as_object(data, "snmp")
    versions = [truth(part.get("enabled")) for name in ("snmpV1", "snmpV2") if isinstance(part := said.get(name), dict)]
    enabled = truth(said.get("enabled"))
    if enabled is False or (versions and not any(version is not False for version in versions)):
        return False
    return True if enabled and True in versions else None


def decode_log(text: str) -> DeviceLog:
    """systemlog.cgi, without the lines that frame it."""
    lines = [clean_text(line, 500) for line in text.splitlines() if line.strip() and not line.startswith("-----")]
    return DeviceLog(tuple(lines[-MOST_LOG_LINES:]))


def truth(value: object) -> bool | None:
    """Documents show a switch as a word too."""
    return value if isinstance(value, bool) else {"true": True, "false": False}.get(str(value).lower())

"""SUNAPI replies as facts. Pure: what the camera sent goes in, a frozen value comes out; a field report becomes a row.

A missing field is `None` ("it did not say"), a refusal inside HTTP 200 is Refused, another shape is Garbled.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cameras.errors import Garbled, Refused, Unreachable, Unsupported
from cameras.facts import (
    App,
    Apps,
    Certificate,
    Certificates,
    DeviceLog,
    IpFilter,
    NetworkService,
    Switch,
)
from cameras.http import Reply, refusal
from cameras.untrusted import clean_text, parse_xml

MOST_LINES, MOST_ENTRIES, MOST_LOG_LINES, LONGEST_VALUE = 4000, 64, 500, 2000
Pairs = Mapping[str, str]

# --- the envelope ----------------------------------------------------------------------------------------------------

# 600 and 601 are an unknown submenu and an unknown action; the words count too, since numbers differ by firmware.
_UNSUPPORTED_CODES = frozenset({"600", "601"})
_UNSUPPORTED_WORDS = re.compile(r"(?:submenu|action) not found|not (?:supported|implemented)", re.IGNORECASE)
_CODE = re.compile(r"Error Code:\s*(\d{1,5})", re.IGNORECASE)
_PAIR = re.compile(r"^([A-Za-z0-9][\w.\-]{0,127})=(.*)$")


def text_of(reply: Reply, question: str) -> str:
    """The words of an answer. Refused where they are `NG`, Unsupported where that means that it has no such thing."""
    if error := refusal(reply, question):
        raise error
    text = reply.body.decode("utf-8", "replace").strip()
    if text[:2].upper() == "NG":
        code = _CODE.search(text)
        words = text.splitlines()[-1]
        raise _refused(question, code[1] if code else "", words)
    if text.startswith("{"):
        _refuse_json(_json(reply.body, question), question)
    return text


def _refused(question: str, code: str, words: str) -> Refused | Unsupported:
    lacks = code in _UNSUPPORTED_CODES or _UNSUPPORTED_WORDS.search(words)
    return (Unsupported if lacks else Refused)(f"{question}: {code} {clean_text(words)}")


def _json(body: bytes, question: str) -> Mapping[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Garbled(f"{question}: not JSON: {clean_text(body, 80)!r}") from error
    if not isinstance(said, dict):
        raise Garbled(f"{question}: JSON of another shape")
    return said


def _refuse_json(said: Mapping[str, Any], question: str) -> None:
    if said.get("Response") == "Fail":
        error = said.get("Error")
        fields = error if isinstance(error, dict) else {}
        raise _refused(question, clean_text(str(fields.get("Code", "")), 10), str(fields.get("Details", "")))


def refuse_words(reply: Reply, question: str) -> None:
    """Where a file was asked for, and words may have come."""
    if error := refusal(reply, question):
        raise error
    if reply.body[:64].lstrip()[:2].upper() == b"NG":
        text_of(reply, question)


def decode_pairs(reply: Reply, question: str) -> Pairs:
    """`Key=Value` lines, the last one of a name. A line that names columns stands in quotes, and keeps its name."""
    text = text_of(reply, question)
    lines = (line.strip().strip('"') for line in text.splitlines()[:MOST_LINES])
    found = {pair[1]: pair[2].strip()[:LONGEST_VALUE] for line in lines if (pair := _PAIR.match(line))}
    if not found:
        raise Garbled(f"{question}: {clean_text(text, 80)!r}")
    return found


def expect_ok(reply: Reply, question: str) -> None:
    """Garbled unless it begins with OK: only that means that the camera did what it was told."""
    text = text_of(reply, question)
    if text.startswith("{") and _json(reply.body, question).get("Response") == "Success":
        return
    if text.splitlines()[:1] != ["OK"]:
        raise Garbled(f"{question}: answered {clean_text(text, 80)!r} instead of 'OK'")


def need(pairs: Pairs, name: str, question: str) -> str:
    if name not in pairs:
        raise Garbled(f"{question}: it says nothing of {name}")
    return pairs[name]


def list_of(value: str) -> Iterator[str]:
    """By commas, on some with spaces."""
    return (clean_text(entry) for entry in value.split(",")[:MOST_ENTRIES] if entry.strip())


def truth(value: str | None) -> bool | None:
    return {"true": True, "false": False}.get((value or "").lower())


def worded(pairs: Pairs, name: str) -> str | None:
    return clean_text(pairs.get(name, "")) or None


# --- before anybody logged in ----------------------------------------------------------------------------------------


def decode_initialised(reply: Reply) -> bool:
    """pw_init.cgi's statuscheck."""
    said = _json(reply.body, "pw_init.cgi") if refusal(reply, "pw_init.cgi") is None else {}
    initialised = said.get("Initialized")
    if not isinstance(initialised, bool):
        raise Garbled("pw_init.cgi: it does not say whether it was set up")
    return initialised


def decode_manufacturer(reply: Reply) -> str | None:
    decode_initialised(reply)
    name = _json(reply.body, "pw_init.cgi").get("Manufacturer")
    return clean_text(name) or None if isinstance(name, str) else None


# --- what it can do --------------------------------------------------------------------------------------------------


def decode_attributes(reply: Reply) -> Mapping[str, str]:
    """attributes.cgi: names and values, whatever group they stand in."""
    if error := refusal(reply, "attributes.cgi"):
        raise error
    found: dict[str, str] = {}
    for element in parse_xml(reply.body).iter("{*}attribute", "attribute"):
        if len(found) < MOST_LINES:
            found[clean_text(element.get("name", ""))] = clean_text(element.get("value", ""))
    return found


# --- services, certificates, strangers -------------------------------------------------------------------------------

BOTH = "HTTPand"


def decode_ways(ports: Pairs, ssl: Pairs) -> tuple[NetworkService, ...]:
    """HTTP and HTTPS, by network.cgi's portconf and security.cgi's ssl."""
    policy = need(ssl, "Policy", "ssl")
    return (
        NetworkService("HTTP", policy == "HTTP" or policy.startswith(BOTH), _port(ports, "HTTPPort")),
        NetworkService("HTTPS", "HTTPS" in policy, _port(ports, "HTTPSPort")),
    )


def policy_for(ssl: Pairs, *, http: bool, https: bool) -> str:
    """The policy with the same kind of certificate as now, or the camera's own where HTTPS was off."""
    now = need(ssl, "Policy", "ssl")
    kind = "Public" if now.endswith("Public") else "Proprietary"
    return {(True, False): "HTTP", (False, True): f"HTTPS{kind}", (True, True): f"{BOTH}HTTPS{kind}"}[http, https]


def rtsp_port(ports: Pairs) -> tuple[int, ...]:
    return _port(ports, "RTSPPort")


def _port(pairs: Pairs, name: str) -> tuple[int, ...]:
    value = pairs.get(name, "")
    return (int(value),) if re.fullmatch(r"[1-9][0-9]{0,4}", value) and int(value) < 65536 else ()  # noqa: PLR2004


_CERTIFICATE = re.compile(r"^Certificate\.(\d{1,3})\.(\w+)$")


def decode_certificates(ssl: Pairs) -> Certificates:
    """security.cgi's ssl. Older firmware names the one that was installed, and nothing of it."""
    in_use, https = ssl.get("CertificateInUse"), "HTTPS" in need(ssl, "Policy", "ssl")
    rows: dict[int, dict[str, str]] = {}
    for key, value in ssl.items():
        if (found := _CERTIFICATE.match(key)) and (int(found[1]) in rows or len(rows) < MOST_ENTRIES):
            rows.setdefault(int(found[1]), {})[found[2]] = value
    return Certificates(tuple(_certificate(row, in_use, https=https) for _, row in sorted(rows.items())))


def _certificate(row: Pairs, in_use: str | None, *, https: bool) -> Certificate:
    name = row.get("CertificateName", "")
    return Certificate(
        id=clean_text(name),
        subject=worded(row, "Subject"),
        issuer=worded(row, "Issuer"),
        not_after=_date(row.get("ExpiryDate", "")),
        serves=None if in_use is None else https and name == in_use,
    )


def _date(value: str) -> str | None:
    """`Nov 24 10:05:06 2050 GMT`, as OpenSSL writes it."""
    try:
        return datetime.strptime(" ".join(value.split()), "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC).isoformat()
    except ValueError:
        return None


_FILTER = re.compile(r"^ipfilter\.IPv[46]\.\d{1,4}$")


def decode_ip_filter(pairs: Pairs) -> IpFilter:
    """security.cgi's ipfilter. A list in which nothing is switched on filters nothing."""
    access = need(pairs, "AccessType", "ipfilter")
    addresses = tuple(address for key, value in pairs.items() if _FILTER.match(key) and (address := _address(value)))
    mode = {"Allow": "allow", "Deny": "deny"}.get(access)
    if mode is None:
        raise Garbled(f"ipfilter: {clean_text(access, 40)!r}")
    return IpFilter("off" if not addresses else "allow" if mode == "allow" else "deny", addresses[:MOST_ENTRIES])


def _address(value: str) -> str | None:
    """`Address/Mask/Enable`; `None` for one that is switched off."""
    address, _, rest = value.partition("/")
    mask, _, enabled = rest.partition("/")
    return clean_text(f"{address}/{mask}") if truth(enabled) else None


def decode_switch(pairs: Pairs, name: str, submenu: str) -> Switch:
    """`Enable`, on some behind the name of an interface."""
    found = [value for key, value in pairs.items() if key == "Enable" or key.endswith(".Enable")]
    if not found:
        raise Garbled(f"{submenu}: it says nothing of Enable")
    return Switch(name, any(truth(value) is True for value in found))


# --- logs ------------------------------------------------------------------------------------------------------------


_NO_ENTRY = re.compile(rb"configuration not found", re.IGNORECASE)


def decode_log(reply: Reply, submenu: str) -> tuple[str, ...]:
    """In JSON as asked for: lines of date, kind and words. Firmware that knows text only is quoted as it writes.

    One without an entry is refused as "Configuration Not Found", which the vendor's own page takes for nothing too.
    """
    if _NO_ENTRY.search(reply.body[:LONGEST_VALUE]):
        return ()
    said = text_of(reply, submenu)
    if not said.startswith("{"):
        if said.startswith("<"):
            raise Garbled(f"{submenu}: {clean_text(said, 80)!r}")
        return tuple(clean_text(line) for line in said.splitlines()[:MOST_LOG_LINES] if line.strip())
    rows = next((value for value in _json(reply.body, submenu).values() if isinstance(value, list)), [])
    return tuple(_entry(row) for row in rows[:MOST_LOG_LINES] if isinstance(row, dict))


def _entry(row: Mapping[str, Any]) -> str:
    return clean_text(" ".join(str(row[name]) for name in ("Date", "Type", "Description") if name in row))


def merged(logs: Sequence[tuple[str, ...]]) -> DeviceLog:
    """Oldest first: every entry begins with its date."""
    return DeviceLog(tuple(sorted(line for log in logs for line in log))[-MOST_LOG_LINES:])


# --- firmware and applications ---------------------------------------------------------------------------------------

_STATUS = re.compile(r"Status=(\w{1,20})")


def judge_upload(reply: Reply) -> None:
    """firmwareupdate's stream of states. Refused where it failed or was skipped; Unreachable where it breaks off.

    Parts of the firmware that are the same already are skipped: where all of them are, nothing was written.
    """
    said = text_of(reply, "firmwareupdate")
    states = _STATUS.findall(said)
    if not states:
        raise Garbled(f"firmwareupdate: {clean_text(said, 80)!r}")
    if failed := next((state for state in states if state.endswith("Fail")), None):
        raise Refused(f"firmwareupdate: {failed}")
    if "Skip" in states and not {"OK", "UpdatingISP"} & set(states):
        raise Refused("firmwareupdate: it skipped all of it: that version is installed already")
    if not {"OK", "End", "UpdatingISP"} & set(states):
        raise Unreachable(f"firmwareupdate: it broke off at {states[-1]}: what became of the image is not known")


def decode_apps(pairs: Pairs) -> Apps:
    """opensdk.cgi. Firmware of some years wrote `Verion`."""
    need(pairs, "InstalledApps", "opensdk")
    ids = dict.fromkeys(key.rpartition(".")[0] for key in pairs if key.endswith(".Status"))
    return Apps(tuple(_app(pairs, app) for app in list(ids)[:MOST_ENTRIES]))


def _app(pairs: Pairs, app: str) -> App:
    version = worded(pairs, f"{app}.Version") or worded(pairs, f"{app}.Verion")
    status = pairs.get(f"{app}.Status")
    return App(id=clean_text(app), name=None, version=version, running=None if status is None else status == "Running")


def decode_install(pairs: Pairs) -> tuple[str, bool]:
    """What the first step answers: the session that may say yes, and whether an earlier version is there."""
    return need(pairs, "ApplicationSessionId", "install"), pairs.get("InstallType") not in (None, "New")

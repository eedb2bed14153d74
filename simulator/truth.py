"""What an honest assessor, holding the credentials file, must find: every check and every subject of every camera.

Pure. A clean camera's verdicts follow from what it serves; then each of its faults overrides some, in the order of
`EFFECTS`: what cannot be seen comes last, because a weakness behind a closed door is unknown, not failed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from simulator.apis import SHOWN
from simulator.plan import CameraPlan
from simulator.snmp import versions_served
from simulator.vendors import VENDORS, Model

Word = Literal["pass", "fail", "unknown", "not-applicable"]
Effect = tuple[str, str, Word]

CHECKS = (
    "default-credentials",
    "anonymous-onvif",
    "anonymous-snapshot",
    "anonymous-rtsp",
    "factory-default-state",
    "telnet-open",
    "ftp-open",
    "unexpected-port",
    "http-cleartext-management",
    "http-basic-cleartext",
    "clock-skew",
    "ntp-not-configured",
    "discovery-left-on",
    "firmware-outdated",
    "tls-certificate",
    "too-many-administrators",
    "lockout-off",
    "snmp-v1-v2c",
    "snmp-public",
    "unsigned-apps",
)

FORGIVEN_SKEW_S, MOST_ADMINISTRATORS = 30, 2
HTTP, HTTPS, EXTRA, DEFAULTS = "{http}", "{https}", "{extra}", "{defaults}"
"""Subjects that stand for what this camera has: a port, or the accounts with a documented password."""


@dataclass(frozen=True, slots=True)
class Expected:
    check: str
    subject: str
    verdict: Word
    reason: str | None = None


_BEHIND_LOGIN = (
    "too-many-administrators",
    "ntp-not-configured",
    "discovery-left-on",
    "firmware-outdated",
    "unexpected-port",
    "anonymous-snapshot",
    "anonymous-rtsp",
    *SHOWN,
)
"""Without a login: no accounts, clock source, mode, identity, declared ports or stream addresses."""

_CLOSED_TO_US = MappingProxyType({"no-login": None, "wrong-login": "unauthorized", "locked": "locked-out"})
"""Faults that keep us out, and the reason that must stand beside the unknown, where only one is right."""

_BAD_CERTIFICATE: tuple[Effect, ...] = (("tls-certificate", HTTPS, "fail"),)
_UNSEEN: tuple[Effect, ...] = tuple((check, "", "unknown") for check in _BEHIND_LOGIN)
_NOBODY_KNOWS_IT: tuple[Effect, ...] = (
    ("default-credentials", "", "unknown"),
    ("factory-default-state", "", "unknown"),
)
_DISCOVERABLE: tuple[Effect, ...] = (("discovery-left-on", "", "fail"),)
_NOTHING: tuple[Effect, ...] = ()

EFFECTS: Mapping[str, tuple[Effect, ...]] = MappingProxyType(
    {
        # weaknesses
        "discovery-left-on": _DISCOVERABLE,
        "http-cleartext-management": (("http-cleartext-management", HTTP, "fail"),),
        "firmware-outdated": (("firmware-outdated", "", "fail"),),
        "tls-self-signed": _BAD_CERTIFICATE,
        "tls-expired": _BAD_CERTIFICATE,
        "tls-expiring": _BAD_CERTIFICATE,
        "tls-weak-key": _BAD_CERTIFICATE,
        "tls-not-yet-valid": _BAD_CERTIFICATE,
        "no-https": (("http-cleartext-management", HTTP, "fail"),),
        "ntp-not-configured": (("ntp-not-configured", "", "fail"),),
        "unexpected-port": (("unexpected-port", EXTRA, "fail"),),
        "clock-skew": (("clock-skew", "", "fail"),),
        "too-many-administrators": (("too-many-administrators", "", "fail"),),
        "default-credentials": (("default-credentials", DEFAULTS, "fail"),),
        "telnet-open": (("telnet-open", "", "fail"),),
        "ftp-open": (("ftp-open", "", "fail"),),
        "ssh-open": (("unexpected-port", EXTRA, "fail"),),
        "anonymous-rtsp": (("anonymous-rtsp", "", "fail"),),
        "anonymous-snapshot": (("anonymous-snapshot", "", "fail"),),
        "anonymous-onvif": (("anonymous-onvif", "", "fail"),),
        "http-basic-cleartext": (
            ("http-basic-cleartext", HTTP, "fail"),
            ("http-cleartext-management", HTTP, "fail"),
        ),
        "factory-default": (
            ("factory-default-state", "", "fail"),
            ("anonymous-onvif", "", "fail"),
            ("anonymous-snapshot", "", "fail"),
            ("anonymous-rtsp", "", "fail"),
            ("too-many-administrators", "", "unknown"),
            ("default-credentials", "", "unknown"),
            *((check, "", "unknown") for check in SHOWN),
        ),
        "lockout-off": (("lockout-off", "", "fail"),),
        "snmp-on": (("snmp-v1-v2c", "", "fail"), ("snmp-public", "", "fail")),
        "unsigned-apps": (("unsigned-apps", "", "fail"),),
        # oddities that must change nothing, or only what they touch
        "redirect-elsewhere": (("http-cleartext-management", HTTP, "fail"),),
        "nat-xaddr": _NOTHING,
        "metadata-xaddr": _NOTHING,
        "http-xaddr": _NOTHING,
        "many-xaddrs": _DISCOVERABLE,
        "shared-epr": _DISCOVERABLE,
        "echo-message-id": _DISCOVERABLE,
        "sadp-typo": _DISCOVERABLE,
        "sadp-to-all": _DISCOVERABLE,
        "dhdiscover-unquoted": _DISCOVERABLE,
        "isapi-clock": (("clock-skew", "", "fail"), *((check, "", "unknown") for check in SHOWN)),
        "vapix-redirects": _NOTHING,
        "sunapi-old": _NOTHING,
        "sunapi-asks-twice": _NOTHING,
        "slow": _NOTHING,
        "media2-only": _NOTHING,
        "wsse-only": _NOTHING,
        "sha256-only": _NOTHING,
        "fault-200": _NOTHING,
        # lies that show only when something is changed
        "password-ignored": _NOTHING,
        "password-truncated": _NOTHING,
        "password-late": _NOTHING,
        "password-reboot": _NOTHING,
        "password-two-stores": _NOTHING,
        "setting-ignored": _NOTHING,
        "setting-reverts": _NOTHING,
        "upgrade-bricks": _NOTHING,
        "upgrade-liar": _NOTHING,
        "upgrade-reverts": _NOTHING,
        "upgrade-slow": _NOTHING,
        "upgrade-drops": _NOTHING,
        # what cannot be seen
        "bad-time": (("clock-skew", "", "unknown"),),
        "empty-200": (("discovery-left-on", "", "unknown"),),
        "entity-bomb": (("discovery-left-on", "", "unknown"),),
        "html-for-xml": (("ntp-not-configured", "", "unknown"),),
        "huge-reply": (("ntp-not-configured", "", "unknown"),),
        "truncated-reply": (("too-many-administrators", "", "unknown"),),
        "gzip-bomb": (("too-many-administrators", "", "unknown"),),
        "hostile-name": (("firmware-outdated", "", "unknown"),),
        "no-login": _UNSEEN,
        "wrong-login": _UNSEEN,
        "locked": (*_UNSEEN, ("anonymous-onvif", "", "unknown"), ("default-credentials", "", "unknown")),
    }
)

WEAK: Mapping[str, tuple[str, Callable[[CameraPlan], bool]]] = MappingProxyType(
    {
        "default-credentials": (DEFAULTS, lambda p: bool(_documented(p))),
        "anonymous-onvif": ("", lambda p: "onvif" in p.anonymous),
        "anonymous-snapshot": ("", lambda p: "snapshot" in p.anonymous),
        "anonymous-rtsp": ("", lambda p: "rtsp" in p.anonymous and p.rtsp_on),
        "factory-default-state": ("", lambda p: not p.setup_done),
        "telnet-open": ("", lambda p: _has_port(p, "telnet")),
        "ftp-open": ("", lambda p: _has_port(p, "ftp")),
        "unexpected-port": (EXTRA, lambda p: _has_port(p, "silent", "ssh")),
        "http-cleartext-management": (HTTP, lambda p: bool(p.http_port) and not _sends_to_https(p)),
        "http-basic-cleartext": (
            HTTP,
            lambda p: bool(p.http_port) and p.setup_done and p.basic_on_http and not _sends_to_https(p),
        ),
        "clock-skew": ("", lambda p: abs(p.clock_offset_s) > FORGIVEN_SKEW_S),
        "ntp-not-configured": ("", lambda p: p.clock_source != "NTP" or not p.ntp_servers),
        "discovery-left-on": ("", lambda p: p.discoverable),
        "firmware-outdated": ("", lambda p: any(m.outdated == p.firmware for m in _catalogue(p))),
        "tls-certificate": (HTTPS, lambda p: bool(p.https_port) and p.certificate != "good"),
        "too-many-administrators": ("", lambda p: _administrators(p) > MOST_ADMINISTRATORS),
        "lockout-off": ("", lambda p: _shows("lockout-off", p)),
        "snmp-v1-v2c": ("", lambda p: _shows("snmp-v1-v2c", p)),
        "snmp-public": ("", lambda p: bool(versions_served(p))),
        "unsigned-apps": ("", lambda p: _shows("unsigned-apps", p)),
    }
)
"""Whether a weakness is there now, and its subject: settings may have cured a fault, or made a new weakness."""

_RANK = MappingProxyType({name: rank for rank, name in enumerate(EFFECTS)})
_PORT_CHECKS = ("telnet-open", "ftp-open", "unexpected-port", "snmp-public")


def expected(plan: CameraPlan, *, ports_probed: bool) -> tuple[Expected, ...]:
    """All verdicts of one camera, in the order of `CHECKS`."""
    verdicts = {check: _clean(check, plan) for check in CHECKS}
    for check, subject, word in _effects(plan, ports_probed=ports_probed):
        verdicts[check] = _overridden(verdicts[check], _subjects(subject, plan), word)
    return tuple(
        Expected(check, subject, word, _reason(check, word, plan))
        for check, by_subject in verdicts.items()
        for subject, word in by_subject.items()
    )


def _effects(plan: CameraPlan, *, ports_probed: bool) -> Iterator[Effect]:
    yield from ((check, subject, "fail") for check, (subject, is_there) in WEAK.items() if is_there(plan))
    for fault in sorted(plan.faults, key=_RANK.__getitem__):
        if fault != "factory-default" or not plan.setup_done:
            yield from (effect for effect in EFFECTS[fault] if effect[2] != "fail" or WEAK[effect[0]][1](plan))
    if "vapix-redirects" in plan.quirks and plan.http_port and _sends_to_https(plan):
        yield from ((check, "", "unknown") for check in SHOWN)  # it wants the password itself where it sends us
    if any(fault in _CLOSED_TO_US for fault in plan.faults):
        if not _speaks_for_itself(plan, alone=ports_probed):
            yield from _NOBODY_KNOWS_IT
        if "wrong-login" in plan.faults and "{left}" in VENDORS[plan.vendor].wrong_text:
            yield ("default-credentials", "", "unknown")  # it counts our tries aloud: the time to stop
    if not ports_probed:
        yield from ((check, "", "unknown") for check in _PORT_CHECKS)


def _speaks_for_itself(plan: CameraPlan, *, alone: bool) -> bool:
    """Whether a camera says without a login who made it and whether it was set up.

    By its vendor's own sign (systemready, activateStatus), or by its scopes in WS-Discovery where it has an address of
    its own.
    """
    return plan.vendor in ("axis", "hikvision") or (plan.discoverable and alone)


def _clean(check: str, plan: CameraPlan) -> dict[str, Word]:
    """What the check says of this camera if none of its faults touches it."""
    vendor = VENDORS[plan.vendor]
    if check == "default-credentials":
        return {account: "pass" for account, _ in vendor.defaults} or {"": "unknown"}
    if check in SHOWN:
        return {"": "unknown" if SHOWN[check](plan) is None else "pass"}
    if check == "firmware-outdated":
        return {"": "pass" if vendor.defaults else "unknown"}  # the made-up brand is in no catalogue
    if check == "http-cleartext-management":
        return {f"tcp/{plan.http_port}": "pass"} if plan.http_port else {"": "pass"}
    if check == "http-basic-cleartext":
        return {f"tcp/{port}": "pass" for port in _asking_ports(plan)} or {"": "not-applicable"}
    if check == "tls-certificate":
        return {f"tcp/{plan.https_port}": "pass"} if plan.https_port else {"": "not-applicable"}
    return {"": "pass"}


def _asking_ports(plan: CameraPlan) -> list[int]:
    """Ports whose front page asks for a password by HTTP."""
    if not plan.setup_done:
        return []
    sent_away = _sends_to_https(plan) or "redirect-elsewhere" in plan.quirks
    ports = [None if sent_away else plan.http_port, plan.https_port]
    return [port for port in ports if port]


def _sends_to_https(plan: CameraPlan) -> bool:
    return plan.redirects_to_https and plan.https_port is not None


def _has_port(plan: CameraPlan, *services: str) -> bool:
    return any(extra.service in services for extra in plan.extra_ports)


def _documented(plan: CameraPlan) -> list[str]:
    """Accounts with a password that the vendor documents, at whichever door."""
    pairs = VENDORS[plan.vendor].defaults
    accounts = (*plan.accounts, *(plan.web_accounts or ()))
    return list(dict.fromkeys(a.name for a in accounts if (a.name, a.password) in pairs))


def _shows(check: str, plan: CameraPlan) -> bool:
    return SHOWN[check](plan) is True


def _administrators(plan: CameraPlan) -> int:
    return sum(account.role == "Administrator" for account in plan.accounts)


def _catalogue(plan: CameraPlan) -> list[Model]:
    """This camera's row in the catalogue, where its brand is in one."""
    vendor = VENDORS[plan.vendor]
    return [model for model in vendor.models if model.name == plan.model] if vendor.defaults else []


def _subjects(pattern: str, plan: CameraPlan) -> Sequence[str]:
    known: Mapping[str, Sequence[str]] = {
        HTTP: [f"tcp/{plan.http_port}"],
        HTTPS: [f"tcp/{plan.https_port}"],
        EXTRA: [f"tcp/{extra.port}" for extra in plan.extra_ports if extra.service in ("silent", "ssh")],
        DEFAULTS: _documented(plan),
    }
    return known.get(pattern, [pattern])


def _overridden(before: dict[str, Word], subjects: Sequence[str], word: Word) -> dict[str, Word]:
    """The whole camera's verdict and those of its parts exclude each other."""
    kept = {} if "" in subjects else {subject: old for subject, old in before.items() if subject}
    return kept | dict.fromkeys(subjects, word)


def _reason(check: str, word: Word, plan: CameraPlan) -> str | None:
    """Why an unknown is one, where the need behind it leaves no choice."""
    needs_answer = (*SHOWN, "too-many-administrators", "ntp-not-configured", "discovery-left-on", "firmware-outdated")
    if word != "unknown" or check not in needs_answer:
        return None
    return next((_CLOSED_TO_US[fault] for fault in plan.faults if fault in _CLOSED_TO_US), None)

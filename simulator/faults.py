"""What can be wrong with a camera, or odd about it: one row per name. What it means for a verdict is in `truth`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from types import MappingProxyType

from simulator.plan import NEVER_LOCKS, Account, CameraPlan, Certificate, ExtraPort, Login
from simulator.vendors import VENDORS

Change = Callable[[CameraPlan, Random], CameraPlan]

HOSTILE_NAME = "<script>alert(1)</script>\u009b31m\u202e'\"&{{7*7}}"
NAT_HOST = "192.168.1.64"
METADATA_HOST = "169.254.169.254"
HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Fault:
    """`weight` is how often it comes in the believable mix (0: only when asked for). `excludes` is read both ways.

    `own_address` faults need one address per camera: a port, or a login of its own, means nothing on a shared one.
    """

    change: Change
    weight: int = 0
    vendors: tuple[str, ...] = tuple(VENDORS)
    excludes: tuple[str, ...] = ()
    own_address: bool = False


def fits(name: str, plan: CameraPlan, *, shared_address: bool) -> bool:
    """Whether this fault can be given to that camera beside the faults it already has."""
    fault = FAULTS[name]
    if plan.vendor not in fault.vendors or (shared_address and fault.own_address) or name in plan.faults:
        return False
    return not any(other in fault.excludes or name in FAULTS[other].excludes for other in plan.faults)


def give(name: str, plan: CameraPlan, rng: Random) -> CameraPlan:
    changed = FAULTS[name].change(plan, rng)
    return replace(changed, faults=(*plan.faults, name))


# --- changes that need a choice ---


def _default_credentials(plan: CameraPlan, rng: Random) -> CameraPlan:
    defaults = dict(rng.sample(VENDORS[plan.vendor].defaults, k=1))
    kept = [replace(a, password=defaults.pop(a.name, a.password)) for a in plan.accounts]
    added = [Account(name, password, "Operator") for name, password in defaults.items()]
    return replace(plan, accounts=(*kept, *added))


def _factory_default(plan: CameraPlan, _rng: Random) -> CameraPlan:
    """ONVIF Profile Q: in the factory default state there is no user yet and everything is open."""
    return replace(
        plan,
        setup_done=False,
        auth="none",
        accounts=(),
        login=None,
        anonymous=frozenset({"onvif", "snapshot", "rtsp"}),
    )


ALLOW_UNSIGNED = "ACAP.AllowUnsigned"
"""Where an Axis camera remembers whether it takes applications that nobody has signed."""
THROTTLING = "System.PreventDoSAttack.ActivatePasswordThrottling"
"""Axis has no lock: it keeps out the address that guesses."""
SNMP_SWITCHES: Mapping[str, tuple[tuple[str, str], ...]] = MappingProxyType(
    {
        "axis": (("SNMP.Enabled", "yes"), ("SNMP.V2c", "yes")),
        "hikvision": (("SNMP/SNMPv2c/enabled", "true"),),
        "dahua": (("SNMP.Enable", "true"), ("SNMP.V2Enable", "true")),
        "hanwha": (("sunapi.snmp.Version2", "True"),),
    }
)
"""The parameters of each vendor that switch SNMP v2c on; all of them are off as delivered."""


def _no_lock(plan: CameraPlan, _rng: Random) -> CameraPlan:
    if plan.vendor == "axis":
        return _with_parameters(plan, {THROTTLING: "Off"})
    return replace(plan, lock_after=NEVER_LOCKS)


def _snmp(plan: CameraPlan, _rng: Random) -> CameraPlan:
    return _with_parameters(plan, dict(SNMP_SWITCHES[plan.vendor]))


def _unsigned_apps(plan: CameraPlan, _rng: Random) -> CameraPlan:
    return _with_parameters(plan, {ALLOW_UNSIGNED: "true"})


def _with_parameters(plan: CameraPlan, values: Mapping[str, str]) -> CameraPlan:
    return replace(plan, parameters=tuple(sorted({**dict(plan.parameters), **values}.items())))


def _too_many_administrators(plan: CameraPlan, rng: Random) -> CameraPlan:
    names = rng.sample(("installer", "guard-desk", "it-support", "service", "backup", "manager2"), k=rng.randint(1, 3))
    added = [Account(name, f"{rng.getrandbits(64):016x}", "Administrator") for name in names]
    return replace(plan, accounts=(*plan.accounts, *added))


def _telnet(plan: CameraPlan, _rng: Random) -> CameraPlan:
    return _with_port(plan, ExtraPort(23 if plan.rtsp_port < 1024 else 2323, "telnet"))  # noqa: PLR2004 - privileged


def _ftp(plan: CameraPlan, _rng: Random) -> CameraPlan:
    return _with_port(plan, ExtraPort(21 if plan.rtsp_port < 1024 else 2121, "ftp"))  # noqa: PLR2004 - privileged


def _ssh(plan: CameraPlan, _rng: Random) -> CameraPlan:
    return _with_port(plan, ExtraPort(22 if plan.rtsp_port < 1024 else 2222, "ssh"))  # noqa: PLR2004 - privileged


def _two_stores(plan: CameraPlan, _rng: Random) -> CameraPlan:
    return replace(plan, web_accounts=plan.accounts, quirks=plan.quirks | {"password-two-stores"})


def _unexpected_port(plan: CameraPlan, rng: Random) -> CameraPlan:
    usual = {"hikvision": (8000,), "dahua": (37777,)}
    return _with_port(plan, ExtraPort(rng.choice(usual.get(plan.vendor, (8000, 9000, 34567, 37777))), "silent"))


def _with_port(plan: CameraPlan, extra: ExtraPort) -> CameraPlan:
    return replace(plan, extra_ports=(*plan.extra_ports, extra))


def _clock_skew(plan: CameraPlan, rng: Random) -> CameraPlan:
    """From most of a minute to years: forgotten summer time, a wrong zone, a flat battery."""
    offset = rng.choice((45, 7 * 60, HOUR_S, 3 * HOUR_S, 26 * HOUR_S, 8 * 365 * 24 * HOUR_S))
    return replace(plan, clock_offset_s=offset * rng.choice((-1, 1)) if offset < 100 * HOUR_S else -offset)


def _ntp_not_configured(plan: CameraPlan, rng: Random) -> CameraPlan:
    source = rng.choice(("manual", "no server"))
    return replace(plan, clock_source="Manual" if source == "manual" else "NTP", ntp_from_dhcp=False, ntp_servers=())


def _outdated(plan: CameraPlan, _rng: Random) -> CameraPlan:
    model = next(m for m in VENDORS[plan.vendor].models if m.name == plan.model)
    return replace(plan, firmware=model.outdated)


def _wrong_login(plan: CameraPlan, rng: Random) -> CameraPlan:
    name = plan.login.name if plan.login else "camwarden"
    return replace(plan, login=Login(name, f"wrong-{rng.getrandbits(32):08x}"))


# --- changes that are one field ---


def _set(**fields: object) -> Change:
    return lambda plan, _rng: replace(plan, **fields)  # type: ignore[arg-type]


def _certificate(kind: Certificate) -> Change:
    return _set(certificate=kind)


def _open(door: str) -> Change:
    return lambda plan, _rng: replace(plan, anonymous=plan.anonymous | {door})


def _odd(operation: str, reply: str) -> Change:
    return lambda plan, _rng: replace(plan, odd_replies=(*plan.odd_replies, (operation, reply)))


def _quirk(name: str, /, **fields: object) -> Change:
    return lambda plan, _rng: replace(plan, quirks=plan.quirks | {name}, **fields)  # type: ignore[arg-type]


_WITH_DEFAULTS = tuple(name for name, vendor in VENDORS.items() if vendor.defaults)
_LOGINS = ("no-login", "wrong-login", "locked")
_CERTIFICATES = ("tls-expired", "tls-not-yet-valid", "tls-expiring", "tls-self-signed", "tls-weak-key", "no-https")
_PASSWORDS = ("password-ignored", "password-truncated", "password-late", "password-reboot")
_SETTINGS = ("setting-ignored", "setting-reverts")
_UPGRADES = ("upgrade-bricks", "upgrade-liar", "upgrade-reverts")
_XADDRS = ("nat-xaddr", "http-xaddr", "metadata-xaddr", "many-xaddrs")

FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        # weaknesses
        "discovery-left-on": Fault(_set(discoverable=True), weight=60),
        "http-cleartext-management": Fault(_set(redirects_to_https=False), weight=35),
        "firmware-outdated": Fault(_outdated, weight=30, vendors=_WITH_DEFAULTS),
        "tls-self-signed": Fault(_certificate("self-signed"), weight=25, excludes=_CERTIFICATES),
        "ntp-not-configured": Fault(_ntp_not_configured, weight=20),
        "unexpected-port": Fault(_unexpected_port, weight=15, own_address=True),
        "clock-skew": Fault(_clock_skew, weight=12),
        "too-many-administrators": Fault(_too_many_administrators, weight=12),
        "default-credentials": Fault(_default_credentials, weight=10, vendors=_WITH_DEFAULTS),
        "telnet-open": Fault(_telnet, weight=8, own_address=True),
        "ftp-open": Fault(_ftp, weight=6, own_address=True),
        "ssh-open": Fault(_ssh, vendors=("axis",), own_address=True),
        "anonymous-rtsp": Fault(_open("rtsp"), weight=8),
        "anonymous-snapshot": Fault(_open("snapshot"), weight=8),
        "anonymous-onvif": Fault(_open("onvif"), weight=4),
        "http-basic-cleartext": Fault(_set(basic_on_http=True, redirects_to_https=False), weight=8),
        "lockout-off": Fault(_no_lock, vendors=("axis", "hikvision", "dahua"), excludes=("locked",)),
        "snmp-on": Fault(_snmp, vendors=tuple(SNMP_SWITCHES)),
        "unsigned-apps": Fault(_unsigned_apps, vendors=("axis",)),
        "tls-expired": Fault(_certificate("expired"), weight=8, excludes=_CERTIFICATES),
        "tls-expiring": Fault(_certificate("expiring"), weight=5, excludes=_CERTIFICATES),
        "tls-weak-key": Fault(_certificate("weak-key"), weight=4, excludes=_CERTIFICATES),
        "tls-not-yet-valid": Fault(_certificate("not-yet-valid"), weight=2, excludes=_CERTIFICATES),
        "no-https": Fault(_set(https_port=None, redirects_to_https=False), weight=6, excludes=_CERTIFICATES),
        "factory-default": Fault(
            _factory_default,
            weight=4,
            excludes=(
                *("default-credentials", "too-many-administrators", "http-basic-cleartext"),
                *("anonymous-onvif", "anonymous-snapshot", "anonymous-rtsp"),
                *("wsse-only", "sha256-only", "fault-200", *_LOGINS),
            ),
        ),
        # ways to log in, or not to
        "wsse-only": Fault(_set(auth="wsse"), weight=3, excludes=("sha256-only",)),
        "sha256-only": Fault(_set(auth="digest-sha256"), weight=3, excludes=("wsse-only", "fault-200")),
        "no-login": Fault(_set(login=None), weight=3, own_address=True, excludes=(*_LOGINS, "anonymous-onvif")),
        "wrong-login": Fault(_wrong_login, weight=2, own_address=True, excludes=(*_LOGINS, "anonymous-onvif")),
        "locked": Fault(_quirk("locked"), weight=1, excludes=(*_LOGINS, "anonymous-onvif")),
        # where the camera says it is
        "nat-xaddr": Fault(_quirk("nat-xaddr"), weight=4, excludes=_XADDRS),
        "metadata-xaddr": Fault(_quirk("metadata-xaddr"), excludes=_XADDRS),
        "many-xaddrs": Fault(_quirk("many-xaddrs", discoverable=True), weight=2, excludes=_XADDRS),
        "http-xaddr": Fault(
            _quirk("http-xaddr", http_port=None, redirects_to_https=False),
            weight=2,
            excludes=(*_XADDRS, "no-https", "http-cleartext-management", "http-basic-cleartext", "redirect-elsewhere"),
        ),
        "shared-epr": Fault(
            _quirk("shared-epr", discoverable=True, epr="urn:uuid:5f5a69c2-e0ae-504f-829b-00e0fc12a0b0")
        ),
        "echo-message-id": Fault(_quirk("echo-message-id", discoverable=True)),
        "sadp-typo": Fault(_quirk("sadp-typo", discoverable=True), vendors=("hikvision",)),
        "sadp-to-all": Fault(_quirk("sadp-to-all", discoverable=True), vendors=("hikvision",)),
        "dhdiscover-unquoted": Fault(_quirk("dhdiscover-unquoted", discoverable=True), vendors=("dahua",)),
        "sunapi-old": Fault(_quirk("sunapi-old"), vendors=("hanwha",), excludes=("factory-default",)),
        "sunapi-asks-twice": Fault(_quirk("sunapi-asks-twice"), vendors=("hanwha",), excludes=("sunapi-old",)),
        "isapi-clock": Fault(_quirk("isapi-clock", clock_offset_s=HOUR_S), vendors=("hikvision",), excludes=_LOGINS),
        "vapix-redirects": Fault(_quirk("vapix-redirects"), vendors=("axis",), excludes=("factory-default",)),
        "redirect-elsewhere": Fault(
            _quirk("redirect-elsewhere", redirects_to_https=False),
            excludes=("http-cleartext-management", "http-basic-cleartext", "http-xaddr", "no-https"),
        ),
        # how it talks
        "slow": Fault(_quirk("slow"), weight=1),
        "media2-only": Fault(_set(media=("media2",)), weight=3),
        "bad-time": Fault(_quirk("bad-time"), weight=2, excludes=("clock-skew",)),
        "fault-200": Fault(_quirk("fault-200", auth="wsse"), weight=2, excludes=("sha256-only",)),
        "empty-200": Fault(_odd("GetDiscoveryMode", "empty"), weight=2, excludes=("entity-bomb",)),
        "html-for-xml": Fault(_odd("GetNTP", "html"), weight=1, excludes=("huge-reply",)),
        "truncated-reply": Fault(_odd("GetUsers", "truncated"), weight=1, excludes=("gzip-bomb",)),
        "gzip-bomb": Fault(_odd("GetUsers", "gzip-bomb"), excludes=("truncated-reply",)),
        "huge-reply": Fault(_odd("GetNTP", "huge"), excludes=("html-for-xml",)),
        "entity-bomb": Fault(_odd("GetDiscoveryMode", "entity-bomb"), excludes=("empty-200",)),
        "hostile-name": Fault(
            _quirk("hostile-name", model=HOSTILE_NAME, name=HOSTILE_NAME), excludes=("firmware-outdated", *_LOGINS)
        ),
        # how it lies when it is changed
        "password-ignored": Fault(_quirk("password-ignored"), excludes=_PASSWORDS),
        "password-truncated": Fault(_quirk("password-truncated"), excludes=_PASSWORDS),
        "password-late": Fault(_quirk("password-late"), excludes=_PASSWORDS),
        "password-reboot": Fault(_quirk("password-reboot"), excludes=_PASSWORDS),
        "password-two-stores": Fault(
            _two_stores,
            vendors=("axis", "hikvision", "dahua"),
            excludes=("factory-default", "default-credentials", "too-many-administrators"),
        ),
        "setting-ignored": Fault(_quirk("setting-ignored"), excludes=_SETTINGS),
        "setting-reverts": Fault(_quirk("setting-reverts"), excludes=_SETTINGS),
        "upgrade-bricks": Fault(_quirk("upgrade-bricks"), excludes=_UPGRADES),
        "upgrade-liar": Fault(_quirk("upgrade-liar"), excludes=_UPGRADES),
        "upgrade-reverts": Fault(_quirk("upgrade-reverts"), excludes=_UPGRADES),
        "upgrade-slow": Fault(_quirk("upgrade-slow"), excludes=("upgrade-bricks",)),
        "upgrade-drops": Fault(_quirk("upgrade-drops")),
    }
)

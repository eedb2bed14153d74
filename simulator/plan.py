"""What there is in an estate: plain frozen values, decided before anything listens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from simulator.behaviour import AnalyticsPlan
from simulator.scenes.timeline import PicturePlan

Auth = Literal["digest-md5", "digest-sha256", "wsse", "digest+wsse", "none"]
Role = Literal["Administrator", "Operator", "User"]
Store = Literal["onvif", "web"]
Defect = Literal["brick", "no-picture", "loses-accounts", "analytics-drop"]
LOCKED_S = 30 * 60
NEVER_LOCKS = 10**9
"""As many wrong passwords in a row lock a camera whose lock is off."""
Certificate = Literal["good", "expired", "not-yet-valid", "expiring", "self-signed", "weak-key"]


@dataclass(frozen=True, slots=True)
class Account:
    """An account. Web, ONVIF and RTSP share one store, unless the camera has `web_accounts`."""

    name: str
    password: str
    role: Role


@dataclass(frozen=True, slots=True)
class Login:
    """What the credentials file holds for a camera; the password may be wrong."""

    name: str
    password: str


@dataclass(frozen=True, slots=True)
class ExtraPort:
    """An open port beside the declared services."""

    port: int
    service: Literal["telnet", "ftp", "ssh", "silent"]


@dataclass(frozen=True, slots=True)
class SyslogServer:
    """Where the camera sends its log."""

    address: str
    port: int
    protocol: Literal["UDP", "TCP", "TLS"]
    severity: str


@dataclass(frozen=True, slots=True)
class App:
    """A program on the camera. `behaviour` tells the simulated analytics how well it sees."""

    name: str
    nice_name: str
    vendor: str
    version: str
    running: bool
    behaviour: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class CameraPlan:
    """One camera. `odd_replies` maps an ONVIF operation to what is sent in place of its answer.

    `anonymous` holds what is answered without a login: "onvif", "snapshot", "rtsp". `setup_done` False is the factory
    default state: no account exists yet. `quirks` are the behaviours that have no field of their own.

    A port that is None is switched off; `usual_ports` (HTTP, HTTPS, RTSP) tells where it listens when it is on.
    `web_accounts` None means one store for all doors. `standby_firmware` lies in the other bank until it is purged,
    `committed` False means that a restart by power loss goes back to it. `defect` is what ails the running firmware.
    `parameters` are the vendor's own settings that differ from the factory's. `reboot_s` is how long a restart takes in
    real seconds, `minute_s` how long a minute of the rollback timer lasts, `lock_s` how long a lock. `oem_label` is the
    company that sells it under its own name, None where that is the maker. `picture` None is a camera that shows grey,
    `analytics` None one that has no analytics.
    """

    address: str
    vendor: str
    model: str
    firmware: str
    serial: str
    mac: str
    name: str
    location: str
    epr: str
    http_port: int | None
    https_port: int | None
    rtsp_port: int
    auth: Auth
    accounts: tuple[Account, ...]
    login: Login | None
    lock_after: int
    wsse_window_s: int
    clock_offset_s: int
    clock_source: Literal["NTP", "Manual"]
    ntp_from_dhcp: bool
    ntp_servers: tuple[str, ...]
    discoverable: bool
    setup_done: bool
    certificate: Certificate
    basic_on_http: bool
    redirects_to_https: bool
    media: tuple[Literal["media", "media2"], ...]
    anonymous: frozenset[str]
    extra_ports: tuple[ExtraPort, ...]
    odd_replies: tuple[tuple[str, str], ...]
    faults: tuple[str, ...]
    quirks: frozenset[str]
    usual_ports: tuple[int, int, int] = (80, 443, 554)
    rtsp_on: bool = True
    web_accounts: tuple[Account, ...] | None = None
    timezone: str = "CET-1CEST,M3.5.0,M10.5.0/3"
    standby_firmware: str | None = None
    committed: bool = True
    defect: Defect | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    syslog: tuple[SyslogServer, ...] = ()
    syslog_on: bool = False
    apps: tuple[App, ...] = ()
    reboot_s: float = 0.3
    minute_s: float = 60.0
    oem_label: str | None = None
    lock_s: float = LOCKED_S
    picture: PicturePlan | None = None
    analytics: AnalyticsPlan | None = None

    @property
    def port(self) -> int:
        """Where ONVIF is spoken to first: plain HTTP while there is any."""
        port = self.http_port or self.https_port
        if port is None:
            raise ValueError(f"{self.address} serves nothing")
        return port

    def accounts_of(self, store: Store) -> tuple[Account, ...]:
        return self.accounts if store == "onvif" or self.web_accounts is None else self.web_accounts

    @property
    def hostname(self) -> str:
        return f"{self.vendor}-{self.mac.replace(':', '')}"

    @property
    def scheme(self) -> Literal["http", "https"]:
        return "http" if self.http_port else "https"


@dataclass(frozen=True, slots=True)
class Week:
    """The time of the scenes: `start_s` seconds after Monday's midnight at `began` (ours, since 1970)."""

    start_s: float
    time_scale: float
    began: float

    def at(self, now: float) -> float:
        return self.start_s + (now - self.began) * self.time_scale


@dataclass(frozen=True, slots=True)
class DecoyPlan:
    """Something that answers and is no camera. `expected_reason` is why an assessor must not judge it."""

    address: str
    port: int
    kind: str
    expected_reason: str


@dataclass(frozen=True, slots=True)
class EstatePlan:
    """All of it. `ports_probed` is False where cameras share one address: then a port says nothing about a camera."""

    seed: int
    ports_probed: bool
    cameras: tuple[CameraPlan, ...]
    decoys: tuple[DecoyPlan, ...]
    week: Week | None = None

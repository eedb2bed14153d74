"""What there is in an estate: plain frozen values, decided before anything listens."""

from dataclasses import dataclass
from typing import Literal

Auth = Literal["digest-md5", "digest-sha256", "wsse", "digest+wsse", "none"]
Certificate = Literal["good", "expired", "not-yet-valid", "expiring", "self-signed", "weak-key"]


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the camera's one store, which web, ONVIF and RTSP share."""

    name: str
    password: str
    role: Literal["Administrator", "Operator", "User"]


@dataclass(frozen=True, slots=True)
class Login:
    """What the credentials file holds for a camera; the password may be wrong."""

    name: str
    password: str


@dataclass(frozen=True, slots=True)
class ExtraPort:
    """An open port beside the declared services."""

    port: int
    service: Literal["telnet", "ftp", "silent"]


@dataclass(frozen=True, slots=True)
class CameraPlan:
    """One camera. `odd_replies` maps an ONVIF operation to what is sent in place of its answer.

    `anonymous` holds what is answered without a login: "onvif", "snapshot", "rtsp". `setup_done` False is the factory
    default state: no account exists yet. `quirks` are the behaviours that have no field of their own.
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

    @property
    def port(self) -> int:
        """Where ONVIF is spoken to first: plain HTTP while there is any."""
        port = self.http_port or self.https_port
        if port is None:
            raise ValueError(f"{self.address} serves nothing")
        return port

    @property
    def hostname(self) -> str:
        return f"{self.vendor}-{self.mac.replace(':', '')}"

    @property
    def scheme(self) -> Literal["http", "https"]:
        return "http" if self.http_port else "https"


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

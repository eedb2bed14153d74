"""What a camera can answer with: frozen, plain values that travel as JSON.

Rules: `None` in a field means "it did not say". No field has a default, so that a missing answer can never look like a
given one. Text from the camera is already cleaned (`cameras.untrusted.clean_text`). Each fact type stands in at most
one field of a dossier; a question that got no answer is a `Gap` in its place.
"""

from dataclasses import dataclass
from typing import Literal

GapReason = Literal[
    "unreachable",
    "unauthorized",
    "locked-out",
    "clock-skewed",
    "unsupported",
    "refused",
    "garbled",
    "not-asked",
]


@dataclass(frozen=True, slots=True)
class Gap:
    """A question without an answer, and why."""

    gap: GapReason
    detail: str


# --- what the camera says through its API ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the camera says it is. `driver` is the family that spoke with it."""

    manufacturer: str | None
    model: str | None
    firmware: str | None
    serial: str | None
    hardware: str | None
    mac: str | None
    driver: str


@dataclass(frozen=True, slots=True)
class Account:
    """One account. `role` is ONVIF's level: Administrator, Operator, User, Anonymous or Extended."""

    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts of the store that the driver reads (ONVIF's may differ from the web server's)."""

    users: tuple[Account, ...]


@dataclass(frozen=True, slots=True)
class NetworkService:
    """A service that the camera says it offers: HTTP, HTTPS or RTSP (ONVIF GetNetworkProtocols)."""

    name: str
    enabled: bool | None
    ports: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NetworkServices:
    services: tuple[NetworkService, ...]


@dataclass(frozen=True, slots=True)
class NetworkInterface:
    """`mac` is lower case with colons; `addresses` are IPv4 in dotted form."""

    name: str | None
    mac: str | None
    addresses: tuple[str, ...]
    dhcp: bool | None


@dataclass(frozen=True, slots=True)
class NetworkInterfaces:
    interfaces: tuple[NetworkInterface, ...]


@dataclass(frozen=True, slots=True)
class Hostname:
    name: str | None
    from_dhcp: bool | None


@dataclass(frozen=True, slots=True)
class Clock:
    """The camera's clock beside ours.

    `skew_s` is the camera's time minus ours in seconds, half the round trip taken off; `uncertainty_s` is half the
    round trip plus the second that ONVIF's whole-second time hides. Both are `None` where the camera gave no readable
    time.
    """

    source: Literal["ntp", "manual"] | None
    utc: str | None
    skew_s: float | None
    uncertainty_s: float | None
    timezone: str | None


@dataclass(frozen=True, slots=True)
class ClockSource:
    """ONVIF GetNTP: servers set by hand and, where `from_dhcp`, those that DHCP gave."""

    from_dhcp: bool | None
    servers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DiscoveryMode:
    discoverable: bool


@dataclass(frozen=True, slots=True)
class Scopes:
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Service:
    """One web service as the camera announced it; `url` is its own word and may name a wrong host."""

    namespace: str
    url: str
    version: str | None


@dataclass(frozen=True, slots=True)
class Services:
    services: tuple[Service, ...]


@dataclass(frozen=True, slots=True)
class StreamProfile:
    """A media profile. Sizes in pixels, `frame_rate` in frames per second. The URIs carry no user info."""

    token: str
    name: str | None
    encoding: str | None
    width: int | None
    height: int | None
    frame_rate: float | None
    stream_uri: str | None
    snapshot_uri: str | None


@dataclass(frozen=True, slots=True)
class StreamProfiles:
    media: Literal["media", "media2"]
    profiles: tuple[StreamProfile, ...]


# --- what the network shows without a login --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenPorts:
    """TCP ports that were tried: they accept, they refuse, or nothing came back in time."""

    open: tuple[int, ...]
    closed: tuple[int, ...]
    silent: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Banner:
    """What an open port said first. `protocol` is what its bytes prove, `None` where they prove nothing."""

    port: int
    protocol: Literal["telnet", "ftp", "ssh", "http", "rtsp", "tls"] | None
    text: str


@dataclass(frozen=True, slots=True)
class Banners:
    banners: tuple[Banner, ...]


@dataclass(frozen=True, slots=True)
class LoginPage:
    """The web server's front page, asked for without credentials.

    `schemes` are the offered HTTP authentication schemes in lower case, `None` where the page asks for no password by
    HTTP. `redirects_to` is the scheme it sends the browser to ("https", "http"), `None` where it does not redirect.
    """

    url: str
    port: int
    tls: bool
    status: int
    schemes: tuple[str, ...] | None
    redirects_to: str | None
    server: str | None


@dataclass(frozen=True, slots=True)
class LoginPages:
    pages: tuple[LoginPage, ...]


@dataclass(frozen=True, slots=True)
class TlsPosture:
    """One TLS endpoint. Dates are ISO 8601 in UTC, `fingerprint` is SHA-256 of the certificate in hex."""

    port: int
    protocol: str
    cipher: str
    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: str
    not_after: str
    self_signed: bool
    key_type: str
    key_bits: int | None
    signature_hash: str | None
    fingerprint: str


@dataclass(frozen=True, slots=True)
class TlsPostures:
    """All TLS endpoints; `seen_at` (ISO 8601, UTC) is the day against which dates are judged."""

    seen_at: str
    endpoints: tuple[TlsPosture, ...]


@dataclass(frozen=True, slots=True)
class AnonymousOnvif:
    """ONVIF operations that must ask for a login, tried without one (names such as GetUsers)."""

    answered: tuple[str, ...]
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AnonymousPicture:
    """A snapshot address asked for without a login; `picture` says that image bytes came."""

    url: str
    status: int
    picture: bool


@dataclass(frozen=True, slots=True)
class AnonymousPictures:
    pictures: tuple[AnonymousPicture, ...]


@dataclass(frozen=True, slots=True)
class AnonymousStream:
    """An RTSP DESCRIBE without a login; `described` says that a session description came."""

    url: str
    status: int
    described: bool


@dataclass(frozen=True, slots=True)
class AnonymousStreams:
    streams: tuple[AnonymousStream, ...]


@dataclass(frozen=True, slots=True)
class SetupSignal:
    """One sign of whether the camera was ever set up, e.g. "profile-q-scope" or "axis-systemready"."""

    source: str
    factory_default: bool


@dataclass(frozen=True, slots=True)
class SetupState:
    signals: tuple[SetupSignal, ...]


@dataclass(frozen=True, slots=True)
class CredentialTrial:
    """One documented default pair put to the camera. The pair is named by id; its password is never stored.

    `accepted` means that the same pair worked again on a second, fresh connection. `detail` says why a trial was not
    made.
    """

    pair: str
    account: str
    outcome: Literal["accepted", "refused", "not-tried"]
    detail: str


@dataclass(frozen=True, slots=True)
class CredentialTrials:
    """The default-credential test of one visit. `vendor` is the table entry that was used, `None` where there is none.

    `control` is what happened to a made-up account with a random password: unless it was refused, no trial counts.
    """

    vendor: str | None
    control: Literal["refused", "accepted", "not-run"]
    control_detail: str
    trials: tuple[CredentialTrial, ...]


@dataclass(frozen=True, slots=True)
class SnmpAnswer:
    """What SNMP says to whoever asks with the community `public`: sysDescr.0, and sysObjectID.0 in dots.

    `version` None means that nothing answered; v2c is named where both versions do.
    """

    version: Literal["v1", "v2c"] | None
    description: str | None
    object_id: str | None


# --- what can be put right on a camera -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Switch:
    """A service of the camera that is on or off, by a name all vendors share (`SwitchName`)."""

    name: str
    on: bool | None


@dataclass(frozen=True, slots=True)
class Switches:
    """Only those that this camera has; one that is not listed cannot be asked or set there."""

    switches: tuple[Switch, ...]


@dataclass(frozen=True, slots=True)
class SyslogTarget:
    """Where the camera sends its log. `server` is an address or a host, "" for none."""

    enabled: bool | None
    server: str | None
    port: int | None
    protocol: Literal["udp", "tcp", "tls"] | None


@dataclass(frozen=True, slots=True)
class AnonymousViewer:
    """Whether the camera is set to show pictures or streams without a login."""

    allowed: bool | None


@dataclass(frozen=True, slots=True)
class FirmwareState:
    """What runs, and whether it stays.

    `committed` is False while the camera will go back to `previous` unless told otherwise, within `rollback_in_s`
    seconds where it says so. `boot_id` changes with every boot, `None` where the camera has no such thing.
    """

    version: str | None
    committed: bool | None
    previous: str | None
    rollback_in_s: float | None
    boot_id: str | None


@dataclass(frozen=True, slots=True)
class App:
    """An analytics application on the camera."""

    id: str
    name: str | None
    version: str | None
    running: bool | None


@dataclass(frozen=True, slots=True)
class Apps:
    apps: tuple[App, ...]


@dataclass(frozen=True, slots=True)
class UnsignedApps:
    """Whether applications that nobody has signed may be installed. What is installed already stays all the same."""

    allowed: bool | None


@dataclass(frozen=True, slots=True)
class Lockout:
    """What wrong passwords lead to: so many in a row lock an account or an address out, for `lock_s` seconds."""

    enabled: bool | None
    tries: int | None
    lock_s: float | None


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate that the camera holds. `not_after` is ISO 8601 in UTC; `serves` says that HTTPS uses it."""

    id: str
    subject: str | None
    issuer: str | None
    not_after: str | None
    serves: bool | None


@dataclass(frozen=True, slots=True)
class Certificates:
    certificates: tuple[Certificate, ...]


@dataclass(frozen=True, slots=True)
class IpFilter:
    """Whom the camera lets in by address: "allow" lets only these in, "deny" keeps these out."""

    mode: Literal["off", "allow", "deny"] | None
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FilterTrial:
    """What must be known before a filter by address is tried: only asked of cameras that can try one.

    `left_s` is how long what is on trial has until the camera takes it back, 0 where nothing is. `besides` are rules,
    in words, that a list of addresses neither holds nor can be laid beside. `seen_from` is the address that our
    connection leaves from, `None` where it goes through a jump host, whose address the camera sees.
    """

    left_s: int
    besides: tuple[str, ...]
    seen_from: str | None


@dataclass(frozen=True, slots=True)
class DeviceLog:
    """The end of the camera's own log, oldest line first, as it writes it."""

    lines: tuple[str, ...]

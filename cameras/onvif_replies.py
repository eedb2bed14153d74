"""ONVIF replies as facts. Pure: what zeep read goes in, a frozen value comes out; a field report becomes a test row.

In every function `reply` is the value of the operation named in the docstring, by the published service descriptions.
A missing element is `None` ("it did not say"), an impossible one raises Garbled.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from lxml import etree

from cameras.errors import Garbled, Unsupported
from cameras.facts import (
    Account,
    Accounts,
    ClockSource,
    DeviceLog,
    DiscoveryMode,
    FirmwareState,
    Hostname,
    Identity,
    NetworkInterface,
    NetworkInterfaces,
    NetworkService,
    NetworkServices,
    Scopes,
    Service,
    Services,
    StreamProfile,
)
from cameras.untrusted import clean_text, without_secrets

# More entries than any camera has; what lies beyond is dropped, so that a hostile list cannot fill our memory.
MOST_ENTRIES = 64
MOST_URL = 500
MOST_LOG_LINES = 500
MOST_LOG_CHARACTERS = 256 * 1024


def decode_identity(reply: Any, mac: str | None) -> Identity:  # noqa: ANN401 - zeep's values have no types
    """GetDeviceInformation."""
    return Identity(
        manufacturer=_text(reply, "Manufacturer"),
        model=_text(reply, "Model"),
        firmware=_text(reply, "FirmwareVersion"),
        serial=_text(reply, "SerialNumber"),
        hardware=_text(reply, "HardwareId"),
        mac=mac,
        driver="onvif",
    )


def decode_accounts(reply: Any) -> Accounts:  # noqa: ANN401
    """GetUsers. A password in the answer (some cameras send it) is not even looked at."""
    return Accounts(
        tuple(
            Account(name=_text(user, "Username") or "", role=_text(user, "UserLevel") or "Extended")
            for user in _entries(reply)
        )
    )


def decode_network_services(reply: Any) -> NetworkServices:  # noqa: ANN401
    """GetNetworkProtocols. No entry at all is no answer: the question itself came in over one of them."""
    if not _entries(reply):
        raise Unsupported("GetNetworkProtocols: it lists no protocol")
    return NetworkServices(
        tuple(
            NetworkService(
                name=(_text(entry, "Name") or "").upper(),
                enabled=_bool(entry, "Enabled"),
                ports=tuple(port for port in _entries(_value(entry, "Port")) if _is_port(port)),
            )
            for entry in _entries(reply)
        )
    )


def decode_network_interfaces(reply: Any) -> NetworkInterfaces:  # noqa: ANN401
    """GetNetworkInterfaces."""
    return NetworkInterfaces(tuple(_interface(entry) for entry in _entries(reply)))


def _interface(entry: Any) -> NetworkInterface:  # noqa: ANN401
    config = _value(entry, "IPv4", "Config")
    addresses = [_text(address, "Address") for address in _entries(_value(config, "Manual"))]
    addresses.append(_text(config, "FromDHCP", "Address"))
    return NetworkInterface(
        name=_text(entry, "Info", "Name"),
        mac=normal_mac(_text(entry, "Info", "HwAddress")),
        addresses=tuple(address for address in addresses if address),
        dhcp=_bool(config, "DHCP"),
    )


def decode_hostname(reply: Any) -> Hostname:  # noqa: ANN401
    """GetHostname."""
    _refuse_empty(reply, "GetHostname")
    return Hostname(name=_text(reply, "Name"), from_dhcp=_bool(reply, "FromDHCP"))


def decode_clock_source(reply: Any) -> ClockSource:  # noqa: ANN401
    """GetNTP."""
    _refuse_empty(reply, "GetNTP")
    servers = [*_entries(_value(reply, "NTPManual")), *_entries(_value(reply, "NTPFromDHCP"))]
    named = (_text(s, "DNSname") or _text(s, "IPv4Address") or _text(s, "IPv6Address") for s in servers)
    return ClockSource(from_dhcp=_bool(reply, "FromDHCP"), servers=tuple(name for name in named if name))


def decode_discovery_mode(reply: Any) -> DiscoveryMode:  # noqa: ANN401
    """GetDiscoveryMode."""
    if reply not in ("Discoverable", "NonDiscoverable"):
        raise Garbled(f"GetDiscoveryMode: {clean_text(str(reply), 60)!r}")
    return DiscoveryMode(discoverable=reply == "Discoverable")


def decode_scopes(reply: Any) -> Scopes:  # noqa: ANN401
    """GetScopes."""
    scopes = (_text(entry, "ScopeItem") for entry in _entries(reply))
    return Scopes(tuple(scope for scope in scopes if scope))


def decode_services(reply: Any) -> Services:  # noqa: ANN401
    """GetServices."""
    return Services(
        tuple(
            Service(
                namespace=_text(entry, "Namespace") or "",
                url=_text(entry, "XAddr", most=MOST_URL) or "",
                version=_version(_value(entry, "Version")),
            )
            for entry in _entries(reply)
        )
    )


# GetCapabilities names services by element, GetServices by namespace.
_CAPABILITY_NAMESPACES = {
    "Device": "http://www.onvif.org/ver10/device/wsdl",
    "Media": "http://www.onvif.org/ver10/media/wsdl",
    "Events": "http://www.onvif.org/ver10/events/wsdl",
    "Imaging": "http://www.onvif.org/ver20/imaging/wsdl",
    "PTZ": "http://www.onvif.org/ver20/ptz/wsdl",
    "Analytics": "http://www.onvif.org/ver20/analytics/wsdl",
}


def decode_capabilities(reply: Any) -> Services:  # noqa: ANN401
    """GetCapabilities, for cameras older than GetServices."""
    found = ((space, _text(reply, name, "XAddr", most=MOST_URL)) for name, space in _CAPABILITY_NAMESPACES.items())
    return Services(tuple(Service(space, url, None) for space, url in found if url))


def decode_utc(reply: Any) -> datetime | None:  # noqa: ANN401
    """GetSystemDateAndTime's UTCDateTime; `None` where it is missing or impossible (minute 61, month 0)."""
    date, time = _value(reply, "UTCDateTime", "Date"), _value(reply, "UTCDateTime", "Time")
    year, month, day = (_value(date, name) for name in ("Year", "Month", "Day"))
    hour, minute, second = (_value(time, name) for name in ("Hour", "Minute", "Second"))
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def decode_clock_kind(reply: Any) -> tuple[Literal["ntp", "manual"] | None, str | None]:  # noqa: ANN401
    """GetSystemDateAndTime: where the time comes from, and the POSIX time zone."""
    kinds: dict[object, Literal["ntp", "manual"]] = {"NTP": "ntp", "Manual": "manual"}
    return kinds.get(_value(reply, "DateTimeType")), _text(reply, "TimeZone", "TZ")


def decode_media_profiles(reply: Any) -> tuple[StreamProfile, ...]:  # noqa: ANN401
    """Media GetProfiles, still without addresses."""
    return tuple(_media_profile(entry) for entry in _entries(reply))


def _media_profile(entry: Any) -> StreamProfile:  # noqa: ANN401
    encoder = _value(entry, "VideoEncoderConfiguration")
    return StreamProfile(
        token=_text(entry, "token") or "",
        name=_text(entry, "Name"),
        encoding=_text(encoder, "Encoding"),
        width=_int(_value(encoder, "Resolution", "Width")),
        height=_int(_value(encoder, "Resolution", "Height")),
        frame_rate=_float(_value(encoder, "RateControl", "FrameRateLimit")),
        stream_uri=None,
        snapshot_uri=None,
    )


def decode_media2_profiles(reply: Any) -> tuple[StreamProfile, ...]:  # noqa: ANN401
    """Media2 GetProfiles (elements, since its types are not in the shared schema), still without addresses."""
    return tuple(_media2_profile(entry) for entry in _entries(reply) if etree.iselement(entry))


def _media2_profile(entry: etree._Element) -> StreamProfile:
    encoder = next(_local(entry, "VideoEncoder"), None)
    return StreamProfile(
        token=clean_text(entry.get("token", "")),
        name=_local_text(entry, "Name"),
        encoding=_local_text(encoder, "Encoding"),
        width=_int(_local_text(encoder, "Width")),
        height=_int(_local_text(encoder, "Height")),
        frame_rate=_float(_local_text(encoder, "FrameRateLimit")),
        stream_uri=None,
        snapshot_uri=None,
    )


def decode_firmware_state(reply: Any) -> FirmwareState:  # noqa: ANN401
    """GetDeviceInformation: ONVIF knows what runs and nothing else."""
    version = _text(reply, "FirmwareVersion")
    return FirmwareState(version=version, committed=None, previous=None, rollback_in_s=None, boot_id=None)


SystemAbility = Literal["HttpFirmwareUpgrade", "FirmwareUpgrade", "HttpSystemBackup", "SystemBackup"]


def has_ability(reply: Any, ability: SystemAbility) -> bool:  # noqa: ANN401
    """GetServiceCapabilities of the device service: only what is announced as true counts."""
    return _bool(_value(reply, "System"), ability) is True


def decode_log(reply: Any) -> DeviceLog:  # noqa: ANN401
    """GetSystemLog. One that came as an attachment is not read."""
    text = _value(reply, "String")
    if not isinstance(text, str):
        raise Unsupported("GetSystemLog: it gives no text")
    return DeviceLog(log_lines(text))


def log_lines(text: str) -> tuple[str, ...]:
    """The last `MOST_LOG_LINES` lines that are not empty, each on one printable line."""
    lines = [line for line in text[-MOST_LOG_CHARACTERS:].splitlines() if line.strip()]
    return tuple(clean_text(line, 500) for line in lines[-MOST_LOG_LINES:])


@dataclass(frozen=True, slots=True)
class UploadDoor:
    """Where a file is to be sent, and how long the camera wants to prepare for it."""

    uri: str
    delay_s: float


def decode_upload_door(reply: Any) -> UploadDoor:  # noqa: ANN401
    """StartFirmwareUpgrade and StartSystemRestore (which names no delay)."""
    uri, delay = _text(reply, "UploadUri", most=MOST_URL), _value(reply, "UploadDelay")
    if uri is None or not isinstance(delay, timedelta | None):
        raise Garbled("it names no upload address, or a delay that is none")
    return UploadDoor(uri, delay.total_seconds() if delay else 0.0)


def decode_backup_uri(reply: Any) -> str:  # noqa: ANN401
    """GetSystemUris."""
    uri = _text(reply, "SystemBackupUri", most=MOST_URL)
    if uri is None:
        raise Unsupported("GetSystemUris: it names no backup")
    return uri


def decode_uri(reply: Any) -> str | None:  # noqa: ANN401
    """GetStreamUri and GetSnapshotUri: Media wraps the address, Media2 gives it bare. User info is taken out."""
    uri = reply if isinstance(reply, str) else _value(reply, "Uri")
    return without_secrets(clean_text(uri, MOST_URL)) if isinstance(uri, str) and uri.strip() else None


def normal_mac(text: str | None) -> str | None:
    """Six octets in lower case with colons, whatever separators the camera uses; `None` for anything else."""
    digits = "".join(c for c in (text or "").lower() if c not in ":-. ")
    if len(digits) != 12 or any(c not in "0123456789abcdef" for c in digits) or digits == "0" * 12:  # noqa: PLR2004
        return None
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


# --- reading loosely typed values ------------------------------------------------------------------------------------


def _refuse_empty(reply: Any, operation: str) -> None:  # noqa: ANN401
    # onvif_simple_server answers what it lacks with an empty response element.
    if reply is None:
        raise Unsupported(f"{operation}: answered with an empty element")


def _value(thing: Any, *path: str) -> Any:  # noqa: ANN401
    for name in path:
        thing = getattr(thing, name, None)
    return thing


def _text(thing: Any, *path: str, most: int = 200) -> str | None:  # noqa: ANN401
    value = _value(thing, *path)
    return clean_text(str(value), most) or None if value is not None else None


def _bool(thing: Any, name: str) -> bool | None:  # noqa: ANN401
    value = _value(thing, name)
    return value if isinstance(value, bool) else None


def _int(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None


def _float(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


def _is_port(value: object) -> bool:
    return isinstance(value, int) and 0 < value < 65536  # noqa: PLR2004


def _entries(value: Any) -> Sequence[Any]:  # noqa: ANN401
    if value is None:
        return ()
    return value[:MOST_ENTRIES] if isinstance(value, list) else (value,)


def _version(value: Any) -> str | None:  # noqa: ANN401
    major, minor = _value(value, "Major"), _value(value, "Minor")
    return f"{major}.{minor:02d}" if isinstance(major, int) and isinstance(minor, int) else None


def _local(element: etree._Element, name: str) -> Iterator[etree._Element]:
    return (node for node in element.iter("{*}" + name))


def _local_text(element: etree._Element | None, name: str) -> str | None:
    node = next(_local(element, name), None) if element is not None else None
    return clean_text(node.text) if node is not None and node.text else None

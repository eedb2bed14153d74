"""The evidence of one visit to one camera."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from types import MappingProxyType, UnionType
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter

from cameras.facts import (
    Accounts,
    AnonymousOnvif,
    AnonymousPictures,
    AnonymousStreams,
    AnonymousViewer,
    Apps,
    Banners,
    Clock,
    ClockSource,
    CredentialTrials,
    DiscoveryMode,
    FirmwareState,
    Gap,
    Hostname,
    Identity,
    Lockout,
    LoginPages,
    NetworkInterfaces,
    NetworkServices,
    OpenPorts,
    Scopes,
    Services,
    SetupState,
    SnmpAnswer,
    StreamProfiles,
    Switches,
    SyslogTarget,
    TlsPostures,
    UnsignedApps,
)

# Questions that came after dossiers were first kept.
LATER = ("switches", "lockout", "anonymous_viewer", "syslog_target", "firmware_state", "apps", "unsigned_apps", "snmp")
NOT_KNOWN = Gap("not-asked", "the version that made this visit did not ask")


@dataclass(frozen=True, slots=True)
class Dossier:
    """Everything one visit learned. Each question has a fact or a `Gap`; nothing is left out.

    `collected_at` is ISO 8601 in UTC. `login` says as whom we asked: "" for nobody, else the account's name.
    `quirks` names the workarounds that were needed (ids of `docs/quirks.md`).
    """

    address: str
    port: int
    scheme: str
    collected_at: str
    login: str
    quirks: tuple[str, ...]
    identity: Identity | Gap
    accounts: Accounts | Gap
    services: Services | Gap
    scopes: Scopes | Gap
    network_services: NetworkServices | Gap
    network_interfaces: NetworkInterfaces | Gap
    hostname: Hostname | Gap
    clock: Clock | Gap
    clock_source: ClockSource | Gap
    discovery_mode: DiscoveryMode | Gap
    stream_profiles: StreamProfiles | Gap
    switches: Switches | Gap
    lockout: Lockout | Gap
    anonymous_viewer: AnonymousViewer | Gap
    syslog_target: SyslogTarget | Gap
    firmware_state: FirmwareState | Gap
    apps: Apps | Gap
    unsigned_apps: UnsignedApps | Gap
    snmp: SnmpAnswer | Gap
    open_ports: OpenPorts | Gap
    banners: Banners | Gap
    login_pages: LoginPages | Gap
    tls_postures: TlsPostures | Gap
    anonymous_onvif: AnonymousOnvif | Gap
    anonymous_pictures: AnonymousPictures | Gap
    anonymous_streams: AnonymousStreams | Gap
    setup_state: SetupState | Gap
    credential_trials: CredentialTrials | Gap

    def answer(self, fact: type) -> object:
        """The fact of that type, or the `Gap` in its place. KeyError where a dossier never holds such a fact."""
        return getattr(self, _field_by_fact()[fact])


@cache
def _field_by_fact() -> Mapping[type, str]:
    hints = get_type_hints(Dossier)
    return MappingProxyType(
        {get_args(hints[f.name])[0]: f.name for f in fields(Dossier) if isinstance(hints[f.name], UnionType)}
    )


@cache
def _adapter() -> TypeAdapter[Dossier]:
    return TypeAdapter(Dossier)


def dump(dossier: Dossier) -> dict[str, Any]:
    """As JSON-ready values."""
    values: dict[str, Any] = _adapter().dump_python(dossier, mode="json")
    return values


def load(values: Any) -> Dossier:  # noqa: ANN401 - decoded JSON enters here
    """The inverse of `dump`. Raises ValueError (pydantic's) for anything that no `dump` ever wrote.

    A question that an earlier version did not know was not asked.
    """
    if isinstance(values, dict):
        values = {**dict.fromkeys(LATER, NOT_KNOWN), **values}
    return _adapter().validate_python(values)

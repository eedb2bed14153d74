"""The dossier of a camera with nothing wrong; each test changes what it is about."""

from datetime import date

from cameras.facts import (
    Account,
    Accounts,
    AnonymousOnvif,
    AnonymousPicture,
    AnonymousPictures,
    AnonymousStream,
    AnonymousStreams,
    AnonymousViewer,
    Apps,
    Banner,
    Banners,
    Clock,
    ClockSource,
    CredentialTrial,
    CredentialTrials,
    DiscoveryMode,
    FirmwareState,
    Hostname,
    Identity,
    Lockout,
    LoginPage,
    LoginPages,
    NetworkInterfaces,
    NetworkService,
    NetworkServices,
    OpenPorts,
    Scopes,
    Services,
    SetupSignal,
    SetupState,
    SnmpAnswer,
    StreamProfiles,
    Switch,
    Switches,
    SyslogTarget,
    TlsPosture,
    TlsPostures,
    UnsignedApps,
)
from scanners.dossier import Dossier
from scanners.knowledge import load_knowledge
from scanners.model import Judgement

KNOWLEDGE = load_knowledge()
VISIT = KNOWLEDGE.for_visit(date(2026, 12, 1), 80)

IDENTITY = Identity("AXIS", "P3265-V", "12.11.77", "B8A44F000001", "931.1", "b8:a4:4f:00:00:01", "onvif")
CLOCK = Clock("ntp", "2026-12-01T08:00:00Z", 0.4, 1.1, "UTC")
PORTS = OpenPorts(open=(80, 443, 554), closed=(21, 22, 23, 2121, 2323), silent=(8000,))
SERVICES = NetworkServices(
    (
        NetworkService("HTTP", enabled=True, ports=(80,)),
        NetworkService("HTTPS", enabled=True, ports=(443,)),
        NetworkService("RTSP", enabled=True, ports=(554,)),
    )
)
PLAIN = LoginPage("http://192.0.2.5/", 80, tls=False, status=301, schemes=None, redirects_to="https", server=None)
INSIDE_TLS = LoginPage(
    "https://192.0.2.5/", 443, tls=True, status=401, schemes=("digest",), redirects_to=None, server="x"
)
CERTIFICATE = TlsPosture(
    port=443,
    protocol="TLSv1.3",
    cipher="TLS_AES_128_GCM_SHA256",
    subject="CN=camera-5.example",
    issuer="CN=Estate CA",
    names=("camera-5.example",),
    not_before="2026-01-01T00:00:00Z",
    not_after="2027-12-01T08:00:00Z",
    self_signed=False,
    key_type="RSA",
    key_bits=2048,
    signature_hash="sha256",
    fingerprint="00" * 32,
)

DOSSIER = Dossier(
    address="192.0.2.5",
    port=80,
    scheme="http",
    collected_at="2026-12-01T08:00:00+00:00",
    login="camwarden",
    quirks=(),
    identity=IDENTITY,
    accounts=Accounts((Account("camwarden", "Administrator"), Account("recorder", "User"))),
    services=Services(()),
    scopes=Scopes(()),
    network_services=SERVICES,
    network_interfaces=NetworkInterfaces(()),
    hostname=Hostname("camera-5", from_dhcp=False),
    clock=CLOCK,
    clock_source=ClockSource(from_dhcp=False, servers=("192.0.2.1",)),
    discovery_mode=DiscoveryMode(discoverable=False),
    stream_profiles=StreamProfiles("media", ()),
    switches=Switches((Switch("snmp-v1-v2c", on=False), Switch("ssh", on=False))),
    lockout=Lockout(enabled=True, tries=5, lock_s=1800.0),
    anonymous_viewer=AnonymousViewer(allowed=False),
    syslog_target=SyslogTarget(enabled=True, server="192.0.2.2", port=514, protocol="udp"),
    firmware_state=FirmwareState(version=None, committed=True, previous=None, rollback_in_s=None, boot_id=None),
    apps=Apps(()),
    unsigned_apps=UnsignedApps(allowed=False),
    snmp=SnmpAnswer(None, None, None),
    open_ports=PORTS,
    banners=Banners(()),
    login_pages=LoginPages((PLAIN, INSIDE_TLS)),
    tls_postures=TlsPostures("2026-12-01T08:00:00+00:00", (CERTIFICATE,)),
    anonymous_onvif=AnonymousOnvif(answered=(), refused=("GetUsers",)),
    anonymous_pictures=AnonymousPictures((AnonymousPicture("http://192.0.2.5/snap", 401, picture=False),)),
    anonymous_streams=AnonymousStreams((AnonymousStream("rtsp://192.0.2.5/live", 401, described=False),)),
    setup_state=SetupState((SetupSignal("profile-q-scope", factory_default=False),)),
    credential_trials=CredentialTrials("axis", "refused", "", (CredentialTrial("axis-root", "root", "refused", ""),)),
)


def banner(port: int, protocol: str | None, text: str = "") -> Banner:
    return Banner(port, protocol, text)  # type: ignore[arg-type] # a row gives any word


def said(judgements: object) -> dict[str, str]:
    """Subject and outcome of each judgement."""
    assert isinstance(judgements, list | tuple)
    assert all(isinstance(judgement, Judgement) for judgement in judgements)
    return {judgement.subject: str(judgement.outcome) for judgement in judgements}

"""A small estate as it might have been visited: evidence of cameras, good and bad, one of them hostile."""

from dataclasses import dataclass, replace

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
    Gap,
    Hostname,
    Identity,
    Lockout,
    LoginPage,
    LoginPages,
    NetworkInterface,
    NetworkInterfaces,
    NetworkService,
    NetworkServices,
    OpenPorts,
    Scopes,
    Service,
    Services,
    SetupSignal,
    SetupState,
    SnmpAnswer,
    StreamProfile,
    StreamProfiles,
    Switch,
    Switches,
    SyslogTarget,
    TlsPosture,
    TlsPostures,
    UnsignedApps,
)
from scanners.dossier import Dossier

HOSTILE = '<img src=x onerror="alert(1)">\x1b[31m{{ 7*7 }}\u202egpj.exe'
FORMULA = '=HYPERLINK("http://evil.example","x")'


@dataclass(frozen=True, slots=True)
class Model:
    """What differs between the families of the sample; `vendor` is the id of the default-credential table."""

    manufacturer: str
    model: str
    firmware: str
    driver: str
    vendor: str


AXIS = Model("AXIS", "P3265-V", "12.11.77", "axis", "axis")
HIKVISION = Model("HIKVISION", "DS-2CD2143G2-I", "V5.5.80 build 180911", "hikvision", "hikvision")
DAHUA = Model("Dahua", "IPC-HFW5442E-ZE", "2.840.0000000.18.R, Build Date 2023-06-06", "dahua", "dahua")
HANWHA = Model("Hanwha Vision", "QNO-6082R", "1.41.18_20231115_R455", "hanwha", "hanwha")


def healthy(number: int, model: Model) -> Dossier:
    """A camera in which every check can see what it wants to see."""
    address = f"10.20.1.{number}"
    mac = f"00:40:8c:1a:2b:{number:02x}"
    ports = (80, 443, 554)
    return Dossier(
        address=address,
        port=80,
        scheme="http",
        collected_at="2025-11-20T08:15:00+00:00",
        login="camwarden",
        quirks=(),
        identity=Identity(model.manufacturer, model.model, model.firmware, f"SN{number:06d}", "7D6", mac, model.driver),
        accounts=Accounts((Account("camwarden", "Administrator"), Account("recorder", "User"))),
        services=Services(
            (Service("http://www.onvif.org/ver10/device/wsdl", f"http://{address}/onvif/device", "2.6"),)
        ),
        scopes=Scopes(("onvif://www.onvif.org/Profile/Streaming", f"onvif://www.onvif.org/name/{model.model}")),
        network_services=NetworkServices(
            (
                NetworkService("HTTP", True, (80,)),
                NetworkService("HTTPS", True, (443,)),
                NetworkService("RTSP", True, (554,)),
            )
        ),
        network_interfaces=NetworkInterfaces((NetworkInterface("eth0", mac, (address,), False),)),
        hostname=Hostname(f"cam-{number}", False),
        clock=Clock("ntp", "2025-11-20T08:15:00Z", 0.2, 1.01, "UTC"),
        clock_source=ClockSource(False, ("10.20.0.1",)),
        discovery_mode=DiscoveryMode(discoverable=False),
        stream_profiles=StreamProfiles(
            "media2",
            (
                StreamProfile(
                    "p1", "main", "H265", 2688, 1520, 25.0, f"rtsp://{address}/live", f"http://{address}/snap"
                ),
            ),
        ),
        switches=Switches((Switch("snmp-v1-v2c", on=False), Switch("ssh", on=False))),
        lockout=Lockout(enabled=True, tries=5, lock_s=1800.0),
        anonymous_viewer=AnonymousViewer(allowed=False),
        syslog_target=SyslogTarget(enabled=True, server="192.0.2.2", port=514, protocol="udp"),
        firmware_state=FirmwareState(version=None, committed=True, previous=None, rollback_in_s=None, boot_id=None),
        apps=Apps(()),
        snmp=SnmpAnswer(None, None, None),
        open_ports=OpenPorts(ports, (21, 22, 23, 8000), ()),
        banners=Banners(()),
        login_pages=LoginPages(
            (
                LoginPage(f"http://{address}/", 80, False, 301, None, "https", None),
                LoginPage(f"https://{address}/", 443, True, 401, ("digest",), None, "httpd"),
            )
        ),
        tls_postures=TlsPostures("2025-11-20T08:15:00+00:00", (certificate(address),)),
        unsigned_apps=UnsignedApps(allowed=False),
        anonymous_onvif=AnonymousOnvif((), ("GetUsers", "GetNetworkProtocols")),
        anonymous_pictures=AnonymousPictures((AnonymousPicture(f"http://{address}/snap", 401, False),)),
        anonymous_streams=AnonymousStreams((AnonymousStream(f"rtsp://{address}/live", 401, False),)),
        setup_state=SetupState((SetupSignal("profile-q-scope", False),)),
        credential_trials=CredentialTrials(
            model.vendor, "refused", "", (CredentialTrial(f"{model.vendor}-1", "admin", "refused", ""),)
        ),
    )


def certificate(address: str) -> TlsPosture:
    return TlsPosture(
        port=443,
        protocol="TLSv1.3",
        cipher="TLS_AES_256_GCM_SHA384",
        subject=f"CN={address}",
        issuer="CN=Estate CA",
        names=(address,),
        not_before="2025-06-01T00:00:00+00:00",
        not_after="2027-06-01T00:00:00+00:00",
        self_signed=False,
        key_type="EC",
        key_bits=256,
        signature_hash="sha256",
        fingerprint="ab" * 32,
    )


def neglected(number: int, model: Model) -> Dossier:
    """Delivered, plugged in, forgotten."""
    good = healthy(number, model)
    old = replace(
        certificate(good.address), self_signed=True, not_after="2024-01-01T00:00:00+00:00", issuer=f"CN={good.address}"
    )
    return replace(
        good,
        accounts=Accounts(
            tuple(Account(name, "Administrator") for name in ("admin", "camwarden", "installer", "support"))
        ),
        clock=Clock("manual", "2025-11-20T05:55:12Z", -8388.0, 1.02, "CST-8"),
        clock_source=ClockSource(False, ()),
        discovery_mode=DiscoveryMode(discoverable=True),
        open_ports=OpenPorts((23, 80, 443, 554, 8000, 34567), (21, 22), ()),
        banners=Banners((Banner(23, "telnet", "login: "), Banner(34567, None, ""))),
        login_pages=LoginPages(
            (LoginPage(f"http://{good.address}/", 80, False, 401, ("basic", "digest"), None, "GoAhead"),)
        ),
        tls_postures=TlsPostures("2025-11-20T08:15:00+00:00", (old,)),
        anonymous_onvif=AnonymousOnvif(("GetUsers",), ("GetNetworkProtocols",)),
        anonymous_pictures=AnonymousPictures((AnonymousPicture(f"http://{good.address}/snap", 200, True),)),
        anonymous_streams=AnonymousStreams((AnonymousStream(f"rtsp://{good.address}/live", 200, True),)),
        credential_trials=CredentialTrials(
            model.vendor, "refused", "", (CredentialTrial(f"{model.vendor}-1", "admin", "accepted", ""),)
        ),
    )


def silent(number: int, model: Model) -> Dossier:
    """A camera whose password we do not have: little is known, and that is said."""
    wanted = Gap("unauthorized", "GetUsers wants other credentials")
    return replace(
        healthy(number, model),
        login="",
        accounts=wanted,
        clock_source=wanted,
        discovery_mode=wanted,
        network_services=wanted,
        stream_profiles=wanted,
        anonymous_pictures=Gap("not-asked", "no snapshot address is known"),
        anonymous_streams=Gap("not-asked", "no stream address is known"),
        credential_trials=Gap("not-asked", "the test was switched off"),
        setup_state=SetupState(()),
    )


def hostile(number: int) -> Dossier:
    """A camera that tries its luck with whoever shows its name."""
    bad = Model(HOSTILE, FORMULA, HOSTILE, "onvif", "none")
    plain = healthy(number, bad)
    return replace(
        neglected(number, bad),
        hostname=Hostname(HOSTILE, False),
        accounts=Accounts(
            (Account(HOSTILE, "Administrator"), Account("a", "Administrator"), Account("b", "Administrator"))
        ),
        identity=Identity(HOSTILE, FORMULA, HOSTILE, f"SN{number}", None, None, "onvif"),
        scopes=Scopes((HOSTILE,)),
        credential_trials=replace(answered(plain.credential_trials), vendor=None, trials=()),
    )


def answered(trials: CredentialTrials | Gap) -> CredentialTrials:
    assert isinstance(trials, CredentialTrials)
    return trials


def estate() -> tuple[Dossier, ...]:
    """Twelve cameras: four forgotten, one of them hostile, two half-cared-for, two closed to us, four good."""
    fair = healthy(30, DAHUA)
    return (
        neglected(10, HIKVISION),
        neglected(11, HIKVISION),
        neglected(12, DAHUA),
        hostile(13),
        replace(fair, discovery_mode=DiscoveryMode(discoverable=True), clock_source=ClockSource(False, ())),
        replace(healthy(31, HANWHA), open_ports=OpenPorts((80, 443, 554, 8000), (23,), ())),
        silent(40, HANWHA),
        silent(41, AXIS),
        healthy(50, AXIS),
        healthy(51, AXIS),
        healthy(52, HANWHA),
        healthy(53, DAHUA),
    )

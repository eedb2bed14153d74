# ruff: noqa: E501 - replies stand as they came, on one line
"""What ONVIF has beyond the basics: files inside messages, certificates, the address filter, the log, applications."""

import base64
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from cameras import onvif_security, soap
from cameras.certificates import chain_of
from cameras.drivers.onvif import OnvifDriver
from cameras.errors import DeviceError, Garbled, Refused, Unreachable, Unsupported
from cameras.facts import App, Apps, Certificate, Certificates, DeviceLog, IpFilter
from tests.cameras.saying import http, saying
from tests.cameras.saying_soap import session_to, soap_reply, to

Ask = Callable[[OnvifDriver], Awaitable[object]]
START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
AUTHORITY, CAMERA = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())


def certificate(name: str, issuer: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey) -> bytes:
    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    builder = x509.CertificateBuilder(named(issuer), named(name), key.public_key(), 7, START, END)
    return builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.DER)


OURS, OF_CA = (
    certificate("cam-7", "Estate CA", CAMERA, AUTHORITY),
    certificate("Estate CA", "Estate CA", AUTHORITY, AUTHORITY),
)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def abilities(**system: str) -> bytes:
    words = " ".join(f'{name}="{value}"' for name, value in system.items())
    return soap_reply(
        f"<tds:GetServiceCapabilitiesResponse><tds:Capabilities><tds:Network/><tds:Security/><tds:System {words}/></tds:Capabilities></tds:GetServiceCapabilitiesResponse>"
    )


def services(*namespaces: str) -> bytes:
    rows = "".join(
        f"<tds:Service><tds:Namespace>{n}</tds:Namespace><tds:XAddr>http://10.9.9.9/onvif/{place}</tds:XAddr><tds:Version><tt:Major>2</tt:Major><tt:Minor>0</tt:Minor></tds:Version></tds:Service>"
        for place, n in enumerate(namespaces)
    )
    return soap_reply(f"<tds:GetServicesResponse>{rows}</tds:GetServicesResponse>")


def by_keystore(operation: str, inside: str = "") -> bytes:
    return soap_reply(f'<k:{operation}Response xmlns:k="{soap.SECURITY}">{inside}</k:{operation}Response>')


def about_apps(operation: str, inside: str = "") -> bytes:
    return soap_reply(f'<a:{operation}Response xmlns:a="{soap.APPS}">{inside}</a:{operation}Response>')


KEYSTORE = services(soap.DEVICE, soap.SECURITY)
APPS = services(soap.DEVICE, soap.APPS)
OUR_CERTIFICATE = Certificate("c1", "CN=cam-7", "CN=Estate CA", "2030-01-01T00:00:00+00:00", True)

ANSWERS: dict[str, tuple[Ask, tuple[bytes, ...], object]] = {
    "certificates of a keystore, the one that serves among them": (
        lambda d: d.certificates(),
        (
            KEYSTORE,
            by_keystore(
                "GetAllCertificates",
                f"<k:Certificate><k:CertificateID>c1</k:CertificateID><k:KeyID>k1</k:KeyID><k:CertificateContent>{b64(OURS)}</k:CertificateContent></k:Certificate>"
                f"<k:Certificate><k:CertificateID>c2</k:CertificateID><k:KeyID>k2</k:KeyID><k:CertificateContent>AAAA</k:CertificateContent></k:Certificate>",
            ),
            by_keystore("GetAssignedServerCertificates", "<k:CertificationPathID>p1</k:CertificationPathID>"),
            by_keystore(
                "GetCertificationPath",
                "<k:CertificationPath><k:CertificateID>c1</k:CertificateID><k:CertificateID>c9</k:CertificateID></k:CertificationPath>",
            ),
        ),
        Certificates((OUR_CERTIFICATE, Certificate("c2", None, None, None, False))),
    ),
    "certificates of the device service": (
        lambda d: d.certificates(),
        (
            services(soap.DEVICE),
            soap_reply(
                f"<tds:GetCertificatesResponse><tds:NvtCertificate><tt:CertificateID>c1</tt:CertificateID><tt:Certificate><tt:Data>{b64(OURS)}</tt:Data></tt:Certificate></tds:NvtCertificate></tds:GetCertificatesResponse>"
            ),
            soap_reply(
                "<tds:GetCertificatesStatusResponse><tds:CertificateStatus><tt:CertificateID>c1</tt:CertificateID><tt:Status>true</tt:Status></tds:CertificateStatus></tds:GetCertificatesStatusResponse>"
            ),
        ),
        Certificates((OUR_CERTIFICATE,)),
    ),
    "only these addresses": (
        lambda d: d.ip_filter(),
        (
            soap_reply(
                "<tds:GetIPAddressFilterResponse><tds:IPAddressFilter><tt:Type>Allow</tt:Type><tt:IPv4Address><tt:Address>10.0.0.0</tt:Address><tt:PrefixLength>24</tt:PrefixLength></tt:IPv4Address><tt:IPv6Address><tt:Address>fd00::1</tt:Address><tt:PrefixLength>128</tt:PrefixLength></tt:IPv6Address></tds:IPAddressFilter></tds:GetIPAddressFilterResponse>"
            ),
        ),
        IpFilter("allow", ("10.0.0.0/24", "fd00::1/128")),
    ),
    "a filter without addresses": (
        lambda d: d.ip_filter(),
        (
            soap_reply(
                "<tds:GetIPAddressFilterResponse><tds:IPAddressFilter><tt:Type>Deny</tt:Type></tds:IPAddressFilter></tds:GetIPAddressFilterResponse>"
            ),
        ),
        IpFilter("off", ()),
    ),
    "the end of its log": (
        lambda d: d.log(),
        (
            soap_reply(
                "<tds:GetSystemLogResponse><tds:SystemLog><tt:String>one\n\ntwo \x9b 2J\n</tt:String></tds:SystemLog></tds:GetSystemLogResponse>"
            ),
        ),
        DeviceLog(("one", "two � 2J")),
    ),
    "applications, with and without namespaces": (
        lambda d: d.apps(),
        (
            APPS,
            about_apps(
                "GetAppsInfo",
                "<Info><AppID>vmd</AppID><Name>Motion</Name><Version>4.4</Version><State>Active</State></Info>"
                "<a:Info><a:AppID>old</a:AppID><a:State>Inactive</a:State></a:Info>"
                "<Info><AppID>gone</AppID><State>Removed</State></Info>",
            ),
        ),
        Apps((App("vmd", "Motion", "4.4", True), App("old", None, None, False))),
    ),
    "no applications": (lambda d: d.apps(), (APPS, about_apps("GetAppsInfo")), Apps(())),
}


@pytest.mark.parametrize("dribble", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(("ask", "replies", "expected"), ANSWERS.values(), ids=ANSWERS)
async def test_reads(ask: Ask, replies: tuple[bytes, ...], expected: object, dribble: bool) -> None:
    async with saying(*replies, dribble=dribble) as camera, to(camera) as device:
        assert await ask(OnvifDriver(session_to(camera, device))) == expected


def multipart(*parts: tuple[str, bytes], boundary: str = "b!1", end: bytes = b"--", start: str = "") -> bytes:
    body = b"".join(
        f"\r\n--{boundary}\r\nContent-Type: x/y\r\nContent-ID: <{name}>\r\n\r\n".encode() + data for name, data in parts
    )
    kind = f'Content-Type: multipart/related; boundary="{boundary}"; type="application/xop+xml"{start}'
    return http(body.removeprefix(b"\r\n") + f"\r\n--{boundary}".encode() + end + b"\r\n", "200 OK", kind)


def backed_up(*files: tuple[str, str]) -> bytes:
    rows = "".join(
        f'<tds:BackupFiles><tt:Name>{name}</tt:Name><tt:Data><x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="{href}"/></tt:Data></tds:BackupFiles>'
        for name, href in files
    )
    whole = soap_reply(f"<tds:GetSystemBackupResponse>{rows}</tds:GetSystemBackupResponse>")
    return whole.partition(b"\r\n\r\n")[2]


BY_MESSAGE = abilities(SystemBackup="true", FirmwareUpgrade="true", HttpSystemBackup="false")
TWO = backed_up(("main.cfg", "cid:a%401"), ("net.cfg", "cid:b"))
RAW = b"\x00\r\n--b!\r\n\xff"
RESTORED = soap_reply("<tds:RestoreSystemResponse/>")


async def test_files_that_came_inside_a_message_go_back_inside_one() -> None:
    reply = multipart(("e", TWO), ("a@1", RAW), ("b", b"net"))
    async with saying(BY_MESSAGE, reply) as camera, to(camera) as device:
        kept = await OnvifDriver(session_to(camera, device)).backup()
    async with saying(BY_MESSAGE, RESTORED) as camera, to(camera) as device:
        await OnvifDriver(session_to(camera, device)).restore(kept)
    _, first, second = camera.heard
    assert b"main.cfg" in first
    assert RAW in first
    assert b"net.cfg" in second
    assert b"cid:file@camwarden" in second
    assert b"\r\nContent-ID: <file@camwarden>\r\n\r\nnet\r\n--camwarden-" in second


BROKEN_BACKUPS: dict[str, tuple[bytes, type[DeviceError]]] = {
    "cut short": (multipart(("e", TWO), ("a@1", b"x"), end=b""), Garbled),
    "no boundary": (http(b"x", "200 OK", "Content-Type: multipart/related"), Garbled),
    "too many parts": (multipart(("e", TWO), *((str(n), b"") for n in range(40))), Garbled),
    "names no file that came": (multipart(("e", TWO), ("z", b"x")), Garbled),
    "a file without a header": (
        http(b"--b\r\nx\r\n--b--", "200 OK", "Content-Type: multipart/related; boundary=b"),
        Garbled,
    ),
    "no file at all": (soap_reply("<tds:GetSystemBackupResponse/>"), Garbled),
    "it hangs up": (b"", Unreachable),
}


@pytest.mark.parametrize(("reply", "error"), BROKEN_BACKUPS.values(), ids=BROKEN_BACKUPS)
async def test_a_backup_that_came_broken_is_none(reply: bytes, error: type[DeviceError]) -> None:
    async with saying(BY_MESSAGE, reply) as camera, to(camera) as device:
        with pytest.raises(error):
            await OnvifDriver(session_to(camera, device)).backup()


async def test_a_file_that_is_no_backup_of_ours_is_not_sent() -> None:
    async with saying(BY_MESSAGE) as camera, to(camera) as device:
        with pytest.raises(Refused):
            await OnvifDriver(session_to(camera, device)).restore(b"PK\x03\x04 something else")
        assert len(camera.heard) == 1


async def test_an_image_travels_inside_the_message_where_there_is_no_address_for_it(tmp_path: Path) -> None:
    image = tmp_path / "image.bin"
    image.write_bytes(RAW * 100_000)
    done = soap_reply(
        "<tds:UpgradeSystemFirmwareResponse><tds:Message>ok</tds:Message></tds:UpgradeSystemFirmwareResponse>"
    )
    async with saying(BY_MESSAGE, done) as camera, to(camera) as device:
        await OnvifDriver(session_to(camera, device)).upload_firmware(image, rollback_after_s=None)
    sent = camera.heard[1]
    assert RAW * 100_000 in sent
    assert b'type="application/xop+xml"; start="<envelope@camwarden>"; start-info="application/soap+xml"' in sent


@pytest.mark.parametrize("which", ["firmware", "backup", "restore"])
async def test_a_camera_that_announces_neither_way_is_sent_nothing(which: str, tmp_path: Path) -> None:
    image = tmp_path / "image.bin"
    image.write_bytes(b"x")
    async with saying(abilities()) as camera, to(camera) as device:
        driver = OnvifDriver(session_to(camera, device))
        asked = {
            "firmware": driver.upload_firmware(image, rollback_after_s=None),
            "backup": driver.backup(),
            "restore": driver.restore(b"x"),
        }
        for name, other in asked.items():
            if name != which:
                other.close()
        with pytest.raises(Unsupported):
            await asked[which]
        assert len(camera.heard) == 1


def request_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "cam-7")])
    return x509.CertificateSigningRequestBuilder(name).sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


MADE = by_keystore("CreateRSAKeyPair", "<k:KeyID>k7</k:KeyID><k:EstimatedCreationTime>PT1S</k:EstimatedCreationTime>")


def status(word: str) -> bytes:
    return by_keystore("GetKeyStatus", f"<k:KeyStatus>{word}</k:KeyStatus>")


def signed(der: bytes) -> bytes:
    return by_keystore("CreatePKCS10CSR", f"<k:PKCS10CSR>{b64(der)}</k:PKCS10CSR>")


async def test_a_key_is_made_on_the_camera_and_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onvif_security, "KEY_POLL_S", 0.01)
    replies = KEYSTORE, MADE, status("generating"), status("ok"), signed(request_of(CAMERA))
    async with saying(*replies) as camera, to(camera) as device:
        pem = await OnvifDriver(session_to(camera, device)).request_certificate("cam-7")
    assert x509.load_pem_x509_csr(pem.encode()).is_signature_valid
    assert b">k7<" in camera.heard[-1]


BAD_KEYS: dict[str, tuple[bytes, ...]] = {
    "it cannot make one": (KEYSTORE, MADE, status("corrupt")),
    "a request that is none": (KEYSTORE, MADE, status("ok"), signed(b"nothing of the kind")),
    "a request signed by nobody": (KEYSTORE, MADE, status("ok"), signed(request_of(CAMERA)[:-1] + b"\x00")),
}


@pytest.mark.parametrize("replies", BAD_KEYS.values(), ids=BAD_KEYS)
async def test_a_request_that_cannot_be_trusted_is_refused(replies: tuple[bytes, ...]) -> None:
    async with saying(*replies) as camera, to(camera) as device:
        with pytest.raises(Refused):
            await OnvifDriver(session_to(camera, device)).request_certificate("cam-7")


def pem(*ders: bytes) -> str:
    return "".join(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM).decode() for der in ders)


UPLOADED = by_keystore("UploadCertificate", "<k:CertificateID>c7</k:CertificateID><k:KeyID>k7</k:KeyID>")
PATH = by_keystore("CreateCertificationPath", "<k:CertificationPathID>p7</k:CertificationPathID>")


@pytest.mark.parametrize(
    "assigned", ["", "<k:CertificationPathID>p1</k:CertificationPathID>"], ids=["none before", "one before"]
)
async def test_a_certificate_takes_the_place_of_the_one_that_serves(assigned: str) -> None:
    last = "ReplaceServerCertificateAssignment" if assigned else "AddServerCertificateAssignment"
    replies = (
        KEYSTORE,
        UPLOADED,
        UPLOADED,
        PATH,
        by_keystore("GetAssignedServerCertificates", assigned),
        by_keystore(last),
    )
    async with saying(*replies) as camera, to(camera) as device:
        await OnvifDriver(session_to(camera, device)).install_certificate(pem(OURS, OF_CA))
    assert last.encode() in camera.heard[-1]
    assert b">p7<" in camera.heard[-1]
    assert (b">p1<" in camera.heard[-1]) is bool(assigned)


@pytest.mark.parametrize(
    "text", ["", "no PEM", pem(OF_CA, OURS), pem(OURS) * 9], ids=["nothing", "no PEM", "upside down", "too long"]
)
def test_a_chain_that_is_none_is_refused_before_anything_is_sent(text: str) -> None:
    with pytest.raises(Refused):
        chain_of(text)


async def test_an_app_goes_where_the_service_says_at_our_own_address(tmp_path: Path) -> None:
    package = tmp_path / "counter.app"
    package.write_bytes(b"the app")
    said = about_apps(
        "GetServiceCapabilities", '<a:Capabilities UploadPath="/apps/in" FormatsSupported="application/x-app text/x"/>'
    )
    async with saying(APPS, said, http()) as camera, to(camera) as device:
        await OnvifDriver(session_to(camera, device)).upload_app(package, "counter")
    head, _, body = camera.heard[-1].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /apps/in HTTP/1.1\r\nHost: 127.0.0.1")
    assert b"Content-Type: application/x-app" in head
    assert body == b"the app"


NO_PLACES = {
    "no path": "<a:Capabilities/>",
    "another host": '<a:Capabilities UploadPath="http://10.1.1.1/apps"/>',
    "nothing": "",
}


@pytest.mark.parametrize("said", NO_PLACES.values(), ids=NO_PLACES)
async def test_an_app_is_sent_nowhere_else(said: str, tmp_path: Path) -> None:
    package = tmp_path / "counter.app"
    package.write_bytes(b"the app")
    async with saying(APPS, about_apps("GetServiceCapabilities", said)) as camera, to(camera) as device:
        with pytest.raises(Unsupported):
            await OnvifDriver(session_to(camera, device)).upload_app(package, "counter")
        assert len(camera.heard) == 2


CONTROLS: dict[str, Ask] = {
    "Activate": lambda d: d.start_app("vmd"),
    "Deactivate": lambda d: d.stop_app("vmd"),
    "Uninstall": lambda d: d.remove_app("vmd"),
}


@pytest.mark.parametrize(("operation", "tell"), CONTROLS.items(), ids=CONTROLS)
async def test_an_app_is_told(operation: str, tell: Ask) -> None:
    async with saying(APPS, about_apps(operation)) as camera, to(camera) as device:
        await tell(OnvifDriver(session_to(camera, device)))
    assert b"<AppID>vmd</AppID>" in camera.heard[-1]


WITHOUT: dict[str, Ask] = {
    "applications": lambda d: d.apps(),
    "starting one": lambda d: d.start_app("vmd"),
    "a certificate": lambda d: d.request_certificate("cam-7"),
}


@pytest.mark.parametrize("ask", WITHOUT.values(), ids=WITHOUT)
async def test_a_service_that_is_not_announced_is_not_asked(ask: Ask) -> None:
    async with saying(services(soap.DEVICE)) as camera, to(camera) as device:
        with pytest.raises(Unsupported):
            await ask(OnvifDriver(session_to(camera, device)))
        assert len(camera.heard) == 1

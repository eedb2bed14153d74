"""ONVIF services beyond the device's basics: keystore and TLS server, applications, files inside messages, the log.

By the specifications of Advanced Security and Application Management, and Core for the rest. Each function reads the
message and the files beside it and returns the inside of the answer, with files of its own where it has some; or it
raises `Refusal`. Reading needs any login, changing an administrator.
"""

import base64
import binascii
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from types import MappingProxyType
from xml.sax.saxutils import escape, quoteattr

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from simulator import transfers
from simulator.device import Device
from simulator.firmware import BadFile, read_image, read_package
from simulator.onvif_writes import Part, Refusal
from simulator.plan import App, CameraPlan, Certificate

APP_UPLOAD_PATH = "/onvif/upload/app"
APP_FORMAT = "application/x-camwarden-app"
BACKUP_NAME = "settings.cfg"
MOST_APPS = 8

Files = Mapping[str, bytes]
Inside = str | tuple[str, Files]


@dataclass(frozen=True, slots=True)
class Operation:
    do: Callable[[Device, Part, Files], Inside]
    changes: bool = False


def has_messages(plan: CameraPlan) -> bool:
    """Whether files travel inside messages: firmware before HTTP transfers came into the specification."""
    return "mtom" in plan.quirks


def _need_messages(device: Device) -> None:
    if not has_messages(device.plan):
        raise Refusal("Receiver", ("ActionNotSupported",), "Optional Action Not Implemented")


def _file(files: Files) -> bytes:
    if len(files) != 1:
        raise Refusal("Sender", ("InvalidArgs",), "One attachment is expected")
    return next(iter(files.values()))


# --- files inside messages ---


def _upgrade(device: Device, _asked: Part, files: Files) -> Inside:
    _need_messages(device)
    try:
        image = read_image(_file(files))
    except BadFile:
        image = None
    if image is None or not image.fits(device.plan):
        raise Refusal("Sender", ("InvalidArgVal", "InvalidFirmware"), "The firmware was invalid, i.e. not supported")
    device.flash(image)
    return "<tds:Message>Rebooting</tds:Message>"


def _get_backup(device: Device, _asked: Part, _files: Files) -> Inside:
    _need_messages(device)
    include = '<x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="cid:settings@camera"/>'
    inside = f"<tt:Name>{BACKUP_NAME}</tt:Name><tt:Data>{include}</tt:Data>"
    return f"<tds:BackupFiles>{inside}</tds:BackupFiles>", {"settings@camera": transfers.backup(device)}


def _restore(device: Device, asked: Part, files: Files) -> Inside:
    _need_messages(device)
    named = asked.get("BackupFiles")
    taken = named is not None and named.said("Name") == BACKUP_NAME
    if not taken or transfers.restore(device, _file(files)) != HTTPStatus.OK:
        raise Refusal("Sender", ("InvalidArgVal", "InvalidBackupFile"), "The backup file(s) are invalid")
    return ""


def _log(device: Device, _asked: Part, _files: Files) -> Inside:
    lines = [f"kernel: boot {number}" for number in range(1, device.boots + 1)]
    lines += [f"upgrade: wrote {version}" for version in device.flashed]
    lines.append(f"webserver: {device.guard.granted} logins, {sum(device.guard.wrong_tries.values())} refused")
    return f"<tds:SystemLog><tt:String>{escape(chr(10).join(lines))}</tt:String></tds:SystemLog>"


# --- keystore and TLS server ---


def _all_certificates(device: Device, _asked: Part, _files: Files) -> Inside:
    store = device.keystore
    return "".join(
        f"<tas:Certificate><tas:CertificateID>{name}</tas:CertificateID>"
        f"<tas:KeyID>{store.key_of(one) or ''}</tas:KeyID><tas:CertificateContent>"
        f"{_base64(one.public_bytes(Encoding.DER))}</tas:CertificateContent></tas:Certificate>"
        for name, one in store.certificates.items()
    )


def _assigned(device: Device, _asked: Part, _files: Files) -> Inside:
    return f"<tas:CertificationPathID>{device.keystore.serving}</tas:CertificationPathID>"


def _path(device: Device, asked: Part, _files: Files) -> Inside:
    names = device.keystore.paths.get(asked.need("CertificationPathID"))
    if names is None:
        raise Refusal("Sender", ("InvalidArgVal", "CertificationPathID"), "No certification path under that ID")
    listed = "".join(f"<tas:CertificateID>{name}</tas:CertificateID>" for name in names)
    return f"<tas:CertificationPath>{listed}</tas:CertificationPath>"


def _make_key(device: Device, asked: Part, _files: Files) -> Inside:
    bits = asked.need("KeyLength")
    if bits not in ("2048", "3072", "4096"):
        raise Refusal("Sender", ("InvalidArgVal", "KeyLength"), "The key length is not supported")
    name = device.keystore.make_key(int(bits))
    return f"<tas:KeyID>{name}</tas:KeyID><tas:EstimatedCreationTime>PT1S</tas:EstimatedCreationTime>"


def _key_status(device: Device, asked: Part, _files: Files) -> Inside:
    name = asked.need("KeyID")
    if name not in device.keystore.keys:
        raise Refusal("Sender", ("InvalidArgVal", "KeyID"), "No key is stored under the requested KeyID")
    word = "ok" if device.keystore.keys[name] is not None else "generating"
    return f"<tas:KeyStatus>{word}</tas:KeyStatus>"


def _sign_request(device: Device, asked: Part, _files: Files) -> Inside:
    key = device.keystore.keys.get(asked.need("KeyID"))
    subject = asked.get("Subject")
    name = subject.said("CommonName") if subject is not None else None
    if not isinstance(key, rsa.RSAPrivateKey) or not name:
        raise Refusal("Sender", ("InvalidArgVal", "KeyID"), "No RSA key that is ready, or no subject")
    named = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder(named).sign(key, hashes.SHA256())
    return f"<tas:PKCS10CSR>{_base64(request.public_bytes(Encoding.DER))}</tas:PKCS10CSR>"


def _upload_certificate(device: Device, asked: Part, _files: Files) -> Inside:
    try:
        read = x509.load_der_x509_certificate(base64.b64decode(asked.need("Certificate")))
    except (ValueError, binascii.Error):
        raise Refusal("Sender", ("InvalidArgVal", "BadCertificate"), "The certificate cannot be read") from None
    key = device.keystore.key_of(read)
    if key is None and asked.said("PrivateKeyRequired") in ("true", "1"):
        raise Refusal("Sender", ("InvalidArgVal", "NoMatchingPrivateKey"), "No private key matches this certificate")
    name = device.keystore.add(read)
    return f"<tas:CertificateID>{name}</tas:CertificateID><tas:KeyID>{key or 'public-only'}</tas:KeyID>"


def _make_path(device: Device, asked: Part, _files: Files) -> Inside:
    ids = asked.get("CertificateIDs")
    names = tuple(part.text for part in ids.all("CertificateID")) if ids is not None else ()
    known = device.keystore.certificates
    if not names or any(name not in known for name in names):
        raise Refusal("Sender", ("InvalidArgVal", "CertificateID"), "No certificate is stored under that ID")
    for lower, upper in itertools.pairwise(names):
        if known[lower].issuer != known[upper].subject:
            raise Refusal("Sender", ("InvalidArgVal", "CertificationPath"), "The certificates form no path")
    return f"<tas:CertificationPathID>{device.keystore.add_path(names)}</tas:CertificationPathID>"


def _serve_with(device: Device, asked: Part, _files: Files) -> Inside:
    path = asked.said("NewCertificationPathID") or asked.said("CertificationPathID") or ""
    old = asked.said("OldCertificationPathID")
    store = device.keystore
    if old is not None and old != store.serving:
        raise Refusal("Sender", ("InvalidArgVal", "OldCertificationPathID"), "That path is not assigned")
    try:
        own = store.serve(path)
    except KeyError:
        raise Refusal("Sender", ("InvalidArgVal", "CertificationPathID"), "No path with a key under that ID") from None
    kind: Certificate = "self-signed" if own.issuer == own.subject else "good"
    device.become(replace(device.plan, certificate=kind))
    return ""


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


# --- applications; the schema leaves these elements without a namespace ---


def _apps_info(device: Device, asked: Part, _files: Files) -> Inside:
    wanted = asked.said("AppID")
    return "".join(_app_info(app) for app in device.plan.apps if wanted in (None, app.name))


def _app_info(app: App) -> str:
    state = "Active" if app.running else "Inactive"
    return (
        f"<Info><AppID>{escape(app.name)}</AppID><Name>{escape(app.nice_name)}</Name>"
        f"<Version>{escape(app.version)}</Version><InstallationDate>2026-01-01T00:00:00Z</InstallationDate>"
        f"<LastUpdate>2026-01-01T00:00:00Z</LastUpdate><State>{state}</State><Status/><Autostart>true</Autostart>"
        "<Website/></Info>"
    )


def _app_capabilities(_device: Device, _asked: Part, _files: Files) -> Inside:
    said = f'FormatsSupported={quoteattr(APP_FORMAT)} Licensing="false" UploadPath={quoteattr(APP_UPLOAD_PATH)}'
    return f"<ans:Capabilities {said}/>"


def _known_app(device: Device, asked: Part) -> str:
    name = asked.need("AppID")
    if name not in {app.name for app in device.plan.apps}:
        raise Refusal("Sender", ("InvalidArgVal", "UnknownId"), "The requested application ID does not exist")
    return name


def _activate(device: Device, asked: Part, _files: Files) -> Inside:
    device.run_app(_known_app(device, asked), running=True)
    return ""


def _deactivate(device: Device, asked: Part, _files: Files) -> Inside:
    device.run_app(_known_app(device, asked), running=False)
    return ""


def _uninstall(device: Device, asked: Part, _files: Files) -> Inside:
    device.remove_app(_known_app(device, asked))
    return ""


def take_app(device: Device, content_type: str, data: bytes) -> int:
    """The HTTP status of an uploaded package. An update keeps running, a new app has to be started."""
    if content_type.partition(";")[0].strip() != APP_FORMAT:
        return HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    try:
        app, models = read_package(data)
    except BadFile:
        return HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    known = {a.name: a for a in device.plan.apps}
    if ("*" not in models and device.plan.model not in models) or (len(known) >= MOST_APPS and app.name not in known):
        return HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    was = known.get(app.name)
    device.install(replace(app, running=was is not None and was.running))
    return HTTPStatus.OK


OPERATIONS: Mapping[tuple[str, str], Operation] = MappingProxyType(
    {
        ("device", "UpgradeSystemFirmware"): Operation(_upgrade, changes=True),
        ("device", "GetSystemBackup"): Operation(_get_backup, changes=True),
        ("device", "RestoreSystem"): Operation(_restore, changes=True),
        ("device", "GetSystemLog"): Operation(_log, changes=True),
        ("advancedsecurity", "GetAllCertificates"): Operation(_all_certificates),
        ("advancedsecurity", "GetAssignedServerCertificates"): Operation(_assigned),
        ("advancedsecurity", "GetCertificationPath"): Operation(_path),
        ("advancedsecurity", "CreateRSAKeyPair"): Operation(_make_key, changes=True),
        ("advancedsecurity", "GetKeyStatus"): Operation(_key_status),
        ("advancedsecurity", "CreatePKCS10CSR"): Operation(_sign_request, changes=True),
        ("advancedsecurity", "UploadCertificate"): Operation(_upload_certificate, changes=True),
        ("advancedsecurity", "CreateCertificationPath"): Operation(_make_path, changes=True),
        ("advancedsecurity", "AddServerCertificateAssignment"): Operation(_serve_with, changes=True),
        ("advancedsecurity", "ReplaceServerCertificateAssignment"): Operation(_serve_with, changes=True),
        ("appmgmt", "GetServiceCapabilities"): Operation(_app_capabilities),
        ("appmgmt", "GetAppsInfo"): Operation(_apps_info),
        ("appmgmt", "Activate"): Operation(_activate, changes=True),
        ("appmgmt", "Deactivate"): Operation(_deactivate, changes=True),
        ("appmgmt", "Uninstall"): Operation(_uninstall, changes=True),
    }
)
"""The log and a backup change nothing, but are an administrator's all the same (READ_SYSTEM_SECRET)."""
PREFIXES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "device": ("tds", ""),
        "advancedsecurity": ("tas", ' xmlns:tas="http://www.onvif.org/ver10/advancedsecurity/wsdl"'),
        "appmgmt": ("ans", ' xmlns:ans="http://www.onvif.org/ver10/appmgmt/wsdl"'),
    }
)
"""Of the answer's element: prefix, and its declaration where the envelope has none."""


def answered(operation: str, service: str, inside: str) -> str:
    prefix, declaration = PREFIXES[service]
    name = f"{prefix}:{operation}Response"
    return f"<{name}{declaration}>{inside}</{name}>"

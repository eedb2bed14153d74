"""A certificate of our own for a console that others reach, made once; and what is said of any certificate.

Nobody vouches for it: a browser warns once, and the fingerprint that is printed at start tells a person that it is this
machine that answers. All of it blocks: call it in a thread.
"""

import os
import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fleet.errors import FleetError
from scanners.discovery import interfaces

GOOD_FOR = timedelta(days=397)
RENEWED_BEFORE = timedelta(days=30)
# Clocks of those who look may be behind ours.
_EARLIER = timedelta(hours=1)
_MOST_NAME = 64


class CertificateUnusable(FleetError):
    """The text says which file, what is wrong with it, and what to do."""


@dataclass(frozen=True, slots=True)
class Tls:
    """A chain and its key, as PEM files."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Facts:
    """What somebody compares or plans for. `names` are those that it is valid for."""

    fingerprint: str
    ends: datetime
    names: tuple[str, ...]


def given(certificate: Path, key: Path) -> Tls:
    """The operator's own, proved to be usable. Raises CertificateUnusable."""
    for path in (certificate, key):
        if not path.is_file():
            raise CertificateUnusable(f"{path}: there is no such file")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_no_password)
    except _Encrypted:
        raise CertificateUnusable(
            f"{key}: it is encrypted; give a key without a passphrase, readable by us alone"
        ) from None
    except ssl.SSLError as error:
        if "KEY_VALUES_MISMATCH" in str(error.reason):
            raise CertificateUnusable(f"{key} is not the key of {certificate}") from None
        raise CertificateUnusable(f"{certificate} or {key} is no PEM of a certificate and its key") from None
    except (OSError, ValueError) as error:
        raise CertificateUnusable(f"{certificate} or {key} cannot be read ({type(error).__name__})") from None
    return Tls(certificate, key)


class _Encrypted(Exception):
    """Asked for by OpenSSL, which would otherwise ask whoever sits at the terminal."""


def _no_password() -> str:
    raise _Encrypted


def facts(certificate: Path) -> Facts:
    """Of the first certificate in the file. Raises CertificateUnusable."""
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        digest = found.fingerprint(hashes.SHA256()).hex().upper()
    except (OSError, ValueError) as error:
        raise CertificateUnusable(f"{certificate} cannot be read as a certificate ({type(error).__name__})") from None
    pairs = ":".join(digest[start : start + 2] for start in range(0, len(digest), 2))
    return Facts(pairs, found.not_valid_after_utc, _names_in(found))


def _names_in(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(one.value) for one in named if isinstance(one, x509.DNSName | x509.IPAddress))


def our_own(home: Path, hosts: Iterable[str], now: datetime) -> Tls:
    """The certificate that we made ourselves, made now where there is none, none that can be used, or an old one.

    Raises CertificateUnusable where the folder cannot be written.
    """
    tls = own_files(home)
    if _is_fit(tls, now):
        return tls
    try:
        _make(tls, names_of_this_machine(hosts), now)
    except OSError as error:
        raise CertificateUnusable(f"{tls.certificate.parent} cannot be written: {error.strerror}") from error
    return tls


def own_files(home: Path) -> Tls:
    return Tls(home / "tls" / "certificate.pem", home / "tls" / "key.pem")


def _is_fit(tls: Tls, now: datetime) -> bool:
    try:
        return facts(given(tls.certificate, tls.key).certificate).ends - RENEWED_BEFORE > now
    except CertificateUnusable:
        return False


def names_of_this_machine(hosts: Iterable[str]) -> tuple[str, ...]:
    """What people may type. Nothing is looked up: a name server that is silent must not keep the service waiting."""
    found = ["localhost", "127.0.0.1", "::1", socket.gethostname(), *hosts]
    with suppress(OSError, ValueError):
        found += interfaces.addresses(None)
    usable = (name for name in found if name and len(name) <= _MOST_NAME and name not in {"0.0.0.0", "::"})  # noqa: S104 - left out
    return tuple(dict.fromkeys(name.lower() for name in usable if name.isascii()))


def _make(tls: Tls, names: tuple[str, ...], now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _signed(key, names, now)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    tls.key.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The key first: a crash in between leaves two files that do not belong together, and both are made anew.
    _put(tls.key, private)
    _put(tls.certificate, certificate.public_bytes(serialization.Encoding.PEM))


def _signed(key: ec.EllipticCurvePrivateKey, names: Iterable[str], now: datetime) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Camwarden on this machine")])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now.astimezone(UTC) - _EARLIER)
        .not_valid_after(now.astimezone(UTC) + GOOD_FOR)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _put(path: Path, content: bytes) -> None:
    new = path.with_name(f".new-{path.name}")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)

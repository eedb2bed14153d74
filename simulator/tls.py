"""Certificates of the estate: an authority signs the good ones, each fault has its own way of being bad.

Two keys serve everybody, so that a thousand cameras start at once; contexts are made when the first client comes. SHA-1
signatures are not among the faults: the library refuses to make them.
"""

import ipaddress
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from simulator.plan import CameraPlan, Certificate

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
DAY = timedelta(days=1)
VALIDITY: dict[Certificate, tuple[timedelta, timedelta]] = {
    "good": (-30 * DAY, 700 * DAY),
    "expired": (-800 * DAY, -40 * DAY),
    "not-yet-valid": (20 * DAY, 700 * DAY),
    "expiring": (-350 * DAY, 12 * DAY),
    "self-signed": (-30 * DAY, 700 * DAY),
    "weak-key": (-30 * DAY, 700 * DAY),
}
"""From when to when, seen from now."""


@dataclass(frozen=True, slots=True)
class Authority:
    """The estate's own certificate authority. It lives as long as the process."""

    key: ec.EllipticCurvePrivateKey
    camera_key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def new(cls) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("Simulated Estate CA")
        now = datetime.now(UTC)
        certificate = (
            _builder(name, name, key.public_key(), now - 900 * DAY, now + 3650 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(_signs_certificates(), critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls(key, ec.generate_private_key(ec.SECP256R1()), certificate)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True, slots=True)
class Chain:
    """A server's key and its certificates, its own first."""

    key: Key
    certificates: tuple[x509.Certificate, ...]


def delivered(authority: Authority, plan: CameraPlan) -> Chain:
    """What a camera serves HTTPS with until it is given something else."""
    key: Key = authority.camera_key
    if plan.certificate == "weak-key":
        key = rsa.generate_private_key(65537, 1024)  # noqa: S505 - the weakness on show
    own = _certificate(authority, plan, key)
    return Chain(key, (own,) if plan.certificate == "self-signed" else (own, authority.certificate))


def context(chain: Chain, *, weak: bool) -> ssl.SSLContext:
    """The server side of TLS; `weak` takes keys that the library refuses by itself."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if weak:
        made.set_ciphers("DEFAULT:@SECLEVEL=0")
    pem = chain.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + b"".join(certificate.public_bytes(serialization.Encoding.PEM) for certificate in chain.certificates)
    with tempfile.TemporaryDirectory() as folder:  # the ssl module reads files only
        file = Path(folder, "chain.pem")
        file.write_bytes(pem)
        made.load_cert_chain(file)
    return made


def _certificate(authority: Authority, plan: CameraPlan, key: Key) -> x509.Certificate:
    name = _name(plan.hostname)
    own = plan.certificate == "self-signed"
    signer = key if own else authority.key
    start, end = VALIDITY[plan.certificate]
    now = datetime.now(UTC)
    names = [x509.IPAddress(ipaddress.ip_address(plan.address)), x509.DNSName(f"{plan.hostname}.cameras.test")]
    return (
        _builder(name, name if own else authority.certificate.subject, key.public_key(), now + start, now + end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(signer, hashes.SHA256())
    )


def _signs_certificates() -> x509.KeyUsage:
    """Clients from Python 3.13 on check that an authority says so."""
    others = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    return x509.KeyUsage(
        **dict.fromkeys(others, False), key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
    start: datetime,
    end: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])

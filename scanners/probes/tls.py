"""How a TLS endpoint presents itself: one handshake, nothing sent inside. The certificate is read, not trusted."""

import asyncio
import ssl
import warnings
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.x509.oid import NameOID

from cameras.errors import DeviceError, Garbled
from cameras.facts import TlsPosture, TlsPostures
from cameras.untrusted import clean_text
from cameras.wire import reading_context
from scanners.probes.dialogue import dialogue, endpoint, naming_failures

MOST_NAMES = 64

# What OpenSSL says of bytes that are no TLS record at all.
_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "UNKNOWN_PROTOCOL"})
_KEY_TYPES: tuple[tuple[type, str], ...] = (
    (rsa.RSAPublicKey, "rsa"),
    (ec.EllipticCurvePublicKey, "ec"),
    (dsa.DSAPublicKey, "dsa"),
    (ed25519.Ed25519PublicKey, "ed25519"),
    (ed448.Ed448PublicKey, "ed448"),
)


async def posture(address: str, ports: Iterable[int], timeout_s: float) -> TlsPostures:
    """Every TLS endpoint among these ports, which should speak TLS. One that proves another protocol is none of them.

    Any other port that cannot be read raises Unreachable, and a certificate that cannot be parsed Garbled: an endpoint
    left out would look like one that is in order.
    """
    seen_at = datetime.now(UTC).isoformat(timespec="seconds")
    found = await asyncio.gather(*(_endpoint_or_error(address, port, timeout_s) for port in sorted(set(ports))))
    for one in found:
        if isinstance(one, DeviceError):
            raise one
    return TlsPostures(seen_at, tuple(one for one in found if isinstance(one, TlsPosture)))


async def _endpoint_or_error(address: str, port: int, timeout_s: float) -> TlsPosture | DeviceError | None:
    try:
        with naming_failures(endpoint(address, port)):
            return await _endpoint(address, port, timeout_s)
    except DeviceError as error:
        cause = error.__cause__
        return None if isinstance(cause, ssl.SSLError) and cause.reason in _NOT_TLS else error


async def _endpoint(address: str, port: int, timeout_s: float) -> TlsPosture:
    async with dialogue(address, port, timeout_s, reading_context()) as (_, writer):
        connection = writer.get_extra_info("ssl_object")
        der = connection.getpeercert(binary_form=True)
        version, cipher = connection.version(), connection.cipher()
    if not der:
        raise Garbled(f"{endpoint(address, port)}: no certificate was shown")
    return describe(der, port, version or "", cipher[0] if cipher else "")


def describe(der: bytes, port: int, protocol: str, cipher: str) -> TlsPosture:
    """Pure: the certificate's bytes in, the posture out. Raises Garbled."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # cryptography warns of serial numbers that are merely ugly
            certificate = x509.load_der_x509_certificate(der)
            key_type, key_bits = _key(certificate)
            return TlsPosture(
                port=port,
                protocol=protocol,
                cipher=cipher,
                subject=clean_text(certificate.subject.rfc4514_string()),
                issuer=clean_text(certificate.issuer.rfc4514_string()),
                names=_names(certificate),
                not_before=certificate.not_valid_before_utc.isoformat(),
                not_after=certificate.not_valid_after_utc.isoformat(),
                self_signed=_self_signed(certificate),
                key_type=key_type,
                key_bits=key_bits,
                signature_hash=_signature_hash(certificate),
                fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
            )
    except (ValueError, TypeError) as error:
        raise Garbled(f"tcp/{port}: the certificate cannot be parsed: {clean_text(str(error))}") from error


def _key(certificate: x509.Certificate) -> tuple[str, int | None]:
    try:
        key = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return "unknown", None
    key_type = next((name for kind, name in _KEY_TYPES if isinstance(key, kind)), "unknown")
    return key_type, getattr(key, "key_size", None)


def _signature_hash(certificate: x509.Certificate) -> str | None:
    """`None` where the algorithm needs none (Ed25519) or is not known."""
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None
    return algorithm.name if algorithm else None


def _self_signed(certificate: x509.Certificate) -> bool:
    """Issuer and subject are the same, and its own key made the signature as far as we can compute that."""
    if certificate.issuer != certificate.subject:
        return False
    try:
        _verify_with_own_key(certificate)
    except InvalidSignature:
        return False
    except (UnsupportedAlgorithm, TypeError, ValueError):
        return True
    return True


def _verify_with_own_key(certificate: x509.Certificate) -> None:
    """The library's own check refuses MD5 and SHA-1, which are just what old cameras sign with."""
    key, signature, content = certificate.public_key(), certificate.signature, certificate.tbs_certificate_bytes
    digest, parameters = certificate.signature_hash_algorithm, certificate.signature_algorithm_parameters
    if isinstance(key, rsa.RSAPublicKey) and digest:
        padded = parameters if isinstance(parameters, padding.PSS) else padding.PKCS1v15()
        key.verify(signature, content, padded, digest)
    elif isinstance(key, ec.EllipticCurvePublicKey) and digest:
        key.verify(signature, content, ec.ECDSA(digest))
    elif isinstance(key, (ed25519.Ed25519PublicKey, ed448.Ed448PublicKey)):
        key.verify(signature, content)


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    """Subject alternative names, then common names. Extensions that cannot be read give none: the rest still counts."""
    names: list[str] = []
    with suppress(ValueError, x509.ExtensionNotFound, x509.DuplicateExtension):
        alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names += alternative.get_values_for_type(x509.DNSName)
        names += [str(address) for address in alternative.get_values_for_type(x509.IPAddress)]
    names += [str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return tuple(dict.fromkeys(clean_text(name) for name in names[:MOST_NAMES]))

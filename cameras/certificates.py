"""Certificates as cameras hand them out and take them: DER and PEM, by the library `cryptography`."""

import base64
import binascii
import itertools
from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from cameras.errors import Refused
from cameras.facts import Certificate
from cameras.untrusted import clean_text

MOST_BYTES = 64 * 1024
MOST_IN_CHAIN = 8


def read_der(data: object) -> bytes:
    """The bytes, whether they came as such or as base64; empty where they are neither."""
    if isinstance(data, bytes) and data[:1] == b"\x30":  # the start of every ASN.1 SEQUENCE
        return data[:MOST_BYTES]
    text = data if isinstance(data, str | bytes) else b""
    try:
        return base64.b64decode(text[:MOST_BYTES])
    except (binascii.Error, ValueError):
        return b""


def described(name: str, der: bytes, *, serves: bool | None) -> Certificate:
    """What it says of itself; all `None` where it cannot be read."""
    try:
        read = x509.load_der_x509_certificate(der)
        return Certificate(
            name,
            clean_text(read.subject.rfc4514_string()),
            clean_text(read.issuer.rfc4514_string()),
            read.not_valid_after_utc.isoformat(),
            serves,
        )
    except ValueError:
        return Certificate(name, None, None, None, serves)


def chain_of(pem: str) -> Sequence[bytes]:
    """DER of the camera's own certificate and those that signed it, in that order. Refused where it is no chain."""
    try:
        read = x509.load_pem_x509_certificates(pem.encode())
        for lower, upper in itertools.pairwise(read):
            lower.verify_directly_issued_by(upper)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise Refused("not certificates in PEM, the camera's own first and each signed by the next") from error
    if not 0 < len(read) <= MOST_IN_CHAIN:
        raise Refused(f"a chain has from one to {MOST_IN_CHAIN} certificates")
    return [one.public_bytes(Encoding.DER) for one in read]


def request_as_pem(der: bytes) -> str:
    """A certificate signing request. Refused where the camera's signature on it does not hold."""
    try:
        read = x509.load_der_x509_csr(der)
        if read.is_signature_valid:
            return read.public_bytes(Encoding.PEM).decode()
    except ValueError:
        pass
    raise Refused("what it gave is no signing request, or is not signed by its own key")

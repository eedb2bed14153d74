"""The keys and certificates of one camera: what it was delivered with, and what was made and uploaded since."""

import asyncio
import secrets
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from simulator.tls import Chain, Key

FACTORY = "factory"


@dataclass
class Keystore:
    """`serving` is the certification path that HTTPS uses, `chain` what it shows by it.

    A key without a value is still being made.
    """

    delivered: Chain
    keys: dict[str, Key | None] = field(default_factory=dict)
    certificates: dict[str, x509.Certificate] = field(default_factory=dict)
    paths: dict[str, tuple[str, ...]] = field(default_factory=dict)
    serving: str = FACTORY

    def __post_init__(self) -> None:
        self.keys[FACTORY] = self.delivered.key
        names = []
        for number, certificate in enumerate(self.delivered.certificates):
            name = FACTORY if number == 0 else f"{FACTORY}-{number}"
            self.certificates[name] = certificate
            names.append(name)
        self.paths[FACTORY] = tuple(names)
        self.chain = self.delivered

    def make_key(self, bits: int) -> str:
        """Its name at once; the key comes when it is ready."""
        name = f"key-{secrets.token_hex(4)}"
        self.keys[name] = None
        made = asyncio.get_running_loop().run_in_executor(None, rsa.generate_private_key, 65537, bits)
        made.add_done_callback(lambda done: self.keys.update({name: done.result()}))
        return name

    def key_of(self, certificate: x509.Certificate) -> str | None:
        wanted = _bytes_of(certificate.public_key())
        return next((n for n, k in self.keys.items() if k is not None and _bytes_of(k.public_key()) == wanted), None)

    def add(self, certificate: x509.Certificate) -> str:
        name = f"certificate-{secrets.token_hex(4)}"
        self.certificates[name] = certificate
        return name

    def add_path(self, names: tuple[str, ...]) -> str:
        name = f"path-{secrets.token_hex(4)}"
        self.paths[name] = names
        return name

    def serve(self, path: str) -> x509.Certificate:
        """Use that path for HTTPS; its own certificate. KeyError where it is unknown or has no key here."""
        certificates = tuple(self.certificates[name] for name in self.paths[path])
        key = self.keys[self.key_of(certificates[0]) or ""]
        if key is None:
            raise KeyError(path)
        self.serving, self.chain = path, Chain(key, certificates)
        return certificates[0]


def _bytes_of(key: object) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined, no-any-return]

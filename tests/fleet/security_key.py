"""A security key in software: signs what a browser would hand it, and lies where a test wants it to."""

import hashlib
import json
from dataclasses import dataclass, field

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url

_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


@dataclass
class SoftKey:
    """`count` is what it says it was used before."""

    count: int = 0
    id: bytes = b"a credential of a test"
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def make(self, options: str, origin: str) -> str:
        """What the browser says when this key was made for that question."""
        asked = json.loads(options)
        client = _client_data("webauthn.create", asked["challenge"], origin)
        numbers = self.private.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        made = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cbor2.dumps(cose)
        data = self._data(asked["rp"]["id"], _PRESENT | _VERIFIED | _ATTESTED) + made
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._said({"clientDataJSON": client, "attestationObject": attestation})

    def sign(self, options: str, origin: str, *, present: bool = True) -> str:
        """What the browser says when this key answers that question."""
        asked = json.loads(options)
        self.count += 1
        client = _client_data("webauthn.get", asked["challenge"], origin)
        data = self._data(asked["rpId"], _PRESENT | _VERIFIED if present else 0)
        signed = self.private.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._said({"clientDataJSON": client, "authenticatorData": data, "signature": signed})

    def _data(self, host: str, flags: int) -> bytes:
        return hashlib.sha256(host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _said(self, response: dict[str, bytes]) -> str:
        name = bytes_to_base64url(self.id)
        plain = {key: bytes_to_base64url(value) for key, value in response.items()}
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": plain})


def _client_data(kind: str, challenge: str, origin: str) -> bytes:
    return json.dumps({"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": False}).encode()

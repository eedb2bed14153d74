"""Passwords that travel encrypted: the camera's public key, and what was sealed with it."""

import base64
import binascii
import json
from functools import cache
from urllib.parse import unquote_to_bytes

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from simulator.api import Call
from simulator.sunapi.dialect import NotGood, Shown

BITS = 2048


@cache
def _key() -> rsa.RSAPrivateKey:
    """One for all cameras, so that a thousand of them start at once."""
    return rsa.generate_private_key(65537, BITS)


def public_pem() -> str:
    public = _key().public_key()
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1).decode()


def view(_call: Call) -> Shown:
    """The lines of the key follow the first one without a name."""
    pem = public_pem()
    return Shown([f"PublicKey={pem.strip()}"], {"PublicKey": pem})


def opened(body: bytes) -> str:
    """What a client sealed: base64, by curl percent-encoded besides."""
    plain = unquote_to_bytes(body.strip()) if b"%" in body else body.strip()
    try:
        sealed = base64.b64decode(b"".join(plain.split()), validate=True)
        return _key().decrypt(sealed, padding.PKCS1v15()).decode()
    except (binascii.Error, ValueError):
        raise NotGood(602, "Invalid Parameter(s)") from None


def new_password(text: str) -> tuple[str | None, str]:
    """The current and the new one: either alone, or in JSON together."""
    try:
        said = json.loads(text)
    except ValueError:
        return None, text
    if not isinstance(said, dict):
        return None, text
    return str(said.get("CurrentPassword", "")), str(said.get("NewPassword", ""))

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from cameras.errors import Garbled, Unreachable
from cameras.facts import TlsPosture
from cameras.wire import reading_context
from scanners.probes import tls
from tests.probes.loopback_servers import certificate, says

# Made with `openssl req -x509 -sha1`: what we use to make certificates refuses to sign with SHA-1.
SHA1 = base64.b64decode(
    "MIIBYjCCAQmgAwIBAgIBATAJBgcqhkjOPQQBMBExDzANBgNVBAMMBmNhbWVyYTAeFw0yNjExMjExMDM2MjVaFw0zNjExMTgxMDM2MjVaMBExDzAN"
    "BgNVBAMMBmNhbWVyYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABMlYwjnVz22WLN7U8dsxSIGMTktw5A5QrXdciyJ9sfXpPJMyu5Dgs7HhUy8V"
    "i23zUjMZRVs44hZf1RabNlB3AuajUzBRMB0GA1UdDgQWBBQiuhXqiUwuaos9Rqct4o1uBn86qTAfBgNVHSMEGDAWgBQiuhXqiUwuaos9Rqct4o1u"
    "Bn86qTAPBgNVHRMBAf8EBTADAQH/MAkGByqGSM49BAEDSAAwRQIgWas4TaZvljCNE+jbXcRC4YGd8YPTqNh7dZFHEifnuEACIQDBn9fQdEWbTlos"
    "mYq3KRnKinSXFtdGECwSACJNJ/miqA=="
)


def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


OTHER_KEY = ec.generate_private_key(ec.SECP256R1())
ROWS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a certificate of its own": (
        {},
        {"self_signed": True, "key_type": "rsa", "key_bits": 2048, "signature_hash": "sha256"},
    ),
    "one that has expired": ({"valid": (-20, -10)}, {"self_signed": True}),
    "one that is not yet valid": ({"valid": (10, 20)}, {"self_signed": True}),
    "a short RSA key": ({"key": rsa_key(1024)}, {"key_type": "rsa", "key_bits": 1024}),
    "an elliptic curve key": ({"key": ec.generate_private_key(ec.SECP384R1())}, {"key_type": "ec", "key_bits": 384}),
    "an Ed25519 key": (
        {"key": ed25519.Ed25519PrivateKey.generate()},
        {"key_type": "ed25519", "key_bits": None, "signature_hash": None, "self_signed": True},
    ),
    "one signed by somebody else": (
        {"signed_by": OTHER_KEY, "issuer": "site CA"},
        {"self_signed": False, "subject": "CN=camera", "issuer": "CN=site CA"},
    ),
    "one signed by somebody of the same name": (
        {"signed_by": OTHER_KEY},
        {"self_signed": False, "issuer": "CN=camera"},
    ),
    "several names": (
        {"names": (x509.DNSName("cam.example"), x509.IPAddress(ip_address("10.0.0.5")), x509.DNSName("camera"))},
        {"names": ("cam.example", "camera", "10.0.0.5")},
    ),
    "no name but the common one": ({}, {"names": ("camera",)}),
}


@pytest.mark.parametrize(("made_with", "expected"), ROWS.values(), ids=ROWS)
async def test_reads(made_with: dict[str, Any], expected: dict[str, Any], tmp_path: Path) -> None:
    async with says(context=certificate(tmp_path, **made_with).context, stays=True) as server:
        (endpoint,) = (await tls.posture("127.0.0.1", [server.port], 10)).endpoints
    assert {name: getattr(endpoint, name) for name in expected} == expected
    assert (endpoint.port, endpoint.protocol) == (server.port, "TLSv1.3")
    first, last = (datetime.fromisoformat(when) for when in (endpoint.not_before, endpoint.not_after))
    days = made_with.get("valid", (-1, 365))
    assert abs(last - first - timedelta(days=days[1] - days[0])) < timedelta(seconds=2)
    assert first.utcoffset() == timedelta(0)


def test_reads_an_old_signature() -> None:
    endpoint = tls.describe(SHA1, 443, "TLSv1", "AES128-SHA")
    assert endpoint == TlsPosture(
        port=443,
        protocol="TLSv1",
        cipher="AES128-SHA",
        subject="CN=camera",
        issuer="CN=camera",
        names=("camera",),
        not_before="2026-11-21T10:36:25+00:00",
        not_after="2036-11-18T10:36:25+00:00",
        self_signed=True,
        key_type="ec",
        key_bits=256,
        signature_hash="sha1",
        fingerprint=endpoint.fingerprint,
    )
    assert len(bytes.fromhex(endpoint.fingerprint)) == 32


BROKEN = {
    "nothing": b"",
    "garbage": b"\x00" * 100,
    "half a certificate": SHA1[:150],
    "a certificate with a tail": SHA1 + b"\x00",
    "a date that is none": SHA1.replace(b"261121103625Z", b"269921103625Z"),
}


@pytest.mark.parametrize("der", BROKEN.values(), ids=BROKEN)
def test_does_not_accept_as_a_certificate(der: bytes) -> None:
    with pytest.raises(Garbled):
        tls.describe(der, 443, "", "")


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1", "TLSv1_2"])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_still_understands_old_protocols(version: str, tmp_path: Path) -> None:
    import ssl  # noqa: PLC0415

    context = certificate(tmp_path).context
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = ssl.TLSVersion[version]
    async with says(context=context, stays=True) as server:
        (endpoint,) = (await tls.posture("127.0.0.1", [server.port], 10)).endpoints
    assert endpoint.protocol == version.replace("_", ".")


OTHERS = {
    "HTTP": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "SSH": b"SSH-2.0-dropbear\r\n",
    "telnet": b"\xff\xfd\x01\xff\xfd\x1f",
}


@pytest.mark.parametrize("said", OTHERS.values(), ids=OTHERS)
async def test_leaves_out_what_proves_to_be(said: bytes) -> None:
    async with says(said, stays=True) as server:
        assert (await tls.posture("127.0.0.1", [server.port], 10)).endpoints == ()


FAILURES: dict[str, dict[str, Any]] = {
    "says nothing": {"stays": True},
    "hangs up": {},
    "resets": {"reset": True},
    "answers with an alert": {"greeting": b"\x15\x03\x03\x00\x02\x02\x28", "stays": True},
    "sends half a hello": {"greeting": b"\x16\x03\x03\x00\x40\x02\x00\x00\x3c\x03\x03"},
}


@pytest.mark.parametrize("server_does", FAILURES.values(), ids=FAILURES)
async def test_is_unreachable_where_the_server(server_does: dict[str, Any]) -> None:
    async with says(**server_does) as server:
        with pytest.raises(Unreachable, match=str(server.port)):
            await tls.posture("127.0.0.1", [server.port], 0.5)


async def test_one_endpoint_that_fails_is_not_left_out(tmp_path: Path) -> None:
    async with says(context=certificate(tmp_path).context) as good, says(stays=True) as silent:
        with pytest.raises(Unreachable, match=str(silent.port)):
            await tls.posture("127.0.0.1", [good.port, silent.port], 0.5)


async def test_is_unreachable_where_nobody_listens() -> None:
    async with says() as gone:
        pass
    with pytest.raises(Unreachable):
        await tls.posture("127.0.0.1", [gone.port], 1)


async def test_says_when_it_looked() -> None:
    seen_at = datetime.fromisoformat((await tls.posture("127.0.0.1", [], 1)).seen_at)
    assert abs(seen_at - datetime.now(UTC)) < timedelta(minutes=1)


async def test_leaves_nothing_behind(tmp_path: Path) -> None:
    async with says(context=certificate(tmp_path).context, stays=True) as server:
        await tls.posture("127.0.0.1", [server.port], 10)
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_all_probes_share_one_context() -> None:
    assert reading_context() is reading_context()

"""Certificates: the good one and every way of being bad."""

import asyncio
import ipaddress
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from simulator.estate import Estate
from simulator.plan import CameraPlan
from tests.simulator.asking import estate


def blind() -> ssl.SSLContext:
    """Takes any certificate, even a weak one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


def trusting(running: Estate) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=running.authority.pem.decode())


async def certificate(plan: CameraPlan, context: ssl.SSLContext) -> x509.Certificate:
    _, writer = await asyncio.open_connection(plan.address, plan.https_port, ssl=context)
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    return x509.load_der_x509_certificate(der)


def days_left(found: x509.Certificate) -> float:
    return (found.not_valid_after_utc - datetime.now(UTC)) / timedelta(days=1)


def is_weak(found: x509.Certificate) -> bool:
    key = found.public_key()
    return isinstance(key, rsa.RSAPublicKey) and key.key_size < 2048


BAD: Mapping[str, Callable[[x509.Certificate], bool]] = {
    "tls-expired": lambda found: days_left(found) < 0,
    "tls-expiring": lambda found: 0 < days_left(found) < 30,
    "tls-not-yet-valid": lambda found: found.not_valid_before_utc > datetime.now(UTC),
    "tls-self-signed": lambda found: found.issuer == found.subject,
    "tls-weak-key": is_weak,
}


@pytest.mark.parametrize("fault", BAD)
async def test_a_bad_certificate_is_bad_in_its_own_way_only(fault: str) -> None:
    async with estate(faults={fault: 1}) as running:
        found = await certificate(running.plan.cameras[0], blind())
        assert [name for name, is_so in BAD.items() if is_so(found)] == [fault]


async def test_a_good_certificate_is_trusted_by_who_trusts_the_estate() -> None:
    async with estate() as running:
        plan = running.plan.cameras[0]
        found = await certificate(plan, trusting(running))
        assert not any(is_so(found) for is_so in BAD.values())
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address(plan.address)]


@pytest.mark.parametrize("fault", [*BAD, None])
async def test_only_a_good_certificate_is_trusted(fault: str | None) -> None:
    if fault == "tls-expiring":
        fault = None  # still good today
    async with estate(faults={fault: 1} if fault else {}) as running:
        plan, context = running.plan.cameras[0], trusting(running)
        if fault is None:
            await certificate(plan, context)
        else:
            with pytest.raises(ssl.SSLError):
                await certificate(plan, context)


async def test_a_client_that_breaks_off_the_handshake_harms_nobody() -> None:
    async with estate() as running:
        plan = running.plan.cameras[0]
        _, writer = await asyncio.open_connection(plan.address, plan.https_port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        writer.close()
        await writer.wait_closed()
        await certificate(plan, blind())

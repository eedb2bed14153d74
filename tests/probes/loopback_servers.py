"""Servers on loopback for the probes: each says exactly the given bytes, at once or byte by byte."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass
class Server:
    """`heard` is what each connection sent, as far as the server read it."""

    port: int
    heard: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def says(
    greeting: bytes = b"",
    *,
    answers: Callable[[bytes], bytes] | None = None,
    dribble: bool = False,
    reset: bool = False,
    stays: bool = False,
    address: str = "127.0.0.1",
    context: ssl.SSLContext | None = None,
) -> AsyncIterator[Server]:
    """Greets, then answers what it hears; then hangs up, unless it `stays` in silence or leaves with a `reset`."""
    stopped = asyncio.Event()
    tasks: set[asyncio.Task[None]] = set()
    transports: set[asyncio.WriteTransport] = set()
    server = Server(0)

    async def say(writer: asyncio.StreamWriter, words: bytes) -> None:
        for piece in (words[i : i + 1] for i in range(len(words))) if dribble else (words,):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await say(writer, greeting)
            if answers is not None:
                server.heard.append(await reader.read(65536))
                await say(writer, answers(server.heard[-1]))
            if stays:
                await stopped.wait()
            if reset:
                writer.transport.abort()
        except ConnectionError:
            pass
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(serve(reader, writer)))
        transports.add(writer.transport)

    listener = await asyncio.start_server(accept, address, 0, ssl=context)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        stopped.set()
        for _ in range(10):  # asyncio loses a connection that is on its way to `accept` when the listener closes
            await asyncio.sleep(0)
        listener.close()
        for transport in transports:
            transport.abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listener.wait_closed()


@dataclass(frozen=True)
class Made:
    """A certificate made for one test, as DER and as a server context that shows it."""

    der: bytes
    context: ssl.SSLContext


def certificate(
    folder: Path,
    *,
    key: Key | None = None,
    signed_by: Key | None = None,
    issuer: str | None = None,
    valid: tuple[int, int] = (-1, 365),
    names: tuple[x509.GeneralName, ...] = (),
) -> Made:
    """`valid` is from and until, in days from now. Without `signed_by` it is signed with its own key."""
    own = key or rsa.generate_private_key(public_exponent=65537, key_size=2048)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name("camera"))
        .issuer_name(_name(issuer or "camera"))
        .public_key(own.public_key())
        .serial_number(1)
        .not_valid_before(now + timedelta(days=valid[0]))
        .not_valid_after(now + timedelta(days=valid[1]))
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    algorithm = None if isinstance(own, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    signed = builder.sign(signed_by or own, algorithm)
    pem = folder / "certificate.pem"
    pem.write_bytes(
        signed.public_bytes(serialization.Encoding.PEM)
        + own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(pem)
    return Made(signed.public_bytes(serialization.Encoding.DER), context)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])

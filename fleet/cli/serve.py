"""`camwarden serve`: the console and the REST API."""

import asyncio
import logging
import signal
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer

from fleet import people
from fleet.cli import screen
from fleet.cli.outcomes import WrongUse
from fleet.cli.service import Console, Tls, address_of, is_loopback, listen
from fleet.errors import Busy
from fleet.service import open_service
from fleet.settings import Settings, load_settings
from fleet.store.controller import sole_controller

EPILOG = """
Example: camwarden serve

Example: camwarden serve --config /etc/camwarden/camwarden.toml

Example, for other machines: camwarden serve --host 0.0.0.0 --certificate console.pem --key console.key
"""


def serve(
    *,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Settings, see docs/cli.md.", show_default=False)
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="TCP port.", show_default="8080")] = None,
    certificate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TLS certificate chain (PEM).", show_default=False)
    ] = None,
    key: Annotated[Path | None, typer.Option(metavar="FILE", help="Its private key (PEM).", show_default=False)] = None,
    insecure_http: Annotated[
        bool, typer.Option("--insecure-http", help="Serve other machines without TLS: passwords in the clear.")
    ] = False,
) -> None:
    """Serve the console until stopped.

    While nobody exists, a one-time set-up token is printed on stderr: whoever has it becomes the first administrator.
    """
    screen.start_logging(logging.INFO)
    tls = _tls(certificate, key)
    settings = decide(load_settings(config, host=host, port=port), tls=tls is not None, insecure_http=insecure_http)
    asyncio.run(_serve(settings, tls))


def decide(settings: Settings, *, tls: bool, insecure_http: bool) -> Settings:
    """The settings with cookies as the transport allows. Raises WrongUse rather than put passwords on a network."""
    if not (tls or insecure_http or is_loopback(settings.host)):
        raise WrongUse(
            f"{settings.host} can be reached from other machines, and without TLS they send passwords in the clear: "
            "give --certificate and --key, or listen on 127.0.0.1 behind a proxy, or say --insecure-http"
        )
    if "secure_cookies" in settings.model_fields_set:
        return settings
    # A browser keeps no Secure cookie that came over plain HTTP: nobody could sign in.
    return settings.model_copy(update={"secure_cookies": tls})


def _tls(certificate: Path | None, key: Path | None) -> Tls | None:
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise WrongUse("--certificate and --key belong together")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise WrongUse(f"--certificate or --key cannot be used ({error.strerror or type(error).__name__})") from None  # type: ignore[union-attr]
    return Tls(certificate, key)


@asynccontextmanager
async def ended_when(event: asyncio.Event, stop: Callable[[], None]) -> AsyncIterator[None]:
    async def wait() -> None:
        await event.wait()
        stop()

    waiting = asyncio.create_task(wait())
    try:
        yield
    finally:
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting


async def _serve(settings: Settings, tls: Tls | None) -> None:
    with listen(settings.host, settings.port) as listening:
        async with sole_controller(settings) as controller, open_service(settings) as service:
            console = Console(service, listening, tls)
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, console.stop)
            where = address_of(listening, tls=tls is not None)
            screen.note(f"Camwarden listens on {where}")
            if token := await people.setup_token(service.store):
                screen.note(f"Nobody may sign in yet. Open {where}/set-up and give this one-time token: {token}")
            async with ended_when(controller.displaced, console.stop):
                await console.run()
            if controller.displaced.is_set():
                raise Busy("another Camwarden took this database over while it was gone; this one has ended")

"""`camwarden serve`: the console and the REST API."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from fleet import tls as certificates
from fleet.cli import screen
from fleet.cli.leaving import Leaving
from fleet.cli.outcomes import WrongUse
from fleet.cli.sd_notify import Notify
from fleet.cli.service import Console, address_of, is_loopback, listen
from fleet.errors import Busy
from fleet.people import accounts as people
from fleet.service import Service, open_service
from fleet.settings import Settings, load_settings
from fleet.store.controller import sole_controller
from fleet.store.engine import utc_now
from fleet.tls import CertificateUnusable, Tls

EPILOG = """
Example: camwarden serve

Example: camwarden serve --config /etc/camwarden/camwarden.toml

Example, for other machines: camwarden serve --host 0.0.0.0

Example, with your own certificate: camwarden serve --host 0.0.0.0 --certificate console.pem --key console.key
"""

_LOOKED_AT_EVERY = timedelta(days=1)
_log = logging.getLogger(__name__)


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
    print_fingerprint: Annotated[
        bool, typer.Option("--print-fingerprint", help="Print the certificate's SHA-256 fingerprint and end.")
    ] = False,
) -> None:
    """Serve the console until stopped.

    On an address that others reach, without a certificate of yours, one is made: compare its fingerprint with your
    browser's. While nobody exists, a one-time set-up token is printed on stderr: whoever has it becomes the first
    administrator.
    """
    settings = load_settings(config, host=host, port=port)
    screen.start_logging(logging.getLevelNamesMapping()[settings.log_level.upper()], settings.log_format)
    tls = choose(settings, certificate, key, insecure_http=insecure_http)
    if print_fingerprint:
        if tls is None:
            raise WrongUse("there is no certificate: this address is served without TLS")
        sys.stdout.write(f"{certificates.facts(tls.certificate).fingerprint}\n")
        return
    asyncio.run(_serve(with_cookies(settings, tls=tls is not None), tls))


def choose(settings: Settings, certificate: Path | None, key: Path | None, *, insecure_http: bool) -> Tls | None:
    """The operator's certificate, ours, or none. Raises WrongUse, CertificateUnusable."""
    if (certificate is None) != (key is None):
        raise WrongUse("--certificate and --key belong together")
    if certificate and key:
        if insecure_http:
            raise WrongUse("--insecure-http serves without TLS, and --certificate is for TLS: give one of them")
        return certificates.given(certificate, key)
    if insecure_http or is_loopback(settings.host):
        return None
    return certificates.our_own(settings.home, names_of(settings), utc_now())


def names_of(settings: Settings) -> tuple[str, ...]:
    return (settings.host, *settings.hosts)


def with_cookies(settings: Settings, *, tls: bool) -> Settings:
    """The settings with cookies as the transport allows."""
    if "secure_cookies" in settings.model_fields_set:
        return settings
    # A browser keeps no Secure cookie that came over plain HTTP: nobody could sign in.
    return settings.model_copy(update={"secure_cookies": tls})


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
    notify = Notify()
    watchdog = asyncio.create_task(notify.live())  # until everything is closed
    try:
        with listen(settings.host, settings.port) as listening:
            async with sole_controller(settings) as controller, open_service(settings) as service:
                console = Console(service, listening, tls)
                async with ended_when(controller.displaced, console.stop):
                    await _run(service, console, notify, address_of(listening, tls=bool(tls)), tls)
            if controller.displaced.is_set():
                raise Busy("another Camwarden took this database over while it was gone; this one has ended")
    finally:
        await _end(watchdog)


async def _run(service: Service, console: Console, notify: Notify, where: str, tls: Tls | None) -> None:
    Leaving(service, notify, console.stop).listen()
    screen.note(f"Camwarden listens on {where}")
    if tls:
        await asyncio.to_thread(_tell, tls)
    if token := await people.setup_token(service.store):
        screen.note(f"Nobody may sign in yet. Open {where}/set-up and give this one-time token: {token}")
    notify.ready(where)
    renewing = asyncio.create_task(_renew(service.settings, console, tls))
    try:
        await console.run()
    finally:
        await _end(renewing)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _tell(tls: Tls) -> None:
    said = certificates.facts(tls.certificate)
    screen.note(f"Its certificate has the SHA-256 fingerprint {said.fingerprint}")
    if said.ends < utc_now():
        screen.note(f"This certificate ended on {said.ends:%Y-%m-%d}: give a newer one and start again")


async def _renew(settings: Settings, console: Console, tls: Tls | None) -> None:
    """A certificate that we made is made anew before its end, also where the service is never started again."""
    if tls != certificates.own_files(settings.home):
        return
    while True:
        await asyncio.sleep(_LOOKED_AT_EVERY.total_seconds())
        try:
            before = await asyncio.to_thread(certificates.facts, tls.certificate)
            await asyncio.to_thread(certificates.our_own, settings.home, names_of(settings), utc_now())
            if (after := await asyncio.to_thread(certificates.facts, tls.certificate)) != before:
                console.renewed(tls)
                _log.warning("the certificate was renewed", extra={"fingerprint": after.fingerprint})
        except CertificateUnusable as error:
            _log.error("the certificate cannot be renewed", extra={"reason": str(error)})

"""What a stranger gets: the web pages, pictures and streams that the camera shows without a login.

`http` is everywhere a connection to the camera's door that knows of no login.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

import httpx

from cameras.errors import DeviceError
from cameras.facts import (
    AnonymousPicture,
    AnonymousPictures,
    AnonymousStreams,
    Gap,
    LoginPages,
    NetworkServices,
    OpenPorts,
    StreamProfiles,
    TlsPostures,
)
from cameras.http import DeviceHttp
from cameras.pictures import is_picture
from scanners.identify import HTTP_PORTS, HTTPS_PORTS
from scanners.probes import login_page, rtsp, tls

T = TypeVar("T")

# Main and sub stream of the first sensor show how the camera guards all of them.
MOST_ADDRESSES = 2
# A web server greets within this time; other things listen silently on its usual ports (SDK services on 8000 and 9000).
MOST_PATIENCE_S = 3.0


def web_ports(http: DeviceHttp, ports: OpenPorts | Gap, services: NetworkServices | Gap, name: str) -> tuple[int, ...]:
    """Ports on which this camera serves `name` ("HTTP" or "HTTPS"): usual ones that are open, those it declares, our
    door.
    """
    usual = HTTP_PORTS if name == "HTTP" else HTTPS_PORTS
    found = {port for port in usual if isinstance(ports, OpenPorts) and port in ports.open}
    if isinstance(services, NetworkServices):
        declared = (s for s in services.services if s.name == name and s.enabled is not False)
        found |= {port for service in declared for port in service.ports if not _is_shut(port, ports)}
    if http.scheme == name.lower():
        found.add(http.port)
    return tuple(sorted(found))


def _is_shut(port: int, ports: OpenPorts | Gap) -> bool:
    return isinstance(ports, OpenPorts) and port in (*ports.closed, *ports.silent)


async def login_pages(http: DeviceHttp, ports: OpenPorts | Gap, services: NetworkServices | Gap) -> LoginPages:
    """The front page of every web port that answers HTTP. Unreachable where none does."""
    asked = [(port, False) for port in web_ports(http, ports, services, "HTTP")]
    asked += [(port, True) for port in web_ports(http, ports, services, "HTTPS")]
    patience_s = min(http.timeout_s, MOST_PATIENCE_S)
    pages, error = await _each(login_page.fetch(http.address, port, is_tls, patience_s) for port, is_tls in asked)
    if not pages and error is not None:
        raise error
    return LoginPages(tuple(pages))


async def tls_postures(http: DeviceHttp, ports: OpenPorts | Gap, services: NetworkServices | Gap) -> TlsPostures:
    """Every port that should speak TLS, by one handshake each."""
    return await tls.posture(http.address, web_ports(http, ports, services, "HTTPS"), http.timeout_s)


async def pictures(http: DeviceHttp, profiles: StreamProfiles | Gap) -> AnonymousPictures | Gap:
    """The snapshot addresses, asked for without a login."""
    if isinstance(profiles, Gap):
        return profiles
    found = []
    for url in _distinct(profile.snapshot_uri for profile in profiles.profiles):
        reply = await http.request("GET", http.local_url(url))
        found.append(AnonymousPicture(url, reply.status, reply.status == httpx.codes.OK and is_picture(reply.body)))
    return AnonymousPictures(tuple(found))


async def streams(http: DeviceHttp, profiles: StreamProfiles | Gap) -> AnonymousStreams | Gap:
    """The stream addresses, described without a login."""
    if isinstance(profiles, Gap):
        return profiles
    urls = [_on_host(url, http.address) for url in _distinct(profile.stream_uri for profile in profiles.profiles)]
    found, error = await _each(rtsp.describe(url, http.timeout_s) for url in urls if url is not None)
    if not found and error is not None:
        raise error
    return AnonymousStreams(tuple(found))


def _distinct(uris: Iterable[str | None]) -> Sequence[str]:
    return list(dict.fromkeys(uri for uri in uris if uri))[:MOST_ADDRESSES]


def _on_host(uri: str, address: str) -> str | None:
    """The stream's address on the host that we dialled, whatever host it names; `None` for one that is not RTSP."""
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("rtsp", "rtsps"):
        return None
    host = f"[{address}]" if ":" in address else address
    return urlunsplit(parts._replace(netloc=host if port is None else f"{host}:{port}"))


async def _each(questions: Iterable[Coroutine[object, object, T]]) -> tuple[list[T], DeviceError | None]:
    """The answers there are, in order, and the first error. All at once: they go to different ports."""
    outcomes = await asyncio.gather(*questions, return_exceptions=True)
    answers: list[T] = []
    first: DeviceError | None = None
    for outcome in outcomes:
        if isinstance(outcome, DeviceError):
            first = first or outcome
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            answers.append(outcome)
    return answers, first

"""The web server's front page, asked for by somebody without a password."""

import asyncio
import re
from collections.abc import Iterable, Iterator
from contextlib import aclosing, contextmanager
from urllib.parse import urljoin, urlsplit

import httpx

from cameras.errors import Garbled, Unreachable
from cameras.facts import LoginPage
from cameras.untrusted import clean_text
from cameras.wire import reading_context
from scanners.probes.dialogue import endpoint, naming_failures

MOST_SCHEMES = 16

# Nothing compressed is asked for: the body is of no interest.
_HEADERS = {"User-Agent": "camwarden", "Accept": "text/html, */*", "Accept-Encoding": "identity"}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"?')
# A scheme stands alone or before a parameter or a token; a parameter is followed by "=" (RFC 9110, 11.6.1).
_SCHEME = re.compile(r"(?P<scheme>[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40})(?:[ \t]*\Z|[ \t]+[^=\s])")


async def fetch(address: str, port: int, tls: bool, timeout_s: float) -> LoginPage:  # noqa: FBT001 - data, not a mode
    """What `GET /` says in its head. The body is never read, no redirect is followed, no credential is sent.

    Certificates are not verified: nothing secret travels. Raises Unreachable, Garbled.
    """
    where = endpoint(address, port)
    url = f"{'https' if tls else 'http'}://{where}/"
    with naming_failures(where), _naming_httpx_failures(where):
        # The transport by itself: a client would look into the redirect, and stumble over a broken one.
        async with (
            asyncio.timeout(timeout_s),
            httpx.AsyncHTTPTransport(verify=reading_context(), trust_env=False) as wire,
        ):
            response = await wire.handle_async_request(
                httpx.Request("GET", url, headers=_HEADERS, extensions=_patience(timeout_s))
            )
            async with aclosing(response):
                return read_head(response.status_code, response.headers, url, port, tls=tls)


def _patience(timeout_s: float) -> dict[str, object]:
    """httpcore loses the socket when it is cancelled within a TLS handshake: let it notice by itself, and earlier.

    Two phases count as connecting, TCP and TLS.
    """
    return {"timeout": {"connect": timeout_s * 0.45, "read": timeout_s, "write": timeout_s, "pool": timeout_s}}


@contextmanager
def _naming_httpx_failures(where: str) -> Iterator[None]:
    try:
        yield
    except (httpx.TimeoutException, httpx.NetworkError) as error:
        raise Unreachable(f"{where}: {clean_text(str(error)) or 'no answer in time'}") from error
    except httpx.HTTPError as error:
        said = clean_text(str(error))
        # httpx has one exception for "hung up before the end of the head" and "said something that is not HTTP".
        if isinstance(error, httpx.RemoteProtocolError) and said.startswith("Server disconnected"):
            raise Unreachable(f"{where}: hung up without an answer") from error
        raise Garbled(f"{where}: not HTTP: {said}") from error


def read_head(status: int, headers: httpx.Headers, url: str, port: int, *, tls: bool) -> LoginPage:
    """Pure: the head of the answer in, the fact out."""
    challenges = headers.get_list("www-authenticate")
    return LoginPage(
        url=url,
        port=port,
        tls=tls,
        status=status,
        schemes=schemes(challenges) if challenges else None,
        redirects_to=_redirects_to(headers["location"], url)
        if status in _REDIRECTS and "location" in headers
        else None,
        server=clean_text(headers["server"], 100) if "server" in headers else None,
    )


def schemes(challenges: Iterable[str]) -> tuple[str, ...]:
    """The authentication schemes in lower case, each once: several may stand in one header, or in several."""
    found: dict[str, None] = {}
    for challenge in challenges:
        for part in _QUOTED.sub('""', challenge).split(","):
            match = _SCHEME.match(part.strip())
            if match:
                found[match["scheme"].lower()] = None
    return tuple(found)[:MOST_SCHEMES]


def _redirects_to(location: str, url: str) -> str | None:
    """The scheme of where the browser is sent, whichever host that is."""
    try:
        scheme = urlsplit(urljoin(url, location)).scheme
    except ValueError:
        return None
    return scheme if scheme in ("http", "https") else None

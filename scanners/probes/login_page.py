"""The web server's front page, asked for by somebody without a password."""

import re
from collections.abc import Iterable
from urllib.parse import urljoin, urlsplit

import httpx

from cameras.errors import DeviceError
from cameras.facts import LoginPage
from cameras.http import DeviceHttp
from cameras.untrusted import clean_text

MOST_SCHEMES = 16

_HEADERS = {"Accept": "text/html, */*"}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"?')
# A scheme stands alone or before a parameter or a token; a parameter is followed by "=" (RFC 9110, 11.6.1).
_SCHEME = re.compile(r"(?P<scheme>[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40})(?:[ \t]*\Z|[ \t]+[^=\s])")


async def fetch(address: str, port: int, tls: bool, timeout_s: float) -> LoginPage:  # noqa: FBT001 - data, not a mode
    """What `GET /` says in its head. The body is never read, no redirect is followed, no credential is sent.

    Certificates are not verified: nothing secret travels. Raises Unreachable, Garbled.
    """
    async with DeviceHttp(address, port, "https" if tls else "http", timeout_s=timeout_s) as http:
        page = http.base.copy_with(raw_path=b"/")
        try:
            reply = await http.request("GET", page, headers=_HEADERS, head_only=True)
        except DeviceError as error:
            raise type(error)(f"port {port}: {error}") from error
        return read_head(reply.status, reply.headers, str(page), port, tls=tls)


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

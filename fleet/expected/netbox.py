"""Devices of a NetBox, by its REST API, as a list of cameras. It is only read.

Asked is `/api/dcim/devices/` of the one address that was given: the page that it names as the next is taken there, from
its query alone, so that no answer sends the token elsewhere or out of TLS. No redirect is followed, no proxy of the
environment is asked, TLS is verified, and what it answers is bounded in pages, bytes and time. NetBox 2.8 to 4.x answer
so: docs/integrations/rest-api.md and the serializers of netbox-community/netbox.
"""

import asyncio
import json
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import httpx

from cameras.secret import Secret
from cameras.untrusted import clean_text
from fleet.errors import Invalid, SourceUnavailable
from fleet.expected.lines import MOST_LINES, Listed, listed

PATH = "api/dcim/devices/"
AT_ONCE = 250
MOST_PAGES = 500
MOST_BYTES = 16 * 1024 * 1024
TIMEOUT_S = 30.0
WITHIN_S = 600.0
_MOST_QUERY = 8192
_MOST_SAID = 300
# Tokens of NetBox 4.5 and later say their version themselves, and are sent by another scheme.
_NEW_TOKEN = "nbt_"  # noqa: S105 - how one begins
_ADVICE: Mapping[int, str] = MappingProxyType(
    {
        400: "is there such a tag, role and site? Write their slugs",
        401: "it refuses the token",
        403: "it refuses the token, or the token's user may not view devices",
        404: "no NetBox answers there: give the address at which its pages are, without /api",
        429: "it is asked too often: try again later",
    }
)
_ELSEWHERE = "it sends us to another address, where we do not go: give the address that its pages really have"


@dataclass(frozen=True, slots=True)
class NetBox:
    """Which devices of which NetBox: those of any of the `roles` and `sites`, with all of the `tags`; slugs all.

    `ca_file` holds the authority of its certificate, `None` is the system's list.
    """

    url: str
    token: Secret
    ca_file: Path | None = None
    tags: Sequence[str] = ()
    roles: Sequence[str] = ()
    sites: Sequence[str] = ()

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""


def checked(url: str) -> str:
    """The address as it is asked, with a slash at its end. Raises Invalid; the text quotes no password."""
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise Invalid("the address of NetBox is none: write https://netbox.example") from None
    if parts.username or parts.password:
        raise Invalid("leave user and password out of the address of NetBox: it is asked with a token")
    if parts.query or parts.fragment or not host or not parts.path.isascii():
        raise Invalid("write the address of NetBox as https://netbox.example")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_this_machine(host)):
        raise Invalid("NetBox is asked by https alone, or by http on this machine: a token is sent to it")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/"


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def read(netbox: NetBox) -> Listed:
    """Its devices with a primary address; the numbers of the lines are the ids of devices.

    Raises Invalid, also for more devices than are taken at once, and SourceUnavailable.
    """
    trusted = await asyncio.to_thread(_trusted, netbox.ca_file)
    client = httpx.AsyncClient(verify=trusted, timeout=TIMEOUT_S, follow_redirects=False, trust_env=False)
    try:
        async with asyncio.timeout(WITHIN_S), client:
            devices = await _devices(client, netbox)
    except TimeoutError:
        raise SourceUnavailable(f"{netbox.host} did not give its devices within {WITHIN_S:.0f} seconds") from None
    return listed(_rows(devices), unit="device")


def _trusted(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except (OSError, ssl.SSLError):
        raise Invalid("the file of the authority cannot be read as certificates") from None


async def _devices(client: httpx.AsyncClient, netbox: NetBox) -> list[Any]:
    query: str | None = _first_query(netbox)
    devices: list[Any] = []
    seen: set[str] = set()
    while query is not None:
        if query in seen or len(seen) >= MOST_PAGES:
            raise SourceUnavailable(f"{netbox.host} gives pages without end")
        seen.add(query)
        page = await _page(client, netbox, query)
        devices += page["results"]
        if len(devices) > MOST_LINES:
            raise Invalid(f"more than {MOST_LINES:,} devices: name a tag, a role or a site")
        query = _next_query(netbox, page.get("next"))
    return devices


def _first_query(netbox: NetBox) -> str:
    asked = [("has_primary_ip", "true"), ("exclude", "config_context"), ("limit", str(AT_ONCE))]
    for name, values in (("tag", netbox.tags), ("role", netbox.roles), ("site", netbox.sites)):
        asked += [(name, value) for value in values]
    return urlencode(asked)


def _next_query(netbox: NetBox, told: object) -> str | None:
    """Behind a proxy it may call itself by http: nothing but the query is taken from what it tells."""
    if told is None:
        return None
    if not isinstance(told, str) or len(told) > _MOST_QUERY:
        raise _odd(netbox)
    try:
        parts = urlsplit(urljoin(f"{netbox.url}{PATH}", told))
        host = parts.hostname
    except ValueError:
        raise _odd(netbox) from None
    if host != netbox.host or not parts.path.endswith(f"/{PATH}") or not parts.query or not parts.query.isascii():
        raise SourceUnavailable(f"{netbox.host} names a next page that is not its own: {clean_text(told, 100)}")
    return parts.query


async def _page(client: httpx.AsyncClient, netbox: NetBox, query: str) -> dict[str, Any]:
    token = netbox.token.reveal()
    scheme = "Bearer" if token.startswith(_NEW_TOKEN) else "Token"
    headers = {"Authorization": f"{scheme} {token}", "Accept": "application/json", "Accept-Encoding": "identity"}
    body = b""
    try:
        async with client.stream("GET", f"{netbox.url}{PATH}?{query}", headers=headers) as answer:
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise _odd(netbox)
            async for piece in answer.aiter_raw():
                body += piece
                if len(body) > MOST_BYTES:
                    raise SourceUnavailable(f"{netbox.host} answers with more than {MOST_BYTES // 1024 // 1024} MiB")
    except httpx.HTTPError as error:
        why = clean_text(str(error), _MOST_SAID) or type(error).__name__
        raise SourceUnavailable(f"{netbox.host} cannot be asked: {why}") from None
    said = _object(body)
    if answer.status_code != HTTPStatus.OK:
        raise _refused(netbox, answer.status_code, said)
    if said is None or not isinstance(said.get("results"), list):
        raise _odd(netbox)
    return said


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _refused(netbox: NetBox, status: int, said: Mapping[str, Any] | None) -> Exception:
    """It says {"detail": "Invalid token"}, or of a filter {"tag": ["Select a valid choice. …"]}."""
    words = [" ".join(map(str, value)) if isinstance(value, list) else str(value) for value in (said or {}).values()]
    told = clean_text("; ".join(words).replace(netbox.token.reveal(), "…"), _MOST_SAID)
    advice = _ELSEWHERE if 300 <= status < 400 else _ADVICE.get(status, "look at its log")  # noqa: PLR2004 - 3xx
    text = f"{netbox.host} answers with {status}{f' ({told})' if told else ''}: {advice}"
    return Invalid(text) if status in _ADVICE else SourceUnavailable(text)


def _odd(netbox: NetBox) -> SourceUnavailable:
    return SourceUnavailable(f"{netbox.host} answers, but not as a NetBox: look at the address")


# --- pure -------------------------------------------------------------------------------------------------------------


def _rows(devices: Sequence[Any]) -> Iterator[tuple[int, Mapping[str, str] | str]]:
    for place, device in enumerate(devices, start=1):
        if not isinstance(device, dict):
            yield place, "it is no device"
            continue
        number = device.get("id")
        kind = _part(device, "device_type")
        texts = {
            "address": _address(device),
            "name": _said(device, "name"),
            "site": _said(_part(device, "site"), "name"),
            "serial": _said(device, "serial"),
            "vendor": _said(_part(kind, "manufacturer"), "name"),
            "model": _said(kind, "model"),
        }
        yield number if isinstance(number, int) and number > 0 else place, texts


def _address(device: Mapping[str, Any]) -> str:
    """Without the length of its network: "10.0.0.5/24"."""
    for name in ("primary_ip4", "primary_ip6", "primary_ip"):
        if address := _said(_part(device, name), "address"):
            return address.partition("/")[0]
    return ""


def _part(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = of.get(name)
    return part if isinstance(part, dict) else {}


def _said(of: Mapping[str, Any], name: str) -> str:
    value = of.get(name)
    return value if isinstance(value, str) else ""

"""What WS-Discovery answers say: one datagram in, sightings out. Pure, and everything in it is hostile."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal
from urllib.parse import unquote_to_bytes, urlsplit

from lxml import etree

from cameras.errors import Garbled
from cameras.untrusted import clean_text, parse_xml, without_secrets
from scanners.discovery.sightings import Sighting

SOURCE = "ws-discovery"

MOST_BYTES = 32 * 1024
MOST_MATCHES = 16
MOST_XADDRS = 8
MOST_SCOPES = 64

_NAMESPACES = {
    "d": "http://schemas.xmlsoap.org/ws/2005/04/discovery",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
}
_SCOPE = re.compile(r"onvif://www\.onvif\.org/(?P<key>[A-Za-z]+)/(?P<value>.+)", re.IGNORECASE)
_MAC_DIGITS = re.compile(r"[0-9a-f]{12}")
_PORT_TWICE = re.compile(r":(\d{1,5}):\1$")
_DEFAULT_PORTS: Mapping[str, int] = MappingProxyType({"http": 80, "https": 443})


def read(datagram: bytes, sender: str) -> list[Sighting]:
    """The devices that one answer announces, all of them at the sender's address. Raises Garbled.

    An answer need not name one of our messages: some cameras put their own id, or none, where ours belongs.
    """
    if len(datagram) > MOST_BYTES:
        raise Garbled(f"the answer is larger than {MOST_BYTES} bytes")
    matches = parse_xml(datagram, MOST_BYTES).findall(".//d:ProbeMatches/d:ProbeMatch", _NAMESPACES)
    if not matches:
        raise Garbled("the answer holds no match")
    if len(matches) > MOST_MATCHES:
        raise Garbled(f"the answer holds more than {MOST_MATCHES} matches")
    return [_sighting(match, sender) for match in matches]


def _sighting(match: etree._Element, sender: str) -> Sighting:
    xaddrs = _words(match, "d:XAddrs", MOST_XADDRS, 512)
    scopes = _words(match, "d:Scopes", MOST_SCOPES, 300)
    port, scheme, path = choose_xaddr(xaddrs, sender)
    said = scope_values(scopes)
    reference = match.findtext("a:EndpointReference/a:Address", None, _NAMESPACES)
    return Sighting(
        address=sender,
        port=port,
        scheme=scheme,
        path=path,
        sources=(SOURCE,),
        xaddrs=xaddrs,
        scopes=scopes,
        manufacturer=manufacturer(said),
        model=said.get("hardware"),
        mac=mac(said.get("mac")),
        epr=clean_text(reference, 200) if reference and reference.strip() else None,
    )


def _words(match: etree._Element, name: str, most: int, longest: int) -> tuple[str, ...]:
    """A list of URIs, parted by spaces. What is too long to be one is left out; what carries user info loses it."""
    words = (match.findtext(name, "", _NAMESPACES) or "").split()[:most]
    return tuple(dict.fromkeys(without_secret(clean_text(word, longest)) for word in words if len(word) <= longest))


def without_secret(uri: str) -> str:
    try:
        return without_secrets(uri)
    except ValueError:  # a bracket that does not close
        return uri.rpartition("@")[2]


def choose_xaddr(xaddrs: Iterable[str], sender: str) -> tuple[int | None, Literal["http", "https"] | None, str | None]:
    """Port, scheme and path to ask at. The address that names the sender is preferred.

    Where none does (a camera behind NAT, or one that still announces the address it had before DHCP) the first one's
    port and path are used with the sender's address: we talk to who answered, not to whom it points at.
    """
    usable = [parts for xaddr in xaddrs if (parts := _parts(xaddr)) is not None]
    if not usable:
        return None, None, None
    _, port, scheme, path = next((parts for parts in usable if parts[0] == sender), usable[0])
    return port, scheme, path


def _parts(xaddr: str) -> tuple[str, int, Literal["http", "https"], str] | None:
    try:
        parts = urlsplit(xaddr)
        # "host:8106:8106" is what some cameras announce that were told to use another port.
        parts = parts._replace(netloc=_PORT_TWICE.sub(r":\1", parts.netloc))
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or port == 0 or parts.scheme not in _DEFAULT_PORTS or not parts.path.isascii():
        return None
    scheme: Literal["http", "https"] = "https" if parts.scheme == "https" else "http"
    return host, port or _DEFAULT_PORTS[scheme], scheme, parts.path or "/"


def scope_values(scopes: Iterable[str]) -> dict[str, str]:
    """The ONVIF scopes by lower-case key, the first of each: `name`, `hardware`, `manufacturer`, `mac`, `location`…"""
    values: dict[str, str] = {}
    for scope in scopes:
        match = _SCOPE.fullmatch(scope)
        value = clean_text(unquote_to_bytes(match["value"]), 100) if match else ""
        if match and value:
            values.setdefault(match["key"].lower(), value)
    return values


def manufacturer(said: Mapping[str, str]) -> str | None:
    """Its own scope, or the name without the model ("AXIS P3265-V" less P3265-V). A name alone may be anything."""
    if "manufacturer" in said:
        return said["manufacturer"]
    before, hardware, after = said.get("name", "").partition(said.get("hardware") or "\n")
    return before.strip() or None if hardware and not after else None


def mac(text: str | None) -> str | None:
    """Lower case with colons, however it was written; `None` for what is no MAC or one that no device has."""
    digits = re.sub(r"[:.\-]", "", text or "").lower()
    if not _MAC_DIGITS.fullmatch(digits) or digits in ("0" * 12, "f" * 12):
        return None
    return ":".join(digits[index : index + 2] for index in range(0, 12, 2))

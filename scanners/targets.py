"""What the operator asks us to look at: addresses, networks, ranges, host names and URLs, as a list of targets.

A host name is resolved here, once, so that every later packet goes to the same address. Resolving blocks: from an event
loop, call `parse_targets` in a thread. Messages quote no user info, query or fragment: a password may be in it.
"""

import re
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Literal
from urllib.parse import urlsplit

from cameras.untrusted import clean_text

MOST_TARGETS = 4096
MOST_TARGETS_EVER = 2**20

_EXAMPLES = (
    "10.0.0.5, 10.0.0.0/24, 10.0.0.5-20, 10.0.0.5-10.0.1.7, cam1.example, cam1.example:8080, [2001:db8::5]:80 "
    "or http://10.0.0.5/"
)
_HIGHEST_PORT = 65535
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9_-]+|0[xX][0-9A-Fa-f]*")
_RANGE = re.compile(r"(?P<first>[0-9.]+)-(?P<last>[0-9.]+)")
_HOST_AND_PORT = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]+)(?::(?P<port>[^:]*))?")

Scheme = Literal["http", "https"]
Address = IPv4Address | IPv6Address
Resolve = Callable[[str], Sequence[str]]


class TargetError(ValueError):
    """A target that cannot be understood or may not be used. The text says what to write instead."""


class TooManyTargets(TargetError):
    """More addresses than were allowed. `count` is how many were asked for, before duplicates are taken out."""

    def __init__(self, count: int, most: int) -> None:
        advice = (
            "write smaller networks, or confirm"
            if count <= MOST_TARGETS_EVER
            else "even confirmed that is too much for one scan: do it in parts, such as 10.0.0.0/12 and 10.16.0.0/12"
        )
        super().__init__(f"{count} addresses are asked for and {most} are allowed: {advice}")
        self.count = count
        self.most = most


@dataclass(frozen=True, slots=True)
class Target:
    """One endpoint to look at. `None` means: find out.

    `shared` says that this address stands in more targets with a port of their own (port forwarding): what its other
    ports say belongs to no single camera. `searched` says that it came out of a network or a range: nobody promised
    that something is there.
    """

    address: str
    port: int | None
    scheme: Scheme | None
    path: str | None
    shared: bool
    searched: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """One word understood but not yet spread out: a /8 must be counted before it becomes a list."""

    count: int
    targets: Callable[[], Iterator[Target]]


def resolve_by_system(host: str) -> list[str]:
    """The addresses of a host name, as the system's resolver orders them. Raises OSError."""
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


def parse_targets(
    words: Sequence[str], *, most: int | None = MOST_TARGETS, resolve: Resolve = resolve_by_system
) -> list[Target]:
    """The targets in the order they were asked for, each once. Raises TargetError, TooManyTargets.

    `most=None` allows 2**20. Network and broadcast addresses of IPv4 networks of /30 and larger are left out.
    """
    limit = MOST_TARGETS_EVER if most is None else most
    asked = [_understand(word, resolve) for word in dict.fromkeys(word.strip() for word in words)]
    count = sum(one.count for one in asked)
    if count > limit:
        raise TooManyTargets(count, limit)
    return _mark_shared(_without_duplicates(target for one in asked for target in one.targets()))


def _understand(word: str, resolve: Resolve) -> _Asked:
    if not word:
        raise TargetError(f"an empty target: write {_EXAMPLES}")
    if word.startswith("@"):
        raise TargetError(f"{_quoted(word)}: no stored cameras are known here; write {_EXAMPLES}")
    if "@" in word:
        raise TargetError(
            "a target carries '@': user names and passwords belong in the credentials file, not in a target"
        )
    if "://" in word:
        return _url(word, resolve)
    if "/" in word:
        return _network(word)
    if match := _RANGE.fullmatch(word):
        return _range(word, match["first"], match["last"])
    return _endpoint(word, resolve)


def _url(word: str, resolve: Resolve) -> _Asked:
    try:
        parts = urlsplit(word)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise TargetError(
            f"{_quoted(word)} is no URL: write http://10.0.0.5:8080/path or http://[2001:db8::5]/"
        ) from error
    if parts.scheme not in ("http", "https"):
        raise TargetError(f"{_quoted(word)}: write http:// or https://, or only the address")
    if parts.query or parts.fragment or "?" in word or "#" in word:
        raise TargetError(f"{_quoted(word)}: leave out everything from '?' or '#' on")
    if not host or port == 0 or parts.netloc.endswith(":"):
        raise TargetError(f"{_quoted(word)} names no host or no port: write http://10.0.0.5:8080/path")
    if not (word.isascii() and word.isprintable()) or " " in word:
        raise TargetError(f"{_quoted(word)}: write other characters than ASCII as %XX")
    scheme: Scheme = "https" if parts.scheme == "https" else "http"
    path = parts.path if parts.path not in ("", "/") else None
    number = port or (443 if scheme == "https" else 80)
    return _listed([Target(address, number, scheme, path, shared=False) for address in _addresses(host, word, resolve)])


def _network(word: str) -> _Asked:
    try:
        network = ip_network(word)
    except ValueError as error:
        raise TargetError(_network_advice(word)) from error
    if network.is_multicast or network.network_address.is_unspecified:
        raise TargetError(
            f"{_quoted(word)} holds addresses that no camera has: write the cameras' own, such as 10.0.0.0/24"
        )
    # IPv4 loses network and broadcast address, IPv6 the routers' anycast one; the two smallest networks lose nothing.
    edges = 1 if isinstance(network, IPv6Network) else 2
    count = network.num_addresses - (edges if network.max_prefixlen - network.prefixlen > 1 else 0)
    return _Asked(count, lambda: (_searched(address) for address in network.hosts()))


def _network_advice(word: str) -> str:
    try:
        wider = ip_network(word, strict=False)
    except ValueError:
        return f"{_quoted(word)} is no network: write 10.0.0.0/24, or http:// before an address with a path"
    address = word.partition("/")[0]
    return f"{_quoted(word)} is an address within a network: write {wider} for all of it or {address} for the one"


def _range(word: str, first_text: str, last_text: str) -> _Asked:
    try:
        first = IPv4Address(first_text)
        last = IPv4Address(last_text if "." in last_text else f"{first_text.rpartition('.')[0]}.{last_text}")
    except ValueError as error:
        raise TargetError(f"{_quoted(word)} is no range: write 10.0.0.5-20 or 10.0.0.5-10.0.1.7") from error
    if last < first:
        raise TargetError(f"{_quoted(word)} runs backwards: write the lower address first")
    for edge in (first, last):
        _refuse_unusable(edge, word)
    numbers = range(int(first), int(last) + 1)
    return _Asked(len(numbers), lambda: (_searched(IPv4Address(number)) for number in numbers))


def _endpoint(word: str, resolve: Resolve) -> _Asked:
    """An address or a host name, with or without a port. A bare IPv6 address needs no brackets."""
    try:
        return _listed([Target(str(_usable(word, word)), None, None, None, shared=False)])
    except ValueError as error:
        if isinstance(error, TargetError):
            raise
    match = _HOST_AND_PORT.fullmatch(word)
    if match is None:
        raise TargetError(f"{_quoted(word)} is not understood: write {_EXAMPLES}")
    port = None if match["port"] is None else _port(match["port"], word)
    addresses = _addresses(match["host"].strip("[]"), word, resolve)
    return _listed([Target(address, port, None, None, shared=False) for address in addresses])


def _port(text: str, word: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= _HIGHEST_PORT and len(text) <= 5):  # noqa: PLR2004
        raise TargetError(f"{_quoted(word)}: write a port from 1 to {_HIGHEST_PORT} after the colon")
    return int(text)


def _addresses(host: str, word: str, resolve: Resolve) -> list[str]:
    """A literal's own address, or what a name resolves to: its IPv4 addresses where it has any, else its IPv6 ones.

    Only one family, because a camera that has both would otherwise be assessed twice.
    """
    try:
        return [str(_usable(host.replace("%25", "%"), word))]
    except ValueError as error:
        if isinstance(error, TargetError):
            raise
    labels = host.removesuffix(".").split(".")
    if ":" in host or len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):  # noqa: PLR2004 - RFC 1035
        raise TargetError(f"{_quoted(word)} is not understood: write {_EXAMPLES}")
    if _NUMBER.fullmatch(labels[-1]):
        # The system's resolver takes "10.5" for 10.0.0.5 and "010.0.0.5" for 8.0.0.5: never ask it.
        raise TargetError(f"{_quoted(word)} is no address: write four numbers from 0 to 255 without leading zeros")
    try:
        found = [_usable(text, word) for text in dict.fromkeys(resolve(host))]
    except OSError as error:
        raise TargetError(f"{_quoted(word)}: the name does not resolve; write its address") from error
    chosen = [address for address in found if address.version == 4] or found  # noqa: PLR2004
    if not chosen:
        raise TargetError(f"{_quoted(word)}: the name has no address; write its address")
    return [str(address) for address in chosen]


def _usable(text: str, word: str) -> Address:
    """Raises ValueError where the text is no address, TargetError where it is one that no camera has."""
    address = ip_address(text)
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    _refuse_unusable(address, word)
    return address


def _refuse_unusable(address: Address, word: str) -> None:
    if address.is_multicast or address.is_unspecified or str(address) == "255.255.255.255":
        raise TargetError(f"{_quoted(word)} is an address that no camera has: write the camera's own address")
    if isinstance(address, IPv6Address) and address.is_link_local and address.scope_id is None:
        raise TargetError(f"{_quoted(word)} is link-local: write the interface after it, such as fe80::1%eth0")


def _searched(address: Address) -> Target:
    return Target(str(address), None, None, None, shared=False, searched=True)


def _listed(targets: list[Target]) -> _Asked:
    return _Asked(len(targets), lambda: iter(targets))


def _quoted(word: str) -> str:
    """The word as it may be shown: nothing from '?', '#' or '@' on, where a secret could stand."""
    return f"'{clean_text(re.split('[?#@]', word)[0] or '@', 80)}'"


def _without_duplicates(targets: Iterator[Target]) -> list[Target]:
    """Each endpoint once, at its first place. "host:80" and "http://host/" are one endpoint."""
    kept: dict[tuple[str, int | None], list[Target]] = {}
    for target in targets:
        same_place = kept.setdefault((target.address, target.port), [])
        for index, known in enumerate(same_place):
            if _agree(known.scheme, target.scheme) and _agree(known.path, target.path):
                same_place[index] = replace(
                    known,
                    scheme=known.scheme or target.scheme,
                    path=known.path or target.path,
                    searched=known.searched and target.searched,
                )
                break
        else:
            same_place.append(target)
    return [target for same_place in kept.values() for target in same_place]


def _agree(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other


def _mark_shared(targets: list[Target]) -> list[Target]:
    with_port = [target.address for target in targets if target.port is not None]
    counts: dict[str, int] = {}
    for address in with_port:
        counts[address] = counts.get(address, 0) + 1
    return [replace(target, shared=counts.get(target.address, 0) > 1) for target in targets]

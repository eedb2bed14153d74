"""Which network interfaces to ask on, by the IPv4 address that each sends from."""

import socket
import struct
import sys
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network

if sys.platform == "linux":
    from fcntl import ioctl

_UP, _LOOPBACK, _MULTICAST = 0x1, 0x8, 0x1000
# SIOCGIFFLAGS, SIOCGIFADDR and SIOCGIFNETMASK of Linux.
_GET_FLAGS, _GET_ADDRESS, _GET_MASK = 0x8913, 0x8915, 0x891B


class InterfaceError(ValueError):
    """An interface that does not exist or has no IPv4 address. The text names it."""


def addresses(interfaces: Sequence[str] | None) -> list[str]:
    """The IPv4 address of each interface, given by name or by address; `None` is every one that can send multicast.

    Loopback is used only when asked for. Only Linux tells interfaces by name without another library: elsewhere `None`
    is the interface that the system prefers, and others are given by address. Raises InterfaceError.
    """
    if interfaces is not None:
        return list(dict.fromkeys(_address(one) for one in interfaces))
    if sys.platform != "linux":
        return ["0.0.0.0"]  # noqa: S104 - sends from the preferred interface, hears only answers to itself
    return [_address(name) for _, name in socket.if_nameindex() if _speaks_multicast(name)]


def networks() -> list[IPv4Network]:
    """Those that this machine is in, loopback apart; none where the system does not tell."""
    found: list[IPv4Network] = []
    for _, name in socket.if_nameindex() if sys.platform == "linux" else ():
        if _speaks_multicast(name):
            mask = socket.inet_ntoa(_ask(name, _GET_MASK)[20:24])
            found.append(IPv4Network(f"{_address(name)}/{mask}", strict=False))
    return list(dict.fromkeys(found))


def _address(interface: str) -> str:
    try:
        return str(IPv4Address(interface))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(_ask(interface, _GET_ADDRESS)[20:24])
    except OSError as error:
        raise InterfaceError(f"{interface!r} is no interface with an IPv4 address") from error


def _speaks_multicast(interface: str) -> bool:
    try:
        (flags,) = struct.unpack_from("H", _ask(interface, _GET_FLAGS), 16)
        _ask(interface, _GET_ADDRESS)
    except OSError:  # it has no IPv4 address, or has just gone
        return False
    return bool(flags & _UP and flags & _MULTICAST and not flags & _LOOPBACK)


def _ask(interface: str, question: int) -> bytes:
    if sys.platform != "linux":
        raise OSError("interfaces have no names here")
    name = interface.encode("utf-8", "surrogateescape")
    if not 0 < len(name) < 16 or b"\0" in name:  # noqa: PLR2004 - IFNAMSIZ
        raise OSError("no such interface")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        return ioctl(asker.fileno(), question, struct.pack("256s", name))

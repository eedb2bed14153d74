"""No test talks to anything but this machine.

The interpreter's audit events show every connect, datagram and name look-up, also those made in C: the call is refused
before it happens. Allowed are 127.0.0.0/8, ::1, Unix sockets, and multicast that leaves through the loopback interface.
One hole is known: a name given straight to `socket.connect` is looked up before the event, which then refuses the
connect. Child processes are not watched.
"""

import socket
import sys
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from tests.frame.offences import RECORD

LOCAL_FAMILIES = frozenset({socket.AF_UNIX, getattr(socket, "AF_NETLINK", socket.AF_UNIX)})


def _look_up(host: object, *_: object) -> None:
    """Names under .invalid never exist (RFC 6761): the answer is known without asking anybody."""
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "localhost")
    if name.endswith(".invalid"):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    if name != "localhost" and _address(name) is None:
        raise RECORD.refuse(f"look-up of the name {name!r}: tests know no name server")


def _send(sock: socket.socket, to: tuple[object, ...] | None) -> None:
    if sock.family in LOCAL_FAMILIES or to is None:
        return
    host = str(to[0])
    address = _address(host)
    if host == "localhost" or (address and (address.is_loopback or _stays_on_loopback(sock, address))):
        return
    raise RECORD.refuse(f"traffic to {to!r}: tests talk to loopback only")


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _stays_on_loopback(sock: socket.socket, group: IPv4Address | IPv6Address) -> bool:
    if not group.is_multicast:
        return False
    if isinstance(group, IPv6Address):
        leaves_by = sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF)
        return leaves_by == socket.if_nametoindex("lo")
    return IPv4Address(sock.getsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, 4)).is_loopback


WATCHED: Mapping[str, Callable[..., None]] = {
    "socket.connect": _send,
    "socket.sendto": _send,
    "socket.sendmsg": _send,
    "socket.getaddrinfo": _look_up,
    "socket.gethostbyname": _look_up,
    "socket.gethostbyaddr": _look_up,
}


def _hook(event: str, arguments: tuple[Any, ...], watched: Mapping[str, Callable[..., None]] = WATCHED) -> None:
    if watcher := watched.get(event):
        watcher(*arguments)


sys.addaudithook(_hook)

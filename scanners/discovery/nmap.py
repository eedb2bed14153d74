"""Service fingerprints by nmap, where they are asked for: slow (seconds for a camera), but it knows most services."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

import nmap

from cameras.untrusted import clean_text

ADDRESSES_AT_ONCE = 64
HIGHEST_PORT = 65535


class NmapMissing(Exception):
    """nmap is not installed. The text says how to install it."""


class NmapFailed(Exception):
    """nmap did not finish in time, or said something that cannot be understood."""


async def fingerprint(
    addresses: Iterable[str], ports: Iterable[int], *, timeout_s: int = 600
) -> dict[str, dict[int, str]]:
    """What nmap takes each open port for, such as "Boa HTTPd 0.94.14rc21", by address and port.

    Only TCP connects and light probes. An address or port without an entry was not recognised. `timeout_s` bounds each
    run of at most `ADDRESSES_AT_ONCE` addresses. Raises NmapMissing, NmapFailed, and ValueError for what is no address
    or port.
    """
    port_list = ",".join(str(port) for port in sorted({_port(port) for port in ports}))
    by_family: dict[int, list[str]] = {4: [], 6: []}
    for address in dict.fromkeys(addresses):
        by_family[ip_address(address).version].append(address)
    found: dict[str, dict[int, str]] = {}
    if port_list:
        for version, family in by_family.items():
            for first in range(0, len(family), ADDRESSES_AT_ONCE):
                some = family[first : first + ADDRESSES_AT_ONCE]
                found.update(await asyncio.to_thread(_run, some, port_list, version, timeout_s))
    return found


def _port(port: int) -> int:
    if not 1 <= port <= HIGHEST_PORT:
        raise ValueError(f"{port} is no port")
    return port


def _run(addresses: Sequence[str], ports: str, version: int, timeout_s: int) -> dict[str, dict[int, str]]:
    # Only parsed addresses and numbers reach the command line: nothing in it can be an option or a file.
    # -n: no names are asked for; -Pn: the sweep knows who is there; --host-timeout ends nmap before our limit kills it.
    host_timeout_s = max(1, timeout_s - 5)
    family = {4: "", 6: " -6"}[version]
    arguments = f"-n -Pn -sT -sV --version-light --host-timeout {host_timeout_s}s{family}"
    try:
        scanner = nmap.PortScanner()
    except nmap.PortScannerError as error:
        raise NmapMissing("nmap is not installed: apt-get install nmap") from error
    try:
        answer = scanner.scan(hosts=" ".join(addresses), ports=ports, arguments=arguments, timeout=timeout_s)
    except nmap.PortScannerTimeout as error:
        raise NmapFailed(f"nmap did not finish within {timeout_s} s") from error
    except nmap.PortScannerError as error:
        raise NmapFailed(f"nmap failed: {clean_text(str(error))}") from error
    return _services(answer)


def _services(answer: Mapping[str, Any]) -> dict[str, dict[int, str]]:
    found: dict[str, dict[int, str]] = {}
    for address, host in answer.get("scan", {}).items():
        for port, service in host.get("tcp", {}).items():
            words = [service.get(key, "") for key in ("product", "version", "extrainfo")]
            said = " ".join(word for word in words if word) or service.get("name", "")
            if service.get("state") == "open" and said:
                found.setdefault(address, {})[port] = clean_text(said)
    return found

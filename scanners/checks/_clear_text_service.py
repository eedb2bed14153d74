"""Telnet and FTP are judged alike: only the bytes of the service prove it, an open port alone does not."""

from collections.abc import Sequence
from typing import Literal

from cameras.facts import Banners, OpenPorts
from scanners.checks._words import listed
from scanners.knowledge import PortTable
from scanners.model import Judgement, failed, passed, undecided

_NAMES = {"telnet": "Telnet", "ftp": "FTP"}


def judge(
    service: Literal["telnet", "ftp"], ports: OpenPorts, banners: Banners, table: PortTable
) -> Sequence[Judgement]:
    name, usual = _NAMES[service], table.meant_for(service)
    said = {banner.port: banner for banner in banners.banners if banner.port in ports.open}
    proven = [port for port, banner in said.items() if banner.protocol == service]
    if proven:
        quotes = {str(port): said[port].text for port in proven}
        return [failed(f"{name} answers on port {listed(proven)}", ports=proven, banners=quotes)]
    mute = [port for port in usual if port in ports.open and (port not in said or said[port].protocol is None)]
    if mute:
        quotes = {str(port): said[port].text for port in mute if port in said}
        return [
            undecided(
                f"Port {listed(mute)} is open, but what it says does not prove {name}; try it by hand",
                ports=mute,
                banners=quotes,
            )
        ]
    tried = [port for port in usual if port in (*ports.open, *ports.closed, *ports.silent)]
    if not tried:
        return [undecided(f"No usual {name} port ({listed(usual)}) was tried", tried=tried)]
    return [passed(f"No {name} answers; tried port {listed(tried)}", tried=tried)]

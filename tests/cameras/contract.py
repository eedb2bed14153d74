"""What every driver is held to, one story a capability, and the table of who can what that comes out of it.

`python -m tests.cameras.contract` lets all families go through all stories and writes docs/capabilities.md.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from cameras.driver import Driver, SwitchName
from cameras.drivers.beside import BesideOnvif
from cameras.errors import Unsupported
from tests.cameras import stories
from tests.cameras.meeting import FAMILIES, meet
from tests.cameras.stories import Story

DOCUMENT = Path(__file__).parents[2] / "docs" / "capabilities.md"
SWITCHES: Mapping[SwitchName, str] = MappingProxyType(
    {
        "telnet": "Telnet",
        "ftp": "FTP",
        "ssh": "SSH",
        "upnp": "UPnP",
        "bonjour": "Bonjour",
        "snmp-v1-v2c": "SNMP v1 and v2c",
    }
)
CANNOT = "no"
APIS = {"axis": "VAPIX", "hikvision": "ISAPI", "dahua": "CGI", "hanwha": "SUNAPI", "onvif": "ONVIF"}


@dataclass(frozen=True, slots=True)
class Capability:
    """`title` names it in the table; `method` is the driver's that does it, for telling whose API that is."""

    title: str
    method: str
    story: Story


CAPABILITIES: Mapping[str, Capability] = MappingProxyType(
    {
        "identity": Capability("Who it is: model, serial number, firmware", "identity", stories.identity),
        "streams": Capability("Its streams", "stream_profiles", stories.streams),
        "snapshot": Capability("A snapshot", "snapshot", stories.snapshot),
        "log": Capability("Its own log", "log", stories.log),
        "accounts": Capability("Its accounts and their roles", "accounts", stories.accounts),
        "an-account": Capability("Make and remove an account", "create_account", stories.an_account),
        "password": Capability("Set another account's password", "set_password", stories.password_of_another),
        "own-password": Capability(
            "Set the password that it is spoken to with", "set_password", stories.our_own_password
        ),
        "lockout": Capability("Lock-out after wrong passwords", "set_lockout", stories.lockout),
        "anonymous": Capability("Pictures without a login, on and off", "set_anonymous_viewer", stories.anonymous),
        "ip-filter": Capability("Who may come in by address", "ip_filter", stories.ip_filter),
        "ip-filter-trial": Capability(
            "Set who may come in by address: on trial first, so that nobody is shut out",
            "try_ip_filter",
            stories.ip_filter_on_trial,
        ),
        "network-services": Capability(
            "HTTP, HTTPS and RTSP on and off", "set_network_service", stories.network_services
        ),
        **{
            name: Capability(f"{label} on and off", "set_switch", stories.switch(name))
            for name, label in zip(
                SWITCHES, ("Telnet", "FTP", "SSH", "UPnP", "Bonjour", "SNMP v1 and v2c"), strict=True
            )
        },
        "clock": Capability("Time servers", "set_clock_source", stories.clock_source),
        "discovery": Capability("Discoverable or not", "set_discovery_mode", stories.discovery_mode),
        "syslog": Capability("Where its log is sent", "set_syslog_target", stories.syslog),
        "certificates": Capability("Its certificates", "certificates", stories.certificates),
        "own-certificate": Capability(
            "A key made on the camera, and a certificate of yours for it",
            "install_certificate",
            stories.a_certificate_of_ours,
        ),
        "firmware": Capability("Firmware", "upload_firmware", stories.firmware),
        "firmware-trial": Capability(
            "Firmware on trial: it goes back by itself or when told", "roll_back_firmware", stories.firmware_on_trial
        ),
        "backup": Capability("Back up and restore the configuration", "backup", stories.backup),
        "reboot": Capability("Restart", "reboot", stories.reboot),
        "app": Capability("Applications: list, start, stop", "apps", stories.an_app_that_is_there),
        "apps": Capability("Applications: install and remove", "upload_app", stories.apps),
        "unsigned-apps": Capability(
            "Whether unsigned applications may be installed", "set_unsigned_apps", stories.unsigned_apps
        ),
    }
)


async def cell(family: str, name: str) -> str:
    """By whose API this family can do it; "no" where it cannot. Any other end of the story is an error."""
    capability = CAPABILITIES[name]
    async with meet(family) as met:
        try:
            await capability.story(met)
        except Unsupported:
            return CANNOT
        async with met.opened() as driver:
            return _api_of(driver, capability.method)


def _api_of(driver: Driver, method: str) -> str:
    own = getattr(type(driver), method) is not getattr(BesideOnvif, method, None)
    return APIS[driver.family] if own else APIS["onvif"]


HEAD = """# What each family can do

What Camwarden can ask and change on a camera, by family, and by whose interface: the vendor's own, or ONVIF where the
vendor's has no word for it that we know. "no" is a thing that this family cannot do, that nothing could take back
should it shut us out, or that is not described well enough to be relied on: it is answered with "unsupported", and
nothing is sent. The pages under [vendors](vendors/) say what was verified on real cameras and what was not.

This table is written by the tests that every driver has to pass (`python -m tests.cameras.contract`).

"""


def table(cells: Mapping[tuple[str, str], str]) -> str:
    lines = ["| | " + " | ".join(FAMILIES) + " |", "|---|" + "---|" * len(FAMILIES)]
    lines += [
        f"| {capability.title} | " + " | ".join(cells[family, name] for family in FAMILIES) + " |"
        for name, capability in CAPABILITIES.items()
    ]
    return HEAD + "\n".join(lines) + "\n"


def documented() -> Mapping[tuple[str, str], str]:
    """The cells of the document as it stands."""
    rows = [line.strip("| ").split(" | ") for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("| ")]
    by_title = {row[0]: row[1:] for row in rows[1:]}
    return {
        (family, name): by_title[capability.title][place]
        for name, capability in CAPABILITIES.items()
        for place, family in enumerate(FAMILIES)
        if len(by_title.get(capability.title, ())) > place
    }


async def _written() -> None:
    cells = {}
    for family in FAMILIES:
        for name in CAPABILITIES:
            cells[family, name] = await cell(family, name)
    DOCUMENT.write_text(table(cells), "utf-8")


if __name__ == "__main__":
    asyncio.run(_written())

"""SUNAPI, the API of Hanwha's (Wisenet, once Samsung) cameras: what is at which path, and who may ask.

Written from the vendor's programmer's guides and from what cameras were seen to do. One that was never set up answers
403 without a challenge to everything. One that blocks an account answers 490, as does one that has too few sessions.
An account without the right is told that its method is not allowed (405).
"""

from collections.abc import Mapping
from types import MappingProxyType

from simulator.api import XML, Answer, Api, Call, Page, needs
from simulator.auth import Entry
from simulator.sunapi.accounts import INITIALISE
from simulator.sunapi.dialect import page
from simulator.sunapi.network import NETWORK
from simulator.sunapi.open_platform import OPEN_PLATFORM
from simulator.sunapi.security import SECURITY
from simulator.sunapi.system import SYSTEM

BLOCKED = "Account Blocked"


def _attributes(call: Call) -> Answer:
    """What it can do, as far as anybody here asks."""
    twice = "Mandatory" if "sunapi-asks-twice" in call.device.plan.quirks else "Optional"
    rows = (
        ("System", "Support", "OpenSDK", "bool", "True"),
        ("System", "Support", "OneOpenAppPerChannel", "bool", "False"),
        ("Security", "Support", "CurrentPasswordVerification", "enum", twice),
        ("Security", "Limit", "MaxUser", "int", "10"),
    )
    said = "".join(
        f'<group name="{group}"><category name="{category}"><attribute name="{name}" type="{kind}" value="{value}" '
        'accesslevel="suser"/></category></group>'
        for group, category, name, kind, value in rows
    )
    return Answer(
        f'<?xml version="1.0" encoding="UTF-8"?><capabilities><attributes>{said}</attributes></capabilities>', XML
    )


PAGES: Mapping[str, Page] = MappingProxyType(
    {
        "/stw-cgi/system.cgi": page(SYSTEM),
        "/stw-cgi/network.cgi": page(NETWORK),
        "/stw-cgi/security.cgi": page(SECURITY),
        "/stw-cgi/opensdk.cgi": page(OPEN_PLATFORM),
        "/stw-cgi/attributes.cgi/attributes": Page(needs("viewer"), _attributes),
        "/init-cgi/pw_init.cgi": INITIALISE,
    }
)


def _refused(_call: Call, entry: Entry | None) -> Answer:
    if entry is None:
        return Answer("Not Allowed", status=405)
    return Answer(BLOCKED, status=490) if entry is Entry.LOCKED else Answer("Unauthorized", status=401)


def _not_set_up(_call: Call) -> Answer:
    return Answer("Forbidden", status=403)


API = Api(PAGES.get, _refused, _not_set_up)

__all__ = ["API", "BLOCKED", "PAGES"]

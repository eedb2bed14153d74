"""The HTTP API of the dahua family, whichever label is on the camera: what is at which path, and who may ask.

Written from other people's documentation, programs and captured answers, never from what a client would like: all
that is asked stands in the query, answers are `key=value` lines, a no is `Error` and `Bad Request!` under HTTP 400 or
200, an unknown name looks on newer firmware like a lack of rights.
"""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from simulator.api import Answer, Api, Call, Page
from simulator.auth import Entry
from simulator.dahua_cgi import applications, configuration, information, log, upgrade, users
from simulator.dahua_cgi.words import no_authority
from simulator.vendors import VENDORS

PAGES: Mapping[str, Page] = MappingProxyType(
    {
        "/cgi-bin/magicBox.cgi": information.MAGIC_BOX,
        "/cgi-bin/global.cgi": information.GLOBAL,
        "/cgi-bin/netApp.cgi": information.NET_APP,
        "/cgi-bin/configManager.cgi": configuration.CONFIG_MANAGER,
        "/cgi-bin/userManager.cgi": users.USER_MANAGER,
        "/cgi-bin/upgrader.cgi": upgrade.UPGRADER,
        "/cgi-bin/dhop.cgi": applications.DHOP,
        "/cgi-bin/installManager.cgi": applications.INSTALL_MANAGER,
        "/cgi-bin/log.cgi": log.LOG,
    }
)
SNAPSHOT = "/cgi-bin/snapshot.cgi?channel=1"


def _refused(_call: Call, entry: Entry | None) -> Answer:
    if entry is None:
        return no_authority()
    said = VENDORS["dahua"].locked_text if entry is Entry.LOCKED else "Invalid Authority!"
    return Answer(f"Error\r\n{said}\r\n", status=HTTPStatus.UNAUTHORIZED)


def _not_set_up(_call: Call) -> Answer:
    """Before the first account is made in the browser, nothing here says anything."""
    return Answer("")


API = Api(PAGES.get, _refused, _not_set_up, pictures=lambda _plan: (SNAPSHOT,))

__all__ = ["API", "PAGES", "SNAPSHOT"]

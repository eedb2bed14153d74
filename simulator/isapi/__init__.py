"""ISAPI, the API of the hikvision family: what is at which path, and who may ask.

Written from captured replies and other people's clients. What of it rests on nobody's camera stands in
docs/vendors/hikvision.md. Everything else under /ISAPI is "not supported", under HTTP 403.
"""

from collections.abc import Mapping
from types import MappingProxyType

from simulator.api import HTML, Answer, Api, Call, Page, needs
from simulator.auth import Entry
from simulator.isapi import access, applications, firmware, settings, system, users
from simulator.isapi.documents import LOW_PRIVILEGE, NOT_ACTIVATED, NOT_SUPPORTED, answer, dated, said
from simulator.plan import CameraPlan
from simulator.vendors import VENDORS

PICTURES = ("/ISAPI/Streaming/channels/101/picture", "/ISAPI/Streaming/channels/102/picture")
PAGES: Mapping[str, Page] = MappingProxyType(
    {
        "/SDK/activateStatus": system.ACTIVATE_STATUS,
        "/ISAPI/System/activateStatus": system.ACTIVATE_STATUS,
        "/ISAPI/System/deviceInfo": system.DEVICE_INFO,
        "/ISAPI/System/status": system.STATUS,
        "/ISAPI/System/reboot": system.REBOOTING,
        "/ISAPI/System/configurationData": system.CONFIGURATION,
        "/ISAPI/System/updateFirmware": firmware.UPDATE_FIRMWARE,
        "/ISAPI/System/upgradeStatus": firmware.UPGRADE_STATUS,
        "/ISAPI/System/Network/interfaces": system.INTERFACES,
        "/ISAPI/Streaming/channels": system.CHANNELS,
        "/ISAPI/Security/userCheck": users.USER_CHECK,
        "/ISAPI/Security/capabilities": system.SECURITY_CAPABILITIES,
        "/ISAPI/Security/serverCertificate/certificates": system.CERTIFICATES,
        "/ISAPI/ContentMgmt/logSearch": system.LOG_SEARCH,
        **{path: document.page() for path, document in settings.DOCUMENTS.items()},
    }
)
_BELOW: Mapping[str, Page] = MappingProxyType(
    {
        users.WEB.path: users.WEB.page(),
        users.ONVIF.path: users.ONVIF.page(),
        access.PATH: access.ACCESSES,
        applications.PATH: applications.APPLICATIONS,
    }
)
_NOTHING = Page(needs("viewer"), lambda call: said(call, NOT_SUPPORTED))


def _page_at(path: str) -> Page | None:
    if page := PAGES.get(path):
        return page
    if not path.startswith("/ISAPI/"):
        return None
    below = (page for start, page in _BELOW.items() if path == start or path.startswith(f"{start}/"))
    return next(below, _NOTHING)


def _refused(call: Call, entry: Entry | None) -> Answer:
    if entry is None:
        return said(call, LOW_PRIVILEGE)
    if entry is Entry.LOCKED or call.request.path == VENDORS["hikvision"].login_path:
        return answer(call, users.turned_away(call, entry), 401)
    page = "<!DOCTYPE html><html><head><title>Document Error: Unauthorized</title></head></html>"
    return Answer(page, HTML, 401, dated(call))


def _not_set_up(call: Call) -> Answer:
    return said(call, NOT_ACTIVATED)


def _pictures(_plan: CameraPlan) -> tuple[str, ...]:
    return PICTURES


API = Api(_page_at, _refused, _not_set_up, pictures=_pictures)

__all__ = ["API", "PAGES"]

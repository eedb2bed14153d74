"""VAPIX, the API of the axis family: what is at which path, and who may ask.

Written from the vendor's documentation and from what cameras were seen to do: success and failure both come as HTTP
200, an account without the right group gets 401 as if the password were wrong, JSON says `charset=utf8`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from simulator.api import HTML, Answer, Api, Call, Offer, Page
from simulator.auth import Entry
from simulator.vapix import accounts, applications, firewall, firmware, information, logs, parameters, rest, services
from simulator.vapix.applications import takes_unsigned
from simulator.vapix.parameters import value_of
from simulator.vendors import VENDORS

PAGES: Mapping[str, Page] = MappingProxyType(
    {
        "/axis-cgi/basicdeviceinfo.cgi": information.BASIC_DEVICE_INFO,
        "/axis-cgi/apidiscovery.cgi": information.API_DISCOVERY,
        "/axis-cgi/systemready.cgi": information.SYSTEM_READY,
        "/axis-cgi/param.cgi": parameters.PARAM,
        "/axis-cgi/pwdgrp.cgi": accounts.PWDGRP,
        "/axis-cgi/usergroup.cgi": accounts.USERGROUP,
        "/axis-cgi/firmwaremanagement.cgi": firmware.FIRMWARE_MANAGEMENT,
        "/axis-cgi/applications/list.cgi": applications.LIST,
        "/axis-cgi/applications/upload.cgi": applications.UPLOAD,
        "/axis-cgi/applications/control.cgi": applications.CONTROL,
        "/axis-cgi/applications/config.cgi": applications.CONFIG,
        "/axis-cgi/ntp.cgi": services.NTP,
        "/axis-cgi/ssh.cgi": services.SSH,
        "/axis-cgi/mdnssd.cgi": services.MDNS,
        "/axis-cgi/remotesyslog.cgi": services.REMOTE_SYSLOG,
        "/axis-cgi/systemlog.cgi": logs.SYSTEM_LOG,
    }
)


def _offer(call: Call) -> Offer:
    """By the authentication policy: `recommended` is Digest, but Basic inside TLS."""
    policy, tls = value_of(call.device.plan, "Network.HTTP.AuthenticationPolicy"), call.request.tls
    if policy == "recommended":
        return Offer(digest=not tls, basic=tls)
    return Offer(digest=policy != "basic", basic=policy.startswith("basic"))


def _refused(_call: Call, entry: Entry | None) -> Answer:
    return Answer(VENDORS["axis"].locked_text if entry is Entry.LOCKED else "Unauthorized", status=401)


def _not_set_up(call: Call) -> Answer | None:
    if call.request.path == VENDORS["axis"].login_path:
        return None
    return Answer("Error: initial admin user must be created first.", HTML, 401)


def _page_at(path: str) -> Page | None:
    if path.startswith(rest.ROOT):
        return rest.REST
    return rest.DISCOVER if path == rest.DISCOVERY or path.startswith(f"{rest.DISCOVERY}/") else PAGES.get(path)


API = Api(_page_at, _refused, _not_set_up, _offer, lets_in=firewall.lets_in)

__all__ = ["API", "PAGES", "takes_unsigned", "value_of"]

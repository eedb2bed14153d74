"""VAPIX, the API of the axis family: what is at which path, and who may ask.

Written from the vendor's documentation and from what cameras were seen to do: success and failure both come as HTTP
200, an account without the right group gets 401 as if the password were wrong, JSON says `charset=utf8`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from simulator.vapix import accounts, applications, firmware, information, parameters, services
from simulator.vapix.call import GROUPS, Call, Page
from simulator.vapix.parameters import value_of

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
    }
)

__all__ = ["GROUPS", "PAGES", "Call", "Page", "value_of"]

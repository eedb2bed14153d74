"""Every setting, in the order in which it is safe to change them.

The clock first: signed logins depend on it. Then the log, so that the camera's own record holds what follows. What is
only switched off, and which applications may be installed, touch nothing that comes after them. The doors last: HTTPS
is there and proved before plain HTTP goes. Whom they let in is the very last: it is told, and proved, by the door that
stays.
"""

from typing import Any

from hardening.model import Setting
from hardening.settings import (
    anonymous_viewer,
    discovery_mode,
    http,
    https,
    ip_allow_list,
    ntp,
    service_account,
    snmp_v1_v2c,
    syslog,
    telnet_ftp,
    unsigned_apps,
    upnp_bonjour,
)

AnySetting = Setting[Any, Any]

SETTINGS: tuple[AnySetting, ...] = (
    ntp.SETTING,
    syslog.SETTING,
    service_account.SETTING,
    anonymous_viewer.SETTING,
    discovery_mode.SETTING,
    upnp_bonjour.SETTING,
    snmp_v1_v2c.SETTING,
    telnet_ftp.SETTING,
    unsigned_apps.SETTING,
    https.SETTING,
    http.SETTING,
    ip_allow_list.SETTING,
)
BY_NAME: dict[str, AnySetting] = {setting.name: setting for setting in SETTINGS}

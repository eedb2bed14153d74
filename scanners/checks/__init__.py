"""Every check, in the order in which an operator reads them, and the page that documents them."""

from scanners.checks import (
    _page,
    anonymous_onvif,
    anonymous_rtsp,
    anonymous_snapshot,
    clock_skew,
    default_credentials,
    discovery_left_on,
    factory_default_state,
    firmware_outdated,
    ftp_open,
    http_basic_cleartext,
    http_cleartext_management,
    lockout_off,
    ntp_not_configured,
    snmp_public,
    snmp_v1_v2c,
    telnet_open,
    tls_certificate,
    too_many_administrators,
    unexpected_port,
    unsigned_apps,
)
from scanners.knowledge import load_knowledge
from scanners.model import Check

CHECKS: tuple[Check, ...] = (
    default_credentials.CHECK,
    anonymous_onvif.CHECK,
    anonymous_snapshot.CHECK,
    anonymous_rtsp.CHECK,
    factory_default_state.CHECK,
    telnet_open.CHECK,
    ftp_open.CHECK,
    unexpected_port.CHECK,
    http_cleartext_management.CHECK,
    http_basic_cleartext.CHECK,
    clock_skew.CHECK,
    ntp_not_configured.CHECK,
    discovery_left_on.CHECK,
    firmware_outdated.CHECK,
    tls_certificate.CHECK,
    too_many_administrators.CHECK,
    lockout_off.CHECK,
    snmp_v1_v2c.CHECK,
    snmp_public.CHECK,
    unsigned_apps.CHECK,
)


def catalogue_page() -> str:
    """What docs/checks.md must say."""
    return _page.page(CHECKS, load_knowledge().ports)

"""What ONVIF's changes are told: arguments as zeep takes them. Pure.

ONVIF's Set operations replace what they name, so whatever we do not mean to change is taken from what the camera said.
"""

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from cameras.errors import Refused, Unsupported
from cameras.facts import Accounts, NetworkServices
from cameras.secret import Secret

Arguments = Mapping[str, Any]


def ntp(servers: Sequence[str], *, from_dhcp: bool) -> Arguments:
    """SetNTP."""
    return {"FromDHCP": from_dhcp, "NTPManual": [_network_host(server) for server in servers]}


def _network_host(server: str) -> Arguments:
    try:
        version = ip_address(server).version
    except ValueError:
        return {"Type": "DNS", "DNSname": server}
    return {"Type": f"IPv{version}", f"IPv{version}Address": server}


def clock_by_ntp(current: Any) -> Arguments:  # noqa: ANN401 - zeep's values have no types
    """SetSystemDateAndTime, after GetSystemDateAndTime: the time zone and summer time stay as they are."""
    zone = getattr(getattr(current, "TimeZone", None), "TZ", None)
    arguments = {"DateTimeType": "NTP", "DaylightSavings": bool(getattr(current, "DaylightSavings", False))}
    return arguments | ({"TimeZone": {"TZ": zone}} if isinstance(zone, str) and zone else {})


def network_service(current: NetworkServices, name: str, *, enabled: bool) -> Arguments:
    """SetNetworkProtocols for one service, on the ports that it has. Unsupported where the camera does not list it."""
    service = next((service for service in current.services if service.name == name), None)
    if service is None:
        raise Unsupported(f"SetNetworkProtocols: it does not list {name}")
    return {"NetworkProtocols": [{"Name": name, "Enabled": enabled, "Port": list(service.ports)}]}


def user(name: str, password: Secret, role: str) -> Arguments:
    """CreateUsers and SetUser."""
    return {"User": [{"Username": name, "Password": password.reveal(), "UserLevel": role}]}


def role_of(accounts: Accounts, name: str) -> str:
    """SetUser sets the level too, so it is told the one that the account has."""
    role = next((account.role for account in accounts.users if account.name == name), None)
    if role is None:
        raise Refused(f"SetUser: it has no account {name!r}")
    return role

"""Settings that ISAPI alone knows, kept among the camera's parameters under their place in ISAPI."""

from collections.abc import Mapping
from types import MappingProxyType

from simulator.isapi.documents import Fields
from simulator.plan import CameraPlan

FACTORY: Mapping[str, str] = MappingProxyType(
    {
        "UPnP/enabled": "true",
        "Bonjour/enabled": "true",
        "SNMP/SNMPv1c/enabled": "false",
        "SNMP/SNMPv2c/enabled": "false",
        "SNMP/SNMPAdvanced/enabled": "false",
        "EZVIZ/enabled": "false",
        "Integrate/ONVIF/enable": "true",
        "Integrate/CGI/enable": "true",
        "IllegalLoginLock/maxIllegalLoginTimes": "",
        "IPFilter/enabled": "false",
        "IPFilter/permissionType": "deny",
        "IPFilter/addresses": "",
    }
)


def kept(plan: CameraPlan, name: str) -> str:
    return dict(plan.parameters).get(name, FACTORY[name])


def keep(plan: CameraPlan, **values: str) -> Fields:
    """Names as in FACTORY, with `__` for `/`."""
    named = {name.replace("__", "/"): value for name, value in values.items()}
    return {"parameters": tuple(sorted({**dict(plan.parameters), **named}.items()))}

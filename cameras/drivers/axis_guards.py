"""What guards an Axis camera, in VAPIX: addresses, wrong passwords, certificates, its log, SNMP of newer firmware."""

from collections.abc import Mapping

from cameras import vapix_rest
from cameras.driver import OnvifBeside
from cameras.drivers.beside import BesideOnvif
from cameras.errors import Garbled, Refused, Unsupported
from cameras.facts import Certificates, DeviceLog, IpFilter, Lockout
from cameras.vapix import Vapix

SNMP_VERSIONS = ("SNMP.V1", "SNMP.V2c")


class AxisGuards(BesideOnvif):
    """REST where the firmware has it, parameters before that. Each raises `cameras.errors`."""

    def __init__(self, vapix: Vapix, onvif: OnvifBeside) -> None:
        super().__init__(onvif)
        self._vapix = vapix

    async def lockout(self) -> Lockout:
        return vapix_rest.lockout_of(await self._vapix.parameters(vapix_rest.THROTTLING))

    async def set_lockout(self, *, tries: int, lock_s: float) -> None:
        """For an address, not an account. Other limits of it stay."""
        present = await self._vapix.parameters(vapix_rest.THROTTLING)
        await self._vapix.set_parameters(vapix_rest.throttling_for(present, tries=tries, lock_s=lock_s))

    async def ip_filter(self) -> IpFilter:
        """The firewall of AXIS OS 12, or the filter that came before it."""
        try:
            return vapix_rest.decode_firewall(await self._vapix.rest("firewall/v1"))
        except Unsupported:
            return vapix_rest.ip_filter_of(await self._vapix.parameters(vapix_rest.FILTER))

    async def certificates(self) -> Certificates:
        """Unsupported before AXIS OS 11.11."""
        return vapix_rest.decode_certificates(await self._vapix.rest("cert/v1/certificates"))

    async def log(self) -> DeviceLog:
        return vapix_rest.decode_log(await self._vapix.words("systemlog.cgi", {}))

    async def _snmp(self, parameters: Mapping[str, str]) -> tuple[bool, bool | None]:
        """Whether it has SNMP, and whether it speaks the versions that know no password. By REST where parameters are
        gone.
        """
        versions = [_is_yes(parameters[name]) for name in SNMP_VERSIONS if name in parameters]
        if versions:
            return True, _is_yes(parameters.get("SNMP.Enabled", "yes")) and any(versions)
        try:
            return True, vapix_rest.decode_snmp(await self._vapix.rest("snmp/v1"))
        except Unsupported:
            return False, None
        except (Refused, Garbled):  # it is there and does not say
            return True, None

    async def _set_snmp(self, *, on: bool) -> None:
        """Version 3 stays as it is: off means that the two versions that know no password are off."""
        parameters = await self._vapix.parameters("SNMP.Enabled", *SNMP_VERSIONS)
        versions = {name: "yes" if on else "no" for name in SNMP_VERSIONS if name in parameters}
        if versions:
            await self._vapix.set_parameters(versions | ({"SNMP.Enabled": "yes"} if on else {}))
            return
        vapix_rest.decode_snmp(await self._vapix.rest("snmp/v1"))
        for version in ("snmpV1", "snmpV2"):
            await self._vapix.set_rest(f"snmp/v1/{version}/enabled", on)
        if on:
            await self._vapix.set_rest("snmp/v1/enabled", True)


def _is_yes(value: str) -> bool:
    return value.lower() == "yes"

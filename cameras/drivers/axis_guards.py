"""What guards an Axis camera, in VAPIX: addresses, wrong passwords, certificates, its log, which applications it takes,
SNMP of newer firmware.
"""

from collections.abc import Mapping
from typing import Any

from cameras import vapix_apps, vapix_firewall, vapix_rest
from cameras.driver import NO_FILTER_TRIAL, OnvifBeside
from cameras.drivers.beside import BesideOnvif
from cameras.errors import Garbled, Refused, Unsupported
from cameras.facts import Certificates, DeviceLog, FilterTrial, IpFilter, Lockout, UnsignedApps
from cameras.vapix import Vapix

SNMP_VERSIONS = ("SNMP.V1", "SNMP.V2c")
FIREWALL, SNMP = "firewall/v1", "snmp/v1"


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

    # --- who may come in ---

    async def ip_filter(self) -> IpFilter:
        """The firewall of AXIS OS 12, or the filter that came before it."""
        try:
            return vapix_firewall.ip_filter_of(await self._firewall())
        except Unsupported:
            if self._vapix.has_other_versions(FIREWALL):
                raise
            return vapix_rest.ip_filter_of(await self._vapix.parameters(vapix_rest.FILTER))

    async def filter_trial(self) -> FilterTrial:
        """Unsupported before the firewall: what `Network.Filter` is told counts at once."""
        firewall = await self._firewall()
        return FilterTrial(firewall.left_s, vapix_firewall.besides(firewall), self._vapix.http.seen_from)

    async def try_ip_filter(self, wanted: IpFilter, *, back_after_s: int) -> None:
        """A firewall that is off tries nothing (error 103): it is told to let everybody in, then switched on, then
        tried. Whoever is cut off in between has a firewall that filters nothing.
        """
        firewall = await self._firewall()
        if firewall.left_s:
            await self._vapix.do_rest(f"{FIREWALL}/conf/clearPendingRules", {})
            firewall = await self._firewall()
        rules = vapix_firewall.rules_for(firewall, wanted)
        if wanted.mode == "off":
            await self._set_rules(rules, fallback_s=0)
            if not rules["rules"]:
                await self._vapix.set_rest(f"{FIREWALL}/activated", False)
            return
        if not firewall.activated:
            await self._set_rules({"rules": [], "defaultPolicy": "ACCEPT"}, fallback_s=0)
            await self._vapix.set_rest(f"{FIREWALL}/activated", True)
        await self._set_rules(rules, fallback_s=back_after_s)

    async def keep_ip_filter(self) -> None:
        """Rules whose time is over may still be listed as pending: confirming those is nobody's wish."""
        if not (await self._firewall()).left_s:
            raise Refused("firewall: nothing is on trial any more: its time is over, and the earlier rules are back")
        await self._vapix.do_rest(f"{FIREWALL}/conf/confirmRules", {})

    async def _firewall(self) -> vapix_firewall.Firewall:
        try:
            said = await self._vapix.rest(FIREWALL)
        except Unsupported:
            if self._vapix.has_other_versions(FIREWALL):
                raise
            raise Unsupported(NO_FILTER_TRIAL) from None
        return vapix_firewall.decode_firewall(said)

    async def _set_rules(self, rules: Mapping[str, Any], *, fallback_s: int) -> None:
        await self._vapix.do_rest(f"{FIREWALL}/conf/setRules", {**rules, "fallbackTime": fallback_s})

    # --- applications ---

    async def unsigned_apps(self) -> UnsignedApps:
        """Unsupported before AXIS OS 11.2, where no application is asked for a signature."""
        asked = {"action": "get", "name": vapix_apps.ALLOW_UNSIGNED}
        return vapix_apps.decode_unsigned_apps(await self._vapix.raw(vapix_apps.CONFIG, asked))

    async def set_unsigned_apps(self, *, allowed: bool) -> None:
        told = {"action": "set", "name": vapix_apps.ALLOW_UNSIGNED, "value": "true" if allowed else "false"}
        vapix_apps.decode_unsigned_apps(await self._vapix.raw(vapix_apps.CONFIG, told, once=True))

    # --- certificates, log, SNMP ---

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
            return True, vapix_rest.decode_snmp(await self._vapix.rest(SNMP))
        except Unsupported:
            return self._vapix.has_other_versions(SNMP), None
        except (Refused, Garbled):  # it is there and does not say
            return True, None

    async def _set_snmp(self, *, on: bool) -> None:
        """Version 3 stays as it is: off means that the two versions that know no password are off."""
        parameters = await self._vapix.parameters("SNMP.Enabled", *SNMP_VERSIONS)
        versions = {name: "yes" if on else "no" for name in SNMP_VERSIONS if name in parameters}
        if versions:
            await self._vapix.set_parameters(versions | ({"SNMP.Enabled": "yes"} if on else {}))
            return
        vapix_rest.decode_snmp(await self._vapix.rest(SNMP))
        for version in ("snmpV1", "snmpV2"):
            await self._vapix.set_rest(f"{SNMP}/{version}/enabled", on)
        if on:
            await self._vapix.set_rest(f"{SNMP}/enabled", True)


def _is_yes(value: str) -> bool:
    return value.lower() == "yes"

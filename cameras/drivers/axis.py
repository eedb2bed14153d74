"""Axis cameras, in VAPIX; what VAPIX has no word for is asked over ONVIF, question by question."""

from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from cameras import vapix_apps
from cameras import vapix_replies as replies
from cameras.driver import Role, SwitchName
from cameras.drivers.axis_guards import SNMP_VERSIONS, AxisGuards
from cameras.drivers.beside import has_account
from cameras.errors import Garbled, Refused, Unsupported
from cameras.facts import (
    Accounts,
    AnonymousViewer,
    Apps,
    ClockSource,
    DiscoveryMode,
    FirmwareState,
    Identity,
    NetworkServices,
    Switch,
    Switches,
    SyslogTarget,
)
from cameras.pictures import decode_picture
from cameras.secret import Credential, Secret
from cameras.upload import multipart
from cameras.vapix import envelope

DISCOVERABLE = "WebService.DiscoveryMode.Discoverable"
FIRMWARE = "firmwaremanagement.cgi"

# Switches by parameter: what must be "yes" for the service to run.
SWITCH_PARAMETERS: Mapping[SwitchName, str] = MappingProxyType(
    {
        "telnet": "Network.Telnet.Enabled",
        "ftp": "Network.FTP.Enabled",
        "ssh": "Network.SSH.Enabled",
        "upnp": "Network.UPnP.Enabled",
        "bonjour": "Network.Bonjour.Enabled",
    }
)
# Newer firmware has calls of their own for these; the parameter is for cameras without.
SWITCH_CALLS: Mapping[SwitchName, tuple[str, str, str]] = MappingProxyType(
    {
        "ssh": ("ssh.cgi", "getSshInfo", "setSshConfiguration"),
        "bonjour": ("mdnssd.cgi", "getMdnssdInfo", "setMdnssdConfiguration"),
    }
)
SNMP = "snmp-v1-v2c"

GROUPS: Mapping[Role, str] = MappingProxyType(
    {
        "Administrator": "admin:operator:viewer:ptz",
        "Operator": "operator:viewer:ptz",
        "User": "viewer",
    }
)
# (by HTTP, by HTTPS) → System.BoaGroupPolicy; a web server that nobody may come to is not for us to make.
POLICIES: Mapping[tuple[bool, bool], str] = MappingProxyType(
    {(True, True): "both", (True, False): "http", (False, True): "https"}
)


class AxisDriver(AxisGuards):
    """Questions and changes to one camera over the conversation it is given. Each raises `cameras.errors`."""

    family = "axis"

    # --- who it is and what it offers ---

    async def identity(self) -> Identity:
        """By parameters on firmware older than basicdeviceinfo.cgi (8.40). Operators see what is restricted."""
        try:
            return replies.decode_identity(await self._vapix.ask("basicdeviceinfo.cgi", "getAllProperties"))
        except Unsupported:
            return replies.identity_of(await self._vapix.parameters(*replies.IDENTITY_PARAMETERS))

    async def snapshot(self, uri: str) -> bytes:
        """By the accounts of the web server, or of ONVIF where the address is one of its own."""
        url = self._vapix.http.local_url(uri)
        if url.path.startswith("/onvif"):
            return await (await self._onvif.driver()).snapshot(uri)
        return decode_picture(await self._vapix.http.request("GET", url, login=self._vapix.login))

    async def network_services(self) -> NetworkServices:
        try:
            return replies.network_services_of(await self._vapix.parameters(*replies.NETWORK_PARAMETERS))
        except Unsupported:
            return await (await self._onvif.driver()).network_services()

    async def set_network_service(self, name: Literal["HTTP", "HTTPS", "RTSP"], *, enabled: bool) -> None:
        """HTTP and HTTPS are ways to come in, the same for every group of accounts; RTSP is a service of its own.

        Refused, with nothing changed, where it would leave no way in, or HTTPS alone while that is off.
        """
        parameters = await self._vapix.parameters(*replies.NETWORK_PARAMETERS)
        if name == "RTSP":
            self._need(parameters, "Network.RTSP.Enabled")
            await self._vapix.set_parameters({"Network.RTSP.Enabled": _yes(enabled)})
            return
        now = {service.name: service.enabled is True for service in replies.network_services_of(parameters).services}
        http, https = ({**now, name: enabled}[way] for way in ("HTTP", "HTTPS"))
        if (http, https) not in POLICIES:
            raise Refused(f"{name} off would leave no way into its web server")
        if not http and parameters.get("HTTPS.Enabled") == "no":
            raise Refused("HTTPS is off: it has no certificate to serve it with")
        await self._vapix.set_parameters(dict.fromkeys(replies.policies(parameters), POLICIES[http, https]))

    async def discovery_mode(self) -> DiscoveryMode:
        said = (await self._vapix.parameters(DISCOVERABLE)).get(DISCOVERABLE, "").lower()
        if said in ("yes", "no"):
            return DiscoveryMode(discoverable=said == "yes")
        return await (await self._onvif.driver()).discovery_mode()

    async def set_discovery_mode(self, *, discoverable: bool) -> None:
        if DISCOVERABLE in await self._vapix.parameters(DISCOVERABLE):
            await self._vapix.set_parameters({DISCOVERABLE: _yes(discoverable)})
        else:
            await (await self._onvif.driver()).set_discovery_mode(discoverable=discoverable)

    # --- time and log ---

    async def clock_source(self) -> ClockSource:
        """By parameters on firmware older than ntp.cgi (9.10)."""
        try:
            return replies.decode_clock_source(await self._vapix.ask("ntp.cgi", "getNTPInfo"))
        except Unsupported:
            return replies.clock_source_of(await self._vapix.parameters(*replies.TIME_PARAMETERS))

    async def set_clock_source(self, *, servers: Sequence[str], from_dhcp: bool) -> None:
        """With neither, its clock goes by itself; the servers that it has are kept unless others are given."""
        source = "DHCP" if from_dhcp else "static"
        asked: dict[str, object] = {"enabled": from_dhcp or bool(servers), "serversSource": source}
        if servers:
            asked["staticServers"] = list(servers)
        try:
            await self._vapix.ask("ntp.cgi", "setNTPClientConfiguration", asked, once=True)
        except Unsupported:
            await self._set_clock_parameters(servers, from_dhcp=from_dhcp)

    async def _set_clock_parameters(self, servers: Sequence[str], *, from_dhcp: bool) -> None:
        if len(servers) > 1:
            raise Unsupported("it keeps one time server only")
        values = {"Time.ObtainFromDHCP": _yes(from_dhcp)} | ({"Time.NTP.Server": servers[0]} if servers else {})
        await self._vapix.set_parameters({**values, "Time.SyncSource": "NTP" if servers or from_dhcp else "None"})

    async def syslog_target(self) -> SyslogTarget:
        return replies.decode_syslog_target(await self._vapix.ask("remotesyslog.cgi", "status"))

    async def set_syslog_target(self, target: SyslogTarget) -> None:
        """As its first server. A second one stays, as does what is not said of the same one.

        By the documents `setup` switches it on too; where its answer does not say so, it is told.
        """
        if target.server:
            before = replies.syslog_servers(await self._vapix.ask("remotesyslog.cgi", "status"))
            kept = next((dict(server) for server in before if server.get("address") == target.server), {})
            said = {"address": target.server, "port": target.port, "protocol": (target.protocol or "").upper()}
            first = kept | {name: value for name, value in said.items() if value}
            others = [dict(server) for server in before[1:] if server.get("address") != target.server]
            done = await self._vapix.ask("remotesyslog.cgi", "setup", {"servers": [first, *others]}, once=True)
            if target.enabled is not False and done.get("enabled") is True:
                return
        switch = "disable" if target.enabled is False or not target.server else "enable"
        await self._vapix.ask("remotesyslog.cgi", switch, once=True)

    # --- switches ---

    async def switches(self) -> Switches:
        parameters = await self._vapix.parameters(*SWITCH_PARAMETERS.values(), "SNMP.Enabled", *SNMP_VERSIONS)
        found = []
        for name, parameter in SWITCH_PARAMETERS.items():
            try:
                on = await self._switch_by_call(name)
            except (Refused, Garbled):
                found.append(Switch(name, None))  # it is there and does not say
                continue
            if on is None and parameter in parameters:
                on = _is_yes(parameters[parameter])
            if on is not None:
                found.append(Switch(name, on))
        has_snmp, on = await self._snmp(parameters)
        if has_snmp:
            found.append(Switch(SNMP, on))
        return Switches(tuple(found))

    async def _switch_by_call(self, name: SwitchName) -> bool | None:
        """`None` where this camera has no call for it."""
        if name not in SWITCH_CALLS:
            return None
        cgi, question, _ = SWITCH_CALLS[name]
        try:
            on = replies.decode_enabled(await self._vapix.ask(cgi, question, {}))
        except Unsupported:
            return None
        if on is None:
            raise Garbled(f"{question}: it does not say whether it is enabled")
        return on

    async def set_switch(self, name: SwitchName, *, on: bool) -> None:
        if name == SNMP:
            await self._set_snmp(on=on)
        elif await self._switch_by_call(name) is not None:
            cgi, _, change = SWITCH_CALLS[name]
            await self._vapix.ask(cgi, change, {"enabled": on}, once=True)
        else:
            parameter = SWITCH_PARAMETERS[name]
            self._need(await self._vapix.parameters(parameter), parameter)
            await self._vapix.set_parameters({parameter: _yes(on)})

    async def anonymous_viewer(self) -> AnonymousViewer:
        return replies.anonymous_viewer_of(await self._vapix.parameters(*replies.VIEWER_PARAMETERS))

    async def set_anonymous_viewer(self, *, allowed: bool) -> None:
        present = await self._vapix.parameters(*replies.VIEWER_PARAMETERS)
        names = [name for name in replies.VIEWER_PARAMETERS if name in present]
        if not names:
            raise Unsupported("param.cgi: it has no parameters for anonymous viewers")
        await self._vapix.set_parameters(dict.fromkeys(names, "anonymous" if allowed else "password"))

    @staticmethod
    def _need(parameters: Mapping[str, str], name: str) -> None:
        if name not in parameters:
            raise Unsupported(f"param.cgi: it has no {name}")

    # --- accounts ---

    async def accounts(self) -> Accounts:
        return replies.decode_accounts(await self._vapix.words("pwdgrp.cgi", {"action": "get"}))

    async def create_account(self, account: Credential, role: Role) -> None:
        """At the web server and, where ONVIF knows us, there too unless it shows up there by itself."""
        onvif = await self._onvif.accounts_driver()
        form = {"grp": "users", "sgrp": GROUPS[role], "comment": "", "pwd": account.password.reveal()}
        await self._change_account("add", account.username, form, "Created account")
        if onvif is not None and not await has_account(onvif, account.username):
            await onvif.create_account(account, role)

    async def set_password(self, name: str, password: Secret) -> None:
        """At the web server, then at ONVIF where it knows us and the account.

        Our own account is the hard case: where ONVIF refuses the old password now both are one store, and that refusal
        is the one try that a change has to spend anyway; where it takes the old one it has to be told. An error on the
        way leaves the stores apart: each is to be proved by itself.
        """
        onvif = await self._onvif.accounts_driver()
        await self._change_account("update", name, {"pwd": password.reveal()}, "Modified account")
        if onvif is None:
            return
        if name == self._vapix.account and not await self._onvif.still_accepts_us():
            return
        if await has_account(onvif, name):
            await onvif.set_password(name, password)

    async def remove_account(self, name: str) -> None:
        if name == self._vapix.account:
            raise Refused(f"account {name!r} is the one that we are logged in with")
        onvif = await self._onvif.accounts_driver()
        await self._change_account("remove", name, {}, "Removed account")
        if onvif is not None and await has_account(onvif, name):
            await onvif.remove_account(name)

    async def _change_account(self, action: str, name: str, form: Mapping[str, str], done: str) -> None:
        said = await self._vapix.words("pwdgrp.cgi", {"action": action, "user": name, **form}, secret=True, once=True)
        replies.expect(said, f"{done} {name}.", "pwdgrp.cgi")

    # --- firmware ---

    async def firmware_state(self) -> FirmwareState:
        data = await self._tell_firmware("status", once=False)
        return replies.decode_firmware_state(data, await self._boot_id())

    async def _boot_id(self) -> str | None:
        """`None` where it does not say, as before systemready.cgi (9.50), which answers without a login."""
        try:
            data = await self._vapix.ask("systemready.cgi", "systemready", {"timeout": 1}, signed=False)
        except (Unsupported, Refused, Garbled):
            return None
        return replies.decode_boot_id(data)

    async def upload_firmware(self, image: Path, *, rollback_after_s: int | None) -> None:
        """Unsupported, with nothing sent, before firmwaremanagement.cgi (7.40). The time is in whole minutes there."""
        await self._tell_firmware("status", once=False)
        minutes = None if rollback_after_s is None else str(max(1, ceil(rollback_after_s / 60)))
        params = {} if minutes is None else {"autoCommit": "never", "autoRollback": minutes}
        body, content_type = await multipart(image, name="file", question=envelope("upgrade", params))
        replies.decode_json(await self._vapix.send_file(FIRMWARE, body, content_type), "upgrade")

    async def commit_firmware(self) -> None:
        await self._tell_firmware("commit")

    async def roll_back_firmware(self) -> None:
        await self._tell_firmware("rollback")

    async def reboot(self) -> None:
        try:
            await self._tell_firmware("reboot")
        except Unsupported:
            await self._vapix.words("restart.cgi", {}, once=True)

    async def _tell_firmware(self, method: str, *, once: bool = True) -> Mapping[str, Any]:
        return await self._vapix.ask(FIRMWARE, method, once=once)

    # --- applications ---

    async def apps(self) -> Apps:
        return vapix_apps.decode_apps(await self._vapix.raw(vapix_apps.LIST, {}))

    async def upload_app(self, package: Path, app: str) -> None:  # noqa: ARG002 - the package says what it is
        """It is installed, not started."""
        body, content_type = await multipart(package, name="packfil")
        reply = await self._vapix.send_file("applications/upload.cgi", body, content_type)
        replies.expect(replies.decode_words(reply, "applications/upload.cgi"), "OK", "applications/upload.cgi")

    async def start_app(self, app: str) -> None:
        await self._control(app, "start")

    async def stop_app(self, app: str) -> None:
        await self._control(app, "stop")

    async def remove_app(self, app: str) -> None:
        await self._control(app, "remove")

    async def _control(self, app: str, action: str) -> None:
        cgi = "applications/control.cgi"
        replies.expect(await self._vapix.words(cgi, {"action": action, "package": app}, once=True), "OK", cgi)


def _yes(value: bool) -> str:  # noqa: FBT001 - a conversion of this one value
    return "yes" if value else "no"


def _is_yes(value: str) -> bool:
    return value.lower() == "yes"

"""Dahua cameras, whoever's label is on them, by their HTTP API; what that has no word for is asked over ONVIF."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from math import ceil
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from cameras import dahua_replies as replies
from cameras.dahua_cgi import DahuaCgi
from cameras.driver import Driver, OnvifBeside, Role, SwitchName
from cameras.drivers.beside import BesideOnvif, has_account
from cameras.errors import DeviceError, Garbled, Refused, Unauthorized, Unreachable, Unsupported
from cameras.facts import (
    Accounts,
    ClockSource,
    DeviceLog,
    FirmwareState,
    Identity,
    IpFilter,
    Lockout,
    NetworkServices,
    Switch,
    Switches,
)
from cameras.pictures import decode_picture
from cameras.secret import Credential, Secret
from cameras.upload import multipart

BOX, USERS, UPGRADER, LOG = "magicBox.cgi", "userManager.cgi", "upgrader.cgi", "log.cgi"
# Switches by table: what must be "true" for the service to run. There is no FTP server in it.
SWITCH_TABLES: Mapping[SwitchName, str] = MappingProxyType(
    {"telnet": "Telnet", "ssh": "SSHD", "upnp": "UPnP", "bonjour": "Bonjour"}
)
SNMP = "snmp-v1-v2c"
EVER = {"condition.StartTime": "2000-01-01 00:00:00", "condition.EndTime": "2037-12-31 23:59:59"}
LOG_PAGES, LOG_ROWS, MOST_LINES = 20, 100, 200
# An image is looked into after it was taken: its state is asked so often before it is believed to be under way.
UPGRADE_LOOKS, UPGRADE_PAUSE_S = 3, 0.5
NO_HTTPS = "the API of this camera takes passwords in the address only, and it has no HTTPS: switch HTTPS on first"


class DahuaDriver(BesideOnvif):
    """Questions and changes to one camera over the conversation it is given. Each raises `cameras.errors`."""

    family = "dahua"

    def __init__(self, cgi: DahuaCgi, onvif: OnvifBeside) -> None:
        super().__init__(onvif)
        self._cgi = cgi

    # --- who it is and what it offers ---

    async def identity(self) -> Identity:
        try:
            system = await self._cgi.ask(BOX, "getSystemInfo")
        except Unsupported:
            system = await self._cgi.ask(BOX, "getDeviceType")
        software = await self._cgi.ask(BOX, "getSoftwareVersion")
        return replies.identity_of(await self._vendor(), system, software, await self._table("Network"))

    async def _vendor(self) -> replies.Table:
        try:
            return await self._cgi.ask(BOX, "getVendor")
        except (Unsupported, Refused, Garbled):
            return {}

    async def _table(self, name: str) -> replies.Table:
        """Empty where it has no such table, or does not show it to us."""
        try:
            return await self._cgi.settings(name)
        except (Unsupported, Refused, Garbled):
            return {}

    async def snapshot(self, uri: str) -> bytes:
        """By the accounts of the web server, or of ONVIF where the address is one of its own."""
        url = self._cgi.http.local_url(uri)
        if url.path.startswith("/onvif"):
            return await (await self._onvif.driver()).snapshot(uri)
        return decode_picture(await self._cgi.http.request("GET", url, login=self._cgi.login))

    async def network_services(self) -> NetworkServices:
        """By ONVIF, which can switch them too; by its own tables where that is off or does not know us."""
        try:
            return await super().network_services()
        except (Unsupported, Unauthorized) as error:
            tables = [await self._table(name) for name in ("RTSP", "Https", "Web")]
            services = replies.network_services_of(*tables)
            if not services.services:
                raise error from None
            return services

    async def set_network_service(self, name: Literal["HTTP", "HTTPS", "RTSP"], *, enabled: bool) -> None:
        try:
            await super().set_network_service(name, enabled=enabled)
        except (Unsupported, Unauthorized):
            if name != "RTSP":
                raise
            await self._cgi.set_settings("RTSP", {"RTSP.Enable": _word(enabled)})

    async def clock_source(self) -> ClockSource:
        """By ONVIF, which alone knows of servers that DHCP gave."""
        try:
            return await super().clock_source()
        except (Unsupported, Unauthorized):
            return replies.clock_source_of(await self._cgi.settings("NTP"))

    async def set_clock_source(self, *, servers: Sequence[str], from_dhcp: bool) -> None:
        try:
            await super().set_clock_source(servers=servers, from_dhcp=from_dhcp)
        except (Unsupported, Unauthorized):
            if from_dhcp or len(servers) > 1:
                raise Unsupported("by its own API it keeps one time server, and none from DHCP") from None
            address = {"NTP.Address": servers[0]} if servers else {}
            await self._cgi.set_settings("NTP", {**address, "NTP.Enable": _word(bool(servers))})

    async def ip_filter(self) -> IpFilter:
        return replies.ip_filter_of(await self._cgi.settings("AccessFilter"))

    async def log(self) -> DeviceLog:
        """The end of what its log holds of all times; of a very long one, as far as we are ready to read."""
        token = (await self._cgi.ask(LOG, "startFind", EVER)).get("token", "")
        if not (token.isascii() and token.isdigit()):
            raise Garbled("log.cgi: it names no search")
        lines: list[str] = []
        try:
            for _ in range(LOG_PAGES):
                page = await self._cgi.ask(LOG, "doFind", {"token": token, "count": str(LOG_ROWS)})
                found = replies.decode_log_page(page)
                lines += found
                if len(found) < LOG_ROWS:
                    break
        finally:
            await self._end_search(token)
        return replies.log_of(lines, MOST_LINES)

    async def _end_search(self, token: str) -> None:
        try:
            await self._cgi.tell(LOG, "stopFind", {"token": token})
        except (Refused, Garbled, Unsupported, Unreachable):
            """What was read is read."""

    # --- switches ---

    async def switches(self) -> Switches:
        found = []
        for name, table in SWITCH_TABLES.items():
            try:
                said = await self._cgi.settings(table)
            except Unsupported:
                continue
            except (Refused, Garbled):
                found.append(Switch(name, None))  # it is there and does not say
                continue
            if f"{table}.Enable" in said:
                found.append(Switch(name, replies.flag_of(said, f"{table}.Enable")))
        snmp = await self._table("SNMP")
        return Switches((*found, replies.snmp_of(snmp)) if snmp else tuple(found))

    async def set_switch(self, name: SwitchName, *, on: bool) -> None:
        if name == SNMP:
            await self._set_snmp(on=on)
        elif name in SWITCH_TABLES:
            await self._cgi.set_settings(SWITCH_TABLES[name], {f"{SWITCH_TABLES[name]}.Enable": _word(on)})
        else:
            raise Unsupported(f"it has no {name} to switch")

    async def _set_snmp(self, *, on: bool) -> None:
        """Version 3 stays as it is: off means that the versions that know no password are off."""
        said = await self._cgi.settings("SNMP")
        versions = {name: _word(on) for name in replies.SNMP_VERSIONS if name in said}
        values = versions | ({"SNMP.Enable": _word(on)} if on or not versions else {})
        await self._cgi.set_settings("SNMP", values)

    async def lockout(self) -> Lockout:
        return replies.lockout_of(await self._cgi.settings("General"))

    async def set_lockout(self, *, tries: int, lock_s: float) -> None:
        values = {
            "General.LockLoginEnable": "true",
            "General.LockLoginTimes": str(tries),
            "General.LoginFailLockTime": str(ceil(lock_s)),
        }
        await self._cgi.set_settings("General", values)

    # --- accounts ---

    async def accounts(self) -> Accounts:
        return replies.decode_accounts(await self._cgi.ask(USERS, "getUserInfoAll"))

    async def create_account(self, account: Credential, role: Role) -> None:
        """At the web server and, where ONVIF knows us, there too unless it shows up there by itself.

        By ONVIF alone where the camera has no HTTPS (see `_for_secrets`).
        """
        onvif = await self._onvif.accounts_driver()
        async with self._for_secrets() as cgi:
            if cgi is None:
                await _instead(onvif).create_account(account, role)
                return
            await cgi.tell(USERS, "addUser", await self._new_account(account, role))
        if onvif is not None and not await has_account(onvif, account.username):
            await onvif.create_account(account, role)

    async def _new_account(self, account: Credential, role: Role) -> Mapping[str, str]:
        """An operator is in the group of viewers and has more of the single rights that this camera knows."""
        rights: tuple[str, ...] = ()
        if role != "Administrator":
            known = await self._cgi.ask(USERS, "getUserInfoAll")
            rights = replies.rights_for(known, operator=role == "Operator")
        if role == "Operator" and not replies.tells_operators_apart(rights):
            raise Unsupported("this camera has administrators and viewers, and nothing between them")
        return {
            "user.Name": account.username,
            "user.Password": account.password.reveal(),
            "user.Group": "admin" if role == "Administrator" else "user",
            "user.Sharable": "true",
            "user.Reserved": "false",
            **{f"user.AuthorityList[{n}]": right for n, right in enumerate(rights)},
        }

    async def set_password(self, name: str, password: Secret) -> None:
        """At the web server, then at ONVIF where it knows us and the account; see `AxisDriver` on our own account.

        By ONVIF alone where the camera has no HTTPS (see `_for_secrets`), or no call for others' passwords.
        """
        onvif = await self._onvif.accounts_driver()
        async with self._for_secrets() as cgi:
            if cgi is None:
                await _instead(onvif).set_password(name, password)
                return
            try:
                await self._set_web_password(cgi, name, password)
            except Unsupported as error:
                if onvif is None:
                    raise Refused(str(error)) from error
        if onvif is None:
            return
        if name == self._cgi.account and not await self._onvif.still_accepts_us():
            return
        if await has_account(onvif, name):
            await onvif.set_password(name, password)

    async def _set_web_password(self, cgi: DahuaCgi, name: str, password: Secret) -> None:
        ours = self._cgi.login.credential
        if name == ours.username:
            own = {"name": name, "pwd": password.reveal(), "pwdOld": ours.password.reveal()}
            await cgi.tell(USERS, "modifyPassword", own)
            return
        others = {
            "userName": name,
            "pwd": password.reveal(),
            "managerName": ours.username,
            "managerPwd": ours.password.reveal(),
            "accountType": "0",
        }
        await cgi.tell(USERS, "modifyPasswordByManager", others, unknown=Unsupported)

    async def remove_account(self, name: str) -> None:
        if name == self._cgi.account:
            raise Refused(f"account {name!r} is the one that we are logged in with")
        onvif = await self._onvif.accounts_driver()
        await self._cgi.tell(USERS, "deleteUser", {"name": name})
        if onvif is not None and await has_account(onvif, name):
            await onvif.remove_account(name)

    @asynccontextmanager
    async def _for_secrets(self) -> AsyncIterator[DahuaCgi | None]:
        """The conversation inside TLS, `None` where the camera has no HTTPS: passwords stand in the address here.

        ONVIF tells them in the body, which by plain HTTP protects no better, but stands in no log of addresses.
        """
        if self._cgi.http.scheme == "https":
            yield self._cgi
            return
        services = (await self.network_services()).services
        ports = [port for one in services if one.name == "HTTPS" and one.enabled for port in one.ports]
        if not ports:
            yield None
            return
        async with self._cgi.inside_tls(ports[0]) as inside:
            yield inside

    # --- firmware and applications ---

    async def firmware_state(self) -> FirmwareState:
        return replies.decode_firmware_state(await self._cgi.ask(BOX, "getSoftwareVersion"))

    async def upload_firmware(self, image: Path, *, rollback_after_s: int | None) -> None:
        """By ONVIF on firmware without upgrader.cgi. It answers before it has looked into the image."""
        if rollback_after_s is not None:
            raise Unsupported("it cannot go back to an earlier firmware by itself")
        try:
            await self._cgi.ask(UPGRADER, "getState")
        except Unsupported:
            await super().upload_firmware(image, rollback_after_s=None)
            return
        body, content_type = await multipart(image, name="file")
        await self._cgi.send_file(UPGRADER, "uploadFirmware", body, content_type)
        for _ in range(UPGRADE_LOOKS):
            try:
                failed = replies.upgrade_failed(await self._cgi.ask(UPGRADER, "getState"))
            except DeviceError:
                return  # it restarts, or has other things to do than to answer
            if failed:
                raise Refused(f"upgrader.cgi: it took the image and will not run it: {failed!r}")
            await asyncio.sleep(UPGRADE_PAUSE_S)

    async def reboot(self) -> None:
        await self._cgi.tell(BOX, "reboot")

    async def upload_app(self, package: Path, app: str) -> None:  # noqa: ARG002 - the package says what it is
        """It is installed, not started."""
        body, content_type = await multipart(package, name="file")
        await self._cgi.send_file("dhop.cgi", "uploadApp", body, content_type)

    async def start_app(self, app: str) -> None:
        await self._cgi.tell("installManager.cgi", "start", {"appname": app})

    async def stop_app(self, app: str) -> None:
        await self._cgi.tell("installManager.cgi", "stop", {"appname": app})

    async def remove_app(self, app: str) -> None:
        await self._cgi.tell("dhop.cgi", "uninstall", {"appName": app})


def _instead(onvif: Driver | None) -> Driver:
    if onvif is None:
        raise Refused(NO_HTTPS)
    return onvif


def _word(value: bool) -> str:  # noqa: FBT001 - a conversion of this one value
    return "true" if value else "false"

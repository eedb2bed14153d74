"""Hikvision cameras, and those sold under other names with the same firmware, in ISAPI; the rest by ONVIF."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from cameras import isapi_documents as documents
from cameras import isapi_replies as replies
from cameras.driver import AccountStore, Driver, OnvifBeside, Role, SwitchName
from cameras.drivers.beside import BesideOnvif, has_account
from cameras.errors import Garbled, LockedOut, Refused, Unauthorized, Unsupported
from cameras.facts import (
    Accounts,
    Apps,
    Certificates,
    ClockSource,
    DeviceLog,
    FirmwareState,
    Identity,
    IpFilter,
    Lockout,
    NetworkServices,
    Switch,
    Switches,
    SyslogTarget,
)
from cameras.isapi import Isapi
from cameras.isapi_accounts import ACCESSES, LIST, PATH, new_user, numbered, one_user, tell_user
from cameras.isapi_documents import Node, find, put, put_if_there
from cameras.isapi_firmware import send_image
from cameras.isapi_log import read_log
from cameras.pictures import decode_picture
from cameras.secret import Credential, Secret

# Switches by document: its path and its name; `enabled` in it is the switch.
SWITCHES: Mapping[SwitchName, tuple[str, str]] = MappingProxyType(
    {
        "telnet": ("System/Network/telnetd", "Telnetd"),
        "ssh": ("System/Network/ssh", "SSH"),
        "upnp": ("System/Network/UPnP", "UPnP"),
        "bonjour": ("System/Network/Bonjour", "Bonjour"),
        "snmp-v1-v2c": ("System/Network/SNMP", "SNMP"),
    }
)
SNMP = "snmp-v1-v2c"
SNMP_VERSIONS = ("SNMPv1c", "SNMPv2c")
TIME = ("System/time", "Time")
TIME_SERVERS = ("System/time/ntpServers", "NTPServerList")
LOG_SERVER = ("System/logServer", "LogServer")
LOCK = ("Security/illegalLoginLock", "IllegalLoginLock")
USERS = (PATH, LIST)
APPS = ("Custom/OpenPlatform/App", "AppList")

_ONVIF_PROFILE = re.compile(r"Profile_([1-3])\b")
_NOT_SAID = (Unauthorized, Unsupported, Refused, Garbled)

MOST_BACKUP_BYTES = 64 * 1024 * 1024
BACKUP_TIMEOUT_S = 120.0


class HikvisionDriver(BesideOnvif):
    """Questions and changes to one camera over the conversation it is given. Each raises `cameras.errors`."""

    family = "hikvision"

    def __init__(self, isapi: Isapi, onvif: OnvifBeside) -> None:
        super().__init__(onvif)
        self._isapi = isapi

    # --- who it is and what it offers ---

    async def identity(self) -> Identity:
        """Most cameras name who sells them by ONVIF only: it is asked where our account is, and a try is to spare."""
        info = await self._device_info()
        said = replies.decode_identity(info, None)
        if said.manufacturer is not None:
            return said
        label = None
        with suppress(*_NOT_SAID, LockedOut):
            onvif = await self._accounts_at_onvif()
            label = (await onvif.identity()).manufacturer if onvif else None
        return replies.decode_identity(info, label)

    async def _device_info(self) -> Node:
        return await self._isapi.get("System/deviceInfo", "DeviceInfo")

    async def snapshot(self, uri: str) -> bytes:
        """An address of ONVIF's is asked for as the same channel's picture here, where its login is proved."""
        url = self._isapi.http.local_url(uri)
        if not url.path.startswith("/onvif"):
            return decode_picture(await self._isapi.http.request("GET", url, login=self._isapi.login))
        profile = _ONVIF_PROFILE.search(uri)
        try:
            path = f"Streaming/channels/10{profile[1] if profile else 1}/picture"
            return decode_picture(await self._isapi.send("GET", path))
        except (Unsupported, Unauthorized, Garbled):
            return await (await self._onvif.driver()).snapshot(uri)

    async def network_services(self) -> NetworkServices:
        try:
            return replies.decode_network_services(await self._isapi.get(*ACCESSES))
        except Unsupported:
            return await (await self._onvif.driver()).network_services()

    async def set_network_service(self, name: Literal["HTTP", "HTTPS", "RTSP"], *, enabled: bool) -> None:
        """Refused, with nothing changed, where it would leave no way in. By ONVIF where ISAPI has no switch for it."""
        try:
            listed = await self._isapi.get(*ACCESSES)
            rows = replies.accesses(listed)
        except Unsupported:
            rows = {}
        if name not in rows or find(rows[name], "enabled") is None:
            await (await self._onvif.driver()).set_network_service(name, enabled=enabled)
            return
        other = {"HTTP": "HTTPS", "HTTPS": "HTTP"}.get(name)
        if other and not enabled and (other not in rows or documents.flag(rows[other], "enabled") is not True):
            raise Refused(f"{name} off would leave no way into its web server")
        put(rows[name], "enabled", _word(enabled))
        await self._isapi.tell("PUT", ACCESSES[0], listed)

    async def ip_filter(self) -> IpFilter:
        return replies.decode_ip_filter(await self._isapi.get("System/Network/ipFilter", "IPFilter"))

    async def certificates(self) -> Certificates:
        path = "Security/serverCertificate/certificates?format=json"
        return replies.decode_certificates(await self._isapi.send("GET", path))

    # --- time and log ---

    async def clock_source(self) -> ClockSource:
        """Whether DHCP gave its servers only ONVIF tells, where it lists our account and a try is to spare."""
        clock = await self._isapi.get(*TIME)
        try:
            listed = await self._isapi.get(*TIME_SERVERS)
        except Unsupported:
            listed = None
        said = replies.decode_clock_source(clock, listed)
        if said.servers:
            with suppress(*_NOT_SAID, LockedOut):
                onvif = await self._accounts_at_onvif()
                return await onvif.clock_source() if onvif else said
        return said

    async def set_clock_source(self, *, servers: Sequence[str], from_dhcp: bool) -> None:
        """The servers first. By ONVIF where there are more than it lists room for, and where DHCP is to give them;
        without any, its clock goes by itself.
        """
        if from_dhcp:
            if (onvif := await self._accounts_at_onvif()) is None:
                raise Unsupported("ISAPI has no word for time servers by DHCP, and ONVIF does not know us")
            await onvif.set_clock_source(servers=servers, from_dhcp=True)
            return
        if servers:
            listed = await self._isapi.get(*TIME_SERVERS)
            rows = documents.children(listed, "NTPServer")
            if len(rows) < len(servers):
                await (await self._onvif.driver()).set_clock_source(servers=servers, from_dhcp=False)
                return
            for row, server in zip(rows, [*servers, *[replies.NOBODY] * len(rows)], strict=False):
                documents.name_host(row, server)
            await self._isapi.tell("PUT", TIME_SERVERS[0], listed)
        clock, mode = await self._isapi.get(*TIME), "NTP" if servers else "manual"
        if (documents.text(clock, "timeMode") or "").upper() != mode.upper():
            put(clock, "timeMode", mode)
            await self._isapi.tell("PUT", TIME[0], clock)

    async def syslog_target(self) -> SyslogTarget:
        return replies.decode_syslog_target(await self._isapi.get(*LOG_SERVER))

    async def set_syslog_target(self, target: SyslogTarget) -> None:
        """Encrypted or not is all that it can be told of the way: Unsupported for TLS where it has no such switch."""
        server = await self._isapi.get(*LOG_SERVER)
        if target.server:
            documents.name_host(server, target.server)
            if target.port is not None:
                put(server, "portNo", str(target.port))
            if target.protocol == "tls":
                put(server, "transmissionEncryption", "true")
            elif target.protocol is not None:
                put_if_there(server, "transmissionEncryption", "false")
        put(server, "enabled", _word(bool(target.server) and target.enabled is not False))
        await self._isapi.tell("PUT", LOG_SERVER[0], server)

    async def log(self) -> DeviceLog:
        return await read_log(self._isapi)

    # --- switches and the lock ---

    async def switches(self) -> Switches:
        found = []
        for name, (path, root) in SWITCHES.items():
            try:
                document = await self._isapi.get(path, root)
            except Unsupported:
                continue
            except (Refused, Garbled):
                found.append(Switch(name, None))  # it is there and does not say
                continue
            found.append(Switch(name, _is_on(document, name)))
        return Switches(tuple(found))

    async def set_switch(self, name: SwitchName, *, on: bool) -> None:
        """SNMP version 3 stays as it is: off means that the two versions that know no password are off."""
        if name not in SWITCHES:
            raise self._no_word_for(f"switching {name} {'on' if on else 'off'}")
        path, root = SWITCHES[name]
        document = await self._isapi.get(path, root)
        there = [f"{version}/enabled" for version in SNMP_VERSIONS if find(document, version) is not None]
        for place in there if name == SNMP and there else ["enabled"]:
            put(document, place, _word(on))
        await self._isapi.tell("PUT", path, document)

    async def lockout(self) -> Lockout:
        return replies.decode_lockout(await self._isapi.get(*LOCK))

    async def set_lockout(self, *, tries: int, lock_s: float) -> None:
        """Its numbers where it has any; a camera that does not take these says so: Refused."""
        lock = await self._isapi.get(*LOCK)
        put(lock, "enabled", "true")
        put_if_there(lock, "maxIllegalLoginTimes", str(tries))
        put_if_there(lock, "maxIllegalLoginLockTime", str(-int(-lock_s // 1)))
        await self._isapi.tell("PUT", LOCK[0], lock)

    # --- accounts ---

    async def accounts(self) -> Accounts:
        return replies.decode_accounts(await self._isapi.get(*USERS))

    async def account_stores(self) -> Sequence[AccountStore]:
        return ("web",) if await self._accounts_at_onvif() is None else ("onvif", "web")

    async def _accounts_at_onvif(self) -> Driver | None:
        """`None` also where the camera's own list of ONVIF's accounts lacks ours: no try is spent on finding out."""
        with suppress(*_NOT_SAID):
            listed = await self._isapi.get("Security/ONVIF/users", "UserList")
            if numbered(listed, self._isapi.account or "") is None:
                return None
        return await self._onvif.accounts_driver()

    async def create_account(self, account: Credential, role: Role) -> None:
        """At the web server and, where ONVIF knows us, there too unless it shows up there by itself."""
        onvif = await self._accounts_at_onvif()
        listed = await self._isapi.get(*USERS)
        user = new_user(listed, account, replies.LEVELS[role])
        await tell_user(self._isapi, "POST", USERS[0], user)
        if onvif is not None and not await has_account(onvif, account.username):
            await onvif.create_account(account, role)

    async def set_password(self, name: str, password: Secret) -> None:
        """At the web server, then at ONVIF where it knows us and the account.

        Our own account is the hard case: where ONVIF refuses the old password now both are one store, and that refusal
        is the one try that a change has to spend anyway; where it takes the old one it has to be told. An error on the
        way leaves the stores apart: each is to be proved by itself.
        """
        onvif = await self._accounts_at_onvif()
        path, user = await one_user(self._isapi, name)
        documents.put_or_add(user, "password", password.reveal(), after="userName")
        await tell_user(self._isapi, "PUT", path, user, ours=name == self._isapi.account)
        if onvif is None:
            return
        if name == self._isapi.account and not await self._onvif.still_accepts_us():
            return
        if await has_account(onvif, name):
            await onvif.set_password(name, password)

    async def remove_account(self, name: str) -> None:
        if name == self._isapi.account:
            raise Refused(f"account {name!r} is the one that we are logged in with")
        onvif = await self._accounts_at_onvif()
        path, _ = await one_user(self._isapi, name)
        await self._isapi.tell("DELETE", path)
        if onvif is not None and await has_account(onvif, name):
            await onvif.remove_account(name)

    # --- firmware and the configuration ---

    async def firmware_state(self) -> FirmwareState:
        return replies.decode_firmware_state(await self._device_info())

    async def upload_firmware(self, image: Path, *, rollback_after_s: int | None) -> None:
        if rollback_after_s is not None:
            raise Unsupported("ISAPI cannot ask a camera to go back by itself")
        await send_image(self._isapi, image)

    async def backup(self) -> bytes:
        """Refused by a camera that gives it away under a key only."""
        http = self._isapi.http.anew(most_bytes=MOST_BACKUP_BYTES, timeout_s=BACKUP_TIMEOUT_S)
        async with http:
            return replies.decode_backup(await self._isapi.send("GET", "System/configurationData", http=http))

    async def restore(self, configuration: bytes) -> None:
        """It counts after a restart, which the camera is told to make where it wants to be."""
        if await self._isapi.send_file("System/configurationData", configuration):
            await self.reboot()

    async def reboot(self) -> None:
        await self._isapi.tell("PUT", "System/reboot")

    # --- applications ---

    async def apps(self) -> Apps:
        return replies.decode_apps(await self._isapi.get(*APPS))

    async def start_app(self, app: str) -> None:
        await self._control(app, "start")

    async def stop_app(self, app: str) -> None:
        await self._control(app, "stop")

    async def _control(self, app: str, action: str) -> None:
        if not (app.isascii() and app.isdigit()):
            raise Refused(f"application {app!r}: they are known by numbers here")
        await self._isapi.tell("PUT", f"{APPS[0]}/{app}/{action}")

    async def upload_app(self, package: Path, app: str) -> None:  # noqa: ARG002 - the protocol's signature
        raise self._no_word_for("putting an application on")

    async def remove_app(self, app: str) -> None:  # noqa: ARG002
        raise self._no_word_for("taking an application off")


def _is_on(document: Node, name: SwitchName) -> bool | None:
    if name != SNMP or not any(find(document, version) is not None for version in SNMP_VERSIONS):
        return documents.flag(document, "enabled")
    there = [version for version in SNMP_VERSIONS if find(document, version) is not None]
    said = [documents.flag(document, f"{version}/enabled") for version in there]
    return True if True in said else None if None in said else False


def _word(value: bool) -> str:  # noqa: FBT001 - a conversion of this one value
    return "true" if value else "false"

"""Hanwha (Wisenet, once Samsung) cameras, in SUNAPI; what it has no word for is asked over ONVIF."""

import asyncio
import base64
import re
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from cameras import sunapi, sunapi_accounts
from cameras import sunapi_replies as replies
from cameras.driver import OnvifBeside, Role, SwitchName
from cameras.drivers.beside import BesideOnvif, has_account
from cameras.errors import DeviceError, Garbled, Refused, Unauthorized, Unsupported
from cameras.facts import (
    Accounts,
    AnonymousViewer,
    Apps,
    Certificates,
    ClockSource,
    DeviceLog,
    FirmwareState,
    Identity,
    IpFilter,
    NetworkService,
    NetworkServices,
    Switch,
    Switches,
)
from cameras.onvif_replies import normal_mac
from cameras.pictures import decode_picture
from cameras.secret import Credential, Secret
from cameras.sunapi import Sunapi
from cameras.sunapi_accounts import Slot
from cameras.untrusted import clean_text
from cameras.upload import multipart

MOST_BACKUP_BYTES = 64 * 1024 * 1024
BACKUP_TIMEOUT_S = 120.0
# Submenus of network.cgi that are on or off as a whole.
SWITCH_SUBMENUS: Mapping[SwitchName, str] = MappingProxyType({"upnp": "upnpdiscovery", "bonjour": "bonjour"})
SNMP: SwitchName = "snmp-v1-v2c"
SNMP_VERSIONS = ("Version1", "Version2")
LOGS = ("systemlog", "accesslog")
_APP_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class HanwhaDriver(BesideOnvif):
    """Questions and changes to one camera over the conversation it is given. Each raises `cameras.errors`."""

    family = "hanwha"

    def __init__(self, camera: Sunapi, onvif: OnvifBeside) -> None:
        super().__init__(onvif)
        self._sunapi = camera

    # --- who it is and what it offers ---

    async def identity(self) -> Identity:
        """SUNAPI says its label where it tells of its setup; before that ONVIF does, where it lets us in."""
        said = await self._sunapi.view("system", "deviceinfo")
        return Identity(
            manufacturer=await self._manufacturer(),
            model=clean_text(replies.need(said, "Model", "deviceinfo")),
            firmware=replies.worded(said, "FirmwareVersion"),
            serial=replies.worded(said, "SerialNumber"),
            hardware=None,
            mac=normal_mac(said.get("ConnectedMACAddress")),
            driver=self.family,
        )

    async def _manufacturer(self) -> str | None:
        if label := await sunapi.manufacturer(self._sunapi.http):
            return label
        try:
            return (await (await self._onvif.driver()).identity()).manufacturer
        except DeviceError:
            return None

    async def snapshot(self, uri: str) -> bytes:
        """By the accounts of the web server, or of ONVIF where the address is one of its own."""
        url = self._sunapi.http.local_url(uri)
        if url.path.startswith("/onvif"):
            return await (await self._onvif.driver()).snapshot(uri)
        return decode_picture(await self._sunapi.page(url))

    async def network_services(self) -> NetworkServices:
        """RTSP is on or off by ONVIF's word alone; SUNAPI knows its port."""
        ports = await self._sunapi.view("network", "portconf")
        ways = replies.decode_ways(ports, await self._sunapi.view("security", "ssl"))
        return NetworkServices((*ways, await self._rtsp() or NetworkService("RTSP", None, replies.rtsp_port(ports))))

    async def _rtsp(self) -> NetworkService | None:
        try:
            services = (await (await self._onvif.driver()).network_services()).services
        except (Unauthorized, Unsupported, Refused, Garbled):
            return None
        return next((service for service in services if service.name == "RTSP"), None)

    async def set_network_service(self, name: Literal["HTTP", "HTTPS", "RTSP"], *, enabled: bool) -> None:
        """HTTP and HTTPS are one policy. Refused, with nothing changed, where it would leave no way in."""
        if name == "RTSP":
            await (await self._onvif.driver()).set_network_service(name, enabled=enabled)
            return
        ssl = await self._sunapi.view("security", "ssl")
        now = {service.name: service.enabled is True for service in replies.decode_ways({}, ssl)}
        wanted = {**now, name: enabled}
        if not any(wanted.values()):
            raise Refused(f"{name} off would leave no way into its web server")
        policy = replies.policy_for(ssl, http=wanted["HTTP"], https=wanted["HTTPS"])
        await self._sunapi.tell("security", "ssl", "set", {"Policy": policy})

    # --- time ---

    async def clock_source(self) -> ClockSource:
        """ONVIF knows servers by DHCP too: it is asked where it knows us."""
        if onvif := await self._onvif.accounts_driver():
            return await onvif.clock_source()
        said = await self._sunapi.view("system", "date")
        by_ntp = replies.need(said, "SyncType", "date") == "NTP"
        return ClockSource(
            from_dhcp=False, servers=tuple(replies.list_of(said.get("NTPURLList", ""))) if by_ntp else ()
        )

    async def set_clock_source(self, *, servers: Sequence[str], from_dhcp: bool) -> None:
        """With neither, its clock goes by itself and the servers that it has are kept."""
        if from_dhcp:
            await (await self._onvif.driver()).set_clock_source(servers=servers, from_dhcp=True)
        elif servers:
            await self._sunapi.tell("system", "date", "set", {"SyncType": "NTP", "NTPURLList": ",".join(servers)})
        elif onvif := await self._onvif.accounts_driver():
            await onvif.set_clock_source(servers=(), from_dhcp=False)
        else:
            raise Unsupported("SUNAPI sets its clock by hand only together with a time")

    # --- switches, strangers, addresses ---

    async def switches(self) -> Switches:
        """Those that this firmware has a submenu for."""
        found = []
        for name, submenu in SWITCH_SUBMENUS.items():
            try:
                found.append(replies.decode_switch(await self._sunapi.view("network", submenu), name, submenu))
            except Unsupported:
                continue
            except (Refused, Garbled):
                found.append(Switch(name, None))
        try:
            said = await self._sunapi.view("network", "snmp")
        except Unsupported:
            return Switches(tuple(found))
        except (Refused, Garbled):
            return Switches((*found, Switch(SNMP, None)))
        versions = [replies.truth(said[name]) is True for name in SNMP_VERSIONS if name in said]
        return Switches((*found, Switch(SNMP, any(versions))) if versions else tuple(found))

    async def set_switch(self, name: SwitchName, *, on: bool) -> None:
        if name == SNMP:
            await self._set_snmp(on=on)
        elif submenu := SWITCH_SUBMENUS.get(name):
            replies.decode_switch(await self._sunapi.view("network", submenu), name, submenu)
            await self._sunapi.tell("network", submenu, "set", {"Enable": str(on)})
        else:
            raise self._no_word_for(f"switching {name} {'on' if on else 'off'}")

    async def _set_snmp(self, *, on: bool) -> None:
        """Version 3 stays as it is: off means that the two versions that know no password are off."""
        said = await self._sunapi.view("network", "snmp")
        versions = {name: str(on) for name in SNMP_VERSIONS if name in said}
        if not versions:
            raise Unsupported("snmp: it has no versions to switch")
        await self._sunapi.tell("network", "snmp", "set", versions)

    async def anonymous_viewer(self) -> AnonymousViewer:
        """Guests have an account that everybody knows; streams have a switch of their own."""
        guest = replies.truth((await self._sunapi.view("security", "guest")).get("Enable"))
        rtsp = (await self._sunapi.view("security", "rtsp")).get("RTSPAuthentication")
        streams = {"Anonymous": True, "Protected": False}.get(rtsp or "")
        known = [said for said in (guest, streams) if said is not None]
        return AnonymousViewer(allowed=any(known) if True in known or len(known) > 1 else None)

    async def set_anonymous_viewer(self, *, allowed: bool) -> None:
        await self._sunapi.tell("security", "guest", "set", {"Enable": str(allowed)})
        streams = "Anonymous" if allowed else "Protected"
        await self._sunapi.tell("security", "rtsp", "set", {"RTSPAuthentication": streams})

    async def ip_filter(self) -> IpFilter:
        return replies.decode_ip_filter(await self._sunapi.view("security", "ipfilter"))

    async def certificates(self) -> Certificates:
        return replies.decode_certificates(await self._sunapi.view("security", "ssl"))

    async def log(self) -> DeviceLog:
        """What happened to it and who logged in, by date. One of the two may be missing."""
        found: list[tuple[str, ...]] = []
        lacks: Unsupported | None = None
        for submenu in LOGS:
            question = {"msubmenu": submenu, "action": "view"}
            try:
                reply = await self._sunapi.get("system", question, accept="application/json")
                found.append(replies.decode_log(reply, submenu))
            except Unsupported as error:
                lacks = error
        if not found and lacks is not None:
            raise lacks
        return replies.merged(found)

    # --- accounts ---

    async def accounts(self) -> Accounts:
        return sunapi_accounts.accounts_of(await self._slots())

    async def _slots(self) -> tuple[Slot, ...]:
        return sunapi_accounts.decode_slots(await self._sunapi.view("security", "users"))

    async def create_account(self, account: Credential, role: Role) -> None:
        """In the first free slot and, where ONVIF knows us, there too unless it shows up there by itself."""
        slots = await self._slots()
        if any(slot.enabled and slot.name == account.username for slot in slots):
            raise Refused(f"there is an account {account.username!r} already")
        free = next((slot for slot in slots if not slot.enabled and slot.index != sunapi_accounts.ADMIN_SLOT), None)
        if free is None:
            raise Refused("all its places for accounts are taken")
        rights = sunapi_accounts.rights_for(role, free.rights)
        onvif = await self._onvif.accounts_driver()
        said = {"Index": str(free.index), "UserID": account.username, "Enable": "True", **rights}
        await self._sunapi.update_user(said, account.password)
        if onvif is not None and not await has_account(onvif, account.username):
            await onvif.create_account(account, role)

    async def set_password(self, name: str, password: Secret) -> None:
        """At the web server, then at ONVIF where it knows us and the account.

        Our own account may lead to one store at both doors: that is found out by one try of the old password there.
        """
        slot = await self._taken(name)
        onvif = await self._onvif.accounts_driver()
        await self._sunapi.update_user(
            {"Index": str(slot.index), "UserID": name}, password, own=name == self._sunapi.account
        )
        if onvif is None:
            return
        if name == self._sunapi.account and not await self._onvif.still_accepts_us():
            return
        if await has_account(onvif, name):
            await onvif.set_password(name, password)

    async def remove_account(self, name: str) -> None:
        """Its slot is freed; on firmware that cannot free one it is switched off, with a password that nobody knows."""
        if name == self._sunapi.account:
            raise Refused(f"account {name!r} is the one that we are logged in with")
        slot = await self._taken(name)
        if slot.index == sunapi_accounts.ADMIN_SLOT:
            raise Refused(f"account {name!r} is the camera's own: it cannot be removed")
        onvif = await self._onvif.accounts_driver()
        try:
            await self._sunapi.tell("security", "users", "remove", {"Index": str(slot.index)})
        except Unsupported:
            said = {"Index": str(slot.index), "UserID": name, "Enable": "False"}
            await self._sunapi.update_user(said, Secret(f"{secrets.token_urlsafe(9)}-a1B"))
        if onvif is not None and await has_account(onvif, name):
            await onvif.remove_account(name)

    async def _taken(self, name: str) -> Slot:
        found = next((slot for slot in await self._slots() if slot.enabled and slot.name == name), None)
        if found is None:
            raise Refused(f"there is no account {name!r}")
        return found

    # --- configuration and firmware ---

    async def backup(self) -> bytes:
        http = self._sunapi.http.anew(most_bytes=MOST_BACKUP_BYTES, timeout_s=BACKUP_TIMEOUT_S)
        async with http:
            question = {"msubmenu": "configbackup", "action": "control"}
            reply = await self._sunapi.over(http).get("system", question)
        replies.refuse_words(reply, "configbackup")
        if not reply.body:
            raise Garbled("configbackup: it is empty")
        return reply.body

    async def restore(self, configuration: bytes) -> None:
        """In base64, as its own web page sends it: a form with parts is refused (607)."""
        body = await asyncio.to_thread(base64.b64encode, configuration)
        reply = await self._sunapi.post("system", {"msubmenu": "configrestore", "action": "control"}, body)
        replies.expect_ok(reply, "configrestore")

    async def reboot(self) -> None:
        await self._sunapi.tell("system", "power", "control", {"Type": "Reboot"})

    async def firmware_state(self) -> FirmwareState:
        said = await self._sunapi.view("system", "deviceinfo")
        version = clean_text(replies.need(said, "FirmwareVersion", "deviceinfo"))
        return FirmwareState(version, committed=None, previous=None, rollback_in_s=None, boot_id=None)

    async def upload_firmware(self, image: Path, *, rollback_after_s: int | None) -> None:
        if rollback_after_s is not None:
            raise Unsupported("SUNAPI cannot ask a camera to go back by itself")
        body, content_type = await multipart(image, name="uploadFile")
        question = {"msubmenu": "firmwareupdate", "action": "control", "Type": "Normal"}
        replies.judge_upload(await self._sunapi.post("system", question, body, content_type))

    # --- applications ---

    async def apps(self) -> Apps:
        return replies.decode_apps(await self._sunapi.view("opensdk", "apps"))

    async def upload_app(self, package: Path, app: str) -> None:
        """It is sent, and installed by a second word. Its id is the name of its file, which is therefore told."""
        if not _APP_ID.fullmatch(app):
            raise Refused("this is no id of an app for cameras of Hanwha: letters, digits, - and _, at most 64")
        body, content_type = await multipart(package, name="UploadedFile", file_name=f"{app}.cap")
        said = {"msubmenu": "apps", "action": "install", "AppID": app, "Channel": "0"}
        reply = await self._sunapi.post("opensdk", {**said, "IgnoreCookie": "True"}, body, content_type)
        session, is_there = replies.decode_install(replies.decode_pairs(reply, "install"))
        kept = {"KeepOldSettings": "True"} if is_there else {}
        told = {"AppID": app, "Channel": "0", "ApplicationSessionId": session, **kept}
        await self._sunapi.tell("opensdk", "apps", "install", told)

    async def start_app(self, app: str) -> None:
        await self._sunapi.tell("opensdk", "apps", "control", {"AppID": app, "Mode": "Start"})

    async def stop_app(self, app: str) -> None:
        await self._sunapi.tell("opensdk", "apps", "control", {"AppID": app, "Mode": "Stop"})

    async def remove_app(self, app: str) -> None:
        await self._sunapi.tell("opensdk", "apps", "remove", {"AppID": app})

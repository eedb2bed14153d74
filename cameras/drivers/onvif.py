"""Any camera that speaks ONVIF: one method is one question or one change."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import httpx

from cameras import onvif_requests, soap
from cameras.driver import AccountStore, Role, SwitchName
from cameras.errors import Garbled, Refused, Unsupported
from cameras.facts import (
    Accounts,
    AnonymousViewer,
    Apps,
    Certificates,
    ClockSource,
    DeviceLog,
    DiscoveryMode,
    FirmwareState,
    Hostname,
    Identity,
    IpFilter,
    Lockout,
    NetworkInterfaces,
    NetworkServices,
    Scopes,
    Services,
    StreamProfile,
    StreamProfiles,
    Switches,
    SyslogTarget,
)
from cameras.http import refusal
from cameras.onvif_replies import (
    SystemAbility,
    decode_accounts,
    decode_backup_uri,
    decode_capabilities,
    decode_clock_source,
    decode_discovery_mode,
    decode_firmware_state,
    decode_hostname,
    decode_identity,
    decode_media2_profiles,
    decode_media_profiles,
    decode_network_interfaces,
    decode_network_services,
    decode_scopes,
    decode_services,
    decode_upload_door,
    decode_uri,
    has_ability,
)
from cameras.onvif_session import OnvifSession
from cameras.pictures import decode_picture
from cameras.secret import Credential, Secret
from cameras.upload import FileBody, file_body

# Addresses are asked for this many profiles: the main and sub streams. A camera may define dozens.
MOST_PROFILES = 4
MOST_BACKUP_BYTES = 64 * 1024 * 1024
BACKUP_TIMEOUT_S = 120.0
# A camera that wants longer than this before it takes a file is not waited for.
MOST_UPLOAD_DELAY_S = 120.0


class OnvifDriver:
    """Questions and changes to one camera over the session it is given. Each raises `cameras.errors`.

    ONVIF has no word for switches of single services, syslog, anonymous viewers, applications and going back to an
    earlier firmware: those are Unsupported.
    """

    family = "onvif"

    def __init__(self, session: OnvifSession) -> None:
        self._session = session

    async def identity(self) -> Identity:
        """Needs a login of any level. The MAC is left out: `network_interfaces` has it."""
        return decode_identity(await self._session.ask(soap.DEVICE, "GetDeviceInformation"), mac=None)

    async def accounts(self) -> Accounts:
        """Needs an administrator on most cameras."""
        return decode_accounts(await self._session.ask(soap.DEVICE, "GetUsers"))

    async def services(self) -> Services:
        """Needs no login by the specification. Falls back to GetCapabilities, which older cameras have instead."""
        try:
            return decode_services(await self._session.ask(soap.DEVICE, "GetServices", {"IncludeCapability": False}))
        except (Unsupported, Refused, Garbled):
            return decode_capabilities(await self._session.ask(soap.DEVICE, "GetCapabilities", {"Category": ["All"]}))

    async def scopes(self) -> Scopes:
        return decode_scopes(await self._session.ask(soap.DEVICE, "GetScopes"))

    async def network_services(self) -> NetworkServices:
        return decode_network_services(await self._session.ask(soap.DEVICE, "GetNetworkProtocols"))

    async def network_interfaces(self) -> NetworkInterfaces:
        return decode_network_interfaces(await self._session.ask(soap.DEVICE, "GetNetworkInterfaces"))

    async def hostname(self) -> Hostname:
        return decode_hostname(await self._session.ask(soap.DEVICE, "GetHostname"))

    async def clock_source(self) -> ClockSource:
        return decode_clock_source(await self._session.ask(soap.DEVICE, "GetNTP"))

    async def discovery_mode(self) -> DiscoveryMode:
        return decode_discovery_mode(await self._session.ask(soap.DEVICE, "GetDiscoveryMode"))

    async def stream_profiles(self, services: Services) -> StreamProfiles:
        """Profiles with their stream and snapshot addresses: by Media2 where announced, by Media otherwise.

        Media2 alone knows H.265; a Media2 that does not answer falls back to Media where that is announced too.
        """
        urls = {service.namespace: service.url for service in services.services}
        if soap.MEDIA2 in urls:
            try:
                return await self._media2_profiles(self._session.local_url(urls[soap.MEDIA2]))
            except (Unsupported, Refused, Garbled):
                if soap.MEDIA not in urls:
                    raise
        if soap.MEDIA not in urls:
            raise Unsupported("it announces no media service")
        return await self._media_profiles(self._session.local_url(urls[soap.MEDIA]))

    async def _media_profiles(self, url: httpx.URL) -> StreamProfiles:
        profiles = decode_media_profiles(await self._session.ask(soap.MEDIA, "GetProfiles", url=url))
        stream = {"StreamSetup": {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}}
        return StreamProfiles("media", await self._with_uris(soap.MEDIA, profiles, stream, url))

    async def _media2_profiles(self, url: httpx.URL) -> StreamProfiles:
        profiles = decode_media2_profiles(await self._session.ask(soap.MEDIA2, "GetProfiles", {"Type": ["All"]}, url))
        return StreamProfiles("media2", await self._with_uris(soap.MEDIA2, profiles, {"Protocol": "RTSP"}, url))

    async def _with_uris(
        self, namespace: str, profiles: tuple[StreamProfile, ...], stream: Mapping[str, object], url: httpx.URL
    ) -> tuple[StreamProfile, ...]:
        found = []
        for profile in profiles[:MOST_PROFILES]:
            token = {"ProfileToken": profile.token}
            stream_uri = await self._uri(namespace, "GetStreamUri", {**stream, **token}, url)
            snapshot_uri = await self._uri(namespace, "GetSnapshotUri", token, url)
            found.append(replace(profile, stream_uri=stream_uri, snapshot_uri=snapshot_uri))
        return tuple(found)

    async def _uri(self, namespace: str, operation: str, arguments: Mapping[str, object], url: httpx.URL) -> str | None:
        """`None` where this profile has no such address: an incomplete profile does not cost us the others."""
        try:
            return decode_uri(await self._session.ask(namespace, operation, arguments, url))
        except (Unsupported, Refused, Garbled):
            return None

    async def snapshot(self, uri: str) -> bytes:
        """The picture behind a snapshot address, asked for with the login that worked."""
        reply = await self._session.http.request("GET", self._session.local_url(uri), login=self._session.http_login)
        return decode_picture(reply)

    async def firmware_state(self) -> FirmwareState:
        return decode_firmware_state(await self._session.ask(soap.DEVICE, "GetDeviceInformation"))

    async def account_stores(self) -> Sequence[AccountStore]:
        """The web server counts where it asks for a login and lets the account in that we came with."""
        return ("onvif", "web") if await self._session.web_knows_us() else ("onvif",)

    async def backup(self) -> bytes:
        """Only by HTTP (GetSystemUris): what cameras attach to GetSystemBackup as MTOM is not read."""
        await self._need("HttpSystemBackup")
        uri = decode_backup_uri(await self._session.ask(soap.DEVICE, "GetSystemUris"))
        async with self._session.http.anew(most_bytes=MOST_BACKUP_BYTES, timeout_s=BACKUP_TIMEOUT_S) as http:
            reply = await http.request("GET", http.local_url(uri), login=self._session.http_login)
        if error := refusal(reply, "backup"):
            raise error
        if not reply.body:
            raise Garbled("backup: it is empty")
        return reply.body

    async def _need(self, ability: SystemAbility) -> None:
        if not has_ability(await self._session.ask(soap.DEVICE, "GetServiceCapabilities"), ability):
            raise Unsupported(f"it does not announce {ability}")

    # --- changes ---

    async def _tell(self, operation: str, arguments: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401
        return await self._session.ask(soap.DEVICE, operation, arguments, once=True)

    async def set_clock_source(self, *, servers: Sequence[str], from_dhcp: bool) -> None:
        """The servers first: a camera without one refuses to go by NTP. With neither, its clock is left as it is."""
        await self._tell("SetNTP", onvif_requests.ntp(servers, from_dhcp=from_dhcp))
        if servers or from_dhcp:
            current = await self._session.ask(soap.DEVICE, "GetSystemDateAndTime")
            await self._tell("SetSystemDateAndTime", onvif_requests.clock_by_ntp(current))

    async def set_discovery_mode(self, *, discoverable: bool) -> None:
        mode = "Discoverable" if discoverable else "NonDiscoverable"
        await self._tell("SetDiscoveryMode", {"DiscoveryMode": mode})

    async def set_network_service(self, name: Literal["HTTP", "HTTPS", "RTSP"], *, enabled: bool) -> None:
        current = await self.network_services()
        await self._tell("SetNetworkProtocols", onvif_requests.network_service(current, name, enabled=enabled))

    async def create_account(self, account: Credential, role: Role) -> None:
        await self._tell("CreateUsers", onvif_requests.user(account.username, account.password, role))

    async def set_password(self, name: str, password: Secret) -> None:
        role = onvif_requests.role_of(await self.accounts(), name)
        await self._tell("SetUser", onvif_requests.user(name, password, role))

    async def remove_account(self, name: str) -> None:
        await self._tell("DeleteUsers", {"Username": [name]})

    async def upload_firmware(self, image: Path, *, rollback_after_s: int | None) -> None:
        if rollback_after_s is not None:
            raise Unsupported("ONVIF cannot ask a camera to go back by itself")
        body = await file_body(image)
        await self._need("HttpFirmwareUpgrade")
        await self._upload("StartFirmwareUpgrade", body)

    async def restore(self, configuration: bytes) -> None:
        await self._need("HttpSystemBackup")
        await self._upload("StartSystemRestore", configuration)

    async def _upload(self, operation: str, body: bytes | FileBody) -> None:
        """To the address that the camera names, on its own host whatever it says, after the time that it asks for."""
        door = decode_upload_door(await self._tell(operation))
        http = self._session.http
        url = http.local_url(door.uri)
        if door.delay_s > MOST_UPLOAD_DELAY_S:
            raise Refused(f"{operation}: it wants {door.delay_s:.0f} s before it takes a file")
        await asyncio.sleep(door.delay_s)
        headers = {"Content-Type": "application/octet-stream"}
        login = self._session.http_login
        reply = await http.request("POST", url, content=body, headers=headers, login=login, once=True)
        if error := refusal(reply, "upload"):
            raise error

    async def reboot(self) -> None:
        await self._tell("SystemReboot")

    # --- what ONVIF cannot ---

    async def switches(self) -> Switches:
        raise _no_word_for("switches of single services")

    async def syslog_target(self) -> SyslogTarget:
        raise _no_word_for("a syslog target")

    async def anonymous_viewer(self) -> AnonymousViewer:
        raise _no_word_for("anonymous viewers")

    async def apps(self) -> Apps:
        raise _no_word_for("applications")

    async def ip_filter(self) -> IpFilter:
        raise _no_word_for("who may come in by address")

    async def certificates(self) -> Certificates:
        raise _no_word_for("certificates")

    async def log(self) -> DeviceLog:
        raise _no_word_for("its log")

    async def lockout(self) -> Lockout:
        raise _no_word_for("what wrong passwords lead to")

    async def set_lockout(self, *, tries: int, lock_s: float) -> None:  # noqa: ARG002
        raise _no_word_for("what wrong passwords lead to")

    async def set_switch(self, name: SwitchName, *, on: bool) -> None:
        raise _no_word_for(f"switching {name} {'on' if on else 'off'}")

    async def set_syslog_target(self, target: SyslogTarget) -> None:  # noqa: ARG002 - the protocol's signature
        raise _no_word_for("a syslog target")

    async def set_anonymous_viewer(self, *, allowed: bool) -> None:  # noqa: ARG002
        raise _no_word_for("anonymous viewers")

    async def commit_firmware(self) -> None:
        raise _no_word_for("keeping a firmware on trial")

    async def roll_back_firmware(self) -> None:
        raise _no_word_for("going back to an earlier firmware")

    async def upload_app(self, package: Path) -> None:  # noqa: ARG002
        raise _no_word_for("applications")

    async def start_app(self, app: str) -> None:  # noqa: ARG002
        raise _no_word_for("applications")

    async def stop_app(self, app: str) -> None:  # noqa: ARG002
        raise _no_word_for("applications")

    async def remove_app(self, app: str) -> None:  # noqa: ARG002
        raise _no_word_for("applications")


def _no_word_for(what: str) -> Unsupported:
    return Unsupported(f"ONVIF has no word for {what}")

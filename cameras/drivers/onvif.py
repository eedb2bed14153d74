"""Any camera that speaks ONVIF: one method is one question or one change."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import httpx

from cameras import onvif_apps, onvif_files, onvif_requests, onvif_security, soap
from cameras.driver import NO_FILTER_TRIAL, AccountStore, Role, SwitchName
from cameras.errors import Garbled, Refused, Unsupported
from cameras.facts import (
    Accounts,
    AnonymousViewer,
    Apps,
    Certificates,
    ClockSource,
    DeviceLog,
    DiscoveryMode,
    FilterTrial,
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
    UnsignedApps,
)
from cameras.onvif_replies import (
    decode_accounts,
    decode_capabilities,
    decode_clock_source,
    decode_discovery_mode,
    decode_firmware_state,
    decode_hostname,
    decode_identity,
    decode_log,
    decode_media2_profiles,
    decode_media_profiles,
    decode_network_interfaces,
    decode_network_services,
    decode_scopes,
    decode_services,
    decode_uri,
)
from cameras.onvif_session import OnvifSession
from cameras.pictures import decode_picture
from cameras.secret import Credential, Secret

# Addresses are asked for this many profiles: the main and sub streams. A camera may define dozens.
MOST_PROFILES = 4


class OnvifDriver:
    """Questions and changes to one camera over the session it is given. Each raises `cameras.errors`.

    ONVIF has no word for switches of single services, syslog, anonymous viewers, what wrong passwords lead to and going
    back to an earlier firmware: those are Unsupported. Who may come in by address is read and never written: there is
    no way to try a filter first, and one that leaves us out would leave everybody out.
    """

    family = "onvif"

    def __init__(self, session: OnvifSession) -> None:
        self._session = session
        self._announced: Mapping[str, str] | None = None

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
        return await onvif_files.backup(self._session)

    async def ip_filter(self) -> IpFilter:
        return onvif_security.decode_ip_filter(await self._session.ask(soap.DEVICE, "GetIPAddressFilter"))

    async def certificates(self) -> Certificates:
        try:
            keystore: httpx.URL | None = await self._service(soap.SECURITY)
        except Unsupported:
            keystore = None
        return await onvif_security.certificates(self._session, keystore)

    async def log(self) -> DeviceLog:
        return decode_log(await self._session.ask(soap.DEVICE, "GetSystemLog", {"LogType": "System"}))

    async def apps(self) -> Apps:
        return await onvif_apps.apps(self._session, await self._service(soap.APPS))

    async def _service(self, namespace: str) -> httpx.URL:
        """Where that service is spoken to; Unsupported where the camera does not announce it."""
        if self._announced is None:
            self._announced = {service.namespace: service.url for service in (await self.services()).services}
        if namespace not in self._announced:
            raise Unsupported(f"it does not announce the service {namespace}")
        return self._session.local_url(self._announced[namespace])

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
        await onvif_files.upload_firmware(self._session, image)

    async def restore(self, configuration: bytes) -> None:
        await onvif_files.restore(self._session, configuration)

    async def request_certificate(self, name: str) -> str:
        return await onvif_security.request_certificate(self._session, await self._service(soap.SECURITY), name)

    async def install_certificate(self, chain: str) -> None:
        await onvif_security.install_certificate(self._session, await self._service(soap.SECURITY), chain)

    async def upload_app(self, package: Path, app: str) -> None:  # noqa: ARG002 - the package says what it is
        await onvif_apps.upload_app(self._session, await self._service(soap.APPS), package)

    async def start_app(self, app: str) -> None:
        await onvif_apps.change(self._session, await self._service(soap.APPS), "Activate", app)

    async def stop_app(self, app: str) -> None:
        await onvif_apps.change(self._session, await self._service(soap.APPS), "Deactivate", app)

    async def remove_app(self, app: str) -> None:
        await onvif_apps.change(self._session, await self._service(soap.APPS), "Uninstall", app)

    async def reboot(self) -> None:
        await self._tell("SystemReboot")

    # --- what ONVIF cannot ---

    async def switches(self) -> Switches:
        raise _no_word_for("switches of single services")

    async def syslog_target(self) -> SyslogTarget:
        raise _no_word_for("a syslog target")

    async def anonymous_viewer(self) -> AnonymousViewer:
        raise _no_word_for("anonymous viewers")

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

    async def unsigned_apps(self) -> UnsignedApps:
        raise _no_word_for("signatures of applications")

    async def set_unsigned_apps(self, *, allowed: bool) -> None:  # noqa: ARG002
        raise _no_word_for("signatures of applications")

    async def filter_trial(self) -> FilterTrial:
        raise Unsupported(NO_FILTER_TRIAL)

    async def try_ip_filter(self, wanted: IpFilter, *, back_after_s: int) -> None:  # noqa: ARG002
        raise Unsupported(NO_FILTER_TRIAL)

    async def keep_ip_filter(self) -> None:
        raise Unsupported(NO_FILTER_TRIAL)

    async def commit_firmware(self) -> None:
        raise _no_word_for("keeping a firmware on trial")

    async def roll_back_firmware(self) -> None:
        raise _no_word_for("going back to an earlier firmware")


def _no_word_for(what: str) -> Unsupported:
    return Unsupported(f"ONVIF has no word for {what}")

"""Any camera that speaks ONVIF: one method is one question."""

from collections.abc import Mapping
from dataclasses import replace

import httpx

from cameras import soap
from cameras.errors import Garbled, Refused, Unauthorized, Unsupported
from cameras.facts import (
    Accounts,
    ClockSource,
    DiscoveryMode,
    Hostname,
    Identity,
    NetworkInterfaces,
    NetworkServices,
    Scopes,
    Services,
    StreamProfile,
    StreamProfiles,
)
from cameras.http import Reply
from cameras.onvif_replies import (
    decode_accounts,
    decode_capabilities,
    decode_clock_source,
    decode_discovery_mode,
    decode_hostname,
    decode_identity,
    decode_media2_profiles,
    decode_media_profiles,
    decode_network_interfaces,
    decode_network_services,
    decode_scopes,
    decode_services,
    decode_uri,
)
from cameras.onvif_session import OnvifSession

# Addresses are asked for this many profiles: the main and sub streams. A camera may define dozens.
MOST_PROFILES = 4


class OnvifDriver:
    """Questions to one camera over the session it is given. Each raises `cameras.errors`."""

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


def decode_picture(reply: Reply) -> bytes:
    """The picture's bytes. Unauthorized, Unsupported (no such address), Garbled (no picture)."""
    if reply.status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise Unauthorized(f"snapshot: HTTP {reply.status}")
    if reply.status == httpx.codes.NOT_FOUND:
        raise Unsupported("snapshot: HTTP 404")
    if not is_picture(reply.body):
        raise Garbled(f"snapshot: HTTP {reply.status} without a picture")
    return reply.body


def is_picture(body: bytes) -> bool:
    """JPEG, as ONVIF wants it, or PNG, as some servers have it."""
    return body.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"))

"""What a watch needs of one camera: its version, its picture, and what its own analytics say."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from cameras.driver import Driver
from cameras.errors import DeviceError, Garbled, Unsupported
from cameras.facts import StreamProfile
from cameras.http import HttpLogin
from cameras.metadata import MetadataFrame, read_metadata
from cameras.metadata_stream import Documents
from cameras.place import Place
from cameras.rtsp import play
from cameras.secret import Credential

# Dahua measures in a grid of its own, without saying so.
_GRID_OF_8192 = ("dahua", "amcrest", "lorex", "intelbras")


class Sight(Protocol):
    """All raise `cameras.errors`. `grid`: what the camera's own numbers are parts of, `None` where nobody knows.

    `lost`: metadata documents that came in pieces or could not be read; one bad document does not end a watch.
    """

    grid: tuple[int, int] | None
    lost: int

    async def version(self) -> str: ...
    async def picture(self) -> bytes: ...
    def metadata(self) -> AbstractAsyncContextManager[AsyncIterator[tuple[MetadataFrame, ...]]]: ...


OpenSight = Callable[[str], AbstractAsyncContextManager[Sight]]


class CameraSight:
    """Of a camera that was logged in to."""

    def __init__(self, driver: Driver, profile: StreamProfile, place: Place, credential: Credential | None) -> None:
        self.grid: tuple[int, int] | None = None
        self.lost = 0
        self._driver = driver
        self._profile = profile
        self._place = place
        self._credential = credential

    @classmethod
    async def of(cls, driver: Driver, place: Place, credential: Credential | None) -> "CameraSight":
        """Asks which stream there is. Raises Unsupported where it has none, and all of `cameras.errors`."""
        profiles = await driver.stream_profiles(await driver.services())
        profile = next((one for one in profiles.profiles if one.stream_uri and one.snapshot_uri), None)
        if profile is None:
            raise Unsupported("it names no stream with a snapshot")
        sight = cls(driver, profile, place, credential)
        maker = ((await driver.identity()).manufacturer or "").casefold()
        if any(name in maker for name in _GRID_OF_8192):
            sight.grid = (8192, 8192)
        return sight

    async def version(self) -> str:
        """Firmware, and every running application with its version: whatever may change what is seen."""
        parts = [f"firmware {(await self._driver.identity()).firmware or 'unknown'}"]
        try:
            apps = (await self._driver.apps()).apps
        except DeviceError:
            apps = ()
        parts += sorted(f"{app.id} {app.version or '?'}" for app in apps if app.running)
        return ", ".join(parts)

    async def picture(self) -> bytes:
        return await self._driver.snapshot(self._profile.snapshot_uri or "")

    @asynccontextmanager
    async def metadata(self) -> AsyncIterator[AsyncIterator[tuple[MetadataFrame, ...]]]:
        login = HttpLogin(self._credential) if self._credential else None
        url = self._profile.stream_uri or ""
        async with play(url, login, media="application", address=self._place.address) as stream:
            documents = Documents(stream.track.encoding)

            async def frames() -> AsyncIterator[tuple[MetadataFrame, ...]]:
                garbled = 0
                async for packet in stream:
                    for document in documents.add(packet):
                        try:
                            yield read_metadata(document)
                        except Garbled:
                            garbled += 1
                    self.lost = documents.lost + garbled

            yield frames()

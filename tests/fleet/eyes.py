"""Cameras that show what a test wants them to show: they answer the three questions that a look at a picture asks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import cv2

from cameras.budget import AttemptBudget
from cameras.driver import Driver
from cameras.facts import Services, StreamProfile, StreamProfiles
from cameras.place import Place
from cameras.secret import Credential, Secret
from fleet.findings import triage as findings
from fleet.pictures.rows import AnyRow
from fleet.store import Store
from health.looks import Picture
from health.visit import Access
from tests.fleet.samples import assessed, camera, dossier
from tests.health.rendering import seen, street


class Eye:
    """One camera. `look` is what it sees, without noise; `fails` is what it says instead; `frozen` stops its noise."""

    def __init__(self, look: Picture | None = None) -> None:
        self.look = street() if look is None else look
        self.fails: Exception | None = None
        self.frozen = False
        self.asked = 0

    async def services(self) -> Services:
        if self.fails:
            raise self.fails
        return Services(())

    async def stream_profiles(self, _services: Services) -> StreamProfiles:
        profile = StreamProfile("main", "main", "JPEG", 960, 540, 10, None, "http://127.0.0.1/snapshot")
        return StreamProfiles("media", (profile,))

    async def snapshot(self, _uri: str) -> bytes:
        self.asked += not self.frozen
        _, coded = cv2.imencode(".jpg", seen(self.look, self.asked))
        return coded.tobytes()


class Estate:
    """Eyes, by the address of their camera."""

    def __init__(self) -> None:
        self.eyes: dict[str, Eye] = {}

    async def add(self, store: Store, number: int, look: Picture | None = None) -> str:
        """A stored camera with an eye; its id."""
        address = f"10.0.0.{number}"
        self.eyes[address] = Eye(look)
        found = await findings.record(store, assessed({}, dossier(address, identity=camera(number)), 90))
        return found.camera

    async def access_to(self, row: AnyRow) -> Access:
        eye = self.eyes[row.address]

        @asynccontextmanager
        async def opened() -> AsyncIterator[Driver]:
            yield cast("Driver", eye)

        place = Place(row.address, row.port, "http")
        return Access(opened, place, Credential("audit", Secret("x")), AttemptBudget())

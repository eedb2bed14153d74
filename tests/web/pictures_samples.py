"""A console whose cameras show what a test wants: rendered streets instead of a network."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from analytics_qa.drift import Picture
from fleet.accuracy import rows as accuracy_rows
from fleet.accuracy.rows import Hour
from fleet.accuracy.runner import Label
from fleet.jobs.queue import Queue
from fleet.people import accounts as people
from fleet.people.permissions import Role
from fleet.pictures.runner import Pictures
from fleet.service import Service, open_service
from fleet.settings import Settings
from fleet.signing_in import steps as signing_in
from fleet.store import Store
from health.visit import Pace
from tests.fleet.eyes import Estate
from tests.frame.sqlite import new_database
from tests.health.rendering import covered, street
from tests.web.conftest import PASSWORD, Visitor, browser
from web.app import create_app

VERSION = "firmware 12.11.77, person-detector 2.1"


@dataclass(frozen=True, slots=True)
class Gallery:
    """`eyes` are its cameras by address; `visitor` is signed in as an operator."""

    service: Service
    eyes: Estate
    visitor: Visitor
    app: Any

    @property
    def store(self) -> Store:
        return self.service.store

    @property
    def pictures(self) -> Pictures:
        return self.service.pictures


@asynccontextmanager
async def open_gallery(settings: Settings) -> AsyncIterator[Gallery]:
    eyes = Estate()
    async with AsyncExitStack() as stack:
        await new_database(settings)
        # In place of the real ones: beside them, they would lose jobs of the one queue to them.
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr("fleet.service.Pictures", partial(_pretended, eyes))
        service = await stack.enter_async_context(open_service(settings))
        await people.add_user(service.store, "ana", PASSWORD, Role.OPERATOR)
        token = (await signing_in.sign_in(service.store, "ana", PASSWORD, "127.0.0.1")).token.reveal()
        app = create_app(service)
        client = await stack.enter_async_context(browser(app))
        client.cookies.set("session", token)
        yield Gallery(service, eyes, Visitor(client), app)


def _pretended(
    eyes: Estate, store: Store, settings: Settings, _access: object, *, queue: Queue, **_given: object
) -> Pictures:
    return Pictures(store, settings, eyes.access_to, pace=Pace(pictures=3, seconds=0), queue=queue)


async def a_fault(gallery: Gallery, number: int) -> str:
    """A camera that was approved, then covered, and stayed so for long enough to be raised."""
    camera = await gallery.eyes.add(gallery.store, number)
    await gallery.pictures.approve(camera, "ana")
    await gallery.pictures.check_now(camera)
    gallery.eyes.eyes[f"10.0.0.{number}"].look = covered(0.6, 30)(street())
    for _ in range(3):
        await gallery.pictures.check_now(camera)
    return camera


async def labelled(service: Service, camera: str, picture: Picture = "good") -> None:
    """One watch that is over, and two labelled pictures of its version."""
    store, now = service.store, service.store.now()
    watch = await service.accuracy.finished(await service.accuracy.start(camera, "ana", seconds=1))
    done = replace(
        watch,
        state=accuracy_rows.WatchState.DONE,
        error=None,
        version=VERSION,
        picture=picture,
        counted=7,
        pictures=12,
        reference_seen=9,
        agreed=8,
        claimed=8,
        reference="detector 1a2b3c4d",
    )
    hour = now.replace(minute=0, second=0, microsecond=0)
    await accuracy_rows.save_result(store, done, Hour(hour, picture, VERSION, 7, 60.0))
    earlier = Hour(hour - timedelta(hours=3), "bad", VERSION, 3, 600.0)
    await accuracy_rows.save_result(store, done, earlier)
    labels = [Label(now - timedelta(minutes=minutes), "day", VERSION, 4, 1, 1, "ana") for minutes in (5, 1)]
    await service.accuracy.label(camera, labels)

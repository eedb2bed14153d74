"""A simulated camera of each family, opened as the product opens cameras."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from cameras.budget import AttemptBudget
from cameras.driver import AccountStore, Driver
from cameras.opening import open_camera, password_works
from cameras.place import Place
from cameras.secret import Credential, Secret
from simulator.camera import Camera
from tests.simulator.changing import changeable, until, until_port

FAMILIES = ("axis", "hikvision", "dahua", "hanwha", "onvif")
ONE_STORE, TWO_STORES = "one account store", "two account stores"


@dataclass
class Met:
    """A simulated camera and how to reach it."""

    camera: Camera
    budget: AttemptBudget
    credential: Credential

    @property
    def place(self) -> Place:
        plan = self.camera.plan
        return Place(plan.address, plan.port, plan.scheme, shared=True)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Driver]:
        async with open_camera(self.place, self.credential, self.budget) as driver:
            yield driver

    async def works(self, store: AccountStore, credential: Credential) -> bool:
        return await password_works(self.place, store, credential, self.budget)

    async def back(self, boots: int = 2) -> None:
        """Until it has started so many times and listens again."""
        await until(lambda: self.camera.boots >= boots)
        await until_port(self.place.address, self.place.port, opened=True)

    async def certificate_on_the_wire(self) -> bytes:
        """DER of what its HTTPS port shows now."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        _, writer = await asyncio.open_connection(self.place.address, self.camera.plan.https_port, ssl=context)
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.transport.abort()
        assert isinstance(shown, bytes)
        return shown


@asynccontextmanager
async def meet(family: str, stores: str = ONE_STORE, **fields: object) -> AsyncIterator[Met]:
    async with changeable(family, faults={}) as (_, camera, _http):
        if stores == TWO_STORES:
            camera.become(replace(camera.plan, web_accounts=camera.plan.accounts))
        camera.become(replace(camera.plan, **fields))  # type: ignore[arg-type] # the fields of a plan, by name
        login = camera.plan.login
        assert login is not None
        yield Met(camera, AttemptBudget(), Credential(login.name, Secret(login.password)))

"""The camera does not answer WS-Discovery: it was found, and from now on its address is nobody else's business."""

from cameras.driver import Driver
from cameras.facts import DiscoveryMode
from hardening.model import Compared, PasswordFor, Setting, drift, in_order


async def _observe(driver: Driver) -> DiscoveryMode:
    return await driver.discovery_mode()


def _judge(seen: DiscoveryMode, wanted: DiscoveryMode) -> Compared:
    said = in_order if seen == wanted else drift
    return said("it announces itself" if seen.discoverable else "it does not announce itself")


async def _tell(driver: Driver, wanted: DiscoveryMode, _password_for: PasswordFor) -> None:
    await driver.set_discovery_mode(discoverable=wanted.discoverable)


SETTING = Setting(
    name="discovery-mode",
    title="The camera does not announce itself",
    parameters=bool,
    observe=_observe,
    wanted=lambda on: DiscoveryMode(discoverable=on),
    state=lambda fact, _wanted: fact,
    judge=_judge,
    tell=_tell,
    words=lambda state: (f"discovery: {'on' if state.discoverable else 'off'}",),
    shape=DiscoveryMode,
    back=lambda seen: seen,
)

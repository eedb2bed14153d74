"""What only a vendor's own API tells: switches, lock-out, where logs go, applications, the other firmware.

Asked with the login that worked over ONVIF, of which the web server may know nothing: one try of the budget, and never
the last one.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TypeVar

from cameras import families
from cameras.budget import AttemptBudget
from cameras.driver import Driver
from cameras.drivers.onvif import OnvifDriver
from cameras.errors import DeviceError, Unsupported
from cameras.facts import AnonymousViewer, Apps, FirmwareState, Gap, Lockout, Switches, SyslogTarget, UnsignedApps
from cameras.onvif_session import OnvifSession
from cameras.secret import Credential
from scanners.gaps import gap

T = TypeVar("T")
Asking = Callable[[Callable[[], Awaitable[T]]], Awaitable[T | Gap]]


@dataclass(frozen=True, slots=True)
class VendorFacts:
    """`family` is the one that the camera showed, "onvif" where it showed none."""

    family: str
    switches: Switches | Gap
    lockout: Lockout | Gap
    anonymous_viewer: AnonymousViewer | Gap
    syslog_target: SyslogTarget | Gap
    firmware_state: FirmwareState | Gap
    apps: Apps | Gap
    unsigned_apps: UnsignedApps | Gap


class _LoggedIn:
    """ONVIF beside, over the session of this visit."""

    def __init__(self, session: OnvifSession) -> None:
        self._driver = OnvifDriver(session)

    async def driver(self) -> Driver:
        return self._driver

    async def accounts_driver(self) -> Driver | None:
        return self._driver

    async def still_accepts_us(self) -> bool:
        raise Unsupported("a visit changes nothing")


async def facts(
    session: OnvifSession, login: Credential | Gap, key: str, budget: AttemptBudget, ask: Asking[object]
) -> VendorFacts:
    """By the driver of its family, or over ONVIF alone. `ask` puts one question, or gives the gap that it ended in."""
    async with AsyncExitStack() as stack:
        driver, family, closed = await _driver(stack, session, login, key, budget)
        answers: Mapping[str, object] = {
            name: closed or await ask(question) for name, question in _questions(driver).items()
        }
    return VendorFacts(family, **answers)  # type: ignore[arg-type] # by name, each of its own type


def _questions(driver: Driver) -> Mapping[str, Callable[[], Awaitable[object]]]:
    return {
        "switches": driver.switches,
        "lockout": driver.lockout,
        "anonymous_viewer": driver.anonymous_viewer,
        "syslog_target": driver.syslog_target,
        "firmware_state": driver.firmware_state,
        "apps": driver.apps,
        "unsigned_apps": driver.unsigned_apps,
    }


async def _driver(
    stack: AsyncExitStack, session: OnvifSession, login: Credential | Gap, key: str, budget: AttemptBudget
) -> tuple[Driver, str, Gap | None]:
    """The driver, its family, and the gap that stands for every answer where the vendor's door stays closed to us."""
    onvif = OnvifDriver(session)
    try:
        met = await families.meet(stack, await stack.enter_async_context(session.http.anew()))
        if met is None:
            return onvif, onvif.family, None
        if isinstance(login, Gap):
            return onvif, met.family.name, login
        budget.keep_one(key, login.username)
        known = await families.log_in(met, login, key, budget)
        return met.family.driver(met.http, known, _LoggedIn(session)), met.family.name, None
    except DeviceError as error:
        return onvif, onvif.family, gap(error)

"""Only signed applications can be installed. Those that are there stay; an unsigned one cannot be updated any more."""

from typing import Literal

from cameras.driver import Driver
from cameras.facts import UnsignedApps
from hardening.model import Compared, PasswordFor, Setting, drift, in_order, unknown

_WORDS = {True: "allowed", False: "not allowed", None: "not said"}


async def _observe(driver: Driver) -> UnsignedApps:
    return await driver.unsigned_apps()


def _judge(seen: UnsignedApps, wanted: UnsignedApps) -> Compared:
    if seen.allowed is None:
        return unknown("the camera does not say whether it takes applications that nobody has signed")
    said = in_order if seen.allowed == wanted.allowed else drift
    return said(f"installing an unsigned application is {_WORDS[seen.allowed]}")


async def _tell(driver: Driver, wanted: UnsignedApps, _password_for: PasswordFor) -> None:
    await driver.set_unsigned_apps(allowed=bool(wanted.allowed))


SETTING = Setting(
    name="unsigned-apps",
    title="Only signed applications can be installed",
    parameters=Literal[False],
    observe=_observe,
    wanted=lambda allowed: UnsignedApps(allowed=allowed),
    state=lambda fact, _wanted: fact,
    judge=_judge,
    tell=_tell,
    words=lambda state: (f"unsigned applications: {_WORDS[state.allowed]}",),
    shape=UnsignedApps,
    back=lambda seen: None if seen.allowed is None else seen,
)

"""Nobody sees a picture without a login."""

from typing import Literal

from cameras.driver import Driver
from cameras.facts import AnonymousViewer
from hardening.model import Compared, PasswordFor, Setting, drift, in_order, unknown

_WORDS = {True: "allowed", False: "not allowed", None: "not said"}


async def _observe(driver: Driver) -> AnonymousViewer:
    return await driver.anonymous_viewer()


def _judge(seen: AnonymousViewer, wanted: AnonymousViewer) -> Compared:
    if seen.allowed is None:
        return unknown("the camera does not say whether it shows pictures without a login")
    said = in_order if seen.allowed == wanted.allowed else drift
    return said(f"viewing without a login is {_WORDS[seen.allowed]}")


async def _tell(driver: Driver, wanted: AnonymousViewer, _password_for: PasswordFor) -> None:
    await driver.set_anonymous_viewer(allowed=bool(wanted.allowed))


SETTING = Setting(
    name="anonymous-viewer",
    title="Nobody sees a picture without a login",
    parameters=Literal[False],
    observe=_observe,
    wanted=lambda allowed: AnonymousViewer(allowed=allowed),
    state=lambda fact, _wanted: fact,
    judge=_judge,
    tell=_tell,
    words=lambda state: (f"viewing without a login: {_WORDS[state.allowed]}",),
    shape=AnonymousViewer,
    back=lambda seen: None if seen.allowed is None else seen,
)

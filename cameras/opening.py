"""Open a camera to ask it or to change it, and prove a password: always over a fresh connection.

A wrong password costs one try of the camera's budget and is never repeated here.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from cameras import families, web_login
from cameras.budget import AttemptBudget
from cameras.driver import AccountStore, Driver
from cameras.drivers.onvif import OnvifDriver
from cameras.errors import (
    ClockSkewed,
    DeviceError,
    LockedOut,
    Unauthorized,
    Unreachable,
    Unsupported,
)
from cameras.http import DeviceHttp
from cameras.lockout import allows_more
from cameras.onvif_session import OnvifSession
from cameras.place import Place
from cameras.secret import Credential


@asynccontextmanager
async def open_camera(
    place: Place, credential: Credential, budget: AttemptBudget, *, timeout_s: float = 8.0
) -> AsyncIterator[Driver]:
    """The camera's driver, logged in. Raises `cameras.errors`.

    A camera on which nothing asks for a login is opened without one: its password is not proved by that.
    """
    budget.need_one(place.key, credential.username)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(DeviceHttp(place.address, place.port, place.scheme, timeout_s=timeout_s))
        met = await families.meet(stack, http)
        if met is None:
            yield OnvifDriver(await _onvif(http, place, credential, budget))
            return
        login = await families.log_in(met, credential, place.key, budget)
        yield met.family.driver(met.http, login, _OnvifBeside(met.http, place, credential, budget))


class _OnvifBeside:
    """ONVIF on a camera that is spoken to in another family's words. Its accounts may be others than the web server's.

    It is logged in to when first asked, once; the last try of the budget is never spent on it, and a camera that counts
    a refusal there aloud is not left alone for it while it allows more.
    """

    def __init__(self, http: DeviceHttp, place: Place, credential: Credential, budget: AttemptBudget) -> None:
        self._http, self._place, self._credential, self._budget = http, place, credential, budget
        self._driver: OnvifDriver | None = None
        self._knows_us = False
        self._refusal: Unauthorized | None = None

    async def driver(self) -> Driver:
        if self._refusal is not None:
            raise Unauthorized(str(self._refusal))
        if self._driver is None:
            self._budget.keep_one(self._place.key, self._credential.username)
            try:
                session = await _onvif(self._http, self._place, self._credential, self._budget, may_count=True)
            except Unauthorized as error:
                self._refusal = error
                raise
            session.forget_proof()
            self._driver, self._knows_us = OnvifDriver(session), session.account is not None
        return self._driver

    async def accounts_driver(self) -> Driver | None:
        try:
            driver = await self.driver()
        except (Unauthorized, Unsupported):
            return None
        return driver if self._knows_us else None

    async def still_accepts_us(self) -> bool:
        """Asked after our own password was changed elsewhere on this camera: a refusal says that it took another.

        That refusal is meant, so a camera that counts it aloud is not left alone for it while it allows more.
        """
        async with self._http.anew() as http:
            accepted = await _works_at_onvif(http, self._place, self._credential, self._budget, may_count=True)
        if not accepted:
            self._budget.vouch(self._place.key, self._credential.username)
        return accepted


async def _onvif(
    http: DeviceHttp, place: Place, credential: Credential, budget: AttemptBudget, *, may_count: bool = False
) -> OnvifSession:
    session = await _meet(http, place, budget)
    if session.login_operation is not None:
        await session.log_in(credential, may_count=may_count)
    return session


async def _meet(http: DeviceHttp, place: Place, budget: AttemptBudget) -> OnvifSession:
    """A session that knows the camera's clock and how it wants to be logged in to. Spends no try."""
    session = OnvifSession(http, place.key, budget)
    try:
        await session.clock()
    except (Unreachable, LockedOut):
        raise
    except DeviceError:
        if not session.spoke_soap and not session.wants_http_login:
            raise
    if session.login_operation is None:
        await session.try_anonymously()
    return session


async def password_works(
    place: Place, store: AccountStore, credential: Credential, budget: AttemptBudget, *, timeout_s: float = 8.0
) -> bool:
    """Whether the camera lets the account in at that store: one try over a fresh connection.

    True and False only where it clearly said so, else `cameras.errors`: Unsupported where nothing there asks for a
    login, so that nothing can be proved.
    """
    budget.need_one(place.key, credential.username)
    async with DeviceHttp(place.address, place.port, place.scheme, timeout_s=timeout_s) as http:
        tried = _works_at_web if store == "web" else _works_at_onvif
        return await tried(http, place, credential, budget)


async def _works_at_web(http: DeviceHttp, place: Place, credential: Credential, budget: AttemptBudget) -> bool:
    door = await web_login.find_door(http)
    if door is None:
        raise Unsupported("no page of its web server that we know asks for a login")
    return await web_login.log_in(http, door, credential, place.key, budget) is not None


async def _works_at_onvif(
    http: DeviceHttp, place: Place, credential: Credential, budget: AttemptBudget, *, may_count: bool = False
) -> bool:
    session = await _meet(http, place, budget)
    session.check_login(credential)
    async with budget.trial(place.key, credential.username) as trial:
        try:
            accepted = await session.accepts(credential, http)
        except LockedOut as error:
            if not (may_count and allows_more(str(error))):
                trial.locked()
                raise
            accepted = False
        if accepted:
            trial.worked()
    if not accepted and session.signs_by_time and not session.clock_is_known:
        raise ClockSkewed("it refuses the login, which may have been dated wrongly: its clock could not be read")
    return accepted

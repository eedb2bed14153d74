"""The families of cameras that have an API of their own, and how a camera shows which one it belongs to.

It is asked, not named: what a camera calls itself on the network may be another company's label on the same firmware.
"""

import re
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx

from cameras import web_login
from cameras.budget import AttemptBudget
from cameras.dahua_cgi import DahuaCgi
from cameras.driver import Driver, OnvifBeside
from cameras.drivers.axis import AxisDriver
from cameras.drivers.dahua import DahuaDriver
from cameras.drivers.hanwha import HanwhaDriver
from cameras.drivers.hikvision import HikvisionDriver
from cameras.errors import ClockSkewed, Garbled, Refused, Unauthorized, Unreachable, Unsupported
from cameras.http import DeviceHttp, HttpLogin
from cameras.isapi import Isapi
from cameras.isapi_replies import is_activate_status
from cameras.secret import Credential
from cameras.sunapi import Sunapi, answers_sunapi, approach
from cameras.untrusted import parse_xml
from cameras.vapix import Vapix
from cameras.web_login import (
    AXIS_LOGIN,
    DAHUA_LOGIN,
    HANWHA_LOGIN,
    HIKVISION_LOGIN,
    MOST_HANG_UPS,
    LoginDoor,
    SentToHttps,
    look,
)

MOST_CLOCK_OFF_S = 5 * 60.0


@dataclass(frozen=True, slots=True)
class Family:
    """`login_path` asks for a login on every camera of the family, and answers 404 on others.

    `realms` is what its web servers call themselves there. One that says something else is put the question `shows`,
    which needs no login. `approach` says what the login path tells a stranger; it raises `cameras.errors` where that is
    that nobody can log in now. `dated`: a login is refused as if the password were wrong while the camera's clock is
    off.
    """

    name: str
    login_path: str
    realms: re.Pattern[str]
    shows: Callable[[DeviceHttp], Awaitable[bool]]
    driver: Callable[[DeviceHttp, HttpLogin, OnvifBeside], Driver]
    approach: Callable[[DeviceHttp, str], Awaitable[LoginDoor | SentToHttps | None]] = look
    dated: bool = False


@dataclass(frozen=True, slots=True)
class Met:
    """A camera that showed its family, where it wants to be spoken to, and the page that asks for a login there."""

    family: Family
    http: DeviceHttp
    door: LoginDoor


async def _answers_vapix(http: DeviceHttp) -> bool:
    """The call has to answer as VAPIX does: a server that guards or welcomes on every path is no Axis camera."""
    try:
        said = await Vapix(http, login=None).ask("systemready.cgi", "systemready", {"timeout": 1}, signed=False)
    except (Unsupported, Unauthorized, Refused, Garbled):
        return False
    return "systemready" in said


async def _says_whether_activated(http: DeviceHttp) -> bool:
    """To anybody who asks, under every label that this firmware is sold with."""
    try:
        reply = await http.request("GET", http.base.copy_with(raw_path=b"/SDK/activateStatus"))
        return reply.status == httpx.codes.OK and is_activate_status(parse_xml(reply.body))
    except Garbled:
        return False


AXIS = Family(
    "axis",
    AXIS_LOGIN,
    re.compile("AXIS_"),
    _answers_vapix,
    lambda http, login, onvif: AxisDriver(Vapix(http, login), onvif),
)


async def _says_no_more(_http: DeviceHttp) -> bool:
    """Without a login nothing but the realm tells this family from a server that guards every path."""
    return False


# The realm ends in the serial number, a hash of it, or the name of the company whose label is on the camera.
DAHUA = Family(
    "dahua",
    DAHUA_LOGIN,
    re.compile("Login to "),
    _says_no_more,
    lambda http, login, onvif: DahuaDriver(DahuaCgi(http, login), onvif),
)
HANWHA = Family(
    "hanwha",
    HANWHA_LOGIN,
    re.compile("iPolis", re.IGNORECASE),
    answers_sunapi,
    lambda http, login, onvif: HanwhaDriver(Sunapi(http, login), onvif),
    approach,
)
HIKVISION = Family(
    "hikvision",
    HIKVISION_LOGIN,
    re.compile(r"IP Camera\([0-9A-Z]+\)|DVRNVRDVS"),
    _says_whether_activated,
    lambda http, login, onvif: HikvisionDriver(Isapi(http, login), onvif),
    dated=True,
)
FAMILIES: tuple[Family, ...] = (AXIS, HIKVISION, DAHUA, HANWHA)


async def meet(stack: AsyncExitStack, http: DeviceHttp) -> Met | None:
    """The family of the camera behind this connection; `None` where it shows none. Spends no try.

    Who sends us to https may be somebody on the way, so the password itself is not given to whom we are sent: Refused
    where only Basic is offered there.
    """
    hang_ups = 0
    for family in FAMILIES:
        try:
            if met := await _meet(stack, http, family):
                return met
        except Unreachable:  # servers that know nothing but ONVIF hang up on other paths; one that is gone is met next
            hang_ups += 1
            if hang_ups >= MOST_HANG_UPS:
                return None
    return None


async def _meet(stack: AsyncExitStack, http: DeviceHttp, family: Family) -> Met | None:
    door = await family.approach(http, family.login_path)
    if isinstance(door, LoginDoor):
        return Met(family, http, door) if await _is_of(family, http, door) else None
    if not isinstance(door, SentToHttps):
        return None
    port = door.port
    secure = await stack.enter_async_context(http.by_tls(port))
    door = await family.approach(secure, family.login_path)
    if not isinstance(door, LoginDoor) or not await _is_of(family, secure, door):
        return None
    if not door.takes_digest:
        raise Refused(f"it wants HTTPS, and the password itself there: open it by its https address, port {port}")
    return Met(family, secure, door)


async def _is_of(family: Family, http: DeviceHttp, door: LoginDoor) -> bool:
    return family.realms.search(door.realms) is not None or await family.shows(http)


async def log_in(met: Met, credential: Credential, key: str, budget: AttemptBudget) -> HttpLogin:
    """The login at the family's door, proved by one try of the budget. Raises `cameras.errors` as `web_login.log_in`.

    Some logins are signed for a time: a clock that is off looks like a wrong password, and is ClockSkewed.
    """
    login = await web_login.log_in(met.http, met.door, credential, key, budget)
    if login is not None:
        return login
    off_s = met.door.clock_off_s() if met.family.dated else None
    if off_s is not None and abs(off_s) > MOST_CLOCK_OFF_S:
        raise ClockSkewed(f"it refuses the login, and its clock is off by {off_s / 60:.0f} minutes")
    raise Unauthorized(f"account {credential.username!r} is refused by the web server")

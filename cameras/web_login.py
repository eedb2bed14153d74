"""The accounts of a camera's web server, by HTTP authentication on a page that is known to ask for it.

A page proves something about a password only if it refused to answer without one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from cameras.budget import AttemptBudget
from cameras.errors import Garbled, LockedOut, Refused, Unauthorized, Unreachable
from cameras.http import DeviceHttp, HttpLogin, Reply, challenges, port_of, refusal
from cameras.secret import Credential

AXIS_LOGIN = "/axis-cgi/usergroup.cgi"
DAHUA_LOGIN = "/cgi-bin/magicBox.cgi?action=getDeviceType"
HANWHA_LOGIN = "/stw-cgi/system.cgi?msubmenu=deviceinfo&action=view"
HIKVISION_LOGIN = "/ISAPI/Security/userCheck"
# Where web servers of cameras ask for a login, most general first: a server that guards every path would answer a
# vendor's own path with 404 once it knows us.
LOGIN_PATHS = (
    "/",
    AXIS_LOGIN,
    HIKVISION_LOGIN,
    DAHUA_LOGIN,
    HANWHA_LOGIN,
)

MOST_HANG_UPS = 2


@dataclass(frozen=True, slots=True)
class LoginDoor:
    """A path that was asked for without a login and answered 401 with a challenge."""

    path: str
    challenge: Reply

    @property
    def realms(self) -> str:
        return " ".join(challenges(self.challenge.headers))

    def clock_off_s(self) -> float | None:
        """How far the camera's clock is from ours by the date of its answer, just now; `None` where it has none."""
        try:
            dated = parsedate_to_datetime(self.challenge.headers.get("date", ""))
        except ValueError:
            return None
        return (dated - datetime.now(UTC)).total_seconds() if dated.tzinfo else None

    @property
    def takes_digest(self) -> bool:
        """Whether a login here keeps the password to itself."""
        return any(challenge.lower().startswith("digest") for challenge in challenges(self.challenge.headers))


@dataclass(frozen=True, slots=True)
class SentToHttps:
    """What a path answers where the web server is to be spoken to by https only."""

    port: int


async def look(http: DeviceHttp, path: str) -> LoginDoor | SentToHttps | None:
    """What the path says to somebody without a login; `None` where it neither asks for one nor sends to https."""
    try:
        reply = await http.request("GET", http.base.copy_with(raw_path=path.encode()), head_only=True)
    except Garbled:
        return None
    return door_of(http, path, reply)


def door_of(http: DeviceHttp, path: str, reply: Reply) -> LoginDoor | SentToHttps | None:
    if reply.status == httpx.codes.UNAUTHORIZED and challenges(reply.headers):
        return LoginDoor(path, reply)
    if http.scheme == "http" and httpx.codes.is_redirect(reply.status):
        return _https(reply.headers.get("location", ""))
    return None


def _https(location: str) -> SentToHttps | None:
    try:
        url = httpx.URL(location)
    except (httpx.InvalidURL, ValueError):
        return None
    return SentToHttps(port_of(url)) if url.scheme == "https" else None


async def find_door(http: DeviceHttp, paths: Sequence[str] = LOGIN_PATHS) -> LoginDoor | None:
    """The first of the paths that asks for a login; `None` where none does. Spends no try.

    A hang-up on one path says nothing of the others: Unreachable is raised after the second one.
    """
    hang_ups = 0
    for path in paths:
        try:
            found = await look(http, path)
        except Unreachable:
            hang_ups += 1
            if hang_ups >= MOST_HANG_UPS:
                raise
            continue
        if isinstance(found, LoginDoor):
            return found
    return None


async def log_in(
    http: DeviceHttp, door: LoginDoor, credential: Credential, key: str, budget: AttemptBudget
) -> HttpLogin | None:
    """The login, proved by one try of the budget; `None` where the camera refused it.

    LockedOut, Unreachable; Unauthorized where it offers no scheme that we may answer, so that nothing was tried;
    Refused where its answer is neither yes nor no.
    """
    login = HttpLogin(credential)
    url = http.base.copy_with(raw_path=door.path.encode())
    login.accept(door.challenge, "GET", url)
    async with budget.trial(key, credential.username) as trial:
        reply = await http.request("GET", url, login=login)
        error = refusal(reply, "login")
        if isinstance(error, LockedOut):
            trial.locked()
            raise error
        if isinstance(error, Unauthorized):
            return None
        if error is not None:
            raise Refused(f"it neither lets the account in nor refuses it: {error}")
        trial.worked()
    login.proven = True
    return login

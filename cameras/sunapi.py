"""One conversation with one Hanwha (Wisenet) camera in SUNAPI: `/stw-cgi/<cgi>.cgi?msubmenu=…&action=…`.

Text is asked for, which all firmware knows; only logs are asked for in JSON, since their text is written down nowhere.
Refusals come under HTTP 200, so what came back is judged by what it says. 490 is two things: "account blocked", and
"too many sessions". It is waited out only where a login was proved before and no word speaks of a lock.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import httpx

from cameras import sunapi_accounts
from cameras import sunapi_replies as replies
from cameras.errors import DeviceError, Garbled, LockedOut, Refused, Unauthorized, Unsupported
from cameras.http import DeviceHttp, HttpLogin, Reply, challenges
from cameras.lockout import lock_hint
from cameras.secret import Secret
from cameras.upload import FileBody
from cameras.web_login import HANWHA_LOGIN, LoginDoor, SentToHttps, door_of, look

TURNED_AWAY = 490
WAITS_S = (0.5, 1.0, 2.0)
FORM = "application/x-www-form-urlencoded"
INIT = "/init-cgi/pw_init.cgi?msubmenu=statuscheck&action=view"
# A path that no camera has: a server that forbids it too forbids everything, and shows no family by that.
NOWHERE = "/camwarden-cgi/system.cgi"
Sleep = Callable[[float], Awaitable[None]]


class Sunapi:
    """Asks with the login that was proved. Raises `cameras.errors`. `sleep` passes the time while it is busy."""

    def __init__(
        self,
        http: DeviceHttp,
        login: HttpLogin,
        *,
        waits_s: Sequence[float] = WAITS_S,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.http = http
        self.login = login
        self._waits_s = waits_s
        self._sleep = sleep

    @property
    def account(self) -> str:
        return self.login.credential.username

    async def view(self, cgi: str, submenu: str, **parameters: str) -> replies.Pairs:
        reply = await self.get(cgi, {"msubmenu": submenu, "action": "view", **parameters})
        return replies.decode_pairs(reply, submenu)

    async def tell(self, cgi: str, submenu: str, action: str, parameters: Mapping[str, str] | None = None) -> None:
        """A change that needs no body. Raises Garbled unless the camera said OK."""
        said = {"msubmenu": submenu, "action": action, **(parameters or {})}
        replies.expect_ok(await self.get(cgi, said, once=True), submenu)

    async def get(
        self, cgi: str, parameters: Mapping[str, str], *, accept: str | None = None, once: bool = False
    ) -> Reply:
        headers = {"Accept": accept} if accept else {}
        return await self._send("GET", self._at(_target(cgi, parameters)), None, headers, once=once)

    async def post(
        self, cgi: str, parameters: Mapping[str, str], content: bytes | FileBody, content_type: str = FORM
    ) -> Reply:
        headers = {"Content-Type": content_type}
        return await self._send("POST", self._at(_target(cgi, parameters)), content, headers, once=True)

    async def page(self, url: httpx.URL) -> Reply:
        """Anything else behind the same login: a picture."""
        return await self._send("GET", url, None, {}, once=False)

    async def attributes(self) -> Mapping[str, str]:
        """What it says that it can do, by name. Empty where it has no such page."""
        try:
            reply = await self._send("GET", self._at(b"/stw-cgi/attributes.cgi/attributes"), None, {}, once=False)
            return replies.decode_attributes(reply)
        except (Unsupported, Refused, Garbled):
            return {}

    async def update_user(self, said: Mapping[str, str], password: Secret, *, own: bool = False) -> None:
        """A user's slot with a password, encrypted in the body. Older firmware takes it in the address only: then
        inside TLS alone, and Refused where there is none.
        """
        sealed = await self._seal(await self._new_password(password) if own else password)
        question = {"msubmenu": "users", "action": "update", **said}
        if sealed is not None:
            question["IsPasswordEncrypted"] = "True"
            replies.expect_ok(await self.post("security", question, sealed), "users")
            return
        async with self._inside_tls() as inside:
            told = {**said, "Password": password.reveal(), "IsPasswordEncrypted": "False"}
            await inside.tell("security", "users", "update", told)

    async def _new_password(self, password: Secret) -> Secret:
        """Newer firmware may want to see the present password beside a new one for the same account. By plain HTTP it
        is not given: the key that it would be encrypted to may be that of somebody on the way.
        """
        if (await self.attributes()).get("CurrentPasswordVerification") != "Mandatory":
            return password
        if self.http.scheme != "https":
            raise Refused("it wants the present password beside a new one: open it by its https address for that")
        present = self.login.credential.password.reveal()
        return Secret(json.dumps({"CurrentPassword": present, "NewPassword": password.reveal()}))

    async def _seal(self, text: Secret) -> bytes | None:
        """A secret for the body of a request, encrypted to the camera's key; `None` where it has none."""
        try:
            reply = await self.get("security", {"msubmenu": "rsa", "action": "view"})
            return base64.b64encode(sunapi_accounts.seal(sunapi_accounts.decode_public_key(reply), text))
        except Unsupported:
            return None

    @asynccontextmanager
    async def _inside_tls(self) -> AsyncIterator["Sunapi"]:
        """The same conversation by HTTPS, for what may not be overheard. Refused where there is none, and where it
        wants the password itself there: who answers may be somebody on the way.
        """
        if self.http.scheme == "https":
            yield self
            return
        ports = await self.view("network", "portconf")
        _, https = replies.decode_ways(ports, await self.view("security", "ssl"))
        if not https.enabled or not https.ports:
            raise Refused("this firmware takes passwords in the address only: switch HTTPS on first, to hide them in")
        async with self.http.by_tls(https.ports[0]) as secure:
            door = await look(secure, HANWHA_LOGIN)
            if not isinstance(door, LoginDoor) or not door.takes_digest:
                raise Refused("by HTTPS it asks for no login that keeps the password to itself")
            login = HttpLogin(self.login.credential)
            login.accept(door.challenge, "GET", secure.base)
            yield self.over(secure, login)

    def over(self, http: DeviceHttp, login: HttpLogin | None = None) -> "Sunapi":
        """The same over another connection to the same camera."""
        return Sunapi(http, login or self.login, waits_s=self._waits_s, sleep=self._sleep)

    def _at(self, target: bytes) -> httpx.URL:
        return self.http.base.copy_with(raw_path=target)

    async def _send(
        self, method: str, url: httpx.URL, content: bytes | FileBody | None, headers: Mapping[str, str], *, once: bool
    ) -> Reply:
        """490 means that nothing was done: it is asked again, but for a file. 405 is said to who may not do this."""
        for wait_s in (*(() if isinstance(content, FileBody) else self._waits_s), None):
            reply = await self.http.request(method, url, content=content, headers=headers, login=self.login, once=once)
            if reply.status != TURNED_AWAY:
                break
            if lock_hint(reply.body) or not self.login.proven:
                raise LockedOut("it answers 490: the account is blocked, or there are too many sessions; wait")
            if wait_s is not None:
                await self._sleep(wait_s)
        else:
            raise Refused("it answers 490: too many are logged in to it at once; try again later")
        if reply.status == httpx.codes.METHOD_NOT_ALLOWED:
            raise Refused("HTTP 405: the account may not do that")
        return reply


def _target(cgi: str, parameters: Mapping[str, str]) -> bytes:
    return f"/stw-cgi/{cgi}.cgi?{urlencode(parameters)}".encode()


# --- a camera that nobody has logged in to yet ---


async def approach(
    http: DeviceHttp, path: str, *, waits_s: Sequence[float] = WAITS_S, sleep: Sleep = asyncio.sleep
) -> LoginDoor | SentToHttps | None:
    """What the login path says to a stranger, who counts as no try: one that is busy is asked again.

    Refused for a camera that was never set up: there is no account to log in with, and its first password is not ours
    to choose. LockedOut where it goes on turning everybody away.
    """
    for wait_s in (*waits_s, None):
        try:
            reply = await http.request("GET", http.base.copy_with(raw_path=path.encode()), head_only=True)
        except Garbled:
            return None
        if reply.status != TURNED_AWAY:
            break
        if wait_s is not None:
            await sleep(wait_s)
    else:
        raise LockedOut("it turns everybody away (490): the account is blocked, or there are too many sessions")
    if reply.status == httpx.codes.FORBIDDEN and not challenges(reply.headers) and await _is_new(http):
        raise Refused("it was never set up: give it its first password by its own web page, or the vendor's tool")
    return door_of(http, path, reply)


async def answers_sunapi(http: DeviceHttp) -> bool:
    """Whether it says, without a login, if it was set up: firmware of SUNAPI 2.5.5 and later does."""
    return await _initialised(http) is not None


async def manufacturer(http: DeviceHttp) -> str | None:
    """Its label, which needs no login. `None` where it does not say."""
    try:
        return replies.decode_manufacturer(await _status_of_setup(http))
    except DeviceError:
        return None


async def _is_new(http: DeviceHttp) -> bool:
    """Before the first password every call is forbidden. Older firmware shows it by that alone."""
    initialised = await _initialised(http)
    if initialised is not None:
        return not initialised
    try:
        elsewhere = await http.request("GET", http.base.copy_with(raw_path=NOWHERE.encode()), head_only=True)
    except Garbled:
        return False
    return elsewhere.status == httpx.codes.NOT_FOUND


async def _initialised(http: DeviceHttp) -> bool | None:
    try:
        return replies.decode_initialised(await _status_of_setup(http))
    except (Unsupported, Unauthorized, Refused, Garbled):
        return None


async def _status_of_setup(http: DeviceHttp) -> Reply:
    return await http.request("GET", http.base.copy_with(raw_path=INIT.encode()))

"""One conversation with one ONVIF device: its clock, its service addresses, and how it wants to be logged in to."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Literal

import httpx

from cameras import mtom, soap, web_login
from cameras.budget import AttemptBudget
from cameras.errors import (
    ClockSkewed,
    DeviceError,
    Garbled,
    LockedOut,
    Refused,
    Unauthorized,
    Unreachable,
    Unsupported,
)
from cameras.facts import AnonymousOnvif, Clock
from cameras.http import DeviceHttp, HttpLogin, Reply, challenges
from cameras.lockout import allows_more
from cameras.onvif_replies import decode_clock_kind, decode_utc
from cameras.secret import Credential
from cameras.upload import FileBody

DEVICE_PATH = "/onvif/device_service"

# Operations that ONVIF's access classes put behind a login (READ_SYSTEM and READ_SYSTEM_SECRET), any level of account
# first.
GUARDED = ("GetDeviceInformation", "GetUsers")


@dataclass(frozen=True, slots=True)
class _Challenge:
    """A refusal of a request without a login: it tells how to log in."""

    operation: str
    style: Literal["http", "wsse"]
    reply: Reply


class OnvifSession:
    """Asks anonymously until `log_in`, then signed. Raises `cameras.errors`.

    `quirks` collects the names of the workarounds that this camera needed. `spoke_soap` tells that at least one answer
    was a SOAP envelope, `spoke_broken_xml` that one claimed to be XML and was not readable.
    """

    def __init__(self, http: DeviceHttp, camera_key: str, budget: AttemptBudget, path: str = DEVICE_PATH) -> None:
        self.http = http
        self.device_url = httpx.URL(scheme=http.scheme, host=http.address, port=http.port, raw_path=path.encode())
        self.quirks: set[str] = set()
        self.spoke_soap = False
        self.spoke_broken_xml = False
        self.account: str | None = None
        self._camera_key = camera_key
        self._budget = budget
        self._clock_offset: timedelta | None = None
        self._refusal: _Challenge | None = None
        self._http_login: HttpLogin | None = None
        self._wsse: Credential | None = None
        self._credential: Credential | None = None
        self._proof: tuple[str, Any] | None = None

    async def clock(self) -> Clock:
        """GetSystemDateAndTime, which needs no login (some cameras want one all the same: Unauthorized).

        Remembers the camera's time as the one to sign with.
        """
        asked, started = datetime.now(UTC), time.monotonic()
        login = None if self._wsse else self._http_login
        reply = await soap.post(self.http, self.device_url, soap.DEVICE, "GetSystemDateAndTime", {}, login=login)
        round_trip = timedelta(seconds=time.monotonic() - started)
        self._trust_date_header(reply, asked)
        try:
            said = self._read(soap.DEVICE, "GetSystemDateAndTime", reply)
        except Unauthorized:
            # Behind a web server with Digest of its own even the clock wants a login.
            if self.account is None and challenges(reply.headers):
                self._refusal = _Challenge("GetSystemDateAndTime", "http", reply)
            raise
        source, timezone = decode_clock_kind(said)
        utc = decode_utc(said)
        if utc is None:
            self.quirks.add("impossible-time")
            return Clock(source=source, utc=None, skew_s=None, uncertainty_s=None, timezone=timezone)
        self._clock_offset = utc - (asked + round_trip / 2)
        return Clock(
            source=source,
            utc=utc.isoformat(),
            skew_s=round(self._clock_offset.total_seconds(), 1),
            uncertainty_s=round(round_trip.total_seconds() / 2 + 1, 2),
            timezone=timezone,
        )

    def _trust_date_header(self, reply: Reply, asked: datetime) -> None:
        """The HTTP Date as a stand-in for signing, until the camera's own word replaces it."""
        try:
            date = parsedate_to_datetime(reply.headers.get("date", ""))
            self._clock_offset = date - asked if date.tzinfo else None
        except (TypeError, ValueError, OverflowError):
            self._clock_offset = None

    async def try_anonymously(self, operations: Sequence[str] = GUARDED) -> AnonymousOnvif:
        """Which guarded operations answer without a login.

        The refusals tell how this camera wants to be logged in to.
        """
        answered, refused = [], []
        for operation in operations:
            try:
                reply = await soap.post(self.http, self.device_url, soap.DEVICE, operation, {})
                if _says_something(self._read(soap.DEVICE, operation, reply)):
                    answered.append(operation)
            except Unauthorized:
                refused.append(operation)
                style: Literal["http", "wsse"] = "http" if challenges(reply.headers) else "wsse"
                self._refusal = self._refusal or _Challenge(operation, style, reply)
            except (Unsupported, Garbled, Refused, ClockSkewed):
                continue
            except Unreachable:
                # One operation that is cut off does not undo what another has shown.
                if not answered and not refused:
                    raise
        return AnonymousOnvif(tuple(answered), tuple(refused))

    @property
    def wants_http_login(self) -> bool:
        """Whether a refusal came with an HTTP challenge that we can answer without sending the password."""
        return self._refusal is not None and any(
            c.lower().startswith("digest") for c in challenges(self._refusal.reply.headers)
        )

    @property
    def clock_is_known(self) -> bool:
        """Whether a login by WS-Security can be dated by the camera's own clock."""
        return self._clock_offset is not None

    @property
    def signs_by_time(self) -> bool:
        """Whether a refused login may be the clock's fault: WS-Security dates it, Digest does not."""
        return self._refusal is not None and self._refusal.style == "wsse"

    @property
    def login_operation(self) -> str | None:
        """The operation that proved to be guarded, `None` where none is known to be."""
        return self._refusal.operation if self._refusal else None

    async def log_in(self, credential: Credential, *, may_count: bool = False) -> None:
        """Prove the credential on an operation that was refused without it; later questions are signed with it.

        Needs `try_anonymously` first; reads the clock if signing needs it. Spends one try of the budget if it fails.
        Unauthorized, LockedOut, ClockSkewed, Unreachable; Unsupported where nothing on this camera asks for a login, so
        that no credential can be proved. With `may_count` a refusal that is counted aloud is Unauthorized while the
        camera allows more.
        """
        if self._refusal is None:
            raise Unsupported("no operation of this camera asks for a login")
        login, wsse = self._prepare(credential)
        async with self._budget.trial(self._camera_key, credential.username) as trial:
            if wsse is not None and self._clock_offset is None:
                with suppress(DeviceError):  # dated by our own clock then; see below
                    await self.clock()
            try:
                operation = self._refusal.operation
                answer = await self._signed(
                    soap.DEVICE, operation, {}, self.device_url, login=login, wsse=wsse, once=True
                )
                trial.worked()
                self._proof = (operation, answer)
            except LockedOut as error:
                if may_count and allows_more(str(error)):
                    raise Unauthorized(str(error)) from error
                trial.locked()
                raise
            except Unauthorized as error:
                if wsse and self._clock_offset is None:
                    raise ClockSkewed(
                        f"{error}; its clock could not be read, so the login may have been dated wrongly"
                    ) from error
                raise
            except (Refused, Unsupported, Garbled):
                # It went past the login and failed later: other questions may do better.
                trial.worked()
        if login is not None:
            login.proven = self._proof is not None
        self._http_login, self._wsse, self.account = login, wsse, credential.username
        self._credential = credential

    def forget_proof(self) -> None:
        """Ask everything anew: the answer that proved the login is old once something was changed."""
        self._proof = None

    def check_login(self, credential: Credential) -> _Challenge:
        """What a login has to answer, known before a try is spent.

        Unsupported where nothing asks for a login; Unauthorized, which is no refusal of this one, where the camera
        offers no scheme that we may answer.
        """
        if self._refusal is None:
            raise Unsupported("no operation of this camera asks for a login")
        self._prepare(credential)
        return self._refusal

    async def accepts(self, credential: Credential, http: DeviceHttp) -> bool:
        """Whether a login works over the given, fresh connection. The caller charges the budget. Raises as `log_in`."""
        refusal = self.check_login(credential)
        by_http = refusal.style == "http"
        try:
            await self._signed(
                soap.DEVICE,
                refusal.operation,
                {},
                self.device_url,
                login=HttpLogin(credential) if by_http else None,
                wsse=None if by_http else credential,
                http=http,
                once=True,
            )
        except Unauthorized:
            return False
        return True

    async def web_knows_us(self) -> bool:
        """Whether the web server asks for a login and takes the one that works here. Spends a try where it does not.

        LockedOut, with nothing tried, where that would be the last one.
        """
        async with self.http.anew() as http:
            try:
                door = await web_login.find_door(http)
            except Unreachable:
                await self.clock()  # raises where the camera is gone; else it has no web server beside ONVIF
                return False
            if door is None or self._credential is None:
                return False
            self._budget.keep_one(self._camera_key, self._credential.username)
            return await web_login.log_in(http, door, self._credential, self._camera_key, self._budget) is not None

    def _prepare(self, credential: Credential) -> tuple[HttpLogin | None, Credential | None]:
        refusal = self._refusal
        if refusal is None or refusal.style == "wsse":
            return None, credential
        login = HttpLogin(credential)
        login.accept(refusal.reply, "POST", self.device_url)
        return login, None

    @property
    def http_login(self) -> HttpLogin | None:
        """For plain HTTP requests (snapshots): the proven Digest login, or one made of the proven WS-Security
        credential.
        """
        if self._http_login is None and self._wsse is not None:
            self._http_login = HttpLogin(self._wsse)
        return self._http_login

    async def ask(
        self,
        namespace: str,
        operation: str,
        arguments: Mapping[str, Any] | None = None,
        url: httpx.URL | None = None,
        *,
        once: bool = False,
    ) -> Any:  # noqa: ANN401 - zeep's values have no types
        """One question, signed once logged in. The answer that proved the login is not asked for again.

        `once` is for changes: they are not sent again where the camera hangs up.
        """
        if once:
            self.forget_proof()
        if self._proof is not None and (namespace, operation) == (soap.DEVICE, self._proof[0]):
            (_, answer), self._proof = self._proof, None
            return answer
        login = None if self._wsse else self._http_login
        return await self._signed(
            namespace, operation, arguments or {}, url or self.device_url, login=login, wsse=self._wsse, once=once
        )

    async def tell_with_file(self, operation: str, arguments: Mapping[str, Any], file: FileBody | bytes) -> None:
        """A change by the device service whose file travels beside the message (`mtom.INCLUDE` in its place)."""
        self.forget_proof()
        login = None if self._wsse else self._http_login
        url = self.device_url
        await self._signed(soap.DEVICE, operation, arguments, url, login=login, wsse=self._wsse, file=file, once=True)

    async def ask_for_files(self, operation: str, http: DeviceHttp) -> tuple[Any, Mapping[str, bytes]]:
        """A question to the device service, over that connection; the answer and the files that came with it."""
        login = None if self._wsse else self._http_login
        reply = await self._posted(soap.DEVICE, operation, {}, self.device_url, login=login, wsse=self._wsse, http=http)
        unpacked = mtom.unpacked(reply)
        return self._read(soap.DEVICE, operation, unpacked.reply), unpacked.files

    async def _signed(
        self,
        namespace: str,
        operation: str,
        arguments: Mapping[str, Any],
        url: httpx.URL,
        *,
        login: HttpLogin | None,
        wsse: Credential | None,
        http: DeviceHttp | None = None,
        file: FileBody | bytes | None = None,
        once: bool = False,
    ) -> Any:  # noqa: ANN401
        reply = await self._posted(
            namespace, operation, arguments, url, login=login, wsse=wsse, http=http, file=file, once=once
        )
        return self._read(namespace, operation, reply)

    async def _posted(
        self,
        namespace: str,
        operation: str,
        arguments: Mapping[str, Any],
        url: httpx.URL,
        *,
        login: HttpLogin | None,
        wsse: Credential | None,
        http: DeviceHttp | None = None,
        file: FileBody | bytes | None = None,
        once: bool = False,
    ) -> Reply:
        token = soap.username_token(wsse, self._clock_offset or timedelta()) if wsse else None
        return await soap.post(
            http or self.http, url, namespace, operation, arguments, login=login, token=token, file=file, once=once
        )

    def _read(self, namespace: str, operation: str, reply: Reply) -> Any:  # noqa: ANN401
        try:
            answer = soap.read_reply(namespace, operation, reply)
        except DeviceError as error:
            self.spoke_soap |= soap.is_envelope(reply)
            self.spoke_broken_xml |= isinstance(error, Garbled) and soap.claims_xml(reply)
            if reply.status == httpx.codes.OK:
                self.quirks.add(_quirk_of(error, reply))
            raise
        self.spoke_soap = True
        return answer

    def local_url(self, announced: str) -> httpx.URL:
        """A service's announced address as reachable from here; the device service's where it cannot be read."""
        try:
            url = self.http.local_url(announced)
            said = httpx.URL(announced)
        except (Garbled, httpx.InvalidURL):
            self.quirks.add("xaddr-unreadable")
            return self.device_url
        if said.host != url.host:
            self.quirks.add("xaddr-other-host")
        elif said.scheme != url.scheme:
            self.quirks.add("xaddr-other-scheme")
        return url


def _says_something(answer: object) -> bool:
    """An empty list of users, as onvif_simple_server gives it to everybody, gives nothing away."""
    return bool(answer) if isinstance(answer, list) else answer is not None


def _quirk_of(error: DeviceError, reply: Reply) -> str:
    if not reply.body.strip():
        return "empty-200"
    return "not-soap-200" if isinstance(error, Garbled) else "fault-under-200"

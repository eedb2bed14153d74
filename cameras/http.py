"""One hardened HTTP connection to one camera.

Everything a camera can do to an HTTP client is bounded here: bytes (before and after decompression), time, redirects
(none are followed) and hosts (only the one that was dialled). llhttp reads what comes, httpx computes Digest; their
exceptions stop here.
"""

import asyncio
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import TracebackType
from typing import Self

import httpx

from cameras import ways
from cameras.errors import DeviceError, Garbled, LockedOut, Refused, Unauthorized, Unreachable, Unsupported
from cameras.lockout import lock_hint
from cameras.secret import Credential
from cameras.untrusted import clean_text, network_words
from cameras.upload import FileBody
from cameras.wire import Answer, NotHttp, TooLarge, Wire, connect, reading_context

MOST_BYTES = 4 * 1024 * 1024
REQUEST_TIMEOUT_S = 8.0
# A file is given this long to be taken in, checked and answered, and more for its size: the slowest line we wait for.
UPLOAD_PATIENCE_S = 120.0
SLOWEST_UPLOAD_BYTES_PER_S = 50_000

# Digest algorithms we can answer, best first. "-sess" variants count as their base.
_DIGEST_STRENGTH = ("SHA-512", "SHA-256", "MD5")
# Several challenges may share one header line (RFC 9110 §11.6.1); a new one starts at a scheme followed by a parameter.
_CHALLENGE_START = re.compile(r"(?:^|,)\s*(?=(?:Digest|Basic|Bearer|Negotiate|NTLM)(?:\s|$))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reply:
    """One complete answer; `body` is decompressed and within the limit. `was_signed`: the request carried a login."""

    status: int
    headers: httpx.Headers
    body: bytes
    was_signed: bool = False


@dataclass(frozen=True, slots=True)
class _Refusal:
    """What Digest reads of an answer. A whole `httpx.Response` costs more than the answer to the challenge itself."""

    headers: httpx.Headers
    status_code: int = httpx.codes.UNAUTHORIZED
    cookies: None = None


class HttpLogin:
    """A credential answering HTTP challenges: Digest anywhere, Basic only inside TLS.

    One per camera and visit: it keeps the camera's last challenge so that later requests are signed at once.
    """

    def __init__(self, credential: Credential) -> None:
        self.credential = credential
        self._digest = httpx.DigestAuth(credential.username, credential.password.reveal())
        self._basic: httpx.BasicAuth | None = None
        self._challenged = False
        # A login that has worked may be refused because its nonce ended (some cameras allow each nonce once and do not
        # say "stale"): it is answered with a new one. Any other refusal is a wrong password and is never repeated.
        self.proven = False

    def accept(self, reply: Reply, method: str, url: httpx.URL) -> None:
        """Take the challenge of a 401. Raises Unauthorized where it offers nothing that we may answer."""
        offered = challenges(reply.headers)
        digests = [c for c in offered if c.lower().startswith("digest ") and _strength(c) is not None]
        if digests:
            self._accept_digest(min(digests, key=lambda c: _strength(c) or 0), httpx.Request(method, url))
        elif any(c.lower().startswith("basic") for c in offered):
            if url.scheme != "https":
                raise Unauthorized("it offers only Basic authentication over plain HTTP; the password was not sent")
            self._basic = httpx.BasicAuth(self.credential.username, self.credential.password.reveal())
        else:
            raise Unauthorized("it asks for a login but offers no scheme that we can answer")
        self._challenged = True

    def _accept_digest(self, challenge: str, request: httpx.Request) -> None:
        # DigestAuth reads the first header only, so it is shown the challenge that we chose and no other.
        flow = self._digest.auth_flow(request)
        next(flow)
        try:
            flow.send(_Refusal(httpx.Headers({"www-authenticate": challenge})))  # type: ignore[arg-type] # see there
        except (StopIteration, httpx.ProtocolError, KeyError, ValueError, NotImplementedError) as error:
            raise Garbled(f"the Digest challenge cannot be answered: {clean_text(challenge)!r}") from error

    def sign(self, method: str, url: httpx.URL) -> str | None:
        """The Authorization header for this request, `None` before the first challenge."""
        if not self._challenged:
            return None
        request = httpx.Request(method, url)
        auth: httpx.Auth = self._basic or self._digest
        next(auth.auth_flow(request))
        return request.headers["authorization"]


class DeviceHttp:
    """A connection to `scheme://address:port`, to be used as an async context manager. Raises only `cameras.errors`.

    One request at a time. It connects when first asked, and again where the camera has hung up meanwhile.
    """

    def __init__(
        self,
        address: str,
        port: int,
        scheme: str,
        *,
        timeout_s: float = REQUEST_TIMEOUT_S,
        most_bytes: int = MOST_BYTES,
        upload_patience_s: float = UPLOAD_PATIENCE_S,
    ) -> None:
        self.address, self.port, self.scheme = address, port, scheme
        self.timeout_s = timeout_s
        self.upload_patience_s = upload_patience_s
        self._most_bytes = most_bytes
        self._wire: Wire | None = None
        self._wire_port = port
        self._used = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._hang_up()

    @cached_property
    def base(self) -> httpx.URL:
        return httpx.URL(scheme=self.scheme, host=self.address, port=self.port)

    def anew(self, *, most_bytes: int = MOST_BYTES, timeout_s: float | None = None) -> "DeviceHttp":
        """Another connection to the same place, which knows nothing of this one's login."""
        return DeviceHttp(
            self.address,
            self.port,
            self.scheme,
            timeout_s=timeout_s or self.timeout_s,
            most_bytes=most_bytes,
            upload_patience_s=self.upload_patience_s,
        )

    def by_tls(self, port: int) -> "DeviceHttp":
        """Another connection to the same host, by https at that port."""
        return DeviceHttp(
            self.address, port, "https", timeout_s=self.timeout_s, upload_patience_s=self.upload_patience_s
        )

    @property
    def seen_from(self) -> str | None:
        """The address that the connection leaves from: what the camera sees unless somebody translates it on the way.

        `None` before the first request, and where it goes through what was laid for its network.
        """
        if self._wire is None or ways.way_to(self.address) is not None:
            return None
        return self._wire.leaves_from

    def local_url(self, announced: str) -> httpx.URL:
        """The announced address as reachable from here: always the host we dialled, never the one it names.

        Behind NAT a camera announces its inside address, then its port is as wrong as its host and ours is kept. Where
        the host is right its port is believed, unless the schemes differ: an `http` address reached by https stays
        https.
        """
        try:
            url = httpx.URL(announced)
            host, port = url.host, url.port
        except (httpx.InvalidURL, ValueError) as error:
            raise Garbled(f"not a web address: {clean_text(announced)!r}") from error
        if host == self.base.host and url.scheme == self.base.scheme:
            return self.base.copy_with(port=port, raw_path=url.raw_path)
        return self.base.copy_with(raw_path=url.raw_path)

    async def request(
        self,
        method: str,
        url: httpx.URL,
        *,
        content: bytes | FileBody | None = None,
        headers: Mapping[str, str] | None = None,
        login: HttpLogin | None = None,
        head_only: bool = False,
        once: bool = False,
    ) -> Reply:
        """One exchange; with a login, a second one when the camera challenges.

        A 401 that remains is the caller's to judge. Unreachable, Garbled (too large, undecodable), Unauthorized (no
        scheme that we may answer). With `head_only` the body is not read, whatever its size. With `once`, for requests
        that change something, it goes out on a new connection and is never repeated after a hang-up: the camera may
        have done it. A file always goes once, and a fresh challenge is fetched before it, so that it need not be sent
        for a challenge.
        """
        if url.host != self.address and url.host != self.base.host:  # noqa: PLR1714 - parses `base` only if need be
            raise Garbled("the address names another host")
        if isinstance(content, FileBody) and login is not None:
            await self._take_challenge(login, method, url)
        reply = await self._send(method, url, content, headers, login=login, head_only=head_only, once=once)
        if login is None or reply.status != httpx.codes.UNAUTHORIZED:
            return reply
        if reply.was_signed and not (login.proven or _is_stale(reply.headers)):
            return reply
        login.accept(reply, method, url)
        reply = await self._send(method, url, content, headers, login=login, head_only=head_only, once=once)
        login.proven &= reply.status != httpx.codes.UNAUTHORIZED
        return reply

    async def _take_challenge(self, login: HttpLogin, method: str, url: httpx.URL) -> None:
        reply = await self._send("GET", url, None, None, login=None, head_only=True, once=False)
        if reply.status == httpx.codes.UNAUTHORIZED:
            login.accept(reply, method, url)

    async def _send(
        self,
        method: str,
        url: httpx.URL,
        content: bytes | FileBody | None,
        headers: Mapping[str, str] | None,
        *,
        login: HttpLogin | None,
        head_only: bool,
        once: bool,
    ) -> Reply:
        signature = login.sign(method, url) if login is not None else None
        lines = {"Host": url.netloc.decode("ascii"), "Accept-Encoding": "identity", "User-Agent": "camwarden"}
        if content is not None:
            lines["Content-Length"] = str(len(content))
        if signature is not None:
            lines["Authorization"] = signature
        head = _head(method, url.raw_path, {**lines, **(headers or {})})
        patience_s = self._patience_s(content)
        # A login that is not proven is never sent twice either: the camera may have counted it before it hung up.
        repeatable = signature is None or (login is not None and login.proven)
        try:
            async with asyncio.timeout(patience_s):
                if once or isinstance(content, FileBody):
                    self._hang_up()
                    answer = await self._exchange_once(port_of(url), head, content, head_only=head_only)
                else:
                    answer = await self._exchange(
                        port_of(url), head, content, head_only=head_only, repeatable=repeatable
                    )
        except TimeoutError as error:
            raise Unreachable(f"no complete answer within {patience_s:.3g} s") from error
        except NotHttp as error:
            raise Garbled(f"not an HTTP exchange: {clean_text(str(error))}") from error
        except TooLarge as error:
            raise Garbled(str(error)) from error
        except OSError as error:
            raise Unreachable(network_words(error)) from error
        known = httpx.Headers(answer.headers)
        return Reply(answer.status, known, _decompressed(answer.body, known, self._most_bytes), signature is not None)

    def _patience_s(self, content: bytes | FileBody | None) -> float:
        extra_s = self.upload_patience_s if isinstance(content, FileBody) else 0.0
        return self.timeout_s + extra_s + len(content or b"") / SLOWEST_UPLOAD_BYTES_PER_S

    async def _exchange(
        self, port: int, head: bytes, content: bytes | None, *, head_only: bool, repeatable: bool
    ) -> Answer:
        """Over the open connection, or a new one.

        Cameras close idle connections: a request that met one is sent again.
        """
        may_be_idle = self._wire is not None and self._wire.idle and self._used and repeatable
        try:
            return await self._exchange_once(port, head, content, head_only=head_only)
        except ConnectionError:
            if not may_be_idle:
                raise
        return await self._exchange_once(port, head, content, head_only=head_only)

    async def _exchange_once(
        self, port: int, head: bytes, content: bytes | FileBody | None, *, head_only: bool
    ) -> Answer:
        wire = await self._connected(port)
        body = content.chunks() if isinstance(content, FileBody) else content or b""
        try:
            answer = await wire.exchange(head, body, most_bytes=self._most_bytes, head_only=head_only)
        except BaseException:
            self._hang_up()
            raise
        self._used = True
        return answer

    async def _connected(self, port: int) -> Wire:
        """The open connection where it leads to the same port and is idle, else a new one."""
        if self._wire is not None and self._wire.idle and self._wire_port == port:
            return self._wire
        self._hang_up()
        tls = reading_context() if self.scheme == "https" else None
        self._wire, self._wire_port = await connect(self.address, port, tls), port
        return self._wire

    def _hang_up(self) -> None:
        wire, self._wire, self._used = self._wire, None, False
        if wire is not None:
            wire.hang_up()


def _head(method: str, target: bytes, lines: Mapping[str, str]) -> bytes:
    """The request up to its body. A line break in a value would be a second request: ValueError."""
    values = "\r\n".join(f"{name}: {value}" for name, value in lines.items())
    if (
        values.count("\n") != len(lines) - 1
        or values.count("\r") != len(lines) - 1
        or b"\r" in target
        or b"\n" in target
    ):
        raise ValueError("a line break within a header")
    return b"%s %s HTTP/1.1\r\n%s\r\n\r\n" % (method.encode("ascii"), target, values.encode())


def refusal(reply: Reply, question: str) -> DeviceError | None:
    """What an HTTP status of 400 and more says by itself, `None` below: where the body has no code of its own."""
    if reply.status < httpx.codes.BAD_REQUEST:
        return None
    if hint := lock_hint(reply.body):
        return LockedOut(f"{question}: {hint}")
    kind = _REFUSALS.get(reply.status, Refused)
    said = clean_text(re.sub(rb"<[^>]*>", b" ", reply.body[:2000]), 80)
    return kind(f"{question}: HTTP {reply.status}{f' {said!r}' if said else ''}")


_REFUSALS: Mapping[int, type[DeviceError]] = {
    httpx.codes.UNAUTHORIZED: Unauthorized,
    httpx.codes.NOT_FOUND: Unsupported,
    httpx.codes.METHOD_NOT_ALLOWED: Unsupported,
    httpx.codes.NOT_IMPLEMENTED: Unsupported,
    490: LockedOut,  # no standard's: Hanwha's word for an account that is blocked (and for too many sessions)
}


def port_of(url: httpx.URL) -> int:
    """httpx leaves the scheme's own port out."""
    return url.port or {"http": 80, "https": 443}[url.scheme]


def challenges(headers: httpx.Headers) -> list[str]:
    """The WWW-Authenticate challenges, one string each, however the camera spread them over header lines."""
    lines = headers.get_list("www-authenticate")
    return [part.strip(" ,") for line in lines for part in _CHALLENGE_START.split(line) if part.strip(" ,")]


def _strength(challenge: str) -> int | None:
    """Rank of the challenge's algorithm, 0 is best; `None` for one that we cannot compute. None named means MD5."""
    named = re.search(r'algorithm\s*=\s*"?([A-Za-z0-9-]+)', challenge)
    algorithm = (named[1] if named else "MD5").upper().removesuffix("-SESS")
    return _DIGEST_STRENGTH.index(algorithm) if algorithm in _DIGEST_STRENGTH else None


def _is_stale(headers: httpx.Headers) -> bool:
    return any(re.search(r"stale\s*=\s*\"?true", challenge, re.IGNORECASE) for challenge in challenges(headers))


def _decompressed(body: bytes, headers: httpx.Headers, most: int) -> bytes:
    """At most `most` bytes: the rest of a compression bomb is never unpacked. Raises Garbled."""
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if not body or encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise Garbled(f"unknown content encoding {clean_text(encoding, 20)!r}")
    try:
        plain = zlib.decompressobj(wbits=47).decompress(body, most + 1)
    except zlib.error as error:
        raise Garbled(f"the answer cannot be decompressed: {error}") from error
    if len(plain) > most:
        raise Garbled(f"the answer is larger than {most} bytes")
    return plain

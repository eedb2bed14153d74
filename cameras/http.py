"""One hardened HTTP connection to one camera.

Everything a camera can do to an HTTP client is bounded here: bytes (before and after decompression), time, redirects
(none are followed) and hosts (only the one that was dialled). httpx moves the bytes and computes Digest; its
exceptions stop here.

A pool of its own per camera over one shared TLS context is the cheapest form that keeps cameras apart; `python -m
bench http` shows it beside a bare aiohttp session.
"""

import asyncio
import re
import ssl
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Self

import httpx

from cameras.errors import Garbled, Unauthorized, Unreachable
from cameras.secret import Credential
from cameras.untrusted import clean_text

MOST_BYTES = 4 * 1024 * 1024
REQUEST_TIMEOUT_S = 8.0

# Digest algorithms we can answer, best first. "-sess" variants count as their base.
_DIGEST_STRENGTH = ("SHA-512", "SHA-256", "MD5")
# Several challenges may share one header line (RFC 9110 §11.6.1); a new one starts at a scheme followed by a parameter.
_CHALLENGE_START = re.compile(r"(?:^|,)\s*(?=(?:Digest|Basic|Bearer|Negotiate|NTLM)(?:\s|$))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reply:
    """One complete answer; `body` is decompressed and within the limit."""

    status: int
    headers: httpx.Headers
    body: bytes


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

    def accept(self, reply: Reply, request: httpx.Request) -> None:
        """Take the challenge of a 401. Raises Unauthorized where it offers nothing that we may answer."""
        offered = challenges(reply.headers)
        digests = [c for c in offered if c.lower().startswith("digest ") and _strength(c) is not None]
        if digests:
            best = min(digests, key=lambda c: _strength(c) or 0)
            # DigestAuth reads the first header only, so it is shown the one that we chose.
            chosen = httpx.Response(401, headers={"www-authenticate": best}, request=request)
            flow = self._digest.auth_flow(httpx.Request(request.method, request.url))
            next(flow)
            try:
                flow.send(chosen)
            except (StopIteration, httpx.ProtocolError, KeyError, ValueError, NotImplementedError) as error:
                raise Garbled(f"the Digest challenge cannot be answered: {clean_text(best)!r}") from error
        elif any(c.lower().startswith("basic") for c in offered):
            if request.url.scheme != "https":
                raise Unauthorized("it offers only Basic authentication over plain HTTP; the password was not sent")
            self._basic = httpx.BasicAuth(self.credential.username, self.credential.password.reveal())
        else:
            raise Unauthorized("it asks for a login but offers no scheme that we can answer")
        self._challenged = True

    @property
    def challenged(self) -> bool:
        """Whether a challenge is at hand, so that a request can be signed."""
        return self._challenged

    def sign(self, request: httpx.Request) -> None:
        """Add the Authorization header. Without an earlier challenge nothing is added."""
        auth: httpx.Auth = self._basic or self._digest
        next(auth.auth_flow(request))


class DeviceHttp:
    """A connection to `scheme://address:port`, to be used as an async context manager. Raises only `cameras.errors`."""

    def __init__(
        self,
        address: str,
        port: int,
        scheme: str,
        *,
        timeout_s: float = REQUEST_TIMEOUT_S,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.base = httpx.URL(scheme=scheme, host=address, port=port)
        self.address, self.port, self.scheme = address, port, scheme
        self.timeout_s = timeout_s
        self._most_bytes = most_bytes
        self._used = False
        self._transport = httpx.AsyncHTTPTransport(
            verify=reading_context(),
            limits=httpx.Limits(max_connections=4, max_keepalive_connections=2),
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        await self._transport.aclose()

    def anew(self, *, most_bytes: int = MOST_BYTES) -> "DeviceHttp":
        """Another connection to the same place, which knows nothing of this one's login."""
        return DeviceHttp(self.address, self.port, self.scheme, timeout_s=self.timeout_s, most_bytes=most_bytes)

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
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        login: HttpLogin | None = None,
    ) -> Reply:
        """One exchange; with a login, a second one when the camera challenges. A 401 that remains is the caller's to
        judge.

        Unreachable, Garbled (too large, undecodable), Unauthorized (no scheme that we may answer).
        """
        if url.host != self.base.host:
            raise Garbled("the address names another host")
        request = self._build(method, url, content, headers, login)
        reply = await self._send(request)
        if login is None or reply.status != httpx.codes.UNAUTHORIZED:
            return reply
        if "authorization" in request.headers and not (login.proven or _is_stale(reply.headers)):
            return reply
        login.accept(reply, request)
        reply = await self._send(self._build(method, url, content, headers, login))
        login.proven &= reply.status != httpx.codes.UNAUTHORIZED
        return reply

    def _build(
        self,
        method: str,
        url: httpx.URL,
        content: bytes | None,
        headers: Mapping[str, str] | None,
        login: HttpLogin | None,
    ) -> httpx.Request:
        request = httpx.Request(
            method,
            url,
            content=content,
            headers={"Accept-Encoding": "identity", "User-Agent": "camwarden", **(headers or {})},
            extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), self.timeout_s)},
        )
        if login is not None and login.challenged:
            login.sign(request)
        return request

    async def _send(self, request: httpx.Request) -> Reply:
        try:
            async with asyncio.timeout(self.timeout_s):
                try:
                    return await self._exchange(request)
                except httpx.RemoteProtocolError:
                    # Cameras close idle keep-alive connections; only then nothing of the request can have been read.
                    if not self._used:
                        raise
                    self._used = False
                    return await self._exchange(request)
        except TimeoutError as error:
            raise Unreachable(f"no complete answer within {self.timeout_s:g} s") from error
        except httpx.DecodingError as error:
            raise Garbled(f"the answer cannot be decoded: {clean_text(str(error))}") from error
        except httpx.TimeoutException as error:
            raise Unreachable(f"no answer within {self.timeout_s:g} s") from error
        except httpx.LocalProtocolError as error:
            raise Garbled(f"not an HTTP exchange: {clean_text(str(error))}") from error
        except (httpx.RequestError, OSError) as error:
            raise Unreachable(clean_text(str(error)) or type(error).__name__) from error

    async def _exchange(self, request: httpx.Request) -> Reply:
        response = await self._transport.handle_async_request(request)
        try:
            body = await self._read(response)
        finally:
            await response.aclose()
        self._used = True
        return Reply(response.status_code, response.headers, body)

    async def _read(self, response: httpx.Response) -> bytes:
        inflate = _inflater(response.headers)
        chunks: list[bytes] = []
        size = 0
        async for raw in response.stream:  # type: ignore[union-attr] # the transport always gives an async stream
            chunk = raw if inflate is None else _inflate(inflate, raw, self._most_bytes + 1 - size)
            size += len(chunk)
            if size > self._most_bytes:
                raise Garbled(f"the answer is larger than {self._most_bytes} bytes")
            chunks.append(chunk)
        return b"".join(chunks)


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


def _inflater(headers: httpx.Headers) -> "zlib._Decompress | None":
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return None
    if encoding in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(wbits=47)
    raise Garbled(f"unknown content encoding {clean_text(encoding, 20)!r}")


def _inflate(inflater: "zlib._Decompress", raw: bytes, most: int) -> bytes:
    """At most `most` bytes: the rest of a compression bomb is never unpacked."""
    try:
        return inflater.decompress(raw, most)
    except zlib.error as error:
        raise Garbled(f"the answer cannot be decompressed: {error}") from error


@cache
def reading_context() -> ssl.SSLContext:
    """One TLS context for all cameras: any certificate, TLS 1.0 and up.

    Cameras come with self-signed certificates and old protocol versions; what they offer is judged by the checks, not
    by a refusal to look. No password travels on this trust: Digest and WS-Security never send one, and see `HttpLogin`
    for Basic.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context

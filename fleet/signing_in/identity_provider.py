"""An OpenID Connect provider: where it is, what it says of a person, and whether it was really it who said so.

Authorization code with PKCE (S256), state and nonce. Everything that it answers is bounded and checked: https with a
verified certificate (plain http on this machine only), no redirect, no key or algorithm that the token itself chose.
"""

import asyncio
import base64
import hashlib
import json
import secrets
import ssl
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from cameras.secret import Secret
from cameras.untrusted import clean_text
from fleet.errors import ProviderUnavailable, SingleSignOnRefused

TIMEOUT_S = 10
MOST_BYTES = 256 * 1024
LEEWAY_S = 60
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
# How old a sign-in at the provider may be that was asked for as a new proof.
_FRESH = timedelta(minutes=5)
_KNOWN_FOR = timedelta(minutes=10)
_FAILED_FOR = timedelta(seconds=10)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_MOST_SECRET_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the provider is asked. `basic` says how it wants our secret."""

    authorization: str
    token: str
    keys: str
    basic: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What we sent along and must see again: kept here until the person comes back."""

    state: str
    nonce: str
    verifier: str
    redirect: str


@dataclass(frozen=True, slots=True)
class Provider:
    """Who we are at which provider, from the settings. `ca_file` holds its authority, "" is the system's list."""

    issuer: str
    client: str
    secret_file: Path
    ca_file: Path | None


def new_request(redirect: str) -> Asked:
    return Asked(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48), redirect)


def address_for(provider: Provider, endpoints: Endpoints, asked: Asked, *, again: bool) -> str:
    """Where the browser is sent. `again` wants a sign-in that happens now, not one of this morning."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(asked.verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": provider.client,
        "redirect_uri": asked.redirect,
        "scope": "openid profile",
        "state": asked.state,
        "nonce": asked.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **({"prompt": "login", "max_age": "0"} if again else {}),
    }
    between = "&" if urlsplit(endpoints.authorization).query else "?"
    return f"{endpoints.authorization}{between}{urlencode(query)}"


class Discovery:
    """Where the provider is asked, looked up once in ten minutes. One look-up at a time, however many strangers ask."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._found: tuple[Endpoints, datetime] | None = None
        self._failed: tuple[str, datetime] | None = None
        self._looking = asyncio.Lock()

    async def endpoints(self, now: datetime) -> Endpoints:
        """Raises ProviderUnavailable, also to those who ask within seconds of one who was told so."""
        async with self._looking:
            if self._failed and self._failed[1] <= now < self._failed[1] + _FAILED_FOR:
                raise ProviderUnavailable(self._failed[0])
            if self._found is None or not self._found[1] <= now < self._found[1] + _KNOWN_FOR:
                self._found = await self._looked_up(now), now
        return self._found[0]

    async def _looked_up(self, now: datetime) -> Endpoints:
        address = f"{self._provider.issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            async with await _client(self._provider) as client:
                return _endpoints(self._provider, await _json(client.stream("GET", address)))
        except ProviderUnavailable as error:
            self._failed = str(error), now
            raise


def _endpoints(provider: Provider, said: Mapping[str, Any]) -> Endpoints:
    if said.get("issuer") != provider.issuer:
        raise ProviderUnavailable(f"the provider calls itself {_shown(said.get('issuer'))}, not as oidc_issuer says")
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    found = [said.get(name) for name in names]
    wrong = [name for name, address in zip(names, found, strict=True) if not _is_safe(provider, address)]
    if wrong:
        raise ProviderUnavailable(f"the provider names no https address as {', '.join(wrong)}")
    authorization, token, keys = (str(address) for address in found)
    methods = said.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return Endpoints(authorization, token, keys, basic="client_secret_basic" in methods)


def _is_safe(provider: Provider, address: object) -> bool:
    """Plain http only where the provider itself is on this machine."""
    try:
        parts = urlsplit(address if isinstance(address, str) else "")
        here = parts.hostname in _LOOPBACK and urlsplit(provider.issuer).hostname in _LOOPBACK
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and here)


async def claims_of(
    provider: Provider, endpoints: Endpoints, asked: Asked, code: str, now: datetime, *, again: bool
) -> Mapping[str, Any]:
    """What the provider says of the person whom the code stands for.

    Raises SingleSignOnRefused, ProviderUnavailable.
    """
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": asked.redirect}
    fields["code_verifier"] = asked.verifier
    secret = await asyncio.to_thread(_secret, provider.secret_file)
    login = httpx.BasicAuth(quote(provider.client, safe=""), quote(secret.reveal(), safe=""))
    if not endpoints.basic:
        fields |= {"client_id": provider.client, "client_secret": secret.reveal()}
    async with await _client(provider) as client:
        wanted = client.stream("POST", endpoints.token, data=fields, auth=login if endpoints.basic else None)
        given = await _json(wanted)
        keys = await _json(client.stream("GET", endpoints.keys))
    claims = _checked(given.get("id_token"), keys, provider, asked, now)
    if again:
        _refuse_old(claims, now)
    return claims


def _checked(
    token: object, keys: Mapping[str, Any], provider: Provider, asked: Asked, now: datetime
) -> Mapping[str, Any]:
    """The claims of an ID token that is the provider's, for us, of now, and the answer to this very question."""
    wanted = jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=LEEWAY_S,
        iss={"essential": True, "value": provider.issuer},
        aud={"essential": True, "value": provider.client},
        exp={"essential": True},
        iat={"essential": True},
        sub={"essential": True},
        nonce={"essential": True, "value": asked.nonce},
    )
    try:
        if not isinstance(token, str):
            raise SingleSignOnRefused("the provider sent no ID token; ask whoever runs it")
        claims = jwt.decode(token, KeySet.import_key_set({"keys": keys.get("keys", [])}), ALGORITHMS).claims
        wanted.validate(claims)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        what = clean_text(str(error), 120)
        raise SingleSignOnRefused(
            f"the provider's ID token is not one for this sign-in ({what}); begin again"
        ) from None
    if claims.get("azp", provider.client) != provider.client:
        raise SingleSignOnRefused("the provider's ID token was made for another program")
    return claims


def _refuse_old(claims: Mapping[str, Any], now: datetime) -> None:
    signed_in = claims.get("auth_time")
    if not isinstance(signed_in, int) or now.timestamp() - signed_in > _FRESH.total_seconds() + LEEWAY_S:
        raise SingleSignOnRefused("the provider did not ask for a new sign-in, so this proves nothing new")


async def _client(provider: Provider) -> httpx.AsyncClient:
    """One for each question: no pool outlives it, no redirect is followed, no proxy of the environment is asked."""
    trusted = await asyncio.to_thread(_trusted, provider.ca_file)
    return httpx.AsyncClient(verify=trusted, timeout=TIMEOUT_S, follow_redirects=False, trust_env=False)


def _trusted(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except (OSError, ssl.SSLError):
        raise ProviderUnavailable("oidc_ca_file cannot be read as certificates") from None


async def _json(asked: AbstractAsyncContextManager[httpx.Response]) -> Mapping[str, Any]:
    """One JSON object, bounded in time and in size."""
    body = b""
    try:
        async with asyncio.timeout(TIMEOUT_S), asked as answer:
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > MOST_BYTES:
                    raise ProviderUnavailable("the provider's answer is too long")
    except (httpx.HTTPError, TimeoutError) as error:
        raise ProviderUnavailable(f"the provider does not answer ({type(error).__name__})") from None
    said = _read(body)
    if answer.status_code == HTTPStatus.BAD_REQUEST and isinstance(said.get("error"), str):
        why = f"the provider refused the sign-in ({_shown(said['error'])}); begin again"
        raise SingleSignOnRefused(why)
    if answer.status_code != HTTPStatus.OK or not said:
        raise ProviderUnavailable(f"the provider answers with {answer.status_code}, and not what was asked")
    return said


def _read(body: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _secret(path: Path) -> Secret:
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_SECRET_BYTES).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ProviderUnavailable(f"oidc_client_secret_file cannot be read ({type(error).__name__})") from None
    if not text:
        raise ProviderUnavailable("oidc_client_secret_file is empty")
    return Secret(text)


def _shown(said: object) -> str:
    return clean_text(str(said), 80)

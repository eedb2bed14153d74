"""The master key wrapped by the transit engine of OpenBao or HashiCorp Vault: three calls, and the login before them.

What the engine answers is bounded and checked. TLS is verified (plain http on this machine only), no redirect is
followed, no proxy of the environment is asked. What was wrapped is opened once before anybody relies on it.
"""

import asyncio
import base64
import binascii
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx

from cameras.secret import Secret
from cameras.untrusted import clean_text
from fleet.errors import VaultUnavailable
from fleet.settings import Settings
from fleet.vault import key_file as vault_key
from fleet.vault.key_file import WrappedKey
from fleet.vault.sealing import key_id

# Of a login and the calls after it together.
WITHIN_S = 15
MOST_BYTES = 256 * 1024
_MOST_SECRET_BYTES = 4096
_MOST_SAID = 200
# What to do about an answer. The texts of the engine, where it gives one, go before.
_ADVICE: Mapping[int, str] = MappingProxyType(
    {
        400: "look at the transit key: is it there, may this version still be decrypted, is the login right?",
        403: "its policy must give this login `update` on encrypt, decrypt and rewrap of the key, and the login must "
        "not have ended",
        404: "transit_mount or transit_namespace names nothing there",
        429: "it is asked too often, or is a standby: give the address of the active one",
        503: "unseal it, or wait until it is ready",
    }
)
_REDIRECTED = "it sends us elsewhere, where we do not go: give the address of the active one as transit_url"


async def wrap(settings: Settings, key: bytes) -> WrappedKey:
    """Only this engine makes the key of it again, and it did so once. Raises VaultUnavailable."""
    async with _logged_in(settings) as engine:
        wrapped = await engine.wrapped("encrypt", {"plaintext": base64.b64encode(key).decode()}, key_id(key))
        await engine.unwrapped(wrapped)
    return wrapped


async def unwrap(settings: Settings, wrapped: WrappedKey) -> bytes:
    """Raises VaultUnavailable."""
    async with _logged_in(settings) as engine:
        return await engine.unwrapped(wrapped)


async def rewrap(settings: Settings, wrapped: WrappedKey) -> WrappedKey:
    """The same under the newest version of the transit key. Raises VaultUnavailable."""
    async with _logged_in(settings) as engine:
        anew = await engine.wrapped("rewrap", {"ciphertext": wrapped.ciphertext}, wrapped.id)
        await engine.unwrapped(anew)
    return anew


@dataclass(frozen=True, slots=True)
class _Engine:
    """Asked within one login. `known` are the secrets that must not come back out in a text of ours."""

    settings: Settings
    client: httpx.AsyncClient
    known: tuple[Secret, ...]
    token: Secret | None = None

    async def wrapped(self, call: str, asked: Mapping[str, str], of_key: str) -> WrappedKey:
        said = await self._transit(call, asked)
        ciphertext = said.get("ciphertext")
        if not isinstance(ciphertext, str) or not vault_key.is_ciphertext(ciphertext):
            raise self._odd()
        return WrappedKey(of_key, ciphertext)

    async def unwrapped(self, wrapped: WrappedKey) -> bytes:
        said = await self._transit("decrypt", {"ciphertext": wrapped.ciphertext})
        try:
            key = base64.b64decode(said.get("plaintext", ""), validate=True)
        except (TypeError, ValueError, binascii.Error):
            raise self._odd() from None
        if len(key) != vault_key.KEY_BYTES or key_id(key) != wrapped.id:
            raise VaultUnavailable(f"{self._place} gives another key than was wrapped: is transit_key the right one?")
        return key

    async def logged_in(self, role: Secret, secret: Secret) -> Secret:
        said = await self.ask("auth/approle/login", {"role_id": role.reveal(), "secret_id": secret.reveal()})
        given = said.get("auth")
        token = given.get("client_token") if isinstance(given, dict) else None
        if not isinstance(token, str) or not _is_word(token):
            raise self._odd()
        return Secret(token)

    async def _transit(self, call: str, asked: Mapping[str, str]) -> Mapping[str, Any]:
        said = (await self.ask(f"{self.settings.transit_mount}/{call}/{self.settings.transit_key}", asked)).get("data")
        return said if isinstance(said, dict) else {}

    async def ask(self, path: str, asked: Mapping[str, str]) -> Mapping[str, Any]:
        headers = {"X-Vault-Request": "true"}
        if self.settings.transit_namespace:
            headers["X-Vault-Namespace"] = self.settings.transit_namespace
        if self.token:
            headers["X-Vault-Token"] = self.token.reveal()
        body = b""
        try:
            async with self.client.stream("POST", f"/v1/{path}", json=asked, headers=headers) as answer:
                async for piece in answer.aiter_bytes():
                    body += piece
                    if len(body) > MOST_BYTES:
                        raise VaultUnavailable(f"{self._place} answers with more than {MOST_BYTES} bytes")
        except httpx.HTTPError as error:
            raise self._silent(error) from None
        said = _object(body)
        if answer.status_code != HTTPStatus.OK:
            raise VaultUnavailable(self._refused(answer.status_code, path, said))
        return said

    def _refused(self, status: int, path: str, said: Mapping[str, Any]) -> str:
        words = said.get("errors")
        told = ", ".join(map(str, words)) if isinstance(words, list) else ""
        for secret in self.known if self.token is None else (*self.known, self.token):
            told = told.replace(secret.reveal(), "…")
        advice = _REDIRECTED if 300 <= status < 400 else _ADVICE.get(status, "look at its log")  # noqa: PLR2004 - 3xx
        told = f" ({clean_text(told, _MOST_SAID)})" if told else ""
        return f"{self._place} answers {path} with {status}{told}: {advice}"

    @property
    def _place(self) -> str:
        return f"the transit engine at {self.settings.transit_url}"

    def _odd(self) -> VaultUnavailable:
        return VaultUnavailable(f"{self._place} answers, but not as a transit engine: look at transit_url")

    def _silent(self, error: Exception) -> VaultUnavailable:
        return VaultUnavailable(
            f"{self._place} does not answer ({type(error).__name__}), and only it can open the master key: start it, "
            "or look at transit_url, transit_ca_file and the network between"
        )


@asynccontextmanager
async def _logged_in(settings: Settings) -> AsyncIterator[_Engine]:
    """One connection for one errand: nothing outlives it."""
    if settings.transit_url is None:
        raise VaultUnavailable("the master key is wrapped by a transit engine, and the settings name none: transit_url")
    files = ("transit_token_file", "transit_role_id_file", "transit_secret_id_file")
    paths = {name: path for name in files if (path := getattr(settings, name))}
    secrets = tuple([await asyncio.to_thread(_secret, name, path) for name, path in paths.items()])
    trusted = await asyncio.to_thread(_trusted, settings.transit_ca_file)
    client = httpx.AsyncClient(
        base_url=settings.transit_url, verify=trusted, timeout=WITHIN_S, follow_redirects=False, trust_env=False
    )
    engine = _Engine(settings, client, secrets, secrets[0] if settings.transit_token_file else None)
    try:
        async with asyncio.timeout(WITHIN_S), client:
            if engine.token is None:
                engine = _Engine(settings, client, secrets, await engine.logged_in(*secrets))
            yield engine
    except TimeoutError as error:
        raise engine._silent(error) from None  # noqa: SLF001 - of this module


def _trusted(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except (OSError, ssl.SSLError):
        raise VaultUnavailable("transit_ca_file cannot be read as certificates") from None


def _secret(name: str, path: Path) -> Secret:
    try:
        text = (
            vault_key.read_privately(path, _MOST_SECRET_BYTES, "have a new one made").decode("ascii", "replace").strip()
        )
    except OSError as error:
        raise VaultUnavailable(f"{name} cannot be read ({error.strerror}): {path}") from None
    if not _is_word(text):
        raise VaultUnavailable(f"{name} holds no word that can be sent: {path}")
    return Secret(text)


def _is_word(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}

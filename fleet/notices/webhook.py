"""A notice as a signed POST to one configured address.

    Camwarden-Id: the notice's id, the same each time it is sent
    Camwarden-Timestamp: seconds since 1970 when this try was made
    Camwarden-Signature: sha256=HEX, HMAC-SHA256 with the shared secret over the timestamp, a full stop and the body

The receiver computes the signature over the bytes it got, compares in constant time, refuses a timestamp that is more
than five minutes away, and drops an id that it has seen.
"""

import hashlib
import hmac
import json
from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx

from cameras.secret import Secret
from cameras.untrusted import clean_text
from fleet.errors import SettingsError
from fleet.notices.outgoing import NotSent, Outgoing

FORMAT = "camwarden/notice/1"
TIMEOUT_S = 10.0


class Webhook:
    """Raises SettingsError for an address that is neither https nor on this machine: notices name cameras."""

    name = "webhook"

    def __init__(self, url: str, secret: Secret, now_s: Callable[[], float]) -> None:
        self._url = _allowed(url)
        self._secret = secret
        self._now_s = now_s

    async def send(self, notice: Outgoing) -> None:
        body = body_of(notice)
        timestamp = str(int(self._now_s()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "camwarden",
            "Camwarden-Id": notice.id,
            "Camwarden-Timestamp": timestamp,
            "Camwarden-Signature": signature(self._secret, timestamp, body),
        }
        # No proxy of the environment: the address was configured, and nothing else is spoken to.
        client = httpx.AsyncClient(follow_redirects=False, timeout=TIMEOUT_S, trust_env=False)
        try:
            async with client, client.stream("POST", self._url, content=body, headers=headers) as answer:
                if not answer.is_success:
                    raise NotSent(f"the receiver answered with HTTP {answer.status_code}")
        except httpx.HTTPError as error:
            raise NotSent(f"{type(error).__name__}: {clean_text(str(error))}") from error


def body_of(notice: Outgoing) -> bytes:
    told = {"format": FORMAT, "id": notice.id, "kind": notice.kind, "at": notice.created_at.isoformat()}
    return json.dumps({**told, **notice.content}, ensure_ascii=False).encode()


def signature(secret: Secret, timestamp: str, body: bytes) -> str:
    digest = hmac.new(secret.reveal().encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"sha256={digest.hexdigest()}"


def _allowed(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise SettingsError("webhook_url: not a web address") from None
    if parts.username or parts.password:
        raise SettingsError("webhook_url: leave out user and password; the signature proves who sends")
    if parts.scheme == "https" and host:
        return url
    if parts.scheme == "http" and _is_this_machine(host):
        return url
    raise SettingsError("webhook_url: write https://…, or http:// to an address of this machine")


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

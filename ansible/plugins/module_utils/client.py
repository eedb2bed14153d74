# Copyright (c) 2026, Camwarden
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one client of the service's REST API. Every error says what to do next, and none carries the token."""

from __future__ import annotations

import ipaddress
import json
import time
import uuid
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit

from ansible.module_utils.basic import env_fallback
from ansible.module_utils.urls import open_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

# Of every module. The variables are not CAMWARDEN_...: the service refuses those that it does not know.
CONNECTION = {
    "url": {"type": "str", "required": True, "fallback": (env_fallback, ["CW_URL"])},
    "token": {"type": "str", "no_log": True, "fallback": (env_fallback, ["CW_TOKEN"])},
    "token_file": {"type": "path", "no_log": False},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "timeout": {"type": "int", "default": 30},
}

PAGE = 500
MOST_PAGES = 1000
MOST_BYTES = 64 * 1024 * 1024
_AT_WORK = ("draft", "applying", "undoing")
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0


class ServiceError(Exception):
    """The text is for the operator: what is wrong, and what to do."""


class Unreachable(ServiceError):
    """Nothing, or nothing whole, came back."""


class NotAllowed(ServiceError):
    """The token is wrong or at its end, or does not name the scope."""


class NotThere(ServiceError):
    """The service knows no such thing."""


class Changed(ServiceError):
    """It is not what was looked at any more."""


class Refused(ServiceError):
    """Its rules, or its present state, do not allow it. The text says what to do instead."""


def service_of(options: Mapping[str, Any]) -> Service:
    """The service that these options of a module mean."""
    token, file = options.get("token"), options.get("token_file")
    if file:
        try:
            token = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ServiceError(f"token_file {file} cannot be read ({type(error).__name__})") from error
    if not token:
        raise ServiceError("give a token: set token, token_file or the environment variable CW_TOKEN")
    return Service(
        options["url"],
        token,
        validate_certs=options["validate_certs"],
        ca_path=options.get("ca_path"),
        timeout=options["timeout"],
    )


class Service:
    """`timeout` is in seconds, of one request."""

    def __init__(
        self, url: str, token: str, *, validate_certs: bool = True, ca_path: str | None = None, timeout: int = 30
    ) -> None:
        self.url = _checked(url)
        if not token.isascii() or not token.isprintable():
            raise ServiceError("the token has characters that no token has; copy it again, as it was printed")
        self._token = token
        self._options = {"validate_certs": validate_certs, "ca_path": ca_path, "timeout": timeout}

    def get(self, path: str, **query: object) -> Any:
        return self.tagged(path, **query)[0]

    def tagged(self, path: str, **query: object) -> tuple[Any, str]:
        """What is there, and its entity tag."""
        body, headers = self._send("GET", path, query)
        return _json(body), headers.get("etag", "")

    def raw(self, path: str, **query: object) -> bytes:
        return self._send("GET", path, query)[0]

    def post(self, path: str, body: object = None, *, tag: str = "") -> Any:
        """Sent again once where the answer was lost: the key sees to it that the work is begun only once."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        if tag:
            headers["If-Match"] = tag
        try:
            answer = self._send("POST", path, {}, headers, body)
        except Unreachable:
            answer = self._send("POST", path, {}, headers, body)
        return _json(answer[0])

    def pages(self, path: str, limit: int = PAGE, **query: object) -> Iterator[dict[str, Any]]:
        """Every item of a paged list; one request per page."""
        after = None
        for _page in range(MOST_PAGES):
            page = self.get(path, limit=limit, after=after, **query)
            yield from page["items"]
            after = page["after"]
            if after is None:
                return
        raise ServiceError(f"{path} has more than {MOST_PAGES} pages")

    def settled(self, plan: str, patience_s: float) -> tuple[dict[str, Any], str]:
        """The plan once nothing goes on any more, and its entity tag."""
        end, pause_s = time.monotonic() + patience_s, _FIRST_PAUSE_S
        while True:
            view, tag = self.tagged("plans/{}".format(quote(plan, safe="")))
            if view["state"] not in _AT_WORK:
                return view, tag
            if time.monotonic() + pause_s > end:
                raise ServiceError(
                    f"plan {plan} is still {view['state']} after {patience_s} s: it goes on without us; raise "
                    "wait_timeout, or look at it in the console"
                )
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, object],
        headers: Mapping[str, str] | None = None,
        body: object = None,
    ) -> tuple[bytes, dict[str, str]]:
        words = urlencode({name: value for name, value in query.items() if value is not None})
        try:
            with open_url(
                "{}/api/v1/{}{}".format(self.url, path, "?" + words if words else ""),
                method=method,
                data=None if body is None else json.dumps(body).encode(),
                headers={
                    "Authorization": f"Bearer {self._token}",
                    "Accept": "application/json",
                    "Content-Type": "application/json",
                    **(headers or {}),
                },
                follow_redirects="none",  # a token goes where it was meant to go, and nowhere else
                use_netrc=False,
                http_agent="camwarden.estate",
                **self._options,
            ) as answer:
                content = answer.read(MOST_BYTES + 1)
                known = {name.lower(): value for name, value in answer.headers.items()}
        except HTTPError as error:
            raise _refusal(error, f"{method} /api/v1/{path}") from None
        except (URLError, OSError, HTTPException, ValueError) as error:
            why = getattr(error, "reason", None) or error
            raise Unreachable(
                f"the service cannot be reached at {self.url} ({why}): is `camwarden serve` running there, and may "
                "this machine reach it?"
            ) from None
        if len(content) > MOST_BYTES:
            raise Unreachable(f"{self.url} answers with more than {MOST_BYTES} bytes")
        # `read` with a limit does not tell by itself: half a report must not pass for a whole one.
        if "content-encoding" not in known and known.get("content-length", str(len(content))) != str(len(content)):
            raise Unreachable(f"the answer of {self.url} was cut off; try again")
        return content, known


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _unused = parts.port
    except ValueError:
        raise ServiceError("url cannot be read; write for example https://camwarden.example:8080") from None
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.query or parts.fragment:
        raise ServiceError("url must be an address such as https://camwarden.example:8080, and nothing more")
    if parts.scheme == "http" and not _is_this_machine(host):
        raise ServiceError("url is plain HTTP to another machine: the token would travel in the clear; use https")
    return url.rstrip("/")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        raise Unreachable("what answers is not the service: it sends no JSON; check url") from None


def _refusal(error: HTTPError, what: str) -> ServiceError:
    """By its status, with the words of the service where it has any."""
    try:
        detail = json.loads(error.read(64 * 1024))["detail"]
    except (OSError, ValueError, KeyError, TypeError):
        detail = f"status {error.code}"
    finally:
        error.close()
    if error.code == HTTPStatus.UNAUTHORIZED:
        return NotAllowed(
            "the service does not know this token: it is wrong, revoked or at its end; make a new one with "
            "`camwarden token create`"
        )
    if error.code == HTTPStatus.FORBIDDEN:
        return NotAllowed(f"this token may not do that ({what}): {detail}")
    if HTTPStatus.MULTIPLE_CHOICES <= error.code < HTTPStatus.BAD_REQUEST:
        return ServiceError(f"the service sends us elsewhere (status {error.code}); give its final address as url")
    kinds: dict[int, type[ServiceError]] = {404: NotThere, 412: Changed, 422: Refused}
    return kinds.get(error.code, ServiceError)(f"{detail} ({what}, status {error.code})")

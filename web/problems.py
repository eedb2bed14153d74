"""One place where errors become answers: a page for people, RFC 9457 problem details for /api."""

from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match

from cameras.errors import DeviceError
from fleet.errors import (
    BeginAgain,
    BeyondYourSites,
    Busy,
    ChangedMeanwhile,
    Displaced,
    FleetError,
    Invalid,
    NeedsConfirmation,
    NotFound,
    ProviderUnavailable,
    SecondStepNeeded,
    SignInRefused,
    SourceUnavailable,
    StoreUnavailable,
    TooManyTries,
    VaultUnavailable,
)
from web.access import safe_next
from web.contexts import ErrorPage
from web.rendering import sentence
from web.visit import draw, meet, see

PROBLEM_JSON = "application/problem+json"

TITLES = {
    400: "That request makes no sense",
    401: "Please sign in",
    403: "That is not allowed",
    404: "There is nothing here",
    405: "That cannot be done here",
    409: "Please confirm first",
    412: "It has changed meanwhile",
    413: "That is too large",
    415: "That is not JSON",
    422: "Something needs correcting",
    429: "Too many tries",
    500: "Something went wrong on our side",
    502: "The camera did not do it",
    503: "Something that this needs cannot be reached",
}

ADVICE = {
    403: "Your role does not include it. Ask an administrator.",
    404: "The address may be mistyped, or what it named is gone.",
    405: "This address exists, but does not take this kind of request.",
}

STATUSES: Mapping[type[FleetError], int] = {
    Invalid: 422,
    NeedsConfirmation: 409,
    Displaced: 409,
    NotFound: 404,
    Busy: 409,
    ChangedMeanwhile: 412,
    BeyondYourSites: 403,
    SignInRefused: 403,
    SecondStepNeeded: 403,
    BeginAgain: 403,
    TooManyTries: 429,
    ProviderUnavailable: 503,
    SourceUnavailable: 503,
    StoreUnavailable: 503,
    VaultUnavailable: 503,
}
# A camera that could not be talked to while somebody waited: the fault is neither theirs nor ours.
CAMERA_STATUS = 502
_AWAY = HTTPStatus.SERVICE_UNAVAILABLE
# After which a database, a provider or a key may be there again.
_AWAY_S = 5


class ProofNeeded(Exception):
    """Show at `page` who you are, then give the order again."""

    def __init__(self, page: str) -> None:
        super().__init__(page)
        self.page = page


class SignInNeeded(Exception):
    """Go to `door` first."""

    def __init__(self, door: str) -> None:
        super().__init__(door)
        self.door = door


def answer(request: Request, status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """The one error shape. `headers` such as Allow or Retry-After travel along."""
    title = TITLES.get(status) or HTTPStatus(status).phrase
    number = getattr(request.state, "request_id", "")
    if request.url.path.startswith("/api/"):
        problem = {"type": "about:blank", "title": title, "status": status, "detail": detail, "request": number}
        response: Response = JSONResponse(problem, status, media_type=PROBLEM_JSON)
    else:
        page, visit = ErrorPage(status, title, detail, number), getattr(request.state, "visit", None)
        response = draw(request, page, status, visit)
    response.headers.update(headers or {})
    return response


async def on_http(request: Request, exc: Exception) -> Response:
    if not isinstance(exc, HTTPException):
        raise exc
    if exc.status_code == HTTPStatus.NOT_FOUND and not hasattr(request.state, "visit"):
        with suppress(StoreUnavailable):  # no route, no gate: who is asking decides only how the page is framed
            await meet(request)
    bare = exc.detail == HTTPStatus(exc.status_code).phrase
    detail = ADVICE.get(exc.status_code, exc.detail) if bare else exc.detail
    headers = {"Allow": _allowed(request)} if exc.status_code == HTTPStatus.METHOD_NOT_ALLOWED else exc.headers
    return answer(request, exc.status_code, detail, headers)


def _allowed(request: Request) -> str:
    """By all rows of that address: the framework knows only the first of them that it met."""
    rows = (one for one in request.app.routes if one.matches(request.scope)[0] is not Match.NONE)
    return ", ".join(sorted({method for row in rows for method in row.methods}))


async def on_unusable(request: Request, exc: Exception) -> Response:
    """Names the places that are wrong and what is wrong with them, never what was sent."""
    if not isinstance(exc, RequestValidationError):
        raise exc
    said = (f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}" for error in exc.errors())
    return answer(request, 422, "; ".join(said))


async def on_fleet(request: Request, exc: Exception) -> Response:
    status = next((STATUSES[kind] for kind in type(exc).mro() if kind in STATUSES), 500)
    wait_s = exc.retry_after_s if isinstance(exc, TooManyTries) else _AWAY_S if status == _AWAY else None
    return answer(request, status, sentence(str(exc)), {} if wait_s is None else {"Retry-After": str(wait_s)})


async def on_camera(request: Request, exc: Exception) -> Response:
    return answer(request, CAMERA_STATUS, sentence(str(exc)))


async def on_stranger(_request: Request, exc: Exception) -> Response:
    return see(exc.door if isinstance(exc, SignInNeeded) else safe_next(""))


async def on_proof_needed(request: Request, exc: Exception) -> Response:
    if not isinstance(exc, ProofNeeded):
        raise exc
    if request.url.path.startswith("/api/"):
        return answer(request, 403, "Show in the console, at /prove, that it is you; then send this again.")
    return see(exc.page)


HANDLERS: Mapping[int | type[Exception], Callable[[Request, Exception], Coroutine[Any, Any, Response]]] = {
    HTTPException: on_http,
    RequestValidationError: on_unusable,
    FleetError: on_fleet,
    DeviceError: on_camera,
    ProofNeeded: on_proof_needed,
    SignInNeeded: on_stranger,
}

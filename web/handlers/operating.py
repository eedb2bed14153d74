"""For machines that watch the service: does it live, is it ready, and its numbers."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from fleet import metrics
from fleet.people import tokens
from fleet.people.tokens import Scope
from web.request_ids import came_straight_from_this_machine
from web.visit import Desk


async def healthz(_request: Request) -> Response:
    """The process answers. Nothing else is asked."""
    return PlainTextResponse("ok\n")


async def readyz(request: Request) -> Response:
    """503 names the part that is not ready, and what to do."""
    desk: Desk = request.app.state.desk
    parts = await desk.readiness.parts()
    ready = all(part.ready for part in parts) and not desk.stopping.is_set()
    body = {"ready": ready, "parts": {part.name: part.why or "ready" for part in parts}}
    if desk.stopping.is_set():
        body["parts"] = {**body["parts"], "service": "it is being stopped"}  # type: ignore[dict-item] # a dict of text
    return JSONResponse(body, HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE)


async def numbers(request: Request) -> Response:
    """For this machine, and for whoever has a token that may read: as the settings say."""
    desk: Desk = request.app.state.desk
    setting = desk.service.settings.metrics
    if setting == "off":
        raise HTTPException(HTTPStatus.NOT_FOUND)
    at_home = setting == "loopback" and came_straight_from_this_machine(request.scope)
    if not (at_home or await _may_read(request, desk)):
        raise HTTPException(
            HTTPStatus.UNAUTHORIZED,
            'Send a token with the scope "read" as "Authorization: Bearer cw_...".',
            {"WWW-Authenticate": "Bearer"},
        )
    return Response(await desk.metrics.text(desk.service.store), media_type=metrics.CONTENT_TYPE)


async def _may_read(request: Request, desk: Desk) -> bool:
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return False
    token = await tokens.check(desk.service.store, text.strip())
    return token is not None and Scope.READ in token.scopes

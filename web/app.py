"""The console as an application."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable
from functools import cache, partial
from importlib.metadata import version
from typing import Any, cast
from urllib.parse import urlencode

from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from fleet.metrics import Metrics
from fleet.people import belonging
from fleet.people.accounts import needs_setup
from fleet.people.permissions import Permission
from fleet.readiness import Readiness
from fleet.service import Service
from web.access import check_origin, check_token, need_json
from web.api_description import describe
from web.api_routes import API
from web.entity_tags import TaggedRoute, as_looked_at
from web.frame import Frame
from web.problems import HANDLERS, SignInNeeded, answer
from web.proving import prove_first
from web.request_ids import Peer
from web.route import JSON, Proof, Route
from web.routes import OBJECTS, ROUTES
from web.trail import acting_for, write_down
from web.visit import Desk, Visit, meet, posted

# Whose word on whom they speak for is believed.
PROXIES = ("127.0.0.1", "::1")


def create_app(service: Service, hosts: frozenset[str] = frozenset()) -> FastAPI:
    """`hosts` are further names under which people reach the console; addresses and this machine's name always work."""
    app = FastAPI(
        title="Camwarden",
        version=version("camwarden"),
        openapi_url=None,  # served by the route table, behind the same gate as everything else
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        routes=list(_table()),
        exception_handlers=dict(HANDLERS),
    )
    metrics = Metrics()
    readiness = Readiness(service.store, service.settings, service.background)
    app.state.desk = Desk(service, metrics, readiness, asyncio.Event())
    table = {(route.path, route.method): route for route in API}
    # As the framework wants it: whoever asks the application for its description gets ours.
    app.openapi = partial(describe, app, table, OBJECTS)  # type: ignore[method-assign]
    names = hosts | {*service.settings.hosts, "localhost", service.settings.host, socket.gethostname()}
    app.add_middleware(
        Frame,
        hosts=frozenset(name.lower() for name in names),
        secure=service.settings.secure_cookies,
        failure=answer,
        count=metrics.count,
        photos=re.compile("|".join(re.sub(r"{\w+}", "[^/]+", route.path) for route in ROUTES if route.takes_photo)),
    )
    return app


def behind_proxies(app: FastAPI) -> Any:  # noqa: ANN401 - the server and the framework describe one interface in two ways
    """The same, believing a proxy on this machine whom it speaks for."""
    rewriting: Any = ProxyHeadersMiddleware(cast("Any", app), list(PROXIES))
    return Peer(rewriting)


@cache
def _table() -> tuple[APIRoute, ...]:
    """The route table in the framework's terms: slow to work out, and the same for every application."""
    return tuple(map(_row, ROUTES))


def _row(route: Route) -> APIRoute:
    kind = TaggedRoute if _has_tag(route) else APIRoute
    return kind(
        route.path,
        route.handler,
        methods=[route.method],
        dependencies=[Depends(gate(route))],
        include_in_schema=route.is_api,
        status_code=route.status if route.is_api else None,
    )


def _has_tag(route: Route) -> bool:
    """What can be looked at, and the answer of an order where it is the same: none that holds a secret has a tag."""
    looks = {one.handler.__annotations__["return"] for one in API if one.method == "GET" and one.media == (JSON,)}
    return route.is_api and route.media == (JSON,) and route.handler.__annotations__["return"] in looks


def gate(route: Route) -> Callable[[Request], AsyncIterator[None]]:
    """In this order: is it from here, who is it, was it meant, may they, is it really they, is it as they looked at
    it, is it written down.

    Files that came along are closed behind it.
    """
    looked_at = OBJECTS.get(route)

    async def through(request: Request) -> AsyncIterator[None]:
        try:
            if looked_at is None:
                await admit(request, "")
                with acting_for(request):
                    yield
            else:
                path = looked_at.format(**request.path_params)
                async with request.app.state.desk.orders.about(path):
                    await admit(request, path)
                    with acting_for(request):
                        yield
        finally:
            await request.close()

    async def admit(request: Request, path: str) -> None:
        if route.permission is Permission.PUBLIC:
            return
        if route.proof:
            check_origin(request)
        visit = await meet(request)
        if route.permission is not Permission.ANYONE and not visit.known:
            raise await _stranger(request, visit, route)
        # A bearer token is sent by nobody's browser on its own: the request was meant.
        if route.proof and not visit.token:
            check_token(await _token(request, route.proof), visit.csrf if not visit.fresh else "")
        if route.permission is not Permission.ANYONE:
            if not visit.may(route.permission):
                raise HTTPException(403)
            await _reach(request, visit, route)
        if route.is_api:
            await need_json(request)
        if route.proved:
            prove_first(visit)
        if path:
            await as_looked_at(request, path)
        if route.action:
            await write_down(request, visit, route.action, route.path)

    return through


async def _reach(request: Request, visit: Visit, route: Route) -> None:
    """What the address names is in the visitor's sites, or does not exist. An order is about all of it."""
    if visit.rights.everywhere:
        return
    scope = visit.scope(route.permission)
    ordered = scope if route.proof or route.whole else None
    sites: set[str | None] = set()
    for name, value in request.path_params.items():
        if kind := belonging.KINDS.get(name):
            found = await belonging.sites_of(visit.store, kind, str(value))
            belonging.refuse(kind, found, visit.reading | scope, ordered)
            sites |= found
    request.state.sites = frozenset(sites)


async def _token(request: Request, proof: Proof) -> str:
    if proof is Proof.HEADER:
        return request.headers.get(proof, "")
    return (await posted(request)).get(proof, "")


async def _stranger(request: Request, visit: Visit, route: Route) -> Exception:
    if route.is_api:
        return HTTPException(
            401,
            'Send a token as "Authorization: Bearer cw_..." (it may be wrong, revoked or at its end), or sign in.',
            {"WWW-Authenticate": "Bearer"},
        )
    if await needs_setup(visit.store):
        return SignInNeeded("/set-up")
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return SignInNeeded("/sign-in?" + urlencode({"next": here}) if route.proof is None and here != "/" else "/sign-in")

"""The OpenAPI document: parameters and schemas from the handlers, everything else from the one table of addresses."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from fleet.idempotency import MOST_KEY
from fleet.people.permissions import OF_TOKENS
from web.entity_tags import TaggedRoute
from web.problems import PROBLEM_JSON, TITLES
from web.route import EVENTS, JSON, Route

ABOUT = """What the console can see and do, for machines. Send a token as `Authorization: Bearer cw_...`.

Whatever goes wrong is told as problem details (RFC 9457). Lists come in pages: ask again with `after` as the page
before says. What is there has an `ETag`: `If-None-Match` asks for what is new, `If-Match` keeps an order from meeting
something else than was looked at. `Idempotency-Key` makes a request that is sent twice begin its work once.
"""
_NUMBER = {"schema": {"type": "string"}, "description": "the number of the request, as in the service's log"}
_TAG = {"schema": {"type": "string"}, "description": "another one as soon as anything of it is another"}
_PLACE = {"schema": {"type": "string"}, "description": "where it is looked at"}
_WAIT = {"schema": {"type": "integer", "minimum": 0}, "description": "seconds until it may be tried again"}

PROBLEM: Mapping[str, Any] = {
    "title": "Problem",
    "description": "What went wrong, and what to do (RFC 9457).",
    "type": "object",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "request": {"type": "string", "description": "the number of the request, as in the service's log"},
    },
    "required": ["type", "title", "status", "detail", "request"],
    "additionalProperties": False,
}
_LOOKED_AT = {"/api/v1/jobs/events": "/api/v1/jobs/counts"}
_SCHEMES: Mapping[str, Any] = {
    "token": {"type": "http", "scheme": "bearer", "bearerFormat": "cw_<key>.<secret>"},
    "session": {"type": "apiKey", "in": "cookie", "name": "session", "description": "of somebody who is signed in"},
    "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token", "description": "of the same session"},
}


def describe(app: FastAPI, table: Mapping[tuple[str, str], Route], objects: Mapping[Route, str]) -> dict[str, Any]:
    """`table` is by path and method, `objects` what takes `If-Match`. Made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, openapi_version="3.1.0", description=ABOUT, routes=app.routes
        )
        handled = {(one.path, *(one.methods or ())): one for one in app.routes if isinstance(one, APIRoute)}
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                key = (path, method.upper())
                _complete(operation, table[key], handled[key], ordered=table[key] in objects)
        _tell_states(document["paths"])
        schemas = document["components"]["schemas"]
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        schemas["Problem"] = dict(PROBLEM)
        document["components"]["securitySchemes"] = dict(_SCHEMES)
        app.openapi_schema = document
    return app.openapi_schema


def _complete(operation: dict[str, Any], route: Route, handled: APIRoute, *, ordered: bool) -> None:
    words = route.path.removeprefix("/api/v1/").replace(".json", "").split("/")
    operation["tags"] = [words[0].partition(".")[0]]
    operation["operationId"] = "-".join([route.method.lower(), *(word.strip("{}").replace(".", "-") for word in words)])
    operation["security"] = _security(route)
    operation["x-permission"] = str(route.permission)
    if said := _said(route):
        operation["description"] = f"{operation.get('description', '')}\n\n{said}".strip()
    parameters = [*operation.get("parameters", ()), *_headers(route, ordered=ordered)]
    if parameters:
        operation["parameters"] = parameters
    good = operation["responses"][str(route.status)]
    good["description"] = HTTPStatus(route.status).phrase
    if route.media != (JSON,):
        good["content"] = {media: {"schema": _of_media(media)} for media in route.media}
    good["headers"] = {"X-Request-Id": _NUMBER, **_kept(route, handled)}
    operation["responses"] = {str(route.status): good, **_others(route, handled, ordered=ordered)}


def _tell_states(paths: dict[str, Any]) -> None:
    """What an event tells is what is looked at beside it."""
    for path, methods in paths.items():
        if path.endswith("/events"):
            beside = paths[_LOOKED_AT.get(path, path.removesuffix("/events"))]["get"]
            state = beside["responses"]["200"]["content"][JSON]["schema"]
            methods["get"]["responses"]["200"]["content"] = {EVENTS: {"schema": _event(state)}}


def _event(state: dict[str, Any]) -> dict[str, Any]:
    said = {"anyOf": [state, {"type": "object", "maxProperties": 0}]}  # the last one says nothing but that it ends
    data = {"type": "string", "contentMediaType": JSON, "contentSchema": said}
    kinds = {"type": "string", "enum": ["message", "end"]}
    return {
        "type": "object",
        "properties": {"id": {"type": "string"}, "event": kinds, "data": data, "retry": {"type": "integer"}},
    }


def _said(route: Route) -> str:
    proved = "Whoever is signed in must have shown within ten minutes who they are." if route.proved else ""
    person = "For somebody who is signed in." if route.person else ""
    return " ".join(word for word in (f"Needs the permission `{route.permission}`.", person, proved) if word)


def _security(route: Route) -> list[dict[str, list[str]]]:
    """A token that can be given the permission, or a session, which shows with an order that it was meant."""
    session: dict[str, list[str]] = {"session": [], "csrf": []} if route.proof else {"session": []}
    return [{"token": []}, session] if route.permission in OF_TOKENS and not route.person else [session]


def _of_media(media: str) -> dict[str, Any]:
    text = media.startswith("text/") or media in {"application/jsonl", "application/xml"}
    if media in {JSON, "application/sarif+json"}:
        return {"type": "object"}
    return {"type": "string"} if text else {"type": "string", "format": "binary"}


def _headers(route: Route, *, ordered: bool) -> list[dict[str, Any]]:
    """Those that a request may come with."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    if route.media == (EVENTS,):
        found["Last-Event-ID"] = ("the id of the event that was heard last: it is not told again", {})
    elif route.method == "GET" and route.media == (JSON,):
        found["If-None-Match"] = ("the `ETag` that is known already: 304 where nothing is new", {})
    if ordered:
        found["If-Match"] = ("the `ETag` that was looked at: 412 where it is something else by now", {})
    if route.once:
        found["Idempotency-Key"] = ("the same request with the same key begins its work once", {"maxLength": MOST_KEY})
    return [
        {"name": name, "in": "header", "required": False, "description": said, "schema": {"type": "string", **more}}
        for name, (said, more) in found.items()
    ]


def _kept(route: Route, handled: APIRoute) -> dict[str, Any]:
    """Those that a good answer comes with."""
    tagged = {"ETag": _TAG} if isinstance(handled, TaggedRoute) else {}
    made = route.once or route.status in {HTTPStatus.CREATED, HTTPStatus.ACCEPTED}
    return {**tagged, **({"Location": _PLACE} if made and handled.response_model is not None else {})}


def _others(route: Route, handled: APIRoute, *, ordered: bool) -> dict[str, Any]:
    statuses = {400, 401, 403, 422, 500, 503}
    if "{" in route.path:
        statuses.add(404)
    if route.proof:
        statuses |= {404, 409}
    if ordered:
        statuses.add(412)
    if handled.body_field is not None:
        statuses |= {413, 415}
    if route.path.endswith(("/check", "/still", "/try")):
        statuses.add(502)
    found: dict[str, Any] = {}
    if route.method == "GET" and route.media == (JSON,):
        found["304"] = {"description": "Nothing is new", "headers": {"ETag": _TAG}}
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status in sorted(statuses):
        headers = {
            "X-Request-Id": _NUMBER,
            **({"Retry-After": _WAIT} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}),
        }
        found[str(status)] = {"description": TITLES[status], "content": content, "headers": headers}
    return found

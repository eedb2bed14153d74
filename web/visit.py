"""One request and who makes it: what every handler is given."""

import asyncio
import secrets
from dataclasses import dataclass, field, fields
from typing import Annotated, cast

from fastapi import Depends
from starlette.datastructures import FormData, QueryParams, UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from fleet.metrics import Metrics
from fleet.people import grants, tokens
from fleet.people.grants import NOTHING, Rights
from fleet.people.permissions import Permission, Role
from fleet.people.scope import Scope
from fleet.people.tokens import Token
from fleet.plans.runner import Plans
from fleet.readiness import Readiness
from fleet.scans.runner import Scans
from fleet.service import Service
from fleet.signing_in import browsers
from fleet.signing_in.sessions import Asker, SessionToken, SignedIn, session
from fleet.store import Store
from web import assets
from web.contexts import PAGES, Frame
from web.entity_tags import Orders
from web.rendering import environment

# One photo and the fields of a row; more is no form of ours.
MOST_FILES, MOST_FIELDS = 1, 20
THEMES = ("light", "dark", "system")
SEE_OTHER = 303


@dataclass(frozen=True, slots=True)
class Desk:
    """What the console works with for as long as it runs. `stopping` is set once it takes nothing new.

    `orders` lets those about one object through one after the other.
    """

    service: Service
    metrics: Metrics
    readiness: Readiness
    stopping: asyncio.Event
    orders: Orders = field(default_factory=Orders)

    def cookie(self, name: str) -> str:
        """The __Host- prefix binds a cookie to this host, to / and to TLS; browsers refuse it on plain HTTP."""
        return f"__Host-{name}" if self.service.settings.secure_cookies else name


@dataclass(frozen=True, slots=True)
class Visit:
    """`person` is `None` for a stranger and for a machine, which has a `token` instead.

    `csrf` is the session's token, or a stranger's, which then is `fresh` once. `rights` are as they were when the
    request came.
    """

    request: Request
    desk: Desk
    person: SignedIn | None
    csrf: str
    fresh: bool
    token: Token | None = None
    rights: Rights = NOTHING

    @property
    def service(self) -> Service:
        return self.desk.service

    @property
    def store(self) -> Store:
        return self.service.store

    @property
    def scans(self) -> Scans:
        return self.service.scans

    @property
    def plans(self) -> Plans:
        return self.service.plans

    @property
    def name(self) -> str:
        """Who acts, as it is written into histories."""
        if self.token:
            return tokens.actor_of(self.token.name)
        return self.person.person.name if self.person else ""

    @property
    def known(self) -> bool:
        return self.person is not None or self.token is not None

    def may(self, permission: Permission) -> bool:
        """Anywhere at all."""
        return self.rights.may(permission)

    def scope(self, permission: Permission) -> Scope:
        """Where: handed to everything that lists, counts or starts work."""
        return self.rights.scope(permission)

    @property
    def reading(self) -> Scope:
        return self.scope(Permission.READ)

    async def still_may(self, permission: Permission) -> bool:
        """Asked anew, for an answer that goes on for long: a grant may end meanwhile, and its scope may shrink."""
        now = await _rights(self.store, self.person, self.token)
        return now.scope(permission) == self.scope(permission)

    @property
    def query(self) -> QueryParams:
        return self.request.query_params

    @property
    def source(self) -> str:
        """The address that asks, for rate limits."""
        return source_of(self.request)

    @property
    def asker(self) -> Asker:
        """Who asks, as the list of sessions shows it."""
        return Asker(self.source, browsers.in_words(self.request.headers.get("user-agent", "")))

    async def form(self) -> QueryParams:
        """The posted fields; the frame limits their size."""
        return await posted(self.request)

    async def fields(self) -> dict[str, str]:
        """The posted fields, the last of each name."""
        return dict(await self.form())

    async def upload(self, name: str) -> bytes | None:
        """The file that was posted under this name, `None` where none was chosen."""
        if not _is_multipart(self.request):
            return None
        file = (await _multipart(self.request)).get(name)
        body = await file.read() if isinstance(file, UploadFile) else b""
        return body or None

    def page(self, context: object, status: int = 200) -> Response:
        response = draw(self.request, context, status, self)
        if self.fresh:
            self.keep(response, "form", self.csrf)
        return response

    def keep(self, response: Response, name: str, value: str, seconds: int | None = None) -> None:
        response.set_cookie(
            self.desk.cookie(name),
            value,
            max_age=seconds,
            path="/",
            secure=self.service.settings.secure_cookies,
            httponly=True,
            samesite="lax",
        )

    def sign_in(self, response: Response, token: SessionToken) -> Response:
        self.keep(response, "session", token.token.reveal())
        return response

    def forget(self, response: Response, name: str = "session") -> Response:
        secure = self.service.settings.secure_cookies
        response.delete_cookie(self.desk.cookie(name), path="/", secure=secure, httponly=True, samesite="lax")
        return response

    def kept(self, name: str) -> str:
        return self.request.cookies.get(self.desk.cookie(name), "")

    def session_token(self) -> str:
        return self.kept("session")


def source_of(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def see(target: str) -> Response:
    return RedirectResponse(target, SEE_OTHER)


async def posted(request: Request) -> QueryParams:
    if _is_multipart(request):
        form = await _multipart(request)
        return QueryParams([(name, value) for name, value in form.multi_items() if isinstance(value, str)])
    return QueryParams((await request.body()).decode("utf-8", "replace"))


def _is_multipart(request: Request) -> bool:
    return request.headers.get("content-type", "").lower().startswith("multipart/form-data")


async def _multipart(request: Request) -> FormData:
    """Read once and kept by the request, which closes its files."""
    return await request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS)


async def meet(request: Request) -> Visit:
    """Find out who is asking, and remember it for whoever draws an error page."""
    desk = cast("Desk", request.app.state.desk)
    store = desk.service.store
    if bearer := _bearer(request):
        machine = await tokens.check(store, bearer, source_of(request))
        rights = await _rights(store, None, machine)
        visit = Visit(request, desk, None, "", fresh=False, token=machine, rights=rights)
        request.state.visit = visit
        return visit
    token = request.cookies.get(desk.cookie("session"), "")
    person = await session(store, token) if token else None
    form_token = request.cookies.get(desk.cookie("form"), "")
    csrf = person.csrf if person else form_token or secrets.token_urlsafe(32)
    rights = await _rights(store, person, None)
    visit = Visit(request, desk, person, csrf, fresh=not person and not form_token, rights=rights)
    request.state.visit = visit
    return visit


async def _rights(store: Store, person: SignedIn | None, token: Token | None) -> Rights:
    if token:
        return await tokens.rights(store, token)
    return await grants.rights_of(store, person.person.id) if person else NOTHING


def _bearer(request: Request) -> str:
    """The token of a machine. Only the API takes one: a page has no use for it."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    return text.strip() if scheme.lower() == "bearer" and request.url.path.startswith("/api/") else ""


def the_visit(request: Request) -> Visit:
    return cast("Visit", request.state.visit)


Visited = Annotated[Visit, Depends(the_visit)]


def _may_here(visit: Visit, permission: Permission) -> bool:
    """At every site of what the address names, where it names something."""
    scope = visit.scope(permission)
    return not scope.nowhere and all(scope.covers(site) for site in getattr(visit.request.state, "sites", ()))


def draw(request: Request, context: object, status: int, visit: Visit | None) -> HTMLResponse:
    """The page of that context. Without a visit, as when the host name is wrong, the page has no forms."""
    template = environment().get_template(PAGES[type(context)])
    values = {field.name: getattr(context, field.name) for field in fields(cast("Frame", context))}
    return HTMLResponse(template.render(values, frame=_frame(request, visit)), status)


def _frame(request: Request, visit: Visit | None) -> Frame:
    path = request.url.path
    theme = request.cookies.get("theme", "system")
    person = visit.person.person if visit and visit.person else None
    return Frame(
        path=f"{path}?{request.url.query}" if request.url.query else path,
        section=path.split("/")[1],
        name=person.name if person else "",
        roles=tuple(role for role in Role if visit and role in visit.rights.roles),
        csrf=visit.csrf if visit else "",
        theme=theme if theme in THEMES else "system",
        may=frozenset(p for p in Permission if person and visit and _may_here(visit, p)),
        assets=assets.addresses(),
    )

"""The way in and out: set-up, sign-in, sign-out, theme and static files."""

from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from fleet.errors import FleetError, Invalid, SecondStepNeeded, SignInRefused, TooManyTries
from fleet.people import accounts as people
from fleet.signing_in import sessions
from fleet.signing_in import steps as signing_in
from web import assets
from web.access import safe_next
from web.contexts import SetUp, SignIn
from web.problems import STATUSES
from web.rendering import sentence
from web.visit import THEMES, Visit, Visited, see

A_YEAR_S = 365 * 24 * 3600


async def asset(request: Request, name: str) -> Response:
    try:
        body = assets.content(name)
    except KeyError:
        raise HTTPException(404) from None
    # The address holds a digest of the content, so a browser may keep it; without the digest it must ask again.
    fresh = str(request.url).endswith(assets.addresses()[name])
    kept = f"public, max-age={A_YEAR_S}, immutable" if fresh else "no-cache"
    return Response(body, media_type=assets.ASSETS[name], headers={"Cache-Control": kept})


async def set_up_form(visit: Visited) -> Response:
    if not await people.needs_setup(visit.store):
        return see("/sign-in")
    return visit.page(SetUp(token="", name="", mistake=""))


async def set_up(visit: Visited) -> Response:
    form = await visit.form()
    token, name, password = form.get("token", "").strip(), form.get("name", "").strip(), form.get("password", "")
    if password != form.get("again", ""):
        return visit.page(SetUp(token, name, "The two passwords differ."), 422)
    try:
        await people.create_first_administrator(visit.store, token, name, password)
    except Invalid as exc:
        return visit.page(SetUp(token, name, sentence(str(exc))), 422)
    return await _signed_in(visit, name, password, "/account/offer")


async def sign_in_form(visit: Visited) -> Response:
    target = safe_next(visit.query.get("next", "/"))
    if visit.person:
        return see(target)
    if await people.needs_setup(visit.store):
        return see("/set-up")
    return visit.page(_page(visit, "", "", target))


async def sign_in(visit: Visited) -> Response:
    form = await visit.form()
    name, target = form.get("name", "").strip(), safe_next(form.get("next", "/"))
    try:
        return await _signed_in(visit, name, form.get("password", ""), target)
    except (SignInRefused, TooManyTries) as exc:
        return refused(visit, _page(visit, name, sentence(str(exc)), target), exc)


async def _signed_in(visit: Visit, name: str, password: str, target: str) -> Response:
    """A session, or the step that comes before it: its token is good for that step only."""
    try:
        token = await signing_in.sign_in(visit.store, name, password, visit.asker)
    except SecondStepNeeded as exc:
        page = "/sign-in/enrol" if exc.enrol else "/sign-in/second"
        response = see(f"{page}?{urlencode({'next': target})}")
        visit.keep(response, "step", exc.token.reveal())
        return response
    return visit.sign_in(see(target), token)


def _page(visit: Visit, name: str, mistake: str, target: str) -> SignIn:
    settings = visit.service.settings
    return SignIn(name, mistake, target, settings.oidc_name if settings.oidc_issuer else "", settings.oidc_required)


def refused(visit: Visit, page: object, exc: FleetError) -> Response:
    """The same page again, with what its mistake says of it."""
    response = visit.page(page, next(STATUSES[kind] for kind in type(exc).mro() if kind in STATUSES))
    if isinstance(exc, TooManyTries):
        response.headers["Retry-After"] = str(exc.retry_after_s)
    return response


async def sign_out(visit: Visited) -> Response:
    await sessions.sign_out(visit.store, visit.session_token())
    return visit.forget(see("/sign-in"))


async def theme(visit: Visited) -> Response:
    """The cookie may be read by script, which sets it without a reload; it holds one of three words."""
    form = await visit.form()
    wanted = form.get("theme", "system")
    response = see(safe_next(form.get("next", "/")))
    if wanted in THEMES:
        secure = visit.service.settings.secure_cookies
        response.set_cookie("theme", wanted, max_age=A_YEAR_S, path="/", samesite="lax", secure=secure)
    return response

"""Single sign-on: to the provider, and back from it."""

from starlette.exceptions import HTTPException
from starlette.responses import Response

from fleet.errors import BeginAgain, FleetError, ProviderUnavailable, SignInRefused
from fleet.signing_in.single_sign_on import Answered, SingleSignOnDesk
from web.access import safe_next
from web.contexts import SignIn
from web.handlers.door import refused
from web.rendering import sentence
from web.visit import Visit, Visited, see

COOKIE = "sso"
BACK = "/sign-in/sso/back"


async def begin(visit: Visited) -> Response:
    return await _sent(visit, again=False)


async def prove(visit: Visited) -> Response:
    """As a proof of who is signed in, where the provider is all that they have."""
    return await _sent(visit, again=True)


async def _sent(visit: Visit, *, again: bool) -> Response:
    desk, target = _desk(visit), safe_next(visit.query.get("next", "/"))
    try:
        begun = await desk.begin(_redirect(visit), target, visit.person if again else None)
    except ProviderUnavailable as exc:
        return _refused(visit, exc)
    response = see(begun.address)
    visit.keep(response, COOKIE, begun.token.reveal())
    return response


async def back(visit: Visited) -> Response:
    query = visit.query
    answered = Answered(query.get("code", ""), query.get("state", ""), query.get("error", ""), visit.kept(COOKIE))
    try:
        token, target = await _desk(visit).finish(answered, visit.asker, visit.person)
    except (SignInRefused, ProviderUnavailable, BeginAgain) as exc:
        return visit.forget(_refused(visit, exc), COOKIE)
    return visit.forget(visit.sign_in(see(safe_next(target)), token), COOKIE)


def _desk(visit: Visit) -> SingleSignOnDesk:
    if visit.service.single_sign_on is None:
        raise HTTPException(404, "No identity provider is set up here.")
    return visit.service.single_sign_on


def _redirect(visit: Visit) -> str:
    """What the provider must know as ours: this very console, by the name that it was reached by."""
    secure = visit.service.settings.secure_cookies or visit.request.url.scheme == "https"
    return f"{'https' if secure else 'http'}://{visit.request.headers.get('host', '')}{BACK}"


def _refused(visit: Visit, exc: FleetError) -> Response:
    settings = visit.service.settings
    page = SignIn("", sentence(str(exc)), "/", settings.oidc_name, settings.oidc_required)
    return refused(visit, page, exc)

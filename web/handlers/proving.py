"""Once more: who are you? Asked before what is dangerous, and for ten minutes not again."""

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.responses import Response

from fleet.errors import BeginAgain, SignInRefused, TooManyTries
from fleet.signing_in import steps as signing_in
from fleet.signing_in.second_factors import enrolled
from fleet.signing_in.sessions import SignedIn
from fleet.signing_in.single_sign_on import comes_by_provider
from web.access import safe_next
from web.account_contexts import Prove
from web.factor_forms import key_host, shown
from web.handlers.door import refused
from web.rendering import sentence
from web.visit import Visit, Visited, see


async def show(visit: Visited) -> Response:
    return visit.page(await _page(visit, "", visit.query))


async def prove(visit: Visited) -> Response:
    """Back to the form that they wanted to send: they press its button again."""
    own, form = _own(visit), await visit.form()
    try:
        if form.get("password"):
            token = await signing_in.prove_password(visit.store, own, form.get("password", ""), visit.asker)
        else:
            token = await signing_in.prove_factor(visit.store, own, shown(visit, form), visit.asker)
    except (SignInRefused, TooManyTries, BeginAgain) as exc:
        return refused(visit, await _page(visit, sentence(str(exc)), form), exc)
    return visit.sign_in(see(safe_next(form.get("next", "/"))), token)


async def _page(visit: Visit, mistake: str, given: QueryParams) -> Prove:
    person, settings = _own(visit).person, visit.service.settings
    return Prove(
        await signing_in.has_password(visit.store, person),
        await enrolled.factors(visit.store, person.id),
        await signing_in.ask_for_key(visit.store, person, key_host(visit)),
        settings.oidc_name if visit.service.single_sign_on and await comes_by_provider(visit.store, person) else "",
        mistake,
        safe_next(given.get("next", "/")),
    )


def _own(visit: Visit) -> SignedIn:
    if visit.person is None:
        raise HTTPException(403)
    return visit.person

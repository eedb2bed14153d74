"""One's own account: how one signs in, and where one is signed in."""

from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.responses import Response

from cameras.secret import Secret
from fleet.errors import BeginAgain, CodeRefused, Invalid, SignInRefused, TooManyTries
from fleet.signing_in import sessions
from fleet.signing_in import steps as signing_in
from fleet.signing_in.second_factors import enrolled
from fleet.signing_in.sessions import SignedIn
from web import leading
from web.account_contexts import Account, NewApp, NewKey, RecoveryCodes
from web.factor_forms import drawn_app, key_answer, key_host
from web.handlers.door import refused
from web.rendering import sentence
from web.visit import Visit, Visited, see

HERE = "/account"


def own(visit: Visit) -> SignedIn:
    """A machine has no account of this kind."""
    if visit.person is None:
        raise HTTPException(403)
    return visit.person


async def show(visit: Visited) -> Response:
    return visit.page(await _page(visit, ""))


async def _page(visit: Visit, mistake: str) -> Account:
    mine = own(visit)
    return Account(
        await enrolled.factors(visit.store, mine.person.id),
        await sessions.sessions_of(visit.store, mine.person.id),
        mine.id,
        key_host(visit) is not None,
        await signing_in.has_password(visit.store, mine.person),
        mistake,
    )


# --- sessions and password --------------------------------------------------------------------------------------------


async def end_session(visit: Visited, session: str) -> Response:
    mine = own(visit)
    await sessions.end(visit.store, mine.person, session, visit.name)
    return see(HERE)


async def end_others(visit: Visited) -> Response:
    mine = own(visit)
    await sessions.end_all(visit.store, mine.person, visit.name, but=mine.id)
    return see(HERE)


async def change_password(visit: Visited) -> Response:
    """The present one is asked for, whatever was shown before; every session ends, and this one begins anew."""
    mine, form = own(visit), await visit.form()
    new = form.get("new", "")
    if new != form.get("again", ""):
        return visit.page(await _page(visit, "The two new passwords differ."), 422)
    try:
        token = await signing_in.change_password(visit.store, mine, form.get("present", ""), new, visit.asker)
    except (Invalid, SignInRefused, TooManyTries) as exc:
        return refused(visit, await _page(visit, sentence(str(exc))), exc)
    return visit.sign_in(see(HERE), token)


# --- factors ----------------------------------------------------------------------------------------------------------


async def new_app(visit: Visited) -> Response:
    """A secret is drawn; it counts once its first code is right."""
    await enrolled.propose_app(visit.store, own(visit).person)
    return see(f"{HERE}/app")


async def show_app(visit: Visited) -> Response:
    return await _app_page(visit, None)


async def _app_page(visit: Visit, exc: CodeRefused | None) -> Response:
    person = own(visit).person
    secret = await enrolled.proposed_app(visit.store, person)
    if secret is None:
        return see(HERE)
    page = NewApp(await drawn_app(secret, person.name), sentence(str(exc)) if exc else "")
    return refused(visit, page, exc) if exc else visit.page(page)


async def add_app(visit: Visited) -> Response:
    form = await visit.form()
    try:
        codes = await signing_in.add_app(visit.store, own(visit), form.get("code", ""))
    except CodeRefused as exc:
        return await _app_page(visit, exc)
    return await _codes(visit, codes)


async def remove_app(visit: Visited) -> Response:
    await enrolled.remove_app(visit.store, own(visit).person)
    return see(HERE)


async def new_key(visit: Visited) -> Response:
    return visit.page(await _key_page(visit, ""))


async def _key_page(visit: Visit, mistake: str) -> NewKey:
    host, person = key_host(visit), own(visit).person
    return NewKey(await enrolled.ask_for_new_key(visit.store, person, host) if host else None, mistake)


async def add_key(visit: Visited) -> Response:
    form = await visit.form()
    try:
        answer = key_answer(visit, form)
        codes = await signing_in.add_key(visit.store, own(visit), form.get("name", ""), answer)
    except (Invalid, BeginAgain) as exc:
        return refused(visit, await _key_page(visit, sentence(str(exc))), exc)
    return await _codes(visit, codes)


async def remove_key(visit: Visited, key: str) -> Response:
    await enrolled.remove_key(visit.store, own(visit).person, key)
    return see(HERE)


async def renew_codes(visit: Visited) -> Response:
    try:
        codes = await enrolled.renew_codes(visit.store, own(visit).person)
    except Invalid as exc:
        return refused(visit, await _page(visit, sentence(str(exc))), exc)
    return await _codes(visit, codes)


async def _codes(visit: Visit, codes: Sequence[Secret]) -> Response:
    """The only answer that shows them. Whoever has some already gets none anew."""
    back = leading.HERE if await leading.offered(visit) else HERE
    return visit.page(RecoveryCodes(tuple(code.reveal() for code in codes), back)) if codes else see(back)

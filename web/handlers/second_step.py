"""Between the password and the session: a second factor is shown, or set up where there must be one."""

from collections.abc import Sequence

from starlette.datastructures import QueryParams
from starlette.responses import Response

from cameras.secret import Secret
from fleet.errors import BeginAgain, CodeRefused, Invalid, TooManyTries
from fleet.people.accounts import Person
from fleet.signing_in import steps as signing_in
from fleet.signing_in.pending import Purpose
from fleet.signing_in.second_factors import enrolled
from fleet.signing_in.sessions import SessionToken
from web.access import safe_next
from web.account_contexts import Enrol, RecoveryCodes, SecondStep
from web.factor_forms import drawn_app, key_answer, key_host, shown
from web.handlers.door import refused
from web.rendering import sentence
from web.visit import Visit, Visited, see

STEP = "step"


async def show(visit: Visited) -> Response:
    try:
        person = await signing_in.person_between(visit.store, visit.kept(STEP), Purpose.SECOND_STEP)
    except BeginAgain:
        return _again(visit)
    return visit.page(await _page(visit, person, "", visit.query))


async def take(visit: Visited) -> Response:
    form, step = await visit.form(), visit.kept(STEP)
    try:
        person = await signing_in.person_between(visit.store, step, Purpose.SECOND_STEP)
        token = await signing_in.second_step(visit.store, step, shown(visit, form), visit.asker)
    except (CodeRefused, TooManyTries) as exc:
        return refused(visit, await _page(visit, person, sentence(str(exc)), form), exc)
    except BeginAgain:
        return _again(visit)
    return visit.forget(visit.sign_in(see(safe_next(form.get("next", "/"))), token), STEP)


async def _page(visit: Visit, person: Person, mistake: str, given: QueryParams) -> SecondStep:
    ceremony = await signing_in.ask_for_key(visit.store, person, key_host(visit))
    factors = await enrolled.factors(visit.store, person.id)
    return SecondStep(factors, ceremony, mistake, safe_next(given.get("next", "/")))


# --- who must have a factor and has none ------------------------------------------------------------------------------


async def show_enrol(visit: Visited) -> Response:
    try:
        person = await signing_in.person_between(visit.store, visit.kept(STEP), Purpose.ENROL)
    except BeginAgain:
        return _again(visit)
    return visit.page(await _enrol_page(visit, person, "", visit.query))


async def enrol(visit: Visited) -> Response:
    """By a code of the app or by a key; then the recovery codes are shown, the only time, and the session begins."""
    form, step = await visit.form(), visit.kept(STEP)
    try:
        person = await signing_in.person_between(visit.store, step, Purpose.ENROL)
        if form.get("credential"):
            answer = key_answer(visit, form)
            token, codes = await signing_in.enrol_key(visit.store, step, form.get("name", ""), answer, visit.asker)
        else:
            token, codes = await signing_in.enrol_app(visit.store, step, form.get("code", ""), visit.asker)
    except (CodeRefused, Invalid) as exc:
        return refused(visit, await _enrol_page(visit, person, sentence(str(exc)), form), exc)
    except BeginAgain:
        return _again(visit)
    return _with_codes(visit, token, codes, safe_next(form.get("next", "/")))


def _with_codes(visit: Visit, token: SessionToken, codes: Sequence[Secret], target: str) -> Response:
    response = visit.page(RecoveryCodes(tuple(code.reveal() for code in codes), target))
    return visit.forget(visit.sign_in(response, token), STEP)


async def _enrol_page(visit: Visit, person: Person, mistake: str, given: QueryParams) -> Enrol:
    secret = await enrolled.proposed_app(visit.store, person)
    if secret is None:
        raise BeginAgain
    host = key_host(visit)
    ceremony = await enrolled.ask_for_new_key(visit.store, person, host) if host else None
    app = await drawn_app(secret, person.name)
    return Enrol(app, ceremony, mistake, safe_next(given.get("next", "/")))


def _again(visit: Visit) -> Response:
    return visit.forget(see("/sign-in"), STEP)

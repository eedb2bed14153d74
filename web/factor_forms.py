"""What a form says of a second factor, and under which name of the console a security key is asked."""

import asyncio

from starlette.datastructures import QueryParams

from cameras.secret import Secret
from fleet.signing_in.second_factors.enrolled import Shown
from fleet.signing_in.second_factors.security_keys import Answer, host_for_keys
from fleet.signing_in.second_factors.totp import address_of
from web import qr
from web.account_contexts import App
from web.frame import host_name
from web.visit import Visit

_INSECURE = frozenset({"localhost"})


def key_host(visit: Visit) -> str | None:
    """The name that keys are bound to; `None` where people reach the console by an address, for which none are made."""
    return host_for_keys(host_name(visit.request.headers.get("host", "")))


def shown(visit: Visit, form: QueryParams) -> Shown:
    if form.get("credential"):
        return Shown(key=key_answer(visit, form))
    return Shown(code=form.get("code", "").strip())


def key_answer(visit: Visit, form: QueryParams) -> Answer:
    """Browsers let keys be used on https only, and on this machine itself; a proxy may have taken TLS off before us."""
    authority = visit.request.headers.get("host", "").lower()
    host = key_host(visit) or ""
    schemes = ("https", "http") if host in _INSECURE else ("https",)
    origins = tuple(f"{scheme}://{authority}" for scheme in schemes)
    return Answer(form.get("credential", ""), form.get("ceremony", ""), host, origins)


async def drawn_app(secret: Secret, name: str) -> App:
    """A secret as a person takes it over: by a picture, by a link on the phone itself, or by hand."""
    text, address = secret.reveal(), address_of(secret, name).reveal()
    size, path = await asyncio.to_thread(qr.drawn, address)
    return App(tuple(text[at : at + 4] for at in range(0, len(text), 4)), address, size, path)

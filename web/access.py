"""The proof that a request was meant."""

import hmac
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request

CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def check_origin(request: Request) -> None:
    """Refuse a changing request that another site caused.

    Browsers leave Sec-Fetch-Site out on plain HTTP to anything but localhost, and say "Origin: null" for some forms (of
    a file, after a redirect): both then say nothing, and the token of the form decides alone.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin", "null")
    foreign = (
        site not in {"same-origin", "none"}
        if site is not None
        else origin != "null" and origin.partition("://")[2] != request.headers.get("host")
    )
    if foreign:
        raise HTTPException(HTTPStatus.FORBIDDEN, "The request came from another site, so nothing was changed.")


def check_token(given: str, expected: str) -> None:
    if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
        raise HTTPException(
            HTTPStatus.FORBIDDEN,
            "The form has expired or is not from this console, so nothing was changed. Go back, reload, try again. "
            "If that does not help, the browser keeps no cookie here: open the console by HTTPS.",
        )


async def need_json(request: Request) -> None:
    """What takes a body takes JSON, and is told so: nothing is guessed from what it looks like."""
    takes_one = getattr(request.scope["route"], "body_field", None) is not None
    if not takes_one or _says_json(request.headers.get("content-type", "")) or not await request.body():
        return
    raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, 'Send JSON, with "Content-Type: application/json".')


def _says_json(kind: str) -> bool:
    main, _, sub = kind.partition(";")[0].strip().lower().partition("/")
    return main == "application" and (sub == "json" or sub.endswith("+json"))


def safe_next(target: str) -> str:
    """A path on this console, or "/" for anything that could lead elsewhere."""
    plain = target.isascii() and target.isprintable() and "\\" not in target
    return target if plain and target.startswith("/") and not target.startswith("//") else "/"

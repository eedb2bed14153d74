"""Who may do what, and the proof that a request was meant."""

import hmac
from enum import StrEnum
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request

CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Permission(StrEnum):
    """What a route asks of its visitor, said aloud in every row.

    `public` is the same for everybody, so nobody is asked who they are; `anyone` may come in but is recognised.
    """

    PUBLIC = "public"
    ANYONE = "anyone"
    READ = "read"
    TRIAGE = "triage"
    SCAN = "scan"
    PLAN = "plan"
    CHANGE = "change"
    COMMISSION = "commission"
    ADMINISTER = "administer"


_OPERATES = frozenset(
    {
        *(Permission.READ, Permission.TRIAGE, Permission.SCAN),
        *(Permission.PLAN, Permission.CHANGE, Permission.COMMISSION),
    }
)
PERMISSIONS = {
    "viewer": frozenset({Permission.READ}),
    "operator": _OPERATES,
    "administrator": _OPERATES | {Permission.ADMINISTER},
}


def may(role: str, permission: Permission) -> bool:
    """An unknown role may nothing."""
    return permission in PERMISSIONS.get(role, frozenset())


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


def safe_next(target: str) -> str:
    """A path on this console, or "/" for anything that could lead elsewhere."""
    plain = target.isascii() and target.isprintable() and "\\" not in target
    return target if plain and target.startswith("/") and not target.startswith("//") else "/"

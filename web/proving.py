"""Before something dangerous: has this person shown within ten minutes who they are? Machines are not asked."""

from urllib.parse import urlencode, urlsplit

from fleet.signing_in.sessions import recently_proved
from web.access import CHANGING, safe_next
from web.problems import ProofNeeded
from web.visit import Visit


def has_proved(visit: Visit) -> bool:
    """True of a token, which has nothing to prove with but itself."""
    return visit.person is None or recently_proved(visit.person, visit.store.now())


def prove_first(visit: Visit) -> None:
    """Raises ProofNeeded, which leads to the question and from there back to the form; nothing is sent by itself."""
    if not has_proved(visit):
        raise ProofNeeded("/prove?" + urlencode({"next": _form_of(visit)}))


def prove_first_for(visit: Visit, cameras: int) -> None:
    """As `prove_first`, for an order to more cameras than the settings let pass."""
    if cameras > visit.service.settings.proof_above_cameras:
        prove_first(visit)


def _form_of(visit: Visit) -> str:
    """The page that holds the form: where the request came from, or the page itself that was asked for."""
    request = visit.request
    if request.method not in CHANGING:
        return safe_next(request.url.path + (f"?{request.url.query}" if request.url.query else ""))
    try:
        came_from = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return "/"
    if came_from.netloc != request.headers.get("host"):
        return "/"
    return safe_next(came_from.path + (f"?{came_from.query}" if came_from.query else ""))

"""No entry in the audit trail, no change: written before the handler of a changing route runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request

from fleet.audit.trail import Action, Entry, Origin, on_behalf, record_first
from fleet.store.ids import new_id
from web.visit import Visit

# Names of placeholders in paths that stand for an object with a history of its own.
OBJECTS = frozenset(
    {"camera", "commissioning", "finding", "job", "plan", "rollout", "rotation", "scan", "schedule", "token", "watch"}
)


@contextmanager
def acting_for(request: Request) -> Iterator[None]:
    """What is recorded while the request is answered names who asked, from where, and which request it was."""
    visit: Visit | None = getattr(request.state, "visit", None)
    with on_behalf(Origin(visit.name, visit.source, request_id(request)) if visit else Origin("")):
        yield


async def write_down(request: Request, visit: Visit, action: Action, path: str) -> None:
    """What was asked for. What then came of it the fleet records, in the transaction of the change.

    A stranger leaves no entry here, or anybody could fill the trail: the fleet records set-up and every sign-in, behind
    its limiter. Raises StoreUnavailable, VaultUnavailable.
    """
    if not visit.known:
        return
    ids = {name: str(value) for name, value in request.path_params.items()}
    about = next((f"{name}:{ids[name]}" for name in reversed(ids) if name in OBJECTS), "")
    said = {"asked": f"{request.method} {path}", **ids}
    entry = Entry(visit.name, action, about, said, visit.source, request_id(request))
    await record_first(visit.store, entry)


def request_id(request: Request) -> str:
    """One for all that is recorded of a request."""
    if not hasattr(request.state, "request_id"):
        request.state.request_id = new_id()
    return str(request.state.request_id)

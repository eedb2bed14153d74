"""Who waits while the database is gone: work in the background. Whoever looks at a page is told of it at once."""

from contextvars import ContextVar

RETRY_S = 1.0
_OUTLASTS: ContextVar[bool] = ContextVar("camwarden_outlasts", default=False)


def outlast_outages() -> None:
    """From now on this task, and every task it starts, waits where a transaction cannot begin for want of a database.

    A transaction that is cut off half-way still raises StoreUnavailable: nothing of it is kept.
    """
    _OUTLASTS.set(True)


def outlasts() -> bool:
    return _OUTLASTS.get()

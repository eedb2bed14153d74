"""Long lists in pieces: a statement holds 32,766 values in SQLite and 65,535 in PostgreSQL; an estate may hold more."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
MOST_AT_ONCE = 5000


def parts(items: Iterable[Item]) -> Iterator[list[Item]]:
    pending = iter(items)
    while part := list(islice(pending, MOST_AT_ONCE)):
        yield part

"""Long lists in pieces."""

import pytest

from fleet.store.parts import MOST_AT_ONCE, parts


@pytest.mark.parametrize("number", [0, 1, MOST_AT_ONCE, MOST_AT_ONCE + 1, 3 * MOST_AT_ONCE])
def test_every_item_is_in_one_piece_and_none_is_too_long(number: int) -> None:
    pieces = list(parts(range(number)))
    assert [item for piece in pieces for item in piece] == list(range(number))
    assert all(0 < len(piece) <= MOST_AT_ONCE for piece in pieces)

"""Every driver keeps the contract, and the documents say of each what it can and cannot."""

import pytest

from tests.cameras.contract import CAPABILITIES, DOCUMENT, cell, documented, table
from tests.cameras.meeting import FAMILIES


@pytest.mark.parametrize("name", CAPABILITIES)
@pytest.mark.parametrize("family", FAMILIES)
async def test_a_driver_does_what_the_document_says(family: str, name: str) -> None:
    assert await cell(family, name) == documented()[family, name]


def test_the_document_is_the_one_that_the_contract_writes() -> None:
    assert DOCUMENT.read_text("utf-8") == table(documented()), "run python -m tests.cameras.contract"

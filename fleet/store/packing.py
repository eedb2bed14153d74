"""Evidence on its way into a row: cut to size, then small. What a camera says may be 100 kB of one word."""

import json
import zlib
from collections.abc import Mapping
from typing import Any

from cameras.untrusted import clean_text

MOST_CHARACTERS = 2000
MOST_ENTRIES = 500
MOST_DEPTH = 12
_WORTH_PACKING_BYTES = 2048


def cut(value: object, depth: int = MOST_DEPTH) -> Any:  # noqa: ANN401 - JSON
    """The same as plain JSON values, with every text cleaned and every text, list and mapping cut to a sane size."""
    if isinstance(value, str):
        return clean_text(value, MOST_CHARACTERS)
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth == 0:
        return "…"
    if isinstance(value, Mapping):
        pairs = list(value.items())[:MOST_ENTRIES]
        return {clean_text(str(key)): cut(item, depth - 1) for key, item in pairs}
    if isinstance(value, list | tuple | set | frozenset):
        return [cut(item, depth - 1) for item in list(value)[:MOST_ENTRIES]]
    return clean_text(str(value), MOST_CHARACTERS)


def pack(value: object) -> bytes:
    """As JSON, compressed where that is worth it. A zlib stream starts with 0x78, a JSON object with 0x7b."""
    plain = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    return zlib.compress(plain) if len(plain) > _WORTH_PACKING_BYTES else plain


def unpack(body: bytes) -> Any:  # noqa: ANN401 - JSON
    return json.loads(body if body.startswith(b"{") else zlib.decompress(body))

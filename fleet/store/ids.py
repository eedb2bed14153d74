"""Primary keys that we make ourselves: UUID version 7 (RFC 9562), so that text order is order of making."""

import secrets
import threading
import time
import uuid

_COUNTER_BITS = 12
_TAIL_BITS = 62
_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """Sorts after every id that this process made before, also within one millisecond and when the clock steps back."""
    global _last  # noqa: PLW0603 - the one place that must remember
    with _lock:
        _last = max(time.time_ns() // 1_000_000 << _COUNTER_BITS, _last + 1)
        moment, counter = _last >> _COUNTER_BITS, _last & ((1 << _COUNTER_BITS) - 1)
    value = moment << 80 | 0x7 << 76 | counter << 64 | 0b10 << _TAIL_BITS | secrets.randbits(_TAIL_BITS)
    return str(uuid.UUID(int=value))

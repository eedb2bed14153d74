"""The chain of the audit trail: what is taken over a row, and with which key. Pure.

Each row carries the mac of the one before, so a row that was edited, taken out, put in or moved breaks the chain there.
What was cut off at its end shows only beside a checkpoint (`fleet.audit.checkpoints`).
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fleet.store.packing import cut

FIRST_PREVIOUS = "0" * 64
_FORM = "camwarden/audit/1"
_ID_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the trail, as it is stored."""

    seq: int
    id: str
    at: datetime
    actor: str
    action: str
    about: str
    detail: str
    source: str
    request: str
    key_id: str
    previous: str
    mac: str

    @property
    def said(self) -> Mapping[str, Any]:
        """The detail, for reading. What was edited to be no JSON is empty here, and found by the check."""
        try:
            said = json.loads(self.detail)
        except (ValueError, RecursionError):
            return {}
        return said if isinstance(said, dict) else {}


@dataclass(frozen=True, slots=True)
class ChainKey:
    """`id` names it in each row, and tells nothing of it."""

    _key: bytes = field(repr=False)

    @property
    def id(self) -> str:
        return hashlib.sha256(b"camwarden audit key\0" + self._key).hexdigest()[:_ID_CHARACTERS]

    @property
    def raw(self) -> bytes:
        """To be wrapped under another master key, and for nothing else."""
        return self._key

    def mac(self, row: Mapping[str, Any]) -> str:
        return hmac.new(self._key, _written(row), hashlib.sha256).hexdigest()

    def fits(self, row: Row) -> bool:
        return hmac.compare_digest(self.mac(fields_of(row)), row.mac)


def fields_of(row: Row) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Row.__slots__}


def moment(at: datetime) -> str:
    """One way of writing it, whatever the zone it was given in."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def canonical(detail: Mapping[str, Any]) -> str:
    """Cleaned, cut to size, and always the same text for the same mapping."""
    return json.dumps(cut(detail), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _written(row: Mapping[str, Any]) -> bytes:
    """Lengths come first: no two rows give the same bytes."""
    names = ("id", "actor", "action", "about", "detail", "source", "request", "key_id", "previous")
    parts = [_FORM, str(row["seq"]), moment(row["at"]), *(str(row[name]) for name in names)]
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)

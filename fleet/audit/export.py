"""The audit trail as a file that proves itself: JSON lines, each with a digest over all before it, the last signed.

    {"format": "camwarden/audit-export/1"} ⏎  one entry per line ⏎  {"checkpoint": …}

The macs cannot be checked without the key of the vault, which does not leave the house. The running digests can, and
the signature over the last of them: whoever edits a line is found at it, and whoever writes all anew by the signature.
"""

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, TextIO

from fleet.audit.chain import FIRST_PREVIOUS, Row, fields_of, moment
from fleet.audit.check import Checked, Fault
from fleet.audit.checkpoints import Checkpoint, head, our_key, parse, sign
from fleet.audit.views import trail
from fleet.errors import Invalid
from fleet.settings import Settings
from fleet.store import Store

FORMAT = "camwarden/audit-export/1"
_MOST_LINE = 16 * 1024 * 1024


async def lines(store: Store, settings: Settings) -> AsyncIterator[str]:
    """Up to what is newest now; some thousand lines at a time. Raises Invalid where there is nothing."""
    key = await asyncio.to_thread(our_key, settings)
    newest = await head(store)
    if newest is None:
        raise Invalid("nothing was ever written down")
    yield as_line({"format": FORMAT})
    running = ""
    async for rows in trail(store, to=newest[0]):
        text, running = await asyncio.to_thread(_written, rows, running)
        yield text
    last: Checkpoint = sign(key, *newest, store.now(), running)
    yield as_line({"checkpoint": json.loads(last.line())})


async def export(store: Store, settings: Settings, out: Path) -> int:
    """To a new file, for its owner only; how many entries. Raises Invalid."""
    count = 0
    try:
        file = await asyncio.to_thread(_new, out)
    except OSError as error:
        raise Invalid(f"{out} cannot be written: {error.strerror}") from None
    try:
        async for text in lines(store, settings):
            await asyncio.to_thread(file.write, text)
            count += text.count("\n")
        await asyncio.to_thread(_finish, file)
    except BaseException:
        await asyncio.to_thread(out.unlink, missing_ok=True)
        raise
    finally:
        await asyncio.to_thread(file.close)
    return count - 2


def verify(path: Path, expected: str | None = None) -> tuple[Checked, Checkpoint]:
    """By itself, line by line. `expected` is the fingerprint that its maker told by another way. Blocks.

    Raises Invalid where it is no export, or its signature is not to be trusted.
    """
    seq, mac, running, signed = 0, FIRST_PREVIOUS, "", None
    for line in _lines(path):
        if signed is not None:
            raise Invalid("something follows on the signature")
        said = _read(line)
        if "checkpoint" in said:
            signed = parse(json.dumps(said["checkpoint"]))
            continue
        fault, running = _follow(said, seq, mac, running)
        if fault:
            return Checked(seq, 0, 0, fault), _none()
        seq, mac = said["seq"], said["mac"]
    if signed is None:
        raise Invalid(f"the end is missing: after entry {seq} it is cut off, with the signature")
    signed.check(frozenset({expected.strip().lower() if expected else signed.fingerprint}))
    fault = None
    if (signed.seq, signed.mac) != (seq, mac):
        fault = Fault(seq + 1, f"entries up to {signed.seq} were signed: the end was cut off, or written anew")
    elif signed.running != running:
        fault = Fault(seq, "up to here it is not what was signed: it was written anew")
    return Checked(seq, 1, 0, fault), signed


def _follow(said: dict[str, Any], seq: int, mac: str, running: str) -> tuple[Fault | None, str]:
    told = said.pop("running", None)
    after = running_digest(running, said)
    if said.get("seq") != seq + 1:
        return Fault(seq + 1, "it is missing: taken out, put in, or moved"), after
    if told != after:
        return Fault(seq + 1, "it is not as it was exported: edited, moved, or put in"), after
    if said.get("previous") != mac:
        return Fault(seq + 1, "it does not follow on the entry before"), after
    return None, after


def _none() -> Checkpoint:
    return Checkpoint(0, "", "", "", "", "")


def _written(rows: tuple[Row, ...], running: str) -> tuple[str, str]:
    written = []
    for row in rows:
        said = {**fields_of(row), "at": moment(row.at)}
        running = running_digest(running, said)
        written.append(as_line({**said, "running": running}))
    return "".join(written), running


def running_digest(before: str, said: dict[str, Any]) -> str:
    """Over a line without its own digest, and all before it."""
    return hashlib.sha256(f"{before}\n{as_line(said)}".encode()).hexdigest()


def as_line(said: dict[str, Any]) -> str:
    return json.dumps(said, sort_keys=True, separators=(",", ":")) + "\n"


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8", errors="strict") as file:
            first = _read(file.readline(_MOST_LINE))
            if first != {"format": FORMAT}:
                raise Invalid(f"{path} is no export of an audit trail ({FORMAT})")
            while line := file.readline(_MOST_LINE):
                yield line
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Invalid(f"{path} is no export of an audit trail: it holds bytes that are no text") from None


def _read(line: str) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        raise Invalid("a line is no JSON: it was cut off, or edited") from None
    if not isinstance(said, dict):
        raise Invalid("a line is no entry")
    return said


def _new(out: Path) -> TextIO:
    return os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w", encoding="utf-8")


def _finish(file: TextIO) -> None:
    file.flush()
    os.fsync(file.fileno())

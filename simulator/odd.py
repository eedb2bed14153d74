"""Answers no client expects: sent in place of one operation's reply, whole HTTP responses."""

import gzip
from collections.abc import Callable
from functools import cache
from itertools import pairwise

from simulator.http import Reply, response

SOAP = b"application/soap+xml; charset=utf-8"
HTML = b"<html><head><title>Camera</title></head><body>Please wait, the service is starting.</body></html>"
HUGE_BYTES = 32 * 1024 * 1024
BOMB_BYTES = 256 * 1024 * 1024


def _html(_good: bytes) -> Reply:
    return Reply(response(200, HTML))


def _empty(_good: bytes) -> Reply:
    """What a server that knows no such operation was seen to do."""
    return Reply(response(200, b"", SOAP))


def _truncated(good: bytes) -> Reply:
    """Announces all, sends half, hangs up."""
    whole = response(200, good, SOAP)
    return Reply(whole[: len(whole) - len(good) // 2], close=True)


def _gzip_bomb(_good: bytes) -> Reply:
    return Reply(response(200, _bomb(), SOAP, b"Content-Encoding: gzip\r\n"))


def _huge(good: bytes) -> Reply:
    """A good answer with far too much white space before its end."""
    before, end, after = good.rpartition(b"</")
    return Reply(response(200, b"".join((before, b" " * HUGE_BYTES, end, after)), SOAP), close=True)


def _entity_bomb(good: bytes) -> Reply:
    """Ten entities, each ten times the one before."""
    names = "abcdefghij"
    entities = ['<!ENTITY a "camera">'] + [
        f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in pairwise(names)
    ]
    declaration, _, rest = good.partition(b"?>")
    body = rest.replace(b"Body>", b"Body><x>&j;</x>", 1)
    doctype = f"<!DOCTYPE bomb [{''.join(entities)}]>".encode()
    return Reply(response(200, b"".join((declaration, b"?>", doctype, body)), SOAP))


@cache
def _bomb() -> bytes:
    chunk = gzip.compress(b" " * (1024 * 1024))
    return chunk * (BOMB_BYTES // (1024 * 1024))  # gzip members may follow each other


ODD: dict[str, Callable[[bytes], Reply]] = {
    "html": _html,
    "empty": _empty,
    "truncated": _truncated,
    "gzip-bomb": _gzip_bomb,
    "huge": _huge,
    "entity-bomb": _entity_bomb,
}

"""Code in the event loop never waits: a camera that is slow must not stop all the others.

Known ways to wait are refused where a loop runs in the same thread. Nothing is timed, so a loaded machine raises no
false alarm.
"""

import asyncio
import functools
import inspect
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import argon2
import pytest

from tests.frame.offences import RECORD

MAIN = threading.main_thread().ident


class _Current:
    """Whether the running test is a coroutine.

    The main thread counts only then: Playwright's blocking interface leaves its own loop marked as running there.
    """

    is_async = False


def _refuse(what: str) -> None:
    if asyncio._get_running_loop() is None:  # noqa: SLF001 - get_running_loop raises instead of answering
        return
    if _Current.is_async or threading.get_ident() != MAIN:
        raise RECORD.refuse(f"{what} inside the event loop: await it, or use asyncio.to_thread")


def _connect(sock: socket.socket, _address: object) -> None:
    if sock.type == socket.SOCK_STREAM and sock.gettimeout() != 0:
        _refuse("a blocking connect")


def _look_up(host: object, *_: object) -> None:
    if isinstance(host, str) and not _is_number(host):
        _refuse(f"a blocking look-up of {host!r}")


def _is_number(host: str) -> bool:
    return host.replace(".", "").isdigit() or ":" in host or not host


def _open(path: object, *_: object) -> None:
    """Regular files are quick enough; a pipe waits for its other end."""
    if not isinstance(path, str | bytes | os.PathLike) or asyncio._get_running_loop() is None:  # noqa: SLF001 - as above
        return
    try:
        waits = Path(os.fsdecode(path)).is_fifo()
    except OSError:
        return
    if waits:
        _refuse("opening a named pipe")


WATCHED: Mapping[str, Callable[..., None]] = {
    "socket.connect": _connect,
    "socket.getaddrinfo": _look_up,
    "socket.gethostbyname": _look_up,
    "open": _open,
    "os.system": lambda *_: _refuse("os.system"),
    "sqlite3.connect": lambda *_: _refuse("sqlite3.connect"),
}


def _hook(event: str, arguments: tuple[Any, ...], watched: Mapping[str, Callable[..., None]] = WATCHED) -> None:
    if watcher := watched.get(event):
        watcher(*arguments)


sys.addaudithook(_hook)

# These wait without an audit event of their own.
WRAPPED = (
    (time, "sleep"),
    (subprocess.Popen, "wait"),
    (subprocess.Popen, "communicate"),
    (argon2.PasswordHasher, "hash"),
    (argon2.PasswordHasher, "verify"),
)


def _refusing(owner: type | ModuleType, name: str) -> Callable[..., Any]:
    original = getattr(owner, name)

    @functools.wraps(original)
    def refusing(*arguments: object, **named: object) -> object:
        _refuse(f"{owner.__name__}.{name}")
        return original(*arguments, **named)

    return refusing


for _owner, _name in WRAPPED:
    setattr(_owner, _name, _refusing(_owner, _name))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    _Current.is_async = inspect.iscoroutinefunction(getattr(item, "obj", None))
    try:
        return (yield)
    finally:
        _Current.is_async = False

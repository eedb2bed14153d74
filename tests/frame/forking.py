"""Commands as processes of their own that need not read the whole program first.

One process for each test process reads all of it, when a test first asks, and every command is forked from that one:
with its own streams, folder, variables and signals, to the interpreter's own end. What a command reads when it starts
from nothing is proved where a test starts Python itself.
"""

import asyncio
import contextlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

ROOT = Path(__file__).parents[2]
_MOST_BYTES = 1 << 16
_EXIT = 4  # bytes of an exit code
# Beside the modules of commands: what they read only when they need it, but onnxruntime, which begins threads.
_LATE = ("av", "cv2", "fleet.cli.operator_errors", "fleet.service", "web.app")
_STREAMS = 3


class Forks:
    """Where commands come from. One thread, so that it may fork: its libraries start none before they are used.

    `current` is that of this test process, while the fixture `forks` holds it open.
    """

    current: "ClassVar[Forks | None]" = None

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._address = str(folder / "forks")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self._address)
        listener.listen(16)
        code = f"from tests.frame.forking import fork_for; fork_for({listener.fileno()})"
        with listener:
            self._process = subprocess.Popen(
                [sys.executable, "-c", code],
                env={**environment, "OPENBLAS_NUM_THREADS": "1"},
                cwd=ROOT,
                stdin=subprocess.PIPE,
                pass_fds=[listener.fileno()],
            )

    def close(self) -> None:
        """It ends when nobody holds the other end of its stdin, so also when the test process is killed."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()

    async def ask(
        self, words: Sequence[str], *, cwd: Path, env: Mapping[str, str], streams: Sequence[int], patience_s: float
    ) -> int:
        """The exit code of `camwarden` with these words, negative for a signal. One that takes too long is killed."""
        with socket.socket(socket.AF_UNIX) as asking:
            asking.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(asking, self._address)
            asked = json.dumps({"words": list(words), "cwd": str(cwd), "env": dict(env)}).encode()
            assert len(asked) < _MOST_BYTES
            socket.send_fds(asking, [asked], list(streams))
            pid = int.from_bytes(await loop.sock_recv(asking, _EXIT), "big", signed=True)
            try:
                code = await asyncio.wait_for(loop.sock_recv(asking, _EXIT), patience_s)
            except BaseException:
                os.kill(pid, signal.SIGKILL)
                raise
        assert len(code) == _EXIT, "the process that commands are forked from has died"
        return int.from_bytes(code, "big", signed=True)


# --- in the process that forks ----------------------------------------------------------------------------------------


def fork_for(listening: int) -> None:
    """Serve until stdin ends. Everything is read at the first request."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(fileno=listening) as listener:
        while listening in select.select([listening, 0], [], [])[0]:
            asked, _ = listener.accept()
            _read_all()
            if os.fork() == 0:
                listener.close()
                _attend(asked)
                return
            asked.close()


def _read_all() -> None:
    import fleet.cli  # noqa: PLC0415

    for name in [*(f"fleet.cli.{one.name}" for one in pkgutil.iter_modules(fleet.cli.__path__)), *_LATE]:
        import_module(name)
    threads = len(list(Path("/proc/self/task").glob("*")))
    assert threads <= 1, "a library began a thread: what is forked now may wait for it for ever"


def _attend(asked: socket.socket) -> None:
    """Tells who asked how the command ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    said, streams, *_ = socket.recv_fds(asked, _MOST_BYTES, _STREAMS)
    pid = os.fork()
    if pid == 0:
        asked.close()
        _become(json.loads(said), streams)
        return
    for stream in streams:
        os.close(stream)
    with contextlib.suppress(BrokenPipeError):
        asked.sendall(pid.to_bytes(_EXIT, "big", signed=True))
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        asked.sendall(code.to_bytes(_EXIT, "big", signed=True))
    os._exit(0)


def _become(asked: dict[str, Any], streams: list[int]) -> None:
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    sys.argv = ["-c", *asked["words"]]
    from fleet.cli import main  # noqa: PLC0415

    main()

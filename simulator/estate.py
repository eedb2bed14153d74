"""The running estate: listeners for every port of every camera and decoy, from start to clean stop."""

import asyncio
import errno
import resource
import signal
import socket
import ssl
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Self

from simulator import manifest, tls
from simulator.camera import Camera
from simulator.decoys import Decoy
from simulator.discovery import Responder
from simulator.http import connection_factory
from simulator.options import ONE_ADDRESS, Options, OptionsError
from simulator.plan import CameraPlan, DecoyPlan, EstatePlan
from simulator.planning import LOW_PORTS, plan_estate
from simulator.ports import Greeter
from simulator.rtsp import RtspConnection

BACKLOG = 128
HANDSHAKE_S = 10.0
ROUNDS_TO_CLOSE = 5
Factory = Callable[[], asyncio.Protocol]


class Estate:
    """`async with Estate(options) as estate:` serves until the block ends.

    `plan` is the truth behind it, `cameras` and `decoys` are what runs, with the counters that `stats()` reports.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.plan: EstatePlan = plan_for_this_machine(options)
        self.authority = tls.Authority.new()
        self.cameras = [Camera(plan) for plan in self.plan.cameras]
        self.decoys = {plan: Decoy(plan.kind) for plan in self.plan.decoys}
        self.discovery = Responder(self.plan.cameras if options.discovery else ())
        self._listening: list[socket.socket] = []
        self._connections: set[asyncio.BaseTransport] = set()
        self._handshakes: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        _raise_descriptor_limit()
        try:
            for camera in self.cameras:
                self._serve_camera(camera)
            for plan, decoy in self.decoys.items():
                self._serve_decoy(plan, decoy)
            await self.discovery.start()
            self._write_files()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Stops listening, hangs up on everybody, writes the stats. Safe to call twice."""
        loop = asyncio.get_running_loop()
        for listening in self._listening:
            loop.remove_reader(listening)
            listening.close()
        self._listening.clear()
        self.discovery.stop()
        for handshake in tuple(self._handshakes):
            handshake.cancel()
        await asyncio.gather(*self._handshakes, return_exceptions=True)
        for connection in tuple(self._connections):
            connection.abort()  # type: ignore[attr-defined]
        for _ in range(ROUNDS_TO_CLOSE):  # a TLS connection hears a few rounds later that it is gone
            await asyncio.sleep(0)
        if self.options.stats:
            manifest.write_json(self.options.stats, self.stats())

    def manifest(self) -> dict[str, object]:
        return manifest.manifest(self.plan)

    def stats(self) -> dict[str, object]:
        return manifest.stats(self.cameras, self.decoys)

    def _write_files(self) -> None:
        if self.options.manifest:
            manifest.write_json(self.options.manifest, self.manifest())
        if self.options.credentials_out:
            manifest.write_private(self.options.credentials_out, manifest.credentials(self.plan))

    # --- listeners ---

    def _serve_camera(self, camera: Camera) -> None:
        plan = camera.plan
        if plan.http_port:
            self._listen(plan.address, plan.http_port, connection_factory(camera, self._connections, tls=False))
        if plan.https_port:
            secured = connection_factory(camera, self._connections, tls=True)
            self._listen(plan.address, plan.https_port, secured, plan)
        self._listen(plan.address, plan.rtsp_port, lambda: RtspConnection(camera, self._connections))
        for extra in plan.extra_ports:
            service = extra.service
            self._listen(plan.address, extra.port, lambda service=service: Greeter(service, self._connections))  # type: ignore[misc]

    def _serve_decoy(self, plan: DecoyPlan, decoy: Decoy) -> None:
        if plan.kind == "rtsp-only":
            self._listen(plan.address, plan.port, lambda: RtspConnection(decoy, self._connections))
            return
        self._listen(plan.address, plan.port, connection_factory(decoy, self._connections, tls=False))

    def _listen(self, address: str, port: int, factory: Factory, secured: CameraPlan | None = None) -> None:
        """TLS contexts are made when the first client comes: a thousand at start would take a second and 20 MB."""
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listening.append(listening)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((address, port))
        except OSError as problem:
            raise OptionsError(
                f"cannot listen on {address} port {port}: {problem.strerror}; try another --base"
            ) from None
        listening.listen(BACKLOG)
        listening.setblocking(False)
        contexts: list[ssl.SSLContext] = []

        def accept() -> None:
            for _ in range(BACKLOG):
                try:
                    client, _ = listening.accept()
                except (BlockingIOError, ConnectionAbortedError, InterruptedError):
                    return
                except OSError as problem:
                    if problem.errno in (errno.EMFILE, errno.ENFILE):  # out of descriptors: the client waits
                        return
                    raise
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if secured and not contexts:
                    contexts.append(tls.context(self.authority, secured))
                self._take(client, factory, contexts[0] if contexts else None)

        asyncio.get_running_loop().add_reader(listening, accept)

    def _take(self, client: socket.socket, factory: Factory, context: ssl.SSLContext | None) -> None:
        task = asyncio.get_running_loop().create_task(_connect(client, factory, context))
        self._handshakes.add(task)
        task.add_done_callback(self._handshakes.discard)


async def _connect(client: socket.socket, factory: Factory, context: ssl.SSLContext | None) -> None:
    """Hands an accepted socket to its protocol. A client that fails the handshake is its own problem."""
    loop = asyncio.get_running_loop()
    timeout_s = HANDSHAKE_S if context else None
    client.setblocking(False)
    try:
        await loop.connect_accepted_socket(factory, client, ssl=context, ssl_handshake_timeout=timeout_s)
    except (OSError, TimeoutError):  # ssl.SSLError is an OSError
        client.close()


def plan_for_this_machine(options: Options) -> EstatePlan:
    """The plan, with what the options leave open decided by what may be bound here."""
    one_address = options.one_address
    if one_address is None:
        one_address = _bind_problem(options.base, 0) is not None
    low_ports = options.low_ports
    if low_ports is None:
        low_ports = _bind_problem(ONE_ADDRESS if one_address else options.base, LOW_PORTS[0]) != errno.EACCES
    return plan_estate(options, one_address=one_address, low_ports=low_ports)


def _bind_problem(address: str, port: int) -> int | None:
    """The error number that binding this gives, None where it works."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((address, port))
        except OSError as problem:
            return problem.errno
    return None


def _raise_descriptor_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def run(options: Options) -> None:
    """Serves until SIGTERM or SIGINT; prints `ready: …` on standard output when everything listens."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with Estate(options) as estate:
        for problem in estate.discovery.problems:
            sys.stderr.write(f"simulator: {problem}\n")
        sys.stdout.write(f"{_ready_line(estate.plan)}\n")
        sys.stdout.flush()
        await stopped.wait()


def _ready_line(plan: EstatePlan) -> str:
    words = f"ready: {len(plan.cameras)} cameras, {len(plan.decoys)} decoys"
    if not plan.cameras:
        return words
    first, last = plan.cameras[0], plan.cameras[-1]
    return f"{words}, {first.scheme}://{first.address}:{first.port} to {last.scheme}://{last.address}:{last.port}"

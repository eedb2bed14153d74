"""The running estate: listeners for every port of every camera and decoy, from start to clean stop.

A camera that switches a port off or restarts has that listener closed; when it is back, or the port is on again, the
estate listens anew.
"""

import asyncio
import errno
import resource
import signal
import socket
import ssl
import struct
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from types import TracebackType
from typing import Self

from simulator import manifest, snmp, tls
from simulator.camera import Camera
from simulator.decoys import Decoy
from simulator.discovery import Responder
from simulator.http import connection_factory
from simulator.options import ONE_ADDRESS, Options, OptionsError
from simulator.plan import DecoyPlan, EstatePlan, Week
from simulator.planning import LOW_PORTS, plan_estate
from simulator.ports import Greeter
from simulator.rtsp import RtspConnection
from simulator.studio import Studio

BACKLOG = 128
HANDSHAKE_S = 10.0
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: a connection that is not taken is reset at once."""
ROUNDS_TO_CLOSE = 5
Maker = Callable[[], asyncio.Protocol]


class Estate:
    """`async with Estate(options) as estate:` serves until the block ends.

    `plan` is the present truth, `cameras` and `decoys` are what runs, with the counters that `stats()` reports.
    `problems` tells what could not be served after a change.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.authority = tls.Authority.new()
        self._first: EstatePlan = plan_for_this_machine(options)
        self.cameras = [Camera(plan, self.authority) for plan in self._first.cameras]
        self.studio: Studio | None = None
        if options.pictures:
            week = Week(options.start_hour * 3600, options.time_scale, time.time())
            self._first = replace(self._first, week=week)
            self.studio = Studio(week, options.stream_fps)
            for camera in self.cameras:
                camera.studio = self.studio
        self.decoys = {plan: Decoy(plan.kind) for plan in self._first.decoys}
        self.discovery = Responder(self.cameras if options.discovery else ())
        self.snmp = snmp.Agents(self.cameras, snmp.PORT)
        self.problems: list[str] = []
        self._doors: dict[Camera | Decoy, dict[int, _Door]] = {}
        self._leaving: set[asyncio.BaseTransport] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = False

    @property
    def plan(self) -> EstatePlan:
        return replace(self._first, cameras=tuple(camera.plan for camera in self.cameras))

    async def __aenter__(self) -> Self:
        _raise_descriptor_limit()
        try:
            for camera in self.cameras:
                self._serve_camera(camera)
            for plan, decoy in self.decoys.items():
                self._serve_decoy(plan, decoy)
            await self.discovery.start()
            await self.snmp.start()
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
        self._stopped = True
        for camera in self.cameras:
            camera.stop()
        doors = [door for own in self._doors.values() for door in own.values()]
        self._doors.clear()
        for door in doors:
            door.close()
        self.discovery.stop()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.snmp.stop()
        for connections in (self._leaving, *(door.connections for door in doors)):
            for connection in tuple(connections):
                connection.abort()  # type: ignore[attr-defined]
        if self.studio is not None:
            await self.studio.close()
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
        for port, factory in self._wanted(camera).items():
            self._listen(camera, camera.plan.address, port, factory)
        camera.on_change = partial(self._look_again, camera)

    def _wanted(self, camera: Camera) -> Mapping[int, "_Factory"]:
        """What this camera listens on now."""
        plan = camera.plan
        if not camera.awake:
            return {}
        wanted: dict[int, _Factory] = {}
        if plan.http_port:
            wanted[plan.http_port] = _Factory("http", partial(connection_factory, camera, tls=False))
        if plan.https_port:
            wanted[plan.https_port] = _Factory("https", partial(connection_factory, camera, tls=True))
        if plan.rtsp_on:
            wanted[plan.rtsp_port] = _Factory("rtsp", lambda open_: lambda: RtspConnection(camera, open_))
        for extra in plan.extra_ports:
            wanted[extra.port] = _Factory(extra.service, partial(_greeters, extra.service))
        return wanted

    def _look_again(self, camera: Camera) -> None:
        """After the answer that is being written now, so that a camera can still say yes to its own restart."""
        asyncio.get_running_loop().call_soon(self._refit, camera)

    def _refit(self, camera: Camera) -> None:
        """Closes what is not wanted any more and opens what is. A stopped estate opens nothing."""
        if self._stopped:
            return
        wanted = self._wanted(camera)
        open_doors = self._doors.setdefault(camera, {})
        for port, door in tuple(open_doors.items()):
            if port not in wanted or wanted[port].service != door.service:
                del open_doors[port]
                self._leaving |= door.connections
                door.close()
        for port in wanted.keys() - open_doors.keys():
            try:
                self._listen(camera, camera.plan.address, port, wanted[port])
            except OptionsError as problem:
                self.problems.append(str(problem))
        if self.discovery.misses(camera):
            self._spawn(self.discovery.start())
        if self.snmp.misses(camera):
            self._spawn(self.snmp.start())
        self._leaving = {connection for connection in self._leaving if not _is_gone(connection)}

    def _serve_decoy(self, plan: DecoyPlan, decoy: Decoy) -> None:
        if plan.kind == "rtsp-only":
            factory = _Factory("rtsp", lambda open_: lambda: RtspConnection(decoy, open_))
        else:
            factory = _Factory("http", partial(connection_factory, decoy, tls=False))
        self._listen(decoy, plan.address, plan.port, factory)

    def _listen(self, owner: Camera | Decoy, address: str, port: int, factory: "_Factory") -> None:
        """TLS contexts are made when the first client comes: a thousand at start would take a second and 20 MB."""
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((address, port))
        except OSError as problem:
            listening.close()
            raise OptionsError(
                f"cannot listen on {address} port {port}: {problem.strerror}; try another --base"
            ) from None
        listening.listen(BACKLOG)
        listening.setblocking(False)
        door = self._doors.setdefault(owner, {})[port] = _Door(listening, factory.service)
        protocol = factory.make(door.connections)
        contexts: dict[tls.Chain, ssl.SSLContext] = {}

        def accept() -> None:
            for _ in range(BACKLOG):
                try:
                    client, (caller, _) = listening.accept()
                except (BlockingIOError, ConnectionAbortedError, InterruptedError):
                    return
                except OSError as problem:
                    if problem.errno in (errno.EMFILE, errno.ENFILE):  # out of descriptors: the client waits
                        return
                    raise
                if isinstance(owner, Camera) and not owner.lets_in(caller, port):
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    client.close()
                    continue
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                secure = owner if factory.service == "https" and isinstance(owner, Camera) else None
                context = _context(contexts, secure) if secure else None
                self._spawn(_connect(client, protocol, context, door))

        asyncio.get_running_loop().add_reader(listening, accept)

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@dataclass(frozen=True, slots=True)
class _Factory:
    """What is spoken at a port, and how to make a protocol that keeps its transport in a set."""

    service: str
    make: Callable[[set[asyncio.BaseTransport]], Maker]


@dataclass(slots=True, eq=False)
class _Door:
    """One listening socket and who came in by it."""

    listening: socket.socket
    service: str
    connections: set[asyncio.BaseTransport] = field(default_factory=set)
    closed: bool = False

    def close(self) -> None:
        """No new clients; those inside hear what was already said to them and the end of it."""
        self.closed = True
        asyncio.get_running_loop().remove_reader(self.listening)
        self.listening.close()
        for connection in tuple(self.connections):
            connection.close()


def _context(known: dict[tls.Chain, ssl.SSLContext], camera: Camera) -> ssl.SSLContext:
    """Of the certificates that it serves now."""
    chain = camera.keystore.chain
    if chain not in known:
        known.clear()
        known[chain] = tls.context(chain, weak=camera.plan.certificate == "weak-key")
    return known[chain]


def _greeters(service: str, open_transports: set[asyncio.BaseTransport]) -> Maker:
    return lambda: Greeter(service, open_transports)


def _is_gone(connection: asyncio.BaseTransport) -> bool:
    try:
        sock = connection.get_extra_info("socket")
    except AttributeError:  # one of TLS that was closed has let go of what it asks (Python 3.11)
        return True
    return sock is None or sock.fileno() < 0


async def _connect(client: socket.socket, factory: Maker, context: ssl.SSLContext | None, door: _Door) -> None:
    """Hands an accepted socket to its protocol. A client that fails the handshake is its own problem."""
    loop = asyncio.get_running_loop()
    timeout_s = HANDSHAKE_S if context else None
    client.setblocking(False)
    try:
        await loop.connect_accepted_socket(factory, client, ssl=context, ssl_handshake_timeout=timeout_s)
    except (OSError, TimeoutError):  # ssl.SSLError is an OSError
        client.close()
        return
    if door.closed:  # it closed during the handshake
        for connection in tuple(door.connections):
            connection.close()


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
        for problem in (*estate.discovery.problems, *estate.snmp.problems):
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

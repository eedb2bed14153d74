"""Through a real SSH server to cameras: what goes through, what does not, and what is said of it."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from ipaddress import ip_network
from pathlib import Path

import pytest

from cameras import ways
from cameras.errors import Unreachable
from cameras.facts import OpenPorts
from cameras.http import DeviceHttp
from cameras.rtsp import play
from cameras.secret import Secret
from fleet.jump_hosts import connection, log_in
from fleet.jump_hosts.connection import JumpHost
from fleet.jump_hosts.host_keys import Door, HostKey, fingerprint, new_key, written
from fleet.jump_hosts.log_in import shown_host_key
from scanners.assessment import NotEvaluated, Options, assess
from scanners.discovery.sweep import sweep
from scanners.probes.dialogue import dialogue
from scanners.targets import Target
from tests.cameras.saying import Saying, http, saying
from tests.cameras.streaming import streaming
from tests.cameras.test_rtsp import TWO
from tests.discovery.test_sweep import listening, refusing, silent
from tests.fleet.jump_server import USER, JumpServer, jump_server, laid, new_server
from tests.fleet.jump_server import listening as serving
from tests.probes.loopback_servers import certificate, says

EVERYWHERE = "127.0.0.0/8"


@asynccontextmanager
async def behind(*replies: bytes | None) -> AsyncIterator[tuple[JumpServer, JumpHost, Saying]]:
    """A camera that says this, and all of loopback behind a jump host."""
    async with saying(*replies) as camera, jump_server() as server, laid(server.jump_host(), EVERYWHERE) as jump_host:
        yield server, jump_host, camera


async def ask(port: int, address: str = "127.0.0.1", scheme: str = "http", timeout_s: float = 8.0) -> bytes:
    async with DeviceHttp(address, port, scheme, timeout_s=timeout_s) as http_:
        return (await http_.request("GET", http_.base)).body


async def refused(port: int, address: str = "127.0.0.1", timeout_s: float = 8.0) -> str:
    with pytest.raises(Unreachable) as caught:
        await ask(port, address, timeout_s=timeout_s)
    return str(caught.value)


# --- what goes through ---


async def test_many_cameras_share_one_connection() -> None:
    async with behind(http("hello")) as (server, _, camera):
        assert await asyncio.gather(*(ask(camera.port) for _ in range(20))) == [b"hello"] * 20
        assert (server.connections, len(server.forwarded)) == (1, 20)


async def test_an_answer_of_megabytes_comes_whole_and_every_channel_ends() -> None:
    picture = bytes(range(256)) * 14_000
    async with behind(http(picture)) as (_, jump_host, camera):
        assert await asyncio.gather(*(ask(camera.port) for _ in range(4))) == [picture] * 4
        async with asyncio.timeout(5):
            while jump_host.state().open:  # noqa: ASYNC110 - the server says when
                await asyncio.sleep(0.01)
        assert jump_host.state().is_up


async def test_who_reads_slowly_slows_the_camera_and_loses_nothing() -> None:
    sent = b"x" * 6_000_000
    async with says(sent) as camera, jump_server() as server, laid(server.jump_host(), EVERYWHERE):
        reader, writer = await ways.open_stream("127.0.0.1", camera.port)
        await asyncio.sleep(0.3)
        got = bytearray()
        while part := await reader.read(50_000):
            got += part
        writer.transport.abort()
    assert bytes(got) == sent


async def test_tls_goes_through_to_the_camera(tmp_path: Path) -> None:
    shown = certificate(tmp_path)
    async with AsyncExitStack() as stack:
        camera = await stack.enter_async_context(says(answers=lambda _: http("secret"), context=shown.context))
        server = await stack.enter_async_context(jump_server())
        await stack.enter_async_context(laid(server.jump_host(), EVERYWHERE))
        assert await ask(camera.port, scheme="https") == b"secret"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        async with dialogue("127.0.0.1", camera.port, 5, context) as (_, writer):
            assert writer.get_extra_info("ssl_object").getpeercert(binary_form=True) == shown.der
        assert len(server.forwarded) == 2


async def test_a_stream_goes_through() -> None:
    async with streaming(media=TWO) as camera, jump_server() as server, laid(server.jump_host(), EVERYWHERE):
        where = f"rtsp://127.0.0.1:{camera.port}/live"
        async with play(where, None, media="video", address="127.0.0.1") as stream:
            assert [packet.payload async for packet in stream] == [b"one", b"two"]
        assert server.forwarded == [("127.0.0.1", camera.port)]


async def test_the_smallest_network_decides_and_may_be_straight() -> None:
    async with behind(http("hello")) as (server, jump_host, camera):
        ways.lay([(ip_network(EVERYWHERE), jump_host), (ip_network("127.0.0.1/32"), None)])
        assert await ask(camera.port) == b"hello"
        assert server.forwarded == []
        ways.lay([(ip_network(EVERYWHERE), None), (ip_network("127.0.0.1/32"), jump_host)])
        assert await ask(camera.port) == b"hello"
        assert len(server.forwarded) == 1


# --- what the camera does ---


async def test_a_port_that_refuses_is_said_in_the_words_of_a_straight_one() -> None:
    with refusing("127.0.0.1") as shut:
        straight = await refused(shut)
        async with behind(http("")):
            assert await refused(shut) == straight


async def test_a_camera_that_is_silent_is_silent() -> None:
    async with behind(None) as (_, _, camera):
        assert "no complete answer" in await refused(camera.port, timeout_s=0.3)


async def test_a_camera_that_cuts_off_has_cut_off() -> None:
    async with behind(b"") as (_, jump_host, camera):
        assert "closed the connection" in await refused(camera.port)
        assert jump_host.trouble("127.0.0.1") is None


async def test_a_sweep_tells_open_closed_and_silent_ports_apart() -> None:
    a = "127.41.0.1"
    with listening(a) as first, refusing(a) as shut, silent(a) as mute:
        async with jump_server() as server, laid(server.jump_host(), "127.41.0.0/16"):
            found = await swept([a, "127.42.0.1"], [first, shut, mute])
            assert sorted(server.forwarded) == sorted((a, port) for port in (first, shut, mute))
            assert await swept([a], [first, shut], timeout_s=5) == {a: OpenPorts((first,), (shut,), ())}
    assert found[a] == OpenPorts((first,), (shut,), (mute,))
    assert found["127.42.0.1"].open == (), "straight, where nobody listens"


async def swept(addresses: list[str], ports: list[int], timeout_s: float = 0.5) -> dict[str, OpenPorts]:
    async with aclosing(sweep(addresses, ports, timeout_s=timeout_s)) as found:
        return {address: seen async for address, seen in found}


async def test_a_sweep_that_is_left_early_leaves_nothing_behind() -> None:
    with silent("127.41.0.1") as mute:
        async with jump_server() as server, laid(server.jump_host(), EVERYWHERE):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await swept(["127.41.0.1"], [mute], timeout_s=30)


async def test_what_was_given_up_is_closed_when_it_opens_late() -> None:
    ends: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends.put_nowait(await reader.read())
        writer.close()

    camera = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = camera.sockets[0].getsockname()[1]
    async with camera, jump_server() as server, laid(server.jump_host(), EVERYWHERE) as jump_host:
        server.open.clear()
        assert await jump_host.knock("127.0.0.1", port, 0.1) == "silent"
        assert "no complete answer" in await refused(port, timeout_s=0.2)
        server.open.set()
        async with asyncio.timeout(5):
            assert [await ends.get(), await ends.get()] == [b"", b""]
            while jump_host.state().open:  # noqa: ASYNC110 - the server says when
                await asyncio.sleep(0.01)
        assert (server.connections, len(server.forwarded)) == (1, 2)


# --- what the jump host does ---


async def test_another_host_key_is_refused_and_nothing_is_sent() -> None:
    async with jump_server() as server, saying(http("hello")) as camera:
        other = new_key()
        async with laid(server.jump_host(host_key=HostKey(written(other))), EVERYWHERE):
            said = [await refused(camera.port) for _ in range(3)]
    assert {one.startswith("not reachable through the jump host: the jump host of site Hof shows") for one in said} == {
        True
    }
    assert fingerprint(server.host_key) in said[0]
    assert (server.connections, server.refused, server.asked, camera.heard) == (0, 0, 1, [])


async def test_the_fingerprint_is_enough() -> None:
    async with jump_server() as server:
        jump_host = server.jump_host(host_key=HostKey(fingerprint(server.host_key)))
        async with saying(http("hello")) as camera, laid(jump_host, EVERYWHERE):
            assert await ask(camera.port) == b"hello"


async def test_the_key_that_a_host_shows_can_be_looked_at_and_no_key_of_ours_is_offered() -> None:
    async with jump_server() as server:
        assert written(await shown_host_key(server.door)) == written(server.host_key)
        assert (server.connections, server.refused) == (0, 0)


async def test_a_key_that_is_refused_is_offered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "SHORTEST_PAUSE_S", 0.0)
    async with jump_server() as server, saying(http("hello")) as camera:
        wrong = new_key()

        async def key() -> Secret:
            await asyncio.sleep(0)
            return Secret(wrong.export_private_key().decode())

        jump_host = server.jump_host(open_key=key)
        async with laid(jump_host, EVERYWHERE):
            said = {await refused(camera.port) for _ in range(5)}
    (words,) = said
    assert words.startswith("not reachable through the jump host: the jump host of site Hof does not take our key")
    assert (server.connections, server.asked) == (0, 1)


async def test_what_is_not_permitted_is_not_taken_for_an_empty_place() -> None:
    async with behind(http("hello")) as (server, _, camera):
        server.forbidden.add(camera.port)
        said = await refused(camera.port)
        assert said == f"the jump host of site Hof does not permit connections to port {camera.port} of 127.0.0.1"
        (found,) = [one async for one in assess([searched("127.0.0.1")], looking(camera.port))]
        assert found == NotEvaluated("127.0.0.1", "unreachable", said)
        server.forbidden.clear()
        assert await ask(camera.port) == b"hello"


async def test_it_is_named_when_it_is_gone_and_used_again_when_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "SHORTEST_PAUSE_S", 0.02)
    monkeypatch.setattr(connection, "LONGEST_PAUSE_S", 0.05)
    server = new_server()
    async with saying(http("hello")) as camera, AsyncExitStack() as ends:
        async with serving(server):
            await ends.enter_async_context(laid(server.jump_host(), EVERYWHERE))
            assert await ask(camera.port) == b"hello"
        gone = await refused(camera.port)
        assert gone.startswith("not reachable through the jump host: ")
        (found,) = [one async for one in assess([searched("127.0.0.1")], looking(camera.port))]
        assert isinstance(found, NotEvaluated)
        assert (found.reason, "not reachable through the jump host" in found.detail) == ("unreachable", True)
        assert "site Hof" in found.detail
        async with serving(server):
            await asyncio.sleep(0.1)
            assert await ask(camera.port) == b"hello"
            assert server.connections == 2
            server.cut()
            await asyncio.sleep(0.1)
            assert await ask(camera.port) == b"hello"
            assert server.connections == 3


async def test_a_dead_one_is_not_asked_again_for_every_camera() -> None:
    with socket.create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]
        async with jump_server() as server:
            jump_host = server.jump_host(door=Door("camwarden", "127.0.0.1", port))
            tries = 0

            async def count() -> None:
                nonlocal tries
                loop = asyncio.get_running_loop()
                place.setblocking(False)
                while True:
                    taken, _ = await loop.sock_accept(place)
                    tries += 1
                    taken.close()

            counting = asyncio.create_task(count())
            async with laid(jump_host, EVERYWHERE):
                found = await swept([f"127.41.0.{number}" for number in range(1, 101)], [80, 81, 82])
            counting.cancel()
            await asyncio.gather(counting, return_exceptions=True)
    assert all(ports.silent == (80, 81, 82) for ports in found.values())
    assert tries == 1


async def test_a_jump_host_that_vanishes_is_not_an_empty_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "SIGN_OF_LIFE_S", 0.3)
    monkeypatch.setattr(log_in, "CONNECT_TIMEOUT_S", 0.3)
    with listening("127.41.0.1") as first:
        async with jump_server() as server, relay(server.port) as (port, cable):
            jump_host = server.jump_host(door=Door(USER, "127.0.0.1", port))
            async with laid(jump_host, EVERYWHERE):
                await jump_host.prove()
                cable.clear()
                (found,) = [one async for one in assess([searched("127.41.0.1")], looking(first))]
                assert isinstance(found, NotEvaluated)
                assert (found.reason, "through the jump host" in found.detail) == ("unreachable", True), found
                cable.set()


@asynccontextmanager
async def relay(to: int) -> AsyncIterator[tuple[int, asyncio.Event]]:
    """A cable to a port: what is sent while the event is not set goes nowhere."""
    cable, writers = asyncio.Event(), set[asyncio.StreamWriter]()
    cable.set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while part := await reader.read(65536):
                if cable.is_set():
                    writer.write(part)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", to)
        writers.update((writer, back))
        await asyncio.gather(carry(reader, back), carry(there, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], cable
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await server.wait_closed()


async def test_work_under_way_ends_when_the_connection_breaks() -> None:
    async with behind(None) as (server, _, camera):
        waiting = asyncio.create_task(refused(camera.port, timeout_s=30))
        while not camera.heard:  # noqa: ASYNC110 - the camera says when
            await asyncio.sleep(0.01)
        server.cut()
        async with asyncio.timeout(5):
            await waiting


def searched(address: str) -> Target:
    return Target(address, None, None, None, shared=False, searched=True)


def looking(port: int) -> Options:
    return Options(ports=(port,), default_credentials=False, connect_timeout_s=1)

"""The frame's own proof: each guard is shown a test that breaks its rule, beside one that keeps it."""

import textwrap
from pathlib import Path
from xml.etree.ElementTree import parse

import pytest

ROOT = Path(__file__).parents[1]

# What the inner test does, and the words its failure must contain ("" is a test that passes).
NETWORK = {
    "connects to loopback": (
        """
        with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
            pass
        """,
        "",
    ),
    "sends to the whole loopback net": (
        'with udp() as sock: sock.sendto(b"x", ("127.200.3.4", 9))',
        "",
    ),
    "sends to a group through loopback": (
        """
        with udp() as sock:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
            sock.sendto(b"x", ("239.255.255.250", 9))
        """,
        "",
    ),
    "asks for a name that never exists": (
        'with pytest.raises(socket.gaierror): socket.getaddrinfo("camera.invalid", 80)',
        "",
    ),
    "connects elsewhere": (
        'with tcp() as sock: sock.connect(("192.0.2.1", 80))',
        "traffic to ('192.0.2.1', 80)",
    ),
    "connects elsewhere and swallows the error": (
        'with tcp() as sock, contextlib.suppress(Exception): sock.connect_ex(("192.0.2.1", 80))',
        "traffic to ('192.0.2.1', 80)",
    ),
    "connects elsewhere from the loop": (
        """
        async def go(): await asyncio.open_connection("192.0.2.1", 80)
        asyncio.run(go())
        """,
        "traffic to ('192.0.2.1', 80)",
    ),
    "sends a datagram elsewhere": (
        'with udp() as sock: sock.sendto(b"x", ("192.0.2.1", 9))',
        "traffic to ('192.0.2.1', 9)",
    ),
    "sends to a group through any interface": (
        'with udp() as sock: sock.sendto(b"x", ("239.255.255.250", 9))',
        "traffic to ('239.255.255.250', 9)",
    ),
    "looks up a name": (
        'socket.getaddrinfo("camera.example", 80)',
        "look-up of the name 'camera.example'",
    ),
}

WAITING = {
    "sleeps for the loop": ("await asyncio.sleep(0.001)", ""),
    "sleeps in a thread": ("await asyncio.to_thread(time.sleep, 0.001)", ""),
    "runs a program for the loop": ('await (await asyncio.create_subprocess_exec("true")).wait()', ""),
    "sleeps": ("time.sleep(0.001)", "time.sleep inside the event loop"),
    "connects and waits": (
        """
        with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
            pass
        """,
        "a blocking connect inside the event loop",
    ),
    "looks up and waits": ('socket.getaddrinfo("localhost", 80)', "a blocking look-up of 'localhost'"),
    "runs a program and waits": ('subprocess.run(["true"])', "Popen.communicate inside the event loop"),
    "opens a pipe": ('os.mkfifo(tmp_path / "p"); (tmp_path / "p").open()', "opening a named pipe"),
    "opens a database": ('sqlite3.connect(":memory:")', "sqlite3.connect inside the event loop"),
    "stretches a password": ('argon2.PasswordHasher().hash("x")', "PasswordHasher.hash inside the event loop"),
    "sleeps in the loop of another thread": (
        """
        async def sleeps(): time.sleep(0.001)
        with contextlib.suppress(RuntimeError): await asyncio.to_thread(asyncio.run, sleeps())
        """,
        "time.sleep inside the event loop",
    ),
}

LEAKS = {
    "closes its socket": ("tcp().close()", ""),
    "leaves a socket open": ("keep(tcp())", "left open: "),
    "leaves a pipe open": ("keep(os.pipe())", "left open: "),
    "leaves a child process": ('keep(subprocess.Popen(["sleep", "9"]))', "left open: process "),
}

TASKS = {
    "waits for its task": ("await asyncio.create_task(asyncio.sleep(0))", ""),
    "leaves a task": ("keep(asyncio.create_task(asyncio.sleep(99)))", "tasks still running after the test: sleep"),
    "leaves a task that is about to end": ("keep(asyncio.create_task(asyncio.sleep(0.05)))", ""),
}

HEAD = """
import argon2, asyncio, atexit, contextlib, os, socket, sqlite3, subprocess, time
import pytest

KEPT = []
keep = KEPT.append

def tcp(): return socket.socket()
def udp(): return socket.socket(type=socket.SOCK_DGRAM)

@atexit.register
def tidy():
    for thing in KEPT:
        if isinstance(thing, subprocess.Popen):
            thing.kill()
            thing.wait()
        if isinstance(thing, socket.socket):
            thing.close()
        if isinstance(thing, tuple):
            [os.close(end) for end in thing]
"""


@pytest.fixture
def framed(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """An empty project inside the same frame."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("TESTS_REQUIRE_ALL", raising=False)
    pytester.makeconftest((ROOT / "tests" / "conftest.py").read_text())
    pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    return pytester


@pytest.mark.parametrize(
    ("rows", "definition"),
    [(NETWORK, "def"), (WAITING, "async def"), (LEAKS, "def"), (TASKS, "async def")],
    ids=["network", "waiting in the loop", "leaks", "tasks"],
)
def test_the_frame_stops_what_it_forbids_and_nothing_else(
    framed: pytest.Pytester, rows: dict[str, tuple[str, str]], definition: str
) -> None:
    names = {row: f"test_{row.replace(' ', '_')}" for row in rows}
    bodies = [
        f"{definition} {names[row]}(tmp_path):\n{textwrap.indent(textwrap.dedent(body).strip(), '    ')}\n"
        for row, (body, _) in rows.items()
    ]
    framed.makepyfile(HEAD + "\n\n".join(bodies))
    framed.runpytest_subprocess("--junitxml=told.xml")
    told = _told(framed.path / "told.xml")
    assert {row: told[name] for row, name in names.items() if not _as_promised(told[name], rows[row][1])} == {}


def _told(report: Path) -> dict[str, str]:
    """Per inner test everything that was said against it: "" is a test that passed."""
    told: dict[str, str] = {}
    for case in parse(report).iter("testcase"):  # noqa: S314 - we wrote it
        name = case.get("name", "")
        told[name] = told.get(name, "") + " ".join(case.itertext()).strip()
    return told


def _as_promised(told: str, words: str) -> bool:
    return words in told if words else not told


def test_a_background_task_cannot_swallow_a_refusal(framed: pytest.Pytester) -> None:
    framed.makepyfile(
        HEAD
        + """
async def test_swallows():
    async def task():
        with contextlib.suppress(Exception):
            time.sleep(0.001)
    await asyncio.create_task(task())
"""
    )
    assert framed.runpytest_subprocess().parseoutcomes() == {"failed": 1}


def test_what_a_shared_service_opens_late_is_forgiven_within_a_limit(framed: pytest.Pytester) -> None:
    framed.makepyfile(
        """
        import socket
        import pytest

        @pytest.fixture(scope="module")
        def service():
            opened = []
            yield opened
            for sock in opened:
                sock.close()

        @pytest.mark.parametrize("turn", range(17))
        def test_uses(service, turn): service.append(socket.socket())

        def test_after(service): pass
        """
    )
    assert framed.runpytest_subprocess().parseoutcomes() == {"passed": 18, "errors": 1}


@pytest.mark.parametrize(
    ("variable", "outcome"), [("0", {"skipped": 2, "passed": 1}), ("1", {"failed": 1, "errors": 1, "passed": 1})]
)
def test_a_skip_is_a_failure_where_everything_must_run(
    framed: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, variable: str, outcome: dict[str, int]
) -> None:
    monkeypatch.setenv("CAMWARDEN_REQUIRE_ALL", variable)
    framed.makepyfile(
        test_one="""
            from tests.frame.required import program
            def test_needs_a_program(): program("no-such-program")
            def test_needs_nothing():
                import os
                assert "CAMWARDEN_REQUIRE_ALL" not in os.environ  # an unknown key to the product
        """,
        test_module='import pytest\npytest.skip("whole", allow_module_level=True)',
    )
    assert framed.runpytest_subprocess("--continue-on-collection-errors").parseoutcomes() == outcome

"""The running service as whoever operates it meets it: its lines, its certificate, its health, and how it ends."""

import asyncio
import json
import signal
import socket
import ssl
import stat
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as s

from fleet import tls as certificates
from fleet.cli.outcomes import ExitCode
from fleet.tls import CertificateUnusable
from tests.cli.running import camwarden, ended, started

pytestmark = pytest.mark.timeout(120)

NOW = datetime(2026, 3, 1, tzinfo=UTC)


async def said(process: asyncio.subprocess.Process, word: str) -> str:
    """The rest of the first line of stderr that holds this word."""
    assert process.stderr is not None
    while line := (await asyncio.wait_for(process.stderr.readline(), 40)).decode():
        if word in line:
            return line.partition(word)[2].strip()
    raise AssertionError(f"it never said {word}")


@asynccontextmanager
async def serving(home: Path, *words: object, **more: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    process = await started(home, "serve", "--port", "0", *words, more=more)
    try:
        yield process, await said(process, "listens on ")
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def in_json(err: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in err.splitlines() if line.startswith("{")]


# --- lines ------------------------------------------------------------------------------------------------------------


async def test_every_line_of_a_request_carries_its_id_and_none_a_query(tmp_path: Path) -> None:
    async with serving(tmp_path, CAMWARDEN_LOG_FORMAT="json") as (process, url):
        async with httpx.AsyncClient(base_url=url, trust_env=False) as browser:
            given = await browser.get("/sign-in?next=/secret-query", headers={"X-Request-Id": "proxy-4711.a"})
            made = await browser.get("/nowhere", headers={"X-Request-Id": "short", "Cookie": "session=secret-cookie"})
            await browser.get("/healthz")
        process.terminate()
        end = await ended(process)
    lines = [line for line in in_json(end.err) if line["event"] == "request"]
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [
        ("GET", "/sign-in", 303),
        ("GET", "/nowhere", 404),
    ]
    assert [line["request"] for line in lines] == ["proxy-4711.a", made.headers["x-request-id"]]
    assert given.headers["x-request-id"] == "proxy-4711.a"
    assert f"Request <code>{made.headers['x-request-id']}</code>" in made.text
    assert all({"level", "logger", "timestamp", "ms"} <= set(line) for line in lines)
    assert "secret" not in end.err


async def test_every_line_of_a_scan_carries_its_id(tmp_path: Path) -> None:
    """The scan's own task is where something goes wrong; what it logs names the scan, and who asked for it."""
    code = (
        "import logging, asyncio\n"
        "from fleet.scans import runner as scans\n"
        "from fleet.cli import screen\n"
        "from structlog.contextvars import bind_contextvars\n"
        "screen.start_logging(logging.INFO, 'json')\n"
        "async def broken(targets, options, on_progress):\n"
        "    raise RuntimeError('no such thing')\n"
        "    yield\n"
        "async def main():\n"
        "    from fleet.settings import load_settings\n"
        "    from fleet.store import open_store\n"
        "    async with await open_store(load_settings()) as store:\n"
        "        async with scans.Scans(store, load_settings(), assess=broken) as work:\n"
        "            bind_contextvars(request='asked-for-1')\n"
        "            scan = await work.start('127.0.0.99', 'anna')\n"
        "            async for _ in work.events(scan): pass\n"
        "            print(scan)\n"
        "asyncio.run(main())\n"
    )
    end = await ended(await started(tmp_path, code=code))
    (line,) = [line for line in in_json(end.err) if line["event"] == "a scan failed"]
    assert (line["scan"], line["request"], line["level"]) == (end.out.strip(), "asked-for-1", "error")
    assert "RuntimeError" in line["exception"]


async def test_the_journal_is_told_how_grave_a_line_is(tmp_path: Path) -> None:
    code = (
        "import logging, os, sys\n"
        "from fleet.cli import screen\n"
        "there = os.fstat(sys.stderr.fileno())\n"
        "os.environ['JOURNAL_STREAM'] = f'{there.st_dev}:{there.st_ino}'\n"
        "screen.start_logging(logging.INFO)\n"
        "logging.getLogger('a').info('light')\n"
        "try: 1 / 0\n"
        "except ZeroDivisionError: logging.getLogger('a').exception('grave')\n"
    )
    end = await ended(await started(tmp_path, code=code))
    light, *grave = end.err.splitlines()
    assert light.startswith("<6>")
    assert len(grave) > 2
    assert all(line.startswith("<3>") for line in grave)


# --- health and numbers -----------------------------------------------------------------------------------------------


async def test_a_service_says_that_it_lives_is_ready_and_what_it_counts(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, url), httpx.AsyncClient(base_url=url, trust_env=False) as machine:
        assert (await machine.get("/healthz")).text == "ok\n"
        ready = await machine.get("/readyz")
        assert (ready.status_code, ready.json()["ready"]) == (200, True)
        assert set(ready.json()["parts"].values()) == {"ready"}
        numbers = (await machine.get("/metrics")).text
        assert 'camwarden_requests_total{method="GET",route="/readyz",status="200"} 1.0' in numbers
        assert "process_resident_memory_bytes" in numbers
        through_a_proxy = await machine.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"})
        assert through_a_proxy.status_code == 401


# --- TLS --------------------------------------------------------------------------------------------------------------


def presented(url: str) -> str:
    """The fingerprint of what a stranger is shown."""
    host, _, port = url.removeprefix("https://").rpartition(":")
    pem = ssl.get_server_certificate((host, int(port)))
    return x509.load_pem_x509_certificate(pem.encode()).fingerprint(hashes.SHA256()).hex(":").upper()


async def test_a_certificate_is_made_once_and_its_fingerprint_told(tmp_path: Path) -> None:
    """On loopback it is given by hand: nothing of a test listens for others."""
    made = await asyncio.to_thread(certificates.our_own, tmp_path, ["127.0.0.1"], datetime.now(UTC))
    words = ("--certificate", made.certificate, "--key", made.key)
    async with serving(tmp_path, *words) as (process, url):
        told = await said(process, "fingerprint ")
        assert url.startswith("https://")
        assert await asyncio.to_thread(presented, url) == told
        printed = await camwarden(tmp_path, "serve", "--host", "192.0.2.1", "--print-fingerprint")
        assert (printed.code, printed.out.strip()) == (ExitCode.GOOD, told)
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers("DEFAULT@SECLEVEL=0")
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # the point
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]), ssl=old)


def test_it_is_kept_until_shortly_before_its_end(tmp_path: Path) -> None:
    def fingerprint(at: datetime) -> str:
        return certificates.facts(certificates.our_own(tmp_path, ["cameras.example"], at).certificate).fingerprint

    first = fingerprint(NOW)
    assert fingerprint(NOW + timedelta(days=360)) == first
    renewed = fingerprint(NOW + timedelta(days=370))
    assert renewed != first
    certificates.own_files(tmp_path).key.write_text("no key")
    assert fingerprint(NOW + timedelta(days=370)) not in {first, renewed}


def test_its_files_are_for_us_alone_and_it_names_this_machine(tmp_path: Path) -> None:
    tls = certificates.our_own(tmp_path, ["cameras.example"], NOW)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tls.certificate, tls.key)} == {0o600}
    assert stat.S_IMODE(tls.key.parent.stat().st_mode) == 0o700
    assert {"localhost", "127.0.0.1", "::1", "cameras.example"} <= set(certificates.facts(tls.certificate).names)


def _garbage(tls: certificates.Tls) -> None:
    tls.certificate.write_text("no certificate")


def _of_another(tls: certificates.Tls) -> None:
    tls.key.write_bytes(certificates.our_own(tls.key.parent / "other", ["x"], NOW).key.read_bytes())


def _encrypted(tls: certificates.Tls) -> None:
    key = s.load_pem_private_key(tls.key.read_bytes(), None)
    sealed = s.BestAvailableEncryption(b"a passphrase")
    tls.key.write_bytes(key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, sealed))


UNUSABLE = {
    "it is gone": (lambda tls: tls.certificate.unlink(), "there is no such file"),
    "it is no certificate": (_garbage, "is no PEM of a certificate and its key"),
    "the key is another's": (_of_another, "is not the key of"),
    "the key is encrypted": (_encrypted, "without a passphrase"),
}


@pytest.mark.parametrize(("spoil", "words"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_certificate_that_cannot_be_used_is_said_why(
    spoil: Callable[[certificates.Tls], None], words: str, tmp_path: Path
) -> None:
    tls = certificates.our_own(tmp_path, ["x"], NOW)
    spoil(tls)
    with pytest.raises(CertificateUnusable, match=words):
        certificates.given(tls.certificate, tls.key)


# --- systemd, and the end ---------------------------------------------------------------------------------------------


@asynccontextmanager
async def manager(folder: Path) -> AsyncIterator[tuple[str, asyncio.Queue[bytes]]]:
    """What systemd listens on."""
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    class Protocol(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, _address: object) -> None:
            heard.put_nowait(data)

    listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listening.setblocking(False)
    listening.bind(str(folder / "notify"))
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Protocol, sock=listening)
    try:
        yield str(folder / "notify"), heard
    finally:
        transport.close()


async def test_systemd_hears_that_it_is_ready_alive_and_stopping(tmp_path: Path) -> None:
    async with (
        manager(tmp_path) as (address, heard),
        serving(tmp_path, NOTIFY_SOCKET=address, WATCHDOG_USEC="100000") as (process, url),
    ):
        while not (told := await asyncio.wait_for(heard.get(), 20)).startswith(b"READY=1"):
            continue
        assert told == f"READY=1\nSTATUS=serves {url}".encode()
        while await asyncio.wait_for(heard.get(), 20) != b"WATCHDOG=1":
            continue
        process.terminate()
        while not (told := await asyncio.wait_for(heard.get(), 20)).startswith(b"STOPPING=1"):
            continue
        assert b"EXTEND_TIMEOUT_USEC=70000000" in told
        assert (await ended(process)).code == ExitCode.GOOD


async def _administrator(browser: httpx.AsyncClient, token: str) -> None:
    """The first one, signed in."""
    page = (await browser.get("/set-up")).text
    csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
    word = "a long and rather random sentence"
    form = {"csrf": csrf, "token": token, "name": "anna", "password": word, "again": word}
    assert (await browser.post("/set-up", data=form)).status_code == 303


@asynccontextmanager
async def silence() -> AsyncIterator[int]:
    """A camera's port that takes connections and never says a word."""
    waiting: list[asyncio.StreamWriter] = []

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        waiting.append(writer)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(wait, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        for writer in waiting:
            writer.close()
        server.close()
        await server.wait_closed()


async def _scanning(browser: httpx.AsyncClient, port: int) -> str:
    """The page of a scan that waits for a silent camera."""
    page = (await browser.get("/scans")).text
    csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
    begun = await browser.post("/scans", data={"csrf": csrf, "targets": f"http://127.0.0.1:{port}"})
    return begun.headers["location"]


async def test_a_stop_ends_live_pages_under_load_and_all_is_left_in_order(tmp_path: Path) -> None:
    async with (
        silence() as port,
        serving(tmp_path) as (process, url),
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as browser,
    ):
        await _administrator(browser, await said(process, "one-time token: "))
        scan = await _scanning(browser, port)
        async with browser.stream("GET", f"{scan}/events") as live:
            lines = live.aiter_lines()
            assert (await anext(lines)).startswith("data:")
            load = [asyncio.create_task(browser.get("/")) for _ in range(8)]
            process.terminate()
            assert [line async for line in lines if line][-1] == "retry: 3000"
        answers = await asyncio.gather(*load, return_exceptions=True)
        end = await ended(process)
        assert (end.code, "Traceback" in end.err) == (ExitCode.GOOD, False), end.err
        assert {one.status_code for one in answers if isinstance(one, httpx.Response)} <= {200}
        assert all(isinstance(one, httpx.Response | httpx.HTTPError) for one in answers)
        session = browser.cookies
    async with serving(tmp_path) as (_, url), httpx.AsyncClient(base_url=url, trust_env=False) as again:
        again.cookies.update({name: value for name, value in session.items()})  # noqa: C416 - another port, another jar
        async with again.stream("GET", f"{scan}/events") as live:  # it begins anew by itself, and comes to its end
            told = [line async for line in live.aiter_lines() if line.startswith("data:")]
        assert '"state": "done"' in told[-1]


@asynccontextmanager
async def held_open(url: str) -> AsyncIterator[None]:
    """A request that never comes to its end: a stop waits for it, longer than these tests let it."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /sign-in HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n"
    writer.write(head.encode())
    assert (await asyncio.wait_for(reader.readline(), 20)).startswith(b"HTTP/1.1 100")  # somebody waits for the rest
    try:
        yield
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


# What is closed around the steps gets no ten seconds here: nobody waits for a test.
HURRIED = "from fleet.cli import leaving, main; leaving._MORE_S = 0.1; main()"


@pytest.mark.parametrize(
    ("again", "code", "words"),
    [
        (None, ExitCode.GOOD, "no time is left (stop_seconds)"),
        (signal.SIGINT, 128 + signal.SIGINT, "a second SIGINT"),
    ],
    ids=["the time is up", "a second signal"],
)
async def test_a_stop_that_lasts_too_long_is_the_end_and_says_what_is_left(
    tmp_path: Path, again: signal.Signals | None, code: int, words: str
) -> None:
    more = {"CAMWARDEN_STOP_SECONDS": "1" if again is None else "60"}
    process = await started(tmp_path, "serve", "--port", "0", code=HURRIED, more=more)
    try:
        async with held_open(await said(process, "listens on ")):
            process.send_signal(signal.SIGTERM)
            await said(process, "Stopping")
            if again:
                process.send_signal(again)
            end = await ended(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert (end.code, "Traceback" in end.err) == (code, False), end.err
    assert f"Stopped at once: {words}. Left to the next start: nothing" in end.err

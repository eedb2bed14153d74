"""The credentials file: who logs in to which camera.

    - match: 10.0.0.0/24          # an address, a network, or "*" for every camera
      username: audit
      password_env: CAMERA_PASSWORD   # or password: "...", or password_file: a path beside this file

A file that other people of this machine may read is used with a warning: refusing it would break every container that
mounts its secrets readable. Errors name the line and the key, never a value: it may be a password in the wrong place.
"""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from cameras.secret import Credential, Secret

logger = logging.getLogger(__name__)

LARGEST_FILE_BYTES = 1024 * 1024
LARGEST_PASSWORD_BYTES = 4096
EVERY_CAMERA = "*"

_PASSWORD_KEYS = ("password", "password_env", "password_file")
_KEYS = ("match", "username", *_PASSWORD_KEYS)
_TEXT = "tag:yaml.org,2002:str"
_OPEN_TO_OTHERS = 0o077


class CredentialsError(ValueError):
    """The credentials file cannot be used. The text names the file and the line, and says what to write."""


@dataclass(frozen=True, slots=True)
class CredentialRule:
    """`match` is an address, a network, or "*" for every camera.

    `port` means one of several cameras that share an address; a file has no such rule, the vault's logins have.
    """

    match: str
    credential: Credential
    port: int | None = None


def for_address(rules: Sequence[CredentialRule], address: str, port: int | None = None) -> list[Credential]:
    """What to try on this camera: the rules with the closest match alone, in the order of the file.

    An address is closer than a network, a small network closer than a large one, "*" is the farthest. A camera that has
    a password of its own is never offered the one of all the others: that would cost it a wrong try.
    """
    here = [rule for rule in rules if rule.match == address and rule.port in (None, port)]
    own = [rule.credential for rule in here if rule.port is not None] or [rule.credential for rule in here]
    if own:  # the usual case in a large file, and a thousand times cheaper than looking at every network
        return own
    rules = [rule for rule in rules if rule.port is None]
    closeness = [_closeness(rule.match, address) for rule in rules]
    best = max(closeness, default=-1)
    return [rule.credential for rule, close in zip(rules, closeness, strict=True) if close == best >= 0]


def _closeness(match: str, address: str) -> int:
    """-1 where it does not match, 0 for every camera, else one more than the length of the prefix."""
    if match == EVERY_CAMERA:
        return 0
    host, network = ip_address(address), ip_network(match)
    if host.version != network.version or host not in network:
        return -1
    return network.prefixlen + 1


def load_credentials(path: Path) -> list[CredentialRule]:
    """The rules in the order of the file. Blocks. Raises CredentialsError."""
    root = _compose(_read(path, LARGEST_FILE_BYTES, str(path)), path)
    if not isinstance(root, SequenceNode):
        raise _error(path, root, "write a list: `- match: ADDRESS`, with username and password below it")
    return [_rule(path, node) for node in root.value]


def _read(path: Path, most: int, where: str) -> str:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & _OPEN_TO_OTHERS:
                logger.warning("%s: other people of this machine can read it; chmod 600 keeps them out", where)
            content = file.read(most + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a file name"
        raise CredentialsError(f"{where}: cannot be read ({why})") from None
    if len(content) > most:
        raise CredentialsError(f"{where}: larger than {most} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CredentialsError(f"{where}, line {line}: this is not UTF-8") from None


def _compose(text: str, path: Path) -> Node | None:
    try:
        root: Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        # YAML's own words quote the place, and the place may hold a password.
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise CredentialsError(
            f"{path}, line {line}: this is not YAML; put text with special characters in quotes"
        ) from None
    except (yaml.YAMLError, RecursionError):
        raise CredentialsError(f"{path}, line 1: this is not YAML") from None
    return root


def _rule(path: Path, node: Node) -> CredentialRule:
    values = dict(_entries(path, node))
    for key in ("match", "username"):
        if key not in values:
            raise _error(path, node, f"`{key}` is missing")
    if len([key for key in _PASSWORD_KEYS if key in values]) != 1:
        raise _error(path, node, f"write exactly one of {', '.join(f'`{key}`' for key in _PASSWORD_KEYS)}")
    username = _text(path, "username", values["username"])
    if not username:
        raise _error(path, values["username"], "`username` is empty")
    match = _match(path, values["match"])
    return CredentialRule(match, Credential(username, _password(path, values)))


def _entries(path: Path, node: Node) -> Iterator[tuple[str, Node]]:
    if not isinstance(node, MappingNode):
        raise _error(path, node, "write `match`, `username` and `password` here")
    seen: set[str] = set()
    for key, value in node.value:
        if not isinstance(key, ScalarNode) or key.value not in _KEYS:
            # Not even the key is quoted: "password:secret" without a space makes the password part of it.
            raise _error(path, key, f"an unknown key; write one of {', '.join(_KEYS)}")
        if key.value in seen:
            raise _error(path, key, f"`{key.value}` is given twice")
        seen.add(key.value)
        yield key.value, value


def _text(path: Path, key: str, node: Node) -> str:
    if not isinstance(node, ScalarNode) or node.tag != _TEXT:
        raise _error(path, node, f"`{key}` must be text; put it in quotes")
    return str(node.value)


def _match(path: Path, node: Node) -> str:
    text = _text(path, "match", node)
    if text == EVERY_CAMERA:
        return text
    try:
        network = ip_network(text)
    except ValueError:
        raise _error(path, node, '`match` must be an address, a network such as 10.0.0.0/24, or "*"') from None
    # One way to write each: `for_address` first looks for the very text of the address.
    return str(network.network_address if network.num_addresses == 1 else network)


def _password(path: Path, values: Mapping[str, Node]) -> Secret:
    key = next(key for key in _PASSWORD_KEYS if key in values)
    node = values[key]
    text = _text(path, key, node)
    if key == "password":
        return Secret(text)
    if key == "password_env":
        if not (given := os.environ.get(text) if text and "\0" not in text else None):
            raise _error(path, node, "`password_env` names a variable that is not set, or is empty")
        return Secret(given)
    if not text:
        raise _error(path, node, "`password_file` is empty")
    content = _read(path.parent / text, LARGEST_PASSWORD_BYTES, f"{path}, line {_line(node)}: the `password_file`")
    return Secret(content.removesuffix("\n").removesuffix("\r"))


def _error(path: Path, node: Node | None, fault: str) -> CredentialsError:
    return CredentialsError(f"{path}, line {_line(node)}: {fault}")


def _line(node: Node | None) -> int:
    return node.start_mark.line + 1 if node is not None and node.start_mark else 1

"""Accounts of SUNAPI, which are slots, and the key that their passwords are encrypted with. Pure."""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from cameras.driver import Role
from cameras.errors import Garbled, Refused, Unsupported
from cameras.facts import Account, Accounts
from cameras.http import Reply
from cameras.secret import Secret
from cameras.sunapi_replies import LONGEST_VALUE, MOST_ENTRIES, Pairs, text_of, truth
from cameras.untrusted import clean_text

KEY_BITS = range(1024, 8193)

# --- accounts --------------------------------------------------------------------------------------------------------

ADMIN_SLOT = 0
_COLUMNS = ("UserID", "Password", "Enable", "VideoProfileAccess", "PTZAccess", "AudioInAccess", "AudioOutAccess")
_SLOT = re.compile(r"^Users\.(\d{1,3})$")
_OPERATORS = ("PTZAccess", "AudioOutAccess", "AlarmOutputAccess")
_OPERATORS_TOO = ("VideoProfileAccess", "AudioInAccess", *_OPERATORS)


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for an account, taken where `enabled`. `rights` are those that this firmware knows."""

    index: int
    name: str
    enabled: bool
    rights: Mapping[str, bool]


def decode_slots(pairs: Pairs) -> tuple[Slot, ...]:
    """security.cgi's users. A line names the columns, of which firmware has more and more."""
    columns = pairs.get("Users.Index", "/".join(_COLUMNS)).split("/")
    if columns[:3] != list(_COLUMNS[:3]):
        raise Garbled(f"users: columns that are none: {clean_text('/'.join(columns), 80)!r}")
    slots = tuple(_slot(int(found[1]), value, columns) for key, value in pairs.items() if (found := _SLOT.match(key)))
    if not slots:
        raise Garbled("users: it lists no accounts")
    return tuple(sorted(slots[:MOST_ENTRIES], key=lambda slot: slot.index))


def _slot(index: int, value: str, columns: Sequence[str]) -> Slot:
    fields = value.split("/")
    if len(fields) < 3:  # noqa: PLR2004 - name, password, whether it is on
        raise Garbled(f"users: {clean_text(value, 60)!r}")
    rights = {name: truth(held) is True for name, held in zip(columns[3:], fields[3:], strict=False)}
    return Slot(index, clean_text(fields[0]), truth(fields[2]) is True, rights)


def accounts_of(slots: Sequence[Slot]) -> Accounts:
    return Accounts(tuple(Account(slot.name, role_of(slot)) for slot in slots if slot.enabled))


def role_of(slot: Slot) -> Role:
    """Its first account is an administrator always. Beyond watching, any right makes an operator."""
    if slot.index == ADMIN_SLOT or slot.rights.get("AdminAccess"):
        return "Administrator"
    beyond = any(held for right, held in slot.rights.items() if right not in ("VideoProfileAccess", "AudioInAccess"))
    return "Operator" if beyond else "User"


def rights_for(role: Role, known: Mapping[str, bool]) -> Mapping[str, str]:
    """Each right that this firmware knows. Unsupported where none of them makes an administrator."""
    if role == "Administrator":
        if "AdminAccess" not in known:
            raise Unsupported("this firmware has one administrator, its own; others can be operators at most")
        return dict.fromkeys(known, "True")
    given = _OPERATORS_TOO if role == "Operator" else ("VideoProfileAccess",)
    return {right: "True" if right in given else "False" for right in known}


# --- secrets ---------------------------------------------------------------------------------------------------------

_ARMOUR = re.compile(r"-{3,}\s*(?:BEGIN|END) (?:RSA )?PUBLIC KEY\s*-{3,}")


def decode_public_key(reply: Reply) -> rsa.RSAPublicKey:
    """security.cgi's `rsa`: PEM whose lines may have lost their ends, in text or in JSON."""
    said = text_of(reply, "rsa")
    if said.startswith("{"):
        try:
            said = f"PublicKey={json.loads(said).get('PublicKey')}"
        except (ValueError, RecursionError) as error:
            raise Garbled("rsa: it names no public key") from error
    _, found, pem = said[:LONGEST_VALUE].partition("PublicKey=")
    inside = _ARMOUR.split(pem)
    if not found or len(inside) < 2:  # noqa: PLR2004 - before and behind the first line
        raise Garbled("rsa: it names no public key")
    try:
        key = load_der_public_key(base64.b64decode("".join(inside[1].split()), validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm) as error:
        raise Garbled("rsa: its public key cannot be read") from error
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size not in KEY_BITS:
        raise Garbled("rsa: its public key is of no kind that it says to use")
    return key


def seal(key: rsa.RSAPublicKey, secret: Secret) -> bytes:
    """By PKCS #1 v1.5, as the vendor's guide demands. Refused where it does not fit into one block."""
    try:
        return key.encrypt(secret.reveal().encode(), padding.PKCS1v15())
    except ValueError:
        raise Refused("the password is longer than its key can take") from None

"""Changes of web accounts in ISAPI, and the password of our own that newer firmware wants to see with them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from cameras.errors import Garbled, Refused, Unauthorized, Unreachable, Unsupported
from cameras.http import HttpLogin
from cameras.isapi import Isapi
from cameras.isapi_documents import MOST_ENTRIES, Node, alone, children, flag, new, port, put_or_add, text
from cameras.isapi_replies import accesses
from cameras.secret import Credential
from cameras.web_login import HIKVISION_LOGIN, LoginDoor, look

PATH, LIST = "Security/users", "UserList"
ACCESSES = ("Security/adminAccesses", "AdminAccessProtocolList")


def numbered(users: Node, name: str) -> tuple[str, Node] | None:
    """The number and the entry of an account, `None` where there is none of that name."""
    for row in children(users, "User"):
        number = text(row, "id")
        if text(row, "userName") == name and number is not None and number.isascii() and number.isdigit():
            return number, row
    return None


async def one_user(isapi: Isapi, name: str) -> tuple[str, Node]:
    """Its path, and its document."""
    listed = await isapi.get(PATH, LIST)
    found = numbered(listed, name)
    if found is None:
        raise Refused(f"it has no account {name!r}")
    return f"{PATH}/{found[0]}", alone(found[1], listed)


def new_user(users: Node, account: Credential, level: str) -> Node:
    """A document under the first number that is free."""
    taken = {text(row, "id") for row in children(users, "User")}
    user = new("User", users)
    put_or_add(user, "id", next(str(n) for n in range(1, MOST_ENTRIES + 2) if str(n) not in taken))
    put_or_add(user, "userName", account.username)
    put_or_add(user, "password", account.password.reveal())
    put_or_add(user, "userLevel", level)
    return user


async def tell_user(isapi: Isapi, method: str, path: str, user: Node, *, ours: bool = False) -> None:
    """Newer firmware wants our own password beside the account's, older does not know it.

    It is given inside TLS only: over a second connection where the camera was opened by plain HTTP, and of another
    account only once the camera refused to do without. Our own account is the exception: where there is no HTTPS its
    new password is read on the way in any case, and the old one ends with that.
    """
    if isapi.http.scheme == "https":
        await _tell_with_proof(isapi, method, path, user)
        return
    if not ours:
        try:
            await isapi.tell(method, path, user)
        except Refused as error:
            refused = error
        else:
            return
    async with _inside_tls(isapi) as secure:
        if secure is not None:
            await _tell_with_proof(secure, method, path, user)
        elif ours:
            await _tell_with_proof(isapi, method, path, user)
        else:
            raise Refused(f"{refused}. It may want our own password with it, which it is told by HTTPS only")


async def _tell_with_proof(isapi: Isapi, method: str, path: str, user: Node) -> None:
    if isapi.login is not None:
        put_or_add(user, "loginPassword", isapi.login.credential.password.reveal())
    await isapi.tell(method, path, user)


@asynccontextmanager
async def _inside_tls(isapi: Isapi) -> AsyncIterator[Isapi | None]:
    """The same login by HTTPS, where the camera says that it has it and takes Digest there."""
    at = None
    with suppress(Unsupported, Refused, Garbled, Unauthorized):
        row = accesses(await isapi.get(*ACCESSES)).get("HTTPS")
        at = port(row, "portNo") if row is not None and flag(row, "enabled") else None
    if at is None or isapi.login is None:
        yield None
        return
    async with isapi.http.by_tls(at) as secure:
        door = None
        with suppress(Unreachable):
            door = await look(secure, HIKVISION_LOGIN)
        if not isinstance(door, LoginDoor) or not door.takes_digest:
            yield None
            return
        login = HttpLogin(isapi.login.credential)
        login.accept(door.challenge, "GET", secure.base)
        yield Isapi(secure, login)

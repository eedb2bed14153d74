"""ISAPI's documents: read, changed in place and written again. Pure.

A camera refuses a document that lacks what it does not know to be optional, and writes in one of several namespaces or
in none. So a document is changed where it stands: what we do not know in it stays, and so does its namespace. Elements
are named by their local names throughout.
"""

from copy import deepcopy
from ipaddress import ip_address
from typing import TypeAlias

from lxml import etree

from cameras.errors import DeviceError, Garbled, LockedOut, Refused, Unauthorized, Unsupported
from cameras.http import Reply, refusal
from cameras.lockout import lock_hint
from cameras.untrusted import clean_text, parse_xml

MOST_ENTRIES = 64
Node: TypeAlias = etree._Element  # noqa: SLF001 - the only name that lxml has for it

# --- what a camera says of a request ---------------------------------------------------------------------------------

_UNSUPPORTED = frozenset({"notsupport", "notsupported", "methodnotallowed"})
_UNAUTHORIZED = frozenset({"badauthorization", "unauthorized"})
_DONE = frozenset({"0", "1"})
_DONE_AFTER_RESTART = "7"


def document(reply: Reply, name: str, question: str) -> Node:
    """The document of that name which was asked for."""
    if error := _error(reply, question):
        raise error
    root = parse_xml(reply.body)
    if local_name(root) == "ResponseStatus":
        raise _no(root, question) or Garbled(f"{question}: it says yes where it should answer")
    if local_name(root) != name:
        raise Garbled(f"{question}: answered with {clean_text(local_name(root), 40)!r} instead of {name!r}")
    return root


def told(reply: Reply, question: str) -> bool:
    """Whether what was told counts only after a restart. Raises unless the camera said that it has done it."""
    if error := _error(reply, question):
        raise error
    root = parse_xml(reply.body)
    if local_name(root) != "ResponseStatus":
        raise Garbled(f"{question}: answered with {clean_text(local_name(root), 40)!r}")
    if error := _no(root, question):
        raise error
    return text(root, "statusCode") == _DONE_AFTER_RESTART


def error_of(reply: Reply, question: str) -> DeviceError | None:
    """For answers that are no documents: what status and body say, `None` where the answer is a good one."""
    return _error(reply, question)


def _error(reply: Reply, question: str) -> DeviceError | None:
    """A status of 400 and more: the body's own word where it has one, since 403 covers "too few rights" and "no such
    function" alike.
    """
    error = refusal(reply, question)
    if error is None or isinstance(error, Unauthorized | LockedOut):
        return error
    try:
        root = parse_xml(reply.body)
    except Garbled:
        return error
    return (_no(root, question) if local_name(root) == "ResponseStatus" else None) or error


def _no(root: Node, question: str) -> DeviceError | None:
    """What a ResponseStatus refuses; `None` where it means yes. Codes: 0 and 1 yes, 7 yes after a restart."""
    code, sub = text(root, "statusCode"), text(root, "subStatusCode") or ""
    if code in _DONE or code == _DONE_AFTER_RESTART:
        return None
    if hint := lock_hint(etree.tostring(root)):
        return LockedOut(f"{question}: {hint}")
    if code is None:
        return Garbled(f"{question}: it says neither yes nor no")
    kind: type[DeviceError] = Refused
    if sub.lower() in _UNSUPPORTED:
        kind = Unsupported
    elif sub.lower() in _UNAUTHORIZED:
        kind = Unauthorized
    words = " / ".join(word for word in (text(root, "statusString"), sub, text(root, "errorMsg")) if word)
    return kind(f"{question}: {clean_text(words) or clean_text(code, 20)}")


# --- reading ---------------------------------------------------------------------------------------------------------


def local_name(node: Node) -> str:
    return etree.QName(node).localname


def children(node: Node, name: str) -> list[Node]:
    """The first of them, in order: what lies beyond is dropped, so that a hostile list cannot fill our memory."""
    found = (child for child in node.iterchildren(tag=etree.Element) if local_name(child) == name)
    return [child for child, _ in zip(found, range(MOST_ENTRIES), strict=False)]


def find(node: Node, path: str) -> Node | None:
    """By names with `/` between them; `None` where one is missing."""
    found: Node | None = node
    for step in path.split("/"):
        found = next(iter(children(found, step)), None) if found is not None else None
    return found


def text(node: Node, path: str, most: int = 200) -> str | None:
    """Cleaned; `None` where it is missing or empty."""
    found = find(node, path)
    return clean_text(found.text or "", most) or None if found is not None else None


def flag(node: Node, path: str) -> bool | None:
    return {"true": True, "false": False}.get((text(node, path) or "").lower())


def number(node: Node, path: str) -> int | None:
    said = text(node, path) or ""
    return int(said) if said.isascii() and said.isdigit() and len(said) < 10 else None  # noqa: PLR2004 - no count is longer


def port(node: Node, path: str) -> int | None:
    said = number(node, path)
    return said if said is not None and 0 < said < 65536 else None  # noqa: PLR2004 - all ports


# --- changing --------------------------------------------------------------------------------------------------------


def put(node: Node, path: str, value: str) -> None:
    """In place of what stands there. Unsupported where this camera's document has no such element."""
    found = find(node, path)
    if found is None:
        raise Unsupported(f"its {local_name(node)} has no {path}")
    _fill(found, value)


def put_if_there(node: Node, path: str, value: str) -> None:
    if (found := find(node, path)) is not None:
        _fill(found, value)


def put_or_add(parent: Node, name: str, value: str, *, after: str | None = None) -> None:
    """Where it is missing it is added behind `after`, or at the end."""
    found = find(parent, name)
    if found is None:
        found = etree.Element(_beside(parent, name))
        anchor = find(parent, after) if after else None
        if anchor is None:
            parent.append(found)
        else:
            anchor.addnext(found)
    _fill(found, value)


def _fill(node: Node, value: str) -> None:
    try:
        node.text = value
    except ValueError:
        raise Refused(f"{local_name(node)}: it has characters that XML cannot carry") from None


def name_host(node: Node, host: str) -> None:
    """An address or a name in an element with an `addressingFormatType`: one of the two, never both."""
    try:
        version = ip_address(host).version
    except ValueError:
        kind, wanted = "hostname", "hostName"
    else:
        kind, wanted = "ipaddress", "ipAddress" if version == 4 else "ipv6Address"  # noqa: PLR2004
    put(node, "addressingFormatType", kind)
    for name in {"hostName", "ipAddress", "ipv6Address"} - {wanted}:
        for child in children(node, name):
            node.remove(child)
    put_or_add(node, wanted, host, after="addressingFormatType")


def alone(entry: Node, root: Node) -> Node:
    """An entry of a list as a document of its own, in the same namespace and version."""
    copied = deepcopy(entry)
    if version := root.get("version"):
        copied.set("version", version)
    return copied


def new(name: str, like: Node) -> Node:
    """An empty document in the namespace and version of another one of this camera."""
    made = deepcopy(like)
    made.clear()
    made.tag = _beside(like, name)
    if version := like.get("version"):
        made.set("version", version)
    return made


def add(parent: Node, name: str) -> Node:
    """An empty element at the end."""
    return etree.SubElement(parent, _beside(parent, name))


def _beside(node: Node, name: str) -> str:
    """The name in the node's namespace."""
    return etree.QName(etree.QName(node).namespace, name).text


def written(root: Node) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")

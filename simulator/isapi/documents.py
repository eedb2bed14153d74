"""ISAPI's XML: documents as a camera writes them, and as strictly as it reads what comes back.

Three namespaces were seen in the wild; which one a camera writes follows from its serial number. It takes its own or
none. A document that is sent back must hold everything that it holds when it is read: cameras refuse less as "Invalid
XML Content".
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Final
from xml.sax.saxutils import escape
from zlib import crc32

from lxml import etree

from simulator.api import Answer, Call
from simulator.plan import CameraPlan

XML: Final = b'application/xml; charset="UTF-8"'
NAMESPACES: Final = (
    "http://www.hikvision.com/ver20/XMLSchema",
    "http://www.isapi.org/ver20/XMLSchema",
    "http://www.std-cgi.com/ver20/XMLSchema",
)
_ONE_OF_THEM: Final = frozenset({"ipAddress", "ipv6Address", "hostName"})
"""An address is written in one of these: which one is the writer's choice."""
_ENTRIES: Final = frozenset({"NTPServerList", "IPFilterAddressList"})
"""Lists that may come back shorter or longer than they were."""

Fields = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Element:
    """What a camera writes: a name around text or around more elements. `attributes` stand in the tag as they are."""

    name: str
    inside: "str | tuple[Element, ...]" = ""
    attributes: str = ""

    def written(self, more: str = "") -> str:
        inside = (
            escape(self.inside) if isinstance(self.inside, str) else f"\n{''.join(e.written() for e in self.inside)}"
        )
        return f"<{self.name}{more}{self.attributes}>{inside}</{self.name}>\n"


def element(name: str, *inside: Element, attributes: str = "", **texts: str) -> Element:
    """One with children: texts first, in the order given."""
    return Element(name, (*(Element(key, text) for key, text in texts.items()), *inside), attributes)


def word(value: bool) -> str:  # noqa: FBT001 - XML's boolean
    return "true" if value else "false"


def namespace(plan: CameraPlan) -> str:
    return NAMESPACES[crc32(plan.serial.encode()) % len(NAMESPACES)]


def answer(call: Call, root: Element, status: int = 200) -> Answer:
    """A document in the camera's namespace, dated by the camera's clock."""
    said = root.written(f' version="2.0" xmlns="{namespace(call.device.plan)}"')
    return Answer(f'<?xml version="1.0" encoding="UTF-8"?>\n{said}', XML, status, dated(call))


def dated(call: Call) -> bytes:
    return f"Date: {formatdate(time.time() + call.device.plan.clock_offset_s, usegmt=True)}\r\n".encode()


# --- how it says yes and no ---


@dataclass(frozen=True, slots=True)
class Word:
    """What a ResponseStatus says, and the HTTP status that it comes with."""

    code: int
    text: str
    sub: str
    status: int


OK = Word(1, "OK", "ok", 200)
REBOOT = Word(7, "Reboot Required", "rebootRequired", 200)
BUSY = Word(2, "Device Busy", "deviceBusy", 503)
INVALID = Word(4, "Invalid Operation", "invalidOperation", 403)
NOT_SUPPORTED = Word(4, "Invalid Operation", "notSupport", 403)
BAD_METHOD = Word(4, "Invalid Operation", "methodNotAllowed", 405)
LOW_PRIVILEGE = Word(4, "Invalid Operation", "lowPrivilege", 403)
NOT_ACTIVATED = Word(4, "Invalid Operation", "notActivated", 403)
BAD_FORMAT = Word(5, "Invalid XML Format", "badXmlFormat", 400)
BAD_XML = Word(6, "Invalid XML Content", "badXmlContent", 400)
BAD_PARAMETERS = Word(6, "Invalid Content", "badParameters", 400)
BAD_DEVICE_TYPE = Word(6, "Invalid XML Content", "badDevType", 400)


def said(call: Call, said: Word) -> Answer:
    root = element(
        "ResponseStatus",
        requestURL=call.request.path,
        statusCode=str(said.code),
        statusString=said.text,
        subStatusCode=said.sub,
    )
    return answer(call, root, said.status)


# --- what comes back ---


class Told(Exception):
    """What was sent is refused with this word."""

    def __init__(self, said: Word) -> None:
        super().__init__(said.sub)
        self.said = said


@dataclass(frozen=True, slots=True)
class Given:
    """An element of what was sent, its children found by name."""

    node: etree._Element

    def __iter__(self) -> Iterator["Given"]:
        return (Given(child) for child in self.node.iterchildren(tag=etree.Element))

    @property
    def name(self) -> str:
        return etree.QName(self.node).localname

    @property
    def text(self) -> str:
        return (self.node.text or "").strip()

    def all(self, name: str) -> list["Given"]:
        return [child for child in self if child.name == name]

    def find(self, path: str) -> "Given | None":
        found: Given | None = self
        for step in path.split("/"):
            found = next(iter(found.all(step)), None) if found else None
        return found

    def said(self, path: str) -> str | None:
        found = self.find(path)
        return None if found is None else found.text

    def need(self, path: str) -> str:
        """Raises Told where it is missing."""
        text = self.said(path)
        if text is None:
            raise Told(BAD_XML)
        return text

    def flag(self, path: str) -> bool:
        try:
            return {"true": True, "false": False}[self.need(path).lower()]
        except KeyError:
            raise Told(BAD_PARAMETERS) from None

    def number(self, path: str, least: int, most: int) -> int:
        text = self.need(path)
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise Told(BAD_PARAMETERS)
        return int(text)


def given(plan: CameraPlan, body: bytes, name: str) -> Given:
    """The document that was sent. Raises Told."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        found = Given(etree.fromstring(body, parser))
    except (etree.XMLSyntaxError, ValueError):
        raise Told(BAD_FORMAT) from None
    if found.name != name or etree.QName(found.node).namespace not in (None, namespace(plan)):
        raise Told(BAD_XML)
    return found


def complete(found: Given, like: Element) -> None:
    """Raises Told unless it holds everything that the camera's own document does."""
    if isinstance(like.inside, str):
        return
    theirs = {child.name for child in found}
    if not {e.name for e in like.inside if e.name not in _ONE_OF_THEM} <= theirs:
        raise Told(BAD_XML)
    if any(e.name in _ONE_OF_THEM for e in like.inside) and not theirs & _ONE_OF_THEM:
        raise Told(BAD_XML)
    if like.name in _ENTRIES:
        return
    for inner in like.inside:
        for child in found.all(inner.name):
            complete(child, inner)


def reading(do: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
    """Makes an answer of what is refused on the way."""

    def answered(call: Call) -> Answer:
        try:
            return do(call)
        except Told as told:
            return said(call, told.said)

    return answered

"""Applications of an Axis camera, as facts: what applications/*.cgi says in XML. Pure.

A refusal comes under HTTP 200 as `<reply result="error"><error type="1" message="…"/></reply>`, a malformed value's
from AXIS OS 12.2 as HTTP 400 (VAPIX, Application API).
"""

from lxml import etree

from cameras.errors import Garbled, Refused
from cameras.facts import App, Apps, UnsignedApps
from cameras.http import Reply
from cameras.untrusted import clean_text, parse_xml
from cameras.vapix_replies import MOST_ENTRIES, decode_words

LIST, CONFIG = "applications/list.cgi", "applications/config.cgi"
ALLOW_UNSIGNED = "AllowUnsigned"
_TRUTHS = {"true": True, "false": False}


def decode_apps(reply: Reply) -> Apps:
    return Apps(tuple(_app(app) for app in _entries(reply, LIST, "application")[:MOST_ENTRIES]))


def _app(element: etree._Element) -> App:
    status = element.get("Status")
    return App(
        id=clean_text(element.get("Name", "")),
        name=clean_text(element.get("NiceName", "")) or None,
        version=clean_text(element.get("Version", "")) or None,
        running=None if status is None else status == "Running",
    )


def decode_unsigned_apps(reply: Reply) -> UnsignedApps:
    """What it says to asking and to setting alike: `<param name="AllowUnsigned" value="true"/>`."""
    for said in _entries(reply, CONFIG, "param"):
        if said.get("name") == ALLOW_UNSIGNED:
            return UnsignedApps(_TRUTHS.get(said.get("value", "").lower()))
    raise Garbled(f"{CONFIG}: it does not speak of {ALLOW_UNSIGNED}")


def _entries(reply: Reply, question: str, name: str) -> list[etree._Element]:
    decode_words(reply, question)
    root = parse_xml(reply.body)
    if etree.QName(root).localname != "reply":
        raise Garbled(f"{question}: XML of another shape")
    if root.get("result") != "ok":
        why = next((child.get("message") for child in root if child.get("message")), root.get("result"))
        raise Refused(f"{question}: {clean_text(str(why))}")
    return [child for child in root if etree.QName(child).localname == name]
